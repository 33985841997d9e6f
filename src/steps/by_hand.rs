//! The same steps by a person's hand, in the portal and in PowerShell: for when Graph, or our own app, is out of reach.
//! They are made from the steps' options and need no tenant to read. Invariant: no secret is in them.

use serde_json::{Value, json};

use super::target::Target;

/// What a person does instead of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// In the Entra admin center, one thing each.
    pub portal: Vec<String>,
    /// In PowerShell with Microsoft Graph's module, one line each. They use `$id`, the user's object id, and
    /// `$emergency`, the ids of the emergency accounts.
    pub powershell: Vec<String>,
}

impl ByHand {
    /// Makes the steps from their lines.
    pub(super) fn new(portal: &[&str], powershell: &[&str]) -> Self {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        Self { portal: owned(portal), powershell: owned(powershell) }
    }
}

/// A text in single quotes, as PowerShell takes it literally. It has four more marks that it reads as a quote.
pub fn quoted(text: &str) -> String {
    let mut inside = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            inside.push(letter);
        }
        inside.push(letter);
    }
    format!("'{inside}'")
}

/// The variables that stand for ids which only the tenant knows.
const VARIABLES: [&str; 4] = ["$id", "$emergency", "$location.Id", "$group.Id"];

/// For whom a policy is, with the variables in the places of ids.
pub(super) fn users_of(target: &Target) -> Value {
    match target {
        Target::Subject => json!({ "includeUsers": ["$id"], "excludeUsers": ["$emergency"] }),
        Target::Group(group) => {
            json!({ "includeUsers": [], "includeGroups": [group], "excludeUsers": ["$emergency"] })
        }
    }
}

/// The creation of a policy, by the body that the step would send.
pub(super) fn policy(portal: &[String], body: &Value, state: &str) -> ByHand {
    let mut lines = vec!["$policy = @{".to_owned()];
    let entries = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    lines.extend(entries.map(|(key, value)| format!("  {key} = {}", hashtable(value))));
    lines.push(format!("  state = {}", quoted(state)));
    lines.push("}".to_owned());
    lines.push("New-MgIdentityConditionalAccessPolicy -BodyParameter $policy".to_owned());
    ByHand { portal: portal.to_vec(), powershell: lines }
}

/// JSON as a PowerShell literal.
fn hashtable(value: &Value) -> String {
    match value {
        Value::Null => "$null".to_owned(),
        Value::Bool(is) => if *is { "$true" } else { "$false" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if VARIABLES.contains(&text.as_str()) => text.clone(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(hashtable).collect();
            format!("@({})", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
                    let key = if is_plain { key.clone() } else { quoted(key) };
                    format!("{key} = {}", hashtable(value))
                })
                .collect();
            format!("@{{ {} }}", entries.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_becomes_a_hashtable_with_the_ids_left_to_variables() {
        let body =
            json!({ "displayName": "it's", "users": { "includeUsers": ["$id", "$(evil)"] }, "x": null });
        let own = policy(&[], &body, "enabled");
        assert_eq!(
            own.powershell,
            [
                "$policy = @{",
                "  displayName = 'it''s'",
                "  users = @{ includeUsers = @($id, '$(evil)') }",
                "  state = 'enabled'",
                "}",
                "New-MgIdentityConditionalAccessPolicy -BodyParameter $policy"
            ]
        );
        assert_eq!(hashtable(&json!({ "@odata.type": true })), "@{ '@odata.type' = $true }");
    }

    #[test]
    fn no_name_breaks_out_of_its_quotes() {
        assert_eq!(quoted("a'; Remove-Mg\u{2019}b"), "'a''; Remove-Mg\u{2019}\u{2019}b'");
    }
}
