//! What the registration report says of users, and the state of per-user multifactor authentication (identity.md 5.8, 5.9).

use serde_json::{Value, json};

use super::lookup::{check_premium, text, user_id};
use super::methods::default_kind;
use super::privilege::roles_of;
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::sign_in::format_time;
use crate::tenant::Tenant;

/// The report's word for a kind of method; a password is no registration.
fn registered_as(method: &Value) -> Option<&'static str> {
    let kind = text(method, "@odata.type").trim_start_matches("#microsoft.graph.");
    Some(match kind {
        "microsoftAuthenticatorAuthenticationMethod"
            if method.get("createdDateTime").is_some_and(Value::is_string) =>
        {
            "microsoftAuthenticatorPasswordless"
        }
        "microsoftAuthenticatorAuthenticationMethod" => "microsoftAuthenticatorPush",
        "softwareOathAuthenticationMethod" => "softwareOneTimePasscode",
        "hardwareOathAuthenticationMethod" => "hardwareOneTimePasscode",
        "fido2AuthenticationMethod" => "fido2",
        "windowsHelloForBusinessAuthenticationMethod" => "windowsHelloForBusiness",
        "emailAuthenticationMethod" => "email",
        "temporaryAccessPassAuthenticationMethod" => "temporaryAccessPass",
        "phoneAuthenticationMethod" => match text(method, "phoneType") {
            "alternateMobile" => "alternateMobilePhone",
            "office" => "officePhone",
            _ => "mobilePhone",
        },
        _ => return None,
    })
}

fn details(tenant: &Tenant, user: &Value, call: &Call) -> Value {
    let id = text(user, "id");
    let held = tenant.authentication_methods.get(id).map(Vec::as_slice).unwrap_or_default();
    let registered: Vec<&str> = held.iter().filter_map(registered_as).collect();
    let is_passwordless = |word: &&str| {
        matches!(*word, "microsoftAuthenticatorPasswordless" | "fido2" | "windowsHelloForBusiness")
    };
    let is_factor = |word: &&str| !matches!(*word, "email" | "temporaryAccessPass");
    let resets = |word: &&str| !matches!(*word, "fido2" | "windowsHelloForBusiness" | "temporaryAccessPass");
    let is_registered = registered.iter().any(is_factor);
    let reset_is_on = tenant.tenant.self_service_password_reset;
    json!({
        "id": id, "userPrincipalName": text(user, "userPrincipalName"), "userDisplayName": text(user, "displayName"),
        "userType": if text(user, "userType") == "Guest" { "guest" } else { "member" },
        "isAdmin": !roles_of(tenant, id).is_empty(), "isMfaRegistered": is_registered, "isMfaCapable": is_registered,
        "isPasswordlessCapable": registered.iter().any(is_passwordless),
        "isSsprRegistered": registered.iter().any(resets), "isSsprEnabled": reset_is_on,
        "isSsprCapable": reset_is_on && registered.iter().any(resets),
        "isSystemPreferredAuthenticationMethodEnabled": false, "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": default_kind(tenant, id).unwrap_or_else(|| "none".to_owned()),
        "methodsRegistered": registered, "lastUpdatedDateTime": format_time(call.now)
    })
}

/// `GET /reports/authenticationMethods/userRegistrationDetails`
///
/// # Errors
/// 403 without a licence, 400 for a query that is not taken.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_premium(tenant)?;
    let rows: Vec<Value> = tenant.users.iter().map(|user| details(tenant, user, call)).collect();
    odata::collection(&rows, call, &Rules::PLAIN)
}

/// `GET /reports/authenticationMethods/userRegistrationDetails/{id}`
///
/// # Errors
/// 403 without a licence, 404.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_premium(tenant)?;
    let id = call.segment(0);
    let user = tenant.users.iter().find(|user| text(user, "id").eq_ignore_ascii_case(id));
    user.map(|user| odata::entity(&details(tenant, user, call), call, &[]))
        .ok_or_else(|| Fail::new(404, "NotFound", format!("Registration details of '{id}' were not found.")))
}

const STATES: [&str; 3] = ["disabled", "enabled", "enforced"];

/// `GET /beta/users/{id}/authentication/requirements`
///
/// # Errors
/// 404.
pub fn get_requirements(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let state = tenant.per_user_mfa_states.get(&id).map_or("disabled", String::as_str);
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/beta/$metadata#users('{id}')/authentication/requirements", call.base),
        "perUserMfaState": state
    })))
}

/// `PATCH /beta/users/{id}/authentication/requirements`: enabling it for who has a method enforces it.
///
/// # Errors
/// 404; 400 for what is no state.
pub fn patch_requirements(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let wanted = text(&call.body, "perUserMfaState");
    if !STATES.contains(&wanted) {
        return Err(Fail::new(400, "badRequest", format!("The value '{wanted}' is not valid.")));
    }
    let held = tenant.authentication_methods.get(&id).map(Vec::as_slice).unwrap_or_default();
    let is_registered = held.iter().filter_map(registered_as).any(|word| word != "email");
    let state = if wanted == "enabled" && is_registered { "enforced" } else { wanted };
    tenant.per_user_mfa_states.insert(id, state.to_owned());
    Ok(Reply::no_content())
}
