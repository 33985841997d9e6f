//! `StrongAuthenticationUserDetails`: the phone numbers and mail addresses inside an audit record's values
//! (policy-logs-auth.md 5.3).

use serde_json::Value;

/// The numbers and addresses of a value, bare; nothing where it is cut off: what it does not show may still be in it.
pub(super) fn read(value: Option<&str>) -> Option<Vec<String>> {
    let Some(text) = value.map(str::trim).filter(|text| !text.is_empty()) else { return Some(Vec::new()) };
    // Some exports wrap the JSON in a string of its own.
    let unwrapped = serde_json::from_str::<String>(text).ok();
    let parsed: Value = serde_json::from_str(unwrapped.as_deref().unwrap_or(text)).ok()?;
    let mut found = Vec::new();
    collect(&parsed, &mut found);
    Some(found)
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(Some(bare(text)).filter(|text| !text.is_empty())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(entries) => entries.values().for_each(|entry| collect(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Letters and digits alone: numbers are spelt with blanks and without.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_however_they_are_spelt_and_a_cut_off_value_tells_nothing() {
        let text = r#"[{"AlternativePhoneNumber":"+1 2065550177","Email":null,"PhoneNumber":""}]"#;
        assert_eq!(read(Some(text)), Some(vec![bare("+1 206-555-0177")]));
        assert_eq!(read(Some(&serde_json::to_string(text).unwrap())), Some(vec!["12065550177".to_owned()]));
        assert_eq!(read(Some(r#"[{"AlternativePhoneNumber":"+1 20"#)), None);
        assert_eq!(read(None), Some(Vec::new()));
        assert_eq!(read(Some("[]")), Some(Vec::new()));
    }
}
