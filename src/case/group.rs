//! A group, as far as it matters who may be put into it.

use serde::{Deserialize, Serialize};

use crate::domain::GroupId;

/// One group. A flag that Graph does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Object id.
    pub id: GroupId,
    /// Name: show it inert.
    pub name: String,
    /// `groupTypes`: `Unified`, `DynamicMembership`; `None` where Graph does not tell.
    pub kinds: Option<Vec<String>>,
    /// Whether it gives access to things.
    pub security: Option<bool>,
    /// Whether it has a mailbox or a mail address.
    pub mail: Option<bool>,
    /// Whether roles can be assigned to it.
    pub role_assignable: Option<bool>,
    /// Whether it is mastered in an on-premises directory.
    pub synced: Option<bool>,
}
