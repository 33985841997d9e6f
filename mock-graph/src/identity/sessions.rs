//! What the identity platform remembers between two requests: device codes, authorization codes, refresh tokens.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::time::Instant;

use super::scope::Granted;

/// A person's session with an app.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) client_id: String,
    pub(super) user_id: String,
    pub(super) granted: Granted,
    /// The tenant's time of the sign-in: what watermarks are compared with.
    pub(super) signed_in_at: Timestamp,
    /// What the client sent to find its own answer again.
    pub(super) nonce: Option<String>,
}

/// How a device code stands.
#[derive(Clone, Debug)]
pub(super) enum DeviceState {
    /// Nobody has typed the code yet.
    Pending,
    /// Somebody has, and is who the session says.
    Granted(Session),
    /// Somebody has, and said no.
    Declined,
    /// Somebody has, and is not let in.
    Refused(super::refusal::Refusal),
    /// The tokens were fetched.
    Used,
}

/// A device code that is out.
#[derive(Clone, Debug)]
pub(super) struct DeviceFlow {
    pub(super) user_code: String,
    pub(super) client_id: String,
    pub(super) granted: Granted,
    /// Waiting is measured in running time, which a test can move.
    pub(super) expires_at: Instant,
    pub(super) last_poll: Option<Instant>,
    pub(super) interval: u64,
    pub(super) state: DeviceState,
}

/// An authorization code that is out.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationCode {
    pub(super) session: Session,
    pub(super) redirect_uri: String,
    /// Method and challenge of PKCE.
    pub(super) challenge: Option<(String, String)>,
    pub(super) expires_at: Instant,
    pub(super) is_used: bool,
}

/// Everything that is out.
#[derive(Debug, Default)]
pub struct Sessions {
    pub(super) device_codes: BTreeMap<String, DeviceFlow>,
    pub(super) codes: BTreeMap<String, AuthorizationCode>,
    pub(super) refresh_tokens: BTreeMap<String, Session>,
}
