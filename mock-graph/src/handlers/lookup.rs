//! Finding objects of the directory, and the refusals that every service shares.

use serde_json::Value;

use crate::api::{Call, Fail};
use crate::tenant::Tenant;

/// A text property; empty where there is none.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a property is true.
pub(super) fn is_true(object: &Value, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// The refusal of an object that is not there (identity.md 10.2).
pub(super) fn not_found(key: &str) -> Fail {
    Fail::new(
        404,
        "Request_ResourceNotFound",
        format!(
            "Resource '{key}' does not exist or one of its queried reference-property objects are not present."
        ),
    )
}

/// Finds a user by id or UPN.
pub(super) fn find_user<'a>(tenant: &'a Tenant, key: &str) -> Result<&'a Value, Fail> {
    if key.starts_with('$') {
        return Err(Fail::new(400, "BadRequest", format!("Resource not found for the segment '{key}'.")));
    }
    tenant.user(key).ok_or_else(|| not_found(key))
}

/// Finds a group by id.
pub(super) fn find_group<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Fail> {
    tenant.groups.iter().find(|group| text(group, "id").eq_ignore_ascii_case(id)).ok_or_else(|| not_found(id))
}

/// The refusal of what only a tenant with Entra ID P1 or P2 shows.
pub(super) fn check_premium(tenant: &Tenant) -> Result<(), Fail> {
    if tenant.tenant.licences.iter().any(|plan| plan == "AAD_PREMIUM" || plan == "AAD_PREMIUM_P2") {
        return Ok(());
    }
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    Err(Fail::new(403, code, "Neither tenant is B2C or tenant doesn't have premium license"))
}

/// The id of a user by id or UPN.
pub(super) fn user_id(tenant: &Tenant, key: &str) -> Result<String, Fail> {
    find_user(tenant, key).map(|user| text(user, "id").to_owned())
}

/// Sets properties of a user.
pub(super) fn set_user(tenant: &mut Tenant, id: &str, set: &[(&str, Value)]) {
    if let Some(entries) =
        tenant.users.iter_mut().find(|user| text(user, "id") == id).and_then(Value::as_object_mut)
    {
        for (key, value) in set {
            entries.insert((*key).to_owned(), value.clone());
        }
    }
}

/// Finds an object of a list by id, or by the alternate key that is written by name: `devices(deviceId='x')`.
pub(super) fn find_object<'a>(list: &'a [Value], segment: &str, alternate: &str) -> Result<&'a Value, Fail> {
    let (key, wanted) = match crate::uri::named_key(segment, alternate) {
        Some(value) => (alternate, value),
        None => ("id", segment.to_owned()),
    };
    list.iter().find(|own| text(own, key).eq_ignore_ascii_case(&wanted)).ok_or_else(|| not_found(&wanted))
}

/// The object of a list with this id, to change it.
pub(super) fn object_mut<'a>(list: &'a mut [Value], id: &str) -> Option<&'a mut Value> {
    list.iter_mut().find(|own| text(own, "id") == id)
}

/// The refusal of a property that a PATCH may not name, or of a body that is none.
pub(super) fn check_properties(call: &Call, resource: &str, allowed: &[&str]) -> Result<(), Fail> {
    let bad = |message: String| Fail::new(400, "Request_BadRequest", message);
    let entries = call
        .body
        .as_object()
        .filter(|entries| !entries.is_empty())
        .ok_or_else(|| bad(format!("Invalid value specified for property of resource '{resource}'.")))?;
    match entries.keys().find(|key| !key.starts_with("@odata.") && !allowed.contains(&key.as_str())) {
        Some(unknown) => Err(bad(format!(
            "Resource '{resource}' does not have a property named '{unknown}' that can be set here."
        ))),
        None => Ok(()),
    }
}
