//! Managed identities: the endpoint of a virtual machine, and that of App Service (policy-logs-auth.md 8.4).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::claims::{Issue, MANAGED_LIFETIME};
use super::client::Proof;
use super::scope;
use crate::api::Reply;
use crate::serve::Incoming;
use crate::state::World;
use crate::tenant::{Application, Tenant};

/// Path of the virtual machine's endpoint.
pub(super) const MACHINE: &str = "/metadata/identity/oauth2/token";
/// Path of App Service's endpoint.
pub(super) const SERVICE: &str = "/msi/token";
/// What App Service puts into `IDENTITY_HEADER`.
const SERVICE_HEADER: &str = "mock-identity-header";

fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), body: Some(body) }
}

/// The identity that is asked for: the one named, or the only one.
fn identity<'a>(tenant: &'a Tenant, query: &[(String, String)]) -> Option<&'a Application> {
    let wanted = query.iter().find(|(key, _)| key == "client_id").map(|(_, value)| value.as_str());
    let mut own = tenant.applications.iter().filter(|own| own.managed_identity);
    match wanted {
        Some(id) => own.find(|app| app.app_id.eq_ignore_ascii_case(id)),
        None => own.next(),
    }
}

/// Answers a request for a managed identity's token.
pub(super) fn answer(world: &World, incoming: &Incoming, now: Timestamp) -> Reply {
    let query = crate::uri::pairs(&incoming.query);
    let option = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let is_machine = incoming.path == MACHINE;
    let fail = |status: u16, word: &str, text: &str| {
        let body = if is_machine {
            json!({ "error": word, "error_description": text })
        } else {
            json!({ "statusCode": status, "message": text })
        };
        reply(status, body)
    };
    if is_machine && incoming.header("metadata") != Some("true") {
        return fail(400, "invalid_request", "Required metadata header not specified");
    }
    if is_machine && incoming.header("x-forwarded-for").is_some() {
        return fail(400, "invalid_request", "The request came through a proxy");
    }
    if !is_machine && incoming.header("x-identity-header") != Some(SERVICE_HEADER) {
        return fail(401, "unauthorized", "The identity header is wrong");
    }
    let versions: &[&str] = if is_machine { &["2018-02-01", "2019-08-01"] } else { &["2019-08-01"] };
    if !option("api-version").is_some_and(|version| versions.contains(&version)) {
        return fail(400, "invalid_request", "api-version is missing or not supported");
    }
    let Some(resource) = option("resource") else {
        return fail(400, "invalid_request", "resource is missing");
    };
    if !scope::is_graph(resource, &incoming.base) {
        // App Service says nothing useful here.
        let status = if is_machine { 400 } else { 500 };
        return fail(
            status,
            "invalid_resource",
            "AADSTS500011: The resource principal was not found in the tenant.",
        );
    }
    let tenant = world.present();
    let Some(application) = identity(&tenant, &query) else {
        return fail(400, "invalid_request", "Identity not found");
    };
    let issue = Issue {
        world,
        tenant: &tenant,
        base: &incoming.base,
        now,
        proof: Proof::Assertion,
        takes_challenges: false,
    };
    let lifetime = issue.lifetime(MANAGED_LIFETIME);
    let token = match world.keys.sign(&issue.of_app(application, lifetime)) {
        Ok(token) => token,
        Err(error) => return fail(500, "server_error", &error.to_string()),
    };
    let second = now.as_second();
    let mut body = json!({
        "access_token": token, "client_id": application.app_id, "expires_on": (second + lifetime).to_string(),
        "resource": resource, "token_type": "Bearer"
    });
    if let Some(entries) = body.as_object_mut().filter(|_| is_machine) {
        for (key, value) in [("expires_in", lifetime), ("ext_expires_in", lifetime), ("not_before", second)] {
            entries.insert(key.to_owned(), value.to_string().into());
        }
    }
    reply(200, body)
}
