//! Writes to devices.

use serde_json::json;

use crate::graph::path::encode;
use crate::plan::{PlannedRequest, Verb};

/// Spells the request that disables a device, by its object id (v1.0,
/// [device: update](https://learn.microsoft.com/graph/api/device-update)). An app changes Windows devices only.
pub fn disable_device(id: &str) -> PlannedRequest {
    switch(id, false)
}

/// Spells the request that enables a device.
pub fn enable_device(id: &str) -> PlannedRequest {
    switch(id, true)
}

fn switch(id: &str, enabled: bool) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("/v1.0/devices/{}", encode(id)),
        body: json!({ "accountEnabled": enabled }),
    }
}
