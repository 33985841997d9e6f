//! Claims challenges: what Graph asks a new token to hold (policy-logs-auth.md 8.9).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::HeaderMap;

/// Reads the claims of an `insufficient_claims` challenge, decoded to JSON text. There may be several headers, and
/// parameters in any order.
pub(crate) fn read_claims(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(http::header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter(|text| parameter(text, "error").is_some_and(|error| error == "insufficient_claims"))
        .find_map(|text| decode(parameter(text, "claims")?))
}

/// The value of a parameter, quoted or not.
fn parameter<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(name) {
        let start = from.checked_add(at)?;
        let stands_alone = start == 0 || text.get(..start)?.ends_with([',', ' ', '\t']);
        let after = text.get(start.checked_add(name.len())?..)?;
        if let Some(value) = after.trim_start().strip_prefix('=').filter(|_| stands_alone) {
            let value = value.trim_start();
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => value.split([',', ' ']).next(),
            };
        }
        from = start.checked_add(name.len())?;
    }
    None
}

/// Decodes base64 of either alphabet, padded or not, and takes only what is a JSON object.
fn decode(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
    let json = String::from_utf8(bytes).ok()?;
    let is_object = serde_json::from_str::<serde_json::Value>(&json).is_ok_and(|value| value.is_object());
    is_object.then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1772445600"}}}"#;
    const ENCODED: &str =
        "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcyNDQ1NjAwIn19fQ==";

    fn read(values: &[String]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("www-authenticate", value.parse().unwrap());
        }
        read_claims(&headers)
    }

    #[test]
    fn a_challenge_is_found_in_whatever_order_it_comes() {
        let plain = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"";
        for challenge in [
            format!("{plain}, error=\"insufficient_claims\", claims=\"{ENCODED}\""),
            format!("Bearer claims=\"{}\", error=\"insufficient_claims\"", ENCODED.trim_end_matches('=')),
            format!("Bearer error=insufficient_claims,claims={}", ENCODED.trim_end_matches('=')),
        ] {
            assert_eq!(
                read(&["Basic realm=\"x\"".to_owned(), challenge.clone()]).as_deref(),
                Some(CLAIMS),
                "{challenge}"
            );
        }
    }

    #[test]
    fn other_challenges_hold_no_claims() {
        for other in [
            "Bearer realm=\"\"".to_owned(),
            format!("Bearer error=\"invalid_token\", claims=\"{ENCODED}\""),
            "Bearer error=\"insufficient_claims\", claims=\"!!\"".to_owned(),
        ] {
            assert_eq!(read(std::slice::from_ref(&other)), None, "{other}");
        }
    }
}
