//! Members put into groups and taken out: what a group lets its members do changes with them.

use serde_json::Value;

use super::directory_audit::append;
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
    let members = tenant.group_members.entry(group).or_default();
    if members.contains(&member) {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'members'.",
        ));
    }
    members.push(member.clone());
    record(tenant, call, &member, "Add member to group");
    Ok(Reply::no_content())
}

/// `DELETE /groups/{id}/members/{id}/$ref`
///
/// # Errors
/// 404 where it is no member; as [`add_member`].
pub fn remove_member(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let group = writable(tenant, call)?;
    let id = call.segment(1);
    let members = tenant.group_members.entry(group).or_default();
    let place = members.iter().position(|own| own.eq_ignore_ascii_case(id)).ok_or_else(|| not_found(id))?;
    let member = members.remove(place);
    record(tenant, call, &member, "Remove member from group");
    Ok(Reply::no_content())
}

fn record(tenant: &mut Tenant, call: &Call, member: &str, activity: &str) {
    if find_user(tenant, member).is_ok() {
        append(tenant, call, member, activity, "Core Directory", &[]);
    }
}
