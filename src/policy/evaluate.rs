//! What policies do to a sign-in, as far as a plan must know before the policy exists: What-If can only evaluate
//! policies that are there (policy-logs-auth.md 3.1).

use serde_json::Value;

use super::model::{ConditionalAccessPolicy, PolicyState};
use crate::case::SignIn;
use crate::domain::{GroupId, NamedLocationId, UserId};

/// Apps that support token protection: Exchange, SharePoint, Teams (policy-logs-auth.md 2.6).
pub const TOKEN_PROTECTION_APPS: [&str; 3] = [
    "00000002-0000-0ff1-ce00-000000000000",
    "00000003-0000-0ff1-ce00-000000000000",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
];

/// An account, as far as policies tell accounts apart.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Who.
    pub user: &'a UserId,
    /// The groups that it belongs to, however deep.
    pub groups: &'a [GroupId],
    /// The directory roles that it holds, by their template ids.
    pub roles: &'a [String],
}

/// Whether a policy includes an account: by id or `All`, or through a group or role; exclusion wins.
pub fn includes_account(policy: &ConditionalAccessPolicy, account: &Account<'_>) -> bool {
    let users = &policy.conditions.users;
    let Account { user, groups, roles } = *account;
    let in_groups = |ids: &[String]| groups.iter().any(|group| ids.iter().any(|id| id == group.as_str()));
    let in_roles = |ids: &[String]| roles.iter().any(|role| ids.contains(role));
    let is_excluded = users.exclude_users.iter().any(|id| id == user.as_str())
        || in_groups(&users.exclude_groups)
        || in_roles(&users.exclude_roles);
    let is_included = users.include_users.iter().any(|id| id == user.as_str() || id == "All")
        || in_groups(&users.include_groups)
        || in_roles(&users.include_roles);
    is_included && !is_excluded
}

/// Whether a policy makes a location bite for an account: enabled, blocking, for all apps and all clients, with the
/// location among those it is for (policy-logs-auth.md 1.8).
pub fn enforces_block(
    policy: &ConditionalAccessPolicy,
    location: &NamedLocationId,
    account: &Account<'_>,
) -> bool {
    policy.state == PolicyState::Enabled
        && blocks_location(policy, location)
        && includes_account(policy, account)
}

/// The same whatever its state and whoever it is for.
pub fn blocks_location(policy: &ConditionalAccessPolicy, location: &NamedLocationId) -> bool {
    let names = |ids: &[String]| ids.iter().any(|id| id == location.as_str());
    let at_location = policy.conditions.locations.as_ref().is_some_and(|own| {
        (names(&own.include_locations) || own.include_locations.iter().any(|id| id == "All"))
            && !names(&own.exclude_locations)
    });
    at_location && blocks_all_apps(policy)
}

/// Whether a policy blocks whoever it is for, for all apps and all clients, from everywhere; whatever its state.
pub fn blocks_everything(policy: &ConditionalAccessPolicy) -> bool {
    let is_everywhere = policy.conditions.locations.as_ref().is_none_or(|own| {
        let is_any = own.include_locations.is_empty() || own.include_locations.iter().any(|id| id == "All");
        is_any && own.exclude_locations.is_empty()
    });
    is_everywhere && blocks_all_apps(policy)
}

/// Whether a policy blocks all apps and all clients, with nothing that would narrow it but its locations.
fn blocks_all_apps(policy: &ConditionalAccessPolicy) -> bool {
    let conditions = &policy.conditions;
    let is_unset = |value: &Option<Value>| value.as_ref().is_none_or(is_blank);
    let is_unconditional = conditions.platforms.is_none()
        && is_unset(&conditions.devices)
        && is_unset(&conditions.client_applications)
        && is_unset(&conditions.authentication_flows)
        && is_unset(&conditions.insider_risk_levels)
        && is_unset(&conditions.applications.application_filter)
        && conditions.user_risk_levels.is_empty()
        && conditions.sign_in_risk_levels.is_empty();
    is_unconditional
        && policy.grant_controls.as_ref().is_some_and(super::model::GrantControls::blocks)
        && conditions.client_app_types.iter().any(|kind| kind == "all")
        && conditions.applications.include_applications.iter().any(|app| app == "All")
        && conditions.applications.exclude_applications.is_empty()
}

