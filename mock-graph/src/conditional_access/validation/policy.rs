//! Conditional Access policies: the rules between their parts, and what they name.

use serde_json::{Map, Value, json};

use super::error::WriteError;
use super::schema::{self, POLICY, READ_ONLY};
use crate::api::{Call, Version};
use crate::conditional_access::device_rule::DeviceRule;
use crate::sign_in::format_time;
use crate::tenant::Tenant;

/// The most policies, and the most named locations, that a tenant may hold.
pub(super) const MOST: usize = 195;

/// Makes the policy of a POST.
///
/// # Errors
/// [`WriteError`], as the service refuses.
pub fn create_policy(tenant: &Tenant, call: &Call) -> Result<Value, WriteError> {
    check_licence(tenant)?;
    let body = body(call)?;
    for required in ["displayName", "state", "conditions"] {
        if body.get(required).is_none_or(Value::is_null) {
            return Err(WriteError::Schema(format!("The property '{required}' is required.")));
        }
    }
    if tenant.conditional_access_policies.len() >= MOST {
        return Err(WriteError::TooMany(MOST));
    }
    let mut policy = schema::blank();
    apply(&mut policy, &body);
    set(&mut policy, "id", call.new_id.clone().into());
    set(&mut policy, "createdDateTime", format_time(call.now).into());
    finish(tenant, policy, &body)
}

/// Makes what a PATCH leaves of a policy.
///
/// # Errors
/// [`WriteError`], as the service refuses.
pub fn update_policy(tenant: &Tenant, call: &Call, existing: &Value) -> Result<Value, WriteError> {
    check_licence(tenant)?;
    let body = body(call)?;
    let mut policy = existing.clone();
    apply(&mut policy, &body);
    set(&mut policy, "modifiedDateTime", format_time(call.now).into());
    finish(tenant, policy, &body)
}

/// Whether v1.0 cannot show the policy.
#[must_use]
pub fn holds_preview_features(policy: &Value) -> bool {
    schema::find_preview(&mut policy.clone(), POLICY, false)
}

/// The policy without what only beta has.
#[must_use]
pub fn strip_preview_features(policy: &Value) -> Value {
    let mut policy = policy.clone();
    schema::find_preview(&mut policy, POLICY, true);
    policy
}

fn set(policy: &mut Value, name: &str, value: Value) {
    if let Value::Object(policy) = policy {
        policy.insert(name.to_owned(), value);
    }
}

pub(super) fn check_licence(tenant: &Tenant) -> Result<(), WriteError> {
    let licensed =
        tenant.tenant.licences.iter().any(|plan| plan == "AAD_PREMIUM" || plan == "AAD_PREMIUM_P2");
    if licensed { Ok(()) } else { Err(WriteError::Unlicensed) }
}

fn body(call: &Call) -> Result<Map<String, Value>, WriteError> {
    let Value::Object(body) = &call.body else {
        return Err(WriteError::Schema("A JSON object is expected.".to_owned()));
    };
    schema::check(&call.body, POLICY, "", call.version == Version::Beta)?;
    let kept = body.iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str()));
    Ok(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn apply(policy: &mut Value, body: &Map<String, Value>) {
    let mut patch = body.clone();
    // One control is never cleared by its own null: only the whole of the session controls is.
    if let Some(Value::Object(session)) = patch.get_mut("sessionControls") {
        session.retain(|_, control| !control.is_null());
    }
    schema::merge(policy, &patch);
    // `everyTime` has neither value nor type; what was there before does not linger.
    let every =
        body.get("sessionControls").and_then(|session| session.pointer("/signInFrequency/frequencyInterval"));
    if every.and_then(Value::as_str) == Some("everyTime")
        && let Some(Value::Object(frequency)) = policy.pointer_mut("/sessionControls/signInFrequency")
    {
        let sent = body.get("sessionControls").and_then(|session| session.get("signInFrequency"));
        for name in ["value", "type"] {
            let given = sent.and_then(|sent| sent.get(name)).cloned().unwrap_or_default();
            frequency.insert(name.to_owned(), given);
        }
    }
}

fn finish(tenant: &Tenant, mut policy: Value, body: &Map<String, Value>) -> Result<Value, WriteError> {
    if text(&policy, "displayName").is_empty() {
        return Err(WriteError::Schema("The property 'displayName' is required.".to_owned()));
    }
    if text(&policy, "state").is_empty() || !policy.get("conditions").is_some_and(Value::is_object) {
        return Err(WriteError::Schema("The properties 'state' and 'conditions' are required.".to_owned()));
    }
    check_session(&policy, body)?;
    condense(&mut policy);
    schema::complete(&mut policy);
    expand_strength(&mut policy)?;
    check_conditions(&policy)?;
    check_references(tenant, &policy)?;
    check_controls(&policy)?;
    check_premium(tenant, &policy)?;
    if tenant.tenant.security_defaults && text(&policy, "state") == "enabled" {
        return Err(WriteError::SecurityDefaults);
    }
    Ok(policy)
}

fn text<'a>(value: &'a Value, property: &str) -> &'a str {
    value.get(property).and_then(Value::as_str).unwrap_or_default()
}

