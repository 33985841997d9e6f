//! `Retry-After` in its three forms, and how long to wait where there is none. Pure.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::domain::Random;

/// The longest that one answer may make us wait (identity.md 10.3).
const LONGEST: Duration = Duration::from_mins(5);
/// The longest wait of our own choosing.
const LONGEST_BACKOFF: Duration = Duration::from_secs(32);

/// Reads the wait that an answer asks for: whole seconds, a fraction (Graph does that), or a date, which is measured
/// against the answer's own `Date`, or our clock where it has none. At most five minutes.
pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let is_wait = seconds.is_finite() && seconds >= 0.0;
        return is_wait.then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())));
    }
    let until = parse_http_date(text)?;
    let from = date_of(headers).unwrap_or(now);
    Some(Duration::try_from(until.duration_since(from)).unwrap_or_default().min(LONGEST))
}

/// The moment that an answer was made, by its `Date`.
pub(crate) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    parse_http_date(headers.get(http::header::DATE)?.to_str().ok()?)
}

fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()
}

/// The wait before the next try where the answer names none: 1, 2, 4 … 32 seconds, each with up to a quarter more, so
/// that many clients do not come back as one.
pub(crate) fn back_off(tries: u32, random: &dyn Random) -> Duration {
    let seconds = 1u64.checked_shl(tries.min(6)).unwrap_or(u64::MAX);
    spread(Duration::from_secs(seconds).min(LONGEST_BACKOFF), random)
}

/// Adds up to a quarter of the wait, by chance.
pub(crate) fn spread(wait: Duration, random: &dyn Random) -> Duration {
    let mut byte = [0u8; 1];
    random.fill(&mut byte);
    let [share] = byte;
    wait.saturating_add(wait.saturating_mul(u32::from(share)) / 1024)
}

/// Adds up to a second: for waits that the answer named.
pub(crate) fn spread_a_little(wait: Duration, random: &dyn Random) -> Duration {
    let base = wait.min(Duration::from_secs(4));
    wait.saturating_add(spread(base, random).saturating_sub(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Half;
    impl Random for Half {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(128);
        }
    }

    fn wait(retry_after: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert("date", date.parse().unwrap());
        }
        read(&headers, "2026-03-02T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn all_forms_are_read_and_capped() {
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(wait("17", None), ms(17_000));
        assert_eq!(wait("2.128", None), ms(2_128));
        assert_eq!(wait("Mon, 02 Mar 2026 10:00:20 GMT", None), ms(20_000));
        // The answer's own date counts, whatever our clock says.
        assert_eq!(wait("Sun, 01 Mar 2026 10:00:20 GMT", Some("Sun, 01 Mar 2026 10:00:00 GMT")), ms(20_000));
        assert_eq!(wait("Mon, 02 Mar 2026 09:00:00 GMT", None), ms(0));
        assert_eq!(wait("86400", None), ms(300_000));
        assert_eq!(wait("1e30", None), ms(300_000));
        for wrong in ["", "-3", "NaN", "inf", "soon"] {
            assert_eq!(wait(wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn the_wait_doubles_up_to_half_a_minute() {
        let waits: Vec<u64> = (0..8).map(|tries| back_off(tries, &Half).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 9, 18, 36, 36, 36]);
    }
}
