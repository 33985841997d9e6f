//! Microsoft's clouds, as the two shells call them (policy-logs-auth.md 8.1).

/// Where the tenant is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Its name, in words.
    pub name: &'static str,
    /// The sign-in authority.
    pub authority: String,
    /// Azure CLI's name.
    pub azure: &'static str,
    /// Graph `PowerShell`'s name.
    pub graph_environment: &'static str,
}

impl Cloud {
    /// The cloud of a sign-in authority and of a Graph host.
    pub fn of(authority: &str, graph: &str) -> Self {
        let (name, azure, graph_environment) = if authority.contains("login.microsoftonline.us") {
            if graph.contains("dod-graph") {
                ("US Government (DoD)", "AzureUSGovernment", "USGovDoD")
            } else {
                ("US Government", "AzureUSGovernment", "USGov")
            }
        } else if authority.contains("partner.microsoftonline.cn") || authority.contains("chinacloudapi.cn") {
            ("China", "AzureChinaCloud", "China")
        } else {
            ("global", "AzureCloud", "Global")
        };
        Self { name, authority: authority.to_owned(), azure, graph_environment }
    }

    /// Whether it is the usual one.
    pub fn is_global(&self) -> bool {
        self.graph_environment == "Global"
    }

    /// The address where an administrator consents to what an app asks for.
    pub fn consent_address(&self, tenant: &str, client_id: &str) -> String {
        format!("{}/{tenant}/adminconsent?client_id={client_id}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_consents_in_its_own_cloud() {
        let china =
            Cloud::of("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn");
        assert_eq!((china.azure, china.graph_environment), ("AzureChinaCloud", "China"));
        let defence = Cloud::of("https://login.microsoftonline.us", "https://dod-graph.microsoft.us");
        assert_eq!(defence.graph_environment, "USGovDoD");
        assert_eq!(
            Cloud::of("https://login.microsoftonline.us", "https://graph.microsoft.us")
                .consent_address("contoso.us", "x"),
            "https://login.microsoftonline.us/contoso.us/adminconsent?client_id=x"
        );
        assert!(Cloud::of("https://login.microsoftonline.com", "https://graph.microsoft.com").is_global());
    }
}
