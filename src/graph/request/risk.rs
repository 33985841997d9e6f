//! Writes to Identity Protection.

use serde_json::json;

use crate::domain::UserId;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that tells Identity Protection that a user is compromised (v1.0,
/// [confirmCompromised](https://learn.microsoft.com/graph/api/riskyuser-confirmcompromised)).
pub fn confirm_compromised(user: &UserId) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: "/v1.0/identityProtection/riskyUsers/confirmCompromised".to_owned(),
        body: json!({ "userIds": [user] }),
    }
}
