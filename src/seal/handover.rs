//! The ways out for a secret that was made at apply.

use crate::domain::{RunId, SecretString, Upn};
use crate::plan::Delivery;
use crate::run::HandedOver;

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A new password.
    Password,
    /// A Temporary Access Pass.
    Pass,
}

impl SecretKind {
    /// The word in the names of files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Pass => "pass",
        }
    }

    /// The words for people: `the new password`.
    pub fn what(self) -> &'static str {
        match self {
            Self::Password => "the new password",
            Self::Pass => "the Temporary Access Pass",
        }
    }
}

/// What belongs to a secret that is handed over.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// What it is.
    pub kind: SecretKind,
    /// Whose account it opens.
    pub subject: &'a Upn,
    /// The run that made it.
    pub run: &'a RunId,
}

impl Parcel<'_> {
    /// What it is and whose, in words.
    pub fn what(&self) -> String {
        format!("{} of {}", self.kind.what(), self.subject)
    }
}

/// Where a secret that was made at apply goes.
pub trait Handover: Send + Sync {
    /// Whether a secret could be handed over so: asked before it is made, as afterwards it would be lost.
    ///
    /// # Errors
    /// When it could not.
    fn ready(&self, parcel: &Parcel<'_>, delivery: &Delivery) -> Result<(), HandoverError>;

    /// Hands a secret over, once. It is not kept anywhere else; there is no second way where the first one fails.
    ///
    /// # Errors
    /// When it could not be handed over: the secret is then lost, and that is to be said.
    fn hand_over(
        &self,
        parcel: &Parcel<'_>,
        delivery: &Delivery,
        secret: &SecretString,
    ) -> Result<HandedOver, HandoverError>;
}

/// Why a secret could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// There is no terminal to show it on.
    #[error("there is no terminal to show {what} on")]
    NoTerminal {
        /// What the secret is.
        what: String,
    },
    /// The terminal could not be written to.
    #[error("{what} could not be shown")]
    Unwritable {
        /// What the secret is.
        what: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// It could not be sealed, or the envelope not be kept.
    #[error(transparent)]
    Seal(#[from] super::SealError),
}
