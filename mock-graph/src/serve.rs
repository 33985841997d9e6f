//! One Graph request from its bytes to its answer: token, route, permission, handler, envelope.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Call, Caller, Fail, Handler, Reply, Version};
use crate::faults::refusals::claims_challenge;
use crate::handlers::method_kinds;
use crate::replica::Aftermath;
use crate::routes::{Found, Permissions, Route, Service, find};
use crate::state::World;
use crate::throttle::{Asked, Bucket, Size, units};
use crate::uri;
use crate::{delegated, identity};

/// A Graph request, as it came.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Method.
    pub method: String,
    /// Path with version, not decoded.
    pub path: String,
    /// Query, not decoded.
    pub query: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// The address that it came to.
    pub base: String,
}

impl Incoming {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Served {
    /// Status, headers, body.
    pub reply: Reply,
    /// Whether the route writes.
    pub write: bool,
    /// Whether the path is known.
    pub known: bool,
    /// Who called.
    pub app_id: Option<String>,
    /// The body as JSON, for the journal.
    pub body: Value,
}

/// The version and the decoded segments of a Graph path; `None` where it has no version.
#[must_use]
pub fn version_and_segments(path: &str) -> Option<(Version, Vec<String>)> {
    let mut segments = uri::segments(path);
    if segments.is_empty() {
        return None;
    }
    let version = match segments.remove(0).to_lowercase().as_str() {
        "v1.0" => Version::V1,
        "beta" => Version::Beta,
        _ => return None,
    };
    Some((version, segments))
}

/// Serves one request. `aftermath`: what follows on it, where it is a write.
pub fn serve(world: &Arc<World>, incoming: &Incoming, aftermath: Option<Aftermath>) -> Served {
    let body = parse_body(incoming);
    let mut served = Served {
        reply: Reply::no_content(),
        write: false,
        known: true,
        app_id: None,
        body: body.clone().unwrap_or(Value::Null),
    };
    let outcome = run(world, incoming, body, aftermath, &mut served);
    served.reply = match outcome {
        Ok(reply) => reply,
        Err(fail) => envelope(world, incoming, &fail),
    };
    served
}

fn parse_body(incoming: &Incoming) -> Result<Value, Fail> {
    if incoming.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&incoming.body).map_err(|_| {
        Fail::new(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
    })
}

fn run(
    world: &Arc<World>,
    incoming: &Incoming,
    body: Result<Value, Fail>,
    aftermath: Option<Aftermath>,
    served: &mut Served,
) -> Result<Reply, Fail> {
    let Some((version, mut segments)) = version_and_segments(&incoming.path) else {
        served.known = false;
        return Err(Fail::new(404, "BadRequest", "Invalid version."));
    };
    // `/me` is the person who signed in.
    let is_me = segments.first().is_some_and(|first| first == "me");
    if is_me {
        segments.insert(0, "users".to_owned());
    }
    let found = find(&incoming.method, version, &segments);
    if let Found::Route(route, _) = &found {
        served.write = route.write;
    }
    served.known = !matches!(found, Found::Unknown);
    let caller = identity::caller_of(
        &world.present(),
        &world.keys,
        incoming.header("authorization"),
        jiff::Timestamp::now(),
    )?;
    served.app_id = Some(caller.app_id.clone());
    if world.has_ended(&caller.app_id) {
        return Err(claims_challenge());
    }
    let body = body?;
    if matches!(incoming.method.as_str(), "POST" | "PATCH" | "PUT")
        && !incoming.body.is_empty()
        && !incoming.header("content-type").unwrap_or_default().to_lowercase().starts_with("application/json")
    {
        return Err(Fail::new(415, "UnsupportedMediaType", "Content-Type must be application/json."));
    }
    let (route, variable) = match found {
        Found::Route(route, variable) => (route, delegated::own_id(variable, is_me, &caller)?),
        Found::WrongMethod => {
            return Err(Fail::new(
                405,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.",
            ));
        }
        Found::BetaOnly | Found::Unknown => return Err(no_segment(&segments)),
    };
    let query = uri::pairs(&incoming.query);
    let counted = count(world, route, &variable, &query, &caller)?;
    permit(route, &variable, &caller)?;
    delegated::permit(&world.present(), route, &variable, &caller)?;
    if world.hides(&object_path(&incoming.path)) {
        return Err(route.service.missing(segments.last().map_or("", String::as_str)));
    }
    let call = Call {
        version,
        segments: variable,
        query,
        headers: incoming.headers.clone(),
        body,
        caller,
        now: world.clock.now(),
        base: incoming.base.clone(),
        path: incoming.path.clone(),
        new_id: world.new_id(),
    };
    let mut reply = match route.handler {
        // Exchange reads its own writes at once (identity.md 7.1).
        Handler::Read(handler) => world.view(route.service != Service::Exchange).read(handler, &call),
        Handler::Write(_) if world.is_failing_over() => {
            Err(Fail::new(503, "serviceNotAvailable", "The service is failing over to another region."))
        }
        Handler::Write(handler) => world.change(aftermath, |tenant| handler(tenant, &call)),
    }?;
    reply.headers.extend(counted);
    Ok(reply)
}

/// A path without its version, decoded: what an object goes by in both.
#[must_use]
pub fn object_path(path: &str) -> String {
    uri::segments(path).get(1..).unwrap_or_default().join("/")
}

/// Counts the request against the published limits, and tells what it cost.
fn count(
    world: &World,
    route: &Route,
    variable: &[String],
    query: &[(String, String)],
    caller: &Caller,
) -> Result<Vec<(String, String)>, Fail> {
    let tenant = world.present();
    let bucket = route.bucket();
    let asked = Asked {
        bucket,
        app_id: &caller.app_id,
        tenant_id: &tenant.tenant.id,
        mailbox: variable.first().map_or("", String::as_str),
        units: units(route.method, route.path, query),
        write: route.write,
        size: Size::of(tenant.users.len()),
    };
    let mut headers = world.count(&asked)?;
    if bucket == Bucket::Directory {
        headers.push(("x-ms-resource-unit".to_owned(), asked.units.to_string()));
    }
    Ok(headers)
}

/// The app that a request's token speaks for, where the token is good.
#[must_use]
pub fn app_of_token(world: &World, incoming: &Incoming) -> Option<String> {
    let header = incoming.header("authorization");
    identity::caller_of(&world.present(), &world.keys, header, jiff::Timestamp::now())
        .ok()
        .map(|caller| caller.app_id)
}

/// The app that asks for something of a mailbox, where it is one and the token is good.
#[must_use]
pub fn asks_mailbox(world: &World, incoming: &Incoming) -> Option<String> {
    let (version, segments) = version_and_segments(&incoming.path)?;
    match find(&incoming.method, version, &segments) {
        Found::Route(route, _) if route.service == Service::Exchange => app_of_token(world, incoming),
        _ => None,
    }
}

/// The refusal of a throttled request.
#[must_use]
pub fn throttled(retry_after: Option<String>) -> Fail {
    let mut fail = Fail::new(429, "TooManyRequests", "Too many requests.").with_inner("Please retry after");
    fail.headers.extend(retry_after.map(|text| ("retry-after".to_owned(), text)));
    fail
}

fn no_segment(segments: &[String]) -> Fail {
    let segment = segments.last().map_or("", String::as_str);
    Fail::new(404, "BadRequest", format!("Resource not found for the segment '{segment}'."))
}

/// Whether the caller may call the route.
fn permit(route: &Route, variable: &[String], caller: &Caller) -> Result<(), Fail> {
    let (allowed, wanted) = match route.permissions {
        Permissions::ByBody => (true, String::new()),
        Permissions::Delegated(sets) => (
            caller.user_id.is_some()
                && sets.iter().any(|set| set.iter().all(|permission| caller.holds(permission))),
            sets.first().map(|set| set.join(",")).unwrap_or_default(),
        ),
        Permissions::AnyOf(sets) => (
            sets.iter().any(|set| set.iter().all(|permission| caller.holds(permission))),
            sets.first().map(|set| set.join(",")).unwrap_or_default(),
        ),
        Permissions::ByKind(access) => {
            let kind = variable.get(1).and_then(|collection| method_kinds::permission_kind(collection));
            let writes = access == "ReadWrite";
            let general = caller.holds("UserAuthenticationMethod.ReadWrite.All")
                || (!writes && caller.holds("UserAuthenticationMethod.Read.All"));
            let own = kind.is_some_and(|kind| {
                caller.holds(&format!("UserAuthMethod-{kind}.ReadWrite.All"))
                    || (!writes && caller.holds(&format!("UserAuthMethod-{kind}.Read.All")))
            });
            (general || own, format!("UserAuthenticationMethod.{access}.All"))
        }
    };
    if allowed { Ok(()) } else { Err(route.service.forbidden(&wanted)) }
}

/// Graph's error envelope.
pub fn envelope(world: &World, incoming: &Incoming, fail: &Fail) -> Reply {
    let request_id = world.new_id();
    let client = incoming.header("client-request-id").map_or_else(|| request_id.clone(), str::to_owned);
    let mut inner = json!({
        "date": world.clock.now().strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "request-id": request_id, "client-request-id": client
    });
    if let (Some(message), Some(entries)) = (&fail.inner, inner.as_object_mut()) {
        entries.insert("message".to_owned(), message.clone().into());
    }
    let mut headers = fail.headers.clone();
    headers.push(("request-id".to_owned(), request_id));
    Reply {
        status: fail.status,
        headers,
        body: Some(json!({ "error": { "code": fail.code, "message": fail.message, "innerError": inner } })),
    }
}
