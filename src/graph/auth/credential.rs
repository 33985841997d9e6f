//! How an app proves itself to Entra, ready for use.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::certificate::{CertificateError, ClientCertificate};
use crate::config::{ManagedIdentity, SignInWay};
use crate::domain::SecretString;

/// How an app proves itself.
#[derive(Clone, Debug)]
pub enum Credential {
    /// By its secret.
    Secret(SecretString),
    /// By an assertion signed with its certificate's key.
    Certificate(Arc<ClientCertificate>),
    /// By another provider's token, read from this file each time: it is renewed there.
    FederatedToken(PathBuf),
    /// By where it runs.
    ManagedIdentity(ManagedIdentity),
    /// Not at all: a person signs in to it, and proves themselves.
    Person,
}

impl Credential {
    /// Makes a credential ready: a certificate is read and checked now, not at the first request.
    ///
    /// # Errors
    /// When the certificate cannot be signed in with.
    pub fn load(way: &SignInWay, now: Timestamp) -> Result<Self, CertificateError> {
        Ok(match way {
            SignInWay::Secret(secret) => Self::Secret(secret.clone()),
            SignInWay::Certificate(path) => Self::Certificate(Arc::new(ClientCertificate::load(path, now)?)),
            SignInWay::FederatedToken(path) => Self::FederatedToken(path.clone()),
            SignInWay::ManagedIdentity(identity) => Self::ManagedIdentity(identity.clone()),
        })
    }

    /// When it expires, where that can be told from here.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Certificate(certificate) => Some(certificate.expires_at()),
            Self::Secret(_) | Self::FederatedToken(_) | Self::ManagedIdentity(_) | Self::Person => None,
        }
    }
}

impl From<SecretString> for Credential {
    fn from(secret: SecretString) -> Self {
        Self::Secret(secret)
    }
}
