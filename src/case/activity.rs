//! What somebody did in the directory, by its audit log: every object that a record names, not the subject alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::{AuditActor, ModifiedProperty};

/// An object that a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityTarget {
    /// Object id, where given.
    pub id: Option<String>,
    /// `User`, `Device`, `ServicePrincipal`, …
    pub kind: String,
    /// Name: show it inert.
    pub name: String,
    /// What changed.
    pub modified: Vec<ModifiedProperty>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Id of the record.
    pub id: String,
    /// When (UTC).
    pub at: Timestamp,
    /// What happened: `Consent to application`, `Register device`, …
    pub name: String,
    /// Which service logged it.
    pub logged_by: String,
    /// Who did it.
    pub actor: AuditActor,
    /// Whether it went through.
    pub succeeded: bool,
    /// What it is about, in the record's order.
    pub targets: Vec<ActivityTarget>,
}

impl Activity {
    /// Whether a record names an object.
    pub fn is_about(&self, object: &str) -> bool {
        self.targets.iter().any(|own| own.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(object)))
    }

    /// The value that a property has after it, without the quotes that a scalar is logged in.
    pub fn new_value(&self, property: &str) -> Option<&str> {
        let modified = self.targets.iter().flat_map(|own| &own.modified);
        let own = modified.into_iter().find(|own| own.name == property)?;
        own.new_value.as_deref().map(|text| text.trim_matches(['"', '[', ']']))
    }
}
