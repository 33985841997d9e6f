//! The control surface under `/_mock`: what was asked, what the tenant is, what is to go wrong, and the attacker.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::attacker::{AttemptRequest, attempt, record};
use crate::clock::parse_span;
use crate::faults::FaultFile;
use crate::identity::{Completion, complete};
use crate::state::World;
use crate::uri;

/// An answer of the control surface.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

fn json_answer(status: u16, body: &Value) -> Answer {
    Answer { status, content_type: "application/json", body: body.to_string() }
}

fn refuse(status: u16, message: &str) -> Answer {
    json_answer(status, &json!({ "error": { "message": message } }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance: String,
}

/// Answers a control request.
pub fn answer(world: &Arc<World>, method: &str, path: &str, body: &[u8]) -> Answer {
    let segments = uri::segments(path);
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, parts.as_slice()) {
        ("GET", ["_mock", "requests"]) => {
            let lines: String = world
                .journal()
                .iter()
                .filter_map(|line| serde_json::to_string(line).ok())
                .map(|line| line + "\n")
                .collect();
            Answer { status: 200, content_type: "application/x-ndjson", body: lines }
        }
        ("GET", ["_mock", "state"]) => match serde_json::to_value(&*world.present()) {
            Ok(state) => json_answer(200, &state),
            Err(error) => refuse(500, &error.to_string()),
        },
        ("GET", ["_mock", "state", "digest"]) => {
            Answer { status: 200, content_type: "text/plain", body: world.digest() }
        }
        ("POST", ["_mock", "reset"]) => {
            world.reset();
            Answer { status: 204, content_type: "text/plain", body: String::new() }
        }
        ("PUT", ["_mock", "faults"]) => match serde_json::from_slice::<FaultFile>(body) {
            Ok(file) => {
                world.set_faults(file);
                Answer { status: 204, content_type: "text/plain", body: String::new() }
            }
            Err(error) => refuse(400, &error.to_string()),
        },
        ("POST", ["_mock", "clock"]) => match serde_json::from_slice::<ClockBody>(body) {
            Ok(clock) => match parse_span(&clock.advance) {
                Some(span) => {
                    world.clock.advance(span);
                    json_answer(200, &json!({ "now": world.clock.now() }))
                }
                None => refuse(400, &format!("`{}` is no span: expected such as 90s", clock.advance)),
            },
            Err(error) => refuse(400, &error.to_string()),
        },
        ("POST", ["_mock", "attackers", name, "attempt"]) => play(world, name, body),
        ("POST", ["_mock", "device-codes", code]) => match serde_json::from_slice::<Completion>(body) {
            Ok(completion) => match complete(world, code, &completion) {
                Ok(()) => Answer { status: 204, content_type: "text/plain", body: String::new() },
                Err(why) => refuse(404, &why),
            },
            Err(error) => refuse(400, &error.to_string()),
        },
        (_, ["_mock", ..]) => refuse(404, &format!("there is no control call {method} {path}")),
        _ => refuse(404, "not a control call"),
    }
}

fn play(world: &Arc<World>, name: &str, body: &[u8]) -> Answer {
    let request = if body.iter().all(u8::is_ascii_whitespace) {
        Ok(AttemptRequest::default())
    } else {
        serde_json::from_slice::<AttemptRequest>(body)
    };
    let request = match request {
        Ok(request) => request,
        Err(error) => return refuse(400, &error.to_string()),
    };
    let tenant = world.present();
    let Some(attacker) = tenant.attackers.iter().find(|own| own.name == name) else {
        let known: Vec<&str> = tenant.attackers.iter().map(|own| own.name.as_str()).collect();
        return refuse(404, &format!("there is no attacker `{name}`; there are: {}", known.join(", ")));
    };
    match attempt(&tenant, attacker, &request, world.clock.now()) {
        Ok(outcome) => {
            if request.assume.is_none() {
                world.edit(|tenant| record(tenant, &outcome));
            }
            match serde_json::to_value(&outcome) {
                Ok(answer) => json_answer(200, &answer),
                Err(error) => refuse(500, &error.to_string()),
            }
        }
        Err(error) => refuse(400, &error.to_string()),
    }
}
