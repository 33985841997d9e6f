//! Fields of Graph's objects, as Graph has them: empty text and null mean the same, and moments may be of year one.

use jiff::Timestamp;
use serde_json::Value;

/// A text; empty where it is null or not there.
pub(super) fn text(object: &Value, pointer: &str) -> String {
    text_if_any(object, pointer).unwrap_or_default()
}

/// A text that is not empty.
pub(super) fn text_if_any(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A flag; `None` where it is null or not there.
pub(super) fn flag(object: &Value, pointer: &str) -> Option<bool> {
    object.pointer(pointer).and_then(Value::as_bool)
}

/// A moment (UTC); `None` where it is null, not there, or the service's "never".
pub(super) fn moment(object: &Value, pointer: &str) -> Option<Timestamp> {
    let text = object.pointer(pointer)?.as_str()?;
    if text.starts_with("0001-01-01") {
        return None;
    }
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

/// A list of texts.
pub(super) fn texts(object: &Value, pointer: &str) -> Vec<String> {
    let items = object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A moment as filters want it, to the second.
pub(super) fn spell_moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
