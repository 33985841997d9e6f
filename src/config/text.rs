//! A setting's value, and text from variables and flags as one.

use std::collections::BTreeMap;

use super::error::{ConfigFault, Origin};
use super::settings::Kind;

/// The value of one setting, of its kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Boolean(bool),
    Integer(i64),
    Lists(BTreeMap<String, Vec<String>>),
}

/// Reads text as a value: lists are separated by commas, or are JSON.
pub(super) fn read(kind: Kind, text: &str, key: &str, origin: &Origin) -> Result<Value, ConfigFault> {
    let wrong = || ConfigFault::WrongType {
        origin: origin.clone(),
        key: key.to_owned(),
        expected: kind.expected(),
        found: match kind {
            _ if text.is_empty() => "nothing".to_owned(),
            Kind::Boolean | Kind::Integer { .. } | Kind::Choice(_) => format!("`{text}`"),
            // It may be a secret that was written in the wrong form.
            Kind::Text | Kind::List | Kind::Lists => "text that is none".to_owned(),
        },
    };
    match kind {
        Kind::Text if text.trim().is_empty() => Err(wrong()),
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
        Kind::Boolean => text.trim().parse().map(Value::Boolean).map_err(|_| wrong()),
        Kind::Integer { least, most } => match text.trim().parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Value::Integer(number)),
            _ => Err(wrong()),
        },
        Kind::List if text.trim_start().starts_with('[') => {
            serde_json::from_str(text).map(Value::List).map_err(|_| wrong())
        }
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::List(items.map(str::to_owned).collect()))
        }
        Kind::Lists => serde_json::from_str(text).map(Value::Lists).map_err(|_| wrong()),
        Kind::Choice(_) => Err(wrong()),
    }
}
