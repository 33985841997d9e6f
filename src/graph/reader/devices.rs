//! Devices of a user.

use serde_json::Value;

use super::fetch::{EVENTUAL, Reader, malformed, withheld};
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
        let (owned, registered) = tokio::try_join!(
            self.devices_by(user, "ownedDevices"),
            self.devices_by(user, "registeredDevices")
        )?;
        let mut devices: Vec<Device> = Vec::new();
        for device in owned.into_iter().chain(registered) {
            if devices.iter().all(|known| known.id != device.id) {
                devices.push(device);
            }
        }
        Ok(devices)
    }

    async fn devices_by(&self, user: &UserId, relation: &str) -> Result<Vec<Device>, GraphError> {
        let target = with_query(
            &format!("/v1.0/users/{user}/{relation}/microsoft.graph.device"),
            &[("$select", PROPERTIES), ("$count", "true"), ("$top", "999")],
        );
        let rows = self.list(&target, EVENTUAL).await?;
        rows.iter()
            .map(|row| {
                let id = text_if_any(row, "/id")
                    .ok_or_else(|| malformed(&target, "a device without an id", None))?;
                let device = parse_device(id, row);
                // Whoever may read users and not devices sees that they are there, and nothing of them.
                if device.device_id.is_empty() && device.name.is_empty() && device.os.is_empty() {
                    return Err(withheld(&target, "deviceId"));
                }
                Ok(device)
            })
            .collect()
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
