//! From the state before and the state after to the fields that differ.

use serde_json::{Map, Value};

use super::super::difference::difference_of_bags;
use super::document::{Change, Piece, line, say, value_cut, value_whole};

/// Lists what differs between two states, field by field.
pub(super) fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    match (before, after) {
        (Value::Null, Value::Object(_)) => {
            changes.push(Change::Note(line("does not exist yet; is made with:")));
            set_fields("", after, &mut changes);
        }
        (Value::Object(_), Value::Null) => {
            remove_fields("", before, &mut changes);
            if changes.is_empty() {
                changes.push(Change::Note(line("exists → gone")));
            }
        }
        _ => compare_field("", before, after, &mut changes),
    }
    if changes.is_empty() {
        changes.push(Change::Note(line("the state that is read back stays as it is")));
    }
    changes
}

fn compare_field(field: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(was), Value::Object(will)) => {
            for (key, after) in will {
                compare_field(&joined(field, key), was.get(key).unwrap_or(&Value::Null), after, changes);
            }
            for (key, before) in was.iter().filter(|(key, _)| !will.contains_key(*key)) {
                compare_field(&joined(field, key), before, &Value::Null, changes);
            }
        }
        (Value::Null, Value::Object(entries)) if !entries.is_empty() => {
            for (key, after) in entries {
                compare_field(&joined(field, key), &Value::Null, after, changes);
            }
        }
        (Value::Array(was), Value::Array(will)) => compare_list(field, was, will, changes),
        _ if before == after => {}
        _ => changes.push(Change::Value {
            field: field.to_owned(),
            before: value_cut(before),
            after: value_whole(after),
        }),
    }
}

/// Lists are compared as bags: Graph does not keep their order.
fn compare_list(field: &str, was: &[Value], will: &[Value], changes: &mut Vec<Change>) {
    let (gone, added) = difference_of_bags(was, will);
    if added.is_empty() && gone.is_empty() {
        return;
    }
    let removed: Vec<Piece> = gone.into_iter().map(value_cut).collect();
    changes.push(Change::List {
        field: field.to_owned(),
        kept: was.len().saturating_sub(removed.len()),
        added: added.into_iter().map(value_whole).collect(),
        removed,
    });
}

fn set_fields(field: &str, value: &Value, changes: &mut Vec<Change>) {
    for_each_leaf(field, value, &mut |field, leaf| {
        let value = if let Value::Array(entries) = leaf { list(entries) } else { value_whole(leaf) };
        changes.push(Change::Set { field: field.to_owned(), value });
    });
}

fn remove_fields(field: &str, value: &Value, changes: &mut Vec<Change>) {
    for_each_leaf(field, value, &mut |field, leaf| {
        changes.push(Change::Value { field: field.to_owned(), before: value_cut(leaf), after: say("gone") });
    });
}

fn for_each_leaf(field: &str, value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter().filter(|(key, _)| is_told(entries, key)) {
                for_each_leaf(&joined(field, key), value, visit);
            }
        }
        leaf => visit(field, leaf),
    }
}

/// Type annotations are told only where they stand alone.
fn is_told(entries: &Map<String, Value>, key: &str) -> bool {
    key != "@odata.type" || entries.len() == 1
}

fn list(entries: &[Value]) -> Piece {
    if entries.is_empty() {
        return say("none");
    }
    let spelt: Vec<String> = entries.iter().map(|entry| value_whole(entry).text().to_owned()).collect();
    say(&spelt.join(", "))
}

fn joined(field: &str, key: &str) -> String {
    if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") }
}
