//! Writing: one approved request, once. It is sent again here only where it certainly did nothing (never reached Graph,
//! 429, a token that was not taken); whatever is uncertain goes back to the caller, who reads before repeating.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::call::{Call, Purpose};
use super::connection::Connection;
use super::error::GraphError;
use super::settings::ClientRequestId;
use crate::approval::ApprovedRequest;
use crate::domain::SecretString;
use crate::plan::{Bindings, EffectClass, Verb, effect_of, fill};

/// What Graph answered to a write.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Status.
    pub status: u16,
    /// Graph's id of the request.
    pub request_id: Option<String>,
    /// Ours.
    pub client_request_id: String,
    /// `id` of the object that the write made.
    pub made_id: Option<String>,
    /// Graph's time of the answer, by its `Date`.
    pub server_time: Option<Timestamp>,
    /// The code of the Temporary Access Pass that the write made: Graph tells it this once.
    pub pass: Option<SecretString>,
    /// Where Graph tells how what it accepted ends, where it is not done yet.
    pub operation: Option<String>,
    /// How long Graph asks to wait before that.
    pub retry_after: Option<Duration>,
}

/// Writes to a tenant. Invariant: its one method takes only what was approved.
#[derive(Clone, Debug)]
pub struct Writer {
    connection: Connection,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Sends an approved request, its placeholders filled.
    ///
    /// # Errors
    /// [`GraphError::may_have_happened`] tells whether the write may have taken effect; where it does not, nothing was
    /// changed.
    pub async fn send(
        &self,
        request: ApprovedRequest<'_>,
        bindings: &Bindings,
        id: ClientRequestId,
    ) -> Result<Sent, GraphError> {
        let planned = request.planned();
        let (path, mut filled) = fill(planned, bindings)?;
        check_path(&path)?;
        let body = if filled.is_null() { None } else { Some(spell(&filled, &path)?) };
        wipe(&mut filled);
        let call = Call {
            method: match planned.method {
                Verb::Post => Method::POST,
                Verb::Patch => Method::PATCH,
                Verb::Put => Method::PUT,
                Verb::Delete => Method::DELETE,
            },
            target: &path,
            body: body.as_ref().map(|body| body.as_slice()),
            body_shape: &shape_of(&planned.body),
            headers: &[],
            purpose: Purpose::Write { creates: effect_of(planned) == EffectClass::Create },
            body_reader: None,
            id: id.clone(),
        };
        let mut answer = self.connection.send(&call).await?;
        let pass = answer
            .json
            .get("temporaryAccessPass")
            .and_then(Value::as_str)
            .map(|code| SecretString::from(code.to_owned()));
        let made_id = answer.json.get("id").and_then(Value::as_str).map(str::to_owned);
        wipe(&mut answer.json);
        Ok(Sent {
            status: answer.status.as_u16(),
            request_id: answer.request_id,
            client_request_id: id.to_string(),
            made_id,
            server_time: answer.server_time,
            pass,
            operation: answer.location.filter(|_| answer.status == http::StatusCode::ACCEPTED),
            retry_after: answer.retry_after,
        })
    }
}

/// Spells a body as JSON; the buffer is wiped when it is no longer needed. What the transport copies, we cannot wipe.
fn spell(body: &Value, path: &str) -> Result<Zeroizing<Vec<u8>>, GraphError> {
    // A buffer that grows leaves its earlier selves behind: this one is large enough for the longest list of ranges.
    let mut bytes = Zeroizing::new(Vec::with_capacity(512 * 1024));
    serde_json::to_writer(&mut *bytes, body)
        .map_err(|error| GraphError::Unsendable { path: path.to_owned(), why: error.to_string() })?;
    Ok(bytes)
}

/// Wipes every text of a value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The keys of a body, without what they hold.
fn shape_of(body: &Value) -> Value {
    let keys = body.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), Value::Null));
    Value::Object(keys.collect::<Map<_, _>>())
}

/// Refuses a path that would leave Graph, or climb: a made id comes from an answer, and what is in it is not ours.
fn check_path(path: &str) -> Result<(), GraphError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/:@!$&'()*+,;=".contains(c);
    let climbs = |segment: &str| {
        let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
        segment.is_empty() || decoded == "." || decoded == ".."
    };
    let why = if !path.starts_with("/v1.0/") && !path.starts_with("/beta/") {
        "it begins with no version"
    } else if !path.chars().all(is_plain) {
        "it has characters that a path has not"
    } else if path.split('/').skip(1).any(climbs) {
        "it has an empty or climbing part"
    } else {
        return Ok(());
    };
    Err(GraphError::Unsendable { path: path.to_owned(), why: why.to_owned() })
}

#[cfg(test)]
mod tests;
