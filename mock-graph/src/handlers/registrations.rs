//! Registering methods for a user (identity.md 5.5, 5.6): phones, e-mail addresses, Temporary Access Passes, and the
//! policy that bounds a pass.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::directory_audit;
use super::lookup::{find_user, is_true, text, user_id};
use super::method_kinds::{Kind, of_collection};
use super::methods::{SERVICE, refused};
use super::privilege::is_restricted;
use crate::api::{Call, Fail, Reply};
use crate::odata::parse_time;
use crate::routes::Service;
use crate::sign_in::{derive_id, format_time};
use crate::tenant::Tenant;

const PASS: &str = "temporaryAccessPassAuthenticationMethod";
const PHONE: &str = "phoneAuthenticationMethod";
const EMAIL: &str = "emailAuthenticationMethod";

/// The constant ids of phones, by their type, and of the e-mail address (identity.md 5.2).
const PHONE_IDS: [(&str, &str); 3] = [
    ("mobile", "3179e48a-750b-4051-897c-87b9720928f7"),
    ("alternateMobile", "b6332ec1-7057-4abe-9331-3d72feddfe41"),
    ("office", "e37fc753-ff3b-4958-9484-eaa9425c82bc"),
];
const EMAIL_ID: &str = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f";

/// The user and the kind that a call is about.
fn target(tenant: &Tenant, call: &Call) -> Result<(String, &'static Kind), Fail> {
    let kind = of_collection(call.segment(1)).ok_or_else(|| {
        Fail::new(404, "BadRequest", format!("Resource not found for the segment '{}'.", call.segment(1)))
    })?;
    let id = user_id(tenant, call.segment(0))?;
    if is_restricted(tenant, &call.caller, find_user(tenant, &id)?) {
        return Err(Service::AuthenticationMethods.forbidden(""));
    }
    Ok((id, kind))
}

fn not_allowed() -> Fail {
    Fail::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

/// The body's entries; one that the kind does not have is refused.
fn entries<'a>(call: &'a Call, known: &[&str]) -> Result<&'a Map<String, Value>, Fail> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let entries = match &call.body {
        Value::Object(entries) => entries,
        Value::Null => &NONE,
        _ => return Err(refused("The request body is not an object.")),
    };
    match entries.keys().find(|key| !known.contains(&key.as_str()) && *key != "@odata.type") {
        Some(other) => Err(refused(&format!("The property '{other}' does not exist on this type."))),
        None => Ok(entries),
    }
}

/// `POST /users/{id}/authentication/{collection}`
///
/// # Errors
/// 400 for what the kind does not take, 405 for kinds that cannot be registered for somebody else.
pub fn register(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let (user, kind) = target(tenant, call)?;
    let method = match kind.odata_type {
        PHONE => phone(tenant, call, &user, None)?,
        EMAIL => email(tenant, call, &user, None)?,
        PASS => return issue_pass(tenant, call, &user),
        _ => return Err(not_allowed()),
    };
    tenant.authentication_methods.entry(user.clone()).or_default().push(method.clone());
    directory_audit::append(tenant, call, &user, "Admin registered security info", SERVICE, &[]);
    Ok(Reply::created(method))
}

/// `PATCH /users/{id}/authentication/{collection}/{methodId}`
///
/// # Errors
/// 400, 404, 405.
pub fn change(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let (user, kind) = target(tenant, call)?;
    let id = call.segment(2);
    if !matches!(kind.odata_type, PHONE | EMAIL) {
        return Err(not_allowed());
    }
    if !registered(tenant, &user, kind.odata_type).iter().any(|own| text(own, "id") == id) {
        return Err(super::methods::gone(id));
    }
    let changed = match kind.odata_type {
        PHONE => phone(tenant, call, &user, Some(id))?,
        _ => email(tenant, call, &user, Some(id))?,
    };
    for own in tenant.authentication_methods.entry(user.clone()).or_default() {
        if text(own, "id") == id {
            own.clone_from(&changed);
        }
    }
    directory_audit::append(tenant, call, &user, "Admin updated security info", SERVICE, &[]);
    Ok(Reply::no_content())
}

