//! The one way out: every request to Graph, to the token endpoint and to anyone else passes a [`Transport`].

mod socket;
mod system;

pub use socket::{SocketTransport, SocketTransportError, install};
pub use system::{OsRandom, SystemClock};

use crate::domain::BoxFuture;

/// Why no response came. What matters to a writer is whether the request may have arrived.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The request did not leave: name, connection or TLS failed. Nothing happened at the other end.
    #[error("could not reach `{host}`")]
    NotSent {
        /// Host that was not reached.
        host: String,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The other end's certificate was not taken, so nothing was sent to it: somebody may sit in between.
    #[error("could not reach `{host}`: {fault}")]
    Untrusted {
        /// Host that was not reached.
        host: String,
        /// What is wrong with its certificate.
        fault: CertificateFault,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request may have left, and no whole answer came: what it did is not known.
    #[error("no answer to {method} `{path}`")]
    NoAnswer {
        /// Method.
        method: String,
        /// Path without query.
        path: String,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is larger than allowed.
    #[error("the answer to {method} `{path}` is larger than {limit} bytes")]
    TooLarge {
        /// Method.
        method: String,
        /// Path without query.
        path: String,
        /// The limit, in bytes.
        limit: usize,
    },
}

/// What is wrong with a certificate, by what a person does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// No root of this machine stands behind it.
    #[error("its certificate was issued by nobody that this machine trusts")]
    UnknownIssuer,
    /// It has expired, or is not valid yet.
    #[error("its certificate is not valid at the time of this machine")]
    OutOfTime,
    /// It is another host's.
    #[error("its certificate is made out to another name")]
    OtherName,
    /// Something else.
    #[error("its certificate is not valid")]
    Other,
}

impl TransportError {
    /// Whether the request certainly did not leave.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Untrusted { .. })
    }

    /// What to do about it, where the failure itself tells.
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Untrusted { fault, .. } = self else { return None };
        Some(match fault {
            CertificateFault::UnknownIssuer => {
                "most often a proxy of the company's opens TLS under a root of its own: ask whoever runs it for that root, and add it to this machine's trusted certificates (on Linux also by `SSL_CERT_FILE`); if nobody knows of a proxy, somebody is listening in: do not go on from this network"
            }
            CertificateFault::OutOfTime => "check the clock of this machine first, then who answers there",
            CertificateFault::OtherName | CertificateFault::Other => {
                "check the address and the proxy: who answers there is not who it should be"
            }
        })
    }
}

/// Sends one request and waits for its answer, once. Repeating, pacing and deadlines over several tries are the
/// caller's.
pub trait Transport: Send + Sync {
    /// Sends.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>>;
}
