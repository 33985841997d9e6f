//! Searches of the unified audit log (policy-logs-auth.md 6.2): made, waited for, read, deleted.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::lookup::text;
use crate::api::{Call, Caller, Fail, Reply};
use crate::odata::{self, Rules, parse_time};
use crate::sign_in::format_time;
use crate::tenant::Tenant;

/// Searches that may be under way at once; trying again in place does not help.
const MOST_AT_ONCE: usize = 10;
/// What a search may name.
const PROPERTIES: [&str; 10] = [
    "displayName",
    "filterStartDateTime",
    "filterEndDateTime",
    "recordTypeFilters",
    "keywordFilter",
    "serviceFilters",
    "operationFilters",
    "userPrincipalNameFilters",
    "ipAddressFilters",
    "objectIdFilters",
];
/// Permission by workload, and the service of its records.
const WORKLOADS: [(&str, &str); 4] = [
    ("AuditLogsQuery-Entra.Read.All", "AzureActiveDirectory"),
    ("AuditLogsQuery-Exchange.Read.All", "Exchange"),
    ("AuditLogsQuery-SharePoint.Read.All", "SharePoint"),
    ("AuditLogsQuery-OneDrive.Read.All", "OneDrive"),
];

fn bad(message: impl Into<String>) -> Fail {
    Fail::new(400, "BadRequest", message)
}

fn check_tenant(tenant: &Tenant) -> Result<(), Fail> {
    if tenant.tenant.auditing {
        return Ok(());
    }
    // The service answers by JSON inside the message.
    let inner =
        json!({ "Status": "AuditingDisabledTenant", "Message": "Auditing is not enabled for this tenant." });
    Err(Fail::new(400, "UnknownError", inner.to_string()))
}

/// A search as it stands now: it takes its time.
fn shown(query: &Value, tenant: &Tenant, call: &Call) -> Value {
    let mut query = query.clone();
    let age = query
        .as_object_mut()
        .and_then(|entries| entries.remove("createdDateTime"))
        .and_then(|made| made.as_str().and_then(parse_time))
        .map_or(SignedDuration::MAX, |made| call.now.duration_since(made));
    let wait = SignedDuration::from_secs(tenant.tenant.audit_query_seconds);
    let status = match age {
        age if age >= wait => "succeeded",
        age if age.is_zero() => "notStarted",
        _ => "running",
    };
    if let Some(entries) = query.as_object_mut() {
        entries.insert("status".to_owned(), status.into());
    }
    query
}

fn find(tenant: &Tenant, call: &Call) -> Result<Value, Fail> {
    let id = call.segment(0);
    tenant
        .audit_queries
        .iter()
        .find(|own| text(own, "id") == id)
        .map(|own| shown(own, tenant, call))
        .ok_or_else(|| Fail::new(404, "ResourceNotFound", format!("Query '{id}' was not found.")))
}

/// `POST /security/auditLog/queries`
///
/// # Errors
/// 400 for what is no search or where auditing is off; 429 where too many are under way.
pub fn create(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_tenant(tenant)?;
    let sent = call.body.as_object().ok_or_else(|| bad("The request body is no query."))?;
    if let Some(unknown) =
        sent.keys().find(|key| !key.starts_with("@odata.") && !PROPERTIES.contains(&key.as_str()))
    {
        return Err(bad(format!("The property '{unknown}' does not exist on type 'auditLogQuery'.")));
    }
    let moment =
        |key: &str| parse_time(text(&call.body, key)).ok_or_else(|| bad(format!("'{key}' is required.")));
    if moment("filterStartDateTime")? >= moment("filterEndDateTime")? {
        return Err(bad("filterStartDateTime must be before filterEndDateTime."));
    }
    let running =
        tenant.audit_queries.iter().filter(|own| text(&shown(own, tenant, call), "status") != "succeeded");
    if running.count() >= MOST_AT_ONCE {
        return Err(Fail::new(429, "TooManyRequests", "Too many searches are running in this tenant."));
    }
    let mut query = call.body.clone();
    if let Some(entries) = query.as_object_mut() {
        entries.insert("id".to_owned(), call.new_id.clone().into());
        entries.insert("createdDateTime".to_owned(), format_time(call.now).into());
    }
    tenant.audit_queries.push(query.clone());
    Ok(Reply::created(shown(&query, tenant, call)))
}

/// `GET /security/auditLog/queries`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<Value> = tenant.audit_queries.iter().map(|own| shown(own, tenant, call)).collect();
    odata::collection(&rows, call, &Rules::PLAIN)
}

/// `GET /security/auditLog/queries/{id}`
///
/// # Errors
/// 404.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    Ok(odata::entity(&find(tenant, call)?, call, &[]))
}

/// `GET /security/auditLog/queries/{id}/records`: of the workloads that the caller may read.
///
/// # Errors
/// 404; 400 before the search is done.
pub fn records(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let query = find(tenant, call)?;
    if text(&query, "status") != "succeeded" {
        return Err(bad("The query has not finished."));
    }
    let rows: Vec<Value> = tenant
        .audit_log_records
        .iter()
        .filter(|row| may_read(&call.caller, row) && fits(&query, row))
        .cloned()
        .collect();
    odata::collection(&rows, call, &Rules { default_page: 150, max_page: 999, ..Rules::PLAIN })
}

fn may_read(caller: &Caller, row: &Value) -> bool {
    caller.holds("AuditLogsQuery.Read.All")
        || WORKLOADS.iter().any(|(permission, service)| {
            caller.holds(permission) && text(row, "service").eq_ignore_ascii_case(service)
        })
}

fn fits(query: &Value, row: &Value) -> bool {
    let within = parse_time(text(row, "createdDateTime")).is_some_and(|time| {
        parse_time(text(query, "filterStartDateTime")).is_none_or(|start| time >= start)
            && parse_time(text(query, "filterEndDateTime")).is_none_or(|end| time < end)
    });
    let filters = [
        ("recordTypeFilters", "auditLogRecordType"),
        ("serviceFilters", "service"),
        ("operationFilters", "operation"),
        ("userPrincipalNameFilters", "userPrincipalName"),
        ("ipAddressFilters", "clientIp"),
        ("objectIdFilters", "objectId"),
    ];
    within
        && filters.iter().all(|(filter, property)| {
            let wanted = query.get(*filter).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let own = text(row, property);
            wanted.is_empty()
                || wanted.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(own)))
        })
}

/// `DELETE /security/auditLog/queries/{id}`
///
/// # Errors
/// 404.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let query = find(tenant, call)?;
    tenant.audit_queries.retain(|own| text(own, "id") != text(&query, "id"));
    Ok(Reply::no_content())
}
