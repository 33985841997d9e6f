//! `$batch` (identity.md 10.4): up to twenty requests, each judged, permitted and journalled alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::Fail;
use crate::serve::Incoming;

/// One request of a batch.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// Id, unique within the batch whatever its case.
    pub id: String,
    /// Method.
    pub method: String,
    /// Path and query, relative to the version.
    pub url: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body.
    #[serde(default)]
    pub body: Option<Value>,
    /// Ids that must have succeeded first.
    #[serde(default, rename = "dependsOn")]
    pub depends_on: Vec<String>,
}

/// The most requests in a batch.
const MOST: usize = 20;

/// Reads a batch.
///
/// # Errors
/// 400 for the whole, where it is malformed.
pub fn parse(body: &[u8]) -> Result<Vec<Part>, Fail> {
    #[derive(Deserialize)]
    struct Batch {
        requests: Vec<Part>,
    }
    let bad = |message: String| Fail::new(400, "BadRequest", message);
    let batch: Batch = serde_json::from_slice(body)
        .map_err(|error| bad(format!("Invalid batch payload format. {error}")))?;
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(bad(format!("Number of batch request steps exceeds the maximum value of {MOST}.")));
    }
    let mut seen: Vec<String> = Vec::new();
    for part in &batch.requests {
        let id = part.id.to_lowercase();
        if id.is_empty() || seen.contains(&id) {
            return Err(bad(format!("Request Id : {} has to be unique in a batch.", part.id)));
        }
        for need in &part.depends_on {
            if !seen.contains(&need.to_lowercase()) {
                return Err(bad(format!("Request Id : {} depends on unknown request {need}.", part.id)));
            }
        }
        if part.url.trim_start_matches('/').to_lowercase().starts_with("$batch") {
            return Err(bad("Nested batch requests are not allowed.".to_owned()));
        }
        let has_type = part.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if !part.method.eq_ignore_ascii_case("GET")
            && !part.method.eq_ignore_ascii_case("DELETE")
            && (!has_type || part.body.is_none())
        {
            return Err(bad(format!(
                "Write request id : {} does not contain Content-Type header or body.",
                part.id
            )));
        }
        seen.push(id);
    }
    check_dependencies(&batch.requests)?;
    Ok(batch.requests)
}

/// Either all side by side, or one behind the other, or all behind the same one.
fn check_dependencies(parts: &[Part]) -> Result<(), Fail> {
    let dependent: Vec<&Part> = parts.iter().filter(|part| !part.depends_on.is_empty()).collect();
    let is_serial = dependent.len() + 1 == parts.len()
        && parts
            .windows(2)
            .all(|pair| matches!(pair, [first, second] if second.depends_on == [first.id.clone()]));
    let first = dependent.first().map(|part| &part.depends_on);
    let same = dependent.iter().all(|part| Some(&part.depends_on) == first && part.depends_on.len() == 1);
    if dependent.is_empty() || is_serial || same {
        Ok(())
    } else {
        Err(Fail::new(
            400,
            "BadRequest",
            "Batch requests must be all parallel, all serial, or depend on the same request.",
        ))
    }
}

/// The request that a part stands for.
#[must_use]
pub fn incoming(outer: &Incoming, part: &Part) -> Incoming {
    let version = outer.path.trim_start_matches('/').split('/').next().unwrap_or("v1.0");
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    let mut headers: Vec<(String, String)> =
        part.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    if let Some(authorization) = outer.header("authorization") {
        headers.push(("authorization".to_owned(), authorization.to_owned()));
    }
    Incoming {
        method: part.method.to_uppercase(),
        path: format!("/{version}/{}", path.trim_start_matches('/')),
        query: query.to_owned(),
        headers,
        body: part.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        base: outer.base.clone(),
    }
}

/// One response of a batch.
#[must_use]
pub fn response(id: &str, status: u16, headers: &[(String, String)], body: Option<&Value>) -> Value {
    let mut shown: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    if body.is_some() {
        shown.insert("Content-Type".to_owned(), "application/json".into());
    }
    json!({ "id": id, "status": status, "headers": shown, "body": body })
}

/// The response of a part whose dependency failed.
#[must_use]
pub fn failed_dependency(id: &str) -> Value {
    response(
        id,
        424,
        &[],
        Some(
            &json!({ "error": { "code": "FailedDependency", "message": "The request failed because a request it depends on failed." } }),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &Value) -> String {
        parse(body.to_string().as_bytes()).unwrap_err().message
    }

    #[test]
    fn a_malformed_batch_is_refused_whole() {
        let get = |id: &str| json!({ "id": id, "method": "GET", "url": "/users" });
        assert!(parse(json!({ "requests": [get("1"), get("2")] }).to_string().as_bytes()).is_ok());
        assert!(refused(&json!({ "requests": [get("a"), get("A")] })).contains("unique"));
        assert!(
            refused(&json!({ "requests": (0..21).map(|n| get(&n.to_string())).collect::<Vec<_>>() }))
                .contains("20")
        );
        let post = json!({ "id": "action:1", "method": "POST", "url": "/users/x/revokeSignInSessions" });
        assert_eq!(
            refused(&json!({ "requests": [post] })),
            "Write request id : action:1 does not contain Content-Type header or body."
        );
        assert!(
            refused(&json!({ "requests": [{ "id": "1", "method": "GET", "url": "/$batch" }] }))
                .contains("Nested")
        );
    }
}