fn registered(tenant: &Tenant, user: &str, odata_type: &str) -> Vec<Value> {
    let is_own =
        |method: &&Value| text(method, "@odata.type").trim_start_matches("#microsoft.graph.") == odata_type;
    tenant.authentication_methods.get(user).into_iter().flatten().filter(is_own).cloned().collect()
}

/// A phone as the body asks for it. `changed`: the one that it replaces.
fn phone(tenant: &Tenant, call: &Call, user: &str, changed: Option<&str>) -> Result<Value, Fail> {
    let entries = entries(call, &["phoneNumber", "phoneType"])?;
    let number = entries.get("phoneNumber").and_then(Value::as_str).unwrap_or_default();
    if !is_number(number) {
        return Err(refused(
            "The phone number is not valid. It must be of the form +{country code} {number}x{extension}.",
        ));
    }
    let current = changed.and_then(|id| PHONE_IDS.iter().find(|(_, own)| *own == id)).map(|(name, _)| *name);
    let wanted = entries.get("phoneType").and_then(Value::as_str).or(current).unwrap_or_default();
    let Some((phone_type, id)) = PHONE_IDS.iter().find(|(name, _)| *name == wanted) else {
        return Err(refused("phoneType must be one of mobile, alternateMobile, office."));
    };
    let is_taken = registered(tenant, user, PHONE)
        .iter()
        .any(|own| text(own, "phoneType") == *phone_type && changed != Some(text(own, "id")));
    if is_taken {
        return Err(refused(&format!("A phone method of type {phone_type} is already registered.")));
    }
    Ok(json!({
        "@odata.type": format!("#microsoft.graph.{PHONE}"), "id": id, "phoneNumber": number,
        "phoneType": phone_type, "smsSignInState": "notSupported", "createdDateTime": format_time(call.now)
    }))
}

/// Whether a number is `+{cc} {number}` or `+{cc} {number}x{ext}`.
fn is_number(text: &str) -> bool {
    let Some((code, rest)) = text.strip_prefix('+').and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    let (line, extension) = rest.split_once('x').unwrap_or((rest, "0"));
    [code, line, extension]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An e-mail address as the body asks for it: a user has one at most.
fn email(tenant: &Tenant, call: &Call, user: &str, changed: Option<&str>) -> Result<Value, Fail> {
    let entries = entries(call, &["emailAddress"])?;
    let address = entries.get("emailAddress").and_then(Value::as_str).unwrap_or_default();
    let is_address = address.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && !address.contains(char::is_whitespace)
    });
    if !is_address {
        return Err(refused("The email address is not valid."));
    }
    if changed.is_none() && !registered(tenant, user, EMAIL).is_empty() {
        return Err(refused("An email method is already registered."));
    }
    Ok(json!({
        "@odata.type": format!("#microsoft.graph.{EMAIL}"), "id": EMAIL_ID, "emailAddress": address,
        "createdDateTime": format_time(call.now)
    }))
}

