//! The identity platform's paths: which is asked for, and how its answer goes out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::form::{Asked, serves_people};
use super::refusal::Refusal;
use super::{authorize, device_code, grants, managed, metadata};
use crate::api::Reply;
use crate::serve::Incoming;
use crate::state::World;
use crate::uri;

/// What came of a request to the identity platform.
#[derive(Debug)]
pub struct Answered {
    /// Status, headers, body.
    pub reply: Reply,
    /// The app that asked.
    pub app_id: Option<String>,
    /// The form as JSON, for the journal.
    pub body: Value,
}

/// Whether a path is one of those that tokens come from.
#[must_use]
pub fn is_identity_path(path: &str) -> bool {
    let path = path.to_lowercase();
    path.ends_with("/oauth2/v2.0/token") || path.ends_with("/oauth2/v2.0/devicecode") || is_managed(&path)
}

fn is_managed(path: &str) -> bool {
    path == managed::MACHINE || path == managed::SERVICE
}

/// Answers a request to the identity platform; `None` where the path is none of its own.
#[must_use]
pub fn answer(world: &World, incoming: &Incoming) -> Option<Answered> {
    // Tokens are issued by real time, whatever the tenant's clock shows.
    let now = Timestamp::now();
    if incoming.method == "GET" && is_managed(&incoming.path) {
        let reply = managed::answer(world, incoming, now);
        return Some(Answered { reply, app_id: None, body: Value::Null });
    }
    let segments = uri::segments(&incoming.path);
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ok = |body: Value| Answered { reply: reply(200, body), app_id: None, body: Value::Null };
    match (incoming.method.as_str(), parts.as_slice()) {
        ("GET", ["common", "discovery", "instance"]) => {
            Some(ok(metadata::instance(&world.present(), &incoming.base)))
        }
        ("GET", [name, "v2.0", ".well-known", "openid-configuration"]) => {
            let configuration = metadata::openid_configuration(&world.present(), name, &incoming.base);
            Some(configuration.map_or_else(
                || {
                    let refusal = Refusal { error: "invalid_tenant", ..Refusal::no_tenant(name) };
                    let body = refusal.body(now, &world.new_id());
                    Answered { reply: reply(400, body), app_id: None, body: Value::Null }
                },
                ok,
            ))
        }
        ("GET", [name, "discovery", "v2.0", "keys"]) if serves_people(&world.present(), name) => {
            Some(ok(world.keys.key_set()))
        }
        ("GET" | "POST", [name, "oauth2", "v2.0", "authorize"]) => {
            let query = uri::pairs(&incoming.query);
            let typed = uri::pairs(&String::from_utf8_lossy(&incoming.body));
            let asked = Asked { tenant: name, form: &query, authorization: None, base: &incoming.base };
            let typed = (incoming.method == "POST").then_some(typed.as_slice());
            let app_id = asked.field("client_id").map(str::to_owned);
            Some(Answered { reply: authorize::answer(world, &asked, typed), app_id, body: Value::Null })
        }
        ("POST", [name, "oauth2", "v2.0", endpoint @ ("token" | "devicecode")]) => {
            let form = uri::pairs(&String::from_utf8_lossy(&incoming.body));
            let asked = Asked {
                tenant: name,
                form: &form,
                authorization: incoming.header("authorization"),
                base: &incoming.base,
            };
            let outcome = if *endpoint == "token" {
                grants::issue(world, &asked, now)
            } else {
                device_code::begin(world, &asked)
            };
            let reply = match outcome {
                Ok(body) => reply(200, body),
                Err(refusal) => reply(refusal.status, refusal.body(now, &world.new_id())),
            };
            let shown: Map<String, Value> =
                form.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
            let app_id = asked.field("client_id").map(str::to_owned);
            Some(Answered { reply, app_id, body: json!(shown) })
        }
        _ => None,
    }
}

fn reply(status: u16, body: Value) -> Reply {
    let headers = vec![("cache-control".to_owned(), "no-store, no-cache".to_owned())];
    Reply { status, headers, body: Some(body) }
}
