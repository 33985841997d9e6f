//! Writes to named locations. A list of ranges is replaced as a whole, so each of these carries the current list as a
//! placeholder (policy-logs-auth.md 1.4).

use serde_json::{Value, json};

use super::policy::segment;
use crate::domain::{CidrBlock, NamedLocationId};
use crate::plan::placeholder::range_body;
use crate::plan::{PlannedRequest, Verb};

const LOCATIONS: &str = "/v1.0/identity/conditionalAccess/namedLocations";
const IP_LOCATION: &str = "#microsoft.graph.ipNamedLocation";
const CURRENT_RANGES: &str = "${current.ipRanges}";

/// Spells the request that adds ranges to a location, given by id or by placeholder (v1.0,
/// [ipNamedLocation: update](https://learn.microsoft.com/graph/api/ipnamedlocation-update)).
pub fn add_ranges(location: &str, ranges: &[CidrBlock]) -> PlannedRequest {
    let mut list = vec![Value::from(CURRENT_RANGES)];
    list.extend(ranges.iter().map(range_body));
    update(location, &list)
}

/// Spells the request that takes ranges out of a location and leaves all others (v1.0,
/// [ipNamedLocation: update](https://learn.microsoft.com/graph/api/ipnamedlocation-update)).
pub fn remove_ranges(location: &NamedLocationId, ranges: &[CidrBlock]) -> PlannedRequest {
    let without: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    update(location.as_str(), &[json!({ CURRENT_RANGES: { "without": without } })])
}

fn update(location: &str, ranges: &[Value]) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Patch,
        path: format!("{LOCATIONS}/{}", segment(location)),
        body: json!({ "@odata.type": IP_LOCATION, "ipRanges": ranges }),
    }
}

/// Spells the request that makes a location, untrusted (v1.0,
/// [create namedLocation](https://learn.microsoft.com/graph/api/conditionalaccessroot-post-namedlocations)).
pub fn create_location(name: &str, ranges: &[CidrBlock]) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Post,
        path: LOCATIONS.to_owned(),
        body: json!({
            "@odata.type": IP_LOCATION,
            "displayName": name,
            "isTrusted": false,
            "ipRanges": ranges.iter().map(range_body).collect::<Vec<_>>()
        }),
    }
}

/// Spells the request that deletes a location, given by id or by placeholder (v1.0,
/// [ipNamedLocation: delete](https://learn.microsoft.com/graph/api/ipnamedlocation-delete)).
pub fn delete_location(location: &str) -> PlannedRequest {
    PlannedRequest {
        method: Verb::Delete,
        path: format!("{LOCATIONS}/{}", segment(location)),
        body: Value::Null,
    }
}
