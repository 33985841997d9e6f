//! Whether the intruder may be called evicted (policy-logs-auth.md 9.4): the conditions, each by what was read.

use jiff::{SignedDuration, Timestamp};

use super::aftermath::{Aftermath, LOG_LAG};
use super::operation::is_done_later;
use super::traces::Traces;
use crate::case::{Look, MethodVerdict};
use crate::domain::shown;
use crate::investigate::{PasswordChange, judge_password_change};
use crate::plan::Plan;
use crate::run::{ActionState, Eviction, Progress, ProofFact, TOKENS_LIVE, Verdict};

/// The date on the account stands this near to the answer to a reset.
const OWN_RESET: SignedDuration = SignedDuration::from_secs(30);
/// And this near where it is written back to the company's own directory (identity.md 3.6).
const WRITTEN_BACK: SignedDuration = SignedDuration::from_mins(10);

/// What a judgement rests on.
pub(super) struct Grounds<'a> {
    pub plan: &'a Plan,
    pub then: &'a [Progress],
    /// The verdict by what was read now.
    pub verdict: Verdict,
    /// Whether sessions were revoked after the last door; absent where the run revoked none.
    pub watermark: Option<&'a ProofFact>,
    pub after: &'a Aftermath,
    /// The tenant's present moment.
    pub now: Timestamp,
}

/// Judges.
pub(super) fn judge(grounds: &Grounds<'_>) -> Eviction {
    let revoked = grounds
        .watermark
        .filter(|fact| fact.holds == Some(true))
        .and_then(|_| grounds.after.user.read().and_then(|user| user.sessions_valid_from));
    let not_before = revoked.and_then(|at| at.checked_add(TOKENS_LIVE).ok());
    let mut conditions = vec![contained(grounds.verdict), watermark(grounds.watermark), password(grounds)];
    conditions.extend(grounds.after.traces.iter().map(|traces| unexplained(traces, grounds)));
    conditions.push(sign_ins(grounds.after));
    conditions.push(tokens(not_before, grounds.now));
    Eviction::of(conditions, not_before)
}

fn fact(what: impl Into<String>, holds: Option<bool>, seen: impl Into<String>) -> ProofFact {
    ProofFact { what: what.into(), holds, seen: seen.into() }
}

fn contained(verdict: Verdict) -> ProofFact {
    let holds = match verdict {
        Verdict::Contained => Some(true),
        Verdict::ContainedUnverified | Verdict::Unknown => None,
        _ => Some(false),
    };
    fact("the account counts as contained", holds, format!("it counts as {verdict} by what was read now"))
}

fn watermark(own: Option<&ProofFact>) -> ProofFact {
    own.cloned().unwrap_or_else(|| {
        let what = "sessions were revoked after the last change to the account";
        fact(what, Some(false), "the run revoked none")
    })
}

fn password(grounds: &Grounds<'_>) -> ProofFact {
    let what = "the password was changed after the compromise";
    let changed = match &grounds.after.user {
        Look::Unread { why } => return fact(what, None, why.clone()),
        Look::Read(user) => user.password_changed_at,
    };
    let Some(changed) = changed else {
        return fact(what, None, "Graph does not show `lastPasswordChangeDateTime`");
    };
    // Where nobody knows when it began, it was before somebody made the plan.
    let (begun, said) = match grounds.plan.case.since {
        Some(since) => (since, "the compromise began"),
        None => (grounds.plan.created_at, "when it began is not known; the plan was made"),
    };
    let seen = format!("changed {}, {said} {}", shown(changed), shown(begun));
    if changed <= begun {
        return fact(what, Some(false), seen);
    }
    let (holds, whose) = whose_change(grounds, changed);
    fact(what, holds, format!("{seen}; {whose}"))
}

/// Whether a change is the run's own reset, which was read back.
fn is_own_reset(grounds: &Grounds<'_>, changed: Timestamp) -> bool {
    grounds.plan.actions.iter().filter(|action| action.step == "reset_password").any(|action| {
        let within = if action.requests.iter().any(is_done_later) { WRITTEN_BACK } else { OWN_RESET };
        let own = grounds.then.iter().find(|own| own.id == action.id);
        own.filter(|own| own.state == ActionState::Verified)
            .and_then(|own| own.answered_at)
            .is_some_and(|answered| changed.duration_since(answered).abs() <= within)
    })
}

