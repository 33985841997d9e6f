//! The mock as a router: latency, faults and the journal around every request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::api::Reply;
use crate::faults::Fault;
use crate::faults::answers::{Outgoing, mangle, reshape};
use crate::faults::bodies::FaultyBody;
use crate::faults::kinds::{ResetPoint, When};
use crate::faults::refusals;
use crate::foreign;
use crate::journal::{Line, redact};
use crate::keys::{KeyError, Keys};
use crate::listen::{Running, Secure};
use crate::replica::{Aftermath, span};
use crate::serve::{
    Incoming, Served, app_of_token, asks_mailbox, envelope, object_path, serve, version_and_segments,
};
use crate::state::{Settings, World};
use crate::tenant::{Tenant, TenantError};
use crate::throttle::too_many_at_once;
use crate::{batch, control, identity, uri};

/// The largest body that is read.
const MOST_BODY: usize = 8 << 20;

/// In the extensions of a response that is none: the connection is reset before it.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionReset;

/// Why the mock does not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The tenant file is refused.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// The token key is damaged.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The fault file is refused.
    #[error("the faults cannot be read: {0}")]
    Faults(#[source] serde_json::Error),
    /// The test certificate is damaged.
    #[error("the test certificate cannot be used: {0}")]
    Tls(String),
    /// No port.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// A mock tenant, ready to be served.
#[derive(Clone)]
pub struct MockGraph {
    world: Arc<World>,
}

impl MockGraph {
    /// A mock of a tenant file, behaving as the file says and no worse.
    ///
    /// # Errors
    /// When the file is refused.
    pub fn from_json(tenant: &str) -> Result<Self, MockError> {
        Self::with_settings(tenant, Settings::default())
    }

    /// A mock of a tenant file with latency, lag, limits, seed.
    ///
    /// # Errors
    /// When the file is refused.
    pub fn with_settings(tenant: &str, settings: Settings) -> Result<Self, MockError> {
        Self::of(Tenant::from_json(tenant)?, settings)
    }

    /// The same of a file that has been parsed already.
    ///
    /// # Errors
    /// When the file is refused.
    pub fn from_value(tenant: Value, settings: Settings) -> Result<Self, MockError> {
        Self::of(Tenant::from_value(tenant)?, settings)
    }

    fn of(mut tenant: Tenant, settings: Settings) -> Result<Self, MockError> {
        tenant.settle();
        let base = tenant.clock.unwrap_or_else(jiff::Timestamp::now);
        Ok(Self { world: Arc::new(World::new(tenant, Keys::load()?, settings, base)) })
    }

    /// Sets the fault rules, as a PUT to `/_mock/faults` does.
    ///
    /// # Errors
    /// When a key or kind is unknown.
    pub fn set_faults(&self, faults: &str) -> Result<(), MockError> {
        self.world.set_faults(serde_json::from_str(faults).map_err(MockError::Faults)?);
        Ok(())
    }

    /// The router, for use without sockets.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(&self.world))
    }

    /// Serves on a loopback port of the system's choice.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(&self) -> Result<Running, MockError> {
        self.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Serves on an address.
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub async fn listen(&self, address: SocketAddr) -> Result<Running, MockError> {
        crate::listen::listen(self.router(), address, false).await
    }

    /// Serves on an address by TLS, with [`crate::listen::CERTIFICATE`].
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub async fn listen_by_tls(&self, address: SocketAddr) -> Result<Running, MockError> {
        crate::listen::listen(self.router(), address, true).await
    }
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Result<Response<Body>, Infallible> {
    Ok(respond(&world, request).await)
}

async fn respond(world: &Arc<World>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let header = |name: &HeaderName, value: &HeaderValue| {
        (name.as_str().to_lowercase(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| header(name, value)).collect();
    let host = headers
        .iter()
        .find(|(name, _)| name == "host")
        .map(|(_, value)| value.clone())
        .or_else(|| parts.uri.authority().map(ToString::to_string))
        .unwrap_or_else(|| "127.0.0.1".to_owned());
    let scheme = if parts.extensions.get::<Secure>().is_some() { "https" } else { "http" };
    let body = to_bytes(body, MOST_BODY).await.unwrap_or_else(|_| Bytes::new());
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
        base: format!("{scheme}://{host}"),
    };
    world.settle();
    if incoming.path.starts_with("/_mock") {
        let answer = control::answer(world, &incoming.method, &incoming.path, &incoming.body);
        return plain(answer.status, answer.content_type, answer.body);
    }
    let arrival = Arrival { seq: world.next_seq(), time: world.clock.now(), start_ms: world.clock.millis() };
    // A request to a mailbox is open from its arrival to its answer.
    let app = if world.settings.enforce_throttling { asks_mailbox(world, &incoming) } else { None };
    let open = app.map(|app| world.enter_mailbox(&app));
    if !world.settings.latency.is_zero() {
        tokio::time::sleep(world.settings.latency).await;
    }
    let fault = world.fault(&incoming.method, &incoming.path);
    if let Some(Fault::Delay { ms }) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(None) = open {
        let outcome = refusal(world, &incoming, &too_many_at_once(), None);
        world.keep(outcome.line(world, &incoming, arrival, None));
        return render(world, &incoming, outcome.reply, None, false);
    }
    let outcome = handle(world, &incoming, fault.as_ref());
    let mut line = outcome.line(world, &incoming, arrival, None);
    let is_silent = matches!(fault, Some(Fault::Timeout { .. }));
    if is_silent || matches!(fault, Some(Fault::ResetBeforeCommit {} | Fault::ResetAfterCommit { .. })) {
        line.status = 0;
    }
    world.keep(line);
    if is_silent {
        // The caller gives up, or the connection does.
        std::future::pending::<()>().await;
    }
    render(world, &incoming, outcome.reply, fault.as_ref(), outcome.is_token)
}

/// When and where in the order a request came.
#[derive(Clone, Copy)]
struct Arrival {
    seq: u64,
    time: jiff::Timestamp,
    start_ms: u64,
}

struct Outcome {
    reply: Reply,
    write: bool,
    known: bool,
    app_id: Option<String>,
    body: Value,
    is_token: bool,
}

impl Outcome {
    fn of(served: Served) -> Self {
        Self {
            reply: served.reply,
            write: served.write,
            known: served.known,
            app_id: served.app_id,
            body: served.body,
            is_token: false,
        }
    }

    /// The journal's line of it.
    fn line(&self, world: &World, incoming: &Incoming, arrival: Arrival, batch_id: Option<String>) -> Line {
        Line {
            seq: arrival.seq,
            time: arrival.time,
            start_ms: arrival.start_ms,
            end_ms: world.clock.millis(),
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            query: incoming.query.clone(),
            app_id: self.app_id.clone(),
            status: self.reply.status,
            body: redact(&self.body),
            write: self.write,
            known: self.known,
            batch_id,
        }
    }
}

/// Serves one request, or a part of a batch, with what a fault does before, in place of and after it.
fn handle(world: &Arc<World>, incoming: &Incoming, fault: Option<&Fault>) -> Outcome {
    if let Some(fault) = fault {
        before(world, incoming, fault);
    }
    let mut outcome = match fault.and_then(refusals::instead) {
        Some(fail) => refusal(world, incoming, &fail, fault),
        None => process(world, incoming, Aftermath::of(fault)),
    };
    let Some(fault) = fault else {
        outcome.reply = reshape(incoming, outcome.reply, None);
        return outcome;
    };
    if outcome.reply.status < 400 {
        after(world, incoming, &mut outcome, fault);
    }
    outcome.reply = reshape(incoming, outcome.reply, Some(fault));
    outcome
}

/// What a fault sets going before the request is looked at.
fn before(world: &Arc<World>, incoming: &Incoming, fault: &Fault) {
    match fault {
        Fault::ForeignEdit(edit) if edit.when == When::Before => {
            world.edit(|tenant| foreign::edit(tenant, edit));
        }
        Fault::Failover { seconds } => world.fail_over(span(*seconds)),
        Fault::DisablePrincipal { ends_tokens } => {
            if let Some(app) = asking_app(world, incoming) {
                world.edit(|tenant| crate::handlers::applications::disable(tenant, &app));
                if *ends_tokens {
                    world.end_tokens(&app);
                }
            }
        }
        _ => {}
    }
}

/// What a fault sets going once the request is done.
fn after(world: &Arc<World>, incoming: &Incoming, outcome: &mut Outcome, fault: &Fault) {
    match fault {
        Fault::ForeignEdit(edit) if edit.when == When::After => {
            world.edit(|tenant| foreign::edit(tenant, edit));
        }
        Fault::NotFoundYet { seconds } => {
            let made = outcome.reply.body.as_ref().and_then(|body| body.get("id")).and_then(Value::as_str);
            if let Some(id) = made.filter(|_| outcome.reply.status == 201) {
                world.hide(format!("{}/{id}", object_path(&incoming.path)), span(*seconds));
            }
        }
        Fault::TokenClaims { set } if outcome.is_token => {
            if let Some(token) = outcome.reply.body.as_mut().and_then(|body| body.get_mut("access_token")) {
                *token = world.keys.altered(token.as_str().unwrap_or_default(), set).into();
            }
        }
        _ => {
            if let Some(fail) = refusals::afterwards(fault) {
                outcome.reply = refusals::reply(world, incoming, &fail, Some(fault), outcome.is_token);
            }
        }
    }
}

/// The app that asks: by its token, or at the token endpoint by its form.
fn asking_app(world: &World, incoming: &Incoming) -> Option<String> {
    if identity::is_identity_path(&incoming.path) {
        let form = uri::pairs(&String::from_utf8_lossy(&incoming.body));
        return form.into_iter().find(|(key, _)| key == "client_id").map(|(_, value)| value);
    }
    app_of_token(world, incoming)
}

/// An answer that is none of the route's own.
fn refusal(world: &World, incoming: &Incoming, fail: &crate::api::Fail, fault: Option<&Fault>) -> Outcome {
    let routed = version_and_segments(&incoming.path)
        .map(|(version, segments)| crate::routes::find(&incoming.method, version, &segments));
    let is_token = identity::is_identity_path(&incoming.path);
    Outcome {
        reply: refusals::reply(world, incoming, fail, fault, is_token),
        write: matches!(&routed, Some(crate::routes::Found::Route(route, _)) if route.write),
        known: is_token || !matches!(routed, Some(crate::routes::Found::Unknown)),
        app_id: asking_app(world, incoming),
        body: if is_token {
            form_of(incoming)
        } else {
            serde_json::from_slice(&incoming.body).unwrap_or(Value::Null)
        },
        is_token,
    }
}

/// The form of a token request, as the journal shows it.
fn form_of(incoming: &Incoming) -> Value {
    let form = uri::pairs(&String::from_utf8_lossy(&incoming.body));
    Value::Object(form.into_iter().map(|(key, value)| (key, value.into())).collect())
}

fn process(world: &Arc<World>, incoming: &Incoming, aftermath: Option<Aftermath>) -> Outcome {
    if let Some(outcome) = of_identity(world, incoming) {
        return outcome;
    }
    let is_batch = version_and_segments(&incoming.path).is_some_and(|(_, segments)| {
        segments.len() == 1 && segments.iter().any(|segment| segment == "$batch")
    });
    if is_batch && incoming.method == "POST" {
        return run_batch(world, incoming);
    }
    Outcome::of(serve(world, incoming, aftermath))
}

/// The identity platform's own paths.
fn of_identity(world: &Arc<World>, incoming: &Incoming) -> Option<Outcome> {
    let answered = identity::answer(world, incoming)?;
    Some(Outcome {
        reply: answered.reply,
        write: false,
        known: true,
        app_id: answered.app_id,
        body: answered.body,
        is_token: true,
    })
}

fn run_batch(world: &Arc<World>, incoming: &Incoming) -> Outcome {
    let body = serde_json::from_slice(&incoming.body).unwrap_or(Value::Null);
    let outer = |reply: Reply, write: bool, app_id: Option<String>| Outcome {
        reply,
        write,
        known: true,
        app_id,
        body: body.clone(),
        is_token: false,
    };
    let parts = match batch::parse(&incoming.body) {
        Ok(parts) => parts,
        Err(fail) => return outer(envelope(world, incoming, &fail), false, None),
    };
    let id = world.new_id();
    let mut responses = Vec::new();
    let mut failed: Vec<String> = Vec::new();
    let (mut writes, mut caller) = (false, None);
    for part in &parts {
        if part.depends_on.iter().any(|need| failed.contains(&need.to_lowercase())) {
            failed.push(part.id.to_lowercase());
            responses.push(batch::failed_dependency(&part.id));
            continue;
        }
        let inner = batch::incoming(incoming, part);
        let fault = world.fault(&inner.method, &inner.path);
        let arrival =
            Arrival { seq: world.next_seq(), time: world.clock.now(), start_ms: world.clock.millis() };
        let mut outcome = handle(world, &inner, fault.as_ref());
        // A part has no connection of its own that could break.
        outcome.reply.status = match outcome.reply.status {
            599 => 503,
            status => status,
        };
        writes = writes || outcome.write;
        caller = caller.or_else(|| outcome.app_id.clone());
        if outcome.reply.status >= 400 {
            failed.push(part.id.to_lowercase());
        }
        responses.push(batch::response(
            &part.id,
            outcome.reply.status,
            &outcome.reply.headers,
            outcome.reply.body.as_ref(),
        ));
        world.keep(outcome.line(world, &inner, arrival, Some(id.clone())));
    }
    // Responses come in any order: the last one first keeps clients honest.
    responses.reverse();
    outer(Reply::ok(json!({ "responses": responses })), writes, caller)
}

fn render(
    world: &World,
    incoming: &Incoming,
    reply: Reply,
    fault: Option<&Fault>,
    is_token: bool,
) -> Response<Body> {
    let content_type = match (&reply.body, is_token) {
        (Some(Value::String(_)), _) => "text/html",
        (_, true) => "application/json; charset=utf-8",
        (_, false) => {
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
    };
    let body = match reply.body {
        None => Vec::new(),
        Some(Value::String(page)) => page.into_bytes(),
        Some(body) => body.to_string().into_bytes(),
    };
    let mut outgoing = Outgoing {
        status: reply.status,
        content_type: content_type.to_owned(),
        body,
        length: None,
        reset: None,
        pace: None,
    };
    mangle(&mut outgoing, fault);
    let length = outgoing.length.or(outgoing.reset.map(|_| outgoing.body.len()));
    let half = outgoing.body.len() / 2;
    let body = match (outgoing.reset, outgoing.pace) {
        (Some(ResetPoint::BeforeHeaders), _) => return reset(),
        (Some(ResetPoint::AfterHeaders), _) => FaultyBody::broken(outgoing.body, 0),
        (Some(ResetPoint::MidBody), _) => FaultyBody::broken(outgoing.body, half),
        (None, Some(pace)) => FaultyBody::slow(&outgoing.body, pace),
        (None, None) if length.is_some() => FaultyBody::plain(outgoing.body),
        (None, None) => Body::from(outgoing.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(outgoing.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    if outgoing.status != 204 {
        set("content-type", &outgoing.content_type);
    }
    if let Some(length) = length {
        set("content-length", &length.to_string());
    }
    match fault {
        Some(Fault::DateAbsent {}) => {}
        Some(Fault::DateSkew { seconds }) => set("date", &world.clock.http_date_off(*seconds)),
        _ => set("date", &world.clock.http_date()),
    }
    set("request-id", &world.new_id());
    if let Some(client) = incoming.header("client-request-id") {
        set("client-request-id", client);
    }
    set(
        "x-ms-ags-diagnostic",
        "{\"ServerInfo\":{\"DataCenter\":\"Mock\",\"Slice\":\"E\",\"Ring\":\"1\",\"ScaleUnit\":\"000\",\"RoleInstance\":\"MOCK0001\"}}",
    );
    set("strict-transport-security", "max-age=31536000");
    for (name, value) in &reply.headers {
        set(name, value);
    }
    response
}

/// The end of a connection without an answer.
fn reset() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(ConnectionReset);
    response
}

fn plain(status: u16, content_type: &str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert("content-type", value);
    }
    response
}
