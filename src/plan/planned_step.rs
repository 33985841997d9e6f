//! What a plan keeps of each step of its playbook: by this a run is held against the order that was approved, and against
//! what was there when the plan was made.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Hold;
use crate::domain::Sha256Digest;

/// A step of the playbook, as the plan found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// Its id in the playbook.
    pub id: String,
    /// Name of its kind.
    pub kind: String,
    /// Ids of the steps that it waits for.
    pub needs: Vec<String>,
    /// Whether a run is contained only with it.
    pub required: bool,
    /// What it takes from an intruder when it does its work; nothing where a guard refuses it or nobody can do it.
    pub takes: Vec<Hold>,
    /// What it gives back.
    pub gives: Vec<Hold>,
    /// The things of its kind that were there, of which one that comes later is told by; absent where it read no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Vec<KnownThing>>,
}

/// A thing that was there when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownThing {
    /// Its id.
    pub id: String,
    /// Digest of what makes it what it is: one that was changed since is another.
    pub state: Sha256Digest,
}

impl KnownThing {
    /// A thing by what makes it what it is.
    pub fn new(id: &str, state: &Value) -> Self {
        // A number that has no canonical form still has one spelling.
        let digest = Sha256Digest::of_json(state)
            .unwrap_or_else(|_| Sha256Digest::of_bytes(state.to_string().as_bytes()));
        Self { id: id.to_owned(), state: digest }
    }
}
