//! Who a bearer token speaks for.

use jiff::Timestamp;
use serde_json::Value;

use super::person;
use super::scope::GRAPH;
use crate::api::{Caller, Fail};
use crate::faults::refusals::claims_challenge;
use crate::handlers::roles::name_of_role;
use crate::keys::Keys;
use crate::tenant::Tenant;

/// Seconds of leeway that a token has at its beginning, as Entra's libraries give it.
const LEEWAY: i64 = 300;

/// Who a bearer token speaks for.
///
/// # Errors
/// The 401 of a token that is missing, expired, or not of this tenant; the challenge of one whose session was ended.
pub fn caller_of(tenant: &Tenant, keys: &Keys, header: Option<&str>, now: Timestamp) -> Result<Caller, Fail> {
    let refused = |text: &str| Fail::new(401, "InvalidAuthenticationToken", text);
    let token = header.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
    if token.is_empty() {
        return Err(refused("Access token is empty."));
    }
    let claims =
        keys.check(token).ok_or_else(|| refused("Access token validation failure. Invalid signature."))?;
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    if now.as_second() >= number("exp") || now.as_second() < number("nbf") - LEEWAY {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("aud") != GRAPH {
        return Err(refused("Access token validation failure. Invalid audience."));
    }
    if text("tid") != tenant.tenant.id {
        return Err(refused("Access token validation failure. Invalid tenant."));
    }
    let app_id = text("appid").to_owned();
    if claims.get("scp").is_some() {
        return of_person(tenant, &claims, app_id);
    }
    let roles = claims
        .get("roles")
        .and_then(Value::as_array)
        .map(|roles| roles.iter().filter_map(|role| role.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let directory_roles = tenant
        .applications
        .iter()
        .find(|own| own.app_id == app_id)
        .map(|own| own.directory_roles.clone())
        .unwrap_or_default();
    Ok(Caller { app_id, roles, directory_roles, user_id: None })
}

fn of_person(tenant: &Tenant, claims: &Value, app_id: String) -> Result<Caller, Fail> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let user_id = text("oid").to_owned();
    // A token lives on to its end, unless its client understands challenges (policy-logs-auth.md 9.1).
    if claims.get("xms_cc").is_some() {
        let signed_in_at: Option<Timestamp> = text("mock_signed_in_at").parse().ok();
        let user = tenant.user(&user_id);
        let has_ended = user.is_none_or(|user| {
            person::check_account(user).is_err()
                || ["signInSessionsValidFromDateTime", "lastPasswordChangeDateTime"].into_iter().any(
                    |property| {
                        person::ended_at(user, property)
                            .is_some_and(|at| signed_in_at.is_none_or(|signed_in| signed_in < at))
                    },
                )
        });
        if has_ended {
            return Err(claims_challenge());
        }
    }
    let directory_roles = crate::handlers::privilege::roles_of(tenant, &user_id)
        .iter()
        .filter_map(|role| name_of_role(role))
        .map(str::to_owned)
        .collect();
    let roles = text("scp").split_whitespace().map(str::to_owned).collect();
    Ok(Caller { app_id, roles, directory_roles, user_id: Some(user_id) })
}
