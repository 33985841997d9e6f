//! MITRE ATT&CK techniques, named where the evidence says exactly that (attack.mitre.org, Enterprise).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Technique {
    /// Use Alternate Authentication Material: Web Session Cookie.
    #[serde(rename = "T1550.004")]
    WebSessionCookie,
    /// Valid Accounts: Cloud Accounts.
    #[serde(rename = "T1078.004")]
    CloudAccounts,
    /// Account Manipulation: Device Registration, second factors included.
    #[serde(rename = "T1098.005")]
    DeviceRegistration,
    /// Account Manipulation: Additional Cloud Roles.
    #[serde(rename = "T1098.003")]
    AdditionalCloudRoles,
    /// Steal Application Access Token.
    #[serde(rename = "T1528")]
    ApplicationAccessToken,
    /// Hide Artifacts: Email Hiding Rules.
    #[serde(rename = "T1564.008")]
    EmailHidingRules,
    /// Email Collection: Email Forwarding Rule.
    #[serde(rename = "T1114.003")]
    EmailForwardingRule,
    /// Internal Spearphishing.
    #[serde(rename = "T1534")]
    InternalSpearphishing,
}

impl Technique {
    /// Its id.
    pub fn id(self) -> &'static str {
        match self {
            Self::WebSessionCookie => "T1550.004",
            Self::CloudAccounts => "T1078.004",
            Self::DeviceRegistration => "T1098.005",
            Self::AdditionalCloudRoles => "T1098.003",
            Self::ApplicationAccessToken => "T1528",
            Self::EmailHidingRules => "T1564.008",
            Self::EmailForwardingRule => "T1114.003",
            Self::InternalSpearphishing => "T1534",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_text_name_a_technique_alike() {
        for technique in [
            Technique::WebSessionCookie,
            Technique::CloudAccounts,
            Technique::DeviceRegistration,
            Technique::AdditionalCloudRoles,
            Technique::ApplicationAccessToken,
            Technique::EmailHidingRules,
            Technique::EmailForwardingRule,
            Technique::InternalSpearphishing,
        ] {
            assert_eq!(serde_json::to_value(technique).unwrap(), technique.id());
        }
    }
}
