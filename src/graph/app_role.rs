//! Graph's application permissions as an app registration names them: their ids, what each opens, which others open the
//! same, and those that no containment needs (identity.md 0.1).

/// The app id of Microsoft Graph itself, in every cloud.
pub const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// One application permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppRole {
    /// Its name, as tokens carry it.
    pub name: &'static str,
    /// Its id, as app registrations carry it.
    pub id: &'static str,
    /// What it lets an app do.
    pub what: &'static str,
}

const fn role(name: &'static str, id: &'static str, what: &'static str) -> AppRole {
    AppRole { name, id, what }
}

/// The permissions that stanch may ask for.
pub const APP_ROLES: &[AppRole] = &[
    role("Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "read apps, which policies name"),
    role("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da", "read the sign-in and audit logs"),
    role(
        "DelegatedPermissionGrant.ReadWrite.All",
        "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
        "read and remove users' consents to apps",
    ),
    role("Device.Read.All", "7438b122-aefc-4978-80ed-43db9fcc7715", "read devices and whether they comply"),
    role("Device.ReadWrite.All", "1138cb37-bd11-4084-a2b7-9f71582aeddb", "disable devices"),
    role(
        "Directory.Read.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "read the directory: users' consents to apps",
    ),
    role("Domain.Read.All", "dbb9058a-0e50-45d7-ae91-66909b5d4664", "read whether a domain is federated"),
    role("Group.Create", "bf7b1a76-6e77-406b-b258-bf5c7720e98f", "make the group of the quarantine"),
    role("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6", "read groups and their members"),
    role(
        "GroupMember.ReadWrite.All",
        "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
        "put users into groups and take them out",
    ),
    role(
        "IdentityRiskEvent.Read.All",
        "6e472fd1-ad78-48da-a0f0-97ab2c6b769e",
        "read what Identity Protection has detected",
    ),
    role(
        "IdentityRiskyUser.Read.All",
        "dc5007c0-2d7d-4c42-879c-2dab87571379",
        "read whether users count as risky",
    ),
    role(
        "IdentityRiskyUser.ReadWrite.All",
        "656f6061-f9fe-4807-9708-6a2e0934df76",
        "read users' risk, and confirm a user as compromised",
    ),
    role(
        "LicenseAssignment.Read.All",
        "e2f98668-2877-4f38-a2f4-8202e0717aa1",
        "read which licences there are",
    ),
    role(
        "Mail.ReadBasic.All",
        "693c5e45-0940-467d-9b8a-1022fb9d42ef",
        "read the names of mail folders; it opens senders and subjects of all mail as well",
    ),
    role("MailboxSettings.Read", "40f97065-369a-49f4-947c-6a255697ae91", "read inbox rules"),
    role("MailboxSettings.ReadWrite", "6931bccd-447a-43d1-b442-00a195474933", "disable inbox rules"),
    role(
        "Policy.Read.All",
        "246dd0d5-5bd0-4def-940b-0421030a5b68",
        "read Conditional Access policies and named locations",
    ),
    role(
        "Policy.Read.AuthenticationMethod",
        "8e3bc81b-d2f3-4b7b-838c-32c88218d2f0",
        "read what a Temporary Access Pass may be",
    ),
    role(
        "Policy.Read.ConditionalAccess",
        "37730810-e9ba-4e46-b07e-8ca78d182097",
        "ask What-If which policies apply",
    ),
    role(
        "Policy.ReadWrite.ConditionalAccess",
        "01c0a623-fc9b-48e9-b794-0756f8e8f067",
        "write Conditional Access policies and named locations",
    ),
    role(
        "RoleManagement.Read.Directory",
        "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
        "read who holds which directory role",
    ),
    role(
        "User.EnableDisableAccount.All",
        "3011c876-62b7-4ada-afa2-506cbbecc68c",
        "enable and disable sign-in",
    ),
    role("User.Read.All", "df021288-bdef-4463-88db-98f22de89214", "read users"),
    role("User.RevokeSessions.All", "77f3a031-c388-4f99-b373-dc68676a979e", "end users' sessions"),
    role("User-PasswordProfile.ReadWrite.All", "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7", "set passwords"),
    role(
        "UserAuthenticationMethod.Read.All",
        "38d9df27-64da-44fd-b7c5-a6fbac20248f",
        "read users' authentication methods",
    ),
    role(
        "UserAuthenticationMethod.ReadWrite.All",
        "50483e42-d915-4231-9639-7fdb7fd190e5",
        "remove users' authentication methods, and issue Temporary Access Passes",
    ),
];

/// Finds a permission by its name.
pub fn app_role(name: &str) -> Option<&'static AppRole> {
    APP_ROLES.iter().find(|role| role.name == name)
}

