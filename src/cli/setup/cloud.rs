//! Where the tenant is, as the two shells call it (policy-logs-auth.md 8.1).

use crate::config::Cloud;

/// A cloud, and the authority that is signed in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cloud.
    pub cloud: Cloud,
    /// The sign-in authority.
    pub authority: String,
}

impl Place {
    /// Azure CLI's name for the cloud; none for the one that it takes by itself.
    pub fn azure(&self) -> Option<&'static str> {
        match self.cloud {
            Cloud::Global => None,
            Cloud::UsGov | Cloud::UsGovDod => Some("AzureUSGovernment"),
            Cloud::China => Some("AzureChinaCloud"),
        }
    }

    /// Graph `PowerShell`'s name for the cloud.
    pub fn graph_environment(&self) -> &'static str {
        match self.cloud {
            Cloud::Global => "Global",
            Cloud::UsGov => "USGov",
            Cloud::UsGovDod => "USGovDoD",
            Cloud::China => "China",
        }
    }

    /// The address where an administrator consents to what an app asks for.
    pub fn consent_address(&self, tenant: &str, client_id: &str) -> String {
        format!("{}/{tenant}/adminconsent?client_id={client_id}", self.authority)
    }
}
