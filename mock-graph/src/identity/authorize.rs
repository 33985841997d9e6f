//! Signing in with a browser: a page that asks for name and password, and the redirect with a code. The second factor is
//! taken as given.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::client;
use super::form::{Asked, serves_people};
use super::person::{self, Origin};
use super::refusal::Refusal;
use super::scope;
use super::sessions::{AuthorizationCode, Session};
use crate::api::Reply;
use crate::state::World;
use crate::tenant::Application;
use crate::uri::encode;

/// How long a code is good for.
const LIFETIME: Duration = Duration::from_mins(10);

/// Answers a request for the page, or, with name and password in the body, the sign-in on it. What is wrong with the
/// request stands on the page; what goes wrong with the sign-in too.
pub(super) fn answer(world: &World, query: &Asked<'_>, typed: Option<&[(String, String)]>) -> Reply {
    match sign_in(world, query, typed) {
        Ok(Some(address)) => {
            Reply { status: 302, headers: vec![("location".to_owned(), address)], body: Some("".into()) }
        }
        Ok(None) => page(200, ""),
        Err(refusal) => {
            let number = refusal.code.map(|code| format!("AADSTS{code}: ")).unwrap_or_default();
            page(if typed.is_some() { 200 } else { 400 }, &format!("{number}{}", refusal.text))
        }
    }
}

fn page(status: u16, error: &str) -> Reply {
    let error = error.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body><p role=\"alert\">{error}</p>\
         <form method=\"post\"><label>Name <input name=\"login\"></label><label>Password <input name=\"passwd\" \
         type=\"password\"></label><button>Sign in</button></form></body></html>"
    );
    Reply { status, headers: Vec::new(), body: Some(body.into()) }
}

/// The address to go to with the code; none where nobody has typed anything yet.
fn sign_in(
    world: &World,
    query: &Asked<'_>,
    typed: Option<&[(String, String)]>,
) -> Result<Option<String>, Refusal> {
    let tenant = world.present();
    if !serves_people(&tenant, query.tenant) {
        return Err(Refusal::no_tenant(query.tenant));
    }
    let application = client::named(&tenant, query)?;
    let redirect_uri = query.need("redirect_uri")?;
    if !application.redirect_uris.iter().any(|own| fits(own, redirect_uri)) {
        return Err(Refusal::invalid_request(
            50011,
            format!(
                "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{}'.",
                application.app_id
            ),
        ));
    }
    if query.need("response_type")? != "code" {
        return Err(Refusal::new(
            400,
            "unsupported_response_type",
            700_054,
            "response_type is not enabled for the application.",
        ));
    }
    let granted = scope::of_person(application, query.need("scope")?, query.base)?;
    let Some(typed) = typed else { return Ok(None) };
    let field =
        |name: &str| typed.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let user = tenant
        .user(field("login"))
        .ok_or_else(|| Refusal::invalid_grant(50034, "The user account does not exist in the directory."))?;
    let id = user.get("id").and_then(Value::as_str).unwrap_or_default();
    if tenant.passwords.get(id).map(String::as_str) != Some(field("passwd")) {
        return Err(Refusal::invalid_grant(
            50126,
            "Error validating credentials due to invalid username or password.",
        ));
    }
    person::sign_in(world, application, user, Origin::browser())?;
    let session = Session {
        client_id: application.app_id.clone(),
        user_id: id.to_owned(),
        granted,
        signed_in_at: world.clock.now(),
        nonce: query.field("nonce").map(str::to_owned),
    };
    Ok(Some(redirect(world, query, application, redirect_uri, session)))
}

fn redirect(
    world: &World,
    query: &Asked<'_>,
    application: &Application,
    redirect_uri: &str,
    session: Session,
) -> String {
    let code = format!("1.{}.{}", application.app_id, world.new_id().replace('-', ""));
    let method = query.field("code_challenge_method").unwrap_or("plain").to_owned();
    let held = AuthorizationCode {
        session,
        redirect_uri: redirect_uri.to_owned(),
        challenge: query.field("code_challenge").map(|challenge| (method, challenge.to_owned())),
        expires_at: Instant::now() + LIFETIME,
        is_used: false,
    };
    world.sessions().codes.insert(code.clone(), held);
    let mark = if redirect_uri.contains('?') { '&' } else { '?' };
    let state = query.field("state").map(|state| format!("&state={}", encode(state))).unwrap_or_default();
    format!("{redirect_uri}{mark}code={}{state}", encode(&code))
}

/// Whether an address is the registered one; on this machine the port may be any.
fn fits(registered: &str, asked: &str) -> bool {
    let without_port = |address: &str| {
        let rest =
            address.strip_prefix("http://localhost").or_else(|| address.strip_prefix("http://127.0.0.1"))?;
        let port =
            rest.strip_prefix(':').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        Some(port.trim_end_matches('/').to_owned())
    };
    registered == asked
        || matches!((without_port(registered), without_port(asked)), (Some(a), Some(b)) if a == b)
}
