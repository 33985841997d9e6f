//! What apps may do: delegated grants and app role assignments, read and taken away (identity.md 8).

use serde_json::{Value, json};

use super::applications::{GRAPH, app_role_id, principal_id, principals};
use super::directory_audit::{Target, append, append_for};
use super::lookup::{check_properties, find_object, find_user, not_found, object_mut, text, user_id};
use super::privilege::groups_of;
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::sign_in::derive_id;
use crate::tenant::Tenant;

/// Grants are filtered by `eq` alone.
const GRANT_RULES: Rules = Rules {
    directory: true,
    filterable: Some(&["clientId eq", "consentType eq", "principalId eq", "resourceId eq"]),
    ..Rules::PLAIN
};
const ASSIGNMENT_RULES: Rules = Rules { directory: true, ..Rules::PLAIN };

fn bad(message: impl Into<String>) -> Fail {
    Fail::new(400, "Request_BadRequest", message)
}

/// `GET /oauth2PermissionGrants`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_grants(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&tenant.oauth2_permission_grants, call, &GRANT_RULES)
}

/// `GET /users/{id}/oauth2PermissionGrants`: this user's own; tenant-wide ones are not among them.
///
/// # Errors
/// 404.
pub fn user_grants(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let rows: Vec<Value> = tenant
        .oauth2_permission_grants
        .iter()
        .filter(|own| text(own, "consentType") == "Principal" && text(own, "principalId") == id)
        .cloned()
        .collect();
    odata::collection(&rows, call, &GRANT_RULES)
}

/// `GET /servicePrincipals/{id}/oauth2PermissionGrants`: of this app, by everybody.
///
/// # Errors
/// 404.
pub fn principal_grants(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows = principals(tenant);
    let id = text(find_object(&rows, call.segment(0), "appId")?, "id");
    let grants: Vec<Value> =
        tenant.oauth2_permission_grants.iter().filter(|own| text(own, "clientId") == id).cloned().collect();
    odata::collection(&grants, call, &GRANT_RULES)
}

fn find_grant<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Fail> {
    // Ids of grants are base64 text: unlike those of other objects their case counts.
    tenant.oauth2_permission_grants.iter().find(|own| text(own, "id") == id).ok_or_else(|| not_found(id))
}

/// `GET /oauth2PermissionGrants/{id}`
///
/// # Errors
/// 404.
pub fn get_grant(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    Ok(odata::entity(find_grant(tenant, call.segment(0))?, call, &[]))
}

fn record_grant(tenant: &mut Tenant, call: &Call, grant: &Value, activity: &str) {
    let scope = [("DelegatedPermissionGrant.Scope", json!(text(grant, "scope")))];
    if text(grant, "consentType") == "Principal" {
        append(tenant, call, text(grant, "principalId"), activity, "Core Directory", &scope);
        return;
    }
    let target = Target {
        id: text(grant, "clientId"),
        kind: "ServicePrincipal",
        category: "ApplicationManagement",
        name: None,
        upn: None,
    };
    append_for(tenant, call, &target, activity, "Core Directory", &scope);
}

/// `POST /oauth2PermissionGrants`: a removed grant put back gets a new id.
///
/// # Errors
/// 400 for a grant that is none, or that is there already.
pub fn create_grant(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_properties(
        call,
        "OAuth2PermissionGrant",
        &["clientId", "consentType", "principalId", "resourceId", "scope", "startTime", "expiryTime"],
    )?;
    let word = |key: &str| text(&call.body, key).to_owned();
    let consent = word("consentType");
    let rows = principals(tenant);
    for side in ["clientId", "resourceId"] {
        find_object(&rows, &word(side), "appId")?;
    }
    match (consent.as_str(), word("principalId").as_str()) {
        ("Principal", id) => drop(user_id(tenant, id)?),
        ("AllPrincipals", "") => {}
        ("AllPrincipals", _) => {
            return Err(bad("principalId must be null where consentType is AllPrincipals."));
        }
        _ => {
            return Err(bad(
                "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.",
            ));
        }
    }
    let same = |own: &Value| {
        ["clientId", "consentType", "principalId", "resourceId"]
            .iter()
            .all(|key| text(own, key).eq_ignore_ascii_case(&word(key)))
    };
    if tenant.oauth2_permission_grants.iter().any(same) {
        return Err(bad("Permission entry already exists."));
    }
    let mut grant = call.body.clone();
    if let Some(entries) = grant.as_object_mut() {
        entries.insert("id".to_owned(), derive_id(&call.new_id).replace('-', "").into());
        entries.entry("principalId").or_insert(Value::Null);
    }
    tenant.oauth2_permission_grants.push(grant.clone());
    record_grant(tenant, call, &grant, "Add delegated permission grant");
    Ok(Reply::created(grant))
}

