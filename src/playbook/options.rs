//! A step's options against its type: every fault, with the way to the value and the word that was meant.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::model::PathSegment;
use super::word;

/// A step has a handful of options: more rounds than this would mean that one fault is found for ever.
const MOST_FAULTS: usize = 64;

/// One option that is not as its step wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionFault {
    /// The way from the options to the value.
    pub path: Vec<PathSegment>,
    /// What is wrong with it.
    pub message: String,
    /// The known word that was probably meant.
    pub nearest: Option<String>,
    /// Whether the JSON Schema of the options cannot say it: a text that is none of its kind, a number out of range.
    pub beyond_schema: bool,
}

/// Checks options against the type that the step reads them as.
///
/// # Errors
/// All faults at once: what was found wrong is set aside, and the rest is read again.
pub fn check_options<T: DeserializeOwned>(value: &Value) -> Result<(), Vec<OptionFault>> {
    if !value.is_object() {
        // serde would take a list for a struct, by position: nobody could read such a playbook.
        let message = "expected a map of options".to_owned();
        return Err(vec![OptionFault { path: Vec::new(), message, nearest: None, beyond_schema: false }]);
    }
    let mut rest = value.clone();
    let mut faults: Vec<OptionFault> = Vec::new();
    while faults.len() < MOST_FAULTS {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&rest) else { break };
        let mut path = segments(error.path(), &rest);
        let message = error.inner().to_string();
        let is_out_of_range = message.starts_with("invalid value: ");
        let complaint = Complaint::from(message.as_str());
        match &complaint {
            // What was set aside is missing by our own doing.
            Complaint::Missing(name)
                if faults.iter().any(|fault| fault.path.split_last() == Some((&key(name), &*path))) =>
            {
                break;
            }
            Complaint::UnknownField { name, .. } if path.last() != Some(&key(name)) => path.push(key(name)),
            _ => {}
        }
        let set_aside = set_aside(&mut rest, &path);
        let mut fault = complaint.into_fault(in_original(&path, &faults));
        fault.beyond_schema |= is_out_of_range;
        faults.push(fault);
        if !set_aside {
            break;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn key(name: &str) -> PathSegment {
    PathSegment::Key(name.to_owned())
}

/// Says that an option is not there.
pub(super) fn missing(name: &str) -> String {
    format!("the option `{name}` is missing")
}

enum Complaint<'m> {
    UnknownField { name: &'m str, known: Vec<&'m str> },
    UnknownVariant { name: &'m str, known: Vec<&'m str> },
    Missing(&'m str),
    WrongType { found: String, expected: &'m str },
    Other(&'m str),
}

impl<'m> From<&'m str> for Complaint<'m> {
    /// Takes apart what serde says: these sentences are part of its interface to derived types.
    fn from(message: &'m str) -> Self {
        let quoted = |rest: &'m str| rest.split_once('`').map(|(name, rest)| (name, known_words(rest)));
        if let Some((name, known)) = message.strip_prefix("unknown field `").and_then(quoted) {
            return Self::UnknownField { name, known };
        }
        if let Some((name, known)) = message.strip_prefix("unknown variant `").and_then(quoted) {
            return Self::UnknownVariant { name, known };
        }
        if let Some((name, _)) = message.strip_prefix("missing field `").and_then(quoted) {
            return Self::Missing(name);
        }
        let typed =
            message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
        match typed.and_then(|rest| rest.rsplit_once(", expected ")) {
            Some((found, expected)) => {
                Self::WrongType { found: plain_found(found), expected: plain_expected(expected) }
            }
            None => Self::Other(message),
        }
    }
}

impl Complaint<'_> {
    fn into_fault(self, path: Vec<PathSegment>) -> OptionFault {
        let beyond_schema = matches!(self, Self::Other(_));
        let (message, nearest) = match self {
            Self::UnknownField { name, known } => {
                let nearest = word::nearest(name, known.iter().copied());
                let message = match (&nearest, known.is_empty()) {
                    (Some(_), _) => format!("unknown option `{name}`"),
                    (None, true) => format!("unknown option `{name}`: there are none here"),
                    (None, false) => format!("unknown option `{name}`: there are {}", word::listed(known)),
                };
                (message, nearest)
            }
            Self::UnknownVariant { name, known } => {
                let nearest = word::nearest(name, known.iter().copied());
                (format!("`{name}` is not one of {}", word::listed(known)), nearest)
            }
            Self::Missing(name) => (missing(name), None),
            Self::WrongType { found, expected } => (format!("expected {expected}, found {found}"), None),
            Self::Other(message) => (message.to_owned(), None),
        };
        OptionFault { path, message, nearest, beyond_schema }
    }
}

/// Says what was found in the words of YAML, not in serde's.
fn plain_found(found: &str) -> String {
    match found {
        "map" => "a map".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" => "nothing".to_owned(),
        _ => {
            let value = found.strip_prefix("string ").unwrap_or(found);
            value.replace('"', "`")
        }
    }
}

fn plain_expected(expected: &str) -> &str {
    match expected {
        "a string" => "text",
        "string or map" => "a word",
        "a sequence" => "a list",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "an integer",
        other if other.starts_with("struct ") => "a map",
        other => other,
    }
}

fn known_words(rest: &str) -> Vec<&str> {
    rest.split('`').skip(1).step_by(2).collect()
}

/// Turns the reader's path into ours; variants count as keys where the value has such a key.
fn segments(path: &serde_path_to_error::Path, value: &Value) -> Vec<PathSegment> {
    use serde_path_to_error::Segment;
    let mut found = Vec::new();
    let mut here = Some(value);
    for segment in path {
        let next = match segment {
            Segment::Seq { index } => PathSegment::Index(*index),
            Segment::Map { key: name } => key(name),
            Segment::Enum { variant } if here.and_then(|value| value.get(variant)).is_some() => key(variant),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        here = here.and_then(|value| step_into(value, &next));
        found.push(next);
    }
    found
}

fn step_into<'v>(value: &'v Value, segment: &PathSegment) -> Option<&'v Value> {
    match segment {
        PathSegment::Key(name) => value.get(name),
        PathSegment::Index(index) => value.get(index),
    }
}

