//! Tokens of a managed identity, from the endpoint of App Service and its kin or a virtual machine's metadata service
//! ([virtual machines](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token),
//! [App Service](https://learn.microsoft.com/azure/app-service/overview-managed-identity)).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::error::AuthError;
use super::token::AccessToken;
use crate::config::ManagedIdentity;
use crate::domain::secret::ExposeSecret as _;
use crate::graph::path::with_query;
use crate::graph::retry_after;
use crate::transport::TransportError;

/// The version of App Service's endpoint.
const APP_SERVICE: &str = "2019-08-01";
/// The version of the metadata service.
const METADATA: &str = "2018-02-01";

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds since 1970; both services write numbers as text, sometimes.
    #[serde(default)]
    expires_on: Option<Value>,
    #[serde(default)]
    expires_in: Option<Value>,
}

/// The request for a token of Graph.
pub(super) fn request(
    identity: &ManagedIdentity,
    graph_base: &str,
) -> Result<http::Request<Vec<u8>>, AuthError> {
    let resource = format!("{}/", graph_base.trim_end_matches('/'));
    let version = if identity.header.is_some() { APP_SERVICE } else { METADATA };
    let mut query = vec![("api-version", version), ("resource", resource.as_str())];
    if let Some(client_id) = &identity.client_id {
        query.push(("client_id", client_id));
    }
    let unusable = || AuthError::Authority { authority: identity.endpoint.clone() };
    let mut request = http::Request::get(with_query(&identity.endpoint, &query))
        .body(Vec::new())
        .map_err(|_| unusable())?;
    let headers = request.headers_mut();
    match &identity.header {
        Some(header) => {
            let mut value = HeaderValue::from_str(header.expose_secret()).map_err(|_| unusable())?;
            value.set_sensitive(true);
            headers.insert("x-identity-header", value);
        }
        None => {
            headers.insert("metadata", HeaderValue::from_static("true"));
        }
    }
    Ok(request)
}

/// Sorts what came back; the wait is what the answer asks for.
pub(super) fn take(
    identity: &ManagedIdentity,
    outcome: Result<http::Response<Vec<u8>>, TransportError>,
    number: u64,
    asked_at: Timestamp,
) -> (Result<AccessToken, AuthError>, Option<Duration>) {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(source) => return (Err(AuthError::NoIdentityEndpoint { source }), None),
    };
    let (status, headers) = (answer.status(), answer.headers());
    if let Some(error) = refusal(identity, status) {
        return (Err(error), waits(status, headers, asked_at));
    }
    let Ok(granted) = serde_json::from_slice::<Granted>(answer.body()) else {
        return (
            Err(AuthError::Malformed { tenant: "managed identity".to_owned(), what: "no token answer" }),
            None,
        );
    };
    let expires_at = granted
        .expires_on
        .as_ref()
        .and_then(seconds)
        .and_then(|second| Timestamp::from_second(second).ok())
        .or_else(|| {
            let life = granted.expires_in.as_ref().and_then(seconds)?;
            asked_at.checked_add(jiff::SignedDuration::from_secs(life)).ok()
        })
        .unwrap_or(asked_at);
    let life = Duration::try_from(expires_at.duration_since(asked_at)).unwrap_or_default();
    let renew_at = asked_at.checked_add(life.saturating_mul(4) / 5).unwrap_or(asked_at);
    (Ok(AccessToken::new(&granted.access_token, number, renew_at, expires_at)), None)
}

fn refusal(identity: &ManagedIdentity, status: StatusCode) -> Option<AuthError> {
    let number = status.as_u16();
    match number {
        200 => None,
        404 | 410 | 429 | 500..=599 => {
            Some(AuthError::Unavailable { tenant: "managed identity".to_owned(), status: number })
        }
        _ => Some(AuthError::NoSuchIdentity {
            client_id: identity.client_id.clone().unwrap_or_else(|| "system-assigned".to_owned()),
            status: number,
        }),
    }
}

fn waits(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    (status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error())
        .then(|| retry_after::read(headers, now))
        .flatten()
}

fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SecretString;

    fn machine(client_id: Option<&str>) -> ManagedIdentity {
        ManagedIdentity {
            endpoint: "http://169.254.169.254/metadata/identity/oauth2/token".to_owned(),
            header: None,
            client_id: client_id.map(str::to_owned),
        }
    }

    fn answer(status: u16, body: &str) -> http::Response<Vec<u8>> {
        http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_platform_is_asked_in_its_own_words() {
        let asked = request(&machine(Some("app")), "https://graph.microsoft.com").unwrap();
        assert_eq!(
            asked.uri().to_string(),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com/&client_id=app"
        );
        assert_eq!(asked.headers()["metadata"], "true");
        let service = ManagedIdentity {
            endpoint: "http://127.0.0.1:41741/msi/token/".to_owned(),
            header: Some(SecretString::from("header-value")),
            client_id: None,
        };
        let asked = request(&service, "https://graph.microsoft.com/").unwrap();
        assert!(asked.uri().to_string().contains("api-version=2019-08-01&resource="), "{}", asked.uri());
        assert_eq!(asked.headers()["x-identity-header"], "header-value");
        assert!(!format!("{asked:?}").contains("header-value"));
    }

    #[test]
    fn numbers_may_be_text_and_the_token_is_renewed_at_four_fifths() {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let on = now.as_second() + 1_000;
        for body in [
            format!(r#"{{"access_token": "a.b.c", "expires_on": "{on}"}}"#),
            format!(r#"{{"access_token": "a.b.c", "expires_on": {on}}}"#),
            r#"{"access_token": "a.b.c", "expires_in": "1000"}"#.to_owned(),
        ] {
            let token = take(&machine(None), Ok(answer(200, &body)), 1, now).0.unwrap();
            assert_eq!(token.expires_at.as_second(), on);
            assert_eq!(token.renew_at.as_second(), on - 200);
        }
    }

    #[test]
    fn a_refusal_says_which_identity_and_what_may_come_back_is_tried_again() {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let error = take(&machine(Some("app")), Ok(answer(400, "{}")), 1, now).0.unwrap_err();
        assert!(error.to_string().contains("`app`") && !error.is_transient(), "{error}");
        for status in [404, 410, 429, 500, 503] {
            assert!(take(&machine(None), Ok(answer(status, "{}")), 1, now).0.unwrap_err().is_transient());
        }
        let silent =
            TransportError::NotSent { host: "169.254.169.254".to_owned(), source: "no route".into() };
        let error = take(&machine(None), Err(silent), 1, now).0.unwrap_err();
        assert!(!error.is_transient() && error.hint().unwrap().contains("AZURE_MANAGED_IDENTITY"), "{error}");
    }
}
