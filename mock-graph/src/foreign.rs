//! Changes that no request made: by somebody else, and by what silently takes a write back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::faults::kinds::{EditedList, ForeignEdit};
use crate::tenant::Tenant;

fn list_mut<'a>(tenant: &'a mut Tenant, list: EditedList, user: &str) -> &'a mut Vec<Value> {
    match list {
        EditedList::Users => &mut tenant.users,
        EditedList::Devices => &mut tenant.devices,
        EditedList::NamedLocations => &mut tenant.named_locations,
        EditedList::ConditionalAccessPolicies => &mut tenant.conditional_access_policies,
        EditedList::RoleAssignments => &mut tenant.role_assignments,
        EditedList::ServicePrincipals => &mut tenant.service_principals,
        EditedList::Oauth2PermissionGrants => &mut tenant.oauth2_permission_grants,
        EditedList::RiskyUsers => &mut tenant.risky_users,
        EditedList::AuthenticationMethods => {
            tenant.authentication_methods.entry(user.to_owned()).or_default()
        }
        EditedList::MessageRules => tenant.message_rules.entry(user.to_owned()).or_default(),
    }
}

fn id_of(object: &Value) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// Makes somebody else's change.
pub fn edit(tenant: &mut Tenant, edit: &ForeignEdit) {
    let list = list_mut(tenant, edit.list, edit.user.as_deref().unwrap_or_default());
    if edit.remove {
        list.retain(|own| id_of(own) != edit.id);
        return;
    }
    if !list.iter().any(|own| id_of(own) == edit.id) {
        list.push(serde_json::json!({ "id": edit.id }));
    }
    let Some(entries) = list.iter_mut().find(|own| id_of(own) == edit.id).and_then(Value::as_object_mut)
    else {
        return;
    };
    entries.extend(edit.set.clone());
    for (key, more) in &edit.append {
        let held = entries.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let (Some(held), Some(more)) = (held.as_array_mut(), more.as_array()) {
            held.extend(more.iter().cloned());
        }
    }
}

/// Takes back what one write changed, and nothing that came after it in other objects.
pub fn revert(present: &mut Tenant, before: &Tenant, after: &Tenant) {
    revert_list(&mut present.users, &before.users, &after.users);
    revert_list(&mut present.groups, &before.groups, &after.groups);
    revert_list(&mut present.devices, &before.devices, &after.devices);
    revert_list(&mut present.named_locations, &before.named_locations, &after.named_locations);
    revert_list(
        &mut present.conditional_access_policies,
        &before.conditional_access_policies,
        &after.conditional_access_policies,
    );
    revert_list(&mut present.role_assignments, &before.role_assignments, &after.role_assignments);
    revert_list(&mut present.service_principals, &before.service_principals, &after.service_principals);
    revert_list(
        &mut present.oauth2_permission_grants,
        &before.oauth2_permission_grants,
        &after.oauth2_permission_grants,
    );
    revert_list(&mut present.app_role_assignments, &before.app_role_assignments, &after.app_role_assignments);
    revert_list(&mut present.risky_users, &before.risky_users, &after.risky_users);
    revert_map(&mut present.passwords, &before.passwords, &after.passwords);
    revert_map(
        &mut present.authentication_methods,
        &before.authentication_methods,
        &after.authentication_methods,
    );
    revert_map(&mut present.message_rules, &before.message_rules, &after.message_rules);
    revert_map(&mut present.group_members, &before.group_members, &after.group_members);
}

fn revert_list(present: &mut Vec<Value>, before: &[Value], after: &[Value]) {
    let find = |list: &[Value], id: &str| list.iter().find(|own| id_of(own) == id).cloned();
    let ids: Vec<&str> = before.iter().chain(after).map(id_of).collect();
    for id in ids {
        let old = find(before, id);
        if old == find(after, id) {
            continue;
        }
        match (old, present.iter_mut().find(|own| id_of(own) == id)) {
            (Some(old), Some(place)) => *place = old,
            (Some(old), None) => present.push(old),
            (None, _) => present.retain(|own| id_of(own) != id),
        }
    }
}

fn revert_map<T: Clone + PartialEq>(
    present: &mut BTreeMap<String, T>,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) {
    for key in before.keys().chain(after.keys()) {
        match before.get(key) {
            old if old == after.get(key) => {}
            Some(old) => drop(present.insert(key.clone(), old.clone())),
            None => drop(present.remove(key)),
        }
    }
}
