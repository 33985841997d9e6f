//! Getting tokens from Entra: by secret, certificate, another provider's token, managed identity or a person who signs in,
//! one flight at a time; and what each refusal asks of the operator.

mod certificate;
mod challenge;
mod credential;
mod entra;
mod error;
mod managed_identity;
mod source;
mod token;

pub use certificate::{CertificateError, ClientCertificate};
pub use credential::Credential;
pub use entra::EntraRefusal;
pub use error::AuthError;

pub(super) use challenge::read_claims;
pub use source::DevicePrompt;
pub(super) use source::TokenSource;
pub(super) use token::AccessToken;
