//! A user's directory roles one by one, each with its id and with how it is held: for taking one away.

use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{text, text_if_any};
use super::roles::{ASSIGNMENTS, ELIGIBILITIES, held_at};
use crate::case::{RoleAssignment, RoleVia};
use crate::domain::UserId;
use crate::graph::error::GraphError;

const SCHEDULES: &str = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances";

impl Reader {
    /// Reads a user's roles one by one (v1.0,
    /// [role assignments](https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments),
    /// [eligible](https://learn.microsoft.com/graph/api/rbacapplication-list-roleeligibilityscheduleinstances),
    /// [active for a while](https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignmentscheduleinstances)).
    /// Without the licence for Privileged Identity Management nothing is eligible, and nothing is for a while.
    ///
    /// # Errors
    /// When any of it cannot be read.
    pub async fn role_assignments_of(&self, user: &UserId) -> Result<Vec<RoleAssignment>, GraphError> {
        let (active, groups, eligible, schedules) = tokio::try_join!(
            self.held(ASSIGNMENTS, user.as_str()),
            self.role_groups(user),
            self.held_if_licensed(ELIGIBILITIES, user.as_str()),
            self.held_if_licensed(SCHEDULES, user.as_str())
        )?;
        let mut held = Vec::new();
        for row in &active {
            let is_timed = schedules.iter().any(|own| is_same(own, row) && is_for_a_while(own));
            let via = if is_timed { RoleVia::Activation } else { RoleVia::Assignment };
            held.push(parse(ASSIGNMENTS, row, via)?);
        }
        for row in &eligible {
            held.push(parse(ELIGIBILITIES, row, RoleVia::Eligibility)?);
        }
        for group in groups {
            let (active, eligible) = tokio::try_join!(
                self.held(ASSIGNMENTS, &group.id),
                self.held_if_licensed(ELIGIBILITIES, &group.id)
            )?;
            for row in active.iter().chain(&eligible) {
                let via = RoleVia::Group { id: group.id.clone(), name: group.name.clone() };
                held.push(parse(ASSIGNMENTS, row, via)?);
            }
        }
        Ok(held)
    }

    async fn held(&self, resource: &str, principal: &str) -> Result<Vec<Value>, GraphError> {
        self.list(&held_at(resource, principal), &[]).await
    }

    async fn held_if_licensed(&self, resource: &str, principal: &str) -> Result<Vec<Value>, GraphError> {
        match self.held(resource, principal).await {
            Err(error) if error.is_unlicensed() => Ok(Vec::new()),
            outcome => outcome,
        }
    }
}

/// Whether two rows are of the same role at the same scope.
fn is_same(left: &Value, right: &Value) -> bool {
    ["/roleDefinitionId", "/directoryScopeId"].iter().all(|key| text(left, key) == text(right, key))
}

/// Whether an instance of a schedule ends by itself, or was activated.
fn is_for_a_while(row: &Value) -> bool {
    text(row, "/assignmentType") == "Activated" || text_if_any(row, "/endDateTime").is_some()
}

fn parse(target: &str, row: &Value, via: RoleVia) -> Result<RoleAssignment, GraphError> {
    let wrong = || malformed(target, "a role without an id", None);
    let role_id = text_if_any(row, "/roleDefinitionId").ok_or_else(wrong)?;
    let name = text_if_any(row, "/roleDefinition/displayName");
    Ok(RoleAssignment {
        id: text_if_any(row, "/id").ok_or_else(wrong)?,
        template_id: text_if_any(row, "/roleDefinition/templateId").unwrap_or_else(|| role_id.clone()),
        name: name.unwrap_or_else(|| role_id.clone()),
        scope: text_if_any(row, "/directoryScopeId").unwrap_or_else(|| "/".to_owned()),
        role_id,
        via,
    })
}
