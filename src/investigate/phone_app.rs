//! `StrongAuthenticationPhoneAppDetail`: the registrations inside an audit record's values (policy-logs-auth.md 5.3).
//! A value is JSON in a string, repeats elements, and may be cut off: what is whole counts, what is cut is said.

use serde_json::Value;

/// The property that lists registrations.
pub(super) const PROPERTY: &str = "StrongAuthenticationPhoneAppDetail";

/// One registration in a record. The push token is a secret and is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub id: String,
    pub device_name: String,
    pub device_tag: String,
    pub app_version: String,
    pub last_used: Option<jiff::Timestamp>,
}

/// The registrations of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Registrations {
    /// Each registration once.
    pub items: Vec<Registration>,
    /// Whether the value ends before its list does: what it does not show may still be in it.
    pub is_cut_off: bool,
}

impl Registrations {
    /// Whether the value shows this registration.
    pub fn has(&self, id: &str) -> bool {
        self.items.iter().any(|own| own.id == id)
    }
}

/// Reads a value; an absent one is an empty list.
pub(super) fn read(value: Option<&str>) -> Registrations {
    let Some(text) = value.map(str::trim).filter(|text| !text.is_empty() && *text != "null") else {
        return Registrations::default();
    };
    // Some exports wrap the JSON in a string of its own.
    let unwrapped = serde_json::from_str::<String>(text).ok();
    let text = unwrapped.as_deref().unwrap_or(text);
    let mut registrations = Registrations::default();
    let (elements, is_whole) = elements(text);
    registrations.is_cut_off = !is_whole;
    for element in elements {
        let word = |key: &str| element.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = word("Id");
        if id.is_empty() || registrations.has(&id) {
            continue;
        }
        let last_used = word("LastAuthenticatedTimestamp").parse::<jiff::Timestamp>().ok();
        registrations.items.push(Registration {
            id,
            device_name: word("DeviceName"),
            device_tag: word("DeviceTag"),
            app_version: word("PhoneAppVersion"),
            // Year 1 means never.
            last_used: last_used.filter(|at| at.as_second() > 0),
        });
    }
    registrations
}

/// The whole elements of a list, and whether the list itself is whole.
fn elements(text: &str) -> (Vec<Value>, bool) {
    if let Ok(Value::Array(items)) = serde_json::from_str(text) {
        return (items, true);
    }
    let mut items = Vec::new();
    let mut rest = text.trim_start().strip_prefix('[').unwrap_or(text);
    loop {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(item)) => {
                let used = stream.byte_offset();
                items.push(item);
                rest = rest.get(used..).unwrap_or_default().trim_start();
                match rest.strip_prefix(',') {
                    Some(after) => rest = after,
                    None => return (items, false),
                }
            }
            _ => return (items, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cut_off_mid_way_gives_its_whole_elements() {
        let text = r#"[{"Id":"a","DeviceName":"iPhone XR"},{"Id":"b"},{"Id":"a","DeviceName":"iPhone XR"},{"Id":"c","Dev"#;
        let read = read(Some(text));
        assert_eq!(read.items.iter().map(|own| own.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(read.is_cut_off);
    }

    #[test]
    fn a_whole_value_is_whole_also_when_it_is_wrapped_twice() {
        let text = r#"[{"Id":"a"}]"#;
        assert!(!read(Some(text)).is_cut_off);
        assert!(read(Some(&serde_json::to_string(text).unwrap())).has("a"));
        assert_eq!(read(None), Registrations::default());
        assert!(read(Some("rubbish")).is_cut_off);
    }
}
