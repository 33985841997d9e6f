//! What a signed-in person needs beside the token's permissions: a directory role (identity.md 0.1, policy-logs-auth.md
//! 1.1, 4.1), and to be the owner of a mailbox. An app that speaks for itself is not asked here.

use crate::api::{Caller, Fail};
use crate::handlers::privilege::{Change, may_change};
use crate::routes::{Route, Service};
use crate::tenant::Tenant;

const GLOBAL: &str = "Global Administrator";
const METHOD_ADMINISTRATORS: [&str; 3] =
    ["Authentication Administrator", "Privileged Authentication Administrator", GLOBAL];

/// Puts the person's own id where the path said `me`.
///
/// # Errors
/// 400 for an app, which is nobody.
pub fn own_id(mut variable: Vec<String>, is_me: bool, caller: &Caller) -> Result<Vec<String>, Fail> {
    if !is_me {
        return Ok(variable);
    }
    let Some(id) = &caller.user_id else {
        return Err(Fail::new(
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow.",
        ));
    };
    if let Some(first) = variable.first_mut() {
        first.clone_from(id);
    }
    Ok(variable)
}

/// Whether the signed-in person may do what the token's permissions let the app do.
///
/// # Errors
/// The 403 of the route's service.
pub fn permit(tenant: &Tenant, route: &Route, variable: &[String], caller: &Caller) -> Result<(), Fail> {
    let Some(person) = &caller.user_id else { return Ok(()) };
    let target = variable.first().map(String::as_str).unwrap_or_default();
    let is_allowed = match route.service {
        Service::AuthenticationMethods if route.write => may_change_methods(tenant, caller, target),
        // A mailbox is its owner's (identity.md 0.1, row 7).
        Service::Exchange => is_same(tenant, target, person),
        Service::Directory if route.path.ends_with("/revokeSignInSessions") => {
            is_same(tenant, target, person)
                || may_change(tenant, caller, &id_of(tenant, target), Change::Password)
        }
        _ => {
            let roles = roles_for(route);
            roles.is_empty() || roles.iter().any(|role| has(caller, role))
        }
    };
    if is_allowed { Ok(()) } else { Err(route.service.forbidden("")) }
}

fn has(caller: &Caller, role: &str) -> bool {
    caller.directory_roles.iter().any(|own| own == role)
}

/// Whose methods an administrator may change: never their own (identity.md 3.3, 5.6).
fn may_change_methods(tenant: &Tenant, caller: &Caller, target: &str) -> bool {
    if caller.user_id.as_deref().is_some_and(|person| is_same(tenant, target, person)) {
        return false;
    }
    let directory_roles: Vec<String> = METHOD_ADMINISTRATORS
        .iter()
        .filter(|role| has(caller, role))
        .map(|role| (*role).to_owned())
        .collect();
    let narrowed = Caller { directory_roles, ..caller.clone() };
    may_change(tenant, &narrowed, &id_of(tenant, target), Change::Password)
}

fn id_of(tenant: &Tenant, name: &str) -> String {
    tenant.user(name).and_then(|user| user.get("id")).and_then(|id| id.as_str()).unwrap_or(name).to_owned()
}

fn is_same(tenant: &Tenant, name: &str, id: &str) -> bool {
    id_of(tenant, name) == id
}

/// The roles of which a person needs one; none where any member will do.
fn roles_for(route: &Route) -> &'static [&'static str] {
    match (route.service, route.write) {
        (Service::AuthenticationMethods, _) => &[
            "Global Reader",
            "Authentication Administrator",
            "Privileged Authentication Administrator",
            GLOBAL,
        ],
        (Service::ConditionalAccess, false) => &[
            "Global Reader",
            "Security Reader",
            "Security Administrator",
            "Conditional Access Administrator",
            GLOBAL,
        ],
        (Service::ConditionalAccess, true) => {
            &["Conditional Access Administrator", "Security Administrator", GLOBAL]
        }
        (Service::Reports, _) => &[
            "Reports Reader",
            "Security Reader",
            "Security Operator",
            "Security Administrator",
            "Global Reader",
            GLOBAL,
        ],
        (Service::IdentityProtection, true) => &["Security Administrator", GLOBAL],
        (Service::IdentityProtection | Service::Hunting | Service::AuditSearch, _) => {
            &["Security Reader", "Security Operator", "Security Administrator", "Global Reader", GLOBAL]
        }
        (Service::MessageTrace, _) => &["Exchange Administrator", "Global Reader", GLOBAL],
        (Service::Directory, false) if route.path == "/directory/onPremisesSynchronization" => &[GLOBAL],
        (Service::Exchange, _) | (Service::Directory, false) => &[],
        (Service::Directory, true) => directory_writes(route.path),
    }
}

fn directory_writes(path: &str) -> &'static [&'static str] {
    if path.starts_with("/devices") {
        &["Cloud Device Administrator", "Intune Administrator", GLOBAL]
    } else if path.starts_with("/roleManagement") {
        &["Privileged Role Administrator", GLOBAL]
    } else if path.starts_with("/groups") {
        &["Groups Administrator", "User Administrator", GLOBAL]
    } else if path.starts_with("/users") {
        // The handler asks the tables of identity.md 3.2 and 4.
        &[]
    } else {
        &["Cloud Application Administrator", "Application Administrator", GLOBAL]
    }
}