/// Which broader permissions open all that a permission opens, for the calls that stanch makes.
const COVERED_BY: &[(&str, &[&str])] = &[
    ("User.Read.All", &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]),
    ("User.RevokeSessions.All", &["User.ReadWrite.All", "Directory.ReadWrite.All"]),
    ("User.EnableDisableAccount.All", &["User.ReadWrite.All", "Directory.ReadWrite.All"]),
    ("RoleManagement.Read.Directory", &["RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"]),
    ("Domain.Read.All", &["Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]),
    (
        "LicenseAssignment.Read.All",
        &[
            "LicenseAssignment.ReadWrite.All",
            "Organization.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    ("Device.Read.All", &["Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]),
    (
        "GroupMember.Read.All",
        &[
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    ("Group.Create", &["Group.ReadWrite.All", "Directory.ReadWrite.All"]),
    ("GroupMember.ReadWrite.All", &["Group.ReadWrite.All", "Directory.ReadWrite.All"]),
    // For the consents that it is asked for. Whoever may remove them reads them, too.
    ("Directory.Read.All", &["Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"]),
    ("Application.Read.All", &["Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"]),
    ("Policy.Read.ConditionalAccess", &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]),
    ("UserAuthenticationMethod.Read.All", &["UserAuthenticationMethod.ReadWrite.All"]),
    ("IdentityRiskyUser.Read.All", &["IdentityRiskyUser.ReadWrite.All"]),
    ("IdentityRiskEvent.Read.All", &["IdentityRiskEvent.ReadWrite.All"]),
    ("Mail.ReadBasic.All", &["Mail.Read", "Mail.ReadWrite"]),
    ("MailboxSettings.Read", &["MailboxSettings.ReadWrite"]),
];

/// Whether one who holds these permissions may do what this one opens.
pub fn is_covered(permission: &str, held: &[impl AsRef<str>]) -> bool {
    let broader =
        COVERED_BY.iter().find(|(name, _)| *name == permission).map(|(_, by)| *by).unwrap_or_default();
    held.iter().any(|own| own.as_ref() == permission || broader.contains(&own.as_ref()))
}

/// Permissions with which an app could make itself anything: no step needs one, and whoever takes the app's credential
/// would take the tenant (SAFETY.md H54).
pub const DANGEROUS: &[&str] = &[
    "AdministrativeUnit.ReadWrite.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.ReadWrite.All",
    "EntitlementManagement.ReadWrite.All",
    "Policy.ReadWrite.PermissionGrant",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
];

/// Those of the held permissions that are dangerous and that nobody accepted.
pub fn dangerous(held: &[String], accepted: &[String]) -> Vec<String> {
    held.iter()
        .filter(|name| DANGEROUS.contains(&name.as_str()) && !accepted.contains(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_guids_and_no_two_alike() {
        let mut ids: Vec<&str> = APP_ROLES.iter().map(|role| role.id).collect();
        assert!(ids.iter().all(|id| uuid::Uuid::try_parse(id).is_ok_and(|guid| !guid.is_nil())));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), APP_ROLES.len());
    }

    #[test]
    fn a_broader_permission_covers_and_a_writing_one_is_no_reading_one() {
        assert!(is_covered("User.Read.All", &["User.Read.All"]));
        assert!(is_covered("User.Read.All", &["Directory.Read.All"]));
        assert!(is_covered("UserAuthenticationMethod.Read.All", &["UserAuthenticationMethod.ReadWrite.All"]));
        // These read nothing, or not that (identity.md 0.1).
        assert!(!is_covered("User.Read.All", &["User.EnableDisableAccount.All", "User.RevokeSessions.All"]));
        assert!(!is_covered("Policy.Read.All", &["Policy.ReadWrite.ConditionalAccess"]));
        assert!(!is_covered(
            "User-PasswordProfile.ReadWrite.All",
            &["User.ReadWrite.All", "Directory.ReadWrite.All"]
        ));
        assert!(
            !is_covered("RoleManagement.Read.Directory", &["Directory.Read.All"]),
            "not for eligible roles"
        );
    }

    #[test]
    fn what_stanch_asks_for_is_never_dangerous() {
        assert!(APP_ROLES.iter().all(|role| !DANGEROUS.contains(&role.name)));
        let held = ["Directory.ReadWrite.All".to_owned(), "User.Read.All".to_owned()];
        assert_eq!(dangerous(&held, &[]), ["Directory.ReadWrite.All"]);
        assert!(dangerous(&held, &["Directory.ReadWrite.All".to_owned()]).is_empty());
    }
}
