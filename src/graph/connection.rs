//! The way of every call: token, headers, pace, deadline.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, header};
use jiff::Timestamp;

use super::auth::{AccessToken, AuthError, DevicePrompt, TokenSource};
use super::call::{Answer, Call, MOST_TRIES, Verdict, header_text, judge, judge_silence};
use super::error::GraphError;
use super::pace::{Bucket, Pace};
use super::reader::Reader;
use super::retry_after;
use super::settings::{ClientRequestId, ConnectionSettings, Deadlines};
use super::writer::Writer;
use crate::domain::{Clock, Random, TenantId, Upn, UserId};
use crate::plan::PlanSession;
use crate::transport::{Transport, TransportError};

/// How we name ourselves.
pub(super) const USER_AGENT: &str = concat!("stanch/", env!("CARGO_PKG_VERSION"));

/// A connection to one tenant with one credential. Clones share its token and its pace.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

struct Shared {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    base: String,
    deadlines: Deadlines,
    tokens: TokenSource,
    pace: Pace,
    /// Graph's `Date` of the newest answer, and when it came by our clock.
    seen: Mutex<Option<(Timestamp, Timestamp)>>,
    throttling: Mutex<Throttling>,
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Object id.
    pub id: UserId,
    /// User name.
    pub upn: Upn,
}

