//! Directory roles: assignments, eligibility, definitions, activated roles and their members (identity.md 1.3).

use serde_json::{Value, json};

use super::directory_audit::append;
use super::lookup::{find_user, not_found, text};
use super::privilege::groups_of;
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::tenant::Tenant;

/// Built-in roles by template id.
const ROLES: &[(&str, &str)] = &[
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
    ("c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("966707d0-3269-4727-9be2-8c3a10f19b9d", "Password Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
    ("3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator"),
    ("7698a772-787b-4ac8-901f-60d6b08affd2", "Cloud Device Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
    ("95e79109-95c0-4d8e-aee3-d01accf2d47b", "Guest Inviter"),
    ("790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", "Message Center Reader"),
    ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader"),
    ("75934031-6c7e-415a-99d7-48dbd49e875e", "Usage Summary Reports Reader"),
    ("fdd7a751-b60b-444a-984c-02652fe8fa1c", "Groups Administrator"),
    ("d29b2b05-8046-44ba-8758-1e26182fcf32", "Directory Synchronization Accounts"),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    ("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "Security Operator"),
];

/// The template id of a built-in role by its name.
pub(crate) fn role_named(name: &str) -> Option<&'static str> {
    ROLES.iter().find(|(_, own)| *own == name).map(|(id, _)| *id)
}

/// The name of a built-in role by its template id.
pub(crate) fn name_of_role(id: &str) -> Option<&'static str> {
    ROLES.iter().find(|(own, _)| own.eq_ignore_ascii_case(id)).map(|(_, name)| *name)
}

fn definition(id: &str) -> Value {
    let name = name_of_role(id);
    json!({ "id": id, "displayName": name, "templateId": id, "isBuiltIn": name.is_some(), "isEnabled": true })
}

/// What only the schedule of an assignment tells: the file has it beside the assignment.
const OF_SCHEDULE: [&str; 3] = ["assignmentType", "memberType", "endDateTime"];

/// Every active assignment; those that the file gives no id have one of the mock's own.
fn assignments(tenant: &Tenant) -> Vec<Value> {
    let mut rows = scheduled(tenant);
    for entries in rows.iter_mut().filter_map(Value::as_object_mut) {
        entries.retain(|key, _| !OF_SCHEDULE.contains(&key.as_str()));
    }
    rows
}

/// Every active assignment with what its schedule tells, as far as the file does.
fn scheduled(tenant: &Tenant) -> Vec<Value> {
    tenant
        .role_assignments
        .iter()
        .map(|row| {
            let mut row = row.clone();
            let id = crate::sign_in::derive_id(&row.to_string());
            if let Some(entries) = row.as_object_mut() {
                entries.entry("id").or_insert(id.into());
                entries.entry("directoryScopeId").or_insert("/".into());
                entries.entry("appScopeId").or_insert(Value::Null);
            }
            row
        })
        .collect()
}

fn expand(call: &Call, rows: &[Value]) -> Vec<Value> {
    let wanted = call.option("$expand").is_some_and(|expand| expand.contains("roleDefinition"));
    rows.iter()
        .map(|row| {
            let mut row = row.clone();
            if wanted && let Some(entries) = row.as_object_mut() {
                let id =
                    entries.get("roleDefinitionId").and_then(Value::as_str).unwrap_or_default().to_owned();
                entries.insert("roleDefinition".to_owned(), definition(&id));
            }
            row
        })
        .collect()
}

const RULES: Rules = Rules { handled: &["$expand"], ..Rules::PLAIN };

/// `GET /roleManagement/directory/roleAssignments`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_role_assignments(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&expand(call, &assignments(tenant)), call, &RULES)
}

fn find_assignment(tenant: &Tenant, call: &Call) -> Result<Value, Fail> {
    let id = call.segment(0);
    assignments(tenant).into_iter().find(|own| text(own, "id") == id).ok_or_else(|| not_found(id))
}

/// `GET /roleManagement/directory/roleAssignments/{id}`
///
/// # Errors
/// 404.
pub fn get_role_assignment(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows = expand(call, &[find_assignment(tenant, call)?]);
    Ok(odata::entity(rows.first().unwrap_or(&Value::Null), call, &[]))
}

/// `POST /roleManagement/directory/roleAssignments`: a removed assignment put back gets a new id.
///
/// # Errors
/// 400 for what is no assignment, or one that is there already.
pub fn create_role_assignment(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let bad = |message: &str| Fail::new(400, "Request_BadRequest", message);
    let word = |key: &str| text(&call.body, key);
    let (principal, role, scope) = (word("principalId"), word("roleDefinitionId"), word("directoryScopeId"));
    if principal.is_empty() || role.is_empty() || scope.is_empty() {
        return Err(bad("principalId, roleDefinitionId and directoryScopeId are required."));
    }
    if !ROLES.iter().any(|(own, _)| own.eq_ignore_ascii_case(role)) {
        return Err(not_found(role));
    }
    let same = |own: &Value| {
        text(own, "principalId") == principal
            && text(own, "roleDefinitionId") == role
            && text(own, "directoryScopeId") == scope
    };
    if assignments(tenant).iter().any(same) {
        return Err(bad(
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ));
    }
    let row = json!({ "id": format!("{}-1", call.new_id.replace('-', "")), "principalId": principal,
                      "roleDefinitionId": role, "directoryScopeId": scope, "appScopeId": null });
    tenant.role_assignments.push(row.clone());
    record(tenant, call, &row, "Add member to role");
    Ok(Reply::created(row))
}

