//! Where tokens come from: cached, renewed at four fifths of their life, and asked for once however many wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, TokenResponse as _, TokenUrl,
};

use super::credential::Credential;
use super::entra::EntraRefusal;
use super::error::AuthError;
use super::managed_identity;
use super::token::AccessToken;
use crate::domain::secret::ExposeSecret as _;
use crate::domain::{BoxFuture, Clock, Random, SecretString};
use crate::graph::retry_after;
use crate::graph::settings::{ClientRequestId, ConnectionSettings};
use crate::plan::PlanSession;
use crate::transport::{Transport, TransportError};

mod device_code;

pub use device_code::DevicePrompt;

/// How many times one token is asked for at most: Entra blocks clients that loop (AADSTS50196).
const MOST_TRIES: u32 = 5;
/// How many times where it cannot be reached at all: a network that is down is told of soon.
const MOST_UNREACHED_TRIES: u32 = 3;
/// The wait after "busy" without a time, and before a renewal that failed is tried again: Entra answers the same
/// request the same for a minute.
const BUSY_WAIT: Duration = Duration::from_mins(1);
/// The kind of a JWT that proves an app (RFC 7523).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a token lives where its answer does not say.
const ASSUMED_LIFE: Duration = Duration::from_secs(3_599);

type EntraClient = oauth2::Client<
    EntraRefusal,
    BasicTokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

#[derive(Debug, Default)]
struct Held {
    token: Option<Arc<AccessToken>>,
    /// Numbers of tokens below this are no longer used.
    count: u64,
    /// A failed renewal is not repeated before this moment.
    rest_until: Option<Timestamp>,
}

