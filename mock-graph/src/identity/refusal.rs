//! Refusals of the identity platform: the standard's word, Entra's number, and a text (policy-logs-auth.md 8.8).

use jiff::Timestamp;
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: &'static str,
    /// The number; the standard's own words of the device flow have none that is published.
    pub(super) code: Option<u32>,
    pub(super) text: String,
    pub(super) suberror: Option<&'static str>,
    pub(super) claims: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self { status, error, code: Some(code), text: text.into(), suberror: None, claims: None }
    }

    /// A 400 of the device flow without a number.
    pub(super) fn word(error: &'static str, text: &str) -> Self {
        Self { status: 400, error, code: None, text: text.to_owned(), suberror: None, claims: None }
    }

    pub(super) fn invalid_client(code: u32, text: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", code, text)
    }

    pub(super) fn invalid_grant(code: u32, text: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", code, text)
    }

    pub(super) fn invalid_request(code: u32, text: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", code, text)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::invalid_request(
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub(super) fn no_tenant(name: &str) -> Self {
        Self::invalid_request(
            90002,
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            ),
        )
    }

    /// The body as it is sent.
    pub(super) fn body(&self, now: Timestamp, trace: &str) -> Value {
        let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let number = self.code.map(|code| format!("AADSTS{code}: ")).unwrap_or_default();
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "{number}{} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}", self.text
            ),
            "error_codes": self.code.into_iter().collect::<Vec<_>>(),
            "timestamp": stamp, "trace_id": trace, "correlation_id": trace,
        });
        if let Some(entries) = body.as_object_mut() {
            if let Some(code) = self.code {
                let uri = format!("https://login.microsoftonline.com/error?code={code}");
                entries.insert("error_uri".to_owned(), uri.into());
            }
            if let Some(suberror) = self.suberror {
                entries.insert("suberror".to_owned(), suberror.into());
            }
            if let Some(claims) = &self.claims {
                entries.insert("claims".to_owned(), claims.clone().into());
            }
        }
        body
    }
}
