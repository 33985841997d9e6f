//! `insightidr`: Rapid7's roads to us. The log alert's webhook, the alert of the API with its actors and evidence, and
//! the UBA alert of Rapid7's automation; a workflow may send several of them in one body.

use std::borrow::Cow;

use serde_json::Value;

use super::body::Body;
use super::error::AlertError;
use super::gather::{Gathering, members, text_at};
use super::strict::read_json;
use super::trigger::Trigger;
use crate::config::WidestBlock;

/// The sender's name.
pub(super) const NAME: &str = "insightidr";

/// Whether the body is one of Rapid7's.
pub(super) fn fits(body: &Body) -> bool {
    let alert = body.unwrapped();
    is_log_alert(alert) || is_alert(alert) || is_actors(alert) || is_evidence(alert) || is_uba(alert)
}

fn is_log_alert(alert: &Value) -> bool {
    alert.pointer("/event/m").is_some_and(Value::is_string)
}

fn is_alert(alert: &Value) -> bool {
    alert.get("rule_keys_of_interest").is_some()
        || alert.get("rrn").and_then(Value::as_str).is_some_and(|rrn| rrn.starts_with("rrn:alerts:"))
}

fn is_actors(alert: &Value) -> bool {
    alert.get("actors").is_some_and(Value::is_array)
}

fn is_evidence(alert: &Value) -> bool {
    alert.get("evidences").is_some_and(Value::is_array)
}

fn is_uba(alert: &Value) -> bool {
    alert.pointer("/actors/users").is_some() || alert.pointer("/contents/ipAddresses").is_some()
}

/// Reads whichever of Rapid7's forms stand in the body.
pub(super) fn read(body: &Body, widest: WidestBlock) -> Result<Trigger, AlertError> {
    if !fits(body) {
        return Err(AlertError::OtherShape {
            source_name: NAME,
            expected: "it has none of `event.m`, `rule_keys_of_interest`, `actors`, `evidences`, `contents`",
        });
    }
    let alert = body.unwrapped();
    let mut gathering = Gathering::new(NAME, widest);
    if is_alert(alert) {
        read_alert(alert, &mut gathering);
    }
    if is_log_alert(alert) {
        read_log_alert(alert, &mut gathering);
    }
    if is_uba(alert) {
        read_uba(alert, &mut gathering);
    }
    if is_actors(alert) {
        read_actors(alert, &mut gathering);
    }
    if is_evidence(alert) {
        read_evidence(alert, &mut gathering);
    }
    Ok(gathering.finish())
}

/// The alert of the API (alerts' `GET`): what its rule found of interest.
fn read_alert(alert: &Value, gathering: &mut Gathering) {
    gathering.id(text_at(alert, "/rrn"));
    gathering.title(text_at(alert, "/title"));
    gathering.severity(text_at(alert, "/priority").as_deref());
    gathering.state(text_at(alert, "/status").as_deref());
    gathering.time(alert.get("alerted_at").unwrap_or(&Value::Null));
    for interest in members(alert.get("rule_keys_of_interest")) {
        let key = interest.get("key").and_then(Value::as_str).unwrap_or_default();
        for value in members(interest.get("values")) {
            match key {
                "account" => gathering.user(&[value]),
                "source_ip" => gathering.address(value),
                "user_agent" => gathering.user_agent(value),
                _ => {}
            }
        }
    }
}

/// The webhook of a log alert: the log's line is a text, which is JSON again where the log is structured.
fn read_log_alert(alert: &Value, gathering: &mut Gathering) {
    gathering.title(text_at(alert, "/alert/name"));
    let line = alert.pointer("/event/m").and_then(Value::as_str).unwrap_or_default();
    if let Ok(line @ Value::Object(_)) = read_json(line.as_bytes()) {
        read_line(&line, gathering);
    } else {
        gathering.note("the alert's log line is no JSON: nothing of it could be read");
        gathering.time(alert.pointer("/event/t").unwrap_or(&Value::Null));
    }
}

