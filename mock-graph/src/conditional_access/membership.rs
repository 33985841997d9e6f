//! Groups, roles and guest kinds of a user.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tenant::Tenant;

/// Groups that hold the user, directly or through other groups.
pub(super) fn groups_of(tenant: &Tenant, user_id: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut waiting = vec![user_id.to_owned()];
    while let Some(member) = waiting.pop() {
        for (group, members) in &tenant.group_members {
            if members.contains(&member) && found.insert(group.clone()) {
                waiting.push(group.clone());
            }
        }
    }
    found
}

/// Template ids of the tenant-wide roles that the user holds, directly or through a group. Roles over an
/// administrative unit do not count for Conditional Access.
pub(super) fn roles_of(tenant: &Tenant, user_id: &str, groups: &BTreeSet<String>) -> BTreeSet<String> {
    tenant
        .role_assignments
        .iter()
        .filter(|assignment| text(assignment, "directoryScopeId").is_none_or(|scope| scope == "/"))
        .filter(|assignment| {
            text(assignment, "principalId").is_some_and(|id| id == user_id || groups.contains(id))
        })
        .filter_map(|assignment| text(assignment, "roleDefinitionId").map(str::to_owned))
        .collect()
}

/// The kind of guest, as `guestOrExternalUserTypes` names it.
pub(super) fn guest_kind(user: &Value) -> Option<&'static str> {
    let is_guest = text(user, "userType").is_some_and(|kind| kind.eq_ignore_ascii_case("guest"));
    let is_external = text(user, "userPrincipalName").is_some_and(|name| name.contains("#EXT#"))
        || text(user, "externalUserState").is_some();
    match (is_guest, is_external) {
        (true, true) => Some("b2bCollaborationGuest"),
        (true, false) => Some("internalGuest"),
        (false, true) => Some("b2bCollaborationMember"),
        (false, false) => None,
    }
}

/// A property that is text.
pub(super) fn text<'a>(value: &'a Value, property: &str) -> Option<&'a str> {
    value.get(property).and_then(Value::as_str)
}
