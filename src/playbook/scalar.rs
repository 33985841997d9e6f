//! Plain words of YAML to values. Words that YAML versions read differently (`no`, `0o10`, `1e3`) are refused: the
//! writer says which is meant.

use granit_parser::ScalarStyle;

use super::tree::NodeKind;

/// Why a plain word is no value, and how to write what was meant.
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) help: String,
}

/// JSON numbers are doubles to the digest: beyond this, two integers would have one digest.
const LARGEST_INTEGER: i64 = (1 << 53) - 1;

pub(super) fn read(text: &str, style: ScalarStyle) -> (NodeKind, Option<Complaint>) {
    if style != ScalarStyle::Plain {
        return (NodeKind::Text(text.to_owned()), None);
    }
    match text {
        "true" => return (NodeKind::Boolean(true), None),
        "false" => return (NodeKind::Boolean(false), None),
        "" | "~" | "null" | "Null" | "NULL" => {
            return refused("a value is missing here".to_owned(), "leave the key out to take its default");
        }
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "true" | "yes" | "on" | "y" => return ambiguous(text, "write `true`, or put quotes around text"),
        "false" | "no" | "off" | "n" => return ambiguous(text, "write `false`, or put quotes around text"),
        ".inf" | "+.inf" | "-.inf" | ".nan" => return ambiguous(text, "put quotes around text"),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return (NodeKind::Text(text.to_owned()), None);
    }
    if digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return read_integer(text, digits);
    }
    let is_decimal = digits.split_once('.').is_some_and(|(whole, part)| {
        !part.is_empty() && [whole, part].iter().all(|half| half.bytes().all(|digit| digit.is_ascii_digit()))
    });
    if is_decimal && !text.starts_with('+') {
        return text
            .parse()
            .map_or_else(|_| ambiguous(text, "put quotes around text"), |n| (NodeKind::Float(n), None));
    }
    if looks_like_number(&lower) {
        return ambiguous(text, "write a decimal integer, or put quotes around text");
    }
    (NodeKind::Text(text.to_owned()), None)
}

fn read_integer(text: &str, digits: &str) -> (NodeKind, Option<Complaint>) {
    if text.starts_with('+') || (digits.len() > 1 && digits.starts_with('0')) {
        return ambiguous(text, "leave out the leading `0` or `+`, or put quotes around text");
    }
    match text.parse::<i64>() {
        Ok(number) if number.abs() <= LARGEST_INTEGER => (NodeKind::Integer(number), None),
        _ => refused(format!("`{text}` is too large a number"), "put quotes around it if it is text"),
    }
}

/// Tells whether some version of YAML reads the word as a number: hexadecimal, octal, exponents, underscores, base 60.
fn looks_like_number(lower: &str) -> bool {
    let digits = lower.strip_prefix(['-', '+']).unwrap_or(lower);
    let all = |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    if let Some(rest) = digits.strip_prefix("0x") {
        return all(rest, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if let Some(rest) = digits.strip_prefix("0o").or_else(|| digits.strip_prefix("0b")) {
        return all(rest, |b| b.is_ascii_digit() || b == b'_');
    }
    if let Some((mantissa, exponent)) = digits.split_once('e') {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        return all(mantissa, |b| b.is_ascii_digit() || matches!(b, b'.' | b'_'))
            && all(exponent, |b| b.is_ascii_digit());
    }
    let sexagesimal = digits.contains(':') && digits.split(':').all(|part| all(part, |b| b.is_ascii_digit()));
    let grouped =
        digits.matches('.').count() <= 1 && all(digits, |b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
    sexagesimal || grouped
}

fn ambiguous(text: &str, help: &str) -> (NodeKind, Option<Complaint>) {
    refused(format!("`{text}` is read as different values by different readers of YAML"), help)
}

fn refused(message: String, help: &str) -> (NodeKind, Option<Complaint>) {
    (NodeKind::Refused, Some(Complaint { message, help: help.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_yaml_versions_disagree_on_are_refused() {
        let tricks = "no yes On OFF y True 0o10 0x1F 0b1 1e3 1.5e3 010 +1 1_000 12:30 .inf .NaN ~ null 9007199254740993";
        for trick in tricks.split(' ').chain([""]) {
            assert!(matches!(read(trick, ScalarStyle::Plain), (NodeKind::Refused, Some(_))), "{trick}");
            assert_eq!(read(trick, ScalarStyle::DoubleQuoted).0, NodeKind::Text(trick.to_owned()));
        }
    }

    #[test]
    fn addresses_dates_and_ids_stay_text() {
        for text in [
            "198.51.100.0/24",
            "192.0.2.7",
            "2001:db8::/48",
            "2026-01-31",
            "5f00aaaa-0000-4000-8000-000000000001",
        ] {
            assert_eq!(read(text, ScalarStyle::Plain).0, NodeKind::Text(text.to_owned()));
        }
        assert_eq!(read("-24", ScalarStyle::Plain).0, NodeKind::Integer(-24));
        assert_eq!(read("1.5", ScalarStyle::Plain).0, NodeKind::Float(1.5));
    }
}
