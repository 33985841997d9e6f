//! The directory audit log about one user.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{moment, spell_moment, text, text_if_any};
use crate::case::{AuditActor, AuditRecord, ModifiedProperty};
use crate::domain::{Sha256Digest, UserId};
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

/// The push secret of an Authenticator, in JSON inside a string that may be cut off.
const DEVICE_TOKEN: &str = "\"DeviceToken\":\"";
/// What all code apps have in its place.
const NO_DEVICE_TOKEN: &str = "NO_DEVICE_TOKEN";

impl Reader {
    /// Reads the audit records about a user from a moment on, each once, newest first (v1.0,
    /// [directoryAudit: list](https://learn.microsoft.com/graph/api/directoryaudit-list)). Push secrets in them are
    /// replaced by their digest.
    ///
    /// # Errors
    /// When the call fails, or a record makes no sense.
    pub async fn directory_audits(
        &self,
        user: &UserId,
        from: Timestamp,
    ) -> Result<Vec<AuditRecord>, GraphError> {
        let filter = format!(
            "activityDateTime ge {} and targetResources/any(t:t/id eq {})",
            spell_moment(from),
            quote(user.as_str())
        );
        let target = with_query(
            "/v1.0/auditLogs/directoryAudits",
            &[("$filter", &filter), ("$orderby", "activityDateTime desc")],
        );
        let rows = self.list(&target, &[]).await?;
        let mut records =
            rows.iter().map(|row| parse_record(&target, row, user)).collect::<Result<Vec<_>, _>>()?;
        let mut known = HashSet::new();
        records.retain(|record| known.insert(record.id.clone()));
        records.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
        Ok(records)
    }
}

fn parse_record(target: &str, row: &Value, user: &UserId) -> Result<AuditRecord, GraphError> {
    let wrong = || malformed(target, "a record without id or time", None);
    let resources = row.get("targetResources").and_then(Value::as_array);
    let resource = resources
        .into_iter()
        .flatten()
        .find(|resource| text(resource, "/id").eq_ignore_ascii_case(user.as_str()));
    let properties =
        resource.and_then(|resource| resource.get("modifiedProperties")).and_then(Value::as_array);
    Ok(AuditRecord {
        id: text_if_any(row, "/id").ok_or_else(wrong)?,
        at: moment(row, "/activityDateTime").ok_or_else(wrong)?,
        activity: text(row, "/activityDisplayName"),
        logged_by: text(row, "/loggedByService"),
        result_reason: text(row, "/resultReason"),
        actor: parse_actor(row),
        target: resource.map(|_| user.clone()),
        modified: properties
            .into_iter()
            .flatten()
            .map(|property| ModifiedProperty {
                name: text(property, "/displayName"),
                old_value: text_if_any(property, "/oldValue").map(|value| redact(&value)),
                new_value: text_if_any(property, "/newValue").map(|value| redact(&value)),
            })
            .collect(),
    })
}

pub(super) fn parse_actor(row: &Value) -> AuditActor {
    if row.pointer("/initiatedBy/user").is_some_and(Value::is_object) {
        AuditActor::User {
            id: text_if_any(row, "/initiatedBy/user/id"),
            upn: text_if_any(row, "/initiatedBy/user/userPrincipalName"),
            ip: text_if_any(row, "/initiatedBy/user/ipAddress"),
        }
    } else if let Some(name) = text_if_any(row, "/initiatedBy/app/displayName") {
        AuditActor::App { name }
    } else {
        AuditActor::Unknown
    }
}

/// Replaces push secrets by their digest: equal ones stay equal, and nobody can send with them.
pub(super) fn redact(value: &str) -> String {
    let mut redacted = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once(DEVICE_TOKEN) {
        redacted.push_str(before);
        redacted.push_str(DEVICE_TOKEN);
        let end = after.find('"').unwrap_or(after.len());
        let (secret, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        if secret == NO_DEVICE_TOKEN {
            redacted.push_str(secret);
        } else {
            redacted.push_str("redacted-");
            redacted.push_str(&Sha256Digest::of_bytes(secret.as_bytes()).short());
        }
        rest = tail;
    }
    redacted.push_str(rest);
    redacted
}
