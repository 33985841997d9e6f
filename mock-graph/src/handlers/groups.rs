//! Groups and memberships (identity.md 1.3), with the limited information rule: what the app may not read is there,
//! by type and id alone.

use serde_json::{Value, json};

use super::lookup::{find_group, text, user_id};
use super::privilege::groups_of;
use crate::api::{Call, Caller, Fail, Reply};
use crate::odata::{self, Rules};
use crate::tenant::Tenant;

const RULES: Rules = Rules { directory: true, ..Rules::PLAIN };

fn may_read_groups(caller: &Caller) -> bool {
    [
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        "Group.Read.All",
        "Group.ReadWrite.All",
    ]
    .iter()
    .any(|permission| caller.holds(permission))
}

fn shown(group: &Value, caller: &Caller) -> Value {
    let mut group = group.clone();
    let may_read = may_read_groups(caller);
    if let Some(entries) = group.as_object_mut() {
        entries.remove("members");
        entries.entry("isAssignableToRole").or_insert(Value::Null);
        if !may_read {
            for (key, value) in entries.iter_mut() {
                if key != "id" {
                    *value = Value::Null;
                }
            }
        }
        entries.insert("@odata.type".to_owned(), "#microsoft.graph.group".into());
    }
    group
}

fn groups_by_id<'a>(tenant: &'a Tenant, ids: &[String]) -> Vec<&'a Value> {
    tenant.groups.iter().filter(|group| ids.iter().any(|id| id == text(group, "id"))).collect()
}

fn role_objects(tenant: &Tenant, id: &str) -> Vec<Value> {
    tenant
        .role_assignments
        .iter()
        .filter(|own| text(own, "principalId") == id)
        .map(|own| {
            let template = text(own, "roleDefinitionId");
            json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": template, "roleTemplateId": template, "displayName": null })
        })
        .collect()
}

/// Administrative units that hold the user, by type and id; names are for who may read units.
fn unit_objects(tenant: &Tenant, id: &str) -> Vec<Value> {
    tenant
        .administrative_units
        .iter()
        .filter(|unit| {
            unit.get("members").and_then(Value::as_array).is_some_and(|own| own.iter().any(|own| own == id))
        })
        .map(|unit| {
            json!({ "@odata.type": "#microsoft.graph.administrativeUnit", "id": unit.get("id"), "displayName": null })
        })
        .collect()
}

/// `GET /users/{id}/memberOf`
///
/// # Errors
/// 404.
pub fn member_of(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let direct: Vec<String> = tenant
        .group_members
        .iter()
        .filter(|(_, members)| members.contains(&id))
        .map(|(group, _)| group.clone())
        .collect();
    let mut rows: Vec<Value> =
        groups_by_id(tenant, &direct).into_iter().map(|group| shown(group, &call.caller)).collect();
    rows.extend(role_objects(tenant, &id));
    rows.extend(unit_objects(tenant, &id));
    odata::collection(&rows, call, &RULES)
}

/// `GET /users/{id}/transitiveMemberOf`
///
/// # Errors
/// 404.
pub fn transitive_member_of(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let mut rows: Vec<Value> = groups_by_id(tenant, &groups_of(tenant, &id))
        .into_iter()
        .map(|group| shown(group, &call.caller))
        .collect();
    rows.extend(role_objects(tenant, &id));
    rows.extend(unit_objects(tenant, &id));
    odata::collection(&rows, call, &RULES)
}

/// `GET /users/{id}/transitiveMemberOf/microsoft.graph.group`
///
/// # Errors
/// 404.
pub fn transitive_member_of_groups(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let rows: Vec<Value> = groups_by_id(tenant, &groups_of(tenant, &id))
        .into_iter()
        .map(|group| shown(group, &call.caller))
        .collect();
    odata::collection(&rows, call, &RULES)
}

/// `GET /groups`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_groups(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<Value> = tenant.groups.iter().map(|group| shown(group, &call.caller)).collect();
    odata::collection(&rows, call, &RULES)
}

/// `GET /groups/{id}`
///
/// # Errors
/// 404.
pub fn get_group(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    Ok(odata::entity(&shown(find_group(tenant, call.segment(0))?, &call.caller), call, &[]))
}

fn members(tenant: &Tenant, ids: &[String]) -> Vec<Value> {
    let of = |list: &[Value], odata_type: &str| -> Vec<Value> {
        list.iter()
            .filter(|own| ids.iter().any(|id| id == text(own, "id")))
            .map(|own| {
                json!({ "@odata.type": odata_type, "id": own.get("id"), "displayName": own.get("displayName"),
                        "userPrincipalName": own.get("userPrincipalName") })
            })
            .collect()
    };
    let mut rows = of(&tenant.users, "#microsoft.graph.user");
    rows.extend(of(&tenant.groups, "#microsoft.graph.group"));
    rows
}

/// `GET /groups/{id}/members`
///
/// # Errors
/// 404.
pub fn group_members(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = text(find_group(tenant, call.segment(0))?, "id");
    let ids = tenant.group_members.get(id).cloned().unwrap_or_default();
    odata::collection(&members(tenant, &ids), call, &RULES)
}

/// Everyone and everything in a group, however deep.
fn transitive(tenant: &Tenant, call: &Call) -> Result<Vec<Value>, Fail> {
    let id = text(find_group(tenant, call.segment(0))?, "id").to_owned();
    let mut found: Vec<String> = Vec::new();
    let mut open = vec![id];
    while let Some(group) = open.pop() {
        for member in tenant.group_members.get(&group).into_iter().flatten() {
            if !found.contains(member) {
                found.push(member.clone());
                open.push(member.clone());
            }
        }
    }
    Ok(members(tenant, &found))
}

/// `GET /groups/{id}/transitiveMembers`
///
/// # Errors
/// 404.
pub fn group_transitive_members(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&transitive(tenant, call)?, call, &RULES)
}

/// `GET /groups/{id}/transitiveMembers/microsoft.graph.user`
///
/// # Errors
/// 404.
pub fn group_transitive_users(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let mut rows = transitive(tenant, call)?;
    rows.retain(|row| text(row, "@odata.type") == "#microsoft.graph.user");
    odata::collection(&rows, call, &RULES)
}
