//! The mock as a router and as a server on a loopback port: latency, faults and the journal around every request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::Reply;
use crate::faults::Fault;
use crate::journal::{Line, redact};
use crate::keys::{KeyError, Keys};
use crate::serve::{Incoming, Served, asks_mailbox, envelope, serve, throttled, version_and_segments};
use crate::state::{Settings, World};
use crate::tenant::{Tenant, TenantError};
use crate::throttle::too_many_at_once;
use crate::token::{self, TokenRequest};
use crate::{batch, control, uri};

/// The largest body that is read.
const MOST_BODY: usize = 8 << 20;
/// Reads see the state before for ever.
const FOR_EVER: Duration = Duration::from_hours(10 * 365 * 24);

/// In the extensions of a response that is none: the connection is reset. Over a socket the body breaks off.
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
        let mut tenant = Tenant::from_json(tenant)?;
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
        let failed = |source| MockError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = self.router();
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async move {
                    // A dropped sender stops it as well as a sent word.
                    let _word = stopped.await;
                })
                .await
        });
        Ok(Running { address, _stop: stop, task })
    }
}

/// A mock that listens. It stops when dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the server ends by itself.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn wait(self) -> std::io::Result<()> {
        self.task.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
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
    let body = to_bytes(body, MOST_BODY).await.unwrap_or_else(|_| Bytes::new());
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
        base: format!("http://{host}"),
    };
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
        let outcome = refusal(world, &incoming, &too_many_at_once());
        world.keep(outcome.line(world, &incoming, arrival, None));
        return render(world, &incoming, outcome.reply, None, false);
    }
    handle(world, &incoming, arrival, fault.as_ref())
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

fn handle(
    world: &Arc<World>,
    incoming: &Incoming,
    arrival: Arrival,
    fault: Option<&Fault>,
) -> Response<Body> {
    let outcome = fault
        .and_then(|fault| instead(world, incoming, fault))
        .unwrap_or_else(|| process(world, incoming, fault));
    let is_reset = matches!(fault, Some(Fault::ResetBeforeCommit {} | Fault::ResetAfterCommit {}));
    let mut line = outcome.line(world, incoming, arrival, None);
    if is_reset {
        line.status = 0;
    }
    world.keep(line);
    if is_reset {
        return reset();
    }
    let reply = after(incoming, outcome.reply, fault);
    render(world, incoming, reply, fault, outcome.is_token)
}

/// What a fault answers instead of serving the request.
fn instead(world: &Arc<World>, incoming: &Incoming, fault: &Fault) -> Option<Outcome> {
    let fail = match fault {
        Fault::Throttle { retry_after } => throttled(retry_after.as_ref().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })),
        Fault::Status { status, code } => crate::api::Fail::new(
            *status,
            code.clone().unwrap_or_else(|| "UnknownError".to_owned()),
            "The fault rules of the mock say so.",
        ),
        Fault::ExpireToken {} => crate::api::Fail::new(
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        ),
        Fault::ClaimsChallenge {} => {
            let mut fail = crate::api::Fail::new(
                401,
                "InvalidAuthenticationToken",
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
            );
            fail.headers.push((
                "www-authenticate".to_owned(),
                "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcwMTEwMTIyIn19fQ==\"".to_owned(),
            ));
            fail
        }
        Fault::ResetBeforeCommit {} => crate::api::Fail::new(599, "", ""),
        Fault::ResetAfterCommit {}
        | Fault::Delay { .. }
        | Fault::Truncate { .. }
        | Fault::WrongContentType {}
        | Fault::StaleReads { .. }
        | Fault::RepeatPage {}
        | Fault::LoopNextLink {} => return None,
    };
    Some(refusal(world, incoming, &fail))
}

/// An answer that is none of the route's own.
fn refusal(world: &World, incoming: &Incoming, fail: &crate::api::Fail) -> Outcome {
    let routed = version_and_segments(&incoming.path)
        .map(|(version, segments)| crate::routes::find(&incoming.method, version, &segments));
    let write = matches!(&routed, Some(crate::routes::Found::Route(route, _)) if route.write);
    Outcome {
        reply: envelope(world, incoming, fail),
        write,
        known: !matches!(routed, Some(crate::routes::Found::Unknown)),
        app_id: None,
        body: serde_json::from_slice(&incoming.body).unwrap_or(Value::Null),
        is_token: is_token_path(&incoming.path),
    }
}

fn is_token_path(path: &str) -> bool {
    path.to_lowercase().ends_with("/oauth2/v2.0/token")
}

fn process(world: &Arc<World>, incoming: &Incoming, fault: Option<&Fault>) -> Outcome {
    let stale_for = match fault {
        Some(Fault::StaleReads { seconds }) => Some(Duration::from_secs(*seconds).min(FOR_EVER)),
        _ => None,
    };
    if let Some(outcome) = identity(world, incoming) {
        return outcome;
    }
    let is_batch = version_and_segments(&incoming.path).is_some_and(|(_, segments)| {
        segments.len() == 1 && segments.iter().any(|segment| segment == "$batch")
    });
    if is_batch && incoming.method == "POST" {
        return run_batch(world, incoming, stale_for);
    }
    Outcome::of(serve(world, incoming, stale_for))
}

