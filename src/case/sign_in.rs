//! A row of the sign-in log, as far as we reason about it (policy-logs-auth.md 4.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::UserId;

/// One sign-in. Texts are as the log has them: show them inert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Id of the row; the log repeats rows, so they are told apart by it.
    pub id: String,
    /// When (UTC).
    pub at: Timestamp,
    /// Whose; absent for what is no user's.
    pub user_id: Option<UserId>,
    /// UPN as logged.
    pub upn: String,
    /// Address as logged; may be masked or empty.
    pub ip: String,
    /// City and country as logged, `Dallas, US`.
    pub place: String,
    /// User agent.
    pub user_agent: String,
    /// Session id (beta only).
    pub session_id: Option<String>,
    /// Whether a person was there.
    pub interactive: bool,
    /// Result code; 0 is success.
    pub error_code: i64,
    /// Name of the app.
    pub app: String,
    /// App id of the resource.
    pub resource_id: Option<String>,
    /// Name of the resource.
    pub resource: String,
    /// Kind of client: Browser, Mobile Apps and Desktop clients, …
    pub client_app: String,
    /// Device id, where the device is registered.
    pub device_id: Option<String>,
    /// Operating system.
    pub operating_system: String,
    /// Whether the device was compliant.
    pub compliant: bool,
    /// Trust type of the device: Azure AD joined, Hybrid Azure AD joined, …; empty where there is none.
    pub trust_type: String,
    /// How the second factor was satisfied, as the log words it.
    pub mfa_detail: String,
    /// Token protection: bound, unbound or none (beta only).
    pub token_protection: Option<String>,
    /// Autonomous system of the address (beta only).
    pub asn: Option<i64>,
}