/// `PATCH /oauth2PermissionGrants/{id}`: narrows or widens its scope.
///
/// # Errors
/// 404; 400 for anything but a scope.
pub fn patch_grant(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_properties(call, "OAuth2PermissionGrant", &["scope"])?;
    let id = text(find_grant(tenant, call.segment(0))?, "id").to_owned();
    let scope = call.body.get("scope").filter(|scope| scope.is_string()).cloned().ok_or_else(|| {
        bad("Invalid value specified for property 'scope' of resource 'OAuth2PermissionGrant'.")
    })?;
    if let Some(entries) =
        object_mut(&mut tenant.oauth2_permission_grants, &id).and_then(Value::as_object_mut)
    {
        entries.insert("scope".to_owned(), scope);
    }
    let grant = find_grant(tenant, &id)?.clone();
    record_grant(tenant, call, &grant, "Update delegated permission grant");
    Ok(Reply::no_content())
}

/// `DELETE /oauth2PermissionGrants/{id}`
///
/// # Errors
/// 404.
pub fn delete_grant(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let grant = find_grant(tenant, call.segment(0))?.clone();
    tenant.oauth2_permission_grants.retain(|own| text(own, "id") != text(&grant, "id"));
    record_grant(tenant, call, &grant, "Remove delegated permission grant");
    Ok(Reply::no_content())
}

/// Every assignment: those of the file, and the application permissions of what may sign in.
fn assignments(tenant: &Tenant) -> Vec<Value> {
    let mut rows = tenant.app_role_assignments.clone();
    let graph = principal_id(tenant, GRAPH);
    for own in &tenant.applications {
        let principal = principal_id(tenant, &own.app_id);
        rows.extend(own.roles.iter().map(|role| {
            json!({
                "id": derive_id(&format!("{principal} {role}")), "appRoleId": app_role_id(role),
                "principalId": principal, "principalType": "ServicePrincipal",
                "principalDisplayName": own.display_name, "resourceId": graph,
                "resourceDisplayName": "Microsoft Graph", "createdDateTime": null
            })
        }));
    }
    rows
}

fn listed(tenant: &Tenant, call: &Call, fits: impl Fn(&Value) -> bool) -> Result<Reply, Fail> {
    let rows: Vec<Value> = assignments(tenant).into_iter().filter(|own| fits(own)).collect();
    odata::collection(&rows, call, &ASSIGNMENT_RULES)
}

/// `GET /users/{id}/appRoleAssignments`: direct ones, and those through groups.
///
/// # Errors
/// 404.
pub fn user_assignments(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = user_id(tenant, call.segment(0))?;
    let groups = groups_of(tenant, &id);
    listed(tenant, call, |own| {
        let principal = text(own, "principalId");
        principal == id || groups.iter().any(|group| group == principal)
    })
}

fn principal_of_path(tenant: &Tenant, call: &Call) -> Result<String, Fail> {
    let rows = principals(tenant);
    find_object(&rows, call.segment(0), "appId").map(|own| text(own, "id").to_owned())
}

/// `GET /servicePrincipals/{id}/appRoleAssignments`: what the app holds.
///
/// # Errors
/// 404.
pub fn principal_assignments(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = principal_of_path(tenant, call)?;
    listed(tenant, call, |own| text(own, "principalId") == id)
}

