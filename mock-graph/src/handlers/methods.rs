//! Authentication methods (identity.md 5): the polymorphic list, the typed collections, deletion with the
//! default-method rule, and the sign-in preferences.

use serde_json::{Value, json};

use super::directory_audit;
use super::lookup::{find_user, text, user_id};
use super::method_kinds::{Kind, of_collection, of_type};
use super::privilege::is_restricted;
use super::registrations::{is_pass, with_usability};
use crate::api::{Call, Fail, Reply, Version};
use crate::routes::Service;
use crate::tenant::{DefaultMethod, Tenant};

pub(super) const SERVICE: &str = "Authentication Methods";

fn methods_of<'a>(tenant: &'a Tenant, id: &str) -> &'a [Value] {
    tenant.authentication_methods.get(id).map(Vec::as_slice).unwrap_or_default()
}

fn kind_of(method: &Value) -> Option<&'static Kind> {
    of_type(text(method, "@odata.type"))
}

pub(super) fn gone(id: &str) -> Fail {
    Fail::new(404, "resourceNotFound", format!("The authentication method '{id}' was not found."))
}

pub(super) fn refused(message: &str) -> Fail {
    Fail::new(400, "badRequest", message).with_inner(message)
}

/// A method as a version shows it: `lastUsedDateTime` is beta's, and a pass's code nobody's.
fn shown(tenant: &Tenant, method: &Value, call: &Call) -> Value {
    let version = call.version;
    let mut method = if is_pass(method) { with_usability(tenant, method, call.now) } else { method.clone() };
    if let Some(entries) = method.as_object_mut() {
        entries.entry("createdDateTime").or_insert(Value::Null);
        if version == Version::V1 {
            entries.remove("lastUsedDateTime");
            entries.remove("clientAppName");
        } else {
            entries.entry("lastUsedDateTime").or_insert(Value::Null);
        }
    }
    method
}

fn listed(call: &Call, value: &[Value], tail: &str) -> Reply {
    let version = call.version.as_str();
    Reply::ok(json!({
        "@odata.context": format!("{}/{version}/$metadata#users('{}')/authentication/{tail}", call.base, call.segment(0)),
        "value": value
    }))
}

/// `GET /users/{id}/authentication/methods`. The service knows no query options.
///
/// # Errors
/// 404.
pub fn list_methods(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let methods: Vec<Value> = methods_of(tenant, &id)
        .iter()
        .filter(|method| call.version == Version::Beta || kind_of(method).is_none_or(|kind| !kind.beta_only))
        .map(|method| shown(tenant, method, call))
        .collect();
    Ok(listed(call, &methods, "methods"))
}

fn collection_kind(call: &Call) -> Result<&'static Kind, Fail> {
    let collection = call.segment(1);
    of_collection(collection).filter(|kind| call.version == Version::Beta || !kind.beta_only).ok_or_else(
        || Fail::new(404, "BadRequest", format!("Resource not found for the segment '{collection}'.")),
    )
}

/// `GET /users/{id}/authentication/{collection}`
///
/// # Errors
/// 404.
pub fn list_kind(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let kind = collection_kind(call)?;
    let id = user_id(tenant, call.segment(0))?;
    let methods: Vec<Value> = methods_of(tenant, &id)
        .iter()
        .filter(|method| kind_of(method).is_some_and(|own| own.odata_type == kind.odata_type))
        .map(|method| shown(tenant, method, call))
        .collect();
    Ok(listed(call, &methods, kind.collection))
}

/// `GET /users/{id}/authentication/{collection}/{methodId}`
///
/// # Errors
/// 404.
pub fn get_kind(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let kind = collection_kind(call)?;
    let id = user_id(tenant, call.segment(0))?;
    methods_of(tenant, &id)
        .iter()
        .find(|method| {
            text(method, "id") == call.segment(2)
                && kind_of(method).is_some_and(|own| own.odata_type == kind.odata_type)
        })
        .map(|method| Reply::ok(shown(tenant, method, call)))
        .ok_or_else(|| gone(call.segment(2)))
}

/// The word of `signInPreferences` for a method; a phone's by its type.
fn preference_of(method: &Value) -> Option<&'static str> {
    let kind = kind_of(method)?;
    if kind.odata_type == "phoneAuthenticationMethod" {
        return Some(match text(method, "phoneType") {
            "alternateMobile" => "voiceAlternateMobile",
            "office" => "voiceOffice",
            _ => "sms",
        });
    }
    kind.preference
}

/// Whether a method is of a preference; a mobile phone serves both its text and its voice.
fn serves(method: &Value, preference: &str) -> bool {
    preference_of(method)
        .is_some_and(|own| own == preference || (own == "sms" && preference == "voiceMobile"))
}

/// The default: its kind, and the one registration where the file names it.
fn default_of(tenant: &Tenant, id: &str) -> Option<(String, Option<String>)> {
    match tenant.default_methods.get(id) {
        Some(DefaultMethod::Kind(kind)) => Some((kind.clone(), None)),
        Some(DefaultMethod::Registration { kind, id }) => Some((kind.clone(), Some(id.clone()))),
        None => methods_of(tenant, id).iter().find_map(preference_of).map(|kind| (kind.to_owned(), None)),
    }
}

/// The kind of the default.
pub(super) fn default_kind(tenant: &Tenant, id: &str) -> Option<String> {
    default_of(tenant, id).map(|(kind, _)| kind)
}

