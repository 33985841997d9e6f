//! Devices (identity.md 6): who has which, and what an app may do to them, which is little beyond Windows.

use serde_json::{Value, json};

use super::directory_audit::{Target, append_for};
use super::lookup::{check_properties, find_object, object_mut, text, user_id};
use super::privilege::is_restricted;
use crate::api::{Call, Caller, Fail, Reply};
use crate::odata::{self, Rules};
use crate::routes::Service;
use crate::tenant::Tenant;

const RULES: Rules = Rules { directory: true, ..Rules::PLAIN };

/// Without a permission for devices their fields are null (the limited information rule).
fn shown(device: &Value, caller: &Caller) -> Value {
    let may_read =
        ["Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]
            .iter()
            .any(|permission| caller.holds(permission));
    let mut device = device.clone();
    if let Some(entries) = device.as_object_mut() {
        entries.remove("registeredOwners");
        entries.remove("registeredUsers");
        entries.entry("isManagementRestricted").or_insert(Value::Null);
        if !may_read {
            for (key, value) in entries.iter_mut() {
                if key != "id" {
                    *value = Value::Null;
                }
            }
        }
        entries.insert("@odata.type".to_owned(), "#microsoft.graph.device".into());
    }
    device
}

fn of_user(tenant: &Tenant, call: &Call, relation: &str) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let rows: Vec<Value> = tenant
        .devices
        .iter()
        .filter(|device| {
            device.get(relation).and_then(Value::as_array).is_some_and(|ids| ids.iter().any(|own| own == &id))
        })
        .map(|device| shown(device, &call.caller))
        .collect();
    odata::collection(&rows, call, &RULES)
}

/// `GET /users/{id}/registeredDevices`
///
/// # Errors
/// 404.
pub fn registered_devices(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    of_user(tenant, call, "registeredUsers")
}

/// `GET /users/{id}/ownedDevices`
///
/// # Errors
/// 404.
pub fn owned_devices(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    of_user(tenant, call, "registeredOwners")
}

/// `GET /devices`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_devices(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<Value> = tenant.devices.iter().map(|device| shown(device, &call.caller)).collect();
    odata::collection(&rows, call, &RULES)
}

fn find<'a>(tenant: &'a Tenant, call: &Call) -> Result<&'a Value, Fail> {
    find_object(&tenant.devices, call.segment(0), "deviceId")
}

/// `GET /devices/{id}`: by object id; the device's own id is another, and goes by `devices(deviceId='...')`.
///
/// # Errors
/// 404.
pub fn get_device(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    Ok(odata::entity(&shown(find(tenant, call)?, &call.caller), call, &[]))
}

fn people(tenant: &Tenant, call: &Call, relation: &str) -> Result<Reply, Fail> {
    let ids = find(tenant, call)?.get(relation).and_then(Value::as_array).cloned().unwrap_or_default();
    let rows: Vec<Value> = tenant
        .users
        .iter()
        .filter(|user| ids.iter().any(|id| id == text(user, "id")))
        .map(|user| {
            json!({ "@odata.type": "#microsoft.graph.user", "id": user.get("id"),
                    "displayName": user.get("displayName"), "userPrincipalName": user.get("userPrincipalName") })
        })
        .collect();
    odata::collection(&rows, call, &RULES)
}

/// `GET /devices/{id}/registeredOwners`
///
/// # Errors
/// 404.
pub fn registered_owners(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    people(tenant, call, "registeredOwners")
}

/// `GET /devices/{id}/registeredUsers`
///
/// # Errors
/// 404.
pub fn registered_users(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    people(tenant, call, "registeredUsers")
}

/// The device that a write is for, where the caller may write to it: an app that speaks for itself changes Windows
/// devices alone, whatever directory roles it holds; a person's session changes any.
fn writable(tenant: &Tenant, call: &Call) -> Result<Value, Fail> {
    let device = find(tenant, call)?.clone();
    if is_restricted(tenant, &call.caller, &device) {
        return Err(Service::Directory.forbidden(""));
    }
    let extends_only = call
        .body
        .as_object()
        .is_some_and(|entries| !entries.is_empty() && entries.keys().all(|key| key == "extensionAttributes"));
    let is_app = call.caller.user_id.is_none();
    if is_app && !extends_only && !text(&device, "operatingSystem").to_lowercase().starts_with("windows") {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "Properties other than ExtendedAttribute1..15 can be modified only on windows devices.",
        ));
    }
    Ok(device)
}

fn target(device: &Value) -> Target<'_> {
    let name = Some(text(device, "displayName"));
    Target { id: text(device, "id"), kind: "Device", category: "Device", name, upn: None }
}

/// `PATCH /devices/{id}`
///
/// # Errors
/// 404; 400 where it is no Windows device; 403 in a restricted unit.
pub fn patch_device(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_properties(call, "Device", &["accountEnabled", "extensionAttributes"])?;
    if call.body.get("accountEnabled").is_some_and(|enabled| !enabled.is_boolean()) {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "Invalid value specified for property 'accountEnabled' of resource 'Device'.",
        ));
    }
    let device = writable(tenant, call)?;
    if let (Some(entries), Some(sent)) = (
        object_mut(&mut tenant.devices, text(&device, "id")).and_then(Value::as_object_mut),
        call.body.as_object(),
    ) {
        entries.extend(sent.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let enabled = call.body.get("accountEnabled").cloned().unwrap_or_default();
    append_for(
        tenant,
        call,
        &target(&device),
        "Update device",
        "Core Directory",
        &[("AccountEnabled", json!([enabled]))],
    );
    Ok(Reply::no_content())
}

/// `DELETE /devices/{id}`: for good.
///
/// # Errors
/// As [`patch_device`].
pub fn delete_device(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let device = writable(tenant, call)?;
    tenant.devices.retain(|own| text(own, "id") != text(&device, "id"));
    append_for(tenant, call, &target(&device), "Delete device", "Core Directory", &[]);
    Ok(Reply::no_content())
}
