//! The one route table: method, path, versions, service, permissions, handler. What has no row here or in
//! `routes/objects.rs` is not served.

use crate::api::{Fail, Handler, Version};
use crate::handlers::{
    evaluate, groups, logs, methods, named_locations, organization, password_reset, policies,
    registration_details, registrations, risky_users, roles, user_changes, users,
};
use crate::throttle::Bucket;

mod objects;

/// The service behind a route: it decides the code of a refusal (identity.md 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Users, groups, devices, roles, grants.
    Directory,
    /// Authentication methods.
    AuthenticationMethods,
    /// Conditional Access and named locations.
    ConditionalAccess,
    /// Sign-ins and audits.
    Reports,
    /// Mailboxes: inbox rules and settings.
    Exchange,
    /// Message traces.
    MessageTrace,
    /// Hunting queries.
    Hunting,
    /// Searches of the unified audit log.
    AuditSearch,
    /// Risky users.
    IdentityProtection,
}

impl Service {
    /// The refusal of a caller without the permission.
    #[must_use]
    pub fn forbidden(self, wanted: &str) -> Fail {
        match self {
            Self::Directory => Fail::new(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            ),
            Self::AuthenticationMethods => Fail::new(403, "accessDenied", "Request Authorization failed")
                .with_inner("Request Authorization failed"),
            Self::ConditionalAccess | Self::IdentityProtection => Fail::new(
                403,
                if self == Self::ConditionalAccess { "AccessDenied" } else { "Forbidden" },
                "You cannot perform the requested operation, required scopes are missing in the token.",
            ),
            Self::Exchange | Self::MessageTrace => {
                Fail::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            }
            Self::Hunting | Self::AuditSearch => Fail::new(
                403,
                "Forbidden",
                format!("Missing application roles. API required roles: {wanted}."),
            ),
            Self::Reports => Fail::new(
                403,
                "Authentication_MSGraphPermissionMissing",
                format!(
                    "The principal does not have required Microsoft Graph permission(s): {wanted} to call this API. For more information about Microsoft Graph permissions, please visit https://learn.microsoft.com/graph/permissions-reference."
                ),
            ),
        }
    }

    /// The refusal of an object that is not there.
    #[must_use]
    pub fn missing(self, id: &str) -> Fail {
        match self {
            Self::ConditionalAccess => {
                Fail::new(404, "ResourceNotFound", format!("{id} could not be found."))
            }
            Self::AuthenticationMethods => {
                Fail::new(404, "resourceNotFound", format!("'{id}' was not found."))
            }
            Self::Exchange => {
                Fail::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
            }
            _ => Fail::new(
                404,
                "Request_ResourceNotFound",
                format!(
                    "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
                ),
            ),
        }
    }

    /// The limit that the service's requests count against.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Directory => Bucket::Directory,
            // One limit for both, and for all apps together.
            Self::ConditionalAccess | Self::IdentityProtection => Bucket::Policy,
            Self::Reports | Self::AuthenticationMethods => Bucket::Reports,
            Self::Exchange => Bucket::Outlook,
            Self::MessageTrace => Bucket::MessageTrace,
            Self::Hunting => Bucket::Hunting,
            Self::AuditSearch => Bucket::AuditSearch,
        }
    }
}

/// In which versions a route exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Both.
    Both,
    /// Beta alone.
    Beta,
}

