//! Getting tokens from Entra: the client secret, one flight at a time, and what each refusal asks of the operator.

mod challenge;
mod entra;
mod error;
mod source;
mod token;

pub use entra::EntraRefusal;
pub use error::AuthError;

pub(super) use challenge::read_claims;
pub(super) use source::TokenSource;
pub(super) use token::AccessToken;
