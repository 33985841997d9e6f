//! Placeholders: the few things that a plan cannot know (INTERFACE.md, "Plan"), and how they are filled at apply.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::request::PlannedRequest;
use crate::domain::{CidrBlock, SecretString};

/// What the placeholders of one request are filled with.
#[derive(Debug, Default)]
pub struct Bindings {
    /// `${secret.NAME}`
    pub secrets: BTreeMap<String, SecretString>,
    /// `${actions.ID.id}`: ids of objects that this run made, by action id.
    pub made: BTreeMap<String, String>,
    /// `${current.ipRanges}`: what the list holds at the moment of the write, as it stands there, with our own.
    pub current_ranges: Option<Vec<Value>>,
}

/// Why a placeholder stands unfilled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlaceholderError {
    /// Nothing to fill it with.
    #[error("nothing to fill the placeholder `{name}` with")]
    Unfilled {
        /// The placeholder, as it stands.
        name: String,
    },
    /// Not one of the placeholders that a plan may hold.
    #[error("`{name}` is no placeholder that a plan may hold")]
    Unknown {
        /// The text.
        name: String,
    },
}

const CURRENT_RANGES: &str = "${current.ipRanges}";

/// Fills a request's placeholders: path and body as they are sent.
///
/// # Errors
/// When one is unknown or has nothing to fill it with.
pub fn fill(request: &PlannedRequest, bindings: &Bindings) -> Result<(String, Value), PlaceholderError> {
    Ok((fill_text(&request.path, bindings)?, fill_value(&request.body, bindings)?))
}

/// Lists the placeholders of a request, as they stand, in order.
///
/// # Errors
/// When one is of no known kind.
pub fn placeholders_of(request: &PlannedRequest) -> Result<Vec<String>, PlaceholderError> {
    let mut found = Vec::new();
    collect_text(&request.path, &mut found)?;
    collect_value(&request.body, &mut found)?;
    Ok(found)
}

/// The actions whose objects a request works on, by its placeholders, the path's first.
pub fn made_objects_of(request: &PlannedRequest) -> Vec<String> {
    placeholders_of(request)
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.strip_prefix("${actions.").and_then(|rest| rest.strip_suffix(".id}")))
        .map(str::to_owned)
        .collect()
}

fn collect_value(value: &Value, found: &mut Vec<String>) -> Result<(), PlaceholderError> {
    match value {
        Value::String(text) => collect_text(text, found),
        Value::Array(items) => items.iter().try_for_each(|item| collect_value(item, found)),
        Value::Object(entries) => entries.iter().try_for_each(|(key, item)| {
            collect_text(key, found)?;
            collect_value(item, found)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn collect_text(text: &str, found: &mut Vec<String>) -> Result<(), PlaceholderError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let (name, tail) =
            after.split_once('}').ok_or_else(|| PlaceholderError::Unknown { name: format!("${{{after}") })?;
        let is_known = name == "current.ipRanges"
            || name.strip_prefix("secret.").is_some_and(|n| !n.is_empty())
            || name
                .strip_prefix("actions.")
                .and_then(|rest| rest.strip_suffix(".id"))
                .is_some_and(|id| !id.is_empty());
        if !is_known {
            return Err(PlaceholderError::Unknown { name: format!("${{{name}}}") });
        }
        found.push(format!("${{{name}}}"));
        rest = tail;
    }
    Ok(())
}

fn fill_text(text: &str, bindings: &Bindings) -> Result<String, PlaceholderError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) =
            after.split_once('}').ok_or_else(|| PlaceholderError::Unknown { name: format!("${{{after}") })?;
        filled.push_str(before);
        let unfilled = || PlaceholderError::Unfilled { name: format!("${{{name}}}") };
        if let Some(secret) = name.strip_prefix("secret.") {
            filled.push_str(bindings.secrets.get(secret).ok_or_else(unfilled)?.expose_secret());
        } else if let Some(action) = name.strip_prefix("actions.").and_then(|n| n.strip_suffix(".id")) {
            filled.push_str(bindings.made.get(action).ok_or_else(unfilled)?);
        } else {
            return Err(PlaceholderError::Unknown { name: format!("${{{name}}}") });
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn fill_value(value: &Value, bindings: &Bindings) -> Result<Value, PlaceholderError> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(text, bindings)?),
        Value::Array(items) => {
            let mut filled = Vec::with_capacity(items.len());
            for item in items {
                match current_without(item) {
                    Some(without) => filled.extend(current_ranges(&without, bindings)?),
                    None => filled.push(fill_value(item, bindings)?),
                }
            }
            Value::Array(filled)
        }
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), fill_value(item, bindings)?)))
                .collect::<Result<Map<_, _>, PlaceholderError>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Which ranges a list element leaves out of the current list, if it stands for the current list at all.
