//! Directory roles of a user: active, through groups, eligible. What cannot be read is an error, never "none": a role
//! that was missed is a guard that does not bite.

use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{flag, text, text_if_any};
use crate::case::{RoleHeld, RoleSource};
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

pub(super) const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
pub(super) const ELIGIBILITIES: &str = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";

/// A group that a role may hang on.
pub(super) struct RoleGroup {
    /// Object id.
    pub id: String,
    /// Name; empty where Graph does not show it.
    pub name: String,
}

impl Reader {
    /// Reads the roles that a user holds: active, through groups, and eligible (v1.0,
    /// [role assignments](https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments)). Without the
    /// licence for it nothing is eligible.
    ///
    /// # Errors
    /// When any of it cannot be read.
    pub async fn roles_of(&self, user: &UserId) -> Result<Vec<RoleHeld>, GraphError> {
        let mut held = self.roles_at(ASSIGNMENTS, user.as_str(), RoleSource::Active).await?;
        let groups = self.role_groups(user).await?;
        for group in &groups {
            held.extend(self.roles_at(ASSIGNMENTS, &group.id, RoleSource::Group).await?);
        }
        let principals = std::iter::once(user.as_str()).chain(groups.iter().map(|group| group.id.as_str()));
        for principal in principals {
            match self.roles_at(ELIGIBILITIES, principal, RoleSource::Eligible).await {
                Ok(eligible) => held.extend(eligible),
                Err(error) if error.is_unlicensed() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(held)
    }

    /// Tells whether a user belongs to a role-assignable group, however deep (v1.0,
    /// [transitiveMemberOf](https://learn.microsoft.com/graph/api/user-list-transitivememberof)).
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn in_role_assignable_group(&self, user: &UserId) -> Result<bool, GraphError> {
        self.role_groups(user).await.map(|groups| !groups.is_empty())
    }

    /// Reads who holds a role for the whole tenant, active or eligible: object ids of users, groups and apps (v1.0,
    /// [role assignments](https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments)).
    ///
    /// # Errors
    /// When any of it cannot be read.
    pub async fn holders_of(&self, role_template_id: &str) -> Result<Vec<String>, GraphError> {
        let mut holders = self.holders_at(ASSIGNMENTS, role_template_id).await?;
        match self.holders_at(ELIGIBILITIES, role_template_id).await {
            Ok(eligible) => holders.extend(eligible),
            Err(error) if error.is_unlicensed() => {}
            Err(error) => return Err(error),
        }
        holders.sort_unstable();
        holders.dedup();
        Ok(holders)
    }

    async fn holders_at(&self, resource: &str, role: &str) -> Result<Vec<String>, GraphError> {
        let target = with_query(resource, &[("$filter", &format!("roleDefinitionId eq {}", quote(role)))]);
        let rows = self.list(&target, &[]).await?;
        rows.iter()
            .filter(|row| text_if_any(row, "/directoryScopeId").is_none_or(|scope| scope == "/"))
            .map(|row| {
                text_if_any(row, "/principalId")
                    .ok_or_else(|| malformed(&target, "an assignment without a principal", None))
            })
            .collect()
    }

    /// The groups of a user that are role-assignable, or that Graph shows us too little of to tell (identity.md 1.3,
    /// "limited information").
    pub(super) async fn role_groups(&self, user: &UserId) -> Result<Vec<RoleGroup>, GraphError> {
        let target = with_query(
            &format!("/v1.0/users/{user}/transitiveMemberOf/microsoft.graph.group"),
            &[("$select", "id,displayName,isAssignableToRole"), ("$top", "999")],
        );
        let mut groups = Vec::new();
        for row in self.list(&target, &[]).await? {
            let id =
                text_if_any(&row, "/id").ok_or_else(|| malformed(&target, "a group without an id", None))?;
            let name = text_if_any(&row, "/displayName");
            if flag(&row, "/isAssignableToRole").unwrap_or(name.is_none()) {
                groups.push(RoleGroup { id, name: name.unwrap_or_default() });
            }
        }
        Ok(groups)
    }

    async fn roles_at(
        &self,
        resource: &str,
        principal: &str,
        source: RoleSource,
    ) -> Result<Vec<RoleHeld>, GraphError> {
        let target = held_at(resource, principal);
        let rows = self.list(&target, &[]).await?;
        rows.iter().map(|row| parse_role(&target, row, source)).collect()
    }
}

/// The roles of a principal at one of the places where they are held.
pub(super) fn held_at(resource: &str, principal: &str) -> String {
    let filter = format!("principalId eq {}", quote(principal));
    with_query(resource, &[("$filter", &filter), ("$expand", "roleDefinition")])
}

fn parse_role(target: &str, row: &Value, source: RoleSource) -> Result<RoleHeld, GraphError> {
    let template_id = text_if_any(row, "/roleDefinition/templateId")
        .or_else(|| text_if_any(row, "/roleDefinitionId"))
        .ok_or_else(|| malformed(target, "a role without an id", None))?;
    Ok(RoleHeld { template_id, name: text(row, "/roleDefinition/displayName"), source })
}
