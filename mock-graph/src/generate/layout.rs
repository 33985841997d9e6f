//! JSON as text that a person can compare: keys in order, one element of a list on a line.

use serde_json::{Map, Value};

/// The text of a tenant or of its truth. The same value gives the same bytes, whatever order its keys came in.
#[must_use]
pub fn layout(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(entries) => enclose(&mut text, '{', "", sorted(entries), |text, (key, entry)| {
            name(text, key);
            spread(text, entry);
        }),
        other => line(&mut text, other),
    }
    text.push('\n');
    text
}

/// An entry at the top: its elements on lines of their own, where they are more than words.
fn spread(text: &mut String, value: &Value) {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => enclose(text, '[', " ", items, line),
        Value::Object(entries) if entries.values().any(|entry| entry.is_object() || entry.is_array()) => {
            enclose(text, '{', " ", sorted(entries), |text, (key, entry)| {
                name(text, key);
                line(text, entry);
            });
        }
        other => line(text, other),
    }
}

/// Elements on a line each.
fn enclose<T>(
    text: &mut String,
    open: char,
    indent: &str,
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    text.push(open);
    let mut separator = "\n";
    for element in elements {
        text.push_str(separator);
        text.push_str(indent);
        write(text, element);
        separator = ",\n";
    }
    text.push('\n');
    text.push(if open == '[' { ']' } else { '}' });
}

fn sorted(entries: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}

fn name(text: &mut String, key: &str) {
    text.push_str(&Value::from(key).to_string());
    text.push_str(": ");
}

fn line(text: &mut String, value: &Value) {
    match value {
        Value::Object(entries) => {
            text.push('{');
            for (index, (key, entry)) in sorted(entries).into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                line(text, entry);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                line(text, item);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}
