//! Times, in the forms that senders write them in. Where a form has no zone it is UTC: every one of these senders means
//! that.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// 2000-01-01T00:00:00Z: nothing that a cloud has logged is older.
const EARLIEST: i64 = 946_684_800;
/// 2100-01-01T00:00:00Z: a number beyond it is in a finer unit than was thought, or no time.
const LATEST: i64 = 4_102_444_800;

/// Reads a time: RFC 3339 and what comes near it, the US form of old log alerts, or a number since 1970 in whatever unit
/// puts it into this century.
pub fn read_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => since_epoch(number.as_i64()?),
        Value::String(text) => {
            let text = text.trim();
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                return since_epoch(text.parse().ok()?);
            }
            bounded(iso(text).or_else(|| american(text))?)
        }
        _ => None,
    }
}

fn bounded(at: Timestamp) -> Option<Timestamp> {
    (EARLIEST..=LATEST).contains(&at.as_second()).then_some(at)
}

fn since_epoch(number: i64) -> Option<Timestamp> {
    [1_000_000_000_i64, 1_000_000, 1_000, 1].into_iter().find_map(|nanoseconds| {
        let second = number.checked_mul(nanoseconds)?.checked_div(1_000_000_000)?;
        if !(EARLIEST..=LATEST).contains(&second) {
            return None;
        }
        let at = SignedDuration::from_nanos(number.checked_mul(nanoseconds)?);
        Timestamp::UNIX_EPOCH.checked_add(at).ok()
    })
}

/// RFC 3339, with a space for the `T`, without a zone, or with a zone that has no colon.
fn iso(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

/// `9/26/2024 7:16:31 PM`, with or without ` UTC` behind it.
fn american(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let mut words = text.split(' ');
    let (date, time, half) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let [month, day, year] = numbers(date, '/')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let hour = match (half, hour) {
        ("AM", 12) => 0,
        ("AM", 1..=11) | ("PM", 12) => hour,
        ("PM", 1..=11) => hour + 12,
        _ => return None,
    };
    let small = |number: i16| i8::try_from(number).ok();
    let date = jiff::civil::Date::new(year, small(month)?, small(day)?).ok()?;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok()
}

fn numbers(text: &str, between: char) -> Option<[i16; 3]> {
    let read: Vec<i16> = text
        .split(between)
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?)
        .collect::<Option<_>>()?;
    read.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_time_of_this_century_is_none() {
        for value in [
            json!("yesterday"),
            json!(""),
            json!("0"),
            json!(12),
            json!(-1),
            json!("1969-12-31T23:59:59Z"),
            json!("9/26/2024 13:16:31 PM"),
            json!("26/9/2024 7:16:31 PM"),
            json!("2024-02-30T00:00:00Z"),
            json!(null),
            json!([]),
            json!(1.5),
            json!("99999999999999999999"),
        ] {
            assert_eq!(read_time(&value), None, "{value}");
        }
    }

    #[test]
    fn midnight_and_noon_are_twelve() {
        for (text, at) in [
            ("9/6/2024 12:00:00 AM", "2024-09-06T00:00:00Z"),
            ("9/6/2024 12:00:00 PM", "2024-09-06T12:00:00Z"),
        ] {
            assert_eq!(read_time(&json!(text)), Some(at.parse().unwrap()));
        }
    }
}