/// The identity platform's own paths.
fn identity(world: &Arc<World>, incoming: &Incoming) -> Option<Outcome> {
    let segments = uri::segments(&incoming.path);
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let tenant = world.present();
    let outcome = |status: u16, body: Value, shown: Value, app_id: Option<String>| Outcome {
        reply: Reply {
            status,
            headers: vec![("cache-control".to_owned(), "no-store, no-cache".to_owned())],
            body: Some(body),
        },
        write: false,
        known: true,
        app_id,
        body: shown,
        is_token: true,
    };
    match (incoming.method.as_str(), parts.as_slice()) {
        ("POST", [name, "oauth2", "v2.0", "token"]) => {
            let form = uri::pairs(&String::from_utf8_lossy(&incoming.body));
            let request = TokenRequest {
                tenant: name,
                form: &form,
                authorization: incoming.header("authorization"),
                base: &incoming.base,
            };
            let answer =
                token::answer(&tenant, &world.keys, &request, jiff::Timestamp::now(), &world.new_id());
            let shown: serde_json::Map<String, Value> =
                form.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
            let app_id = form.iter().find(|(key, _)| key == "client_id").map(|(_, value)| value.clone());
            Some(outcome(answer.status, answer.body, Value::Object(shown), app_id))
        }
        ("GET", [name, "v2.0", ".well-known", "openid-configuration"]) => {
            if token::serves(&tenant, name) {
                Some(outcome(200, token::openid_configuration(&tenant, &incoming.base), Value::Null, None))
            } else {
                let body = json!({
                    "error": "invalid_tenant", "error_codes": [90002],
                    "error_description": format!("AADSTS90002: Tenant '{name}' not found.")
                });
                Some(outcome(400, body, Value::Null, None))
            }
        }
        ("GET", [name, "discovery", "v2.0", "keys"]) if token::serves(&tenant, name) => {
            Some(outcome(200, world.keys.key_set(), Value::Null, None))
        }
        _ => None,
    }
}

fn run_batch(world: &Arc<World>, incoming: &Incoming, stale_for: Option<Duration>) -> Outcome {
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
        let outcome = fault
            .as_ref()
            .and_then(|fault| instead(world, &inner, fault))
            .unwrap_or_else(|| Outcome::of(serve(world, &inner, stale_for)));
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

/// What a fault does to the answer.
fn after(incoming: &Incoming, mut reply: Reply, fault: Option<&Fault>) -> Reply {
    let own_link = || {
        let query = if incoming.query.is_empty() { String::new() } else { format!("?{}", incoming.query) };
        format!("{}{}{query}", incoming.base, incoming.path)
    };
    let is_collection =
        reply.body.as_ref().is_some_and(|body| body.get("value").is_some_and(Value::is_array));
    if is_collection && let Some(entries) = reply.body.as_mut().and_then(Value::as_object_mut) {
        match fault {
            Some(Fault::RepeatPage {}) => {
                entries.entry("@odata.nextLink").or_insert_with(|| own_link().into());
            }
            Some(Fault::LoopNextLink {}) => {
                entries.insert("@odata.nextLink".to_owned(), own_link().into());
            }
            _ => {}
        }
    }
    reply
}

fn render(
    world: &World,
    incoming: &Incoming,
    reply: Reply,
    fault: Option<&Fault>,
    is_token: bool,
) -> Response<Body> {
    let mut content_type = if is_token {
        "application/json; charset=utf-8"
    } else {
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    };
    let mut body = reply.body.map(|body| body.to_string()).unwrap_or_default();
    let mut status = reply.status;
    match fault {
        Some(Fault::Truncate { bytes }) => {
            let mut end = (*bytes).min(body.len());
            while !body.is_char_boundary(end) {
                end -= 1;
            }
            body.truncate(end);
        }
        Some(Fault::WrongContentType {}) => {
            content_type = "text/html";
            "<html><body><h1>Proxy</h1></body></html>".clone_into(&mut body);
            status = 200;
        }
        _ => {}
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    if status != 204 {
        set("content-type", content_type);
    }
    set("date", &world.clock.http_date());
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
    let mut response = Response::new(Body::new(BrokenBody));
    response.headers_mut().insert("content-length", HeaderValue::from_static("1000"));
    response.extensions_mut().insert(ConnectionReset);
    response
}

/// A body that breaks off before its first byte.
struct BrokenBody;

impl http_body::Body for BrokenBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let error = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by the fault rules");
        std::task::Poll::Ready(Some(Err(error)))
    }
}

fn plain(status: u16, content_type: &str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert("content-type", value);
    }
    response
}
