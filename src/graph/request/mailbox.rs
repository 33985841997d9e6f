//! Writes to a mailbox. A rule is switched by its flag alone: conditions and actions are replaced as whole objects, and
//! what is left out of them is lost (identity.md 7.1).

use serde_json::json;

use crate::domain::UserId;
use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that switches an inbox rule off (v1.0,
/// [messageRule: update](https://learn.microsoft.com/graph/api/messagerule-update)).
pub fn disable_inbox_rule(user: &UserId, rule: &str) -> PlannedRequest {
    switch(user, rule, false)
}

/// Spells the request that switches an inbox rule on.
pub fn enable_inbox_rule(user: &UserId, rule: &str) -> PlannedRequest {
    switch(user, rule, true)
}

fn switch(user: &UserId, rule: &str, enabled: bool) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/users/{user}/mailFolders/inbox/messageRules/{}", encode(rule)),
        body: json!({ "isEnabled": enabled }),
    }
}
