//! The one verdict that a run ends in. Only the first is green.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::proof::Proof;
use super::state::{ActionState, Progress};
use crate::plan::{Action, Plan};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every required effect was read back, and the proof holds.
    Contained,
    /// All was accepted; some of it does not show yet.
    ContainedUnverified,
    /// Some of it is done, some is not.
    Partial,
    /// No required effect was reached.
    NotContained,
    /// What a request did is not known, even after reading back.
    Unknown,
    /// A guard stopped it before the first write.
    Refused,
    /// The tenant has changed since the plan, and nothing was sent.
    Stale,
}

impl Verdict {
    /// The word in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contained => "contained",
            Self::ContainedUnverified => "contained_unverified",
            Self::Partial => "partial",
            Self::NotContained => "not_contained",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Stale => "stale",
        }
    }

    /// Exit status of `apply` and `run` (INTERFACE.md, "Exit status").
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Contained => 0,
            Self::Refused => 3,
            Self::Stale => 5,
            Self::ContainedUnverified | Self::Partial | Self::NotContained | Self::Unknown => 6,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Reckons the verdict from where each action stands and from the proof.
pub fn verdict_of(plan: &Plan, progress: &[Progress], proof: &Proof) -> Verdict {
    let was_sent = progress.iter().any(|action| action.was_sent);
    let required: Vec<ActionState> = plan
        .actions
        .iter()
        .filter(|action| action.required)
        .map(|action| {
            progress
                .iter()
                .find(|progress| progress.id == action.id)
                .map_or(ActionState::NotStarted, |progress| counted(action, progress.state))
        })
        .collect();
    let some_stale = progress.iter().any(|action| action.state == ActionState::Stale);
    if some_stale && !was_sent {
        return Verdict::Stale;
    }
    let is_reached = |state: &ActionState| {
        matches!(state, ActionState::Verified | ActionState::AlreadySo | ActionState::Confirmed)
    };
    let is_accepted = |state: &ActionState| is_reached(state) || *state == ActionState::AcceptedUnverified;
    // Nothing of what a person is waited for has failed.
    let is_waiting = |state: &ActionState| *state == ActionState::WaitingForPerson;
    let holds_back = plan.left.iter().any(|left| left.holds_back)
        || plan.guards.refused.iter().any(|refusal| refusal.holds_back);
    if required.contains(&ActionState::Ambiguous) {
        Verdict::Unknown
    } else if required.iter().all(is_reached) && !holds_back && proof.holds() {
        Verdict::Contained
    } else if required.iter().all(is_accepted) && !holds_back && !proof.is_broken() {
        Verdict::ContainedUnverified
    } else if required.iter().any(is_accepted) || required.iter().all(is_waiting) {
        Verdict::Partial
    } else {
        Verdict::NotContained
    }
}

/// What an action counts for. A way in that a person has shut was shut after the last revocation: sessions that began
/// before live on, so that their word alone makes nothing contained.
fn counted(action: &Action, state: ActionState) -> ActionState {
    let reopens = action.cannot.as_ref().is_some_and(|cannot| cannot.then_revoke);
    if state == ActionState::Confirmed && reopens { ActionState::WaitingForPerson } else { state }
}
