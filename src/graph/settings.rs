//! What a connection is made from, and the id that a request carries.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::auth::Credential;
use crate::domain::Random;

/// How long a call may take over all its tries. Waits that pacing asks for are not counted: they are ours.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Of one try.
    pub attempt: Duration,
    /// Of a read.
    pub read: Duration,
    /// Of a write.
    pub write: Duration,
    /// Of getting a token.
    pub token: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            read: Duration::from_mins(2),
            write: Duration::from_mins(2),
            token: Duration::from_mins(2),
        }
    }
}

/// Where to connect to, and as whom.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Graph's base, without version: `https://graph.microsoft.com`.
    pub graph_base: String,
    /// The sign-in authority: `https://login.microsoftonline.com`.
    pub authority: String,
    /// Tenant id or domain.
    pub tenant: String,
    /// The app's client id.
    pub client_id: String,
    /// How the app proves itself.
    pub credential: Credential,
    /// Deadlines.
    pub deadlines: Deadlines,
}

impl ConnectionSettings {
    /// Where to connect to, and as whom; the deadlines are the usual ones.
    pub fn new(
        graph_base: &str,
        authority: &str,
        tenant: &str,
        client_id: &str,
        credential: impl Into<Credential>,
    ) -> Self {
        Self {
            graph_base: graph_base.to_owned(),
            authority: authority.to_owned(),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            credential: credential.into(),
            deadlines: Deadlines::default(),
        }
    }
}

/// Why a text is no id of a request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no request id: expected a GUID")]
pub struct ClientRequestIdError {
    text: String,
}

/// The id that we give a request: Graph logs it, and we note it before sending.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientRequestId(String);

impl ClientRequestId {
    /// Makes a new one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 16];
        random.fill(&mut bytes);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string())
    }

    /// The text as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientRequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ClientRequestId {
    type Err = ClientRequestIdError;

    fn from_str(text: &str) -> Result<Self, ClientRequestIdError> {
        uuid::Uuid::try_parse(text)
            .map(|guid| Self(guid.hyphenated().to_string()))
            .map_err(|_| ClientRequestIdError { text: text.to_owned() })
    }
}
