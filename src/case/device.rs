//! A device that a user owns or has registered (identity.md 6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One device. A flag that Graph does not tell is `None`; the name is its owner's, or the intruder's: show it inert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Object id.
    pub id: String,
    /// Device id, as sign-ins name it.
    pub device_id: String,
    /// Name on screens.
    pub name: String,
    /// Operating system.
    pub os: String,
    /// Whether it is compliant.
    pub compliant: Option<bool>,
    /// Whether it is managed.
    pub managed: Option<bool>,
    /// `Workplace` (registered), `AzureAd` (joined), `ServerAd` (hybrid).
    pub trust_type: Option<String>,
    /// `Company`, `Personal`.
    pub ownership: Option<String>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// When it was registered.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub registered_at: Option<Timestamp>,
}

impl Device {
    /// Whether an app may change it: Graph lets apps change Windows devices alone.
    pub fn is_windows(&self) -> bool {
        self.os.to_ascii_lowercase().starts_with("windows")
    }

    /// Whether the company has it in hand.
    pub fn is_companys(&self) -> bool {
        self.compliant == Some(true)
            || self.managed == Some(true)
            || self.trust_type.as_deref() == Some("ServerAd")
            || self.ownership.as_deref() == Some("Company")
    }
}