fn entries<'a>(policy: &'a Value, pointer: &str) -> Vec<&'a str> {
    policy
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn is_there(policy: &Value, pointer: &str) -> bool {
    policy.pointer(pointer).is_some_and(|value| !value.is_null())
}

fn rule(text: &str) -> WriteError {
    WriteError::Rule(text.to_owned())
}

fn check_conditions(policy: &Value) -> Result<(), WriteError> {
    let targets =
        ["includeApplications", "includeUserActions", "includeAuthenticationContextClassReferences"];
    let filled = targets
        .iter()
        .filter(|name| !entries(policy, &format!("/conditions/applications/{name}")).is_empty());
    let filtered = is_there(policy, "/conditions/applications/applicationFilter");
    match filled.count() {
        0 if !is_there(policy, "/conditions/applications") => {
            return Err(rule("Policy must contain an application rule."));
        }
        0 if filtered => {}
        1 => {}
        _ => return Err(WriteError::Target),
    }
    let names = ["includeUsers", "includeGroups", "includeRoles"];
    let has_user = names.iter().any(|name| !entries(policy, &format!("/conditions/users/{name}")).is_empty())
        || is_there(policy, "/conditions/users/includeGuestsOrExternalUsers");
    let has_workload = !entries(policy, "/conditions/clientApplications/includeServicePrincipals").is_empty();
    if !has_user && !has_workload {
        return Err(rule("Policy must contain a user rule."));
    }
    if entries(policy, "/conditions/clientAppTypes").is_empty() {
        return Err(rule("clientAppTypes must contain at least one value."));
    }
    for pointer in ["/conditions/devices/deviceFilter", "/conditions/applications/applicationFilter"] {
        let Some(filter) = policy.pointer(pointer).filter(|filter| !filter.is_null()) else { continue };
        if text(filter, "mode").is_empty() || text(filter, "rule").is_empty() {
            return Err(rule("A filter needs both mode and rule."));
        }
        if pointer.ends_with("deviceFilter") && DeviceRule::parse(text(filter, "rule")).is_err() {
            return Err(rule("The device filter rule is not valid."));
        }
    }
    for kind in ["platforms", "locations"] {
        let name = if kind == "platforms" { "includePlatforms" } else { "includeLocations" };
        if is_there(policy, &format!("/conditions/{kind}"))
            && entries(policy, &format!("/conditions/{kind}/{name}")).is_empty()
        {
            return Err(rule(&format!("{name} must contain at least one value.")));
        }
    }
    Ok(())
}

