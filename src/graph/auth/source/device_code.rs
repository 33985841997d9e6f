//! A person's own session by device code (policy-logs-auth.md 8.6): a code to type elsewhere, and asking until it was.
//! Invariant: nothing of the session outlives the process.

use std::time::Duration;

use http::{Method, StatusCode, header};
use oauth2::basic::BasicTokenResponse;
use oauth2::{AsyncHttpClient as _, TokenResponse as _};
use serde::Deserialize;

use super::super::entra::EntraRefusal;
use super::super::error::AuthError;
use super::{Arc, Exchange, Held, Mutex, TokenSource};
use crate::domain::{Clock, Random, SecretString};
use crate::graph::retry_after;
use crate::graph::settings::ConnectionSettings;
use crate::transport::{Transport, TransportError};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How much longer to wait between two questions after each "slow down" (RFC 8628).
const SLOWER: Duration = Duration::from_secs(5);
/// How often the code itself is asked for.
const MOST_TRIES: u32 = 3;

/// What a person is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePrompt {
    /// The code to type: show it inert.
    pub user_code: String,
    /// Where to type it: show it inert.
    pub address: String,
    /// How long the code is good for.
    pub lasts: Duration,
}

#[derive(Deserialize)]
struct Begun {
    device_code: oauth2::DeviceCode,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    #[serde(default = "usual_interval")]
    interval: u64,
}

fn usual_interval() -> u64 {
    5
}

impl TokenSource {
    /// Signs a person in: tells the code, and waits until somebody has typed it.
    pub(crate) async fn of_person(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: ConnectionSettings,
        tell: &(dyn Fn(&DevicePrompt) + Send + Sync),
    ) -> Result<Self, AuthError> {
        let mut source = Self::new(transport, clock, random, settings);
        let begun = source.begin().await?;
        tell(&DevicePrompt {
            user_code: begun.user_code.clone(),
            address: begun.verification_uri.clone(),
            lasts: Duration::from_secs(begun.expires_in),
        });
        let (held, refresh) = source.wait_for_sign_in(&begun).await?;
        source.held = tokio::sync::Mutex::new(held);
        source.refresh = Mutex::new(refresh);
        Ok(source)
    }

    /// The scopes of a person's session: all that the app's delegated permissions were consented to, and that it can be
    /// renewed.
    pub(super) fn scopes_of_person(&self) -> String {
        format!("{} openid profile offline_access", self.scope())
    }

    async fn begin(&self) -> Result<Begun, AuthError> {
        let tenant = || self.settings.tenant.clone();
        let form = [("client_id", self.settings.client_id.as_str()), ("scope", &self.scopes_of_person())];
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.post("devicecode", &form).await {
                Ok((StatusCode::OK, body)) => {
                    return serde_json::from_slice(&body)
                        .map_err(|_| AuthError::Malformed { tenant: tenant(), what: "no device code" });
                }
                Ok((status, body)) => self.refused(status, &body),
                Err(source) => AuthError::NoAnswer { tenant: tenant(), source },
            };
            if !error.is_transient() || tries >= MOST_TRIES {
                return Err(error);
            }
            self.clock.sleep(retry_after::back_off(tries - 1, self.random.as_ref())).await;
        }
    }

    /// Asks until somebody has signed in; gives the first token, and what it is renewed by.
    async fn wait_for_sign_in(&self, begun: &Begun) -> Result<(Held, Option<SecretString>), AuthError> {
        let client_id = || self.settings.client_id.clone();
        let lasts = Duration::from_secs(begun.expires_in);
        let deadline = self.clock.now().saturating_add(lasts).unwrap_or(jiff::Timestamp::MAX);
        let mut interval = Duration::from_secs(begun.interval.clamp(1, 60));
        let form = [
            ("grant_type", GRANT),
            ("client_id", self.settings.client_id.as_str()),
            ("device_code", begun.device_code.secret().as_str()),
        ];
        loop {
            self.clock.sleep(interval).await;
            let asked_at = self.clock.now();
            if asked_at >= deadline {
                return Err(AuthError::CodeExpired { client_id: client_id() });
            }
            let (status, body) = match self.post("token", &form).await {
                Ok(answer) => answer,
                Err(source @ TransportError::Untrusted { .. }) => {
                    return Err(AuthError::NoAnswer { tenant: self.settings.tenant.clone(), source });
                }
                // The person is still typing: a lost question costs nothing.
                Err(_) => continue,
            };
            if status == StatusCode::OK {
                let answer: BasicTokenResponse = serde_json::from_slice(&body).map_err(|_| {
                    AuthError::Malformed { tenant: self.settings.tenant.clone(), what: "no token answer" }
                })?;
                let refresh = answer.refresh_token().map(|token| SecretString::from(token.secret().as_str()));
                let token = Arc::new(Self::take(&answer, 1, asked_at));
                return Ok((Held { count: token.number, token: Some(token), rest_until: None }, refresh));
            }
            if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
                continue;
            }
            let word = serde_json::from_slice::<EntraRefusal>(&body).map(|refusal| refusal.error);
            match word.as_deref() {
                Ok("authorization_pending") => {}
                Ok("slow_down") => interval = interval.saturating_add(SLOWER),
                Ok("authorization_declined" | "access_denied") => {
                    return Err(AuthError::CodeDeclined { client_id: client_id() });
                }
                Ok("expired_token") => return Err(AuthError::CodeExpired { client_id: client_id() }),
                _ => return Err(self.refused(status, &body)),
            }
        }
    }

    /// Sorts an answer that gives nothing. Its body is not kept.
    fn refused(&self, status: StatusCode, body: &[u8]) -> AuthError {
        let tenant = self.settings.tenant.clone();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return AuthError::Throttled { tenant };
        }
        if status.is_server_error() {
            return AuthError::Unavailable { tenant, status: status.as_u16() };
        }
        match serde_json::from_slice::<EntraRefusal>(body) {
            Ok(refusal) if !refusal.error.is_empty() => {
                AuthError::of_person(refusal, &self.settings.client_id, &tenant, &self.scope())
            }
            _ => AuthError::Malformed { tenant, what: "empty or no JSON" },
        }
    }

    async fn post(
        &self,
        endpoint: &str,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, Vec<u8>), TransportError> {
        let body = oauth2::url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(self.endpoint(endpoint))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .map_err(|error| TransportError::NotSent {
                host: self.settings.authority.clone(),
                source: Box::new(error),
            })?;
        let exchange = Exchange { source: self, seen: Mutex::default() };
        let answer = exchange.call(request).await?;
        Ok((answer.status(), answer.into_body()))
    }
}
