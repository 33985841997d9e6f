//! Service principals and delegated grants, read (identity.md 8.1).

use serde_json::Value;

use super::lookup::{not_found, text, user_id};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::tenant::Tenant;

const RULES: Rules = Rules { directory: true, ..Rules::PLAIN };

/// `GET /servicePrincipals`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_service_principals(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&tenant.service_principals, call, &RULES)
}

/// `GET /servicePrincipals/{id}`
///
/// # Errors
/// 404.
pub fn get_service_principal(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = call.segment(0);
    let row = tenant
        .service_principals
        .iter()
        .find(|own| text(own, "id").eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))?;
    Ok(odata::entity(row, call, &[]))
}

/// `GET /oauth2PermissionGrants`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_oauth2_permission_grants(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&tenant.oauth2_permission_grants, call, &RULES)
}

/// `GET /users/{id}/oauth2PermissionGrants`: this user's own; tenant-wide ones are not among them.
///
/// # Errors
/// 404.
pub fn user_oauth2_permission_grants(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let rows: Vec<Value> = tenant
        .oauth2_permission_grants
        .iter()
        .filter(|own| text(own, "consentType") == "Principal" && text(own, "principalId") == id)
        .cloned()
        .collect();
    odata::collection(&rows, call, &RULES)
}