fn current_without(item: &Value) -> Option<Vec<String>> {
    if item.as_str() == Some(CURRENT_RANGES) {
        return Some(Vec::new());
    }
    let without = item.as_object()?.get(CURRENT_RANGES)?.get("without")?.as_array()?;
    Some(without.iter().filter_map(|range| range.as_str().map(str::to_owned)).collect())
}

fn current_ranges(without: &[String], bindings: &Bindings) -> Result<Vec<Value>, PlaceholderError> {
    let current = bindings
        .current_ranges
        .as_ref()
        .ok_or_else(|| PlaceholderError::Unfilled { name: CURRENT_RANGES.to_owned() })?;
    let means = |text: &str| CidrBlock::parse_masking(text).ok().map(|(block, _)| block);
    let left_out: Vec<_> = without.iter().filter_map(|text| means(text)).collect();
    Ok(current
        .iter()
        .filter(|range| {
            let block = range.get("cidrAddress").and_then(Value::as_str).and_then(means);
            block.is_none_or(|block| !left_out.contains(&block))
        })
        .cloned()
        .collect())
}

/// One range as Graph wants it (`@odata.type` is mandatory on every range).
pub fn range_body(block: &CidrBlock) -> Value {
    json!({ "@odata.type": block.odata_type(), "cidrAddress": block.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Verb;

    fn patch(body: Value) -> PlannedRequest {
        PlannedRequest {
            method: Verb::Patch,
            path: "/v1.0/x/${actions.block_ips.location.id}".to_owned(),
            body,
        }
    }

    #[test]
    fn the_current_list_is_kept_and_ours_is_added() {
        let request = patch(
            json!({ "ipRanges": ["${current.ipRanges}", range_body(&"203.0.113.9".parse().unwrap())] }),
        );
        let bindings = Bindings {
            made: [("block_ips.location".to_owned(), "abc".to_owned())].into(),
            current_ranges: Some(vec![json!({"cidrAddress": "198.51.100.7/24"})]),
            ..Bindings::default()
        };
        let (path, body) = fill(&request, &bindings).unwrap();
        assert_eq!(path, "/v1.0/x/abc");
        assert_eq!(
            body,
            json!({"ipRanges": [{"cidrAddress": "198.51.100.7/24"}, {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.9/32"}]})
        );
    }

    #[test]
    fn an_undo_takes_out_only_what_it_names() {
        let request =
            patch(json!({ "ipRanges": [{"${current.ipRanges}": {"without": ["198.51.100.0/24"]}}] }));
        let bindings = Bindings {
            made: [("block_ips.location".to_owned(), "abc".to_owned())].into(),
            current_ranges: Some(vec![
                json!({"cidrAddress": "198.51.100.7/24"}),
                json!({"cidrAddress": "192.0.2.1/32"}),
            ]),
            ..Bindings::default()
        };
        assert_eq!(
            fill(&request, &bindings).unwrap().1,
            json!({"ipRanges": [{"cidrAddress": "192.0.2.1/32"}]})
        );
    }

    #[test]
    fn what_is_no_placeholder_or_has_no_filling_is_refused() {
        let wrong = patch(json!({"x": "${env.HOME}"}));
        assert_eq!(
            placeholders_of(&wrong),
            Err(PlaceholderError::Unknown { name: "${env.HOME}".to_owned() })
        );
        let secret = patch(json!({"x": "${secret.password}"}));
        assert_eq!(placeholders_of(&secret).unwrap().len(), 2);
        assert!(matches!(fill(&secret, &Bindings::default()), Err(PlaceholderError::Unfilled { .. })));
    }
}
