//! A playbook's inputs: their types, and text from `--set name=value` as one.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    List,
    /// A list of addresses and ranges.
    IpList,
}

/// One input as a playbook declares it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Input {
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: InputType,
    /// Its value when nobody sets it; none: it has to be set.
    pub default: Option<Value>,
}

impl InputType {
    pub(super) const WORDS: [&'static str; 5] = ["string", "integer", "boolean", "list", "ip_list"];

    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "string" => Self::String,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "list" => Self::List,
            "ip_list" => Self::IpList,
            _ => return None,
        })
    }

    /// Says what a value of this type is.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "an integer",
            Self::Boolean => "`true` or `false`",
            Self::List => "a list of texts",
            Self::IpList => "a list of addresses and ranges",
        }
    }

    /// Tells why a value from the file is not of this type.
    pub(super) fn check(self, value: &Value) -> Result<(), String> {
        let fits = match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64(),
            Self::Boolean => value.is_boolean(),
            Self::List | Self::IpList => {
                value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            }
        };
        if !fits {
            return Err(format!("expected {}", self.expected()));
        }
        if self == Self::IpList {
            for item in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                check_range(item)?;
            }
        }
        Ok(())
    }

    /// Reads text from the command line as a value of this type: lists are separated by commas, or are JSON.
    pub(super) fn read(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::String => Value::from(text),
            Self::Integer => match text.trim().parse::<i64>() {
                // Beyond 2^53-1 two numbers would have one digest.
                Ok(number) if number.unsigned_abs() < 1 << 53 => Value::from(number),
                _ => return Err(format!("expected an integer, found `{text}`")),
            },
            Self::Boolean => match text.trim() {
                "true" => Value::from(true),
                "false" => Value::from(false),
                _ => return Err(format!("expected `true` or `false`, found `{text}`")),
            },
            Self::List | Self::IpList if text.trim_start().starts_with('[') => serde_json::from_str(text)
                .map_err(|error| format!("expected a JSON list of texts, found `{text}`: {error}"))?,
            Self::List | Self::IpList => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>().into()
            }
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Stands in for a value that is not known yet, while the rest is checked.
    pub(super) fn sample(self) -> Value {
        match self {
            Self::String => Value::from("sample"),
            Self::Integer => Value::from(1),
            Self::Boolean => Value::from(true),
            Self::List => Value::from(vec!["sample"]),
            Self::IpList => Value::from(vec!["192.0.2.1/32"]),
        }
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::IpList => "ip_list",
        })
    }
}

fn check_range(text: &str) -> Result<(), String> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    match text.parse::<IpNet>() {
        Ok(range) if range.trunc() == range => Ok(()),
        Ok(range) => Err(format!("`{text}` has host bits set: the range is `{}`", range.trunc())),
        Err(_) => Err(format!("`{text}` is no address and no range")),
    }
}

/// Takes `name=value` apart at the first `=`.
///
/// # Errors
/// The text itself, when it has no `=` or no name before it.
pub fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no setting: write `name=value`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_becomes_the_type_or_an_error_that_says_what_was_expected() {
        assert_eq!(InputType::List.read("a, b,").unwrap(), json!(["a", "b"]));
        assert_eq!(InputType::List.read(r#"["a,b"]"#).unwrap(), json!(["a,b"]));
        assert_eq!(
            InputType::IpList.read("192.0.2.7,2001:db8::/48").unwrap(),
            json!(["192.0.2.7", "2001:db8::/48"])
        );
        assert_eq!(InputType::Integer.read("-3").unwrap(), json!(-3));
        assert_eq!(InputType::Boolean.read("true").unwrap(), json!(true));
        assert_eq!(InputType::Boolean.read("yes").unwrap_err(), "expected `true` or `false`, found `yes`");
        assert!(InputType::Integer.read("9007199254740993").is_err());
        assert!(InputType::List.read("[1]").is_err());
        let host_bits = InputType::IpList.read("198.51.100.7/24").unwrap_err();
        assert_eq!(host_bits, "`198.51.100.7/24` has host bits set: the range is `198.51.100.0/24`");
    }

    #[test]
    fn a_setting_is_cut_at_the_first_equals_sign() {
        assert_eq!(parse_setting("a=b=c").unwrap(), ("a".into(), "b=c".into()));
        assert!(parse_setting("=b").is_err() && parse_setting("a").is_err());
    }
}
