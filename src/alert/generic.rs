//! `generic`: our own `stanch/alert/v1`, by itself or as the `data` of a Standard Webhook; or any shape, by the pointers
//! of the settings.

use serde_json::Value;

use super::body::Body;
use super::error::AlertError;
use super::gather::{Gathering, members, text_at, word_at};
use super::source::Mapping;
use super::trigger::Trigger;
use crate::config::WidestBlock;

/// The format that we define.
const SCHEMA: &str = "stanch/alert/v1";
/// The sender's name.
pub(super) const NAME: &str = "generic";

/// Whether the body is of our own format.
pub(super) fn fits(body: &Body) -> bool {
    body.unwrapped().get("schema").is_some_and(|schema| schema == SCHEMA)
}

/// Reads our own format.
pub(super) fn read(body: &Body, widest: WidestBlock) -> Result<Trigger, AlertError> {
    if !fits(body) {
        return Err(AlertError::OtherShape {
            source_name: NAME,
            expected: "its `schema` is not `stanch/alert/v1`, and the settings have no pointers for it",
        });
    }
    let alert = body.unwrapped();
    let mut gathering = Gathering::new(NAME, widest);
    gathering.id(text_at(alert, "/id"));
    gathering.title(text_at(alert, "/title"));
    gathering.severity(text_at(alert, "/severity").as_deref());
    gathering.url(text_at(alert, "/url"));
    gathering.tenant(text_at(alert, "/tenant"));
    gathering.playbook(text_at(alert, "/playbook"));
    gathering.state(text_at(alert, "/state").as_deref());
    gathering.time(alert.get("time").unwrap_or(&Value::Null));
    // Several users may be named: a list, each with the same members.
    for user in members(alert.get("user")).iter().chain(members(alert.get("users"))) {
        match user {
            Value::Object(user) => {
                let texts: Vec<&Value> =
                    ["id", "sid", "upn", "mail", "account"].iter().filter_map(|key| user.get(*key)).collect();
                gathering.user(&texts);
            }
            other => gathering.user(&[other]),
        }
    }
    for address in members(alert.pointer("/indicators/ips")) {
        gathering.address(address);
    }
    for agent in members(alert.pointer("/indicators/user_agents")) {
        gathering.user_agent(agent);
    }
    for session in members(alert.pointer("/indicators/sessions")) {
        gathering.session(session);
    }
    Ok(gathering.finish())
}

/// Reads any shape by pointers.
pub(super) fn read_by(body: &Body, mapping: &Mapping, widest: WidestBlock) -> Trigger {
    let alert = body.value();
    let mut gathering = Gathering::new(NAME, widest);
    gathering.id(mapping.id.as_ref().and_then(|pointer| word_at(alert, pointer)));
    if let Some(pointer) = &mapping.time {
        for value in pointer.values(alert) {
            gathering.time(&value);
        }
    }
    let found: Vec<Vec<_>> =
        mapping.user.iter().map(|pointer| pointer.values(alert)).filter(|found| !found.is_empty()).collect();
    if found.iter().all(|found| found.len() == 1) {
        // One value by each pointer: they name one user, the surest first.
        let texts: Vec<&Value> = found.iter().flatten().map(AsRef::as_ref).collect();
        gathering.user(&texts);
    } else if let Some(several) = found.first() {
        // Which name belongs to which id nothing tells: the first pointer decides alone.
        for value in several {
            gathering.user(&[value.as_ref()]);
        }
    }
    for value in mapping.ips.iter().flat_map(|pointer| pointer.values(alert)) {
        for address in members(Some(&value)) {
            gathering.address(address);
        }
    }
    for value in mapping.user_agents.iter().flat_map(|pointer| pointer.values(alert)) {
        for agent in members(Some(&value)) {
            gathering.user_agent(agent);
        }
    }
    gathering.finish()
}