/// One line of the log `Ingress Authentication`. Its `user` is a name on screens, and names nobody.
fn read_line(line: &Value, gathering: &mut Gathering) {
    gathering.time(line.get("timestamp").unwrap_or(&Value::Null));
    gathering.address(line.get("source_ip").unwrap_or(&Value::Null));
    gathering.user_agent(line.get("user_agent").unwrap_or(&Value::Null));
    if let Some(source) = source_record(line) {
        read_record(&source, line.get("account"), gathering);
        return;
    }
    match line.get("account") {
        Some(account) if !account.is_null() => gathering.user(&[account]),
        _ => gathering.name_on_screens(line.get("user")),
    }
}

/// The Office 365 audit record that a line was made from: an object, or the text of one.
fn source_record(line: &Value) -> Option<Cow<'_, Value>> {
    match line.get("source_json")? {
        own @ Value::Object(_) => Some(Cow::Borrowed(own)),
        Value::String(text) => read_json(text.as_bytes()).ok().filter(Value::is_object).map(Cow::Owned),
        _ => None,
    }
}

fn read_record(record: &Value, account: Option<&Value>, gathering: &mut Gathering) {
    let null = Value::Null;
    gathering.tenant(text_at(record, "/OrganizationId"));
    // `UserKey` is the object id in the records of Entra's own workload, and something else in others'.
    let key = record.get("UserKey").unwrap_or(&null);
    let texts = [key, record.get("UserId").unwrap_or(&null), account.unwrap_or(&null)];
    gathering.user(&texts);
    gathering.address(record.get("ClientIP").unwrap_or(&null));
    let named = |list: &str, name: &str| {
        members(record.get(list))
            .iter()
            .find(|own| own.get("Name").is_some_and(|own| own == name))
            .and_then(|own| own.get("Value"))
            .cloned()
            .unwrap_or_default()
    };
    gathering.user_agent(&named("ExtendedProperties", "UserAgent"));
    gathering.session(&named("DeviceProperties", "SessionId"));
}

/// The evidence of an alert: one line of the log each.
fn read_evidence(alert: &Value, gathering: &mut Gathering) {
    for evidence in members(alert.get("evidences")) {
        gathering.id(text_at(evidence, "/rrn"));
        if let Some(line @ Value::Object(_)) = evidence.get("data") {
            read_line(line, gathering);
        } else {
            gathering.note("a piece of the alert's evidence has no `data`");
        }
    }
}

/// The actors of an alert. `user_id` is Rapid7's own; what an account is called is its `display_name`.
fn read_actors(alert: &Value, gathering: &mut Gathering) {
    for actor in members(alert.get("actors")) {
        if actor.get("type").is_some_and(|kind| kind == "ACCOUNT") {
            gathering.user(&[actor.get("display_name").unwrap_or(&Value::Null)]);
        }
    }
}

/// The UBA alert trigger of Rapid7's automation.
fn read_uba(alert: &Value, gathering: &mut Gathering) {
    // How the key is spelt in JSON is not documented: the field is called "investigation ID" on screens.
    let keys = ["/investigationId", "/investigation_id", "/investigationID", "/investigation ID"];
    gathering.id(keys.iter().find_map(|key| text_at(alert, key)));
    gathering.title(text_at(alert, "/name"));
    gathering.url(text_at(alert, "/link"));
    gathering.time(alert.get("timestamp").unwrap_or(&Value::Null));
    for user in members(alert.pointer("/actors/users")) {
        let mails: Vec<&Value> = members(user.get("emails")).iter().collect();
        if mails.is_empty() {
            gathering.name_on_screens(user.get("name"));
        } else {
            gathering.user(&mails);
        }
    }
    for address in members(alert.pointer("/contents/ipAddresses")) {
        // Only where it came from is the intruder's; where it went to may be the company's own.
        let is_source = address.get("type").is_none_or(|kind| kind == "SOURCE");
        match address.get("ip") {
            Some(ip) if is_source => gathering.address(ip),
            Some(ip) => {
                gathering.note(&format!("the alert's address {ip} is left out: it is not the source"));
            }
            None => gathering.address(address),
        }
    }
}
