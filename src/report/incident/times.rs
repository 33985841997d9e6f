//! The moments that matter, all in the tenant's time: our clock and the tenant's may differ.

use jiff::{SignedDuration, Timestamp};

use super::document::Times;
use crate::plan::{Action, EffectClass, Plan, effect_of};
use crate::run::{Entry, JournalLine, Outcome, Progress, Run, TOKENS_LIVE, Verdict};

/// So much the clocks may differ before our moments are moved.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

/// Puts the moments together.
pub(super) fn times(
    plan: &Plan,
    run: &Run,
    journal: &[JournalLine],
    progress: &[Progress],
    first_access: Option<Timestamp>,
    reported_at: Option<Timestamp>,
) -> Times {
    let clocks = Clocks::of(journal);
    let last_revocation = last_revocation(plan, progress);
    let contained_at = last_revocation
        .filter(|_| run.verdict == Verdict::Contained && plan.ends_sessions())
        .map(|at| last_required(plan, progress, clocks).map_or(at, |required| required.max(at)));
    let since = |from: Option<Timestamp>| {
        let seconds = contained_at?.duration_since(from?).as_secs();
        // What was reported after it was contained has no such time.
        (seconds >= 0).then_some(seconds)
    };
    Times {
        first_access,
        reported_at,
        planned_at: Some(clocks.theirs(plan.created_at)),
        began_at: Some(clocks.theirs(run.started_at)),
        last_revocation,
        contained_at,
        seconds_from_first_access: since(first_access),
        seconds_from_report: since(reported_at),
        tokens_until: last_revocation.and_then(|at| at.checked_add(TOKENS_LIVE).ok()),
        clock_moved_by_seconds: clocks.ahead.as_secs(),
    }
}

fn last_revocation(plan: &Plan, progress: &[Progress]) -> Option<Timestamp> {
    let answered = |action: &Action| progress.iter().find(|own| own.id == action.id)?.answered_at;
    plan.actions.iter().filter(|action| is_revocation(action)).filter_map(answered).max()
}

/// When the last required change was answered, or a person's word for it was given.
fn last_required(plan: &Plan, progress: &[Progress], clocks: Clocks) -> Option<Timestamp> {
    let all = plan.actions.iter().zip(progress).filter(|(action, _)| action.required);
    all.flat_map(|(_, own)| {
        let word = own.confirmed.as_ref().map(|word| clocks.theirs(word.at));
        [own.answered_at, word]
    })
    .flatten()
    .max()
}

/// Whether an action ends sessions.
pub(super) fn is_revocation(action: &Action) -> bool {
    action.requests.iter().any(|request| effect_of(request) == EffectClass::Repeatable)
}

/// Our clock as against the tenant's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    ahead: SignedDuration,
}

impl Clocks {
    /// Compares the first answer's own time with when it was written down.
    pub(super) fn of(journal: &[JournalLine]) -> Self {
        let seen = journal.iter().find_map(|line| match &line.entry {
            Entry::Outcome { outcome: Outcome::Accepted { server_time: Some(theirs), .. }, .. } => {
                Some(theirs.duration_since(line.at))
            }
            _ => None,
        });
        let ahead = seen.filter(|own| own.abs() > SLACK).unwrap_or(SignedDuration::ZERO);
        Self { ahead }
    }

    /// A moment of ours in the tenant's time.
    pub(super) fn theirs(self, ours: Timestamp) -> Timestamp {
        ours.checked_add(self.ahead).unwrap_or(ours)
    }
}

/// A span for people: the two largest units that it has.
pub(super) fn span(seconds: i64) -> String {
    let units = [("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (unit, length) in units {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            let plural = if unit == "day" && count > 1 { "s" } else { "" };
            parts.push(format!("{count} {unit}{plural}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "less than a second".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_by_its_two_largest_units() {
        assert_eq!(span(0), "less than a second");
        assert_eq!(span(59), "59 s");
        assert_eq!(span(3_600), "1 h");
        assert_eq!(span(3_661), "1 h 1 min");
        assert_eq!(span(86_400 * 7 + 7_200 + 3), "7 days 2 h");
        assert_eq!(span(-5), "less than a second");
    }
}
