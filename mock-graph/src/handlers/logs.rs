//! Sign-in and directory audit logs.
//!
//! | route | handler | permissions of an application | refusal |
//! | --- | --- | --- | --- |
//! | GET `/auditLogs/signIns` (v1.0 and beta) | [`list_sign_ins`] | `AuditLog.Read.All` | 403 `Authentication_MSGraphPermissionMissing` |
//! | GET `/auditLogs/signIns/{id}` | [`get_sign_in`] | `AuditLog.Read.All` | same |
//! | GET `/auditLogs/directoryAudits` | [`list_audits`] | `AuditLog.Read.All` or `Directory.Read.All` | same |
//! | GET `/auditLogs/directoryAudits/{id}` | [`get_audit`] | the same | same |
//!
//! Sign-ins want a P1 or P2 licence; audits do not.

use serde_json::{Map, Value};

use super::lookup::check_premium;
use crate::api::{Call, Fail, Reply, Version};
use crate::odata::{Rules, collection_of, entity};
use crate::tenant::Tenant;

/// Properties of v1.0's `signIn`; everything else is beta's.
const SIGN_IN_V1: [&str; 30] = [
    "appDisplayName",
    "appId",
    "appliedConditionalAccessPolicies",
    "authenticationAppDeviceDetails",
    "clientAppUsed",
    "conditionalAccessStatus",
    "correlationId",
    "createdDateTime",
    "deviceDetail",
    "homeTenantId",
    "id",
    "ipAddress",
    "isInteractive",
    "location",
    "resourceDisplayName",
    "resourceId",
    "resourceTenantId",
    "riskDetail",
    "riskEventTypes",
    "riskEventTypes_v2",
    "riskLevelAggregated",
    "riskLevelDuringSignIn",
    "riskState",
    "servicePrincipalId",
    "servicePrincipalName",
    "status",
    "userAgent",
    "userDisplayName",
    "userId",
    "userPrincipalName",
];

/// What sign-ins are filtered by, on beta; v1.0 lacks the last two.
const SIGN_IN_FILTERS_BETA: &[&str] = &[
    "id eq",
    "createdDateTime eq le ge",
    "userId eq",
    "userPrincipalName eq startswith",
    "userDisplayName eq startswith",
    "appId eq",
    "appDisplayName eq startswith",
    "ipAddress eq startswith",
    "correlationId eq",
    "status/errorCode eq",
    "clientAppUsed eq",
    "conditionalAccessStatus eq",
    "deviceDetail/browser eq startswith",
    "deviceDetail/operatingSystem eq startswith",
    "location/city eq startswith",
    "location/state eq startswith",
    "location/countryOrRegion eq startswith",
    "resourceDisplayName eq",
    "resourceId eq",
    "riskDetail eq",
    "riskLevelAggregated eq",
    "riskLevelDuringSignIn eq",
    "riskState eq",
    "riskEventTypes eq",
    "riskEventTypes_v2 eq startswith",
    "userAgent eq startswith",
    "originalRequestId eq",
    "signInEventTypes eq ne",
];

/// The same for v1.0.
const SIGN_IN_FILTERS_V1: &[&str] = SIGN_IN_FILTERS_BETA.split_at(SIGN_IN_FILTERS_BETA.len() - 2).0;

const AUDIT_FILTERS: &[&str] = &[
    "id eq",
    "activityDateTime eq ge le",
    "activityDisplayName eq startswith",
    "correlationId eq",
    "loggedByService eq",
    "initiatedBy/user/id eq",
    "initiatedBy/user/displayName eq",
    "initiatedBy/user/userPrincipalName eq startswith",
    "initiatedBy/app/appId eq",
    "initiatedBy/app/displayName eq",
    "targetResources/id eq",
    "targetResources/displayName eq startswith",
    // Without a note in the documents, but filtered by in production.
    "targetResources/userPrincipalName eq",
    "category eq",
];

const PAGE: usize = 1000;

