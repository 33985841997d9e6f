//! A directory role that a user holds, with how it is held (identity.md 1.3).

use serde::{Deserialize, Serialize};

/// How a role is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleVia {
    /// It is assigned to the user, for good.
    Assignment,
    /// It is active for a while alone, by Privileged Identity Management.
    Activation,
    /// It is not active, and the user can activate it (Privileged Identity Management).
    Eligibility,
    /// It is assigned to a group that the user belongs to.
    Group {
        /// Object id of the group.
        id: String,
        /// Its name: show it inert.
        name: String,
    },
}

impl RoleVia {
    /// The word that a plan keeps it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::Activation => "activation",
            Self::Eligibility => "eligibility",
            Self::Group { .. } => "group",
        }
    }
}

/// One role, at one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAssignment {
    /// Id of the assignment, or of the instance of its schedule.
    pub id: String,
    /// Id of the role's definition.
    pub role_id: String,
    /// Template id of the role: that of a built-in one is its id.
    pub template_id: String,
    /// Name of the role: show it inert.
    pub name: String,
    /// `/` for the whole tenant, or what it is limited to.
    pub scope: String,
    /// How it is held.
    pub via: RoleVia,
}

impl RoleAssignment {
    /// What it does, in plain words.
    pub fn words(&self) -> String {
        let over = match self.scope.as_str() {
            "/" => "for the whole tenant".to_owned(),
            scope => format!("over {scope}"),
        };
        match &self.via {
            RoleVia::Assignment => format!("held {over}"),
            RoleVia::Activation => format!("held {over}, for a while"),
            RoleVia::Eligibility => format!("can be activated {over}"),
            RoleVia::Group { name, .. } => format!("held {over}, through the group `{name}`"),
        }
    }
}