fn check_references(tenant: &Tenant, policy: &Value) -> Result<(), WriteError> {
    let known = |objects: &[Value], property: &str, id: &str| {
        objects.iter().any(|object| text(object, property).eq_ignore_ascii_case(id))
    };
    for side in ["include", "exclude"] {
        for id in entries(policy, &format!("/conditions/users/{side}Users")) {
            let keyword = matches!(id, "All" | "None" | "GuestsOrExternalUsers");
            if !keyword && !known(&tenant.users, "id", id) {
                return Err(WriteError::Rule(format!("User with id {id} does not exist in the directory.")));
            }
        }
        for id in entries(policy, &format!("/conditions/users/{side}Groups")) {
            if !known(&tenant.groups, "id", id) {
                return Err(WriteError::Rule(format!("Group with id {id} does not exist in the directory.")));
            }
        }
        for id in entries(policy, &format!("/conditions/users/{side}Roles")) {
            // Role templates are Microsoft's, not the tenant's: only their form can be told.
            if uuid::Uuid::try_parse(id).is_err() {
                return Err(WriteError::Rule(format!("Role with id {id} does not exist in the directory.")));
            }
        }
        for id in entries(policy, &format!("/conditions/applications/{side}Applications")) {
            let keyword = matches!(id, "All" | "None" | "Office365" | "MicrosoftAdminPortals");
            if !keyword && !known(&tenant.service_principals, "appId", id) {
                let message = format!("ServicePrincipal with AppId {id} does not exist in the directory.");
                return Err(WriteError::Rule(message));
            }
        }
        for id in entries(policy, &format!("/conditions/clientApplications/{side}ServicePrincipals")) {
            if id != "ServicePrincipalsInMyTenant" && !known(&tenant.service_principals, "id", id) {
                let message = format!("ServicePrincipal with id {id} does not exist in the directory.");
                return Err(WriteError::Rule(message));
            }
        }
        for id in entries(policy, &format!("/conditions/locations/{side}Locations")) {
            let keyword = matches!(id, "All" | "AllTrusted" | "00000000-0000-0000-0000-000000000000");
            if !keyword && !known(&tenant.named_locations, "id", id) {
                return Err(WriteError::Location(id.to_owned()));
            }
        }
    }
    Ok(())
}

fn check_controls(policy: &Value) -> Result<(), WriteError> {
    let controls = entries(policy, "/grantControls/builtInControls");
    let strength = is_there(policy, "/grantControls/authenticationStrength");
    let others = ["customAuthenticationFactors", "termsOfUse"]
        .iter()
        .map(|name| entries(policy, &format!("/grantControls/{name}")).len())
        .sum::<usize>()
        + usize::from(strength);
    if controls.is_empty() && others == 0 && !is_there(policy, "/sessionControls") {
        return Err(rule("Policy must contain a grant control or a session control."));
    }
    let operator = policy.pointer("/grantControls/operator").and_then(Value::as_str);
    if controls.len() + others > 0 && operator.is_none() {
        return Err(rule("grantControls needs an operator."));
    }
    if controls.contains(&"block") && (controls.len() > 1 || others > 0) {
        return Err(WriteError::Control("BlockControlCombinedWithOtherControls"));
    }
    if controls.contains(&"mfa") && strength {
        return Err(WriteError::Control("MfaAndAuthenticationStrength"));
    }
    if controls.contains(&"passwordChange") {
        let fits = entries(policy, "/conditions/applications/includeApplications") == ["All"]
            && entries(policy, "/conditions/clientAppTypes") == ["all"]
            && !entries(policy, "/conditions/userRiskLevels").is_empty()
            && entries(policy, "/conditions/signInRiskLevels").is_empty()
            && operator == Some("AND")
            && (controls.contains(&"mfa") || strength);
        if !fits {
            return Err(WriteError::Control("InvalidPasswordResetControl"));
        }
    }
    if entries(policy, "/conditions/applications/includeUserActions").contains(&"urn:user:registerdevice") {
        let fits = controls.iter().all(|control| *control == "mfa")
            && entries(policy, "/grantControls/termsOfUse").is_empty()
            && entries(policy, "/conditions/clientAppTypes") == ["all"]
            && !is_there(policy, "/conditions/devices");
        if !fits {
            return Err(WriteError::Control("InvalidConditionsForRegisterDevice"));
        }
    }
    Ok(())
}