/// Whether a method is a second factor: e-mail serves self-service reset alone, a pass is for getting in once.
fn is_second_factor(method: &Value) -> bool {
    kind_of(method).is_some_and(|kind| {
        !matches!(
            kind.odata_type,
            "passwordAuthenticationMethod"
                | "emailAuthenticationMethod"
                | "temporaryAccessPassAuthenticationMethod"
        )
    })
}

/// The default-method rule (identity.md 5.3; `defaultMethods` in README.md).
fn check_default(tenant: &Tenant, id: &str, method: &Value) -> Result<(), Fail> {
    let Some((kind, named)) = default_of(tenant, id) else { return Ok(()) };
    if !serves(method, &kind) {
        return Ok(());
    }
    let own = text(method, "id");
    let others: Vec<&Value> = methods_of(tenant, id)
        .iter()
        .filter(|other| text(other, "id") != own && is_second_factor(other))
        .collect();
    let same_kind = others.iter().any(|other| serves(other, &kind));
    let is_named = named.as_deref() == Some(own);
    let must_stay = if same_kind { is_named } else { !others.is_empty() };
    if !must_stay {
        return Ok(());
    }
    if text(method, "@odata.type").ends_with("phoneAuthenticationMethod") {
        return Err(refused(&format!(
            "The requested authentication method id of [{own}] matches the user's current default authentication method, and cannot be deleted until the default authentication method is changed"
        )));
    }
    Err(refused(
        "Cannot delete default method with other methods configured. Please change default method before deletion.",
    ))
}

/// `DELETE /users/{id}/authentication/{collection}/{methodId}`
///
/// # Errors
/// 404, the default-method 400, 403 in a restricted unit.
pub fn delete_kind(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let kind = collection_kind(call)?;
    let id = user_id(tenant, call.segment(0))?;
    if is_restricted(tenant, &call.caller, find_user(tenant, &id)?) {
        return Err(Service::AuthenticationMethods.forbidden(""));
    }
    // The QR code stands alone in its collection and is addressed without an id.
    let single = methods_of(tenant, &id)
        .iter()
        .find(|method| kind_of(method).is_some_and(|own| own.odata_type == kind.odata_type))
        .filter(|_| call.segments.len() == 2 && kind.odata_type == "qrCodePinAuthenticationMethod")
        .map(|method| text(method, "id").to_owned());
    let method_id = single.unwrap_or_else(|| call.segment(2).to_owned());
    let method = methods_of(tenant, &id)
        .iter()
        .find(|method| {
            text(method, "id") == method_id
                && kind_of(method).is_some_and(|own| own.odata_type == kind.odata_type)
        })
        .cloned()
        .ok_or_else(|| gone(&method_id))?;
    if !kind.deletable {
        return Err(refused("The password method cannot be deleted."));
    }
    let has_alternate = methods_of(tenant, &id).iter().any(|own| text(own, "phoneType") == "alternateMobile");
    if text(&method, "phoneType") == "mobile" && has_alternate {
        return Err(refused(
            "The mobile phone cannot be deleted while an alternate mobile phone is registered.",
        ));
    }
    check_default(tenant, &id, &method)?;
    if let Some(methods) = tenant.authentication_methods.get_mut(&id) {
        methods.retain(|own| text(own, "id") != method_id);
    }
    let was_named = matches!(tenant.default_methods.get(&id), Some(DefaultMethod::Registration { id: named, .. }) if *named == method_id);
    if was_named {
        tenant.default_methods.remove(&id);
    }
    directory_audit::append(tenant, call, &id, "Admin deleted security info", SERVICE, &[]);
    Ok(Reply::no_content())
}

/// `DELETE /users/{id}/authentication/methods/{methodId}`: in the permission file, not in the back end.
///
/// # Errors
/// Always.
pub fn delete_untyped(_: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let message =
        format!("No HTTP resource was found that matches the request URI '{}{}'.", call.base, call.path);
    Err(Fail::new(404, "", message))
}

/// `GET /beta/users/{id}/authentication/signInPreferences`
///
/// # Errors
/// 404.
pub fn get_sign_in_preferences(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let preferred = default_kind(tenant, &id);
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/beta/$metadata#users('{id}')/authentication/signInPreferences", call.base),
        "isSystemPreferredAuthenticationMethodEnabled": false,
        "userPreferredMethodForSecondaryAuthentication": preferred
    })))
}

/// `PATCH /beta/users/{id}/authentication/signInPreferences`
///
/// # Errors
/// 400 for a kind that the user has not registered.
pub fn patch_sign_in_preferences(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let wanted = call
        .body
        .get("userPreferredMethodForSecondaryAuthentication")
        .and_then(Value::as_str)
        .ok_or_else(|| refused("userPreferredMethodForSecondaryAuthentication is required."))?
        .to_owned();
    if !["push", "oath", "voiceMobile", "voiceAlternateMobile", "voiceOffice", "sms"]
        .contains(&wanted.as_str())
    {
        return Err(refused(&format!("The value '{wanted}' is not valid.")));
    }
    if !methods_of(tenant, &id).iter().any(|method| serves(method, &wanted)) {
        return Err(refused("The user has no such method registered."));
    }
    tenant.default_methods.insert(id.clone(), DefaultMethod::Kind(wanted));
    directory_audit::append(tenant, call, &id, "Admin updated security info", SERVICE, &[]);
    Ok(Reply::no_content())
}
