//! What the server answers. Who could not prove who they are gets nothing but the status.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// A status and nothing else.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    harden(response)
}

/// A status, to be asked again after so many seconds.
pub(super) fn later(status: StatusCode, seconds: u32) -> Response {
    let mut response = bare(status);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A JSON document.
pub(super) fn document<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let Ok(text) = serde_json::to_string(value) else { return bare(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = Response::new(Body::from(text + "\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    harden(response)
}

/// Why a verified request could not be used.
pub(super) fn refused(status: StatusCode, code: &str, message: &str, hint: Option<&str>) -> Response {
    let message = crate::domain::inert(message);
    document(status, &json!({ "error": { "code": code, "message": message, "hint": hint } }))
}

fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