impl Versions {
    /// Whether the route exists in a version.
    #[must_use]
    pub fn has(self, version: Version) -> bool {
        self == Self::Both || version == Version::Beta
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug)]
pub enum Permissions {
    /// Any of these sets, the whole of it.
    AnyOf(&'static [&'static [&'static str]]),
    /// The per-kind permission of the collection in the path, or the general one: `Read` or `ReadWrite`.
    ByKind(&'static str),
    /// Any of these sets, and only for a person who signed in.
    Delegated(&'static [&'static [&'static str]]),
    /// What the body changes decides; the handler refuses.
    ByBody,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Route {
    /// Method.
    pub method: &'static str,
    /// Path behind the version; `{}` stands for any one segment.
    pub path: &'static str,
    /// In which versions.
    pub versions: Versions,
    /// Behind it.
    pub service: Service,
    /// Who may call it.
    pub permissions: Permissions,
    /// Whether it writes.
    pub write: bool,
    /// What it runs.
    pub handler: Handler,
}

impl Route {
    /// The limit that its requests count against. Security defaults are answered by Conditional Access' service, and
    /// are none of the resources that its limit names (policy-logs-auth.md 7.1).
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        match self.path {
            "/policies/identitySecurityDefaultsEnforcementPolicy" => Bucket::Directory,
            _ => self.service.bucket(),
        }
    }
}

impl Route {
    /// Whether the route's path fits these segments; returns the variable ones.
    #[must_use]
    pub fn fit(&self, segments: &[String]) -> Option<Vec<String>> {
        let mut variable = Vec::new();
        let mut own = self.path.split('/').filter(|part| !part.is_empty());
        for segment in segments {
            match own.next()? {
                "{}" => variable.push(segment.clone()),
                literal if literal.eq_ignore_ascii_case(segment) => {}
                _ => return None,
            }
        }
        own.next().is_none().then_some(variable)
    }
}

const fn read(
    path: &'static str,
    versions: Versions,
    service: Service,
    permissions: Permissions,
    handler: fn(&crate::tenant::Tenant, &crate::api::Call) -> Result<crate::api::Reply, Fail>,
) -> Route {
    Route {
        method: "GET",
        path,
        versions,
        service,
        permissions,
        write: false,
        handler: Handler::Read(handler),
    }
}

const fn write(
    method: &'static str,
    path: &'static str,
    service: Service,
    permissions: Permissions,
    handler: fn(&mut crate::tenant::Tenant, &crate::api::Call) -> Result<crate::api::Reply, Fail>,
) -> Route {
    Route {
        method,
        path,
        versions: Versions::Both,
        service,
        permissions,
        write: true,
        handler: Handler::Write(handler),
    }
}

use Permissions::{AnyOf, ByBody, ByKind, Delegated};
use Service::{AuthenticationMethods, ConditionalAccess, Directory, IdentityProtection, Reports};
use Versions::{Beta, Both};

const USER_READ: Permissions = AnyOf(&[
    &["User.Read.All"],
    &["User.ReadWrite.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const MEMBER_READ: Permissions = AnyOf(&[&["Directory.Read.All"], &["Directory.ReadWrite.All"]]);
const REVOKE: Permissions =
    AnyOf(&[&["User.RevokeSessions.All"], &["User.ReadWrite.All"], &["Directory.ReadWrite.All"]]);
const METHODS_READ: Permissions =
    AnyOf(&[&["UserAuthenticationMethod.Read.All"], &["UserAuthenticationMethod.ReadWrite.All"]]);
const METHODS_WRITE: Permissions = AnyOf(&[&["UserAuthenticationMethod.ReadWrite.All"]]);
const METHOD_POLICY_READ: Permissions =
    AnyOf(&[&["Policy.Read.AuthenticationMethod"], &["Policy.ReadWrite.AuthenticationMethod"]]);
const RISK_READ: Permissions =
    AnyOf(&[&["IdentityRiskyUser.Read.All"], &["IdentityRiskyUser.ReadWrite.All"]]);
const REQUIREMENTS: &str = "/users/{}/authentication/requirements";
const REQUIREMENTS_READ: Permissions =
    AnyOf(&[&["Policy.Read.All"], &["Policy.ReadWrite.AuthenticationMethod"]]);
const REQUIREMENTS_WRITE: Permissions = AnyOf(&[&["Policy.ReadWrite.AuthenticationMethod"]]);
const RISK_WRITE: Permissions = AnyOf(&[&["IdentityRiskyUser.ReadWrite.All"]]);
const ROLES_READ: Permissions = AnyOf(&[
    &["RoleManagement.Read.Directory"],
    &["RoleManagement.ReadWrite.Directory"],
    &["RoleManagement.Read.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const ELIGIBILITY_READ: Permissions = AnyOf(&[
    &["RoleEligibilitySchedule.Read.Directory"],
    &["RoleManagement.Read.Directory"],
    &["RoleManagement.Read.All"],
    &["RoleManagement.ReadWrite.Directory"],
]);
const SCHEDULE_READ: Permissions = AnyOf(&[
    &["RoleAssignmentSchedule.Read.Directory"],
    &["RoleManagement.Read.Directory"],
    &["RoleManagement.Read.All"],
    &["RoleManagement.ReadWrite.Directory"],
]);
const GROUP_READ: Permissions = AnyOf(&[
    &["GroupMember.Read.All"],
    &["GroupMember.ReadWrite.All"],
    &["Group.Read.All"],
    &["Group.ReadWrite.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const ORGANIZATION_READ: Permissions = AnyOf(&[
    &["Organization.Read.All"],
    &["Directory.Read.All"],
    &["User.Read.All"],
    &["Directory.ReadWrite.All"],
    &["User.ReadWrite.All"],
]);
const SKU_READ: Permissions = AnyOf(&[
    &["LicenseAssignment.Read.All"],
    &["Organization.Read.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const DOMAIN_READ: Permissions = AnyOf(&[
    &["Domain.Read.All"],
    &["Domain.ReadWrite.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const POLICY_READ: Permissions = AnyOf(&[&["Policy.Read.All"]]);
const LOCATION_WRITE: Permissions = AnyOf(&[&["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]]);
const POLICY_WRITE: Permissions =
    AnyOf(&[&["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"]]);
const EVALUATE: Permissions = AnyOf(&[
    &["Policy.Read.ConditionalAccess"],
    &["Policy.Read.All"],
    &["Policy.ReadWrite.ConditionalAccess"],
]);
const LOG_READ: Permissions = AnyOf(&[&["AuditLog.Read.All"]]);
const AUDIT_READ: Permissions = AnyOf(&[&["AuditLog.Read.All"], &["Directory.Read.All"]]);

/// Every route.
pub fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(objects::ROUTES)
}

/// Users, methods, roles, policies, logs.
static ROUTES: &[Route] = &[
    // users
    read("/users", Both, Directory, USER_READ, users::list_users),
    read("/users/{}", Both, Directory, USER_READ, users::get_user),
    write("PATCH", "/users/{}", Directory, ByBody, user_changes::patch_user),
    write("POST", "/users/{}/revokeSignInSessions", Directory, REVOKE, user_changes::revoke_sign_in_sessions),
    read(
        "/directory/deletedItems/microsoft.graph.user",
        Both,
        Directory,
        USER_READ,
        users::list_deleted_users,
    ),
    read("/directory/deletedItems/{}", Both, Directory, USER_READ, users::get_deleted_item),
    // groups and roles
    read("/users/{}/memberOf", Both, Directory, MEMBER_READ, groups::member_of),
    read("/users/{}/transitiveMemberOf", Both, Directory, USER_READ, groups::transitive_member_of),
    read(
        "/users/{}/transitiveMemberOf/microsoft.graph.group",
        Both,
        Directory,
        USER_READ,
        groups::transitive_member_of_groups,
    ),
    read("/groups", Both, Directory, GROUP_READ, groups::list_groups),
    read("/groups/{}", Both, Directory, GROUP_READ, groups::get_group),
    read("/groups/{}/members", Both, Directory, GROUP_READ, groups::group_members),
    read("/groups/{}/transitiveMembers", Both, Directory, GROUP_READ, groups::group_transitive_members),
    read(
        "/groups/{}/transitiveMembers/microsoft.graph.user",
        Both,
        Directory,
        GROUP_READ,
        groups::group_transitive_users,
    ),
    read(
        "/roleManagement/directory/roleAssignments",
        Both,
        Directory,
        ROLES_READ,
        roles::list_role_assignments,
    ),
    read(
        "/roleManagement/directory/roleDefinitions",
        Both,
        Directory,
        ROLES_READ,
        roles::list_role_definitions,
    ),
    read(
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        Both,
        Directory,
        ELIGIBILITY_READ,
        roles::list_role_eligibility_schedule_instances,
    ),
    read(
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        Both,
        Directory,
        SCHEDULE_READ,
        roles::list_role_assignment_schedule_instances,
    ),
    read(
        "/roleManagement/directory/transitiveRoleAssignments",
        Beta,
        Directory,
        ROLES_READ,
        roles::transitive_role_assignments,
    ),
    // authentication methods
    read(
        "/users/{}/authentication/methods",
        Both,
        AuthenticationMethods,
        METHODS_READ,
        methods::list_methods,
    ),
    write(
        "DELETE",
        "/users/{}/authentication/methods/{}",
        AuthenticationMethods,
        METHODS_WRITE,
        methods::delete_untyped,
    ),
    Route {
        versions: Beta,
        ..read(
            "/users/{}/authentication/signInPreferences",
            Beta,
            AuthenticationMethods,
            METHODS_READ,
            methods::get_sign_in_preferences,
        )
    },
    Route {
        versions: Beta,
        ..write(
            "PATCH",
            "/users/{}/authentication/signInPreferences",
            AuthenticationMethods,
            METHODS_WRITE,
            methods::patch_sign_in_preferences,
        )
    },
    read(
        REQUIREMENTS,
        Beta,
        AuthenticationMethods,
        REQUIREMENTS_READ,
        registration_details::get_requirements,
    ),
    Route {
        versions: Beta,
        ..write(
            "PATCH",
            REQUIREMENTS,
            AuthenticationMethods,
            REQUIREMENTS_WRITE,
            registration_details::patch_requirements,
        )
    },
    write(
        "POST",
        "/users/{}/authentication/methods/{}/resetPassword",
        AuthenticationMethods,
        Delegated(&[&["UserAuthenticationMethod.ReadWrite.All"]]),
        password_reset::reset,
    ),
    write(
        "POST",
        "/users/{}/authentication/passwordMethods/{}/resetPassword",
        AuthenticationMethods,
        Delegated(&[&["UserAuthMethod-Password.ReadWrite.All"], &["UserAuthenticationMethod.ReadWrite.All"]]),
        password_reset::reset,
    ),
    read(
        "/users/{}/authentication/operations/{}",
        Both,
        AuthenticationMethods,
        Delegated(&[
            &["UserAuthenticationMethod.ReadWrite.All"],
            &["UserAuthenticationMethod.Read.All"],
            &["UserAuthMethod-Password.ReadWrite.All"],
        ]),
        password_reset::operation,
    ),
    read("/users/{}/authentication/{}", Both, AuthenticationMethods, ByKind("Read"), methods::list_kind),
    read("/users/{}/authentication/{}/{}", Both, AuthenticationMethods, ByKind("Read"), methods::get_kind),
    write(
        "DELETE",
        "/users/{}/authentication/{}",
        AuthenticationMethods,
        ByKind("ReadWrite"),
        methods::delete_kind,
    ),
    write(
        "DELETE",
        "/users/{}/authentication/{}/{}",
        AuthenticationMethods,
        ByKind("ReadWrite"),
        methods::delete_kind,
    ),
    write(
        "POST",
        "/users/{}/authentication/{}",
        AuthenticationMethods,
        ByKind("ReadWrite"),
        registrations::register,
    ),
    write(
        "PATCH",
        "/users/{}/authentication/{}/{}",
        AuthenticationMethods,
        ByKind("ReadWrite"),
        registrations::change,
    ),
    read(
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}",
        Both,
        AuthenticationMethods,
        METHOD_POLICY_READ,
        registrations::get_configuration,
    ),
    // Identity Protection
    read("/identityProtection/riskyUsers", Both, IdentityProtection, RISK_READ, risky_users::list),
    read("/identityProtection/riskyUsers/{}", Both, IdentityProtection, RISK_READ, risky_users::get),
    write(
        "POST",
        "/identityProtection/riskyUsers/confirmCompromised",
        IdentityProtection,
        RISK_WRITE,
        risky_users::confirm_compromised,
    ),
    write(
        "POST",
        "/identityProtection/riskyUsers/dismiss",
        IdentityProtection,
        RISK_WRITE,
        risky_users::dismiss,
    ),
    write(
        "POST",
        "/identityProtection/riskyUsers/confirmSafe",
        IdentityProtection,
        RISK_WRITE,
        risky_users::confirm_safe,
    ),
    // the tenant
    read("/organization", Both, Directory, ORGANIZATION_READ, organization::list_organization),
    read("/subscribedSkus", Both, Directory, SKU_READ, organization::list_subscribed_skus),
    read(
        "/directory/onPremisesSynchronization",
        Both,
        Directory,
        Delegated(&[
            &["OnPremDirectorySynchronization.Read.All"],
            &["OnPremDirectorySynchronization.ReadWrite.All"],
        ]),
        organization::list_on_premises_synchronization,
    ),
    read("/domains", Both, Directory, DOMAIN_READ, organization::list_domains),
    read("/domains/{}", Both, Directory, DOMAIN_READ, organization::get_domain),
    read(
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        Both,
        ConditionalAccess,
        POLICY_READ,
        organization::get_security_defaults,
    ),
    // Conditional Access
    read(
        "/identity/conditionalAccess/namedLocations",
        Both,
        ConditionalAccess,
        POLICY_READ,
        named_locations::list,
    ),
    read(
        "/identity/conditionalAccess/namedLocations/{}",
        Both,
        ConditionalAccess,
        POLICY_READ,
        named_locations::get,
    ),
    write(
        "POST",
        "/identity/conditionalAccess/namedLocations",
        ConditionalAccess,
        LOCATION_WRITE,
        named_locations::create,
    ),
    write(
        "PATCH",
        "/identity/conditionalAccess/namedLocations/{}",
        ConditionalAccess,
        LOCATION_WRITE,
        named_locations::update,
    ),
    write(
        "DELETE",
        "/identity/conditionalAccess/namedLocations/{}",
        ConditionalAccess,
        LOCATION_WRITE,
        named_locations::delete,
    ),
    read("/identity/conditionalAccess/policies", Both, ConditionalAccess, POLICY_READ, policies::list),
    read("/identity/conditionalAccess/policies/{}", Both, ConditionalAccess, POLICY_READ, policies::get),
    write("POST", "/identity/conditionalAccess/policies", ConditionalAccess, POLICY_WRITE, policies::create),
    write(
        "PATCH",
        "/identity/conditionalAccess/policies/{}",
        ConditionalAccess,
        POLICY_WRITE,
        policies::update,
    ),
    write(
        "DELETE",
        "/identity/conditionalAccess/policies/{}",
        ConditionalAccess,
        LOCATION_WRITE,
        policies::delete,
    ),
    Route {
        method: "POST",
        ..read("/identity/conditionalAccess/evaluate", Both, ConditionalAccess, EVALUATE, evaluate::evaluate)
    },
    // logs
    read("/auditLogs/signIns", Both, Reports, LOG_READ, logs::list_sign_ins),
    read("/auditLogs/signIns/{}", Both, Reports, LOG_READ, logs::get_sign_in),
    read("/auditLogs/directoryAudits", Both, Reports, AUDIT_READ, logs::list_audits),
    read("/auditLogs/directoryAudits/{}", Both, Reports, AUDIT_READ, logs::get_audit),
];

/// What a path and method come to.
pub enum Found {
    /// A route, with the variable segments.
    Route(&'static Route, Vec<String>),
    /// The path is known, the method is not.
    WrongMethod,
    /// The path exists in beta alone.
    BetaOnly,
    /// No such path.
    Unknown,
}

/// Finds the route of a request.
#[must_use]
pub fn find(method: &str, version: Version, segments: &[String]) -> Found {
    let mut found = Found::Unknown;
    for route in all() {
        let Some(variable) = route.fit(segments) else { continue };
        if !route.versions.has(version) {
            found = Found::BetaOnly;
            continue;
        }
        if route.method == method {
            return Found::Route(route, variable);
        }
        found = Found::WrongMethod;
    }
    found
}
