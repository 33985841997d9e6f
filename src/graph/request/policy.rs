//! Writes to Conditional Access policies.

use serde_json::{Value, json};

use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};
use crate::policy::PolicyState;

const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

/// Spells an id as a segment; a placeholder stays as it stands.
pub(super) fn segment(id_or_placeholder: &str) -> String {
    if id_or_placeholder.starts_with("${") { id_or_placeholder.to_owned() } else { encode(id_or_placeholder) }
}

/// Spells the request that makes a policy (v1.0,
/// [create conditionalAccessPolicy](https://learn.microsoft.com/graph/api/conditionalaccessroot-post-policies)).
pub fn create_policy(body: Value) -> PlannedRequest {
    PlannedRequest { method: Verb::Post, path: POLICIES.to_owned(), body }
}

/// Spells the request that sets a policy's state, the policy given by id or by placeholder (v1.0,
/// [conditionalAccessPolicy: update](https://learn.microsoft.com/graph/api/conditionalaccesspolicy-update)).
pub fn set_policy_state(policy: &str, state: &PolicyState) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("{POLICIES}/{}", segment(policy)),
        body: json!({ "state": state.as_graph() }),
    }
}

/// Spells the request that changes a policy (v1.0,
/// [conditionalAccessPolicy: update](https://learn.microsoft.com/graph/api/conditionalaccesspolicy-update)). Nested
/// objects merge, lists are replaced, an explicit null clears.
pub fn change_policy(policy: &str, body: Value) -> PlannedRequest {
    PlannedRequest { method: Verb::Patch, path: format!("{POLICIES}/{}", segment(policy)), body }
}

/// Spells the request that deletes a policy, given by id or by placeholder (v1.0,
/// [conditionalAccessPolicy: delete](https://learn.microsoft.com/graph/api/conditionalaccesspolicy-delete)).
pub fn delete_policy(policy: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Delete,
        path: format!("{POLICIES}/{}", segment(policy)),
        body: Value::Null,
    }
}
