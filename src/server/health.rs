//! `/healthz`: the process answers. `/readyz`: alerts can be written down.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::answer::document;
use super::router::Server;

/// A store that takes longer is not ready.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The process answers.
pub(super) async fn healthz() -> Response {
    document(StatusCode::OK, &json!({ "status": "ok" }))
}

/// The store answers, too.
pub(super) async fn readyz(State(server): State<Arc<Server>>) -> Response {
    let is_ready = tokio::select! {
        pinged = server.inbox.ping() => pinged.is_ok(),
        () = server.clock.sleep(ANSWERS_WITHIN) => false,
    };
    if is_ready {
        document(StatusCode::OK, &json!({ "status": "ok" }))
    } else {
        document(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "the store does not answer" }))
    }
}
