//! An access token, and what it says of itself. It is decoded, never validated: that is Graph's to do.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::SecretString;
use crate::domain::secret::ExposeSecret as _;

/// What the token says of the app.
#[derive(Clone, Debug, Default, Deserialize)]
struct Claims {
    #[serde(default)]
    roles: Option<Vec<String>>,
    #[serde(default)]
    tid: Option<String>,
    /// Delegated permissions, separated by blanks: a person's token has these, and no roles.
    #[serde(default)]
    scp: Option<String>,
    #[serde(default)]
    oid: Option<String>,
    #[serde(default)]
    upn: Option<String>,
}

/// A token. Its text shows nowhere.
pub(crate) struct AccessToken {
    secret: SecretString,
    /// Which token of its source it is; a later one has a greater number.
    pub(super) number: u64,
    pub(super) renew_at: Timestamp,
    pub(super) expires_at: Timestamp,
    claims: Option<Claims>,
}

impl AccessToken {
    pub(super) fn new(text: &str, number: u64, renew_at: Timestamp, expires_at: Timestamp) -> Self {
        Self { claims: decode(text), secret: SecretString::from(text), number, renew_at, expires_at }
    }

    /// The token's number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The `Authorization` header, marked so that nothing prints it. `None` where the text is no header value.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.secret.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The permissions that the token carries; `None` where it cannot be read. A token without any says so by
    /// leaving the claim out.
    pub(crate) fn roles(&self) -> Option<Vec<String>> {
        self.claims.as_ref().map(|claims| match (&claims.roles, &claims.scp) {
            (None, Some(scopes)) => scopes.split_whitespace().map(str::to_owned).collect(),
            (roles, _) => roles.clone().unwrap_or_default(),
        })
    }

    /// Object id and UPN of the person that the token is of, where it is a person's.
    pub(crate) fn person(&self) -> Option<(&str, &str)> {
        let claims = self.claims.as_ref().filter(|claims| claims.scp.is_some())?;
        Some((claims.oid.as_deref()?, claims.upn.as_deref()?))
    }

    /// The tenant that the token is of.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.claims.as_ref()?.tid.as_deref()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessToken")
            .field("number", &self.number)
            .field("renew_at", &self.renew_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn decode(text: &str) -> Option<Claims> {
    let payload = text.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}
