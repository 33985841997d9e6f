//! Spans of time as people write them: `90s`, `15m`, `1h`, `1h30m`, `2d`.

use std::time::Duration;

/// Parses a span of time.
///
/// # Errors
/// A sentence about what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: write `90s`, `15m`, `1h` or `2d`");
    let mut seconds: u64 = 0;
    let mut rest = text.trim();
    // Units go from large to small, each once: `30m1h` is a slip more often than a wish.
    let mut above = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (count, unit) = rest.split_at(digits);
        let count: u64 = count.parse().map_err(|_| wrong())?;
        let scale = match unit.chars().next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        if scale >= above {
            return Err(wrong());
        }
        above = scale;
        seconds = count.checked_mul(scale).and_then(|part| seconds.checked_add(part)).ok_or_else(wrong)?;
        rest = unit.get(1..).unwrap_or_default();
    }
    if seconds == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_read_and_slips_are_not() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3_600), ("1h30m", 5_400), ("2d", 172_800)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for slip in [
            "",
            "1",
            "h",
            "0h",
            "1 h",
            "-1h",
            "1.5h",
            "30m1h",
            "1h1h",
            "1w",
            "1µ",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(slip).is_err(), "{slip}");
        }
    }
}
