//! Changes to a user: `accountEnabled`, the password, sessions (identity.md 2, 3, 4). All or nothing.

use serde_json::{Value, json};

use super::directory_audit;
use super::lookup::{find_user, is_true, set_user, text, user_id};
use super::privilege::{Change, is_restricted, may_change};
use crate::api::{Call, Caller, Fail, Reply};
use crate::routes::Service;
use crate::tenant::Tenant;

const ENABLE_ALONE: [&str; 2] = ["User.EnableDisableAccount.All", "User.Read.All"];
/// Properties of a user that a PATCH may name here beside the two sensitive ones.
const PLAIN_PROPERTIES: [&str; 8] = [
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "officeLocation",
    "usageLocation",
    "preferredLanguage",
];

fn denied() -> Fail {
    Service::Directory.forbidden("")
}

fn permit(caller: &Caller, body: &Value) -> Result<(), Fail> {
    let general = caller.holds("User.ReadWrite.All") || caller.holds("Directory.ReadWrite.All");
    let has = |key: &str| body.get(key).is_some();
    let may_enable = general || ENABLE_ALONE.iter().all(|permission| caller.holds(permission));
    if has("accountEnabled") && !may_enable {
        return Err(denied());
    }
    // No general permission covers the password (identity.md 3.1).
    if has("passwordProfile") && !caller.holds("User-PasswordProfile.ReadWrite.All") {
        return Err(denied());
    }
    let others = body.as_object().is_none_or(|entries| {
        entries.is_empty() || entries.keys().any(|key| PLAIN_PROPERTIES.contains(&key.as_str()))
    });
    if others && !general { Err(denied()) } else { Ok(()) }
}

/// Watermarks of a user are in whole seconds.
fn whole_seconds(call: &Call) -> String {
    call.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `PATCH /users/{id}`
///
/// # Errors
/// The refusals of identity.md 3.1 and 4, in the order of section 12.
pub fn patch_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let bad = |message: &str| Fail::new(400, "Request_BadRequest", message);
    permit(&call.caller, &call.body)?;
    let entries = call
        .body
        .as_object()
        .ok_or_else(|| bad("Invalid value specified for property of resource 'User'."))?;
    let known = |key: &str| {
        matches!(key, "accountEnabled" | "passwordProfile")
            || PLAIN_PROPERTIES.contains(&key)
            || key.starts_with("@odata.")
    };
    if let Some(unknown) = entries.keys().find(|key| !known(key)) {
        return Err(bad(&format!(
            "Resource '{}' does not have a property named '{unknown}'.",
            call.segment(0)
        )));
    }
    let user = find_user(tenant, call.segment(0))?.clone();
    let id = text(&user, "id").to_owned();
    if is_restricted(tenant, &call.caller, &user) {
        return Err(denied());
    }
    let sensitive = [("accountEnabled", Change::Enabled), ("passwordProfile", Change::Password)];
    if sensitive
        .iter()
        .any(|(key, change)| entries.contains_key(*key) && !may_change(tenant, &call.caller, &id, *change))
    {
        return Err(denied());
    }
    let password =
        entries.get("passwordProfile").map(|profile| check_password(tenant, &user, profile)).transpose()?;
    let enabled = match entries.get("accountEnabled") {
        None => None,
        Some(Value::Bool(enabled)) => Some(*enabled),
        Some(_) => {
            return Err(bad("Invalid value specified for property 'accountEnabled' of resource 'User'."));
        }
    };

    let now = whole_seconds(call);
    if let Some(Some(password)) = password {
        tenant.passwords.insert(id.clone(), password);
        set_user(tenant, &id, &[("lastPasswordChangeDateTime", now.clone().into())]);
        directory_audit::append(tenant, call, &id, "Reset user password", "Core Directory", &[]);
    }
    if let Some(enabled) = enabled {
        set_user(tenant, &id, &[("accountEnabled", enabled.into())]);
        let activity = if enabled { "Enable account" } else { "Disable account" };
        directory_audit::append(
            tenant,
            call,
            &id,
            activity,
            "Core Directory",
            &[("AccountEnabled", json!([enabled]))],
        );
    }
    let plain: Vec<(&str, Value)> = entries
        .iter()
        .filter(|(key, _)| PLAIN_PROPERTIES.contains(&key.as_str()))
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    if !plain.is_empty() {
        set_user(tenant, &id, &plain);
        directory_audit::append(tenant, call, &id, "Update user", "Core Directory", &plain);
    }
    Ok(Reply::no_content())
}

/// Checks a password profile; `None` where it sets flags alone.
fn check_password(tenant: &Tenant, user: &Value, profile: &Value) -> Result<Option<String>, Fail> {
    let bad = |message: &str| Fail::new(400, "Request_BadRequest", message);
    if is_true(user, "onPremisesSyncEnabled") {
        return Err(bad(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
        ));
    }
    let upn = text(user, "userPrincipalName");
    let domain = upn.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_federated = tenant.domains.iter().any(|own| {
        text(own, "id").eq_ignore_ascii_case(domain) && text(own, "authenticationType") == "Federated"
    });
    if is_federated {
        return Err(bad("Password cannot be set for federated users."));
    }
    if text(user, "userType") == "Guest" {
        return Err(bad("Password cannot be set for external users."));
    }
    let Some(password) = profile.get("password") else { return Ok(None) };
    let password = password.as_str().unwrap_or_default();
    if is_weak(user, password) {
        return Err(bad(
            "The specified password does not comply with password complexity requirements. Please provide a different password.",
        ));
    }
    Ok(Some(password.to_owned()))
}

/// Whether the password rules refuse a password (identity.md 3.1).
pub(super) fn is_weak(user: &Value, password: &str) -> bool {
    let upn = text(user, "userPrincipalName");
    let classes = [
        password.chars().any(char::is_lowercase),
        password.chars().any(char::is_uppercase),
        password.chars().any(|letter| letter.is_ascii_digit()),
        password.chars().any(|letter| !letter.is_alphanumeric()),
    ];
    let length = password.chars().count();
    let name = upn.split('@').next().unwrap_or_default().to_lowercase();
    !(8..=256).contains(&length)
        || classes.iter().filter(|class| **class).count() < 3
        || (!name.is_empty() && password.to_lowercase().contains(&name))
}

/// `POST /users/{id}/revokeSignInSessions`: always `true`, and without effect on guests.
///
/// # Errors
/// 404; 403 in a restricted unit.
pub fn revoke_sign_in_sessions(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let user = find_user(tenant, &id)?;
    if is_restricted(tenant, &call.caller, user) {
        return Err(denied());
    }
    if text(user, "userType") != "Guest" {
        set_user(tenant, &id, &[("signInSessionsValidFromDateTime", whole_seconds(call).into())]);
        directory_audit::append(
            tenant,
            call,
            &id,
            "Update StsRefreshTokenValidFrom Timestamp",
            "Core Directory",
            &[],
        );
    }
    Ok(Reply::ok(
        json!({ "@odata.context": format!("{}/v1.0/$metadata#Edm.Boolean", call.base), "value": true }),
    ))
}
