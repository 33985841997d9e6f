//! Conditional Access policies.
//!
//! | route (v1.0 and beta) | handler | permissions of an application | refusal |
//! | --- | --- | --- | --- |
//! | GET `/identity/conditionalAccess/policies` | [`list`] | `Policy.Read.All`, nothing else | 403 `AccessDenied` |
//! | GET `/identity/conditionalAccess/policies/{id}` | [`get`] | `Policy.Read.All`, nothing else | same |
//! | POST `/identity/conditionalAccess/policies` | [`create`] | `Policy.Read.All`, `Policy.ReadWrite.ConditionalAccess` and `Application.Read.All` | same |
//! | PATCH `/identity/conditionalAccess/policies/{id}` | [`update`] | the same three | same |
//! | DELETE `/identity/conditionalAccess/policies/{id}` | [`delete`] | `Policy.Read.All` and `Policy.ReadWrite.ConditionalAccess` | same |
//!
//! `/policies/conditionalAccessPolicies[/{id}]` is an alias of the same.

use serde_json::Value;

use super::policy_audit;
use crate::api::{Call, Fail, Reply, Version};
use crate::conditional_access::validation::{
    create_policy, holds_preview_features, strip_preview_features, update_policy,
};
use crate::odata::{Rules, collection_of, entity};
use crate::tenant::Tenant;

const RULES: Rules = Rules {
    filterable: Some(&["id", "displayName", "state", "createdDateTime", "modifiedDateTime"]),
    ..Rules::PLAIN
};

/// Lists policies; v1.0 leaves out what only beta has.
///
/// # Errors
/// 400 for a query that is not supported.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<&Value> = tenant.conditional_access_policies.iter().collect();
    collection_of(&rows, call, &RULES, &|policy| match call.version {
        Version::V1 => strip_preview_features(policy),
        Version::Beta => policy.clone(),
    })
}

/// Gets one policy.
///
/// # Errors
/// 404 where there is none; 400 `1037` where it holds what only beta shows.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    let policy = tenant.conditional_access_policies.get(index).ok_or_else(|| missing(call))?;
    if call.version == Version::V1 && holds_preview_features(policy) {
        let name = policy.get("displayName").and_then(Value::as_str).unwrap_or_default();
        let message = format!(
            "1037: Policy '{name}' contains preview features. Use the Beta endpoint to retrieve this policy."
        );
        return Err(Fail::new(400, "BadRequest", message));
    }
    Ok(entity(policy, call, &[]))
}

/// Creates a policy.
///
/// # Errors
/// 400 as the service refuses, 403 without a licence.
pub fn create(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let policy = create_policy(tenant, call)?;
    policy_audit::append(tenant, call, "Add conditional access policy", None, Some(&policy));
    let mut reply = entity(&policy, &Call { path: format!("{}/x", call.path), ..call.clone() }, &[]);
    reply.status = 201;
    tenant.conditional_access_policies.push(policy);
    Ok(reply)
}

/// Changes a policy: objects merge, arrays replace, null clears.
///
/// # Errors
/// 404 where there is none, 400 as the service refuses.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    let existing = tenant.conditional_access_policies.get(index).cloned().unwrap_or_default();
    let policy = update_policy(tenant, call, &existing)?;
    policy_audit::append(tenant, call, "Update conditional access policy", Some(&existing), Some(&policy));
    if let Some(place) = tenant.conditional_access_policies.get_mut(index) {
        *place = policy;
    }
    Ok(Reply::no_content())
}

/// Deletes a policy.
///
/// # Errors
/// 404 where there is none.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let index = find(tenant, call)?;
    let existing = tenant.conditional_access_policies.remove(index);
    policy_audit::append(tenant, call, "Delete conditional access policy", Some(&existing), None);
    Ok(Reply::no_content())
}

fn missing(call: &Call) -> Fail {
    Fail::new(404, "ResourceNotFound", format!("Policy with id {} could not be found.", call.segment(0)))
}

fn find(tenant: &Tenant, call: &Call) -> Result<usize, Fail> {
    let id = call.segment(0);
    let is_it = |policy: &Value| {
        policy.get("id").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(id))
    };
    tenant.conditional_access_policies.iter().position(is_it).ok_or_else(|| missing(call))
}
