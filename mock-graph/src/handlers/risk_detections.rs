//! Identity Protection's detections (identity.md 9): shown whole with P2, by kind alone as `generic` with P1.

use serde_json::{Value, json};

use super::lookup::text;
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::sign_in::{derive_id, format_time};
use crate::tenant::Tenant;

/// Detections that P1 names.
const PLAIN: [&str; 5] = [
    "anonymizedIPAddress",
    "leakedCredentials",
    "investigationsThreatIntelligence",
    "generic",
    "adminConfirmedUserCompromised",
];

fn shown(tenant: &Tenant) -> Result<Vec<Value>, Fail> {
    let has = |plan: &str| tenant.tenant.licences.iter().any(|own| own == plan);
    if !has("AAD_PREMIUM") && !has("AAD_PREMIUM_P2") {
        return Err(Fail::new(403, "Forbidden", "Your tenant is not licensed for this feature."));
    }
    let mut rows = tenant.risk_detections.clone();
    if !has("AAD_PREMIUM_P2") {
        for row in rows.iter_mut().filter(|row| !PLAIN.contains(&text(row, "riskEventType"))) {
            if let Some(entries) = row.as_object_mut() {
                entries.insert("riskEventType".to_owned(), "generic".into());
                entries.insert("riskDetail".to_owned(), "hidden".into());
                entries.insert("riskLevel".to_owned(), "hidden".into());
            }
        }
    }
    Ok(rows)
}

/// `GET /identityProtection/riskDetections`
///
/// # Errors
/// 403 without a licence, 400 for a query that is not taken.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&shown(tenant)?, call, &Rules::PLAIN)
}

/// `GET /identityProtection/riskDetections/{id}`
///
/// # Errors
/// 403 without a licence, 404.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = call.segment(0);
    shown(tenant)?
        .iter()
        .find(|row| text(row, "id") == id)
        .map(|row| odata::entity(row, call, &[]))
        .ok_or_else(|| Fail::new(404, "NotFound", format!("Risk detection '{id}' was not found.")))
}

/// The detection that an administrator's word makes; it is linked to no sign-in.
pub(super) fn of_confirmation(user: &Value, call: &Call) -> Value {
    let now = format_time(call.now);
    json!({
        "id": derive_id(&format!("detection {} {}", text(user, "id"), call.new_id)), "requestId": null, "correlationId": null,
        "riskEventType": "adminConfirmedUserCompromised", "riskLevel": "high", "riskState": "confirmedCompromised",
        "riskDetail": "adminConfirmedUserCompromised", "source": "IdentityProtection", "detectionTimingType": "offline",
        "activity": "user", "ipAddress": null, "location": null, "activityDateTime": now, "detectedDateTime": now,
        "lastUpdatedDateTime": now, "tokenIssuerType": "AzureAD", "userId": text(user, "id"),
        "userPrincipalName": text(user, "userPrincipalName"), "userDisplayName": text(user, "displayName"), "additionalInfo": "[]"
    })
}
