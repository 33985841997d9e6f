//! Spelling of paths and queries: every variable part is percent-encoded, every text in a filter quoted.

use std::fmt::Write as _;

/// Percent-encodes one segment of a path, so that no name can become another path.
pub(crate) fn encode(text: &str) -> String {
    // Segments of dots alone would climb.
    if !text.is_empty() && text.bytes().all(|byte| byte == b'.') {
        return "%2E".repeat(text.len());
    }
    encode_except(text, "")
}

/// Percent-encodes all but letters, digits, `-._~` and the marks given.
fn encode_except(text: &str, marks: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || marks.as_bytes().contains(&byte);
        if is_plain {
            encoded.push(char::from(byte));
        } else if write!(encoded, "%{byte:02X}").is_err() {
            break;
        }
    }
    encoded
}

/// Quotes a text for a filter: `OData` doubles the quote.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Spells a user's segment: a name that begins with `$` only works in parentheses (identity.md 1.1).
pub(crate) fn user_segment(id_or_upn: &str) -> String {
    if id_or_upn.starts_with('$') {
        format!("/users({})", encode(&quote(id_or_upn)))
    } else {
        format!("/users/{}", encode(id_or_upn))
    }
}

/// Builds a path with a query from names and values; values are encoded, names are our own.
pub(crate) fn with_query(path: &str, options: &[(&str, &str)]) -> String {
    let mut whole = path.to_owned();
    for (index, (name, value)) in options.iter().enumerate() {
        whole.push(if index == 0 { '?' } else { '&' });
        whole.push_str(name);
        whole.push('=');
        whole.push_str(&encode_except(value, ",'/():$"));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_another_path() {
        assert_eq!(
            user_segment("kim_fabrikam.com#EXT#@contoso.com"),
            "/users/kim_fabrikam.com%23EXT%23%40contoso.com"
        );
        assert_eq!(user_segment("$x@contoso.com"), "/users(%27%24x%40contoso.com%27)");
        assert_eq!(encode("a/../b?c"), "a%2F..%2Fb%3Fc");
        assert_eq!(encode(".."), "%2E%2E");
    }

    #[test]
    fn a_filter_is_spelt_readably_and_safely() {
        let path =
            with_query("/v1.0/users", &[("$filter", &format!("a eq {}", quote("o'b&c#d+é"))), ("$top", "5")]);
        assert_eq!(path, "/v1.0/users?$filter=a%20eq%20'o''b%26c%23d%2B%C3%A9'&$top=5");
    }
}
