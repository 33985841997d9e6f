//! A person who signs in: whether the account lets them, whether Conditional Access does, and the row that it leaves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::sessions::Session;
use crate::conditional_access::{Identity, Outcome, SignInContext, Strength, Target, decide};
use crate::odata::parse_time;
use crate::sign_in::{Actor, Gazetteer, SignIn, describe, failure_reason};
use crate::state::World;
use crate::tenant::{Application, Tenant};

const GRAPH: (&str, &str) = ("00000003-0000-0000-c000-000000000000", "Microsoft Graph");

/// From where, and on what, somebody signs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) ip: IpAddr,
    pub(super) is_compliant: bool,
    /// As policies name it: `none` or `deviceCodeFlow`.
    pub(super) flow: &'static str,
    pub(super) client_app: &'static str,
}

impl Origin {
    pub(super) fn browser() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), is_compliant: false, flow: "none", client_app: "browser" }
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the account may have tokens at all.
pub(super) fn check_account(user: &Value) -> Result<(), Refusal> {
    if user.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(Refusal::invalid_grant(50057, "The user account is disabled."));
    }
    Ok(())
}

/// Signs somebody in, with two factors: asks the account and Conditional Access, and leaves a row in the log.
pub(super) fn sign_in(
    world: &World,
    application: &Application,
    user: &Value,
    from: Origin,
) -> Result<(), Refusal> {
    let tenant = world.present();
    let now = world.clock.now();
    let id = text(user, "id");
    let place = Gazetteer::read(&tenant).find(from.ip);
    let mut device = Map::new();
    device.insert("isCompliant".to_owned(), if from.is_compliant { true.into() } else { Value::Null });
    let context = SignInContext {
        ip: Some(from.ip),
        country: place.country.clone(),
        client_app: Some(from.client_app.to_owned()),
        device: Some(device),
        strength: Strength::Multifactor,
        authenticated_at: Some(now),
        user_risk: Some("none".to_owned()),
        sign_in_risk: Some("none".to_owned()),
        authentication_flow: Some(from.flow.to_owned()),
        ..SignInContext::new(
            Identity::User(id.to_owned()),
            Target::Applications(vec![GRAPH.0.to_owned()]),
            now,
        )
    };
    let verdict = decide(&tenant, &context);
    let outcome = check_account(user).and_then(|()| match &verdict.outcome {
        Outcome::Granted => Ok(()),
        Outcome::Refused { need, .. } => {
            let code = need.error_code();
            let mut refusal = Refusal::invalid_grant(code, failure_reason(code));
            if code != 53003 {
                refusal.error = "interaction_required";
            }
            refusal.claims =
                Some(json!({ "access_token": { "capolids": { "essential": true } } }).to_string());
            Err(refusal)
        }
    });
    let row = SignIn {
        client: (application.app_id.clone(), application.display_name.clone()),
        resource: (GRAPH.0.to_owned(), GRAPH.1.to_owned()),
        client_app: from.client_app.to_owned(),
        is_interactive: true,
        incoming_token: "none",
        session_id: None,
        steps: vec![("Password", "Password in the cloud"), ("Mobile app notification", "")],
        error_code: outcome.as_ref().err().and_then(|refusal| refusal.code).unwrap_or(0),
        policies: Some(verdict.applied),
    };
    let actor = Actor { user: Some(user), user_id: id, user_agent: "Mozilla/5.0" };
    let row = describe(&tenant, actor, &row, &place, now, &world.new_id());
    world.edit(|tenant| Arc::make_mut(&mut tenant.sign_ins).push(row));
    outcome
}

/// Whether a session that began then still counts (identity.md 3.6).
pub(super) fn check_session(tenant: &Tenant, session: &Session) -> Result<(), Refusal> {
    let Some(user) = tenant.user(&session.user_id) else {
        return Err(Refusal::invalid_grant(50034, "The user account does not exist in the directory."));
    };
    check_account(user)?;
    let ended = |property: &str| ended_at(user, property).is_some_and(|at| session.signed_in_at < at);
    if ended("signInSessionsValidFromDateTime") {
        return Err(Refusal::invalid_grant(
            50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
        ));
    }
    if ended("lastPasswordChangeDateTime") {
        return Err(Refusal::invalid_grant(
            50133,
            "Session is invalid due to expiration or recent password change.",
        ));
    }
    Ok(())
}

pub(super) fn ended_at(user: &Value, property: &str) -> Option<Timestamp> {
    parse_time(text(user, property))
}
