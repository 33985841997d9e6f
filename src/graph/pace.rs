//! Pacing: buckets that Graph throttles without saying for how long are paced by us, once they have throttled
//! (policy-logs-auth.md 7.1). Before that nothing waits. What is paced and throttled all the same shares its quota with
//! others: its pace slows down.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Which of Graph's quotas a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// Users, groups, devices, roles, tenant: they name their own waits.
    Directory,
    /// Conditional Access and Identity Protection: one request a second for the tenant, all apps together.
    ConditionalAccess,
    /// Sign-in and audit logs and authentication methods, all together: five requests in ten seconds for the app.
    Reports,
}

impl Bucket {
    /// The bucket of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path.contains("/identity/conditionalAccess") || path.contains("/identityProtection/") {
            Self::ConditionalAccess
        } else if ["/auditLogs/", "/reports/", "/authentication/"].iter().any(|part| path.contains(part)) {
            Self::Reports
        } else {
            Self::Directory
        }
    }

    /// Whether it keeps a pace once it has throttled.
    pub(crate) fn is_paced(self) -> bool {
        self.quota().is_some()
    }

    /// How many requests fit into which span.
    fn quota(self) -> Option<(usize, Duration)> {
        match self {
            Self::Directory => None,
            // Calls do not take equally long on the way: a little more than the second keeps them apart there too.
            Self::ConditionalAccess => Some((1, Duration::from_millis(1_050))),
            Self::Reports => Some((5, Duration::from_secs(10))),
        }
    }
}

/// How much slower than published a bucket may become, in quarters: four times.
const MOST_QUARTERS: u32 = 16;

#[derive(Debug, Default)]
struct Lane {
    /// How long its span is, in quarters of the published one; nothing: it is not paced.
    quarters: Option<u32>,
    /// When the last requests were, or will be, sent; refused ones count as well.
    slots: VecDeque<Timestamp>,
}

/// When a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// How long to wait for it.
    pub(crate) wait: Duration,
    /// Whether it keeps a pace. What was refused before there was one needs no wait but its slot.
    pub(crate) is_paced: bool,
}

/// The pace of all requests of one connection.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    conditional_access: Mutex<Lane>,
    reports: Mutex<Lane>,
}

impl Pace {
    fn lane(&self, bucket: Bucket) -> Option<&Mutex<Lane>> {
        match bucket {
            Bucket::Directory => None,
            Bucket::ConditionalAccess => Some(&self.conditional_access),
            Bucket::Reports => Some(&self.reports),
        }
    }

    /// Takes the next slot of the bucket.
    pub(crate) fn take_slot(&self, bucket: Bucket, now: Timestamp) -> Slot {
        let free = Slot { wait: Duration::ZERO, is_paced: false };
        let (Some(lane), Some((count, span))) = (self.lane(bucket), bucket.quota()) else {
            return free;
        };
        let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(quarters) = lane.quarters else {
            // Kept for the day that it throttles: then these are the ones that filled it.
            lane.slots.push_back(now);
            if lane.slots.len() > count {
                lane.slots.pop_front();
            }
            return free;
        };
        let span = span.saturating_mul(quarters) / 4;
        let earliest = if lane.slots.len() < count { None } else { lane.slots.pop_front() };
        let slot = earliest.and_then(|slot| slot.checked_add(span).ok()).map_or(now, |slot| slot.max(now));
        lane.slots.push_back(slot);
        Slot { wait: Duration::try_from(slot.duration_since(now)).unwrap_or_default(), is_paced: true }
    }

    /// Notes that the bucket has refused a request: it is paced from now on, and what was sent before counts. Where the
    /// request had a slot and was refused all the same, the pace slows down by a quarter.
    pub(crate) fn slow_down(&self, bucket: Bucket, slot: Slot) {
        let Some(lane) = self.lane(bucket) else { return };
        let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        match lane.quarters {
            None => lane.quarters = Some(4),
            Some(quarters) if slot.is_paced => lane.quarters = Some((quarters + 1).min(MOST_QUARTERS)),
            // It left before there was a pace.
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_paced_only_after_it_has_throttled() {
        let pace = Pace::default();
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let bucket = Bucket::of("/v1.0/identity/conditionalAccess/policies");
        let first = pace.take_slot(bucket, now);
        assert!((0..50).all(|_| pace.take_slot(bucket, now) == first));
        assert_eq!(first, Slot { wait: Duration::ZERO, is_paced: false });
        pace.slow_down(bucket, first);
        let waits: Vec<u128> = (0..4).map(|_| pace.take_slot(bucket, now).wait.as_millis()).collect();
        assert_eq!(waits, [1_050, 2_100, 3_150, 4_200]);
        let elsewhere = pace.take_slot(Bucket::of("/beta/auditLogs/signIns"), now);
        assert!(!elsewhere.is_paced && elsewhere.wait.is_zero(), "buckets are apart");
    }

    #[test]
    fn five_reports_fit_into_ten_seconds_whatever_was_sent_before_the_first_refusal() {
        let pace = Pace::default();
        let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        // Two at once, one each second after; the sixth is refused.
        let sent: Vec<Slot> = [0, 0, 1, 2, 3, 4]
            .map(|second| pace.take_slot(Bucket::Reports, start + Duration::from_secs(second)))
            .into();
        let now = start + Duration::from_secs(4);
        pace.slow_down(Bucket::Reports, *sent.last().unwrap());
        let at: Vec<u64> = (0..7).map(|_| 4 + pace.take_slot(Bucket::Reports, now).wait.as_secs()).collect();
        assert_eq!(at, [10, 11, 12, 13, 14, 20, 21]);
    }

    #[test]
    fn a_bucket_that_refuses_in_spite_of_its_pace_slows_down_and_one_burst_does_not() {
        let pace = Pace::default();
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let bucket = Bucket::ConditionalAccess;
        let burst: Vec<Slot> = (0..5).map(|_| pace.take_slot(bucket, now)).collect();
        for slot in burst {
            pace.slow_down(bucket, slot);
        }
        let slot = pace.take_slot(bucket, now);
        assert_eq!(slot.wait.as_millis(), 1_050, "five refusals of one burst are one lesson");
        pace.slow_down(bucket, slot);
        let next = pace.take_slot(bucket, now + slot.wait);
        assert_eq!(next.wait.as_micros(), 1_312_500, "a quarter slower");
        for _ in 0..100 {
            pace.slow_down(bucket, next);
        }
        let later = now + Duration::from_mins(1);
        pace.take_slot(bucket, later);
        assert_eq!(pace.take_slot(bucket, later).wait.as_millis(), 4_200, "never slower than four times");
    }

    #[test]
    fn paths_find_their_bucket() {
        assert_eq!(Bucket::of("/v1.0/users/x/authentication/methods"), Bucket::Reports);
        assert_eq!(
            Bucket::of("/v1.0/reports/authenticationMethods/userRegistrationDetails"),
            Bucket::Reports
        );
        assert_eq!(Bucket::of("/v1.0/identityProtection/riskyUsers"), Bucket::ConditionalAccess);
        assert_eq!(Bucket::of("/v1.0/users/x"), Bucket::Directory);
    }
}