/// `GET /servicePrincipals/{id}/appRoleAssignedTo`: who holds a role of the app.
///
/// # Errors
/// 404.
pub fn principal_assigned_to(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = principal_of_path(tenant, call)?;
    listed(tenant, call, |own| text(own, "resourceId") == id)
}

/// `POST /users/{id}/appRoleAssignments`
///
/// # Errors
/// 404; 400 for an assignment that is none, or that is there already.
pub fn create_user_assignment(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    check_properties(call, "AppRoleAssignment", &["principalId", "resourceId", "appRoleId"])?;
    let user = find_user(tenant, call.segment(0))?.clone();
    if !text(&call.body, "principalId").eq_ignore_ascii_case(text(&user, "id")) {
        return Err(bad("principalId must be the id of the user in the path."));
    }
    let rows = principals(tenant);
    let resource = find_object(&rows, text(&call.body, "resourceId"), "appId")?;
    let role = text(&call.body, "appRoleId");
    let same = |own: &Value| {
        text(own, "principalId") == text(&user, "id")
            && text(own, "resourceId") == text(resource, "id")
            && text(own, "appRoleId") == role
    };
    if tenant.app_role_assignments.iter().any(same) {
        return Err(bad("Permission being assigned already exists on the object"));
    }
    let assignment = json!({
        "id": derive_id(&call.new_id).replace('-', ""), "appRoleId": role, "principalId": text(&user, "id"),
        "principalType": "User", "principalDisplayName": text(&user, "displayName"),
        "resourceId": text(resource, "id"), "resourceDisplayName": text(resource, "displayName"),
        "createdDateTime": call.now
    });
    tenant.app_role_assignments.push(assignment.clone());
    append(tenant, call, text(&user, "id"), "Add app role assignment grant to user", "Core Directory", &[]);
    Ok(Reply::created(assignment))
}

/// Takes an assignment away, where it is one that the path reaches.
fn remove(tenant: &mut Tenant, call: &Call, fits: impl Fn(&Value) -> bool) -> Result<Reply, Fail> {
    let id = call.segment(1);
    let row = assignments(tenant)
        .into_iter()
        .find(|own| text(own, "id") == id && fits(own))
        .ok_or_else(|| not_found(id))?;
    tenant.app_role_assignments.retain(|own| text(own, "id") != id);
    // An application permission of what may sign in is a role of its own.
    for own in 0..tenant.applications.len() {
        let app = tenant.applications.get(own).map(|own| own.app_id.clone()).unwrap_or_default();
        if principal_id(tenant, &app) == text(&row, "principalId")
            && let Some(application) = tenant.applications.get_mut(own)
        {
            application.roles.retain(|role| app_role_id(role) != text(&row, "appRoleId"));
        }
    }
    let is_user = text(&row, "principalType") == "User";
    let activity = if is_user {
        "Remove app role assignment from user"
    } else {
        "Remove app role assignment from service principal"
    };
    let principal = text(&row, "principalId");
    if is_user {
        append(tenant, call, principal, activity, "Core Directory", &[]);
    } else {
        let target = Target {
            id: principal,
            kind: "ServicePrincipal",
            category: "ApplicationManagement",
            name: None,
            upn: None,
        };
        append_for(tenant, call, &target, activity, "Core Directory", &[]);
    }
    Ok(Reply::no_content())
}

/// `DELETE /users/{id}/appRoleAssignments/{id}`: a direct one; what comes through a group is not found here.
///
/// # Errors
/// 404.
pub fn delete_user_assignment(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = user_id(tenant, call.segment(0))?;
    remove(tenant, call, |own| text(own, "principalId") == user)
}

/// `DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}`
///
/// # Errors
/// 404.
pub fn delete_assigned_to(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = principal_of_path(tenant, call)?;
    remove(tenant, call, |own| text(own, "resourceId") == id)
}

/// `DELETE /servicePrincipals/{id}/appRoleAssignments/{id}`
///
/// # Errors
/// 404.
pub fn delete_principal_assignment(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = principal_of_path(tenant, call)?;
    remove(tenant, call, |own| text(own, "principalId") == id)
}
