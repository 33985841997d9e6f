//! One call, and what its outcome means: done, to be sent again, or final. Pure. Reading and writing differ in one thing:
//! a write is sent again only where it certainly did nothing.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{ErrorAnswer, NON_PREMIUM};
use super::auth::read_claims;
use super::error::GraphError;
use super::settings::ClientRequestId;
use super::{permission, retry_after};
use crate::transport::TransportError;

/// Tries of one call at most, whatever the deadline: a clock that jumps back must not make us try for ever.
pub(super) const MOST_TRIES: u32 = 12;
/// Tries where the network or what lies between is broken: more would only hide it.
const MOST_BROKEN_TRIES: u32 = 4;
/// Tries of a read that is told to lack a licence: licensed tenants are told so now and then (policy-logs-auth.md 4.5).
const LICENCE_TRIES: u32 = 3;

/// What a call is, and so what may be done when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It changes nothing: sent again freely, this often at most.
    Read {
        /// Tries at most.
        tries: u32,
        /// Whether the answer is a list.
        list: bool,
    },
    /// It changes something: sent again only where it certainly did not.
    Write {
        /// Whether an answer without the object it made tells nothing.
        creates: bool,
    },
}

impl Purpose {
    /// A read of one object, tried until the deadline.
    pub(super) const OBJECT: Self = Self::Read { tries: MOST_TRIES, list: false };
    /// A read of a list, tried until the deadline.
    pub(super) const LIST: Self = Self::Read { tries: MOST_TRIES, list: true };

    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Write { .. })
    }
}

/// One call.
pub(super) struct Call<'call> {
    pub(super) method: Method,
    /// Path and query behind the base, or a whole address where Graph gave one.
    pub(super) target: &'call str,
    pub(super) body: Option<&'call [u8]>,
    /// The body's keys, for the hint of a refusal; no values.
    pub(super) body_shape: &'call Value,
    /// Headers of this call alone.
    pub(super) headers: &'call [(&'static str, &'static str)],
    pub(super) purpose: Purpose,
    /// Reads the body of a success in place of the usual way, where the answer is too large to be kept as it is. It is
    /// called again where the call is: what it gave before does not count.
    pub(super) body_reader: Option<&'call BodyReader<'call>>,
    pub(super) id: ClientRequestId,
}

/// Reads the body of an answer.
pub(super) type BodyReader<'reader> = dyn Fn(&[u8]) -> Result<(), serde_json::Error> + Send + Sync + 'reader;

/// A success.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) json: Value,
    pub(super) request_id: Option<String>,
    pub(super) server_time: Option<Timestamp>,
    /// Where to ask about what is done later.
    pub(super) location: Option<String>,
    /// How long to wait before that.
    pub(super) retry_after: Option<Duration>,
}

/// What to do with what came back.
pub(super) enum Verdict {
    Done(Answer),
    /// Try again, at most so often, after what the answer asks for.
    Again {
        error: GraphError,
        wait: Option<Duration>,
        tries: u32,
    },
    /// The token was not taken; with what a new one must hold.
    Renew {
        error: GraphError,
        claims: Option<String>,
    },
    Final(GraphError),
}

pub(super) fn header_text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The name of a method that lives as long as the program.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "request",
    }
}

pub(super) fn judge_silence(call: &Call<'_>, path: &str, source: TransportError) -> Verdict {
    let was_sent = !source.is_unsent();
    let is_untrusted = matches!(source, TransportError::Untrusted { .. });
    let is_too_large = matches!(source, TransportError::TooLarge { .. });
    let may_have_happened = call.purpose.is_write() && was_sent;
    let error = GraphError::NoAnswer {
        method: name_of(&call.method),
        path: path.to_owned(),
        source,
        may_have_happened,
    };
    match call.purpose {
        _ if may_have_happened || is_too_large || is_untrusted => Verdict::Final(error),
        Purpose::Read { tries, .. } => {
            Verdict::Again { error, wait: None, tries: tries.min(MOST_BROKEN_TRIES) }
        }
        Purpose::Write { .. } => Verdict::Again { error, wait: None, tries: MOST_BROKEN_TRIES },
    }
}