/// Whether an entry of a policy says nothing: Graph writes out what was never set, and notes beside what was.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.iter().all(|(key, value)| is_note(key) || is_blank(value)),
        Value::String(_) | Value::Number(_) | Value::Bool(true) => false,
    }
}

/// Whether an entry is Graph's note on another one, such as `authenticationStrength@odata.context`.
pub fn is_note(key: &str) -> bool {
    key.contains("@odata.")
}

/// Whether a policy that requires a compliant or hybrid-joined device would have stopped a sign-in.
pub fn device_policy_stops(row: &SignIn) -> bool {
    row.error_code == 0 && !row.compliant && !row.trust_type.to_lowercase().contains("hybrid")
}

/// Whether a policy that requires token protection would have stopped a sign-in: a native client on Windows, one of
/// the apps that support it, and a token that is not bound.
pub fn token_policy_stops(row: &SignIn) -> bool {
    row.error_code == 0
        && row.client_app.eq_ignore_ascii_case("Mobile Apps and Desktop clients")
        && row.operating_system.to_lowercase().starts_with("windows")
        && row.resource_id.as_deref().is_some_and(|id| TOKEN_PROTECTION_APPS.contains(&id))
        && row.token_protection.as_deref() != Some("bound")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOCATION: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";
    const USER: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
    const GROUP: &str = "3f9a6b0e-6a3e-4d0c-8f57-6f0f2b1c7a11";
    const ROLE: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";

    fn policy(change: impl FnOnce(&mut serde_json::Value)) -> ConditionalAccessPolicy {
        let mut body = json!({
            "id": "e91553a9-8ba5-4d34-a445-2ecf34ecf2ed", "displayName": "x", "state": "enabled",
            "conditions": {
                "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
                "users": { "includeUsers": ["All"] }, "locations": { "includeLocations": [LOCATION] } },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] }
        });
        change(&mut body);
        ConditionalAccessPolicy::from_graph(body).unwrap()
    }

    fn bites(change: impl FnOnce(&mut serde_json::Value)) -> bool {
        let user = USER.parse().unwrap();
        let account = Account { user: &user, groups: &[GROUP.parse().unwrap()], roles: &[ROLE.to_owned()] };
        enforces_block(&policy(change), &LOCATION.parse().unwrap(), &account)
    }

    #[test]
    fn a_location_bites_by_an_enabled_unconditional_block_that_includes_the_user() {
        assert!(bites(|_| {}));
        assert!(!bites(|body| body["state"] = json!("enabledForReportingButNotEnforced")));
        assert!(!bites(|body| body["grantControls"]["builtInControls"] = json!(["mfa"])));
        assert!(!bites(|body| body["conditions"]["users"]["excludeUsers"] = json!([USER])));
        assert!(!bites(|body| body["conditions"]["users"]["excludeGroups"] = json!([GROUP])));
        assert!(!bites(|body| body["conditions"]["users"]["excludeRoles"] = json!([ROLE])));
        let flows = json!({ "transferMethods": "deviceCodeFlow" });
        assert!(!bites(|body| body["conditions"]["authenticationFlows"] = flows));
        assert!(bites(|body| body["conditions"]["devices"] = json!({ "deviceFilter": null })));
        assert!(!bites(|body| body["conditions"]["clientAppTypes"] = json!(["browser"])));
        assert!(!bites(
            |body| body["conditions"]["applications"]["includeApplications"] = json!(["Office365"])
        ));
        assert!(!bites(|body| body["conditions"]["locations"]["excludeLocations"] = json!([LOCATION])));
        assert!(!bites(|body| body["conditions"]["platforms"] = json!({ "includePlatforms": ["windows"] })));
        assert!(!bites(|body| body["conditions"]["locations"]["includeLocations"] = json!(["other"])));
    }
}
