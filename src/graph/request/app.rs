//! Writes to what apps may do, and to the apps themselves.

use serde_json::{Value, json};

use crate::case::AppGrant;
use crate::domain::UserId;
use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that takes a grant back (v1.0,
/// [oAuth2PermissionGrant: delete](https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete)).
pub fn delete_grant(id: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Delete,
        path: format!("/v1.0/oauth2PermissionGrants/{}", encode(id)),
        body: Value::Null,
    }
}

/// Spells the request that gives a user's grant again; it gets a new id (v1.0,
/// [oAuth2PermissionGrant: post](https://learn.microsoft.com/graph/api/oauth2permissiongrant-post)).
pub fn give_grant_again(user: &UserId, grant: &AppGrant) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: "/v1.0/oauth2PermissionGrants".to_owned(),
        body: json!({
            "clientId": grant.client_id, "consentType": "Principal", "principalId": user,
            "resourceId": grant.resource_id, "scope": grant.scopes.join(" ")
        }),
    }
}

/// Spells the request that disables an app for everyone (v1.0,
/// [servicePrincipal: update](https://learn.microsoft.com/graph/api/serviceprincipal-update)).
pub fn disable_app(id: &str) -> PlannedRequest {
    switch(id, false)
}

/// Spells the request that enables an app for everyone.
pub fn enable_app(id: &str) -> PlannedRequest {
    switch(id, true)
}

fn switch(id: &str, enabled: bool) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/servicePrincipals/{}", encode(id)),
        body: json!({ "accountEnabled": enabled }),
    }
}
