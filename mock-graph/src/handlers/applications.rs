//! Service principals and app registrations (identity.md 8). What may sign in by the tenant file has both, whether or
//! not the file lists them.

use serde_json::{Value, json};

use super::directory_audit::{Target, append_for};
use super::lookup::{check_properties, find_object, object_mut, text};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::sign_in::derive_id;
use crate::tenant::{Application, Tenant};

const RULES: Rules = Rules { directory: true, ..Rules::PLAIN };

/// Microsoft Graph itself.
pub(super) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Application permissions of Microsoft Graph by appRole id (identity.md 0.1).
const PERMISSIONS: &[(&str, &str)] = &[
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("User.RevokeSessions.All", "77f3a031-c388-4f99-b373-dc68676a979e"),
    ("User-PasswordProfile.ReadWrite.All", "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7"),
    ("User.EnableDisableAccount.All", "3011c876-62b7-4ada-afa2-506cbbecc68c"),
    ("UserAuthenticationMethod.Read.All", "38d9df27-64da-44fd-b7c5-a6fbac20248f"),
    ("UserAuthenticationMethod.ReadWrite.All", "50483e42-d915-4231-9639-7fdb7fd190e5"),
    ("RoleManagement.Read.Directory", "483bed4a-2ad3-4361-a73b-c83ccdbdc53c"),
    ("RoleEligibilitySchedule.Read.Directory", "ff278e11-4a33-4d0c-83d2-d01dc58929a5"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    ("Device.ReadWrite.All", "1138cb37-bd11-4084-a2b7-9f71582aeddb"),
    ("Device.Read.All", "7438b122-aefc-4978-80ed-43db9fcc7715"),
    ("MailboxSettings.Read", "40f97065-369a-49f4-947c-6a255697ae91"),
    ("Mail.ReadBasic.All", "693c5e45-0940-467d-9b8a-1022fb9d42ef"),
    ("MailboxSettings.ReadWrite", "6931bccd-447a-43d1-b442-00a195474933"),
    ("DelegatedPermissionGrant.ReadWrite.All", "8e8e4742-1d95-4f68-9d56-6ee75648c72a"),
    ("AppRoleAssignment.ReadWrite.All", "06b708a9-e830-4db3-a914-8e69da51d44f"),
    ("IdentityRiskyUser.ReadWrite.All", "656f6061-f9fe-4807-9708-6a2e0934df76"),
    ("IdentityRiskEvent.Read.All", "6e472fd1-ad78-48da-a0f0-97ab2c6b769e"),
    ("UserAuthMethod-MicrosoftAuthApp.ReadWrite.All", "c833c349-a1ab-4b6d-94a2-fa9a8674420c"),
    ("UserAuthMethod-TAP.ReadWrite.All", "627169a8-8c15-451c-861a-5b80e383de5c"),
];

/// The appRole id of a permission of Microsoft Graph; one that the contract does not name gets one of the mock's own.
pub(super) fn app_role_id(permission: &str) -> String {
    PERMISSIONS
        .iter()
        .find(|(name, _)| *name == permission)
        .map_or_else(|| derive_id(&format!("appRole {permission}")), |(_, id)| (*id).to_owned())
}

/// The object id of an app's service principal.
pub(crate) fn principal_id(tenant: &Tenant, app_id: &str) -> String {
    tenant
        .service_principals
        .iter()
        .find(|own| text(own, "appId").eq_ignore_ascii_case(app_id))
        .map_or_else(|| derive_id(&format!("servicePrincipal {app_id}")), |own| text(own, "id").to_owned())
}

fn principal_of(tenant: &Tenant, application: &Application) -> Value {
    json!({
        "id": principal_id(tenant, &application.app_id), "appId": application.app_id,
        "displayName": application.display_name, "appDisplayName": application.display_name,
        "appOwnerOrganizationId": tenant.tenant.id, "accountEnabled": true, "servicePrincipalType": "Application",
        "servicePrincipalNames": [application.app_id], "signInAudience": "AzureADMyOrg", "tags": [],
        "publisherName": tenant.tenant.display_name, "createdDateTime": null,
        "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null }
    })
}

/// Every service principal: those of the file, and those of what may sign in. Microsoft Graph's tells its roles.
pub(super) fn principals(tenant: &Tenant) -> Vec<Value> {
    let mut rows = tenant.service_principals.clone();
    for application in &tenant.applications {
        if !rows.iter().any(|own| text(own, "appId").eq_ignore_ascii_case(&application.app_id)) {
            rows.push(principal_of(tenant, application));
        }
    }
    let mut named: Vec<&str> = PERMISSIONS.iter().map(|(name, _)| *name).collect();
    for role in tenant.applications.iter().flat_map(|own| &own.roles) {
        if !named.contains(&role.as_str()) {
            named.push(role);
        }
    }
    let roles: Vec<Value> = named
        .iter()
        .map(|name| {
            json!({ "id": app_role_id(name), "value": name, "displayName": name, "isEnabled": true,
                    "allowedMemberTypes": ["Application"] })
        })
        .collect();
    if let Some(entries) =
        rows.iter_mut().find(|own| text(own, "appId") == GRAPH).and_then(Value::as_object_mut)
    {
        entries.entry("appRoles").or_insert(Value::Array(roles));
    }
    rows
}

/// `GET /servicePrincipals`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_service_principals(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&principals(tenant), call, &RULES)
}

