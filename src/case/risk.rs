//! What Identity Protection says, in Graph's own words (identity.md 9): words that are new stay as they are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One detection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskDetection {
    /// Id.
    pub id: String,
    /// When what was detected happened (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// `riskEventType`: anomalousToken, unfamiliarFeatures, …; `generic` where the licence shows no more.
    pub kind: String,
    /// `riskLevel`: low, medium, high, hidden, none.
    pub level: String,
    /// `riskState`: atRisk, dismissed, remediated, confirmedSafe, confirmedCompromised, …
    pub state: String,
    /// From which address.
    pub address: Option<String>,
    /// The sign-in that it is about, by the id of its row; none where it is about the user.
    pub sign_in: Option<String>,
}

impl RiskDetection {
    /// Whether somebody has said that it was nothing.
    pub fn is_excused(&self) -> bool {
        ["confirmedsafe", "dismissed"].contains(&self.state.to_ascii_lowercase().as_str())
    }
}

/// For what Identity Protection holds the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRisk {
    /// `riskLevel`.
    pub level: String,
    /// `riskState`.
    pub state: String,
}