/// Whether two policies' words are of the configured pass policy: what the file leaves out is Entra's default.
fn policy_of(tenant: &Tenant) -> Value {
    let mut policy = json!({
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
        "id": "TemporaryAccessPass", "state": "enabled",
        "defaultLifetimeInMinutes": 60, "defaultLength": 8, "minimumLifetimeInMinutes": 60,
        "maximumLifetimeInMinutes": 480, "isUsableOnce": false, "excludeTargets": [],
        "includeTargets": [{ "targetType": "group", "id": "all_users", "isRegistrationRequired": false }]
    });
    if let (Some(policy), Some(own)) =
        (policy.as_object_mut(), tenant.temporary_access_pass_policy.as_object())
    {
        policy.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    policy
}

fn minutes(policy: &Value, key: &str) -> i64 {
    policy.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// `GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{id}`
///
/// # Errors
/// 404 for any but the pass's.
pub fn get_configuration(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    if !call.segment(0).eq_ignore_ascii_case("temporaryAccessPass") {
        return Err(Fail::new(
            404,
            "resourceNotFound",
            "The authentication method configuration was not found.",
        ));
    }
    Ok(Reply::ok(policy_of(tenant)))
}

fn issue_pass(tenant: &mut Tenant, call: &Call, user: &str) -> Result<Reply, Fail> {
    let entries = entries(call, &["isUsableOnce", "lifetimeInMinutes", "startDateTime"])?;
    let policy = policy_of(tenant);
    let lifetime = match entries.get("lifetimeInMinutes") {
        None | Some(Value::Null) => minutes(&policy, "defaultLifetimeInMinutes"),
        Some(value) => value.as_i64().ok_or_else(|| refused("lifetimeInMinutes must be an integer."))?,
    };
    let (least, most) =
        (minutes(&policy, "minimumLifetimeInMinutes"), minutes(&policy, "maximumLifetimeInMinutes"));
    if !(least..=most).contains(&lifetime) {
        return Err(refused(&format!(
            "Invalid LifetimeInMinutes specified. The valid range between {least} and {most}."
        )));
    }
    let once = match entries.get("isUsableOnce") {
        None | Some(Value::Null) => false,
        Some(value) => value.as_bool().ok_or_else(|| refused("isUsableOnce must be a boolean."))?,
    };
    let start = match entries.get("startDateTime") {
        None | Some(Value::Null) => call.now,
        Some(value) => value
            .as_str()
            .and_then(parse_time)
            .ok_or_else(|| refused("startDateTime must be a date and time."))?,
    };
    let length = usize::try_from(minutes(&policy, "defaultLength")).unwrap_or(8);
    let pass = json!({
        "@odata.type": format!("#microsoft.graph.{PASS}"), "id": call.new_id,
        "temporaryAccessPass": code(&call.new_id, length), "createdDateTime": format_time(call.now),
        "startDateTime": format_time(start), "lifetimeInMinutes": lifetime,
        // A policy for single use leaves no choice.
        "isUsableOnce": once || is_true(&policy, "isUsableOnce")
    });
    let methods = tenant.authentication_methods.entry(user.to_owned()).or_default();
    // One pass a user: the new one ends the other.
    methods.retain(|own| text(own, "@odata.type").trim_start_matches("#microsoft.graph.") != PASS);
    methods.push(pass.clone());
    directory_audit::append(tenant, call, user, "Admin registered security info", SERVICE, &[]);
    let mut shown = with_usability(tenant, &pass, call.now);
    if let Some(entries) = shown.as_object_mut() {
        entries.insert(
            "temporaryAccessPass".to_owned(),
            pass.get("temporaryAccessPass").cloned().unwrap_or_default(),
        );
    }
    Ok(Reply::created(shown))
}

/// The characters of a pass, drawn from its id: seeded, so that runs repeat.
fn code(id: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789#$+@";
    let draws = (0..).flat_map(|round| {
        derive_id(&format!("pass {id} {round}")).bytes().filter(u8::is_ascii_hexdigit).collect::<Vec<_>>()
    });
    let draws: Vec<u8> = draws.take(length * 2).collect();
    draws
        .chunks(2)
        .filter_map(|pair| {
            std::str::from_utf8(pair).ok().and_then(|pair| usize::from_str_radix(pair, 16).ok())
        })
        .filter_map(|value| ALPHABET.get(value % ALPHABET.len()))
        .map(|byte| char::from(*byte))
        .collect()
}

/// A pass as every read shows it: without its code, with whether it can be used and why.
pub(super) fn with_usability(tenant: &Tenant, pass: &Value, now: Timestamp) -> Value {
    let policy = policy_of(tenant);
    let start = parse_time(text(pass, "startDateTime")).or_else(|| parse_time(text(pass, "createdDateTime")));
    let lifetime = SignedDuration::from_mins(minutes(pass, "lifetimeInMinutes"));
    let end = start.and_then(|start| start.checked_add(lifetime).ok());
    let reason = if text(&policy, "state") != "enabled" {
        "DisabledByPolicy"
    } else if start.is_some_and(|start| now < start) {
        "NotYetValid"
    } else if end.is_some_and(|end| now >= end) {
        "Expired"
    } else {
        "EnabledByPolicy"
    };
    let mut shown = pass.clone();
    if let Some(entries) = shown.as_object_mut() {
        entries.insert("temporaryAccessPass".to_owned(), Value::Null);
        entries.insert("isUsable".to_owned(), (reason == "EnabledByPolicy").into());
        entries.insert("methodUsabilityReason".to_owned(), reason.into());
    }
    shown
}

/// Whether a method is a pass.
pub(super) fn is_pass(method: &Value) -> bool {
    text(method, "@odata.type").trim_start_matches("#microsoft.graph.") == PASS
}
