//! Audit records of writes to policies and named locations.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::Call;
use crate::sign_in::{derive_id, format_time};
use crate::tenant::Tenant;

/// Appends the record of a write.
pub(super) fn append(
    tenant: &mut Tenant,
    call: &Call,
    activity: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    let nothing = Value::Null;
    let object = new.or(old).unwrap_or(&nothing);
    let is_policy = activity.contains("policy");
    let kind = if is_policy { "Policy" } else { "Other" };
    let property = if is_policy { "ConditionalAccessPolicy" } else { "NamedLocation" };
    let application = tenant.applications.iter().find(|application| application.app_id == call.caller.app_id);
    let principal = tenant.service_principals.iter().find(|principal| {
        principal.get("appId").and_then(Value::as_str) == Some(call.caller.app_id.as_str())
    });
    let correlation =
        derive_id(&format!("{activity} {} {} {}", call.new_id, call.now, tenant.directory_audits.len()));
    let tail = correlation.get(..5).unwrap_or_default().to_uppercase();
    let encode = |value: Option<&Value>| value.map_or(Value::Null, |value| value.to_string().into());
    let record = json!({
        "id": format!("Directory_{correlation}_{tail}_{}", tenant.directory_audits.len()),
        "category": "Policy",
        "correlationId": correlation,
        "result": "success",
        "resultReason": null,
        "activityDisplayName": activity,
        "activityDateTime": format_time(call.now),
        "loggedByService": "Conditional Access",
        "operationType": match activity.split(' ').next() {
            Some("Add") => "Add",
            Some("Delete") => "Delete",
            _ => "Update",
        },
        "initiatedBy": {
            "user": null,
            "app": {
                "appId": call.caller.app_id,
                "displayName": application.map(|application| application.display_name.as_str()),
                "servicePrincipalId": principal.and_then(|principal| principal.get("id")),
                "servicePrincipalName": null,
            },
        },
        "targetResources": [{
            "id": object.get("id"), "displayName": object.get("displayName"), "type": kind, "userPrincipalName": null,
            "groupType": null,
            "modifiedProperties": [{"displayName": property, "oldValue": encode(old), "newValue": encode(new)}],
        }],
        "additionalDetails": [],
    });
    Arc::make_mut(&mut tenant.directory_audits).push(record);
}
