//! Groups and who belongs to them.

use super::fetch::{Reader, malformed};
use super::field::{flag, text, text_if_any, texts};
use crate::case::Group;
use crate::domain::{GroupId, UserId};
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupBrief {
    /// Object id.
    pub id: GroupId,
    /// Name on screens: show it inert.
    pub name: String,
}

impl Reader {
    /// Reads a group (v1.0, [group: get](https://learn.microsoft.com/graph/api/group-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn group(&self, id: &GroupId) -> Result<Option<GroupBrief>, GraphError> {
        let target = with_query(&format!("/v1.0/groups/{id}"), &[("$select", "id,displayName")]);
        let found = self.object_if_any(&target).await?;
        Ok(found.map(|group| GroupBrief { id: id.clone(), name: text(&group, "/displayName") }))
    }

    /// Reads the groups of a name, to the letter (v1.0,
    /// [group: list](https://learn.microsoft.com/graph/api/group-list)). Two may share one.
    ///
    /// # Errors
    /// When the call fails, or a group has no id.
    pub async fn groups_named(&self, name: &str) -> Result<Vec<Group>, GraphError> {
        let target = with_query(
            "/v1.0/groups",
            &[
                ("$filter", &format!("displayName eq {}", quote(name))),
                (
                    "$select",
                    "id,displayName,groupTypes,securityEnabled,mailEnabled,isAssignableToRole,onPremisesSyncEnabled",
                ),
            ],
        );
        let rows = self.list(&target, &[]).await?;
        // Graph compares without regard to case.
        let named = rows.iter().filter(|row| text(row, "/displayName") == name);
        named
            .map(|row| {
                let id = text_if_any(row, "/id").and_then(|id| id.parse().ok());
                Ok(Group {
                    id: id.ok_or_else(|| malformed(&target, "a group without an id", None))?,
                    name: name.to_owned(),
                    kinds: row
                        .get("groupTypes")
                        .filter(|kinds| kinds.is_array())
                        .map(|_| texts(row, "/groupTypes")),
                    security: flag(row, "/securityEnabled"),
                    mail: flag(row, "/mailEnabled"),
                    role_assignable: flag(row, "/isAssignableToRole"),
                    synced: flag(row, "/onPremisesSyncEnabled"),
                })
            })
            .collect()
    }

    /// Reads the groups that a user belongs to, however deep (v1.0,
    /// [transitiveMemberOf](https://learn.microsoft.com/graph/api/user-list-transitivememberof)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn groups_of(&self, user: &UserId) -> Result<Vec<GroupId>, GraphError> {
        let target = with_query(
            &format!("/v1.0/users/{user}/transitiveMemberOf/microsoft.graph.group"),
            &[("$select", "id")],
        );
        let rows = self.list(&target, &[]).await?;
        rows.iter()
            .map(|row| {
                let id = text_if_any(row, "/id").and_then(|id| id.parse().ok());
                id.ok_or_else(|| malformed(&target, "a group without an id", None))
            })
            .collect()
    }

    /// Reads the users in a group, however deep (v1.0,
    /// [transitiveMembers](https://learn.microsoft.com/graph/api/group-list-transitivemembers)).
    ///
    /// # Errors
    /// When the call fails, or there are more than a list may hold.
    pub async fn group_members(&self, id: &GroupId) -> Result<Vec<UserId>, GraphError> {
        let target = with_query(
            &format!("/v1.0/groups/{id}/transitiveMembers/microsoft.graph.user"),
            &[("$select", "id"), ("$top", "999")],
        );
        let rows = self.list(&target, &[]).await?;
        rows.iter()
            .map(|row| {
                let id = text_if_any(row, "/id").and_then(|id| id.parse().ok());
                id.ok_or_else(|| malformed(&target, "a member without an id", None))
            })
            .collect()
    }
}
