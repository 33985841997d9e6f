//! The words that both forms share.

use crate::approval::{ConsentKind, Given};
use crate::domain::shown;
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

/// One yes that the run rests on: how, whose, when, why.
pub(super) fn consent(kind: ConsentKind, given: &Given) -> String {
    let how = match kind {
        ConsentKind::Terminal => "yes at the terminal",
        ConsentKind::Flag => "--yes on the command line",
        ConsentKind::Signed => "signed approval",
        ConsentKind::Auto => "setting of the webhook",
    };
    let mut told = format!("{how} by {}, {}", given.by, shown(given.at));
    if let Some(key) = &given.key {
        told.push_str(&format!(", with {key}"));
    }
    if let Some(alert) = &given.alert {
        told.push_str(&format!(", for the alert {alert}"));
    }
    if let Some(reason) = &given.reason {
        told.push_str(&format!(": {reason}"));
    }
    told
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
