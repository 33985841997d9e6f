//! Whose session a plan is made in and for: an app's own, or that of a person who signed in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanSession {
    /// An app's own: application permissions.
    #[default]
    App,
    /// A person's: delegated permissions, and the person's directory roles.
    Person,
}

impl PlanSession {
    /// Whether it is an app's own.
    pub fn is_app(&self) -> bool {
        *self == Self::App
    }
}
