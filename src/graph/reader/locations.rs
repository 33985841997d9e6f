//! Named locations.

use serde_json::Value;

use super::fetch::{Reader, malformed};
use crate::domain::NamedLocationId;
use crate::graph::error::GraphError;
use crate::policy::NamedLocation;

const LOCATIONS: &str = "/v1.0/identity/conditionalAccess/namedLocations";

impl Reader {
    /// Reads all named locations (v1.0,
    /// [list](https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations)).
    ///
    /// # Errors
    /// When the call fails, or a location makes no sense.
    pub async fn named_locations(&self) -> Result<Vec<NamedLocation>, GraphError> {
        let rows = self.list(LOCATIONS, &[]).await?;
        rows.into_iter().map(|row| parse_location(LOCATIONS, row)).collect()
    }

    /// Reads one named location (v1.0, [get](https://learn.microsoft.com/graph/api/namedlocation-get)).
    ///
    /// # Errors
    /// When the call fails, or the location makes no sense.
    pub async fn named_location(&self, id: &NamedLocationId) -> Result<Option<NamedLocation>, GraphError> {
        let target = format!("{LOCATIONS}/{id}");
        match self.object_if_any(&target).await? {
            Some(found) => parse_location(&target, Value::clone(&found)).map(Some),
            None => Ok(None),
        }
    }
}

fn parse_location(target: &str, row: Value) -> Result<NamedLocation, GraphError> {
    NamedLocation::from_graph(row).map_err(|error| malformed(target, "no named location", Some(error)))
}
