//! Named locations: plain lists, replaced whole by a PATCH, without any concurrency control.
//!
//! | route (v1.0 and beta) | handler | permissions of an application | refusal |
//! | --- | --- | --- | --- |
//! | GET `/identity/conditionalAccess/namedLocations` | [`list`] | `Policy.Read.All`, nothing else | 403 `AccessDenied` |
//! | GET `/identity/conditionalAccess/namedLocations/{id}` | [`get`] | `Policy.Read.All`, nothing else | same |
//! | POST `/identity/conditionalAccess/namedLocations` | [`create`] | `Policy.Read.All` and `Policy.ReadWrite.ConditionalAccess` | same |
//! | PATCH `/identity/conditionalAccess/namedLocations/{id}` | [`update`] | the same pair | same |
//! | DELETE `/identity/conditionalAccess/namedLocations/{id}` | [`delete`] | the same pair | same |

use serde_json::Value;

use super::policy_audit;
use crate::api::{Call, Fail, Reply};
use crate::conditional_access::validation::{create_location, update_location};
use crate::odata::{Rules, collection, entity};
use crate::tenant::Tenant;

const RULES: Rules = Rules { default_page: 100, max_page: 999, ..Rules::PLAIN };

/// Lists named locations.
///
/// # Errors
/// 400 for a query that is not supported.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    collection(&tenant.named_locations, call, &RULES)
}

/// Gets one named location.
///
/// # Errors
/// 404 where there is none, the pseudo ids of policies included.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    tenant.named_locations.get(index).map(|location| entity(location, call, &[])).ok_or_else(|| missing(call))
}

/// Creates a named location.
///
/// # Errors
/// 400 as the service refuses, 403 without a licence.
pub fn create(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let location = create_location(tenant, call)?;
    policy_audit::append(tenant, call, "Add named location", None, Some(&location));
    let mut reply = entity(&location, &Call { path: format!("{}/x", call.path), ..call.clone() }, &[]);
    reply.status = 201;
    tenant.named_locations.push(location);
    Ok(reply)
}

/// Changes a named location; `ipRanges` that are sent replace the whole list, and `If-Match` is not looked at.
///
/// # Errors
/// 404 where there is none, 400 as the service refuses.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    let existing = tenant.named_locations.get(index).cloned().unwrap_or_default();
    let location = update_location(tenant, call, &existing)?;
    policy_audit::append(tenant, call, "Update named location", Some(&existing), Some(&location));
    if let Some(place) = tenant.named_locations.get_mut(index) {
        *place = location;
    }
    Ok(Reply::no_content())
}

/// Deletes a named location that is neither trusted nor named by a policy in any state.
///
/// # Errors
/// 404 where there is none, 400 where it is trusted or in use.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    let existing = tenant.named_locations.get(index).cloned().unwrap_or_default();
    if existing.get("isTrusted") == Some(&Value::Bool(true)) {
        return Err(refuse("1052: A trusted named location cannot be deleted."));
    }
    if is_referenced(tenant, call.segment(0)) {
        return Err(refuse(
            "1053: The named location is referenced by a Conditional Access policy and cannot be deleted.",
        ));
    }
    tenant.named_locations.remove(index);
    policy_audit::append(tenant, call, "Delete named location", Some(&existing), None);
    Ok(Reply::no_content())
}

fn refuse(inner: &str) -> Fail {
    let message = "The server could not process the request because it is malformed or incorrect.";
    Fail::new(400, "BadRequest", message).with_inner(inner)
}

fn missing(call: &Call) -> Fail {
    Fail::new(
        404,
        "ResourceNotFound",
        format!("NamedLocation with id {} could not be found.", call.segment(0)),
    )
}

fn find(tenant: &Tenant, call: &Call) -> Result<usize, Fail> {
    let id = call.segment(0);
    let is_it = |location: &Value| {
        location.get("id").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(id))
    };
    tenant.named_locations.iter().position(is_it).ok_or_else(|| missing(call))
}

fn is_referenced(tenant: &Tenant, id: &str) -> bool {
    let sides = ["/conditions/locations/includeLocations", "/conditions/locations/excludeLocations"];
    tenant.conditional_access_policies.iter().any(|policy| {
        let lists = sides.iter().filter_map(|side| policy.pointer(side).and_then(Value::as_array));
        lists.flatten().filter_map(Value::as_str).any(|entry| entry.eq_ignore_ascii_case(id))
    })
}
