//! Handing a secret over: once, to a person at the terminal, sealed to those who may open it, or to nobody.

mod envelope;
mod handover;
mod recipient;

pub use envelope::{Envelopes, SealError, seal};
pub use handover::{Handover, HandoverError, Parcel, SecretKind};
pub use recipient::{Recipient, RecipientError};
