//! What was read back when all was done.

use serde::{Deserialize, Serialize};

/// One thing that was checked at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofFact {
    /// What was checked.
    pub what: String,
    /// Whether it holds; `None` where it could not be read.
    pub holds: Option<bool>,
    /// What was seen.
    pub seen: String,
}

/// What stays open, with the next thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenItem {
    /// What.
    pub what: String,
    /// Why it is open.
    pub why: String,
    /// What to do next.
    pub next: String,
}

/// The proof: facts read after the last write, and what is left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What was checked.
    pub facts: Vec<ProofFact>,
    /// What stays open.
    pub open: Vec<OpenItem>,
}

impl Proof {
    /// Whether every fact was read and holds.
    pub fn holds(&self) -> bool {
        self.facts.iter().all(|fact| fact.holds == Some(true))
    }

    /// Whether some fact was read and does not hold.
    pub fn is_broken(&self) -> bool {
        self.facts.iter().any(|fact| fact.holds == Some(false))
    }
}
