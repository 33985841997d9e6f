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

/// Sends one request and waits for its answer, once. Repeating, pacing and deadlines over several tries are the
/// caller's.
pub trait Transport: Send + Sync {
    /// Sends.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>>;
}
