//! The request journal: what came, what was answered, what it wrote. Secrets are redacted before they are kept.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One request, as `GET /_mock/requests` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Place in the order of arrival, from 1.
    pub seq: u64,
    /// The tenant's time of arrival.
    pub time: Timestamp,
    /// Milliseconds from the mock's start to the arrival.
    pub start_ms: u64,
    /// Milliseconds from the mock's start to the answer.
    pub end_ms: u64,
    /// Method.
    pub method: String,
    /// Path as it came, with its version.
    pub path: String,
    /// Query as it came.
    pub query: String,
    /// Client id of the caller, where a token said so.
    pub app_id: Option<String>,
    /// HTTP status; 0 where the connection was reset.
    pub status: u16,
    /// JSON body, secrets redacted; null where there was none.
    pub body: Value,
    /// Whether the route writes.
    pub write: bool,
    /// Whether the path is a route of the mock's.
    pub known: bool,
    /// Id of the batch that the request stood in.
    pub batch_id: Option<String>,
}

/// What stands in place of a secret.
pub const REDACTED: &str = "(redacted)";

/// The body without its secrets.
#[must_use]
pub fn redact(body: &Value) -> Value {
    match body {
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    let lower = key.to_lowercase();
                    let is_secret = value.is_string()
                        && (lower.contains("password")
                            || matches!(
                                lower.as_str(),
                                "client_secret"
                                    | "client_assertion"
                                    | "temporaryaccesspass"
                                    | "secretkey"
                                    | "refresh_token"
                                    | "device_code"
                                    | "code"
                                    | "code_verifier"
                            ));
                    (key.clone(), if is_secret { Value::from(REDACTED) } else { redact(value) })
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(redact).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_redacted_at_any_depth() {
        let body = json!({ "passwordProfile": { "password": "x", "forceChangePasswordNextSignIn": true }, "client_secret": "y", "a": [1] });
        assert_eq!(
            redact(&body),
            json!({ "passwordProfile": { "password": REDACTED, "forceChangePasswordNextSignIn": true }, "client_secret": REDACTED, "a": [1] })
        );
    }
}