/// `DELETE /roleManagement/directory/roleAssignments/{id}`
///
/// # Errors
/// 404.
pub fn delete_role_assignment(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let row = find_assignment(tenant, call)?;
    let place = assignments(tenant).iter().position(|own| text(own, "id") == text(&row, "id"));
    if let Some(place) = place {
        tenant.role_assignments.remove(place);
    }
    record(tenant, call, &row, "Remove member from role");
    Ok(Reply::no_content())
}

fn record(tenant: &mut Tenant, call: &Call, row: &Value, activity: &str) {
    let principal = text(row, "principalId");
    if find_user(tenant, principal).is_ok() {
        let id = text(row, "roleDefinitionId");
        let role = [("Role.TemplateId", json!(id)), ("Role.DisplayName", json!(name_of_role(id)))];
        append(tenant, call, principal, activity, "Core Directory", &role);
    }
}

/// `GET /directoryRoles`: those that are activated, which here is those that somebody holds. They do not page.
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_directory_roles(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&activated(tenant), call, &RULES)
}

fn activated(tenant: &Tenant) -> Vec<Value> {
    ROLES
        .iter()
        .filter(|(id, _)| tenant.role_assignments.iter().any(|own| text(own, "roleDefinitionId") == *id))
        .map(|(id, name)| {
            json!({ "id": crate::sign_in::derive_id(&format!("directoryRole {id}")), "displayName": name,
                    "roleTemplateId": id, "description": null, "deletedDateTime": null })
        })
        .collect()
}

/// `GET /directoryRoles/{id}/members`, or by `directoryRoles(roleTemplateId='...')`: active and direct ones.
///
/// # Errors
/// 404 for a role that is not activated.
pub fn directory_role_members(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows = activated(tenant);
    let role = super::lookup::find_object(&rows, call.segment(0), "roleTemplateId")?;
    let holders: Vec<&str> = tenant
        .role_assignments
        .iter()
        .filter(|own| text(own, "roleDefinitionId") == text(role, "roleTemplateId"))
        .map(|own| text(own, "principalId"))
        .collect();
    let members: Vec<Value> = [("user", &tenant.users), ("group", &tenant.groups)]
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |own| (kind, own)))
        .filter(|(_, own)| holders.contains(&text(own, "id")))
        .map(|(kind, own)| {
            json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "id": own.get("id"),
                    "displayName": own.get("displayName"), "userPrincipalName": own.get("userPrincipalName") })
        })
        .collect();
    odata::collection(&members, call, &RULES)
}

/// `GET /roleManagement/directory/roleDefinitions`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_role_definitions(_: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let rows: Vec<Value> = ROLES.iter().map(|(id, _)| definition(id)).collect();
    odata::collection(&rows, call, &RULES)
}

fn check_licence(tenant: &Tenant) -> Result<(), Fail> {
    if tenant.tenant.licences.iter().any(|plan| plan == "AAD_PREMIUM_P2") {
        return Ok(());
    }
    Err(Fail::new(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    ))
}

/// `GET /roleManagement/directory/roleEligibilityScheduleInstances`
///
/// # Errors
/// 400 without a P2 licence.
pub fn list_role_eligibility_schedule_instances(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_licence(tenant)?;
    odata::collection(&expand(call, &tenant.role_eligibility_schedule_instances), call, &RULES)
}

/// `GET /roleManagement/directory/roleAssignmentScheduleInstances`
///
/// # Errors
/// 400 without a P2 licence.
pub fn list_role_assignment_schedule_instances(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_licence(tenant)?;
    let rows: Vec<Value> = scheduled(tenant)
        .into_iter()
        .map(|mut row| {
            if let Some(entries) = row.as_object_mut() {
                entries.entry("assignmentType").or_insert("Assigned".into());
                entries.entry("memberType").or_insert("Direct".into());
                entries.entry("endDateTime").or_insert(Value::Null);
            }
            row
        })
        .collect();
    odata::collection(&expand(call, &rows), call, &RULES)
}

/// `GET /beta/roleManagement/directory/transitiveRoleAssignments`: 404 without `ConsistencyLevel: eventual`.
///
/// # Errors
/// 404 without the header or `$count=true`; 400 without a filter by principal.
pub fn transitive_role_assignments(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    if !call.is_eventual() || call.option("$count") != Some("true") {
        return Err(Fail::new(404, "Request_ResourceNotFound", "Resource not found."));
    }
    let principal = call
        .option("$filter")
        .and_then(|filter| filter.strip_prefix("principalId eq '"))
        .and_then(|rest| rest.strip_suffix('\''))
        .ok_or_else(|| Fail::new(400, "Request_UnsupportedQuery", "Unsupported Query."))?;
    let groups = groups_of(tenant, principal);
    let rows: Vec<Value> = assignments(tenant)
        .into_iter()
        .filter(|own| {
            let holder = text(own, "principalId");
            holder == principal || groups.iter().any(|group| group == holder)
        })
        .collect();
    let rows = expand(call, &rows);
    let count = rows.len();
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/beta/$metadata#roleManagement/directory/transitiveRoleAssignments", call.base),
        "@odata.count": count, "value": rows
    })))
}
