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
pub(crate) fn roles_of(tenant: &Tenant, user_id: &str) -> Vec<String> {
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

/// What of a user is to be changed: the tables differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The password (identity.md 3.2).
    Password,
    /// `accountEnabled` (identity.md 4).
    Enabled,
}

/// Whether the caller's own directory roles let it change this user. Where the target holds nothing, permissions alone
/// decide.
pub(crate) fn may_change(tenant: &Tenant, caller: &Caller, user_id: &str, change: Change) -> bool {
    let held = roles_of(tenant, user_id);
    let guards_roles = guards_roles(tenant, user_id);
    let has = |role: &str| caller.directory_roles.iter().any(|own| own == role);
    if held.is_empty() && !guards_roles {
        // A person needs a role even for those who hold none.
        return caller.user_id.is_none()
            || COLUMNS.iter().any(|role| has(role))
            || (change == Change::Password && PASSWORD_COLUMNS.iter().any(|role| has(role)));
    }
    if caller.user_id.is_some() && change == Change::Enabled && !caller.holds("Directory.AccessAsUser.All") {
        return false;
    }
    if has("Global Administrator") || has("Privileged Authentication Administrator") {
        return true;
    }
    if guards_roles || is_role_of_restricted_unit(tenant, user_id) {
        return false;
    }
    held.iter().all(|role| {
        let role = role.as_str();
        let low = LOW.contains(&role);
        let by_either = (has("User Administrator") && (low || matches!(role, HELPDESK | USER | GROUPS)))
            || (has("Authentication Administrator") && (low || role == AUTHENTICATION));
        let by_password_roles = (has("Helpdesk Administrator") && (low || role == HELPDESK))
            || (has("Password Administrator") && LOW.iter().take(3).any(|own| *own == role));
        by_either || (change == Change::Password && by_password_roles)
    })
}

/// Whether a user is a member or an owner of a group that roles can be assigned to.
fn guards_roles(tenant: &Tenant, user_id: &str) -> bool {
    let mut groups = groups_of(tenant, user_id);
    let owned = tenant.group_owners.iter().filter(|(_, owners)| owners.iter().any(|own| own == user_id));
    groups.extend(owned.map(|(group, _)| group.clone()));
    groups.iter().any(|id| {
        tenant.groups.iter().any(|group| text(group, "id") == id && is_true(group, "isAssignableToRole"))
    })
}

/// The administrators of both tables.
const COLUMNS: [&str; 4] = [
    "User Administrator",
    "Authentication Administrator",
    "Privileged Authentication Administrator",
    "Global Administrator",
];
/// Those of the password's table alone.
const PASSWORD_COLUMNS: [&str; 2] = ["Password Administrator", "Helpdesk Administrator"];

const UNIT: &str = "/administrativeUnits/";

fn is_role_of_restricted_unit(tenant: &Tenant, user_id: &str) -> bool {
    tenant.role_assignments.iter().filter(|own| text(own, "principalId") == user_id).any(|own| {
        text(own, "directoryScopeId").strip_prefix(UNIT).is_some_and(|unit| {
            tenant.administrative_units.iter().any(|own| text(own, "id") == unit && is_restricting(own))
        })
    })
}

fn is_restricting(unit: &Value) -> bool {
    is_true(unit, "isMemberManagementRestricted")
}

fn holds_member(unit: &Value, id: &str) -> bool {
    unit.get("members").and_then(Value::as_array).is_some_and(|members| members.iter().any(|own| own == id))
}

/// Whether a restricted management administrative unit keeps the caller off an object: permissions count for nothing
/// there, a role at the unit's own scope does (identity.md 1.4).
pub(super) fn is_restricted(tenant: &Tenant, caller: &Caller, object: &Value) -> bool {
    let id = text(object, "id");
    let units: Vec<&str> = tenant
        .administrative_units
        .iter()
        .filter(|unit| is_restricting(unit) && holds_member(unit, id))
        .map(|unit| text(unit, "id"))
        .collect();
    if units.is_empty() {
        return is_true(object, "isManagementRestricted");
    }
    let principal = match &caller.user_id {
        Some(user) => user.clone(),
        None => super::applications::principal_id(tenant, &caller.app_id),
    };
    !units.iter().all(|unit| {
        tenant.role_assignments.iter().any(|own| {
            text(own, "principalId") == principal
                && text(own, "directoryScopeId").strip_prefix(UNIT) == Some(*unit)
        })
    })
}
