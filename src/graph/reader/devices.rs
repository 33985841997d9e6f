//! Devices of a user.

use serde_json::Value;

use super::fetch::{EVENTUAL, Reader, malformed};
use super::field::{flag, moment, text, text_if_any};
use crate::case::Device;
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::{encode, with_query};

const PROPERTIES: &str = "id,deviceId,displayName,operatingSystem,isCompliant,isManaged,trustType,deviceOwnership,accountEnabled,registrationDateTime";

impl Reader {
    /// Reads the devices that a user owns or has registered, each once (v1.0,
    /// [ownedDevices](https://learn.microsoft.com/graph/api/user-list-owneddevices),
    /// [registeredDevices](https://learn.microsoft.com/graph/api/user-list-registereddevices)).
    ///
    /// # Errors
    /// When a call fails.
    pub async fn devices_of(&self, user: &UserId) -> Result<Vec<Device>, GraphError> {
        let mut devices: Vec<Device> = Vec::new();
        for relation in ["ownedDevices", "registeredDevices"] {
            let target = with_query(
                &format!("/v1.0/users/{user}/{relation}/microsoft.graph.device"),
                &[("$select", PROPERTIES), ("$count", "true"), ("$top", "999")],
            );
            for row in self.list(&target, EVENTUAL).await? {
                let id = text_if_any(&row, "/id")
                    .ok_or_else(|| malformed(&target, "a device without an id", None))?;
                if devices.iter().all(|known| known.id != id) {
                    devices.push(parse_device(id, &row));
                }
            }
        }
        Ok(devices)
    }
    /// Reads a device by its object id; `None` where it is not there (v1.0,
    /// [device: get](https://learn.microsoft.com/graph/api/device-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn device(&self, id: &str) -> Result<Option<Device>, GraphError> {
        let target = with_query(&format!("/v1.0/devices/{}", encode(id)), &[("$select", PROPERTIES)]);
        let found = self.object_if_any(&target).await?;
        Ok(found.map(|row| parse_device(text(&row, "/id"), &row)))
    }
}

fn parse_device(id: String, row: &Value) -> Device {
    Device {
        id,
        device_id: text(row, "/deviceId"),
        name: text(row, "/displayName"),
        os: text(row, "/operatingSystem"),
        compliant: flag(row, "/isCompliant"),
        managed: flag(row, "/isManaged"),
        trust_type: text_if_any(row, "/trustType"),
        ownership: text_if_any(row, "/deviceOwnership"),
        enabled: flag(row, "/accountEnabled"),
        registered_at: moment(row, "/registrationDateTime"),
    }
}
