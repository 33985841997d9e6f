//! Devices of a user.

use super::fetch::{EVENTUAL, Reader, malformed};
use super::field::{flag, text, text_if_any};
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::with_query;

const PROPERTIES: &str =
    "id,deviceId,displayName,operatingSystem,isCompliant,isManaged,trustType,accountEnabled";

/// A device. A flag that Graph does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceBrief {
    /// Object id.
    pub id: String,
    /// Device id, as sign-ins name it.
    pub device_id: String,
    /// Name on screens: show it inert.
    pub name: String,
    /// Operating system.
    pub os: String,
    /// Whether it is compliant.
    pub compliant: Option<bool>,
    /// Whether it is managed.
    pub managed: Option<bool>,
    /// `Workplace` (registered), `AzureAd` (joined), `ServerAd` (hybrid).
    pub trust_type: Option<String>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
}

impl Reader {
    /// Reads the devices that a user owns or has registered, each once (v1.0,
    /// [ownedDevices](https://learn.microsoft.com/graph/api/user-list-owneddevices),
    /// [registeredDevices](https://learn.microsoft.com/graph/api/user-list-registereddevices)).
    ///
    /// # Errors
    /// When a call fails.
    pub async fn devices_of(&self, user: &UserId) -> Result<Vec<DeviceBrief>, GraphError> {
        let mut devices: Vec<DeviceBrief> = Vec::new();
        for relation in ["ownedDevices", "registeredDevices"] {
            let target = with_query(
                &format!("/v1.0/users/{user}/{relation}/microsoft.graph.device"),
                &[("$select", PROPERTIES), ("$count", "true"), ("$top", "999")],
            );
            for row in self.list(&target, EVENTUAL).await? {
                let id = text_if_any(&row, "/id")
                    .ok_or_else(|| malformed(&target, "a device without an id", None))?;
                if devices.iter().all(|known| known.id != id) {
                    devices.push(DeviceBrief {
                        id,
                        device_id: text(&row, "/deviceId"),
                        name: text(&row, "/displayName"),
                        os: text(&row, "/operatingSystem"),
                        compliant: flag(&row, "/isCompliant"),
                        managed: flag(&row, "/isManaged"),
                        trust_type: text_if_any(&row, "/trustType"),
                        enabled: flag(&row, "/accountEnabled"),
                    });
                }
            }
        }
        Ok(devices)
    }
}
