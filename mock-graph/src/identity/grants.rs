//! The token endpoint: what each grant type asks, and the tokens that it gives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::claims::{Issue, LIFETIME};
use super::client::{self, Proof};
use super::form::{Asked, serves, serves_people};
use super::refusal::Refusal;
use super::scope;
use super::sessions::Session;
use super::{device_code, person};
use crate::state::World;
use crate::tenant::Application;

/// Answers a request for tokens.
pub(super) fn issue(world: &World, asked: &Asked<'_>, now: Timestamp) -> Result<Value, Refusal> {
    let tenant = world.present();
    let named = asked.field("grant_type");
    let is_apps_own = named.is_none_or(|grant| grant == "client_credentials");
    let is_served =
        if is_apps_own { serves(&tenant, asked.tenant) } else { serves_people(&tenant, asked.tenant) };
    if !is_served {
        return Err(Refusal::no_tenant(asked.tenant));
    }
    let grant = named.ok_or_else(|| Refusal::missing("grant_type"))?;
    if !matches!(grant, "client_credentials" | "authorization_code" | "refresh_token" | device_code::GRANT) {
        return Err(Refusal::new(
            400,
            "unsupported_grant_type",
            70003,
            format!("The app requested an unsupported grant type '{grant}'."),
        ));
    }
    let application = client::named(&tenant, asked)?;
    let takes_challenges = takes_challenges(asked)?;
    let proof = client::prove(application, asked, now)?;
    let issue = Issue { world, tenant: &tenant, base: asked.base, now, proof, takes_challenges };
    if grant == "client_credentials" {
        if proof == Proof::Public {
            return Err(Refusal::invalid_client(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        }
        scope::of_app(asked.field("scope"), asked.base)?;
        let lifetime = issue.lifetime(LIFETIME);
        let token = sign(world, &issue.of_app(application, lifetime))?;
        return Ok(
            json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
        );
    }
    let session = match grant {
        "authorization_code" => redeem(world, application, asked)?,
        "refresh_token" => refresh(world, application, asked)?,
        _ => device_code::redeem(world, application, asked)?,
    };
    person::check_session(&tenant, &session)?;
    for_person(&issue, application, session, asked.field("client_info").is_some())
}

/// Whether the client says that it understands claims challenges.
fn takes_challenges(asked: &Asked<'_>) -> Result<bool, Refusal> {
    let Some(text) = asked.field("claims") else { return Ok(false) };
    let claims: Value = serde_json::from_str(text).map_err(|_| {
        Refusal::invalid_request(9_002_313, "Invalid request. Request is malformed or invalid.")
    })?;
    let values = claims.pointer("/access_token/xms_cc/values").and_then(Value::as_array);
    Ok(values.is_some_and(|values| {
        values.iter().filter_map(Value::as_str).any(|value| value.eq_ignore_ascii_case("cp1"))
    }))
}

fn sign(world: &World, claims: &Value) -> Result<String, Refusal> {
    world.keys.sign(claims).map_err(|error| Refusal::new(500, "server_error", 90_033, error.to_string()))
}

/// The tokens of a person's session.
fn for_person(
    issue: &Issue<'_>,
    application: &Application,
    session: Session,
    wants_client_info: bool,
) -> Result<Value, Refusal> {
    let lifetime = issue.lifetime(LIFETIME);
    let token = sign(issue.world, &issue.of_person(application, &session, lifetime))?;
    let mut answer = json!({
        "token_type": "Bearer", "scope": session.granted.told(), "expires_in": lifetime, "ext_expires_in": lifetime,
        "access_token": token
    });
    let mut add = |key: &str, value: String| {
        if let Some(entries) = answer.as_object_mut() {
            entries.insert(key.to_owned(), value.into());
        }
    };
    if session.granted.has("openid") {
        add("id_token", sign(issue.world, &issue.of_sign_in(&session))?);
    }
    if wants_client_info {
        let info = json!({ "uid": session.user_id, "utid": issue.tenant.tenant.id });
        add("client_info", URL_SAFE_NO_PAD.encode(info.to_string()));
    }
    if session.granted.has("offline_access") {
        let token = format!("1.{}.{}", issue.world.new_id(), issue.world.new_id());
        issue.world.sessions().refresh_tokens.insert(token.clone(), session);
        add("refresh_token", token);
    }
    Ok(answer)
}

/// Redeems an authorization code: once, from the same app to the same address, with what the challenge was made from.
fn redeem(world: &World, application: &Application, asked: &Asked<'_>) -> Result<Session, Refusal> {
    let code = asked.need("code")?;
    let redirect_uri = asked.need("redirect_uri")?;
    let mut sessions = world.sessions();
    let unknown = || {
        Refusal::invalid_grant(9_002_313, "Invalid request. The authorization code is malformed or invalid.")
    };
    let held = sessions.codes.get_mut(code).ok_or_else(unknown)?;
    if held.is_used {
        return Err(Refusal::invalid_grant(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ));
    }
    if held.expires_at <= Instant::now() {
        return Err(Refusal::invalid_grant(
            70008,
            "The provided authorization code or refresh token has expired.",
        ));
    }
    if held.session.client_id != application.app_id || held.redirect_uri != redirect_uri {
        return Err(unknown());
    }
    if let Some((method, challenge)) = &held.challenge {
        let verifier = asked.field("code_verifier").unwrap_or_default();
        let made = match method.as_str() {
            "S256" => URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
            _ => verifier.to_owned(),
        };
        if verifier.is_empty() || made != *challenge {
            return Err(Refusal::invalid_grant(
                501_481,
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            ));
        }
    }
    held.is_used = true;
    Ok(held.session.clone())
}

/// Goes on with a session by its refresh token. The old one stays good (policy-logs-auth.md 8.9).
fn refresh(world: &World, application: &Application, asked: &Asked<'_>) -> Result<Session, Refusal> {
    let token = asked.need("refresh_token")?;
    let held = world.sessions().refresh_tokens.get(token).cloned();
    let Some(mut session) = held.filter(|own| own.client_id == application.app_id) else {
        return Err(Refusal::invalid_grant(
            9_002_313,
            "Invalid request. The refresh token is malformed or was issued to another app.",
        ));
    };
    if let Some(scope) = asked.field("scope") {
        let mut granted = scope::of_person(application, scope, asked.base)?;
        // A refreshed session keeps what makes it one.
        if !granted.has("offline_access") {
            granted.of_sign_in.push("offline_access".to_owned());
        }
        session.granted = granted;
    }
    Ok(session)
}