fn check_session(policy: &Value, body: &Map<String, Value>) -> Result<(), WriteError> {
    let Some(session) = policy.get("sessionControls").filter(|session| !session.is_null()) else {
        return Ok(());
    };
    let Some(frequency) = session.get("signInFrequency").filter(|frequency| !frequency.is_null()) else {
        return Ok(());
    };
    let given = |name: &str| frequency.get(name).filter(|value| !value.is_null());
    let enabled = given("isEnabled") == Some(&Value::Bool(true));
    let every = given("frequencyInterval").and_then(Value::as_str) == Some("everyTime");
    if !enabled && given("value").is_none() && given("type").is_none() {
        return Err(rule("signInFrequency holds nothing but defaults."));
    }
    if every {
        let absent = |name: &str| session.get(name).is_none_or(Value::is_null);
        let sent = body.get("sessionControls");
        let unsent = |name: &str| sent.and_then(|sent| sent.get(name)).is_none_or(Value::is_null);
        if given("value").is_some() || given("type").is_some() {
            return Err(rule("signInFrequency everyTime takes neither value nor type."));
        }
        for name in ["applicationEnforcedRestrictions", "disableResilienceDefaults"] {
            if !absent(name) || !unsent(name) {
                return Err(WriteError::Rule(format!(
                    "{name} cannot stand beside signInFrequency everyTime."
                )));
            }
        }
    } else if enabled {
        let value = given("value").and_then(Value::as_i64);
        let fits = match (given("type").and_then(Value::as_str), value) {
            (Some("days"), Some(value)) => (1..=365).contains(&value),
            (Some("hours"), Some(value)) => (1..=23).contains(&value),
            _ => false,
        };
        if !fits {
            return Err(rule("signInFrequency needs a type and a value within its bounds."));
        }
    }
    Ok(())
}

/// Session controls that do nothing are dropped; where none is left, so is their object.
fn condense(policy: &mut Value) {
    let Some(Value::Object(session)) = policy.get_mut("sessionControls") else { return };
    for control in session.values_mut() {
        let off = match &*control {
            Value::Object(fields) => {
                fields.get("isEnabled").is_some_and(|enabled| enabled != &Value::Bool(true))
            }
            Value::Bool(enabled) => !enabled,
            _ => false,
        };
        if off {
            *control = Value::Null;
        }
    }
    if session.values().all(Value::is_null) {
        set(policy, "sessionControls", Value::Null);
    }
}

fn expand_strength(policy: &mut Value) -> Result<(), WriteError> {
    let Some(strength) = policy.pointer_mut("/grantControls/authenticationStrength") else { return Ok(()) };
    if strength.is_null() {
        return Ok(());
    }
    let id = text(strength, "id").to_owned();
    let (name, combinations) = match id.as_str() {
        "00000000-0000-0000-0000-000000000002" => (
            "Multifactor authentication",
            json!([
                "windowsHelloForBusiness",
                "fido2",
                "x509CertificateMultiFactor",
                "deviceBasedPush",
                "temporaryAccessPassOneTime",
                "temporaryAccessPassMultiUse",
                "password,microsoftAuthenticatorPush",
                "password,softwareOath",
                "password,hardwareOath",
                "password,sms",
                "password,voice",
                "federatedMultiFactor"
            ]),
        ),
        "00000000-0000-0000-0000-000000000003" => (
            "Passwordless MFA",
            json!(["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor", "deviceBasedPush"]),
        ),
        "00000000-0000-0000-0000-000000000004" => (
            "Phishing-resistant MFA",
            json!(["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"]),
        ),
        _ => {
            return Err(WriteError::Rule(format!(
                "AuthenticationStrength with id {id} does not exist in the directory."
            )));
        }
    };
    *strength = json!({
        "id": id, "displayName": name, "policyType": "builtIn", "requirementsSatisfied": "mfa",
        "allowedCombinations": combinations,
    });
    Ok(())
}

fn check_premium(tenant: &Tenant, policy: &Value) -> Result<(), WriteError> {
    let holds = |plan: &str| tenant.tenant.licences.iter().any(|held| held == plan);
    let risky = ["userRiskLevels", "signInRiskLevels"]
        .iter()
        .any(|name| !entries(policy, &format!("/conditions/{name}")).is_empty())
        || is_there(policy, "/conditions/insiderRiskLevels");
    if risky && !holds("AAD_PREMIUM_P2") {
        return Err(WriteError::PremiumP2);
    }
    let workload = !entries(policy, "/conditions/clientApplications/includeServicePrincipals").is_empty()
        || !entries(policy, "/conditions/servicePrincipalRiskLevels").is_empty();
    if workload && !holds("AAD_WRKLDID_P1") && !holds("AAD_WRKLDID_P2") {
        return Err(WriteError::Unlicensed);
    }
    Ok(())
}
