//! Who may change whom: the tables of identity.md 3.2 and 4, for an app's directory roles against a target's.

use serde_json::Value;

use super::lookup::{is_true, text};
use crate::api::Caller;
use crate::tenant::Tenant;

/// Roles that any administrator of the table may touch: template ids of its first rows.
const LOW: [&str; 6] = [
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", // Directory Readers
    "95e79109-95c0-4d8e-aee3-d01accf2d47b", // Guest Inviter
    "966707d0-3269-4727-9be2-8c3a10f19b9d", // Password Administrator
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", // Message Center Reader
    "4a5d8f65-41da-4de4-8968-e035b65339cf", // Reports Reader
    "75934031-6c7e-415a-99d7-48dbd49e875e", // Usage Summary Reports Reader
];
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const AUTHENTICATION: &str = "c4e39bd9-1100-46d3-8c65-fb160da0071f";
const USER: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GROUPS: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";

/// The role template ids that a user holds, through groups too.
pub(super) fn roles_of(tenant: &Tenant, user_id: &str) -> Vec<String> {
    let groups = groups_of(tenant, user_id);
    tenant
        .role_assignments
        .iter()
        .filter(|own| {
            let principal = text(own, "principalId");
            principal == user_id || groups.iter().any(|group| group == principal)
        })
        .map(|own| text(own, "roleDefinitionId").to_owned())
        .collect()
}

/// The groups that a user belongs to, nested ones too.
pub(super) fn groups_of(tenant: &Tenant, member: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = vec![member.to_owned()];
    while let Some(id) = open.pop() {
        for (group, members) in &tenant.group_members {
            if members.contains(&id) && !found.contains(group) {
                found.push(group.clone());
                open.push(group.clone());
            }
        }
    }
    found
}

/// Whether the caller's own directory roles let it change this user's sensitive properties. Where the target holds
/// nothing, permissions alone decide.
pub(super) fn may_change(tenant: &Tenant, caller: &Caller, user_id: &str) -> bool {
    let held = roles_of(tenant, user_id);
    let in_assignable_group = groups_of(tenant, user_id).iter().any(|id| {
        tenant.groups.iter().any(|group| text(group, "id") == id && is_true(group, "isAssignableToRole"))
    });
    if held.is_empty() && !in_assignable_group {
        return true;
    }
    let has = |role: &str| caller.directory_roles.iter().any(|own| own == role);
    if has("Global Administrator") || has("Privileged Authentication Administrator") {
        return true;
    }
    if in_assignable_group {
        return false;
    }
    held.iter().all(|role| {
        let role = role.as_str();
        let low = LOW.contains(&role);
        (has("User Administrator") && (low || matches!(role, HELPDESK | USER | GROUPS)))
            || (has("Authentication Administrator") && (low || role == AUTHENTICATION))
            || (has("Helpdesk Administrator") && (low || role == HELPDESK))
            || (has("Password Administrator") && LOW.iter().take(3).any(|own| *own == role))
    })
}

/// Whether a user lies in a restricted management administrative unit.
pub(super) fn is_restricted(user: &Value) -> bool {
    is_true(user, "isManagementRestricted")
}