/// Whether a person says that they have changed the password in the run's stead.
fn is_said_to_be_changed(grounds: &Grounds<'_>) -> bool {
    let mut all = grounds.plan.actions.iter().filter(|action| action.step == "reset_password");
    let is_said = |id| grounds.then.iter().any(|own| own.id == id && own.state == ActionState::Confirmed);
    all.any(|action| is_said(action.id.clone()))
}

/// Whether a change may count: the intruder changes passwords as well. The run's own counts, and the one that a person says
/// to have made in its stead, unless a record tells against it; any other only where its record speaks for it.
fn whose_change(grounds: &Grounds<'_>, changed: Timestamp) -> (Option<bool>, String) {
    let change = match &grounds.after.case {
        Look::Unread { why } => Look::Unread { why: why.clone() },
        Look::Read(case) => judge_password_change(case, changed),
    };
    let told = |change: &PasswordChange| change.reasons.join("; ");
    match &change {
        Look::Read(Some(own)) if own.verdict == MethodVerdict::Attacker => {
            (Some(false), format!("by the intruder: {}", told(own)))
        }
        _ if is_own_reset(grounds, changed) => (Some(true), "that is this run's own reset".to_owned()),
        Look::Read(Some(own)) if own.verdict == MethodVerdict::Owner => (Some(true), told(own)),
        Look::Read(Some(own)) => (None, format!("nobody knows by whom: {}", told(own))),
        _ => {
            let why = match &change {
                Look::Unread { why } => format!("by whom was not read: {why}"),
                Look::Read(_) => "no record tells by whom".to_owned(),
            };
            let may_be_theirs = matches!(change, Look::Read(_)) && changed > grounds.plan.created_at;
            ((may_be_theirs && is_said_to_be_changed(grounds)).then_some(true), why)
        }
    }
}

fn unexplained(traces: &Traces, grounds: &Grounds<'_>) -> ProofFact {
    let what = format!("no {} is unexplained", traces.kind.one());
    match &traces.found {
        Look::Unread { why } => fact(what, None, format!("they were not read: {why}")),
        Look::Read(all) => {
            let open: Vec<&str> = all
                .iter()
                .filter(|trace| trace.is_unexplained(grounds.plan, grounds.then))
                .map(|trace| trace.name.as_str())
                .collect();
            let seen = if open.is_empty() {
                format!("{} {} looked at", all.len(), if all.len() == 1 { "was" } else { "were" })
            } else {
                format!("nobody's, or the intruder's: {}", open.join(", "))
            };
            fact(what, Some(open.is_empty()), seen)
        }
    }
}

fn sign_ins(after: &Aftermath) -> ProofFact {
    let what = "no sign-in of the intruder's since the last revocation";
    match &after.sign_ins {
        Look::Unread { why } => fact(what, None, format!("the log was not read: {why}")),
        Look::Read(log) if !log.successes.is_empty() => {
            let count = log.successes.len();
            let seen =
                if count == 1 { "one went through".to_owned() } else { format!("{count} went through") };
            fact(what, Some(false), seen)
        }
        Look::Read(log) if log.indicators == 0 => {
            fact(what, None, "nothing certain is known to look for the intruder by")
        }
        Look::Read(log) if !log.gaps.is_empty() => fact(what, None, log.gaps.join("; ")),
        Look::Read(log) if log.covered_until <= log.from => {
            let at = log.from.saturating_add(LOG_LAG).unwrap_or(log.from);
            fact(what, None, format!("the log lags: look after {}", shown(at)))
        }
        Look::Read(log) => {
            let seen = format!("none went through from {} to {}", shown(log.from), shown(log.covered_until));
            fact(what, Some(true), seen)
        }
    }
}

fn tokens(not_before: Option<Timestamp>, now: Timestamp) -> ProofFact {
    let what = "access tokens from before the last revocation have run out";
    match not_before {
        None => fact(what, None, "no revocation shows that they could be reckoned from"),
        Some(at) if now >= at => fact(what, Some(true), format!("the last ran out by {}", shown(at))),
        Some(at) => fact(what, Some(false), format!("some may live until {}", shown(at))),
    }
}
