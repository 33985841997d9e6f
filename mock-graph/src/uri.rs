//! Paths, queries and forms: split and decoded.

/// Decodes percent escapes; what is none stays as it stands.
#[must_use]
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Encodes everything but what is unreserved.
#[must_use]
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The pairs of a query or a form, decoded, in order.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decode(&text.replace('+', " "));
            (plain(name), plain(value))
        })
        .collect()
}

/// The segments of a path, decoded. `users('x')` becomes `users`, `x`, doubled quotes inside become single ones; a key
/// by name keeps it: `devices(deviceId='x')` becomes `devices`, `deviceId='x'` (see [`named_key`]).
#[must_use]
pub fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = decode(part);
        match part.strip_suffix("')").and_then(|front| front.split_once("('")) {
            Some((name, key)) if !name.is_empty() => {
                segments.push(name.to_owned());
                segments.push(key.replace("''", "'"));
            }
            _ => match part.strip_suffix("')").and_then(|front| front.split_once('(')) {
                Some((name, key)) if !name.is_empty() && key.contains("='") => {
                    segments.push(name.to_owned());
                    segments.push(format!("{key}'"));
                }
                _ => segments.push(part),
            },
        }
    }
    segments
}

/// The value of a segment such as `deviceId='x'`, where it is a key of this name.
#[must_use]
pub fn named_key(segment: &str, name: &str) -> Option<String> {
    let value = segment.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\'')?;
    Some(value.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_and_decoded() {
        assert_eq!(segments("/users/jo%40contoso.com/memberOf"), ["users", "jo@contoso.com", "memberOf"]);
        assert_eq!(segments("/users('o''neil@contoso.com')"), ["users", "o'neil@contoso.com"]);
        assert_eq!(
            segments("/users/kim_fabrikam.com%23EXT%23@contoso.com"),
            ["users", "kim_fabrikam.com#EXT#@contoso.com"]
        );
        let by_name = segments("/devices(deviceId='35bf992d')/registeredOwners");
        assert_eq!(by_name, ["devices", "deviceId='35bf992d'", "registeredOwners"]);
        assert_eq!(named_key(&by_name[1], "deviceId").as_deref(), Some("35bf992d"));
        assert_eq!(named_key(&by_name[1], "appId"), None);
    }

    #[test]
    fn queries_are_split_and_decoded() {
        assert_eq!(
            pairs("$filter=a%20eq%20'b'&$top=5&x=1+2"),
            [("$filter", "a eq 'b'"), ("$top", "5"), ("x", "1 2")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }
}
