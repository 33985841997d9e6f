//! Inbox rules (identity.md 7.1, 7.2): what Graph shows of them, which is not all that runs.

use serde_json::{Value, json};

use super::lookup::text;
use super::mailbox::{gone, invalid, mailbox};
use crate::api::{Call, Fail, Reply};
use crate::tenant::Tenant;

/// What a rule may be given; a PATCH replaces conditions, actions and exceptions as whole objects.
const PROPERTIES: [&str; 7] =
    ["displayName", "sequence", "isEnabled", "isReadOnly", "conditions", "actions", "exceptions"];

/// Actions of a rule (identity.md 7.1).
const ACTIONS: [&str; 11] = [
    "assignCategories",
    "copyToFolder",
    "delete",
    "forwardAsAttachmentTo",
    "forwardTo",
    "markAsRead",
    "markImportance",
    "moveToFolder",
    "permanentDelete",
    "redirectTo",
    "stopProcessingRules",
];

/// A rule as Graph shows it; `isHidden` is the tenant file's own.
fn shown(rule: &Value) -> Value {
    let mut rule = rule.clone();
    if let Some(entries) = rule.as_object_mut() {
        entries.remove("isHidden");
        for (key, value) in [("hasError", false), ("isReadOnly", false)] {
            entries.entry(key).or_insert(value.into());
        }
    }
    rule
}

fn is_hidden(rule: &Value) -> bool {
    rule.get("isHidden") == Some(&Value::Bool(true))
}

fn rules<'a>(tenant: &'a Tenant, user: &str) -> impl Iterator<Item = &'a Value> {
    tenant.message_rules.get(user).into_iter().flatten().filter(|rule| !is_hidden(rule))
}

fn context(call: &Call, user: &str, tail: &str) -> String {
    let version = call.version.as_str();
    format!("{}/{version}/$metadata#users('{user}')/mailFolders('inbox')/messageRules{tail}", call.base)
}

fn with_context(call: &Call, user: &str, rule: &Value) -> Value {
    let mut rule = shown(rule);
    if let Some(entries) = rule.as_object_mut() {
        entries.insert("@odata.context".to_owned(), context(call, user, "/$entity").into());
    }
    rule
}

/// `GET /users/{id}/mailFolders/inbox/messageRules`: all of them, on one page, hidden ones left out.
///
/// # Errors
/// 404 without a mailbox, 403 where it is closed to the app.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    let value: Vec<Value> = rules(tenant, &user).map(shown).collect();
    Ok(Reply::ok(json!({ "@odata.context": context(call, &user, ""), "value": value })))
}

fn find<'a>(tenant: &'a Tenant, call: &Call, user: &str) -> Result<&'a Value, Fail> {
    rules(tenant, user).find(|rule| text(rule, "id") == call.segment(1)).ok_or_else(gone)
}

/// `GET /users/{id}/mailFolders/inbox/messageRules/{id}`
///
/// # Errors
/// 404 for a rule that is gone or hidden; as [`list`].
pub fn get(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    Ok(Reply::ok(with_context(call, &user, find(tenant, call, &user)?)))
}

/// Checks what is sent of a rule.
fn check(call: &Call) -> Result<(), Fail> {
    let entries = call.body.as_object().ok_or_else(|| invalid("The request body is no rule."))?;
    for (key, value) in entries.iter().filter(|(key, _)| !key.starts_with("@odata.")) {
        let fits = match key.as_str() {
            "displayName" => value.as_str().is_some_and(|name| !name.is_empty()),
            "sequence" => value.as_i64().is_some_and(|place| place > 0),
            "isEnabled" | "isReadOnly" => value.is_boolean(),
            "conditions" | "exceptions" => value.is_object() || value.is_null(),
            "actions" => value.as_object().is_some_and(|actions| {
                !actions.is_empty() && actions.keys().all(|action| ACTIONS.contains(&action.as_str()))
            }),
            _ => false,
        };
        if !fits {
            return Err(invalid(&format!(
                "The property '{key}' or its value is not valid for type 'messageRule'."
            )));
        }
    }
    Ok(())
}

fn change(rule: &mut Value, sent: &Value) {
    if let (Some(entries), Some(sent)) = (rule.as_object_mut(), sent.as_object()) {
        for key in PROPERTIES {
            if let Some(value) = sent.get(key) {
                entries.insert(key.to_owned(), value.clone());
            }
        }
    }
}

/// The refusal of a rule that Graph cannot express or that is kept by the service.
fn check_writable(rule: &Value) -> Result<(), Fail> {
    if rule.get("isReadOnly") == Some(&Value::Bool(true)) {
        return Err(Fail::new(
            400,
            "ErrorInvalidOperation",
            "The rule is read-only and cannot be modified or deleted.",
        ));
    }
    Ok(())
}

/// `POST /users/{id}/mailFolders/inbox/messageRules`: a rule put back gets a new id.
///
/// # Errors
/// 400 for what is no rule; as [`list`].
pub fn create(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    check(call)?;
    for needed in ["displayName", "sequence", "actions"] {
        if call.body.get(needed).is_none() {
            return Err(invalid(&format!("The property '{needed}' is required when creating the entity.")));
        }
    }
    let id = format!("{}=", call.new_id.replace('-', "").get(..11).unwrap_or_default());
    let mut rule = json!({ "id": id, "isEnabled": true, "hasError": false, "isReadOnly": false,
                           "conditions": null, "exceptions": null });
    change(&mut rule, &call.body);
    let reply = with_context(call, &user, &rule);
    tenant.message_rules.entry(user).or_default().push(rule);
    Ok(Reply::created(reply))
}

/// `PATCH /users/{id}/mailFolders/inbox/messageRules/{id}`: 200 with the rule as it is then.
///
/// # Errors
/// 400 for a read-only rule or a bad value; as [`get`].
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    check_writable(find(tenant, call, &user)?)?;
    check(call)?;
    let rule = tenant
        .message_rules
        .get_mut(&user)
        .and_then(|rules| rules.iter_mut().find(|rule| text(rule, "id") == call.segment(1)))
        .ok_or_else(gone)?;
    change(rule, &call.body);
    Ok(Reply::ok(with_context(call, &user, rule)))
}

/// `DELETE /users/{id}/mailFolders/inbox/messageRules/{id}`
///
/// # Errors
/// As [`update`].
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    check_writable(find(tenant, call, &user)?)?;
    if let Some(rules) = tenant.message_rules.get_mut(&user) {
        rules.retain(|rule| text(rule, "id") != call.segment(1));
    }
    Ok(Reply::no_content())
}
