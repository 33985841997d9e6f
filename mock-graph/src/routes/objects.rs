//! Rows for the objects around an account: devices, grants, apps, mailboxes, roles and groups as they are changed, and
//! what is asked of other services.

use super::Permissions::AnyOf;
use super::Service::{AuditSearch, Directory, Exchange, Hunting, IdentityProtection, MessageTrace, Reports};
use super::Versions::Both;
use super::{LOG_READ, Permissions, ROLES_READ, Route, USER_READ, read, write};
use crate::handlers::{
    applications, audit_queries, devices, grants, group_changes, hunting, inbox_rules, mailbox,
    message_traces, registration_details, risk_detections, roles,
};

const DEVICE_READ: Permissions = AnyOf(&[
    &["Device.Read.All"],
    &["Device.ReadWrite.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
/// The second is a person's, the first an app's.
const DEVICE_WRITE: Permissions = AnyOf(&[&["Device.ReadWrite.All"], &["Directory.AccessAsUser.All"]]);
const APPLICATION_READ: Permissions = AnyOf(&[
    &["Application.Read.All"],
    &["Application.ReadWrite.All"],
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
]);
const APPLICATION_WRITE: Permissions = AnyOf(&[&["Application.ReadWrite.All"]]);
const GRANT_READ: Permissions = AnyOf(&[
    &["Directory.Read.All"],
    &["Directory.ReadWrite.All"],
    &["DelegatedPermissionGrant.ReadWrite.All"],
]);
const GRANT_WRITE: Permissions = AnyOf(&[&["DelegatedPermissionGrant.ReadWrite.All"]]);
const ASSIGNMENT_READ: Permissions =
    AnyOf(&[&["Directory.Read.All"], &["Directory.ReadWrite.All"], &["AppRoleAssignment.ReadWrite.All"]]);
const ASSIGNMENT_WRITE: Permissions = AnyOf(&[&["AppRoleAssignment.ReadWrite.All"]]);
const ROLES_WRITE: Permissions = AnyOf(&[&["RoleManagement.ReadWrite.Directory"]]);
const GROUP_CREATE: Permissions =
    AnyOf(&[&["Group.Create"], &["Group.ReadWrite.All"], &["Directory.ReadWrite.All"]]);
const MEMBERS_WRITE: Permissions = AnyOf(&[&["GroupMember.ReadWrite.All"], &["Group.ReadWrite.All"]]);
const MAILBOX_READ: Permissions = AnyOf(&[&["MailboxSettings.Read"], &["MailboxSettings.ReadWrite"]]);
const MAILBOX_WRITE: Permissions = AnyOf(&[&["MailboxSettings.ReadWrite"]]);
const MAIL_READ: Permissions =
    AnyOf(&[&["Mail.ReadBasic.All"], &["Mail.ReadBasic"], &["Mail.Read"], &["Mail.ReadWrite"]]);
const TRACE_READ: Permissions = AnyOf(&[&["ExchangeMessageTrace.Read.All"]]);
const HUNT: Permissions = AnyOf(&[&["ThreatHunting.Read.All"]]);

const SEARCH: Permissions = AnyOf(&[
    &["AuditLogsQuery-Entra.Read.All"],
    &["AuditLogsQuery-Exchange.Read.All"],
    &["AuditLogsQuery-SharePoint.Read.All"],
    &["AuditLogsQuery-OneDrive.Read.All"],
    &["AuditLogsQuery.Read.All"],
]);
const DETECTION_READ: Permissions = AnyOf(&[&["IdentityRiskEvent.Read.All"]]);

const QUERIES: &str = "/security/auditLog/queries";
const QUERY: &str = "/security/auditLog/queries/{}";
const DETECTIONS: &str = "/identityProtection/riskDetections";
const REGISTRATION: &str = "/reports/authenticationMethods/userRegistrationDetails";
const RULES: &str = "/users/{}/mailFolders/inbox/messageRules";
const RULE: &str = "/users/{}/mailFolders/inbox/messageRules/{}";
const SETTINGS: &str = "/users/{}/mailboxSettings";
const TRACES: &str = "/admin/exchange/tracing/messageTraces";
const ASSIGNMENTS: &str = "/roleManagement/directory/roleAssignments";
const ASSIGNMENT: &str = "/roleManagement/directory/roleAssignments/{}";
const GRANTS: &str = "/oauth2PermissionGrants";
const GRANT: &str = "/oauth2PermissionGrants/{}";

pub(super) static ROUTES: &[Route] = &[
    // devices
    read("/users/{}/registeredDevices", Both, Directory, USER_READ, devices::registered_devices),
    read(
        "/users/{}/registeredDevices/microsoft.graph.device",
        Both,
        Directory,
        USER_READ,
        devices::registered_devices,
    ),
    read("/users/{}/ownedDevices", Both, Directory, USER_READ, devices::owned_devices),
    read("/users/{}/ownedDevices/microsoft.graph.device", Both, Directory, USER_READ, devices::owned_devices),
    read("/devices", Both, Directory, DEVICE_READ, devices::list_devices),
    read("/devices/{}", Both, Directory, DEVICE_READ, devices::get_device),
    read("/devices/{}/registeredOwners", Both, Directory, DEVICE_READ, devices::registered_owners),
    read("/devices/{}/registeredUsers", Both, Directory, DEVICE_READ, devices::registered_users),
    write("PATCH", "/devices/{}", Directory, DEVICE_WRITE, devices::patch_device),
    write("DELETE", "/devices/{}", Directory, DEVICE_WRITE, devices::delete_device),
    // apps and what they may do
    read("/servicePrincipals", Both, Directory, APPLICATION_READ, applications::list_service_principals),
    read("/servicePrincipals/{}", Both, Directory, APPLICATION_READ, applications::get_service_principal),
    write(
        "PATCH",
        "/servicePrincipals/{}",
        Directory,
        APPLICATION_WRITE,
        applications::patch_service_principal,
    ),
    read("/applications", Both, Directory, APPLICATION_READ, applications::list_applications),
    read("/applications/{}", Both, Directory, APPLICATION_READ, applications::get_application),
    read(GRANTS, Both, Directory, GRANT_READ, grants::list_grants),
    write("POST", GRANTS, Directory, GRANT_WRITE, grants::create_grant),
    read(GRANT, Both, Directory, GRANT_READ, grants::get_grant),
    write("PATCH", GRANT, Directory, GRANT_WRITE, grants::patch_grant),
    write("DELETE", GRANT, Directory, GRANT_WRITE, grants::delete_grant),
    read("/users/{}/oauth2PermissionGrants", Both, Directory, GRANT_READ, grants::user_grants),
    read(
        "/servicePrincipals/{}/oauth2PermissionGrants",
        Both,
        Directory,
        GRANT_READ,
        grants::principal_grants,
    ),
    read("/users/{}/appRoleAssignments", Both, Directory, ASSIGNMENT_READ, grants::user_assignments),
    write(
        "POST",
        "/users/{}/appRoleAssignments",
        Directory,
        ASSIGNMENT_WRITE,
        grants::create_user_assignment,
    ),
    write(
        "DELETE",
        "/users/{}/appRoleAssignments/{}",
        Directory,
        ASSIGNMENT_WRITE,
        grants::delete_user_assignment,
    ),
    read(
        "/servicePrincipals/{}/appRoleAssignments",
        Both,
        Directory,
        ASSIGNMENT_READ,
        grants::principal_assignments,
    ),
    write(
        "DELETE",
        "/servicePrincipals/{}/appRoleAssignments/{}",
        Directory,
        ASSIGNMENT_WRITE,
        grants::delete_principal_assignment,
    ),
    read(
        "/servicePrincipals/{}/appRoleAssignedTo",
        Both,
        Directory,
        ASSIGNMENT_READ,
        grants::principal_assigned_to,
    ),
    write(
        "DELETE",
        "/servicePrincipals/{}/appRoleAssignedTo/{}",
        Directory,
        ASSIGNMENT_WRITE,
        grants::delete_assigned_to,
    ),
    // roles and groups, changed
    read(ASSIGNMENT, Both, Directory, ROLES_READ, roles::get_role_assignment),
    write("POST", ASSIGNMENTS, Directory, ROLES_WRITE, roles::create_role_assignment),
    write("DELETE", ASSIGNMENT, Directory, ROLES_WRITE, roles::delete_role_assignment),
    read("/directoryRoles", Both, Directory, ROLES_READ, roles::list_directory_roles),
    read("/directoryRoles/{}/members", Both, Directory, ROLES_READ, roles::directory_role_members),
    write("POST", "/groups", Directory, GROUP_CREATE, group_changes::create_group),
    write("POST", "/groups/{}/members/$ref", Directory, MEMBERS_WRITE, group_changes::add_member),
    write("DELETE", "/groups/{}/members/{}/$ref", Directory, MEMBERS_WRITE, group_changes::remove_member),
    // mailboxes
    read(RULES, Both, Exchange, MAILBOX_READ, inbox_rules::list),
    write("POST", RULES, Exchange, MAILBOX_WRITE, inbox_rules::create),
    read(RULE, Both, Exchange, MAILBOX_READ, inbox_rules::get),
    write("PATCH", RULE, Exchange, MAILBOX_WRITE, inbox_rules::update),
    write("DELETE", RULE, Exchange, MAILBOX_WRITE, inbox_rules::delete),
    read(SETTINGS, Both, Exchange, MAILBOX_READ, mailbox::get_settings),
    write("PATCH", SETTINGS, Exchange, MAILBOX_WRITE, mailbox::patch_settings),
    read("/users/{}/mailboxSettings/{}", Both, Exchange, MAILBOX_READ, mailbox::get_setting),
    read("/users/{}/mailFolders/{}", Both, Exchange, MAIL_READ, mailbox::get_folder),
    // other services
    read(TRACES, Both, MessageTrace, TRACE_READ, message_traces::list),
    read(
        "/admin/exchange/tracing/messageTraces/{}/getDetailsByRecipient/{}",
        Both,
        MessageTrace,
        TRACE_READ,
        message_traces::details,
    ),
    Route { method: "POST", ..read("/security/runHuntingQuery", Both, Hunting, HUNT, hunting::run) },
    read(QUERIES, Both, AuditSearch, SEARCH, audit_queries::list),
    write("POST", QUERIES, AuditSearch, SEARCH, audit_queries::create),
    read(QUERY, Both, AuditSearch, SEARCH, audit_queries::get),
    write("DELETE", QUERY, AuditSearch, SEARCH, audit_queries::delete),
    read("/security/auditLog/queries/{}/records", Both, AuditSearch, SEARCH, audit_queries::records),
    read(DETECTIONS, Both, IdentityProtection, DETECTION_READ, risk_detections::list),
    read(
        "/identityProtection/riskDetections/{}",
        Both,
        IdentityProtection,
        DETECTION_READ,
        risk_detections::get,
    ),
    read(REGISTRATION, Both, Reports, LOG_READ, registration_details::list),
    read(
        "/reports/authenticationMethods/userRegistrationDetails/{}",
        Both,
        Reports,
        LOG_READ,
        registration_details::get,
    ),
];
