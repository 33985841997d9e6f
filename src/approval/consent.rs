//! Every way to say yes is one type.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::PlanDigest;

/// How the yes was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Typed at the terminal, with the preview on it.
    Terminal,
    /// `--yes` on the command line.
    Flag,
}

/// A yes to one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// How.
    pub kind: ConsentKind,
    /// To which plan.
    pub digest: PlanDigest,
    /// Whose.
    pub by: String,
    /// When (our clock).
    pub at: Timestamp,
    /// From when on it can no longer be used (our clock).
    pub expires_at: Timestamp,
}

/// A consent that a run has used: it cannot be used again, only that run may go on by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumedConsent {
    /// The consent.
    pub consent: Consent,
    /// When it was used (our clock).
    pub consumed_at: Timestamp,
}
