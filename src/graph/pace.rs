//! Pacing: buckets that Graph throttles without saying for how long are paced by us, once they have throttled
//! (policy-logs-auth.md 7.1). Before that nothing waits.

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
    /// Sign-in and audit logs: five requests in ten seconds.
    Reports,
    /// Authentication methods: the same.
    Methods,
}

impl Bucket {
    /// The bucket of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path.contains("/identity/conditionalAccess") || path.contains("/identityProtection/") {
            Self::ConditionalAccess
        } else if path.contains("/auditLogs/") || path.contains("/reports/") {
            Self::Reports
        } else if path.contains("/authentication/") {
            Self::Methods
        } else {
            Self::Directory
        }
    }

    /// How many requests fit into which span.
    fn quota(self) -> Option<(usize, Duration)> {
        match self {
            Self::Directory => None,
            Self::ConditionalAccess => Some((1, Duration::from_millis(1_200))),
            Self::Reports | Self::Methods => Some((5, Duration::from_secs(10))),
        }
    }
}

#[derive(Debug, Default)]
struct Lane {
    is_paced: bool,
    /// When the last requests were, or will be, sent.
    slots: VecDeque<Timestamp>,
}

/// The pace of all requests of one connection.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    conditional_access: Mutex<Lane>,
    reports: Mutex<Lane>,
    methods: Mutex<Lane>,
}

impl Pace {
    fn lane(&self, bucket: Bucket) -> Option<&Mutex<Lane>> {
        match bucket {
            Bucket::Directory => None,
            Bucket::ConditionalAccess => Some(&self.conditional_access),
            Bucket::Reports => Some(&self.reports),
            Bucket::Methods => Some(&self.methods),
        }
    }

    /// Takes the next slot of the bucket: how long to wait for it.
    pub(crate) fn take_slot(&self, bucket: Bucket, now: Timestamp) -> Duration {
        let (Some(lane), Some((count, span))) = (self.lane(bucket), bucket.quota()) else {
            return Duration::ZERO;
        };
        let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        if !lane.is_paced {
            return Duration::ZERO;
        }
        let earliest = if lane.slots.len() < count { None } else { lane.slots.pop_front() };
        let slot = earliest.and_then(|slot| slot.checked_add(span).ok()).map_or(now, |slot| slot.max(now));
        lane.slots.push_back(slot);
        Duration::try_from(slot.duration_since(now)).unwrap_or_default()
    }

    /// Notes that the bucket has throttled: it is paced from now on, and counts as full at this moment.
    pub(crate) fn slow_down(&self, bucket: Bucket, now: Timestamp) {
        let (Some(lane), Some((count, _))) = (self.lane(bucket), bucket.quota()) else { return };
        let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        if !lane.is_paced {
            lane.is_paced = true;
            lane.slots = std::iter::repeat_n(now, count).collect();
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
        assert!((0..50).all(|_| pace.take_slot(bucket, now).is_zero()));
        pace.slow_down(bucket, now);
        let waits: Vec<u128> = (0..4).map(|_| pace.take_slot(bucket, now).as_millis()).collect();
        assert_eq!(waits, [1_200, 2_400, 3_600, 4_800]);
        assert!(pace.take_slot(Bucket::of("/beta/auditLogs/signIns"), now).is_zero(), "buckets are apart");
    }

    #[test]
    fn five_reports_fit_into_ten_seconds() {
        let pace = Pace::default();
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        pace.slow_down(Bucket::Reports, now);
        let waits: Vec<u64> = (0..11).map(|_| pace.take_slot(Bucket::Reports, now).as_secs()).collect();
        assert_eq!(waits, [10, 10, 10, 10, 10, 20, 20, 20, 20, 20, 30]);
    }

    #[test]
    fn paths_find_their_bucket() {
        assert_eq!(Bucket::of("/v1.0/users/x/authentication/methods"), Bucket::Methods);
        assert_eq!(
            Bucket::of("/v1.0/reports/authenticationMethods/userRegistrationDetails"),
            Bucket::Reports
        );
        assert_eq!(Bucket::of("/v1.0/identityProtection/riskyUsers"), Bucket::ConditionalAccess);
        assert_eq!(Bucket::of("/v1.0/users/x"), Bucket::Directory);
    }
}
