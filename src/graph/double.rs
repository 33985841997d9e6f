//! A scripted other end, in-process: answers by rule, keeps what it was sent, and takes part in paused time.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::auth::Credential;
use super::connection::Connection;
use super::settings::{ConnectionSettings, Deadlines};
use crate::domain::{BoxFuture, Clock, Random, SecretString, Timestamp};
use crate::transport::{Transport, TransportError};

pub(crate) const BASE: &str = "https://graph.example.com";
pub(crate) const AUTHORITY: &str = "https://login.example.com";
pub(crate) const TENANT: &str = "7c1f0000-1111-4222-8333-444455556666";
pub(crate) const SECRET: &str = "STANCHCANARYSECRET";
pub(crate) const TOKEN_MARK: &str = "STANCHCANARYTOKEN";
/// When tests begin.
pub(crate) const EPOCH: &str = "2026-03-02T10:00:00Z";

pub(crate) type Request = http::Request<Vec<u8>>;

/// What the other end does.
pub(crate) enum Reply {
    Answer(http::Response<Vec<u8>>),
    NotSent,
    NoAnswer,
    /// Nothing ever comes.
    Silence,
}

/// An answer with a body.
pub(crate) fn answer(status: u16, body: &Value) -> Reply {
    raw(status, "application/json", body.to_string().as_bytes(), &[])
}

/// An answer with headers of its own.
pub(crate) fn answer_with(status: u16, body: &Value, headers: &[(&str, &str)]) -> Reply {
    raw(status, "application/json", body.to_string().as_bytes(), headers)
}

/// An answer, byte by byte.
pub(crate) fn raw(status: u16, kind: &str, body: &[u8], headers: &[(&str, &str)]) -> Reply {
    let mut response = http::Response::builder()
        .status(status)
        .header("content-type", kind)
        .header("request-id", "11111111-2222-3333-4444-555555555555");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Reply::Answer(response.body(body.to_vec()).unwrap())
}

/// A list.
pub(crate) fn list(rows: &[Value]) -> Reply {
    answer(200, &json!({ "value": rows }))
}

/// Graph's error envelope.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    answer(status, &json!({"error": {"code": code, "message": message}}))
}

/// A token's answer, the token of this number.
pub(crate) fn token(number: usize, life: u64) -> Reply {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = json!({"roles": ["User.Read.All"], "tid": TENANT}).to_string();
    let text = format!("{}.{}.{TOKEN_MARK}{number}", engine.encode("{}"), engine.encode(claims));
    answer(200, &json!({"token_type": "Bearer", "expires_in": life, "access_token": text}))
}

/// What was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

type Rule = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// The other end.
pub(crate) struct Double {
    began: Instant,
    graph: Box<Rule>,
    tokens: Box<Rule>,
    calls: Mutex<Vec<Seen>>,
    token_calls: Mutex<Vec<Seen>>,
}

impl Double {
    /// Answers Graph's calls by a rule, which is told how many came before; tokens are given freely.
    pub(crate) fn new(graph: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Self::with_tokens(graph, |number, _| token(number, 3_600))
    }

    pub(crate) fn with_tokens(
        graph: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
        tokens: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            graph: Box::new(graph),
            tokens: Box::new(tokens),
            calls: Mutex::default(),
            token_calls: Mutex::default(),
        })
    }

    pub(crate) fn connect(self: &Arc<Self>) -> Connection {
        self.connect_by(SecretString::from(SECRET))
    }

    pub(crate) fn connect_by(self: &Arc<Self>, credential: impl Into<Credential>) -> Connection {
        let transport: Arc<dyn Transport> = Arc::<Self>::clone(self);
        let settings = ConnectionSettings {
            graph_base: BASE.to_owned(),
            authority: AUTHORITY.to_owned(),
            tenant: TENANT.to_owned(),
            client_id: "aaaa0000-0000-4000-8000-000000000001".to_owned(),
            credential: credential.into(),
            deadlines: Deadlines::default(),
        };
        Connection::new(transport, Arc::new(PausedClock::default()), Arc::new(Counting::default()), settings)
    }

    /// Graph's calls so far.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.calls.lock().unwrap().clone()
    }

    /// Paths and queries of Graph's calls so far.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.calls().into_iter().map(|seen| seen.target).collect()
    }

    /// When Graph's calls came, in whole tenths of a second.
    pub(crate) fn tenths(&self) -> Vec<u128> {
        self.calls().iter().map(|seen| seen.at.as_millis() / 100).collect()
    }

    pub(crate) fn token_calls(&self) -> Vec<Seen> {
        self.token_calls.lock().unwrap().clone()
    }
}

impl Transport for Double {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>> {
        let is_token = request.uri().host() == Some("login.example.com");
        let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
        assert!(is_token || host == "graph.example.com", "{}", request.uri());
        let seen = Seen {
            at: self.began.elapsed(),
            method: request.method().to_string(),
            target: request.uri().path_and_query().unwrap().to_string(),
            headers: request.headers().clone(),
            body: String::from_utf8(request.body().clone()).unwrap(),
        };
        let (log, rule) =
            if is_token { (&self.token_calls, &self.tokens) } else { (&self.calls, &self.graph) };
        let before = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        let reply = rule(before, &request);
        Box::pin(async move {
            // As on a real wire, others get to run meanwhile.
            tokio::task::yield_now().await;
            let broken = || Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
            match reply {
                Reply::Answer(answer) => Ok(answer),
                Reply::NotSent => {
                    Err(TransportError::NotSent { host: "graph.example.com".to_owned(), source: broken() })
                }
                Reply::NoAnswer => Err(TransportError::NoAnswer {
                    method: seen.method,
                    path: seen.target.split('?').next().unwrap().to_owned(),
                    source: broken(),
                }),
                Reply::Silence => std::future::pending().await,
            }
        })
    }
}

/// Paused time as a clock.
pub(crate) struct PausedClock(Instant);

impl Default for PausedClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        EPOCH.parse::<Timestamp>().unwrap().checked_add(self.0.elapsed()).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Other bytes each time for ids, and no jitter: single bytes are zero.
#[derive(Default)]
pub(crate) struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        if let [_, .., last] = buffer {
            *last = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) const USER: &str = "0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69";

/// A user as Graph gives it.
pub(crate) fn user_row() -> Value {
    json!({
        "id": USER, "userPrincipalName": "jo.reed@contoso.com", "displayName": "Jo Reed", "mail": "jo.reed@contoso.com",
        "accountEnabled": true, "userType": "Member", "onPremisesSyncEnabled": null, "isManagementRestricted": null,
        "lastPasswordChangeDateTime": "2025-11-02T08:14:09Z", "signInSessionsValidFromDateTime": "2025-11-02T08:14:09Z",
        "createdDateTime": "2024-03-11T10:00:00Z", "proxyAddresses": ["SMTP:jo.reed@contoso.com"],
        "assignedLicenses": [{"disabledPlans": [], "skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965"}]
    })
}
