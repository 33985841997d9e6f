//! Writes to directory roles.

use serde_json::{Value, json};

use crate::domain::UserId;
use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";

/// Spells the request that takes a role away (v1.0,
/// [unifiedRoleAssignment: delete](https://learn.microsoft.com/graph/api/unifiedroleassignment-delete)).
pub fn delete_role(assignment: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Delete,
        path: format!("{ASSIGNMENTS}/{}", encode(assignment)),
        body: Value::Null,
    }
}

/// Spells the request that gives a user a role; the assignment gets a new id (v1.0,
/// [unifiedRoleAssignment: create](https://learn.microsoft.com/graph/api/rbacapplication-post-roleassignments)).
pub fn give_role(user: &UserId, role: &str, scope: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: ASSIGNMENTS.to_owned(),
        body: json!({
            "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
            "principalId": user, "roleDefinitionId": role, "directoryScopeId": scope
        }),
    }
}
