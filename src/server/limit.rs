//! How many alerts a webhook may bring: so many at once, and so many a second from then on.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// So many at once: a storm of one incident passes.
const AT_ONCE: i64 = 1_000;
/// So many a second for good: more is a fault of the sender.
const A_SECOND: i64 = 20;

/// A bucket that fills by the second.
#[derive(Debug)]
pub struct Rate {
    at_once: i64,
    a_second: i64,
    left: Mutex<(i64, Timestamp)>,
}

impl Rate {
    /// A full bucket with the usual size.
    pub fn usual(now: Timestamp) -> Self {
        Self::new(AT_ONCE, A_SECOND, now)
    }

    /// A full bucket of another size.
    pub fn new(at_once: i64, a_second: i64, now: Timestamp) -> Self {
        Self { at_once, a_second, left: Mutex::new((at_once, now)) }
    }

    /// Takes one out, where one is left.
    pub fn take(&self, now: Timestamp) -> bool {
        let mut state = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let seconds = now.duration_since(since).as_secs().max(0);
        let filled = left.saturating_add(seconds.saturating_mul(self.a_second)).min(self.at_once);
        let since = if seconds > 0 { now } else { since };
        let is_left = filled > 0;
        *state = (if is_left { filled - 1 } else { filled }, since);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_passes_and_then_so_many_a_second() {
        let start = Timestamp::UNIX_EPOCH;
        let rate = Rate::new(3, 2, start);
        let taken = |at: Timestamp| (0..5).filter(|_| rate.take(at)).count();
        assert_eq!(taken(start), 3);
        let later = start + jiff::SignedDuration::from_secs(1);
        assert_eq!(taken(later), 2);
        assert_eq!(taken(later), 0);
        assert_eq!(taken(later + jiff::SignedDuration::from_hours(1)), 3);
    }
}
