//! Inbox rules of a user, and what of the mailbox's settings bears on them. Rules that were hidden, forwarding that an
//! administrator set, and delegates do not show in Graph (identity.md 7.4).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fetch::{Reader, malformed};
use super::field::{flag, text, text_if_any};
use crate::case::InboxRule;
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::{encode, with_query};

/// What Graph answers for a user whose mailbox is not in the cloud, or who has none; the two alternate (identity.md 7.2).
const NO_MAILBOX: [&str; 2] = ["MailboxNotEnabledForRESTAPI", "ResourceNotFound"];

fn has_no_mailbox(error: &GraphError) -> bool {
    error.answer().is_some_and(|answer| NO_MAILBOX.contains(&answer.code.as_str()))
}

impl Reader {
    /// Reads the rules of a user's inbox, in the order in which they run; `None` where there is no mailbox in the cloud
    /// (v1.0, [messageRule: list](https://learn.microsoft.com/graph/api/mailfolder-list-messagerules)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn inbox_rules(&self, user: &UserId) -> Result<Option<Vec<InboxRule>>, GraphError> {
        let target = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules");
        let rows = match self.list(&target, &[]).await {
            Ok(rows) => rows,
            Err(error) if has_no_mailbox(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut rules: Vec<(i64, InboxRule)> = Vec::new();
        for row in &rows {
            let rule = parse(row).ok_or_else(|| malformed(&target, "a rule without an id", None))?;
            rules.push((row.get("sequence").and_then(Value::as_i64).unwrap_or(i64::MAX), rule));
        }
        rules.sort_by(|left, right| left.0.cmp(&right.0).then_with(|| left.1.id.cmp(&right.1.id)));
        Ok(Some(rules.into_iter().map(|(_, rule)| rule).collect()))
    }

    /// Reads one rule; `None` where it is gone (v1.0,
    /// [messageRule: get](https://learn.microsoft.com/graph/api/messagerule-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn inbox_rule(&self, user: &UserId, id: &str) -> Result<Option<InboxRule>, GraphError> {
        let target = format!("/v1.0/users/{user}/mailFolders/inbox/messageRules/{}", encode(id));
        match self.object(&target).await {
            Ok(row) => parse(&row).map(Some).ok_or_else(|| malformed(&target, "a rule without an id", None)),
            // A mailbox that is gone is no rule that is gone.
            Err(error) if error.is_not_found() && !has_no_mailbox(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the name of a mail folder; `None` where there is none of that id (v1.0,
    /// [mailFolder: get](https://learn.microsoft.com/graph/api/mailfolder-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn mail_folder_name(&self, user: &UserId, id: &str) -> Result<Option<String>, GraphError> {
        let path = format!("/v1.0/users/{user}/mailFolders/{}", encode(id));
        match self.object(&with_query(&path, &[("$select", "displayName")])).await {
            Ok(folder) => Ok(text_if_any(&folder, "/displayName")),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the id of a mailbox's archive folder, where it has one (v1.0,
    /// [mailboxSettings](https://learn.microsoft.com/graph/api/user-get-mailboxsettings)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn archive_folder(&self, user: &UserId) -> Result<Option<String>, GraphError> {
        match self.object(&format!("/v1.0/users/{user}/mailboxSettings")).await {
            Ok(settings) => Ok(text_if_any(&settings, "/archiveFolder")),
            Err(error) if has_no_mailbox(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn parse(row: &Value) -> Option<InboxRule> {
    let part = |key: &str| row.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let set = |entries: Map<String, Value>| -> Map<String, Value> {
        entries.into_iter().filter(|(key, value)| !key.starts_with('@') && !value.is_null()).collect()
    };
    let mut whole = row.clone();
    if let Some(entries) = whole.as_object_mut() {
        entries.retain(|key, _| !key.starts_with('@'));
    }
    Some(InboxRule {
        id: text_if_any(row, "/id")?,
        name: text(row, "/displayName"),
        enabled: flag(row, "/isEnabled").unwrap_or(true),
        read_only: flag(row, "/isReadOnly").unwrap_or_default(),
        conditions: set(part("conditions")),
        actions: set(part("actions")),
        exceptions: set(part("exceptions")),
        whole,
        folders: BTreeMap::new(),
    })
}
