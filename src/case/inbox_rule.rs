//! An inbox rule, as far as Graph shows it (identity.md 7.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One rule. Texts are its owner's, or the intruder's: show them inert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InboxRule {
    /// Id within the inbox.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether Graph refuses to change it.
    pub read_only: bool,
    /// When it applies; empty where it applies to all mail, or where Graph cannot tell.
    pub conditions: Map<String, Value>,
    /// What it does; empty where Graph cannot tell.
    pub actions: Map<String, Value>,
    /// When it does not apply after all.
    pub exceptions: Map<String, Value>,
    /// The whole rule, as Graph gave it.
    pub whole: Value,
    /// The names of the folders that it moves or copies to, by their ids, where they were read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, String>,
}

impl InboxRule {
    /// Whether Graph cannot express it: then it shows neither conditions nor actions, and nothing may be concluded from
    /// that.
    pub fn is_opaque(&self) -> bool {
        self.actions.is_empty()
    }

    /// The addresses that it sends mail on to, in whatever way.
    pub fn sends_to(&self) -> Vec<&str> {
        ["forwardTo", "forwardAsAttachmentTo", "redirectTo"]
            .iter()
            .filter_map(|action| self.actions.get(*action)?.as_array())
            .flatten()
            .filter_map(|recipient| recipient.pointer("/emailAddress/address")?.as_str())
            .collect()
    }

    /// Whether an action is switched on.
    pub fn does(&self, action: &str) -> bool {
        self.actions.get(action).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The folder that it moves mail to, by its id.
    pub fn moves_to(&self) -> Option<&str> {
        self.actions.get("moveToFolder").and_then(Value::as_str).filter(|folder| !folder.is_empty())
    }

    /// The ids of the folders that it moves or copies to.
    pub fn folder_ids(&self) -> Vec<&str> {
        let named = ["moveToFolder", "copyToFolder"].iter();
        let ids = named.filter_map(|action| self.actions.get(*action).and_then(Value::as_str));
        ids.filter(|id| !id.is_empty()).collect()
    }

    /// The name of a folder, or its id where the name was not read.
    pub fn folder<'r>(&'r self, id: &'r str) -> &'r str {
        self.folders.get(id).map_or(id, String::as_str)
    }

    /// The words and addresses that it looks for.
    pub fn looks_for(&self) -> Vec<&str> {
        let words = self.conditions.iter().filter(|(key, _)| key.ends_with("Contains"));
        let plain = words.filter_map(|(_, value)| value.as_array()).flatten().filter_map(Value::as_str);
        let people = ["fromAddresses", "sentToAddresses"].iter();
        let addresses = people
            .filter_map(|key| self.conditions.get(*key)?.as_array())
            .flatten()
            .filter_map(|own| own.pointer("/emailAddress/address")?.as_str());
        plain.chain(addresses).collect()
    }

    /// Whether it applies to all mail.
    pub fn is_for_all_mail(&self) -> bool {
        let says_nothing = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        self.conditions.values().all(says_nothing)
    }
}
