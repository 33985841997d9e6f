//! Handing secrets over from the command line: to whoever sits at the terminal, or sealed into a file beside the store.

use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::terminal;
use crate::domain::SecretString;
use crate::plan::Delivery;
use crate::run::HandedOver;
use crate::seal::{Envelopes, Handover, HandoverError, Parcel};

/// Hands secrets over as the plan says.
#[derive(Clone, Debug)]
pub struct CommandHandover {
    envelopes: Envelopes,
    progress: Progress,
}

impl CommandHandover {
    /// Keeps envelopes in a folder `sealed` beside the store's file.
    pub fn beside(store: &Path, progress: Progress) -> Self {
        let folder = store.parent().map_or_else(PathBuf::new, Path::to_path_buf).join("sealed");
        Self { envelopes: Envelopes::within(folder), progress }
    }
}

impl Handover for CommandHandover {
    fn ready(&self, parcel: &Parcel<'_>, delivery: &Delivery) -> Result<(), HandoverError> {
        match delivery {
            Delivery::Nobody => Ok(()),
            Delivery::Terminal => terminal::check_terminal(&parcel.what()),
            Delivery::Sealed { recipients } => Ok(self.envelopes.check(recipients)?),
        }
    }

    fn hand_over(
        &self,
        parcel: &Parcel<'_>,
        delivery: &Delivery,
        secret: &SecretString,
    ) -> Result<HandedOver, HandoverError> {
        match delivery {
            Delivery::Nobody => Ok(HandedOver::Lost { why: "it was meant for nobody".to_owned() }),
            Delivery::Terminal => {
                self.progress.aside(|| terminal::show_once(&parcel.what(), secret))?;
                Ok(HandedOver::Shown)
            }
            Delivery::Sealed { recipients } => Ok(self.envelopes.keep(parcel, recipients, secret)?),
        }
    }
}
