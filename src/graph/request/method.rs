//! Writes to authentication methods.

use serde_json::Value;

use crate::case::MethodKind;
use crate::domain::{MethodId, UserId};
use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that deletes a method from its own collection; `None` where the kind has none to delete from
/// (v1.0, beta for hardware tokens,
/// [delete](https://learn.microsoft.com/graph/api/microsoftauthenticatorauthenticationmethod-delete)).
pub fn delete_method(user: &UserId, kind: &MethodKind, id: &MethodId) -> Option<PlannedRequest> {
    let collection = kind.collection()?;
    let version = if *kind == MethodKind::HardwareToken { "beta" } else { "v1.0" };
    Some(PlannedRequest {
        method: Verb::Delete,
        path: format!("/{version}/users/{user}/authentication/{collection}/{}", encode(id.as_str())),
        body: Value::Null,
    })
}

/// Spells the request that makes a kind of method the default second factor (beta,
/// [signInPreferences](https://learn.microsoft.com/graph/api/authentication-update)).
pub fn set_default_method(user: &UserId, kind: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/beta/users/{user}/authentication/signInPreferences"),
        body: serde_json::json!({ "userPreferredMethodForSecondaryAuthentication": kind }),
    }
}
