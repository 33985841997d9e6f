//! Groups and who belongs to them.

use super::fetch::{Reader, malformed};
use super::field::{text, text_if_any};
use crate::domain::{GroupId, UserId};
use crate::graph::error::GraphError;
use crate::graph::path::with_query;

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
