//! Groups made, and members put into them and taken out: what a group lets its members do changes with them.

use serde_json::{Value, json};

use super::directory_audit::{Target, append, append_for};
use super::lookup::{find_group, find_user, is_true, not_found, text, user_id};
use super::privilege::is_restricted;
use crate::api::{Call, Fail, Reply};
use crate::routes::Service;
use crate::tenant::Tenant;

/// The group of the path, where the caller may change its members: a role-assignable one wants the permission to
/// assign roles besides.
fn writable(tenant: &Tenant, call: &Call) -> Result<String, Fail> {
    let id = call.segment(0);
    let group = tenant
        .groups
        .iter()
        .find(|group| text(group, "id").eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))?;
    let is_reachable =
        !is_true(group, "isAssignableToRole") || call.caller.holds("RoleManagement.ReadWrite.Directory");
    if !is_reachable || is_restricted(tenant, &call.caller, group) {
        return Err(Service::Directory.forbidden(""));
    }
    if is_true(group, "onPremisesSyncEnabled") {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
        ));
    }
    let is_dynamic = group
        .get("groupTypes")
        .and_then(Value::as_array)
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == "DynamicMembership"));
    if is_dynamic {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "The members of a dynamic group cannot be changed.",
        ));
    }
    Ok(text(group, "id").to_owned())
}

/// `POST /groups`: a security group or a Microsoft 365 group, by the properties that Graph wants of every one.
///
/// # Errors
/// 400 for what is missing or makes no group; 403 for one that roles can be assigned to.
pub fn create_group(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let bad = |message: String| Fail::new(400, "Request_BadRequest", message);
    let missing = |key: &str| bad(format!("A value is required for property '{key}' of resource 'Group'."));
    for key in ["displayName", "mailNickname"] {
        if text(&call.body, key).is_empty() {
            return Err(missing(key));
        }
    }
    for key in ["mailEnabled", "securityEnabled"] {
        if !call.body.get(key).is_some_and(Value::is_boolean) {
            return Err(missing(key));
        }
    }
    let nickname = text(&call.body, "mailNickname");
    let is_nickname = nickname.len() <= 64
        && nickname.bytes().all(|byte| byte.is_ascii_graphic() && !b"@()\\[]\";:<>,".contains(&byte));
    if !is_nickname {
        return Err(bad(
            "Invalid value specified for property 'mailNickname' of resource 'Group'.".to_owned()
        ));
    }
    let kinds: Vec<&str> = call
        .body
        .get("groupTypes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !is_true(&call.body, "securityEnabled") && !kinds.contains(&"Unified") {
        return Err(bad(
            "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.".to_owned(),
        ));
    }
    if is_true(&call.body, "isAssignableToRole") && !call.caller.holds("RoleManagement.ReadWrite.Directory") {
        return Err(Service::Directory.forbidden(""));
    }
    let mut group = call.body.clone();
    if let Some(entries) = group.as_object_mut() {
        entries.insert("id".to_owned(), call.new_id.clone().into());
        entries.insert("createdDateTime".to_owned(), crate::sign_in::format_time(call.now).into());
        entries.entry("groupTypes").or_insert(json!([]));
        entries.entry("isAssignableToRole").or_insert(Value::Null);
        entries.entry("onPremisesSyncEnabled").or_insert(Value::Null);
        entries.remove("@odata.type");
    }
    tenant.groups.push(group.clone());
    let name = text(&group, "displayName").to_owned();
    let target =
        Target { id: &call.new_id, kind: "Group", category: "GroupManagement", name: Some(&name), upn: None };
    append_for(tenant, call, &target, "Add group", "Core Directory", &[]);
    Ok(Reply::created(group))
}

/// `POST /groups/{id}/members/$ref`
///
/// # Errors
/// 404 where group or member are not there; 400 for a member that is one already; 403 for a group out of reach.
pub fn add_member(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let group = writable(tenant, call)?;
    let reference = text(&call.body, "@odata.id");
    let key = crate::uri::segments(reference).pop().filter(|_| {
        ["/directoryObjects/", "/users/", "/groups/"].iter().any(|part| reference.contains(part))
    });
    let key = key.ok_or_else(|| {
        Fail::new(
            400,
            "Request_BadRequest",
            "Invalid URL format specified in the '@odata.id' of the request.",
        )
    })?;
    let member = user_id(tenant, &key).or_else(|missing| {
        find_group(tenant, &key).map(|own| text(own, "id").to_owned()).map_err(|_| missing)
    })?;
    let members = tenant.group_members.entry(group.clone()).or_default();
    if members.contains(&member) {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'members'.",
        ));
    }
    members.push(member.clone());
    record(tenant, call, &group, &member, "Add member to group");
    Ok(Reply::no_content())
}

/// `DELETE /groups/{id}/members/{id}/$ref`
///
/// # Errors
/// 404 where it is no member; as [`add_member`].
pub fn remove_member(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let group = writable(tenant, call)?;
    let id = call.segment(1);
    let members = tenant.group_members.entry(group.clone()).or_default();
    let place = members.iter().position(|own| own.eq_ignore_ascii_case(id)).ok_or_else(|| not_found(id))?;
    let member = members.remove(place);
    record(tenant, call, &group, &member, "Remove member from group");
    Ok(Reply::no_content())
}

fn record(tenant: &mut Tenant, call: &Call, group: &str, member: &str, activity: &str) {
    if find_user(tenant, member).is_ok() {
        let name =
            find_group(tenant, group).map(|own| text(own, "displayName").to_owned()).unwrap_or_default();
        let named = [("Group.ObjectID", json!(group)), ("Group.DisplayName", json!(name))];
        append(tenant, call, member, activity, "Core Directory", &named);
    }
}
