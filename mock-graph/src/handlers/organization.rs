//! The tenant itself: organization, licences, domains, security defaults.

use serde_json::{Value, json};

use super::lookup::{not_found, text};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::tenant::{PasswordWriteback, Tenant};

/// `GET /organization`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_organization(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let row = json!({
        "id": tenant.tenant.id, "displayName": tenant.tenant.display_name, "tenantType": "AAD",
        "verifiedDomains": [{ "name": tenant.tenant.default_domain, "isDefault": true, "isInitial": false, "type": "Managed" }],
        "onPremisesSyncEnabled": null
    });
    odata::collection(&[row], call, &Rules::PLAIN)
}

/// `GET /subscribedSkus`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_subscribed_skus(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let plans: Vec<Value> = tenant
        .tenant
        .licences
        .iter()
        .map(|name| {
            json!({ "servicePlanId": crate::sign_in::derive_id(name), "servicePlanName": name,
                    "provisioningStatus": "Success", "appliesTo": "User" })
        })
        .collect();
    let rows = if plans.is_empty() {
        Vec::new()
    } else {
        vec![json!({
            "id": format!("{}_06ebc4ee-1bb5-47dd-8120-11324bc54e06", tenant.tenant.id),
            "skuId": "06ebc4ee-1bb5-47dd-8120-11324bc54e06", "skuPartNumber": "SPE_E5", "capabilityStatus": "Enabled",
            "appliesTo": "User", "consumedUnits": tenant.users.len(), "servicePlans": plans
        })]
    };
    odata::collection(&rows, call, &Rules::PLAIN)
}

/// Every domain: those of the file, and those that users' names are in.
fn domains(tenant: &Tenant) -> Vec<Value> {
    let mut rows = tenant.domains.clone();
    let names = tenant
        .users
        .iter()
        .filter_map(|user| text(user, "userPrincipalName").rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase())
        .chain([tenant.tenant.default_domain.to_lowercase()]);
    for name in names {
        if !rows.iter().any(|own| text(own, "id").eq_ignore_ascii_case(&name)) {
            rows.push(json!({ "id": name, "authenticationType": "Managed", "isVerified": true,
                              "isDefault": name.eq_ignore_ascii_case(&tenant.tenant.default_domain) }));
        }
    }
    rows
}

/// `GET /domains`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_domains(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&domains(tenant), call, &Rules::PLAIN)
}

/// `GET /domains/{id}`
///
/// # Errors
/// 404.
pub fn get_domain(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let name = call.segment(0);
    let rows = domains(tenant);
    let row =
        rows.iter().find(|own| text(own, "id").eq_ignore_ascii_case(name)).ok_or_else(|| not_found(name))?;
    Ok(odata::entity(row, call, &[]))
}

/// `GET /directory/onPremisesSynchronization`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_on_premises_synchronization(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let is_written_back = tenant.tenant.password_writeback != PasswordWriteback::Off;
    let row = json!({
        "id": tenant.tenant.id,
        "configuration": { "accidentalDeletionPrevention": {
            "synchronizationPreventionType": "enabledForCount", "alertThreshold": 500
        } },
        "features": { "passwordSyncEnabled": true, "passwordWritebackEnabled": is_written_back }
    });
    odata::collection(&[row], call, &Rules::PLAIN)
}

/// `GET /policies/identitySecurityDefaultsEnforcementPolicy`
///
/// # Errors
/// None.
pub fn get_security_defaults(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let row = json!({
        "id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults",
        "isEnabled": tenant.tenant.security_defaults
    });
    Ok(odata::entity(&row, call, &[]))
}
