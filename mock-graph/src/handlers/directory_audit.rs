//! Audit records of writes to users, their methods, and other objects of the directory (policy-logs-auth.md 5.6).

use std::sync::Arc;

use serde_json::{Value, json};

use super::lookup::{find_user, text};
use crate::api::Call;
use crate::sign_in::{derive_id, format_time};
use crate::tenant::Tenant;

/// Appends the record of a write to a user.
pub(super) fn append(
    tenant: &mut Tenant,
    call: &Call,
    user_id: &str,
    activity: &str,
    service: &str,
    modified: &[(&str, Value)],
) {
    let upn =
        find_user(tenant, user_id).map(|user| text(user, "userPrincipalName").to_owned()).unwrap_or_default();
    let target =
        Target { id: user_id, kind: "User", category: "UserManagement", name: None, upn: Some(&upn) };
    append_for(tenant, call, &target, activity, service, modified);
}

/// What a record is of.
pub(super) struct Target<'a> {
    /// Object id.
    pub(super) id: &'a str,
    /// `targetResources[].type`.
    pub(super) kind: &'static str,
    /// Category of the record.
    pub(super) category: &'static str,
    /// Name on screens.
    pub(super) name: Option<&'a str>,
    /// UPN, where it is a user.
    pub(super) upn: Option<&'a str>,
}

/// Appends the record of a write to any object.
pub(super) fn append_for(
    tenant: &mut Tenant,
    call: &Call,
    target: &Target<'_>,
    activity: &str,
    service: &str,
    modified: &[(&str, Value)],
) {
    let name = tenant
        .applications
        .iter()
        .find(|own| own.app_id == call.caller.app_id)
        .map(|own| own.display_name.clone());
    let principal = tenant
        .service_principals
        .iter()
        .find(|own| text(own, "appId") == call.caller.app_id)
        .map(|own| text(own, "id").to_owned());
    let count = tenant.directory_audits.len();
    let correlation = derive_id(&format!("{activity} {} {} {count}", call.new_id, call.now));
    let tail = correlation.get(..5).unwrap_or_default().to_uppercase();
    let prefix = if service == "Core Directory" { "Directory" } else { service };
    let modified: Vec<Value> = modified
        .iter()
        .map(|(key, value)| json!({ "displayName": key, "oldValue": null, "newValue": value.to_string() }))
        .collect();
    let initiator = match &call.caller.user_id {
        Some(person) => {
            let upn = find_user(tenant, person).map(|user| text(user, "userPrincipalName").to_owned()).ok();
            json!({ "app": null, "user": { "id": person, "displayName": null, "userPrincipalName": upn, "ipAddress": null, "roles": [] } })
        }
        None => json!({ "user": null, "app": {
            "appId": call.caller.app_id, "displayName": name, "servicePrincipalId": principal, "servicePrincipalName": null
        } }),
    };
    let record = json!({
        "id": format!("{prefix}_{correlation}_{tail}_{count}"), "category": target.category,
        "correlationId": correlation, "result": "success", "resultReason": "",
        "activityDisplayName": activity, "activityDateTime": format_time(call.now),
        "loggedByService": service, "operationType": "Update",
        "initiatedBy": initiator,
        "targetResources": [{
            "id": target.id, "displayName": target.name, "type": target.kind, "userPrincipalName": target.upn, "groupType": null,
            "modifiedProperties": modified
        }],
        "additionalDetails": []
    });
    Arc::make_mut(&mut tenant.directory_audits).push(record);
}
