//! What of a tenant is read, and the least permission that opens it: one table for hints, `setup`, `doctor` and the
//! documents.

use serde_json::Value;

use super::permission;

/// One thing that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// The tenant's id and name.
    Organization,
    /// Users: the subject, emergency accounts, whoever asks.
    Users,
    /// A user's directory roles, active, through groups, eligible.
    Roles,
    /// Whether a domain signs in through a federated provider.
    Domains,
    /// The service plans that the tenant has.
    Licences,
    /// The sign-in log.
    SignIns,
    /// The audit log.
    DirectoryAudits,
    /// A user's authentication methods.
    Methods,
    /// A user's devices.
    Devices,
    /// The rules of a user's inbox.
    InboxRules,
    /// The names of a user's mail folders.
    MailFolders,
    /// What users let apps do.
    Grants,
    /// Apps, as the tenant knows them.
    Apps,
    /// Groups by their ids, and their members.
    Groups,
    /// Named locations.
    NamedLocations,
    /// Conditional Access policies, and whether security defaults are on.
    Policies,
    /// What-If: which policies would apply.
    WhatIf,
    /// Whether Identity Protection holds a user for risky.
    Risk,
    /// What Identity Protection has detected.
    RiskDetections,
    /// What was sent, to whom, from which address.
    MessageTraces,
    /// What the tenant lets a Temporary Access Pass be.
    PassPolicy,
}

impl Reading {
    /// What every plan reads, whatever its playbook.
    pub const OF_EVERY_PLAN: &'static [Self] = &[
        Self::Organization,
        Self::Users,
        Self::Roles,
        Self::Domains,
        Self::Licences,
        Self::SignIns,
        Self::DirectoryAudits,
        Self::Methods,
    ];

    /// What calling the intruder evicted rests on: where one of these is unread, nobody is called so.
    pub const OF_EVICTION: &'static [Self] = &[
        Self::Users,
        Self::Roles,
        Self::SignIns,
        Self::DirectoryAudits,
        Self::Methods,
        Self::InboxRules,
        Self::Domains,
        Self::Grants,
        Self::Apps,
        Self::Devices,
    ];

    /// What an investigation reads beside what every plan reads and an eviction rests on; it goes on without any of these.
    pub const OF_INVESTIGATION: &'static [Self] = &[
        Self::NamedLocations,
        Self::Policies,
        Self::Risk,
        Self::RiskDetections,
        Self::MessageTraces,
        Self::MailFolders,
    ];

    /// What every apply reads before its first write: is it still the same account, and may it be touched?
    pub const OF_EVERY_APPLY: &'static [Self] = &[Self::Users, Self::Roles];

    /// The least application permissions that open it.
    pub fn permissions(self) -> &'static [&'static str] {
        let (method, path) = self.call();
        permission::least(method, path, &Value::Null)
    }

    /// What is read, in words: "to read …".
    pub fn what(self) -> &'static str {
        match self {
            Self::Organization => "the tenant's name",
            Self::Users => "users",
            Self::Roles => "who holds which directory role",
            Self::Domains => "whether a domain is federated",
            Self::Licences => "which licences there are",
            Self::SignIns => "the sign-in log",
            Self::DirectoryAudits => "the audit log",
            Self::Methods => "authentication methods",
            Self::Devices => "devices",
            Self::InboxRules => "inbox rules",
            Self::MailFolders => "the names of mail folders",
            Self::Grants => "users' consents to apps",
            Self::Apps => "apps",
            Self::Groups => "groups",
            Self::NamedLocations => "named locations",
            Self::Policies => "Conditional Access policies",
            Self::WhatIf => "which policies would apply",
            Self::Risk => "whether a user counts as risky",
            Self::RiskDetections => "what Identity Protection has detected",
            Self::MessageTraces => "what was sent, and to whom",
            Self::PassPolicy => "what a Temporary Access Pass may be",
        }
    }

    /// A call that reads it.
    fn call(self) -> (&'static str, &'static str) {
        match self {
            Self::Organization => ("GET", "/v1.0/organization"),
            Self::Users => ("GET", "/v1.0/users/{id}"),
            Self::Roles => ("GET", "/v1.0/roleManagement/directory/roleAssignments"),
            Self::Domains => ("GET", "/v1.0/domains/{id}"),
            Self::Licences => ("GET", "/v1.0/subscribedSkus"),
            Self::SignIns => ("GET", "/beta/auditLogs/signIns"),
            Self::DirectoryAudits => ("GET", "/v1.0/auditLogs/directoryAudits"),
            Self::Methods => ("GET", "/beta/users/{id}/authentication/methods"),
            Self::Devices => ("GET", "/v1.0/users/{id}/registeredDevices"),
            Self::InboxRules => ("GET", "/v1.0/users/{id}/mailFolders/inbox/messageRules"),
            Self::MailFolders => ("GET", "/v1.0/users/{id}/mailFolders/{id}"),
            Self::Grants => ("GET", "/v1.0/users/{id}/oauth2PermissionGrants"),
            Self::Apps => ("GET", "/v1.0/servicePrincipals/{id}"),
            Self::Groups => ("GET", "/v1.0/groups/{id}"),
            Self::NamedLocations => ("GET", "/v1.0/identity/conditionalAccess/namedLocations"),
            Self::Policies => ("GET", "/v1.0/identity/conditionalAccess/policies"),
            Self::WhatIf => ("POST", "/v1.0/identity/conditionalAccess/evaluate"),
            Self::Risk => ("GET", "/v1.0/identityProtection/riskyUsers/{id}"),
            Self::RiskDetections => ("GET", "/v1.0/identityProtection/riskDetections"),
            Self::MessageTraces => ("GET", "/v1.0/admin/exchange/tracing/messageTraces"),
            Self::PassPolicy => (
                "GET",
                "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::app_role;

    #[test]
    fn everything_that_is_read_has_a_permission_with_an_id() {
        for reading in [
            Reading::Organization,
            Reading::Users,
            Reading::Roles,
            Reading::Domains,
            Reading::Licences,
            Reading::SignIns,
            Reading::DirectoryAudits,
            Reading::Methods,
            Reading::Devices,
            Reading::InboxRules,
            Reading::MailFolders,
            Reading::Grants,
            Reading::Apps,
            Reading::Groups,
            Reading::NamedLocations,
            Reading::Policies,
            Reading::WhatIf,
            Reading::Risk,
            Reading::RiskDetections,
            Reading::PassPolicy,
        ] {
            let needs = reading.permissions();
            assert!(!needs.is_empty(), "{reading:?}");
            assert!(needs.iter().all(|name| app_role(name).is_some()), "{reading:?}: {needs:?}");
        }
    }
}
