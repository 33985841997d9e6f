//! The words that both forms share.

use crate::run::{ActionState, Verdict};

/// The verdict in a sentence.
pub(super) fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Contained => "Contained: every required change was read back, and the proof holds.",
        Verdict::ContainedUnverified => {
            "Accepted, not proved: Graph took every required change, and some do not show yet."
        }
        Verdict::Partial => "NOT contained in full: some of it is done, some is open.",
        Verdict::NotContained => "NOT contained: none of the required changes took effect.",
        Verdict::Unknown => "UNKNOWN: what a request did could not be found out.",
        Verdict::Refused => "Refused by a guard: nothing was sent.",
        Verdict::Stale => "The tenant has changed since the plan: nothing was sent.",
    }
}

/// The mark of a state, in four columns.
pub(super) fn mark(state: ActionState) -> &'static str {
    match state {
        ActionState::Verified => "done",
        ActionState::AlreadySo => "was ",
        ActionState::AcceptedUnverified | ActionState::Ambiguous => "??? ",
        ActionState::NotStarted | ActionState::Failed | ActionState::Refused | ActionState::Stale => "OPEN",
    }
}