/// How near to its limits Graph has said that we are, on one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Throttling {
    /// The greatest share of a limit that an answer told of: Graph tells it from 0.8 on.
    pub highest_share: Option<f64>,
    /// Paths that were throttled, each once.
    pub throttled: Vec<String>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("base", &self.0.base)
            .field("tokens", &self.0.tokens)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Makes a connection; nothing is sent yet.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: ConnectionSettings,
    ) -> Self {
        let (base, deadlines) = (settings.graph_base.clone(), settings.deadlines);
        let tokens =
            TokenSource::new(Arc::clone(&transport), Arc::clone(&clock), Arc::clone(&random), settings);
        Self::over(transport, clock, random, tokens, (&base, deadlines))
    }

    /// Signs a person in by a code that they type elsewhere, and makes a connection in their session: it may do what
    /// the app's delegated permissions and the person's own roles allow together.
    ///
    /// # Errors
    /// When nobody signs in, or who does is not told.
    pub async fn of_person(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: ConnectionSettings,
        tell: &(dyn Fn(&DevicePrompt) + Send + Sync),
    ) -> Result<(Self, SignedIn), GraphError> {
        let (base, deadlines) = (settings.graph_base.clone(), settings.deadlines);
        let (way, time, chance) = (Arc::clone(&transport), Arc::clone(&clock), Arc::clone(&random));
        let tokens = TokenSource::of_person(way, time, chance, settings, tell).await?;
        let connection = Self::over(transport, clock, random, tokens, (&base, deadlines));
        let token = connection.0.tokens.token().await?;
        let person = token.person().and_then(|(id, upn)| Some((id.parse().ok()?, upn.parse().ok()?)));
        let (id, upn) = person.ok_or_else(|| connection.missing_claim("oid"))?;
        Ok((connection, SignedIn { id, upn }))
    }

    fn over(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        tokens: TokenSource,
        (base, deadlines): (&str, Deadlines),
    ) -> Self {
        Self(Arc::new(Shared {
            base: base.trim_end_matches('/').to_owned(),
            deadlines,
            tokens,
            transport,
            clock,
            random,
            pace: Pace::default(),
            seen: Mutex::default(),
            throttling: Mutex::default(),
        }))
    }

    /// Tells whose session it is.
    pub fn session(&self) -> PlanSession {
        self.0.tokens.session()
    }

    /// Gives what reads.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// Gives what writes approved requests.
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// Gets a token, unless there is one.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn sign_in(&self) -> Result<(), GraphError> {
        self.0.tokens.token().await?;
        Ok(())
    }

    /// Tells the permissions in the access token; it is decoded, not validated.
    ///
    /// # Errors
    /// When there is no token, or it cannot be read.
    pub async fn roles(&self) -> Result<Vec<String>, GraphError> {
        let token = self.0.tokens.token().await?;
        Ok(token.roles().ok_or_else(|| self.missing_claim("roles"))?)
    }

    /// Tells the tenant in the access token; it is decoded, not validated.
    ///
    /// # Errors
    /// When there is no token, or it cannot be read.
    pub async fn token_tenant(&self) -> Result<TenantId, GraphError> {
        let token = self.0.tokens.token().await?;
        let tenant = token.tenant().and_then(|tenant| tenant.parse().ok());
        Ok(tenant.ok_or_else(|| self.missing_claim("tid"))?)
    }

    /// Tells how near to its limits Graph has said that we are.
    pub fn throttling(&self) -> Throttling {
        self.0.throttling.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the app id that it signs in as.
    pub(super) fn client_id(&self) -> &str {
        self.0.tokens.client_id()
    }

    fn missing_claim(&self, claim: &'static str) -> AuthError {
        AuthError::Claim { client_id: self.0.tokens.client_id().to_owned(), claim }
    }

    /// Makes an id for a request.
    pub(super) fn new_id(&self) -> ClientRequestId {
        ClientRequestId::generate(self.0.random.as_ref())
    }

    /// Graph's base, without version and final slash.
    pub(super) fn base(&self) -> &str {
        &self.0.base
    }

    /// Our own time.
    pub(super) fn our_time(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Graph's time: its newest `Date`, moved on by what has passed since.
    pub(super) fn server_time(&self) -> Option<Timestamp> {
        let seen = *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (date, at) = seen?;
        date.checked_add(self.0.clock.now().duration_since(at)).ok()
    }

    /// Sends a call until it is answered or its deadline is over.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let shared = &*self.0;
        let path = path_of(call.target, &shared.base);
        let bucket = Bucket::of(&path);
        let span = if call.purpose.is_write() { shared.deadlines.write } else { shared.deadlines.read };
        let mut deadline = shared.clock.now().saturating_add(span).unwrap_or(Timestamp::MAX);
        let (mut tries, mut renewed, mut challenged) = (0u32, false, false);
        // How often in a row the same thing went wrong.
        let (mut last, mut row) = ("", 0u32);
        let mut token = shared.tokens.token().await?;
        loop {
            let slot = shared.pace.take_slot(bucket, shared.clock.now());
            if !slot.wait.is_zero() {
                tracing::debug!(wait_ms = slot.wait.as_millis(), path, "pacing");
                shared.clock.sleep(slot.wait).await;
                deadline = deadline.saturating_add(slot.wait).unwrap_or(Timestamp::MAX);
                token = shared.tokens.token().await?;
            }
            tries += 1;
            let (error, wait, most) = match self.try_once(call, &path, &token, deadline).await? {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Final(error) => return Err(error),
                Verdict::Renew { error, claims } => {
                    let is_allowed = if claims.is_some() { !challenged } else { !renewed };
                    if !is_allowed {
                        return Err(self.end_of_session(claims.is_some(), error));
                    }
                    challenged |= claims.is_some();
                    renewed = true;
                    token = shared.tokens.renew(token.number(), claims.as_deref()).await?;
                    continue;
                }
                Verdict::Again { error, wait, tries } => (error, wait, tries),
            };
            if matches!(error, GraphError::Throttled { .. }) {
                shared.pace.slow_down(bucket, slot);
                {
                    let mut throttling = shared.throttling.lock().unwrap_or_else(PoisonError::into_inner);
                    if !throttling.throttled.contains(&path) {
                        throttling.throttled.push(path.clone());
                    }
                }
                if wait.is_none() && bucket.is_paced() && !slot.is_paced {
                    // It went before there was a pace; the slot that it takes now is all the wait it needs.
                    continue;
                }
            }
            let own = retry_after::back_off(tries - 1, shared.random.as_ref());
            let wait = wait.map_or(own, |wait| {
                // An answer that keeps saying "at once" is not taken at its word. A paced bucket has slots of its own.
                if bucket.is_paced() && !wait.is_zero() {
                    return wait;
                }
                retry_after::spread_a_little(wait, shared.random.as_ref()).max(own / 4)
            });
            let resumes_at = shared.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            row = if error.code() == last { row + 1 } else { 1 };
            last = error.code();
            if row >= most || tries >= MOST_TRIES || resumes_at > deadline {
                return Err(error);
            }
            tracing::debug!(wait_ms = wait.as_millis(), code = error.code(), path, tries, "trying again");
            shared.clock.sleep(wait).await;
            token = shared.tokens.token().await?;
        }
    }

    fn end_of_session(&self, was_challenge: bool, error: GraphError) -> GraphError {
        if was_challenge {
            AuthError::SessionRevoked { client_id: self.0.tokens.client_id().to_owned() }.into()
        } else {
            error
        }
    }

    async fn try_once(
        &self,
        call: &Call<'_>,
        path: &str,
        token: &AccessToken,
        deadline: Timestamp,
    ) -> Result<Verdict, GraphError> {
        let shared = &*self.0;
        let request = self.build(call, path, token)?;
        let began = shared.clock.now();
        let left = Duration::try_from(deadline.duration_since(began)).unwrap_or_default();
        let outcome = tokio::select! {
            biased;
            outcome = shared.transport.send(request) => outcome,
            () = shared.clock.sleep(shared.deadlines.attempt.min(left.max(Duration::from_secs(1)))) => {
                let source = Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
                let method = call.method.to_string();
                Err(TransportError::NoAnswer { method, path: path.to_owned(), source })
            }
        };
        let took = shared.clock.now().duration_since(began).as_millis();
        let verdict = match outcome {
            Ok(answer) => {
                let (status, headers) = (answer.status(), answer.headers());
                tracing::debug!(
                    method = %call.method, path, status = status.as_u16(), took_ms = took, client_request_id = %call.id,
                    request_id = header_text(headers, "request-id"), "answer"
                );
                tracing::trace!(
                    diagnostic = header_text(headers, "x-ms-ags-diagnostic"),
                    units = header_text(headers, "x-ms-resource-unit"),
                    load = header_text(headers, "x-ms-throttle-limit-percentage"),
                    throttled_for = header_text(headers, "x-ms-throttle-information"),
                    deprecated = header_text(headers, "link"),
                    bytes = answer.body().len(),
                    "answer's headers"
                );
                let share = header_text(headers, "x-ms-throttle-limit-percentage")
                    .and_then(|text| text.parse::<f64>().ok())
                    .filter(|share| share.is_finite());
                if let Some(share) = share {
                    let mut throttling = shared.throttling.lock().unwrap_or_else(PoisonError::into_inner);
                    throttling.highest_share =
                        throttling.highest_share.map_or(Some(share), |own| Some(own.max(share)));
                }
                if let Some(date) = retry_after::date_of(headers) {
                    *shared.seen.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some((date, shared.clock.now()));
                }
                judge(call, path, &answer, shared.clock.now())
            }
            Err(error) => {
                tracing::debug!(method = %call.method, path, took_ms = took, client_request_id = %call.id, "no answer");
                judge_silence(call, path, error)
            }
        };
        Ok(verdict)
    }

    fn build(
        &self,
        call: &Call<'_>,
        path: &str,
        token: &AccessToken,
    ) -> Result<http::Request<Vec<u8>>, GraphError> {
        let unsendable = |why: String| GraphError::Unsendable { path: path.to_owned(), why };
        let base = self.base();
        let address = if call.target.starts_with('/') {
            format!("{base}{}", call.target)
        } else {
            call.target.to_owned()
        };
        let authorization = token.header().ok_or_else(|| unsendable("the token is no header".to_owned()))?;
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(address)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header("client-request-id", call.id.as_str())
            .body(call.body.map(<[u8]>::to_vec).unwrap_or_default())
            .map_err(|error| unsendable(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, authorization);
        if call.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in call.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Ok(request)
    }
}

/// The path without base and query, for errors, buckets and logs.
pub(super) fn path_of(target: &str, base: &str) -> String {
    let rest = target.strip_prefix(base).unwrap_or(target);
    rest.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
