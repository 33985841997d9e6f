//! Changes that no request made: by somebody else, and by what silently takes a write back.

use std::sync::Arc;

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

/// Takes back what one write changed, property by property, and nothing that came after it. Logs keep their lines.
pub fn revert(present: &mut Tenant, before: &Tenant, after: &Tenant) {
    // A tenant is plain data: were it not to be spelt for once, all that came later would go as well.
    let reverted = reverted(present, before, after).unwrap_or_else(|_| before.clone());
    *present = Tenant {
        clock: present.clock,
        // They know more than the file, and no request changes them.
        attackers: std::mem::take(&mut present.attackers),
        sign_ins: Arc::clone(&present.sign_ins),
        directory_audits: Arc::clone(&present.directory_audits),
        ..reverted
    };
}

fn reverted(present: &Tenant, before: &Tenant, after: &Tenant) -> Result<Tenant, serde_json::Error> {
    let spelt = |tenant: &Tenant| serde_json::to_value(tenant.without_logs());
    let mut value = spelt(present)?;
    take_back(&mut value, &spelt(before)?, &spelt(after)?);
    serde_json::from_value(value)
}

fn take_back(present: &mut Value, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    match (present, before, after) {
        (Value::Object(present), Value::Object(before), Value::Object(after)) => {
            for key in before.keys().chain(after.keys()) {
                match (before.get(key), after.get(key), present.get_mut(key)) {
                    (Some(old), Some(new), Some(place)) => take_back(place, old, new),
                    (Some(old), new, _) if new != Some(old) => drop(present.insert(key.clone(), old.clone())),
                    (None, _, _) => drop(present.remove(key)),
                    _ => {}
                }
            }
        }
        (Value::Array(present), Value::Array(before), Value::Array(after)) => {
            take_back_elements(present, before, after);
        }
        (present, before, _) => *present = before.clone(),
    }
}

/// Elements are told apart by their id; those without one, by the whole of them.
fn take_back_elements(present: &mut Vec<Value>, before: &[Value], after: &[Value]) {
    let same = |one: &Value, other: &Value| match (one.get("id"), other.get("id")) {
        (None, None) => one == other,
        (one, other) => one == other,
    };
    for (place, old) in before.iter().enumerate() {
        let new = after.iter().find(|own| same(own, old));
        match (new, present.iter_mut().find(|own| same(own, old))) {
            (Some(new), Some(own)) => take_back(own, old, new),
            (Some(new), None) if new == old => {}
            (_, Some(own)) => *own = old.clone(),
            (_, None) => present.insert(place.min(present.len()), old.clone()),
        }
    }
    present.retain(|own| before.iter().any(|old| same(old, own)) || !after.iter().any(|new| same(new, own)));
}
