//! The lint over policies that we would create: the lock-out guards of policy-logs-auth.md 2.8.

use serde_json::Value;

use super::rules::GuardRules;
use super::verdict::refusal;
use crate::plan::GuardRefusal;
use crate::policy::evaluate::TOKEN_PROTECTION_APPS;

fn words<'a>(body: &'a Value, pointer: &str) -> Vec<&'a str> {
    body.pointer(pointer)
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Asks whether a policy may be created.
pub fn lint_policy(body: &Value, rules: &GuardRules) -> Vec<GuardRefusal> {
    let name = body.get("displayName").and_then(Value::as_str).unwrap_or("policy");
    let mut refused = Vec::new();
    refused.extend(emergency_accounts(body, rules, name));
    let is_for_all = words(body, "/conditions/users/includeUsers").contains(&"All")
        || !words(body, "/conditions/users/includeRoles").is_empty();
    let controls = words(body, "/grantControls/builtInControls");
    let protects_tokens =
        body.pointer("/sessionControls/secureSignInSession/isEnabled") == Some(&Value::Bool(true));
    let asks_for_device =
        controls.iter().any(|control| matches!(*control, "compliantDevice" | "domainJoinedDevice"));
    if is_for_all && (asks_for_device || protects_tokens) {
        refused.push(refusal(
            "policy_device_for_all",
            name,
            "it asks a device of everyone: whoever has none is locked out, administrators too",
            "name the user or a group",
        ));
    }
    if is_for_all && !asks_for_device && !protects_tokens {
        let included = words(body, "/conditions/locations/includeLocations");
        let is_narrow =
            !included.is_empty() && !included.iter().any(|id| matches!(*id, "All" | "AllTrusted"));
        if !is_narrow {
            refused.push(refusal(
                "policy_tenant_wide",
                name,
                "it is for everyone, from everywhere",
                "give it a list of locations, or name the user or a group",
            ));
        }
    }
    if protects_tokens {
        let apps = words(body, "/conditions/applications/includeApplications");
        let has_wrong_app = apps.is_empty() || apps.iter().any(|app| !TOKEN_PROTECTION_APPS.contains(app));
        let clients = words(body, "/conditions/clientAppTypes");
        let platforms = words(body, "/conditions/platforms/includePlatforms");
        if has_wrong_app || clients != ["mobileAppsAndDesktopClients"] || platforms != ["windows"] {
            refused.push(refusal(
                "policy_token_apps",
                name,
                "token protection works for Exchange, SharePoint and Teams, native clients, Windows: beyond that it breaks sign-ins",
                "leave apps, clients and platforms as stanch sets them",
            ));
        }
    }
    refused
}

fn emergency_accounts(body: &Value, rules: &GuardRules, name: &str) -> Option<GuardRefusal> {
    if rules.no_emergency_accounts {
        return None;
    }
    let why = if let Some(lost) = rules.unresolved_emergency.first() {
        format!("the emergency account `{lost}` was not found, or is disabled")
    } else if rules.emergency_accounts.is_empty() {
        "no emergency accounts are configured: a mistake in it would lock out everyone".to_owned()
    } else {
        let excluded = words(body, "/conditions/users/excludeUsers");
        let missing = rules.emergency_accounts.iter().find(|id| !excluded.contains(&id.as_str()))?;
        format!("it does not leave out the emergency account {missing}")
    };
    Some(refusal(
        "policy_emergency_accounts",
        name,
        why,
        "set `guards.emergency_accounts` to the accounts that get you back in; if there are none, say `guards.no_emergency_accounts = true`",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::UserId;

    fn rules(accounts: &[&str]) -> GuardRules {
        GuardRules {
            emergency_accounts: accounts.iter().map(|id| id.parse::<UserId>().unwrap()).collect(),
            unresolved_emergency: Vec::new(),
            no_emergency_accounts: false,
            protected_groups: Vec::new(),
            company_ranges: Vec::new(),
            accepted_permissions: Vec::new(),
            widest_ipv4: 24,
            widest_ipv6: 48,
            overrides: Vec::new(),
            own_apps: Vec::new(),
        }
    }

    const GLASS: &str = "c8c740af-a5aa-5337-8228-131569eb9a0c";

    fn block(users: &[&str], excluded: &[&str], locations: &[&str]) -> Value {
        json!({ "displayName": "x", "conditions": {
            "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": users, "excludeUsers": excluded },
            "locations": { "includeLocations": locations } },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] } })
    }

    fn guards(body: &Value, rules: &GuardRules) -> Vec<String> {
        lint_policy(body, rules).into_iter().map(|refusal| refusal.guard).collect()
    }

    #[test]
    fn a_block_for_everyone_needs_narrow_locations_and_excluded_emergency_accounts() {
        let location = "3d541753-3960-46ea-a6f5-89f192aa7313";
        let sound = rules(&[GLASS]);
        assert!(guards(&block(&["All"], &[GLASS], &[location]), &sound).is_empty());
        assert_eq!(guards(&block(&["All"], &[], &[location]), &sound), ["policy_emergency_accounts"]);
        assert_eq!(guards(&block(&["All"], &[GLASS], &[]), &sound), ["policy_tenant_wide"]);
        assert_eq!(guards(&block(&["All"], &[GLASS], &["All"]), &sound), ["policy_tenant_wide"]);
        assert_eq!(
            guards(&block(&["All"], &[GLASS], &[location]), &rules(&[])),
            ["policy_emergency_accounts"]
        );
    }

    #[test]
    fn a_device_policy_is_for_named_users_only() {
        let mut body = block(&["All"], &[GLASS], &[]);
        body["grantControls"]["builtInControls"] = json!(["compliantDevice"]);
        assert_eq!(guards(&body, &rules(&[GLASS])), ["policy_device_for_all"]);
        body["conditions"]["users"]["includeUsers"] = json!(["6ed5d1bf-e585-452f-ac95-4ab592c9357d"]);
        assert!(guards(&body, &rules(&[GLASS])).is_empty());
    }

    #[test]
    fn token_protection_beyond_its_apps_is_refused() {
        let mut body = block(&["6ed5d1bf-e585-452f-ac95-4ab592c9357d"], &[GLASS], &[]);
        body["grantControls"] = Value::Null;
        body["sessionControls"] = json!({ "secureSignInSession": { "isEnabled": true } });
        assert_eq!(guards(&body, &rules(&[GLASS])), ["policy_token_apps"]);
        body["conditions"]["applications"]["includeApplications"] = json!(TOKEN_PROTECTION_APPS);
        body["conditions"]["clientAppTypes"] = json!(["mobileAppsAndDesktopClients"]);
        body["conditions"]["platforms"] = json!({ "includePlatforms": ["windows"] });
        assert!(guards(&body, &rules(&[GLASS])).is_empty());
    }
}
