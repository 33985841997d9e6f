//! Handing a secret over: once, to a person, or to nobody.

use crate::domain::SecretString;

/// Where a secret that was made at apply goes.
pub trait Handover: Send + Sync {
    /// Hands a secret over, once. It is not kept anywhere else.
    ///
    /// # Errors
    /// When it could not be handed over: the secret is then lost, and that is to be said.
    fn hand_over(&self, what: &str, secret: &SecretString) -> Result<(), HandoverError>;
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
}
