//! Writes to a user. `accountEnabled` and `passwordProfile` never share a request: it is all or nothing, and a missing
//! permission for the one would undo the other (identity.md 0.2).

use serde_json::json;

use crate::domain::UserId;
use crate::plan::{PlannedRequest, Verb};

/// The id of everybody's password among their methods.
const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";

/// Spells the request that disables sign-in (v1.0, [user: update](https://learn.microsoft.com/graph/api/user-update)).
pub fn disable_sign_in(user: &UserId) -> PlannedRequest {
    set_enabled(user, false)
}

/// Spells the request that enables sign-in (v1.0, [user: update](https://learn.microsoft.com/graph/api/user-update)).
pub fn enable_sign_in(user: &UserId) -> PlannedRequest {
    set_enabled(user, true)
}

fn set_enabled(user: &UserId, enabled: bool) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/users/{user}"),
        body: json!({ "accountEnabled": enabled }),
    }
}

/// Spells the request that sets a password which is made at apply, to be changed at the next sign-in (v1.0,
/// [user: update](https://learn.microsoft.com/graph/api/user-update)).
pub fn reset_password(user: &UserId) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/users/{user}"),
        body: json!({
            "passwordProfile": {
                "password": "${secret.password}",
                "forceChangePasswordNextSignIn": true,
                "forceChangePasswordNextSignInWithMfa": false
            }
        }),
    }
}

/// Spells the request that sets a password which is made at apply, also in the company's own directory. Graph takes it
/// from a person's session only, accepts it at once and does it later (v1.0,
/// [authenticationMethod: resetPassword](https://learn.microsoft.com/graph/api/authenticationmethod-resetpassword)).
pub fn reset_password_with_writeback(user: &UserId) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: format!("/v1.0/users/{user}/authentication/methods/{PASSWORD_METHOD}/resetPassword"),
        body: json!({ "newPassword": "${secret.password}" }),
    }
}

/// Spells the request that makes refresh tokens and session cookies worthless (v1.0,
/// [user: revokeSignInSessions](https://learn.microsoft.com/graph/api/user-revokesigninsessions)).
pub fn revoke_sessions(user: &UserId) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: format!("/v1.0/users/{user}/revokeSignInSessions"),
        // An empty object, not nothing: proxies answer a POST without a body with 411.
        body: json!({}),
    }
}
