//! Devices, read (identity.md 6).

use serde_json::Value;

use super::lookup::{not_found, text, user_id};
use crate::api::{Call, Caller, Fail, Reply};
use crate::odata::{self, Rules};
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

/// `GET /devices/{id}`: by object id; the device's own id is another.
///
/// # Errors
/// 404.
pub fn get_device(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = call.segment(0);
    let device = tenant
        .devices
        .iter()
        .find(|own| text(own, "id").eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))?;
    Ok(odata::entity(&shown(device, &call.caller), call, &[]))
}
