//! `${name}`: finding the inputs that a text names, and putting their values in.

use std::ops::Range;

use serde_json::Value;

use super::model::PathSegment;

/// What is wrong with a `${...}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReferenceFault {
    /// There is no `}`.
    Unclosed { at: Range<usize> },
}

/// One `${name}` in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) name: &'t str,
    /// Its bytes in the text, `${` and `}` among them.
    pub(super) at: Range<usize>,
}

/// Finds every `${name}` in the text.
pub(super) fn find(text: &str) -> Result<Vec<Reference<'_>>, ReferenceFault> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
        let inner = text.get(start + 2..).unwrap_or_default();
        let Some(length) = inner.find('}') else {
            return Err(ReferenceFault::Unclosed { at: start..text.len() });
        };
        let at = start..start + 2 + length + 1;
        found.push(Reference { name: inner.get(..length).unwrap_or_default(), at: at.clone() });
        from = at.end;
    }
    Ok(found)
}

/// Puts values in; a text that is one `${name}` alone becomes the value, of the value's own type.
pub(super) fn substitute<'v>(value: &Value, lookup: &impl Fn(&str) -> Option<&'v Value>) -> Value {
    match value {
        Value::String(text) => substitute_text(text, lookup),
        Value::Array(items) => items.iter().map(|item| substitute(item, lookup)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, item)| (name.clone(), substitute(item, lookup))).collect())
        }
        other => other.clone(),
    }
}

fn substitute_text<'v>(text: &str, lookup: &impl Fn(&str) -> Option<&'v Value>) -> Value {
    let Ok(references) = find(text) else { return Value::from(text) };
    if let [only] = references.as_slice()
        && only.at == (0..text.len())
    {
        return lookup(only.name).cloned().unwrap_or_else(|| Value::from(text));
    }
    let mut filled = String::new();
    let mut from = 0;
    for reference in references {
        filled.push_str(text.get(from..reference.at.start).unwrap_or_default());
        match lookup(reference.name) {
            Some(Value::String(inner)) => filled.push_str(inner),
            Some(inner) => filled.push_str(&inner.to_string()),
            None => filled.push_str(text.get(reference.at.clone()).unwrap_or_default()),
        }
        from = reference.at.end;
    }
    filled.push_str(text.get(from..).unwrap_or_default());
    Value::from(filled)
}

/// Gives the ways to all texts that name one of these inputs.
pub(super) fn paths_naming(value: &Value, is_named: &impl Fn(&str) -> bool) -> Vec<Vec<PathSegment>> {
    let mut found = Vec::new();
    collect(value, is_named, &mut Vec::new(), &mut found);
    found
}

fn collect(
    value: &Value,
    is_named: &impl Fn(&str) -> bool,
    path: &mut Vec<PathSegment>,
    found: &mut Vec<Vec<PathSegment>>,
) {
    match value {
        Value::String(text)
            if find(text)
                .is_ok_and(|references| references.iter().any(|reference| is_named(reference.name))) =>
        {
            found.push(path.clone());
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(PathSegment::Index(index));
                collect(item, is_named, path, found);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                path.push(PathSegment::Key(name.clone()));
                collect(item, is_named, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_value_keeps_its_type_and_a_part_becomes_text() {
        let (list, number) = (json!(["a", "b"]), json!(7));
        let lookup = |name: &str| match name {
            "list" => Some(&list),
            "number" => Some(&number),
            _ => None,
        };
        let value = json!({"whole": "${list}", "count": ["${number}"], "part": "day ${number} of 8"});
        let filled = json!({"whole": ["a", "b"], "count": [7], "part": "day 7 of 8"});
        assert_eq!(substitute(&value, &lookup), filled);
    }

    #[test]
    fn what_was_put_in_is_not_read_again() {
        let hostile = json!("${other} ${");
        let filled = substitute(&json!("x ${text}"), &|name| (name == "text").then_some(&hostile));
        assert_eq!(filled, json!("x ${other} ${"));
    }

    #[test]
    fn an_open_brace_is_a_fault() {
        assert_eq!(find("a ${b"), Err(ReferenceFault::Unclosed { at: 2..5 }));
        assert_eq!(find("$b {c}").unwrap(), []);
    }
}