/// Sorts an answer. For a write only what certainly did nothing may be sent again (SAFETY.md 2.2).
pub(super) fn judge(
    call: &Call<'_>,
    path: &str,
    response: &http::Response<Vec<u8>>,
    now: Timestamp,
) -> Verdict {
    let (status, headers) = (response.status(), response.headers());
    if status.is_success() {
        return judge_success(call, path, response, now);
    }
    let (method, path) = (name_of(&call.method), path.to_owned());
    let answer = Box::new(ErrorAnswer::read(status, headers, response.body()));
    let wait = retry_after::read(headers, now);
    let is_write = call.purpose.is_write();
    let most = match call.purpose {
        Purpose::Read { tries, .. } => tries,
        Purpose::Write { .. } => MOST_TRIES,
    };
    let needs = permission::least(method, &path, call.body_shape);
    match status.as_u16() {
        429 => Verdict::Again { error: GraphError::Throttled { method, path, answer }, wait, tries: most },
        401 => {
            let claims = read_claims(headers);
            Verdict::Renew { error: GraphError::Refused { method, path, answer, needs }, claims }
        }
        403 if !is_write && answer.has_code(NON_PREMIUM) => Verdict::Again {
            error: GraphError::Refused { method, path, answer, needs },
            wait,
            tries: LICENCE_TRIES.min(most),
        },
        300..=399 => Verdict::Final(GraphError::Malformed {
            method,
            path,
            what: format!("a redirect ({})", status.as_u16()),
            source: None,
            may_have_happened: is_write,
        }),
        400 | 403 | 404 | 405 | 409 | 411 | 412 | 415 | 423 => {
            Verdict::Final(GraphError::Refused { method, path, answer, needs })
        }
        408 | 500..=599 if !is_write => Verdict::Again {
            error: GraphError::Unavailable { method, path, answer, may_have_happened: false },
            wait,
            tries: most,
        },
        _ if is_write => {
            Verdict::Final(GraphError::Unavailable { method, path, answer, may_have_happened: true })
        }
        _ => Verdict::Final(GraphError::Refused { method, path, answer, needs }),
    }
}

fn judge_success(call: &Call<'_>, path: &str, response: &http::Response<Vec<u8>>, now: Timestamp) -> Verdict {
    let headers = response.headers();
    let answer = |json| Answer {
        status: response.status(),
        json,
        request_id: header_text(headers, "request-id").map(str::to_owned),
        server_time: retry_after::date_of(headers),
        location: header_text(headers, "location").map(str::to_owned),
        retry_after: retry_after::read(headers, now),
    };
    let malformed = |what: &str, source| GraphError::Malformed {
        method: name_of(&call.method),
        path: path.to_owned(),
        what: what.to_owned(),
        source,
        may_have_happened: call.purpose.is_write(),
    };
    let is_json =
        header_text(headers, "content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("json"));
    if let (Some(reader), Purpose::Read { tries, .. }) = (call.body_reader, call.purpose) {
        let error = match reader(response.body()) {
            _ if !is_json => malformed("no JSON", None),
            Ok(()) => return Verdict::Done(answer(Value::Null)),
            Err(source) if source.is_data() => malformed("no list", Some(source)),
            Err(source) => malformed("no JSON", Some(source)),
        };
        return Verdict::Again { error, wait: None, tries: tries.min(MOST_BROKEN_TRIES) };
    }
    let parsed = serde_json::from_slice::<Value>(response.body());
    match call.purpose {
        Purpose::Read { tries, list } => {
            let error = match parsed {
                _ if !is_json => malformed("no JSON", None),
                Ok(json) if !json.is_object() => malformed("no object", None),
                Ok(json) if list && !json.get("value").is_some_and(Value::is_array) => {
                    malformed("no list", None)
                }
                Ok(json) => return Verdict::Done(answer(json)),
                Err(source) => malformed("no JSON", Some(source)),
            };
            Verdict::Again { error, wait: None, tries: tries.min(MOST_BROKEN_TRIES) }
        }
        Purpose::Write { creates } => match parsed {
            Ok(json) if !creates || json.get("id").is_some_and(Value::is_string) => {
                Verdict::Done(answer(json))
            }
            Ok(_) => Verdict::Final(malformed("no object with an id", None)),
            // What a change answers matters only where it made something.
            Err(_) if !creates => Verdict::Done(answer(Value::Null)),
            Err(source) => Verdict::Final(malformed("no JSON", Some(source))),
        },
    }
}
