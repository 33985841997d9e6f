//! Identity Protection's risky users (identity.md 9): read, confirm, dismiss. An answer of 204 means queued; with
//! `tenant.riskProcessingSeconds` it takes that long until a read shows it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lookup::{find_user, text};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules, parse_time};
use crate::sign_in::format_time;
use crate::tenant::Tenant;

/// At most so many ids a call.
const MOST_IDS: usize = 60;
/// The mock's own key of what is not processed yet.
const QUEUED: &str = "queued";

fn licensed(tenant: &Tenant) -> Result<(), Fail> {
    if tenant.tenant.licences.iter().any(|name| name == "AAD_PREMIUM_P2") {
        Ok(())
    } else {
        Err(Fail::new(403, "Forbidden", "Your tenant is not licensed for this feature."))
    }
}

/// A risky user as it stands now: what is queued counts once it is processed.
#[must_use]
pub fn current(row: &Value, tenant: &Tenant, now: Timestamp) -> Value {
    let mut row = row.clone();
    let Some(entries) = row.as_object_mut() else { return row };
    if let Some(Value::Object(queued)) = entries.remove(QUEUED) {
        let at = queued.get("riskLastUpdatedDateTime").and_then(Value::as_str).and_then(parse_time);
        let wait = SignedDuration::from_secs(tenant.tenant.risk_processing_seconds);
        let is_done = at.is_none_or(|at| now.duration_since(at) >= wait);
        if is_done {
            entries.extend(queued);
        }
        entries.insert("isProcessing".to_owned(), (!is_done).into());
    }
    row
}

/// `GET /identityProtection/riskyUsers`
///
/// # Errors
/// 403 without a licence, 400 for a query that is not taken.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    licensed(tenant)?;
    let rows: Vec<Value> = tenant.risky_users.iter().map(|row| current(row, tenant, call.now)).collect();
    odata::collection(&rows, call, &Rules::PLAIN)
}

/// `GET /identityProtection/riskyUsers/{id}`: 404 where the user never had a risk.
///
/// # Errors
/// 403 without a licence, 404.
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    licensed(tenant)?;
    let id = call.segment(0);
    tenant
        .risky_users
        .iter()
        .find(|row| text(row, "id") == id)
        .map(|row| odata::entity(&current(row, tenant, call.now), call, &[]))
        .ok_or_else(|| Fail::new(404, "NotFound", format!("User with id '{id}' was not found.")))
}

/// `POST /identityProtection/riskyUsers/confirmCompromised`
///
/// # Errors
/// 403 without a licence, 400.
pub fn confirm_compromised(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    queue(tenant, call, "high", "confirmedCompromised", "adminConfirmedUserCompromised")
}

/// `POST /identityProtection/riskyUsers/dismiss`
///
/// # Errors
/// 403 without a licence, 400.
pub fn dismiss(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    queue(tenant, call, "none", "dismissed", "adminDismissedAllRiskForUser")
}

/// `POST /identityProtection/riskyUsers/confirmSafe`
///
/// # Errors
/// 403 without a licence, 400.
pub fn confirm_safe(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    queue(tenant, call, "none", "confirmedSafe", "adminConfirmedAccountSafe")
}

fn queue(tenant: &mut Tenant, call: &Call, level: &str, state: &str, detail: &str) -> Result<Reply, Fail> {
    licensed(tenant)?;
    let bad = |text: String| Fail::new(400, "BadRequest", text);
    let ids = call
        .body
        .get("userIds")
        .and_then(Value::as_array)
        .filter(|ids| !ids.is_empty())
        .ok_or_else(|| bad("userIds is required.".to_owned()))?;
    if ids.len() > MOST_IDS {
        return Err(bad(format!("At most {MOST_IDS} users can be updated at a time.")));
    }
    let mut users = Vec::new();
    for id in ids {
        let id = id.as_str().unwrap_or_default();
        // Object ids alone: a UPN is no id here.
        let user = find_user(tenant, id).ok().filter(|user| text(user, "id") == id);
        users.push(user.cloned().ok_or_else(|| bad(format!("User with id '{id}' was not found.")))?);
    }
    for user in users {
        let id = text(&user, "id");
        if state == "confirmedCompromised" {
            tenant.risk_detections.push(super::risk_detections::of_confirmation(&user, call));
        }
        let queued = json!({
            "riskLevel": level, "riskState": state, "riskDetail": detail,
            "riskLastUpdatedDateTime": format_time(call.now)
        });
        if !tenant.risky_users.iter().any(|row| text(row, "id") == id) {
            tenant.risky_users.push(json!({
                "id": id, "userPrincipalName": text(&user, "userPrincipalName"),
                "userDisplayName": text(&user, "displayName"), "isDeleted": false, "isProcessing": false,
                "riskLevel": "none", "riskState": "none", "riskDetail": "none",
                "riskLastUpdatedDateTime": format_time(call.now)
            }));
        }
        let row = tenant.risky_users.iter_mut().find(|row| text(row, "id") == id);
        if let Some(entries) = row.and_then(Value::as_object_mut) {
            entries.insert(QUEUED.to_owned(), queued);
        }
    }
    Ok(Reply::no_content())
}
