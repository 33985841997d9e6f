//! Who gets to know a secret that a step makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::planned::Scope;
use crate::guard::refusal;
use crate::plan::{Delivery, GuardRefusal};

/// Who gets to know a new password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deliver {
    /// Nobody.
    #[default]
    Nobody,
    /// Whoever applies, once, on the terminal.
    Terminal,
    /// Whoever holds a key of `secrets.recipients`: it is sealed with age.
    Sealed,
}

impl Deliver {
    /// The delivery that the plan holds: the recipients are part of it, so that nobody slips in later.
    pub(super) fn delivery(self, what: &str, scope: &Scope<'_>) -> Result<Delivery, GuardRefusal> {
        match self {
            Self::Nobody => Ok(Delivery::Nobody),
            Self::Terminal => Ok(Delivery::Terminal),
            Self::Sealed if scope.recipients.is_empty() => Err(refusal(
                "no_recipients",
                what,
                "nobody is named who could open it",
                "set `secrets.recipients` in stanch.toml to public keys (`age1…`, `ssh-ed25519 …`, `ssh-rsa …`), or say `deliver: terminal`",
            )),
            Self::Sealed => {
                let recipients = scope.recipients.iter().map(ToString::to_string).collect();
                Ok(Delivery::Sealed { recipients })
            }
        }
    }
}

/// Where a secret goes, in words.
pub(super) fn words(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Nobody => "that nobody gets to know".to_owned(),
        Delivery::Terminal => "shown once on the terminal of whoever applies".to_owned(),
        Delivery::Sealed { recipients } => format!("sealed for {}", recipients.join(", ")),
    }
}