/// `GET /servicePrincipals/{id}`, or by `servicePrincipals(appId='...')`.
///
/// # Errors
/// 404.
pub fn get_service_principal(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows = principals(tenant);
    Ok(odata::entity(find_object(&rows, call.segment(0), "appId")?, call, &[]))
}

/// `PATCH /servicePrincipals/{id}`: disabling it ends the app for everyone.
///
/// # Errors
/// 404; 400 for what cannot be set here.
pub fn patch_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_properties(call, "ServicePrincipal", &["accountEnabled", "tags", "notes"])?;
    if call.body.get("accountEnabled").is_some_and(|enabled| !enabled.is_boolean()) {
        return Err(Fail::new(
            400,
            "Request_BadRequest",
            "Invalid value specified for property 'accountEnabled' of resource 'ServicePrincipal'.",
        ));
    }
    let rows = principals(tenant);
    let row = find_object(&rows, call.segment(0), "appId")?;
    let (id, name) = (text(row, "id").to_owned(), text(row, "displayName").to_owned());
    if object_mut(&mut tenant.service_principals, &id).is_none() {
        tenant.service_principals.push(row.clone());
    }
    if let (Some(entries), Some(sent)) = (
        object_mut(&mut tenant.service_principals, &id).and_then(Value::as_object_mut),
        call.body.as_object(),
    ) {
        entries.extend(sent.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let target = Target {
        id: &id,
        kind: "ServicePrincipal",
        category: "ApplicationManagement",
        name: Some(&name),
        upn: None,
    };
    append_for(tenant, call, &target, "Update service principal", "Core Directory", &[]);
    Ok(Reply::no_content())
}

/// Disables the service principal of an app, as somebody else does.
pub fn disable(tenant: &mut Tenant, app_id: &str) {
    let id = principal_id(tenant, app_id);
    if object_mut(&mut tenant.service_principals, &id).is_none() {
        let made = principals(tenant).into_iter().find(|own| text(own, "id") == id);
        tenant.service_principals.extend(made);
    }
    if let Some(entries) = object_mut(&mut tenant.service_principals, &id).and_then(Value::as_object_mut) {
        entries.insert("accountEnabled".to_owned(), false.into());
    }
}

fn registrations(tenant: &Tenant) -> Vec<Value> {
    tenant
        .applications
        .iter()
        .map(|own| {
            let access: Vec<Value> =
                own.roles.iter().map(|role| json!({ "id": app_role_id(role), "type": "Role" })).collect();
            let credential = |kind: &str, held: bool| -> Vec<Value> {
                if held {
                    vec![json!({ "keyId": derive_id(&format!("{kind} {}", own.app_id)), "displayName": kind,
                                 "startDateTime": null, "endDateTime": null })]
                } else {
                    Vec::new()
                }
            };
            json!({
                "id": derive_id(&format!("application {}", own.app_id)), "appId": own.app_id,
                "displayName": own.display_name, "signInAudience": "AzureADMyOrg",
                "requiredResourceAccess": [{ "resourceAppId": GRAPH, "resourceAccess": access }],
                "passwordCredentials": credential("secret", own.client_secret.is_some()),
                "keyCredentials": credential("certificate", own.certificate.is_some())
            })
        })
        .collect()
}

/// `GET /applications`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_applications(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&registrations(tenant), call, &RULES)
}

/// `GET /applications/{id}`, or by `applications(appId='...')`.
///
/// # Errors
/// 404.
pub fn get_application(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows = registrations(tenant);
    Ok(odata::entity(find_object(&rows, call.segment(0), "appId")?, call, &[]))
}
