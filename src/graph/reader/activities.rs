//! The directory audit log with everything that a record names: what a user did, and what was done to an object.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::audits::{parse_actor, redact};
use super::fetch::{Reader, malformed};
use super::field::{moment, spell_moment, text, text_if_any};
use crate::case::{Activity, ActivityTarget, ModifiedProperty};
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

impl Reader {
    /// Reads what a user did in the directory from a moment on, each record once, newest first (v1.0,
    /// [directoryAudit: list](https://learn.microsoft.com/graph/api/directoryaudit-list)).
    ///
    /// # Errors
    /// When the call fails, or a record makes no sense.
    pub async fn activities_by(&self, user: &UserId, from: Timestamp) -> Result<Vec<Activity>, GraphError> {
        self.activities(from, &format!("initiatedBy/user/id eq {}", quote(user.as_str()))).await
    }

    /// Reads what was done to an object from a moment on, by whomever.
    ///
    /// # Errors
    /// As [`Self::activities_by`].
    pub async fn activities_about(&self, object: &str, from: Timestamp) -> Result<Vec<Activity>, GraphError> {
        self.activities(from, &format!("targetResources/any(t:t/id eq {})", quote(object))).await
    }

    async fn activities(&self, from: Timestamp, which: &str) -> Result<Vec<Activity>, GraphError> {
        let filter = format!("activityDateTime ge {} and {which}", spell_moment(from));
        let target = with_query(
            "/v1.0/auditLogs/directoryAudits",
            &[("$filter", &filter), ("$orderby", "activityDateTime desc")],
        );
        let rows = self.list(&target, &[]).await?;
        let mut records = rows.iter().map(|row| parse(&target, row)).collect::<Result<Vec<_>, _>>()?;
        let mut known = HashSet::new();
        records.retain(|record| known.insert(record.id.clone()));
        records.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
        Ok(records)
    }
}

fn parse(target: &str, row: &Value) -> Result<Activity, GraphError> {
    let wrong = || malformed(target, "a record without id or time", None);
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let property = |own: &Value| ModifiedProperty {
        name: text(own, "/displayName"),
        old_value: text_if_any(own, "/oldValue").map(|value| redact(&value)),
        new_value: text_if_any(own, "/newValue").map(|value| redact(&value)),
    };
    Ok(Activity {
        id: text_if_any(row, "/id").ok_or_else(wrong)?,
        at: moment(row, "/activityDateTime").ok_or_else(wrong)?,
        name: text(row, "/activityDisplayName"),
        logged_by: text(row, "/loggedByService"),
        actor: parse_actor(row),
        succeeded: text(row, "/result") != "failure",
        targets: list(row, "targetResources")
            .iter()
            .map(|own| ActivityTarget {
                id: text_if_any(own, "/id"),
                kind: text(own, "/type"),
                name: text(own, "/displayName"),
                modified: list(own, "modifiedProperties").iter().map(property).collect(),
            })
            .collect(),
    })
}
