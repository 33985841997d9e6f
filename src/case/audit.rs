//! A record of the directory audit log (policy-logs-auth.md 5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::UserId;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditActor {
    /// A person, with the address that the record gives.
    User {
        /// Object id, where given.
        id: Option<String>,
        /// UPN, where given.
        upn: Option<String>,
        /// Address; only records of the authentication-methods service give the person's own (5.5).
        ip: Option<String>,
    },
    /// An app or a service of Microsoft's.
    App {
        /// Name.
        name: String,
    },
    /// The record does not say.
    Unknown,
}

/// A property that changed: both values are JSON inside a string, as logged, and may be cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModifiedProperty {
    /// Name.
    pub name: String,
    /// Value before.
    pub old_value: Option<String>,
    /// Value after.
    pub new_value: Option<String>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Id of the record.
    pub id: String,
    /// When (UTC).
    pub at: Timestamp,
    /// What happened: `User registered security info`, `Update user`, …
    pub activity: String,
    /// Which service logged it: `Authentication Methods`, `Core Directory`, …
    pub logged_by: String,
    /// Prose: `User registered Authenticator App with Notification and Code`.
    pub result_reason: String,
    /// Who did it.
    pub actor: AuditActor,
    /// To which user, where the target is one.
    pub target: Option<UserId>,
    /// What changed.
    pub modified: Vec<ModifiedProperty>,
}