/// Takes the value at the path out; false when there is none to take.
fn set_aside(value: &mut Value, path: &[PathSegment]) -> bool {
    let Some((last, way)) = path.split_last() else { return false };
    let mut here = value;
    for segment in way {
        let next = match segment {
            PathSegment::Key(name) => here.get_mut(name),
            PathSegment::Index(index) => here.get_mut(index),
        };
        match next {
            Some(next) => here = next,
            None => return false,
        }
    }
    match (last, here) {
        (PathSegment::Key(name), Value::Object(map)) => map.remove(name).is_some(),
        (PathSegment::Index(index), Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

/// Counts the members of lists that were set aside back in.
fn in_original(path: &[PathSegment], faults: &[OptionFault]) -> Vec<PathSegment> {
    let mut original: Vec<PathSegment> = Vec::new();
    for segment in path {
        let mut segment = segment.clone();
        if let PathSegment::Index(index) = &mut segment {
            let mut gone: Vec<usize> = faults
                .iter()
                .filter_map(|fault| match fault.path.split_last() {
                    Some((PathSegment::Index(taken), way)) if way == original => Some(*taken),
                    _ => None,
                })
                .collect();
            gone.sort_unstable();
            for taken in gone {
                if taken <= *index {
                    *index += 1;
                }
            }
        }
        original.push(segment);
    }
    original
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Color {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Paint {
        colors: Vec<Color>,
        coats: u8,
        glossy: Option<bool>,
    }

    fn faults(value: &Value) -> Vec<(Vec<PathSegment>, String, Option<String>)> {
        let faults = check_options::<Paint>(value).unwrap_err();
        faults.into_iter().map(|fault| (fault.path, fault.message, fault.nearest)).collect()
    }

    #[test]
    fn every_fault_is_found_where_it_was_written() {
        let value = json!({"colors": ["red", "gren", "red", "blue"], "cots": 1, "coats": "two", "glossy": 3});
        let found = faults(&value);
        let index = |index| vec![key("colors"), PathSegment::Index(index)];
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found.contains(&(
            index(1),
            "`gren` is not one of `red`, `green`".into(),
            Some("green".into())
        )));
        assert!(found.contains(&(index(3), "`blue` is not one of `red`, `green`".into(), None)), "{found:?}");
        assert!(found.contains(&(vec![key("cots")], "unknown option `cots`".into(), Some("coats".into()))));
        assert!(found.contains(&(vec![key("coats")], "expected an integer, found `two`".into(), None)));
        assert!(found.contains(&(vec![key("glossy")], "expected a boolean, found integer `3`".into(), None)));
    }

    #[test]
    fn a_missing_option_is_told_once() {
        assert_eq!(faults(&json!({"colors": []})), [(vec![], "the option `coats` is missing".into(), None)]);
        assert!(check_options::<Paint>(&json!({"colors": ["red"], "coats": 2})).is_ok());
        assert_eq!(faults(&json!([1])).len(), 1);
    }
}
