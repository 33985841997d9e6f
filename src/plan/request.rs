//! A request as planned: method, path and body, spelt as they are sent.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The methods that write. There is no `Get`: a plan can list writes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One write, with placeholders where INTERFACE.md allows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedRequest {
    /// Method.
    pub method: Verb,
    /// Path with version, without host: `/v1.0/users/…`. Spelt as it is sent.
    pub path: String,
    /// JSON body; `null` where none is sent.
    pub body: Value,
}
