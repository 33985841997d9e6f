//! The policy of the quarantine, as it is created.

use serde_json::{Value, json};

/// Its name: it is found again by it.
pub(super) fn name_of(group: &str) -> String {
    format!("stanch: block members of {group}")
}

/// The policy, state left out.
pub(super) fn policy(group: &str, users: &Value) -> Value {
    json!({
        "displayName": name_of(group),
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": { "includeApplications": ["All"] },
            "users": users
        },
        "grantControls": { "operator": "OR", "builtInControls": ["block"] },
        "sessionControls": null
    })
}
