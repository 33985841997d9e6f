//! What a fault answers in place of the service.

use serde_json::{Value, json};

use super::Fault;
use super::kinds::ErrorBody;
use crate::api::{Fail, Reply};
use crate::serve::{Incoming, envelope, throttled};
use crate::state::World;

/// The challenge of continuous access evaluation (identity.md 10.6).
#[must_use]
pub fn claims_challenge() -> Fail {
    let mut fail = Fail::new(
        401,
        "InvalidAuthenticationToken",
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
    );
    fail.headers.push((
        "www-authenticate".to_owned(),
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcwMTEwMTIyIn19fQ==\"".to_owned(),
    ));
    fail
}

fn seconds(retry_after: &Value) -> String {
    match retry_after {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What is answered without asking the service; `None` where it is asked.
#[must_use]
pub fn instead(fault: &Fault) -> Option<Fail> {
    Some(match fault {
        Fault::Throttle { retry_after } => throttled(retry_after.as_ref().map(seconds)),
        Fault::Status { committed: false, .. } => status(fault)?,
        Fault::ExpireToken {} => {
            Fail::new(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        }
        Fault::ClaimsChallenge {} => claims_challenge(),
        Fault::ResetBeforeCommit {} | Fault::Timeout { committed: false } => Fail::new(599, "", ""),
        _ => return None,
    })
}

/// What is answered after the service has done as asked; `None` where its own answer goes out.
#[must_use]
pub fn afterwards(fault: &Fault) -> Option<Fail> {
    match fault {
        Fault::Status { committed: true, .. } => status(fault),
        _ => None,
    }
}

fn status(fault: &Fault) -> Option<Fail> {
    let Fault::Status { status, code, message, retry_after, .. } = fault else { return None };
    let usual = match status {
        409 => "Conflict",
        412 => "PreconditionFailed",
        500 => "InternalServerError",
        502 | 503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "UnknownError",
    };
    let message = message.clone().unwrap_or_else(|| "The fault rules of the mock say so.".to_owned());
    let mut fail = Fail::new(*status, code.clone().unwrap_or_else(|| usual.to_owned()), message);
    fail.headers.extend(retry_after.as_ref().map(|value| ("retry-after".to_owned(), seconds(value))));
    Some(fail)
}

/// The refusal as a reply: Graph's envelope, or at the token endpoint Entra's.
#[must_use]
pub fn reply(
    world: &World,
    incoming: &Incoming,
    fail: &Fail,
    fault: Option<&Fault>,
    is_token: bool,
) -> Reply {
    let mut reply = envelope(world, incoming, fail);
    if is_token {
        let error = match (fault, fail.status) {
            (Some(Fault::Status { code: Some(code), .. }), _) => code.clone(),
            (_, 429 | 500..) => "temporarily_unavailable".to_owned(),
            _ => "invalid_request".to_owned(),
        };
        reply.body = Some(json!({ "error": error, "error_description": fail.message, "error_codes": [] }));
    }
    if let Some(Fault::Status { body, .. }) = fault {
        match body {
            ErrorBody::Json => {}
            // `render` tells a string from an object and sends it as a page.
            ErrorBody::Html => reply.body = Some("<html><body><h1>Bad gateway</h1></body></html>".into()),
            ErrorBody::Empty => reply.body = None,
        }
    }
    reply
}
