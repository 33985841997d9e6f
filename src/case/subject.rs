//! The subject: the compromised user, held by object id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::look::Look;
use crate::domain::{Upn, UserId};

/// How a role is held.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RoleSource {
    /// Assigned, and active now.
    Active,
    /// Can be activated (Privileged Identity Management).
    Eligible,
    /// Held through a group.
    Group,
}

/// A directory role that the subject holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleHeld {
    /// Template id of the role; compared by it, never by name.
    pub template_id: String,
    /// Name on screens.
    pub name: String,
    /// How it is held.
    pub source: RoleSource,
}

/// The user whose account is contained.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of Graph's user, asked for by its name"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Object id.
    pub id: UserId,
    /// User principal name, for screens.
    pub upn: Upn,
    /// Name on screens, as the tenant has it: show it inert.
    pub display_name: String,
    /// When the account was made; with the id it tells a reused name apart.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub created_at: Option<Timestamp>,
    /// Whether the account is mastered in an on-premises directory.
    pub synced: bool,
    /// Whether the account is a guest, who signs in at another tenant.
    pub guest: bool,
    /// Whether the account's domain signs in through a federated provider.
    pub federated: Look<bool>,
    /// Whether sign-in is enabled.
    pub enabled: bool,
    /// Whether the account lies in a restricted management administrative unit.
    pub restricted: bool,
    /// Roles held, in whatever way; unread means: treat as privileged.
    pub roles: Look<Vec<RoleHeld>>,
    /// Whether it belongs to a role-assignable group; unread means: treat as privileged.
    pub in_role_assignable_group: Look<bool>,
    /// The last password change.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub password_changed_at: Option<Timestamp>,
    /// Tokens issued before this moment are worthless.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub sessions_valid_from: Option<Timestamp>,
    /// The last sign-in in the log that was read.
    #[schemars(with = "Look<Option<crate::domain::Moment>>")]
    pub last_sign_in: Look<Option<Timestamp>>,
}

impl Subject {
    /// The template ids of the roles that it holds now, not of those that it could activate.
    pub fn active_roles(&self) -> Look<Vec<String>> {
        self.roles.as_ref().map(|roles| {
            let active = roles.iter().filter(|role| role.source != RoleSource::Eligible);
            active.map(|role| role.template_id.clone()).collect()
        })
    }
}
