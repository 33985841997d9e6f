//! Mailboxes (identity.md 7.1 to 7.3): whether there is one that Graph reaches, its settings, and its folders.

use serde_json::{Map, Value, json};

use super::lookup::{find_user, text};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, parse_time};
use crate::tenant::{MailboxAccess, Tenant};

const AUTOMATIC_REPLIES: &str = "automaticRepliesSetting";
/// What a PATCH of the settings may name.
const SETTABLE: [&str; 7] = [
    AUTOMATIC_REPLIES,
    "dateFormat",
    "delegateMeetingMessageDeliveryOptions",
    "language",
    "timeFormat",
    "timeZone",
    "workingHours",
];

/// The refusal of an object of a mailbox that is not there.
pub(super) fn gone() -> Fail {
    Fail::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

/// The refusal of a body that Exchange does not take.
pub(super) fn invalid(message: &str) -> Fail {
    Fail::new(400, "RequestBodyRead", message)
}

/// The user whose mailbox the path names, where Graph reaches it. A mailbox that is not in the cloud answers by one of
/// two codes, which alternate with time.
pub(super) fn mailbox(tenant: &Tenant, call: &Call) -> Result<String, Fail> {
    let user = find_user(tenant, call.segment(0)).map_err(|_| {
        Fail::new(404, "ErrorInvalidUser", format!("The requested user '{}' is invalid.", call.segment(0)))
    })?;
    let id = text(user, "id").to_owned();
    let access = tenant.mailboxes.get(&id).map_or(MailboxAccess::Open, |own| own.access);
    let is_licensed = tenant.tenant.licences.iter().any(|plan| plan.starts_with("EXCHANGE_"));
    let is_guest = text(user, "userType") == "Guest";
    match access {
        MailboxAccess::Blocked => Err(Fail::new(403, "ErrorAccessDenied", "Access to OData is disabled.")),
        MailboxAccess::Open if is_licensed && !is_guest => Ok(id),
        _ if call.now.as_second() % 2 == 0 => Err(Fail::new(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )),
        _ => Err(Fail::new(404, "ResourceNotFound", "Resource could not be discovered.")),
    }
}

/// The settings as they are: the file's over what a fresh mailbox has.
fn settings(tenant: &Tenant, user: &str) -> Map<String, Value> {
    let fresh = json!({
        "archiveFolder": format!("AAMk{}AAA=", user.replace('-', "")), "timeZone": "UTC",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly", "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm", "userPurpose": "user",
        (AUTOMATIC_REPLIES): {
            "status": "disabled", "externalAudience": "none", "internalReplyMessage": "", "externalReplyMessage": "",
            "scheduledStartDateTime": { "dateTime": "2024-01-01T00:00:00.0000000", "timeZone": "UTC" },
            "scheduledEndDateTime": { "dateTime": "2024-01-02T00:00:00.0000000", "timeZone": "UTC" }
        },
        "language": { "locale": "en-US", "displayName": "English (United States)" },
        "workingHours": { "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                          "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": { "name": "UTC" } }
    });
    let Value::Object(mut settings) = fresh else { return Map::new() };
    if let Some(own) = tenant.mailboxes.get(user) {
        merge(&mut settings, &own.settings);
    }
    settings
}

/// Sets properties; those of an object one level down one by one.
fn merge(settings: &mut Map<String, Value>, sent: &Map<String, Value>) {
    for (key, value) in sent {
        match (settings.get_mut(key).and_then(Value::as_object_mut), value) {
            (Some(inner), Value::Object(sent)) => inner.extend(sent.clone()),
            _ => drop(settings.insert(key.clone(), value.clone())),
        }
    }
}

fn context(call: &Call, user: &str, tail: &str) -> Value {
    let version = call.version.as_str();
    format!("{}/{version}/$metadata#users('{user}')/mailboxSettings{tail}", call.base).into()
}

/// `GET /users/{id}/mailboxSettings`
///
/// # Errors
/// 404 without a mailbox, 403 where it is closed to the app.
pub fn get_settings(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    let mut settings = settings(tenant, &user);
    settings.insert("@odata.context".to_owned(), context(call, &user, ""));
    Ok(Reply::ok(Value::Object(settings)))
}

/// `GET /users/{id}/mailboxSettings/{property}`
///
/// # Errors
/// 404 for a property that there is not; as [`get_settings`].
pub fn get_setting(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    let name = call.segment(1);
    let value = settings(tenant, &user).remove(name).ok_or_else(|| {
        Fail::new(404, "BadRequest", format!("Resource not found for the segment '{name}'."))
    })?;
    let context = context(call, &user, &format!("/{name}"));
    Ok(Reply::ok(match value {
        Value::Object(mut entries) => {
            entries.insert("@odata.context".to_owned(), context);
            Value::Object(entries)
        }
        plain => json!({ "@odata.context": context, "value": plain }),
    }))
}

/// `GET /users/{id}/mailFolders/{id}`
///
/// # Errors
/// 404 for a folder that there is not; as [`get_settings`].
pub fn get_folder(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    let id = call.segment(1);
    let is_archive = settings(tenant, &user).get("archiveFolder").and_then(Value::as_str) == Some(id);
    let own = tenant.mailboxes.get(&user).into_iter().flat_map(|own| &own.mail_folders);
    let found = own.into_iter().find(|folder| text(folder, "id") == id).cloned();
    let folder = found.or_else(|| is_archive.then(|| json!({ "id": id, "displayName": "Archive" })));
    Ok(odata::entity(&folder.ok_or_else(gone)?, call, &[]))
}

fn check_replies(sent: &Value) -> Result<(), Fail> {
    let is_one_of = |key: &str, words: &[&str]| match sent.get(key) {
        None => true,
        Some(word) => word.as_str().is_some_and(|word| words.contains(&word)),
    };
    if !sent.is_object()
        || !is_one_of("status", &["disabled", "alwaysEnabled", "scheduled"])
        || !is_one_of("externalAudience", &["none", "contactsOnly", "all"])
    {
        return Err(invalid("A value of 'automaticRepliesSetting' is not valid."));
    }
    let moment = |key: &str| {
        sent.get(key).and_then(|own| own.get("dateTime")).and_then(Value::as_str).and_then(|text| {
            let whole = text.split('.').next().unwrap_or(text);
            parse_time(&format!("{}Z", whole.trim_end_matches('Z')))
        })
    };
    if let (Some(start), Some(end)) = (moment("scheduledStartDateTime"), moment("scheduledEndDateTime"))
        && start >= end
    {
        return Err(Fail::new(
            400,
            "ErrorInvalidTimeSettings",
            "The start time must be earlier than the end time.",
        ));
    }
    Ok(())
}

/// `PATCH /users/{id}/mailboxSettings`: 200 with what was changed.
///
/// # Errors
/// 400 for what is no setting; as [`get_settings`].
pub fn patch_settings(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = mailbox(tenant, call)?;
    let sent: Map<String, Value> = call
        .body
        .as_object()
        .map(|entries| entries.iter().filter(|(key, _)| !key.starts_with("@odata.")))
        .map(|entries| entries.map(|(key, value)| (key.clone(), value.clone())).collect())
        .filter(|entries: &Map<String, Value>| !entries.is_empty())
        .ok_or_else(|| invalid("The request body holds no setting."))?;
    if let Some(unknown) = sent.keys().find(|key| !SETTABLE.contains(&key.as_str())) {
        return Err(Fail::new(400, "InvalidArguments", format!("The property '{unknown}' cannot be set.")));
    }
    if let Some(replies) = sent.get(AUTOMATIC_REPLIES) {
        check_replies(replies)?;
    }
    if sent.get("timeZone").is_some_and(|zone| zone.as_str().is_none_or(str::is_empty)) {
        return Err(Fail::new(400, "InvalidTimeZone", "The time zone is not valid."));
    }
    merge(&mut tenant.mailboxes.entry(user.clone()).or_default().settings, &sent);
    let mut changed: Map<String, Value> =
        settings(tenant, &user).into_iter().filter(|(key, _)| sent.contains_key(key)).collect();
    changed.insert("@odata.context".to_owned(), context(call, &user, ""));
    Ok(Reply::ok(Value::Object(changed)))
}