/// Gives tokens for one app in one tenant.
pub(crate) struct TokenSource {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: ConnectionSettings,
    /// Held across the request on purpose: whoever waits for it gets the token that the first one asked for.
    held: tokio::sync::Mutex<Held>,
    /// What a person's session is renewed by, where it can be.
    refresh: Mutex<Option<SecretString>>,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenSource").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl TokenSource {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: ConnectionSettings,
    ) -> Self {
        Self {
            transport,
            clock,
            random,
            settings,
            held: tokio::sync::Mutex::default(),
            refresh: Mutex::default(),
        }
    }

    /// The app that tokens are for.
    pub(crate) fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// Whose session it is.
    pub(crate) fn session(&self) -> PlanSession {
        match self.settings.credential {
            Credential::Person => PlanSession::Person,
            _ => PlanSession::App,
        }
    }

    /// Gives a token that is good now.
    pub(crate) async fn token(&self) -> Result<Arc<AccessToken>, AuthError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some(token) = &held.token {
            let rests = held.rest_until.is_some_and(|until| now < until);
            if now < token.renew_at || (rests && now < token.expires_at) {
                return Ok(Arc::clone(token));
            }
        }
        match self.request(&mut held, None).await {
            Ok(token) => Ok(token),
            Err(error) => match &held.token {
                Some(token) if error.is_transient() && self.clock.now() < token.expires_at => {
                    tracing::debug!(
                        code = error.code(),
                        "the token could not be renewed yet; the present one still holds"
                    );
                    let token = Arc::clone(token);
                    held.rest_until = self.clock.now().checked_add(BUSY_WAIT).ok();
                    Ok(token)
                }
                _ => Err(error),
            },
        }
    }

    /// Gives a token later than the refused one, and with the claims that Graph asked for.
    pub(crate) async fn renew(
        &self,
        refused: u64,
        claims: Option<&str>,
    ) -> Result<Arc<AccessToken>, AuthError> {
        let mut held = self.held.lock().await;
        match &held.token {
            Some(token) if token.number > refused => Ok(Arc::clone(token)),
            _ => {
                held.token = None;
                self.request(&mut held, claims).await
            }
        }
    }

    async fn request(&self, held: &mut Held, claims: Option<&str>) -> Result<Arc<AccessToken>, AuthError> {
        let began = self.clock.now();
        let mut tries = 0;
        loop {
            let (outcome, wait) = self.request_once(held.count.saturating_add(1), claims).await;
            tries += 1;
            let error = match outcome {
                Ok(token) => {
                    let token = Arc::new(token);
                    *held = Held { token: Some(Arc::clone(&token)), count: token.number, rest_until: None };
                    return Ok(token);
                }
                Err(error) => error,
            };
            let wait = wait.unwrap_or_else(|| retry_after::back_off(tries - 1, self.random.as_ref()));
            let spent = Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
            let is_over = spent.saturating_add(wait) > self.settings.deadlines.token;
            let is_unreached = matches!(&error, AuthError::NoAnswer { source, .. } if source.is_unsent());
            let most = if is_unreached { MOST_UNREACHED_TRIES } else { MOST_TRIES };
            if !error.is_transient() || tries >= most || is_over {
                return Err(error);
            }
            tracing::debug!(code = error.code(), wait_ms = wait.as_millis(), "no token yet");
            self.clock.sleep(wait).await;
        }
    }

    /// Asks once; the wait is what the answer asks for.
    async fn request_once(
        &self,
        number: u64,
        claims: Option<&str>,
    ) -> (Result<AccessToken, AuthError>, Option<Duration>) {
        if let Credential::ManagedIdentity(identity) = &self.settings.credential {
            // Its platform keeps the token until it expires, whatever claims are asked for.
            let request = match managed_identity::request(identity, &self.settings.graph_base) {
                Ok(request) => request,
                Err(error) => return (Err(error), None),
            };
            let exchange = Exchange { source: self, seen: Mutex::default() };
            let asked_at = self.clock.now();
            let outcome = oauth2::AsyncHttpClient::call(&exchange, request).await;
            return managed_identity::take(identity, outcome, number, asked_at);
        }
        if self.session() == PlanSession::Person {
            return self.renew_person(number, claims).await;
        }
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => return (Err(error), None),
        };
        let scope = self.scope();
        let mut request = client.exchange_client_credentials().add_scope(Scope::new(scope.clone()));
        match self.assertion(client.token_uri()).await {
            Ok(Some(assertion)) => {
                request = request
                    .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                    .add_extra_param("client_assertion", assertion.expose_secret().to_owned());
            }
            Ok(None) => {}
            Err(error) => return (Err(error), None),
        }
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims.to_owned());
        }
        let exchange = Exchange { source: self, seen: Mutex::default() };
        let asked_at = self.clock.now();
        let outcome = request.request_async(&exchange).await;
        self.settle(outcome, exchange, number, asked_at, &scope)
    }

    /// What proves the app in place of a secret.
    async fn assertion(&self, token_url: &TokenUrl) -> Result<Option<SecretString>, AuthError> {
        match &self.settings.credential {
            Credential::Secret(_) | Credential::ManagedIdentity(_) | Credential::Person => Ok(None),
            Credential::Certificate(certificate) => certificate
                .assertion(
                    &self.settings.client_id,
                    token_url.as_str(),
                    self.clock.now(),
                    self.random.as_ref(),
                )
                .map(Some)
                .map_err(AuthError::Unsigned),
            Credential::FederatedToken(path) => {
                let unreadable = |source| AuthError::FederatedToken { path: path.clone(), source };
                let text = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
                let is_token = text.trim().split('.').filter(|part| !part.is_empty()).count() == 3;
                if !is_token {
                    return Err(unreadable(std::io::Error::other(
                        "it holds no token: three parts with dots",
                    )));
                }
                Ok(Some(SecretString::from(text.trim())))
            }
        }
    }

    /// Renews a person's session once. The token that renews is itself renewed where Entra sends another.
    async fn renew_person(
        &self,
        number: u64,
        claims: Option<&str>,
    ) -> (Result<AccessToken, AuthError>, Option<Duration>) {
        let held = self.refresh.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(held) = held else {
            return (Err(AuthError::SessionEnded { refusal: None }), None);
        };
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => return (Err(error), None),
        };
        let token = RefreshToken::new(held.expose_secret().to_owned());
        let scope = self.scopes_of_person();
        let mut request = client.exchange_refresh_token(&token).add_scope(Scope::new(scope.clone()));
        if let Some(claims) = claims {
            request = request.add_extra_param("claims", claims.to_owned());
        }
        let exchange = Exchange { source: self, seen: Mutex::default() };
        let asked_at = self.clock.now();
        let outcome = request.request_async(&exchange).await;
        if let Some(next) = outcome.as_ref().ok().and_then(BasicTokenResponse::refresh_token) {
            *self.refresh.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(SecretString::from(next.secret().as_str()));
        }
        self.settle(outcome, exchange, number, asked_at, &scope)
    }

    /// Makes a token of what came back, or sorts why there is none; the wait is what the answer asks for.
    fn settle(
        &self,
        outcome: Result<BasicTokenResponse, RequestTokenError<TransportError, EntraRefusal>>,
        exchange: Exchange<'_>,
        number: u64,
        asked_at: Timestamp,
        scope: &str,
    ) -> (Result<AccessToken, AuthError>, Option<Duration>) {
        let seen = exchange.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(answer) => (Ok(Self::take(&answer, number, asked_at)), None),
            Err(error) => self.sort(error, seen.as_ref(), scope),
        }
    }

    fn take(answer: &BasicTokenResponse, number: u64, asked_at: Timestamp) -> AccessToken {
        let life = answer.expires_in().unwrap_or(ASSUMED_LIFE);
        let after = |span: Duration| asked_at.checked_add(span).unwrap_or(asked_at);
        AccessToken::new(
            answer.access_token().secret(),
            number,
            after(life.saturating_mul(4) / 5),
            after(life),
        )
    }

    fn client(&self) -> Result<EntraClient, AuthError> {
        let settings = &self.settings;
        let url = TokenUrl::new(self.endpoint("token"))
            .map_err(|_| AuthError::Authority { authority: settings.authority.clone() })?;
        let client = oauth2::Client::new(ClientId::new(settings.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(url);
        Ok(match &settings.credential {
            Credential::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Credential::Certificate(_)
            | Credential::FederatedToken(_)
            | Credential::ManagedIdentity(_)
            | Credential::Person => client,
        })
    }

    /// The address of one of the authority's endpoints for the tenant.
    fn endpoint(&self, name: &str) -> String {
        let authority = self.settings.authority.trim_end_matches('/');
        let tenant = crate::graph::path::encode(&self.settings.tenant);
        format!("{authority}/{tenant}/oauth2/v2.0/{name}")
    }

    fn scope(&self) -> String {
        format!("{}/.default", self.settings.graph_base.trim_end_matches('/'))
    }

    fn sort(
        &self,
        error: RequestTokenError<TransportError, EntraRefusal>,
        seen: Option<&(StatusCode, HeaderMap)>,
        scope: &str,
    ) -> (Result<AccessToken, AuthError>, Option<Duration>) {
        let tenant = self.settings.tenant.clone();
        let status = seen.map(|(status, _)| *status);
        let wait = seen.and_then(|(_, headers)| retry_after::read(headers, self.clock.now()));
        let is_busy = status == Some(StatusCode::TOO_MANY_REQUESTS)
            || matches!(&error, RequestTokenError::ServerResponse(refusal)
                if refusal.error == "temporarily_unavailable"
                    || [90_055, 90_024, 90_025].iter().any(|code| refusal.has(*code)));
        if is_busy {
            return (Err(AuthError::Throttled { tenant }), Some(wait.unwrap_or(BUSY_WAIT)));
        }
        if let Some(status) = status.filter(StatusCode::is_server_error) {
            return (Err(AuthError::Unavailable { tenant, status: status.as_u16() }), wait);
        }
        let error = match error {
            RequestTokenError::ServerResponse(refusal) => {
                let sort = match self.session() {
                    PlanSession::Person => AuthError::of_person,
                    PlanSession::App => AuthError::from_refusal,
                };
                sort(refusal, &self.settings.client_id, &tenant, scope)
            }
            RequestTokenError::Request(source) => AuthError::NoAnswer { tenant, source },
            // Both hold the raw body or parts of it: neither is kept.
            RequestTokenError::Parse(..) => AuthError::Malformed { tenant, what: "no token answer" },
            RequestTokenError::Other(_) => AuthError::Malformed { tenant, what: "empty or no JSON" },
        };
        (Err(error), wait)
    }
}

/// One request to the token endpoint over our own transport, with its status and headers kept: the library drops them.
struct Exchange<'source> {
    source: &'source TokenSource,
    seen: Mutex<Option<(StatusCode, HeaderMap)>>,
}

impl<'call> oauth2::AsyncHttpClient<'call> for Exchange<'_> {
    type Error = TransportError;
    type Future = BoxFuture<'call, Result<oauth2::HttpResponse, TransportError>>;

    fn call(&'call self, mut request: oauth2::HttpRequest) -> Self::Future {
        let source = self.source;
        let id = ClientRequestId::generate(source.random.as_ref());
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            request.headers_mut().insert(HeaderName::from_static("client-request-id"), value);
        }
        request
            .headers_mut()
            .insert(http::header::USER_AGENT, HeaderValue::from_static(crate::graph::connection::USER_AGENT));
        Box::pin(async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let answer = tokio::select! {
                answer = source.transport.send(request) => answer?,
                () = source.clock.sleep(source.settings.deadlines.attempt) => {
                    let source = Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
                    return Err(TransportError::NoAnswer { method, path, source });
                }
            };
            tracing::debug!(client_request_id = %id, status = answer.status().as_u16(), "token endpoint");
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((answer.status(), answer.headers().clone()));
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests;
