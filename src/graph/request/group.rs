//! Writes to groups.

use serde_json::{Value, json};

use super::policy::segment;
use crate::config::Cloud;
use crate::domain::UserId;
use crate::plan::{PlannedRequest, Verb};

const GROUPS: &str = "/v1.0/groups";

/// Spells the request that makes a plain security group (v1.0,
/// [create group](https://learn.microsoft.com/graph/api/group-post-groups)).
pub fn create_group(name: &str, description: &str) -> PlannedRequest {
    // Graph wants a nickname of every group, also of one without mail.
    let nickname: String = name.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    PlannedRequest {
        method: Verb::Post,
        path: GROUPS.to_owned(),
        body: json!({
            "displayName": name, "description": description, "groupTypes": [], "mailEnabled": false,
            "mailNickname": if nickname.is_empty() { "quarantine".to_owned() } else { nickname },
            "securityEnabled": true
        }),
    }
}

/// Spells the request that puts a user into a group, given by id or by placeholder (v1.0,
/// [add members](https://learn.microsoft.com/graph/api/group-post-members)). The reference is an address in the cloud
/// that we speak to.
pub fn add_member(group: &str, user: &UserId, graph_base: &str) -> PlannedRequest {
    let clouds = Cloud::NAMES.iter().filter_map(|name| Cloud::of(name)).map(Cloud::graph);
    let root = clouds.into_iter().find(|own| *own == graph_base).unwrap_or(Cloud::default().graph());
    PlannedRequest {
        method: Verb::Post,
        path: format!("{GROUPS}/{}/members/$ref", segment(group)),
        body: json!({ "@odata.id": format!("{root}/v1.0/directoryObjects/{user}") }),
    }
}

/// Spells the request that takes a user out of a group, given by id or by placeholder (v1.0,
/// [remove member](https://learn.microsoft.com/graph/api/group-delete-members)).
pub fn remove_member(group: &str, user: &UserId) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Delete,
        path: format!("{GROUPS}/{}/members/{user}/$ref", segment(group)),
        body: Value::Null,
    }
}
