//! The tenant's clock. It runs on tokio's time, so paused time moves it; it can be moved ahead.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The tenant's time.
#[derive(Debug)]
pub struct MockClock {
    base: Timestamp,
    start: Instant,
    advanced: Mutex<Duration>,
}

impl MockClock {
    /// A clock that shows `base` now.
    #[must_use]
    pub fn starting(base: Timestamp) -> Self {
        Self { base, start: Instant::now(), advanced: Mutex::new(Duration::ZERO) }
    }

    /// The tenant's present moment.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.elapsed();
        self.base
            .saturating_add(SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }

    /// How long the tenant has been running, moves included.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed() + *self.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the mock started, moves left out: what the journal shows.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Moves the clock ahead.
    pub fn advance(&self, by: Duration) {
        let mut advanced = self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        *advanced += by;
    }

    /// The moment as an HTTP `Date` header shows it.
    pub fn http_date(&self) -> String {
        self.http_date_off(0)
    }

    /// The same by a clock that is so many seconds ahead.
    pub fn http_date_off(&self, seconds: i64) -> String {
        self.now()
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MAX)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }
}

/// Parses a span such as `90s`, `5m`, `2h`, `250ms`.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "d" => Some(Duration::from_secs(number.checked_mul(86_400)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_runs_on_and_can_be_moved() {
        let clock = MockClock::starting("2024-10-04T15:00:00Z".parse().unwrap());
        tokio::time::sleep(Duration::from_secs(5)).await;
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_string(), "2024-10-04T15:01:35Z");
        assert_eq!(clock.http_date(), "Fri, 04 Oct 2024 15:01:35 GMT");
        assert_eq!(clock.millis(), 5000);
    }

    #[test]
    fn spans_are_read_in_their_units() {
        assert_eq!(parse_span("80ms"), Some(Duration::from_millis(80)));
        assert_eq!(parse_span("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_span("2h"), Some(Duration::from_hours(2)));
        assert_eq!(parse_span("soon"), None);
    }
}
