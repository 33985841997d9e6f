//! Writes to authentication methods.

use serde_json::{Value, json};

use crate::case::{AuthMethod, MethodKind};
use crate::domain::{MethodId, UserId};
use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that deletes a method from its own collection; `None` where the kind has none to delete from
/// (v1.0, beta where only beta has the collection,
/// [delete](https://learn.microsoft.com/graph/api/microsoftauthenticatorauthenticationmethod-delete)).
pub fn delete_method(user: &UserId, kind: &MethodKind, id: &MethodId) -> Option<PlannedRequest> {
    let collection = kind.collection()?;
    let version = if kind.is_beta_only() { "beta" } else { "v1.0" };
    let path = format!("/{version}/users/{user}/authentication/{collection}");
    Some(PlannedRequest {
        method: Verb::Delete,
        // A user has one QR code at most: it stands in its place without an id.
        path: if *kind == MethodKind::QrCode { path } else { format!("{path}/{}", encode(id.as_str())) },
        body: Value::Null,
    })
}

/// Spells the request that gives a registered phone another number (v1.0,
/// [update](https://learn.microsoft.com/graph/api/phoneauthenticationmethod-update)).
pub fn change_phone(user: &UserId, id: &MethodId, number: &str, phone_type: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/users/{user}/authentication/phoneMethods/{}", encode(id.as_str())),
        body: json!({ "phoneNumber": number, "phoneType": phone_type }),
    }
}

/// Spells the request that registers a method again whose whole content is known: a phone by its number, an e-mail by
/// its address. `None` for every other kind, and for a number that Graph has masked (v1.0,
/// [phone](https://learn.microsoft.com/graph/api/authentication-post-phonemethods),
/// [e-mail](https://learn.microsoft.com/graph/api/authentication-post-emailmethods)).
pub fn register_again(user: &UserId, method: &AuthMethod) -> Option<PlannedRequest> {
    let post = |collection: &str, body: Value| PlannedRequest {
        method: Verb::Post,
        path: format!("/v1.0/users/{user}/authentication/{collection}"),
        body,
    };
    match method.kind {
        MethodKind::Phone => {
            let phone_type = method.phone_type.as_deref()?;
            is_whole_number(&method.name)
                .then(|| post("phoneMethods", json!({ "phoneNumber": method.name, "phoneType": phone_type })))
        }
        MethodKind::Email => {
            let is_whole = method.name.contains('@') && !method.name.contains('*');
            is_whole.then(|| post("emailMethods", json!({ "emailAddress": method.name })))
        }
        _ => None,
    }
}

/// Whether a number is spelt as Graph takes it, nothing of it masked: `+1 4255550142`, `+1 4255550142x12`.
pub fn is_whole_number(number: &str) -> bool {
    let Some((code, rest)) = number.strip_prefix('+').and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    let (line, extension) = rest.split_once('x').unwrap_or((rest, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(code) && digits(line) && digits(extension)
}

/// Spells the request that issues a Temporary Access Pass: it ends the one before. Minutes left out are the tenant's
/// (v1.0, [create](https://learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods)).
pub fn issue_pass(user: &UserId, minutes: Option<i64>, once: bool) -> PlannedRequest {
    let mut body = json!({ "isUsableOnce": once });
    if let (Some(minutes), Some(entries)) = (minutes, body.as_object_mut()) {
        entries.insert("lifetimeInMinutes".to_owned(), minutes.into());
    }
    PlannedRequest {
        method: Verb::Post,
        path: format!("/v1.0/users/{user}/authentication/temporaryAccessPassMethods"),
        body,
    }
}

/// Spells the request that makes a kind of method the default second factor (beta,
/// [signInPreferences](https://learn.microsoft.com/graph/api/authentication-update)).
pub fn set_default_method(user: &UserId, kind: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/beta/users/{user}/authentication/signInPreferences"),
        body: json!({ "userPreferredMethodForSecondaryAuthentication": kind }),
    }
}
