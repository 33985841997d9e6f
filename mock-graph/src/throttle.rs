//! The published limits (policy-logs-auth.md 7.1): Conditional Access and Identity Protection one request a second
//! for the whole tenant, without `Retry-After`; reports five requests in ten seconds for each app.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Which limit a route counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// Users, groups, roles and the like: far from their limits here.
    Directory,
    /// Conditional Access and Identity Protection.
    Policy,
    /// Sign-ins, audits, registration details.
    Reports,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Throttle {
    seen: BTreeMap<(Bucket, String), Vec<Instant>>,
}

impl Throttle {
    /// Counts a request; `Some` refuses it, with the seconds to wait where the service tells them.
    pub fn count(&mut self, bucket: Bucket, app_id: &str, now: Instant) -> Option<Option<u64>> {
        let (limit, window, scope) = match bucket {
            Bucket::Directory => return None,
            Bucket::Policy => (1, Duration::from_secs(1), String::new()),
            Bucket::Reports => (5, Duration::from_secs(10), app_id.to_owned()),
        };
        let seen = self.seen.entry((bucket, scope)).or_default();
        seen.retain(|at| now.duration_since(*at) < window);
        let is_over = seen.len() >= limit;
        // Refused requests count as well: retrying at once only makes it longer.
        seen.push(now);
        if !is_over {
            return None;
        }
        Some(match bucket {
            Bucket::Policy => None,
            Bucket::Directory | Bucket::Reports => Some(window.as_secs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_policy_bucket_takes_one_a_second_and_tells_no_time() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.count(Bucket::Policy, "a", Instant::now()), None);
        assert_eq!(throttle.count(Bucket::Policy, "b", Instant::now()), Some(None));
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert_eq!(throttle.count(Bucket::Policy, "a", Instant::now()), None);
        for _ in 0..5 {
            assert_eq!(throttle.count(Bucket::Reports, "a", Instant::now()), None);
        }
        assert_eq!(throttle.count(Bucket::Reports, "a", Instant::now()), Some(Some(10)));
        assert_eq!(throttle.count(Bucket::Reports, "b", Instant::now()), None);
    }
}