/// Lists sign-ins: v1.0 the interactive ones; beta too, unless the filter speaks of `signInEventTypes`.
///
/// # Errors
/// 403 without a premium licence, 400 for a query that is not supported.
pub fn list_sign_ins(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_premium(tenant)?;
    let asks_for_kinds = call.option("$filter").is_some_and(|filter| filter.contains("signInEventTypes"));
    let all = call.version == Version::Beta && asks_for_kinds;
    let rows: Vec<&Value> = tenant.sign_ins.iter().filter(|row| all || is_interactive(row)).collect();
    let rules = Rules {
        default_page: PAGE,
        max_page: PAGE,
        filterable: Some(if call.version == Version::V1 { SIGN_IN_FILTERS_V1 } else { SIGN_IN_FILTERS_BETA }),
        orderable: Some(&["createdDateTime"]),
        default_order: "createdDateTime desc",
        ..Rules::PLAIN
    };
    collection_of(&rows, call, &rules, &|row| show(row, call))
}

/// Gets one sign-in.
///
/// # Errors
/// 403 without a premium licence, 404 where there is none that the version shows.
pub fn get_sign_in(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_premium(tenant)?;
    let row = find(&tenant.sign_ins, call)?;
    if call.version == Version::V1 && !is_interactive(row) {
        return Err(missing(call));
    }
    Ok(entity(&show(row, call), call, &[]))
}

/// Lists directory audits, newest first.
///
/// # Errors
/// 400 for a query that is not supported.
pub fn list_audits(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<&Value> = tenant.directory_audits.iter().collect();
    let rules = Rules {
        default_page: PAGE,
        max_page: PAGE,
        filterable: Some(AUDIT_FILTERS),
        orderable: Some(&["activityDateTime"]),
        default_order: "activityDateTime desc",
        ..Rules::PLAIN
    };
    collection_of(&rows, call, &rules, &|row| show_audit(row, call))
}

/// Gets one directory audit.
///
/// # Errors
/// 404 where there is none.
pub fn get_audit(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let row = find(&tenant.directory_audits, call)?;
    Ok(entity(&show_audit(row, call), call, &[]))
}

fn missing(call: &Call) -> Fail {
    Fail::new(404, "ResourceNotFound", format!("Resource '{}' could not be found.", call.segment(0)))
}

fn find<'a>(rows: &'a [Value], call: &Call) -> Result<&'a Value, Fail> {
    let id = Some(call.segment(0));
    rows.iter().find(|row| row.get("id").and_then(Value::as_str) == id).ok_or_else(|| missing(call))
}

fn is_interactive(row: &Value) -> bool {
    match row.get("signInEventTypes").and_then(Value::as_array) {
        Some(kinds) => kinds.contains(&"interactiveUser".into()),
        None => row.get("isInteractive") == Some(&Value::Bool(true)),
    }
}

/// The row as version, permissions and `Prefer` leave it.
fn show(row: &Value, call: &Call) -> Value {
    let Value::Object(row) = row else { return row.clone() };
    let permissions =
        ["Policy.Read.All", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess"];
    let sees_policies = permissions.iter().any(|permission| call.caller.holds(permission));
    let v1 = call.version == Version::V1;
    let keeps = |name: &str| {
        (!v1 || SIGN_IN_V1.contains(&name)) && (sees_policies || name != "appliedConditionalAccessPolicies")
    };
    let mut shown: Map<String, Value> = row
        .iter()
        .filter(|(name, _)| keeps(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let evolved = ["refreshToken", "remoteDesktopToken"];
    if let Some(token) = shown.get_mut("incomingTokenType")
        && token.as_str().is_some_and(|token| evolved.contains(&token))
        && !prefers_unknown_members(call)
    {
        *token = "unknownFutureValue".into();
    }
    Value::Object(shown)
}

fn prefers_unknown_members(call: &Call) -> bool {
    let prefer = call.headers.iter().filter(|(name, _)| name == "prefer");
    prefer.flat_map(|(_, value)| value.split(',')).any(|part| part.trim() == "include-unknown-enum-members")
}

fn show_audit(row: &Value, call: &Call) -> Value {
    let mut shown = row.clone();
    if let (Version::V1, Value::Object(shown)) = (call.version, &mut shown) {
        shown.remove("userAgent");
        shown.remove("performedBy");
    }
    shown
}
