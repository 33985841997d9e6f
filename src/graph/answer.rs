//! Graph's error envelope, read leniently (policy-logs-auth.md 0.2): whatever came back, something can be said of it.

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::domain::inert;

/// How deep envelopes lie in one another at most; Graph has been seen with two.
const DEEPEST: usize = 8;

/// The code for a tenant without the licence; licensed tenants have been given it by mistake (policy-logs-auth.md 4.5).
pub(crate) const NON_PREMIUM: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";

/// What an answer that is no success said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Status.
    pub status: u16,
    /// Graph's code, as spelt by the service; empty where it gave none.
    pub code: String,
    /// The most telling message, as it came: show it inert.
    pub message: String,
    /// The four digits that some services put before their message.
    pub number: Option<u16>,
    /// Graph's id of the request.
    pub request_id: Option<String>,
    /// Graph's moment of the error, as it came.
    pub date: Option<String>,
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            formatter.write_str("Graph gave no reason")
        } else {
            formatter.write_str(&inert(&self.message))
        }
    }
}

impl std::error::Error for ErrorAnswer {}

impl ErrorAnswer {
    /// Reads an answer; one that is no envelope at all gives an empty code and message.
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut found = Found::default();
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            found.read_value(&value, DEEPEST);
        }
        let number = found.messages.iter().find_map(|message| leading_number(message));
        let message = found
            .messages
            .iter()
            .find(|message| leading_number(message).is_some())
            .or_else(|| found.messages.first())
            .cloned()
            .unwrap_or_default();
        Self {
            status: status.as_u16(),
            code: found.code.unwrap_or_default(),
            message,
            number,
            request_id: header("request-id").or(found.request_id),
            date: found.date,
        }
    }

    /// Whether the code is this one, in whatever case the service spells it.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code)
    }
}

/// The four digits of `1040: NamedLocation with id …`.
fn leading_number(message: &str) -> Option<u16> {
    let (digits, _) = message.split_once(':')?;
    let is_number = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// What was found while walking an envelope; messages with the innermost first, which is the most telling.
#[derive(Default)]
struct Found {
    code: Option<String>,
    messages: Vec<String>,
    request_id: Option<String>,
    date: Option<String>,
}

impl Found {
    fn read_value(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Object(entries) => match entry(entries, "error") {
                Some(inner @ Value::Object(_)) => self.read_value(inner, depth),
                Some(Value::String(code)) => {
                    self.code.get_or_insert_with(|| code.clone());
                    self.read_error(entries, depth);
                }
                _ => self.read_error(entries, depth),
            },
            Value::String(text) => self.read_message(text, depth),
            _ => {}
        }
    }

    fn read_error(&mut self, entries: &Map<String, Value>, depth: usize) {
        let text = |key: &str| entry(entries, key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if self.code.is_none() {
            self.code = text("code").map(str::to_owned);
        }
        if self.request_id.is_none() {
            self.request_id = text("request-id").or_else(|| text("requestId")).map(str::to_owned);
        }
        if self.date.is_none() {
            self.date = text("date").map(str::to_owned);
        }
        if let Some(inner) = entry(entries, "innererror") {
            self.read_value(inner, depth);
        }
        if let Some(message) = text("message").or_else(|| text("error_description")) {
            self.read_message(message, depth);
        } else if let Some(inner @ Value::Object(inside)) = entry(entries, "message") {
            // `{"message": {"lang": "en", "value": "…"}}` of older services.
            match entry(inside, "value").and_then(Value::as_str) {
                Some(message) => self.read_message(message, depth),
                None => self.read_value(inner, depth),
            }
        }
        if let Some(details) = entry(entries, "details").and_then(Value::as_array) {
            for detail in details {
                self.read_value(detail, depth);
            }
        }
    }

    /// Takes a message, or what is in it where it is an envelope as text.
    fn read_message(&mut self, text: &str, depth: usize) {
        match serde_json::from_str::<Value>(text) {
            Ok(inner @ Value::Object(_)) => {
                let before = self.messages.len();
                self.read_value(&inner, depth);
                if self.messages.len() == before {
                    self.messages.push(text.to_owned());
                }
            }
            _ if self.messages.iter().any(|message| message == text) => {}
            _ => self.messages.push(text.to_owned()),
        }
    }
}

/// The entry of a key, whatever its case.
fn entry<'value>(entries: &'value Map<String, Value>, key: &str) -> Option<&'value Value> {
    entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> ErrorAnswer {
        ErrorAnswer::read(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_envelope_that_was_seen_is_read() {
        let inner = json!({"error": {"code": "BadRequest", "message": "The server could not process the request.",
            "innerError": {"message": "1032: validation failed due to InvalidPasswordResetControl.", "date": "2026-03-02T10:15:31", "request-id": "1111"}}});
        let cases: [(String, &str, &str, Option<u16>); 11] = [
            (
                inner.to_string(),
                "BadRequest",
                "1032: validation failed due to InvalidPasswordResetControl.",
                Some(1032),
            ),
            (
                inner.to_string().replace("innerError", "innererror"),
                "BadRequest",
                "1032: validation failed due to InvalidPasswordResetControl.",
                Some(1032),
            ),
            (
                json!({"error": {"code": "BadRequest", "message": "1040: NamedLocation with id x does not exist in the directory."}}).to_string(),
                "BadRequest",
                "1040: NamedLocation with id x does not exist in the directory.",
                Some(1040),
            ),
            (
                json!({"error": {"code": "", "message": "odd", "innerError": {"innerError": {"code": "deep", "message": "deepest"}}}}).to_string(),
                "deep",
                "deepest",
                None,
            ),
            (
                json!({"error": {"code": "x", "message": "{\"error\":{\"code\":\"Other\",\"message\":\"1011: no apps\"}}"}}).to_string(),
                "x",
                "1011: no apps",
                Some(1011),
            ),
            (json!({"Code": "Upper", "Message": "case"}).to_string(), "Upper", "case", None),
            (
                json!({"error": {"code": "BadRequest", "message": "outer", "details": [{"code": "d", "message": "1007: no match"}]}}).to_string(),
                "BadRequest",
                "1007: no match",
                Some(1007),
            ),
            (json!({"error": {"code": "UnknownError", "message": ""}}).to_string(), "UnknownError", "", None),
            (json!({"error": "invalid_client", "error_description": "AADSTS1"}).to_string(), "invalid_client", "AADSTS1", None),
            ("<html><body>Bad gateway</body></html>".to_owned(), "", "", None),
            (String::new(), "", "", None),
        ];
        for (body, code, message, number) in cases {
            let answer = read(&body);
            assert_eq!(
                (answer.code.as_str(), answer.message.as_str(), answer.number),
                (code, message, number),
                "{body}"
            );
        }
        assert_eq!(read(&inner.to_string()).request_id.as_deref(), Some("1111"));
        assert_eq!(read(&inner.to_string()).date.as_deref(), Some("2026-03-02T10:15:31"));
    }

    #[test]
    fn an_envelope_within_envelopes_ends() {
        let mut text = json!({"error": {"message": "end"}}).to_string();
        // Each level doubles the backslashes: more would be a test of memory.
        for _ in 0..10 {
            text = json!({"error": {"message": text}}).to_string();
        }
        assert!(!read(&text).message.is_empty());
    }
}
