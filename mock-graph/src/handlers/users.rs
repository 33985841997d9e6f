//! Users: get, list, search, deleted ones (identity.md 1.1, 1.2, 10.7). `User.Read.All`.

use serde_json::{Value, json};

use super::lookup::{check_premium, find_user, not_found, text};
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules};
use crate::tenant::Tenant;

/// What a user shows without `$select`.
const PROJECTION: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];
/// The name in the company's own directory.
const ON_PREMISES_ACCOUNT: &str = "onPremisesSamAccountName";
/// What is never shown by selecting it here.
const HIDDEN: [&str; 2] = ["mailboxSettings", "passwordProfile"];

fn selects_activity(call: &Call) -> bool {
    call.option("$select").is_some_and(|select| select.split(',').any(|name| name.trim() == "signInActivity"))
}

/// One unlicensed or unpermitted property fails the whole read.
fn check_activity(tenant: &Tenant, call: &Call) -> Result<(), Fail> {
    if !selects_activity(call) {
        return Ok(());
    }
    if !call.caller.holds("AuditLog.Read.All") {
        return Err(Fail::new(
            403,
            "Authentication_MSGraphPermissionMissing",
            "The principal does not have required Microsoft Graph permission(s): AuditLog.Read.All to call this API.",
        ));
    }
    check_premium(tenant)
}

fn shown(user: &Value) -> Value {
    let mut user = user.clone();
    if let Some(entries) = user.as_object_mut() {
        for key in HIDDEN {
            entries.remove(key);
        }
        // Present in Graph's shape whatever the file holds.
        for key in ["isManagementRestricted", "onPremisesSyncEnabled", "externalUserState"] {
            entries.entry(key).or_insert(Value::Null);
        }
    }
    user
}

/// `GET /users/{id | userPrincipalName}`
///
/// # Errors
/// 404, 400 for a UPN that begins with `$`, 403 for `signInActivity`.
pub fn get_user(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_activity(tenant, call)?;
    let user = find_user(tenant, call.segment(0))?;
    Ok(odata::entity(&shown(user), call, PROJECTION))
}

/// `GET /users`
///
/// # Errors
/// 400 for an advanced query without its header.
pub fn list_users(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_activity(tenant, call)?;
    let search = call.option("$search");
    if search.is_some() && !call.is_eventual() {
        return Err(Fail::new(
            400,
            "Request_UnsupportedQuery",
            "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
        ));
    }
    // An index of its own answers for this property, `eq` included (learn.microsoft.com/graph/aad-advanced-queries).
    let by_account = call.option("$filter").is_some_and(|filter| filter.contains(ON_PREMISES_ACCOUNT));
    if by_account && !(call.is_eventual() && call.option("$count") == Some("true")) {
        return Err(Fail::new(
            400,
            "Request_UnsupportedQuery",
            format!(
                "Unsupported or invalid query filter clause specified for property '{ON_PREMISES_ACCOUNT}' of resource 'User'."
            ),
        ));
    }
    let users: Vec<Value> = tenant
        .users
        .iter()
        .filter(|user| search.is_none_or(|search| matches_search(user, search)))
        .map(shown)
        .collect();
    let rules = Rules { projection: PROJECTION, directory: true, handled: &["$search"], ..Rules::PLAIN };
    odata::collection(&users, call, &rules)
}

/// `"displayName:lynne" OR "userPrincipalName:lynne"`: the beginning of a word of the property.
fn matches_search(user: &Value, search: &str) -> bool {
    search.split(" OR ").any(|any| {
        any.split(" AND ").all(|clause| {
            let Some((property, wanted)) = clause.trim().trim_matches('"').split_once(':') else {
                return false;
            };
            let value = text(user, property).to_lowercase();
            let wanted = wanted.to_lowercase();
            value.starts_with(&wanted)
                || value.split(|letter: char| !letter.is_alphanumeric()).any(|word| word.starts_with(&wanted))
        })
    })
}

/// `GET /directory/deletedItems/microsoft.graph.user`
///
/// # Errors
/// 400 for a query that is not taken.
pub fn list_deleted_users(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    odata::collection(&tenant.deleted_users, call, &Rules { directory: true, ..Rules::PLAIN })
}

/// `GET /directory/deletedItems/{id}`
///
/// # Errors
/// 404.
pub fn get_deleted_item(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let id = call.segment(0);
    let user = tenant
        .deleted_users
        .iter()
        .find(|user| text(user, "id").eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))?;
    let mut user = user.clone();
    if let Some(entries) = user.as_object_mut() {
        entries.insert("@odata.type".to_owned(), json!("#microsoft.graph.user"));
    }
    Ok(odata::entity(&user, call, &[]))
}
