use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AttemptError, AttemptOutcome, AttemptRequest, Door, attempt, record};
use crate::tenant::Tenant;

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const ROGUE: &str = "3ebebe3e-1790-40da-9891-0052cebcc1ba";
const BLACKLIST: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";

fn reference() -> Tenant {
    let mut tenant: Tenant =
        serde_json::from_str(include_str!("../../cases/bec-node-fetch/tenant.json")).unwrap();
    tenant.settle();
    tenant
}

fn now() -> Timestamp {
    "2024-10-04T15:00:00Z".parse().unwrap()
}

fn later(minutes: i64) -> String {
    now().checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap().to_string()
}

fn play(tenant: &Tenant, body: Value) -> AttemptOutcome {
    let request: AttemptRequest = serde_json::from_value(body).unwrap();
    let at = now().checked_add(jiff::SignedDuration::from_mins(30)).unwrap();
    attempt(tenant, &tenant.attackers[0], &request, at).unwrap()
}

/// Names of the ways that are open from anywhere.
fn open(outcome: &AttemptOutcome) -> Vec<&str> {
    let mut names: Vec<&str> = outcome
        .paths
        .iter()
        .filter(|path| path.outcome == Door::Open)
        .map(|path| path.path.as_str())
        .collect();
    names.dedup();
    names
}

fn by<'a>(outcome: &'a AttemptOutcome, path: &str) -> (&'a str, Option<u32>) {
    let found = outcome.paths.iter().find(|tried| tried.path == path).unwrap();
    (found.by.as_deref().unwrap_or("nothing"), found.error_code)
}

fn victim(tenant: &mut Tenant) -> &mut Value {
    tenant.users.iter_mut().find(|user| user["id"] == VICTIM).unwrap()
}

fn disable(tenant: &mut Tenant) {
    victim(tenant)["accountEnabled"] = false.into();
}

fn revoke(tenant: &mut Tenant, minute: i64) {
    victim(tenant)["signInSessionsValidFromDateTime"] = later(minute).into();
}

fn reset(tenant: &mut Tenant, minute: i64) {
    victim(tenant)["lastPasswordChangeDateTime"] = later(minute).into();
    tenant.passwords.insert(VICTIM.to_owned(), "Another-0000".to_owned());
}

fn remove_method(tenant: &mut Tenant) {
    tenant.authentication_methods.get_mut(VICTIM).unwrap().retain(|method| method["id"] != ROGUE);
}

fn policy(name: &str, conditions: &Value, grant: &Value, session: &Value) -> Value {
    let mut policy = json!({
        "id": crate::sign_in::derive_id(name), "displayName": name, "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": [VICTIM], "excludeUsers": []}, "locations": null, "platforms": null, "devices": null,
        },
        "grantControls": grant, "sessionControls": session,
    });
    for (key, value) in conditions.as_object().unwrap() {
        policy["conditions"][key] = value.clone();
    }
    policy
}

#[test]
fn at_the_start_every_way_that_is_held_is_open_but_the_password_alone() {
    let outcome = play(&reference(), json!({}));
    assert!(outcome.is_in);
    assert_eq!(
        open(&outcome),
        ["refresh_token", "password_with_method", "self_service_reset", "register_method"]
    );
    assert_eq!(by(&outcome, "password_alone"), ("policy Require MFA for all users", Some(50076)));
    assert_eq!(outcome.paths.len(), 5 * 12);
    assert_eq!(outcome.access_tokens.len(), 2);
    assert!(outcome.access_tokens.iter().any(|token| token.resource == "Microsoft Graph"));
    assert!(
        outcome.access_tokens.iter().all(|token| token.until.to_string() == "2024-10-04T15:44:49Z"),
        "{:?}",
        outcome.access_tokens
    );
}

#[test]
fn without_a_policy_that_asks_for_mfa_the_password_alone_is_enough() {
    let mut tenant = reference();
    tenant.conditional_access_policies[0]["state"] = "enabledForReportingButNotEnforced".into();
    assert!(open(&play(&tenant, json!({}))).contains(&"password_alone"));
    tenant.conditional_access_policies.clear();
    assert!(open(&play(&tenant, json!({}))).contains(&"password_alone"));
    tenant.tenant.security_defaults = true;
    assert_eq!(by(&play(&tenant, json!({})), "password_alone"), ("security defaults", Some(50076)));
}

#[test]
fn revoking_alone_leaves_the_password_and_the_method() {
    let mut tenant = reference();
    revoke(&mut tenant, 1);
    let outcome = play(&tenant, json!({}));
    assert_eq!(open(&outcome), ["password_with_method", "self_service_reset", "register_method"]);
    assert_eq!(by(&outcome, "refresh_token"), ("session revoked", Some(50173)));
}

#[test]
fn a_new_password_alone_leaves_the_session_and_the_reset_by_the_rogue_method() {
    let mut tenant = reference();
    reset(&mut tenant, 1);
    let outcome = play(&tenant, json!({}));
    assert_eq!(open(&outcome), ["refresh_token", "self_service_reset", "register_method"]);
    assert_eq!(by(&outcome, "password_with_method"), ("password changed", Some(50126)));
    tenant.attackers[0].session = crate::tenant::SessionClass::Password;
    let outcome = play(&tenant, json!({}));
    assert_eq!(open(&outcome), ["self_service_reset"]);
    assert_eq!(by(&outcome, "refresh_token"), ("password changed", Some(50133)));
}

#[test]
fn removing_the_method_alone_leaves_the_session_which_registers_another() {
    let mut tenant = reference();
    remove_method(&mut tenant);
    let outcome = play(&tenant, json!({}));
    assert_eq!(open(&outcome), ["refresh_token", "register_method"]);
    assert_eq!(by(&outcome, "password_with_method"), ("method removed", Some(50074)));
    assert_eq!(by(&outcome, "self_service_reset"), ("method removed", None));
}

#[test]
fn revoking_and_then_removing_the_method_leaves_nothing_but_a_known_password() {
    let mut tenant = reference();
    revoke(&mut tenant, 1);
    remove_method(&mut tenant);
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in);
    // Once nothing asks for a second factor, what was left comes to life.
    tenant.conditional_access_policies.clear();
    assert_eq!(open(&play(&tenant, json!({}))), ["password_alone"]);
}

#[test]
fn removing_the_method_and_revoking_without_a_new_password_leaves_an_account_without_factors_to_enrol() {
    let mut tenant = reference();
    revoke(&mut tenant, 1);
    tenant
        .authentication_methods
        .get_mut(VICTIM)
        .unwrap()
        .retain(|method| method["@odata.type"].as_str().unwrap().contains("password"));
    let outcome = play(&tenant, json!({}));
    assert_eq!(open(&outcome), ["register_method"]);
    assert_eq!(by(&outcome, "password_alone").1, Some(50079));
}

#[test]
fn order_a_puts_the_attacker_out_at_its_first_step_and_for_good() {
    let mut tenant = reference();
    disable(&mut tenant);
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in);
    assert!(
        outcome.paths.iter().all(|path| path.by.as_deref() == Some("account disabled")),
        "{:?}",
        outcome.paths
    );
    // Disabling alone only holds for as long as it lasts.
    assert!(play(&tenant, json!({"assume": {"accountEnabled": true}})).is_in);
    revoke(&mut tenant, 1);
    reset(&mut tenant, 2);
    assert!(play(&tenant, json!({"assume": {"accountEnabled": true}})).is_in);
    remove_method(&mut tenant);
    revoke(&mut tenant, 4);
    assert!(!play(&tenant, json!({"assume": {"accountEnabled": true}})).is_in);
    assert_eq!(victim(&mut tenant)["accountEnabled"], false);
}

#[test]
fn order_b_puts_the_attacker_out_at_its_last_step() {
    let mut tenant = reference();
    reset(&mut tenant, 1);
    assert!(play(&tenant, json!({})).is_in);
    remove_method(&mut tenant);
    assert!(play(&tenant, json!({})).is_in);
    revoke(&mut tenant, 3);
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in, "{:?}", open(&outcome));
    // What is out already is told, and is not counted.
    assert!(!outcome.access_tokens.is_empty());
}

#[test]
fn methods_without_the_password_and_password_without_methods_fail() {
    let mut tenant = reference();
    remove_method(&mut tenant);
    assert!(play(&tenant, json!({})).is_in);
    let mut tenant = reference();
    reset(&mut tenant, 1);
    revoke(&mut tenant, 2);
    assert_eq!(open(&play(&tenant, json!({}))), ["self_service_reset"]);
    tenant.tenant.self_service_password_reset = false;
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in);
    assert_eq!(by(&outcome, "self_service_reset"), ("self-service reset off", None));
}

#[test]
fn a_method_with_phone_sign_in_needs_no_password() {
    let mut tenant = reference();
    let methods = tenant.authentication_methods.get_mut(VICTIM).unwrap();
    methods.iter_mut().find(|method| method["id"] == ROGUE).unwrap()["createdDateTime"] =
        "2024-09-26T18:32:35Z".into();
    tenant.settle();
    tenant.tenant.self_service_password_reset = false;
    reset(&mut tenant, 1);
    revoke(&mut tenant, 2);
    assert_eq!(open(&play(&tenant, json!({}))), ["passwordless", "register_method"]);
    remove_method(&mut tenant);
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in);
    assert_eq!(by(&outcome, "passwordless").0, "method removed");
}

#[test]
fn a_blocklist_bites_only_by_an_enforced_policy_and_only_where_it_lists() {
    let mut tenant = reference();
    let list = tenant.named_locations.iter_mut().find(|location| location["id"] == BLACKLIST).unwrap();
    let ranges = list["ipRanges"].as_array_mut().unwrap();
    for cidr in ["89.187.164.82/24", "181.214.107.0/24", "212.102.33.83/32", "212.102.40.0/24"] {
        ranges.push(json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": cidr}));
    }
    assert!(play(&tenant, json!({"from": ["listed"]})).is_in);
    let block = json!({"operator": "OR", "builtInControls": ["block"]});
    tenant.conditional_access_policies.push(policy(
        "Block list",
        &json!({"locations": {"includeLocations": [BLACKLIST], "excludeLocations": []}}),
        &block,
        &Value::Null,
    ));
    let listed = play(&tenant, json!({"from": ["listed"]}));
    assert!(!listed.is_in, "{:?}", open(&listed));
    assert_eq!(by(&listed, "refresh_token"), ("policy Block list", Some(53003)));
    assert_eq!(by(&listed, "register_method"), ("policy Block list", Some(53003)));
    // A block wins over the policy before it, which asks for MFA.
    assert_eq!(by(&listed, "password_alone"), ("policy Block list", Some(53003)));
    let unseen = play(&tenant, json!({"from": ["unseen"]}));
    assert!(unseen.is_in);
    assert!(play(&tenant, json!({"from": ["203.0.113.9"]})).is_in);
    tenant.conditional_access_policies[1]["state"] = "enabledForReportingButNotEnforced".into();
    assert!(play(&tenant, json!({"from": ["listed"]})).is_in);
}

#[test]
fn a_compliant_device_closes_every_sign_in() {
    let mut tenant = reference();
    let grant = json!({"operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"]});
    tenant.conditional_access_policies.push(policy("Compliant", &json!({}), &grant, &Value::Null));
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in, "{:?}", open(&outcome));
    assert_eq!(by(&outcome, "refresh_token"), ("policy Compliant", Some(53000)));
    tenant.attackers[0].device.is_compliant = true;
    assert!(play(&tenant, json!({})).is_in);
}

#[test]
fn token_protection_stops_the_stolen_token_but_not_a_browser() {
    let mut tenant = reference();
    let session = json!({"secureSignInSession": {"isEnabled": true}});
    let conditions = json!({
        "clientAppTypes": ["mobileAppsAndDesktopClients"], "platforms": {"includePlatforms": ["windows"], "excludePlatforms": []},
        "applications": {"includeApplications": ["00000002-0000-0ff1-ce00-000000000000"]},
    });
    tenant.conditional_access_policies.push(policy("Bound tokens", &conditions, &Value::Null, &session));
    let outcome = play(&tenant, json!({}));
    assert_eq!(by(&outcome, "refresh_token"), ("policy Bound tokens", Some(53003)));
    assert!(open(&outcome).contains(&"password_with_method"));
    tenant.attackers[0].device.platform = "linux".to_owned();
    assert!(open(&play(&tenant, json!({}))).contains(&"refresh_token"));
}

#[test]
fn sign_in_frequency_ends_what_is_only_refreshed() {
    let mut tenant = reference();
    let every = json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime", "value": null, "type": null}});
    tenant.conditional_access_policies.push(policy("Every time", &json!({}), &Value::Null, &every));
    let outcome = play(&tenant, json!({}));
    assert_eq!(by(&outcome, "refresh_token"), ("policy Every time", Some(70043)));
    assert!(open(&outcome).contains(&"password_with_method"));
    let days = json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "timeBased", "value": 30, "type": "days"}});
    tenant.conditional_access_policies[1] = policy("Monthly", &json!({}), &Value::Null, &days);
    assert!(open(&play(&tenant, json!({}))).contains(&"refresh_token"));
}

#[test]
fn a_policy_on_registering_stops_a_live_session_from_adding_a_method() {
    let mut tenant = reference();
    let conditions = json!({
        "applications": {"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]},
        "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
    });
    let block = json!({"operator": "OR", "builtInControls": ["block"]});
    tenant.conditional_access_policies.push(policy(
        "Register at the office",
        &conditions,
        &block,
        &Value::Null,
    ));
    let outcome = play(&tenant, json!({}));
    assert_eq!(by(&outcome, "register_method"), ("policy Register at the office", Some(53003)));
    assert!(open(&outcome).contains(&"refresh_token"));
    assert!(open(&play(&tenant, json!({"from": ["203.0.113.1"]}))).contains(&"register_method"));
}

#[test]
fn a_device_lives_until_it_is_disabled_or_its_session_revoked() {
    let mut tenant = reference();
    let device = json!({"id": "dev-1", "accountEnabled": true, "isCompliant": false, "trustType": "Workplace", "registrationDateTime": "2024-09-27T00:00:00Z"});
    tenant.devices.push(device);
    tenant.attackers[0].device_id = Some("dev-1".to_owned());
    assert!(open(&play(&tenant, json!({}))).contains(&"registered_device"));
    tenant.devices.last_mut().unwrap()["accountEnabled"] = false.into();
    assert_eq!(by(&play(&tenant, json!({})), "registered_device").0, "device disabled");
    tenant.devices.last_mut().unwrap()["accountEnabled"] = true.into();
    revoke(&mut tenant, 1);
    assert_eq!(by(&play(&tenant, json!({})), "registered_device"), ("session revoked", Some(50173)));
    tenant.devices.pop();
    assert_eq!(by(&play(&tenant, json!({})), "registered_device").0, "device removed");
}

#[test]
fn a_consent_outlives_a_revocation_for_as_long_as_anything_signs_in() {
    let mut tenant = reference();
    let app = tenant.service_principals[1]["id"].clone();
    tenant
        .oauth2_permission_grants
        .push(json!({"id": "grant-1", "clientId": app, "principalId": VICTIM, "scope": "Mail.Read"}));
    tenant.attackers[0].grant_ids = vec!["grant-1".to_owned()];
    assert!(open(&play(&tenant, json!({}))).contains(&"app_consent"));
    revoke(&mut tenant, 1);
    assert!(open(&play(&tenant, json!({}))).contains(&"app_consent"));
    remove_method(&mut tenant);
    assert_eq!(by(&play(&tenant, json!({})), "app_consent"), ("session revoked", Some(50173)));
    let mut tenant = reference();
    tenant.attackers[0].grant_ids = vec!["grant-1".to_owned()];
    assert_eq!(by(&play(&tenant, json!({})), "app_consent"), ("grant removed", Some(65001)));
}

#[test]
fn a_rule_works_on_for_a_disabled_account() {
    let mut tenant = reference();
    tenant.message_rules.insert(VICTIM.to_owned(), vec![json!({"id": "rule-1", "isEnabled": true})]);
    tenant.attackers[0].rule_ids = vec!["rule-1".to_owned()];
    disable(&mut tenant);
    assert_eq!(open(&play(&tenant, json!({}))), ["inbox_rule"]);
    tenant.message_rules.get_mut(VICTIM).unwrap()[0]["isEnabled"] = false.into();
    assert_eq!(by(&play(&tenant, json!({})), "inbox_rule"), ("rule disabled", None));
    tenant.message_rules.clear();
    assert_eq!(by(&play(&tenant, json!({})), "inbox_rule"), ("rule removed", None));
}

#[test]
fn administrators_need_two_methods_to_reset() {
    let mut tenant = reference();
    tenant.role_assignments.push(json!({"id": "r", "principalId": VICTIM, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/"}));
    assert_eq!(
        by(&play(&tenant, json!({})), "self_service_reset").0,
        "administrators need two methods to reset"
    );
}

#[test]
fn an_attempt_leaves_rows_in_the_log_and_nothing_else() {
    let mut tenant = reference();
    revoke(&mut tenant, 1);
    let before = serde_json::to_value(&tenant).unwrap();
    let outcome = play(&tenant, json!({}));
    assert_eq!(serde_json::to_value(&tenant).unwrap(), before);
    assert_eq!(outcome.sign_ins.len(), 5 * 12);
    let known: Vec<&String> = tenant.sign_ins[0].as_object().unwrap().keys().collect();
    assert_eq!(outcome.sign_ins[0].as_object().unwrap().keys().collect::<Vec<_>>(), known);
    let refused = &outcome.sign_ins[0];
    assert_eq!(refused["status"]["errorCode"], 50173);
    assert_eq!(refused["sessionId"], "1f9bf4ff-310f-4079-9180-febb8ca9bff9");
    assert_eq!(refused["signInEventTypes"], json!(["nonInteractiveUser"]));
    assert_eq!(refused["location"]["countryOrRegion"], "US");
    let ids: std::collections::BTreeSet<&str> =
        outcome.sign_ins.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), outcome.sign_ins.len());

    let first = outcome.paths.last().unwrap().from.clone();
    record(&mut tenant, &outcome);
    assert_eq!(tenant.sign_ins.len(), 626 + 60);
    // An address is unseen once only.
    let again = play(&tenant, json!({"from": ["unseen"]}));
    assert_ne!(again.paths[0].from, first);
    assert!(again.sign_ins.iter().all(|row| !ids.contains(row["id"].as_str().unwrap())));
}

#[test]
fn an_assumption_leaves_no_trace() {
    let mut tenant = reference();
    disable(&mut tenant);
    let outcome = play(&tenant, json!({"assume": {"accountEnabled": true}, "from": ["unseen"]}));
    assert!(outcome.is_in && outcome.sign_ins.is_empty());
    let text = serde_json::to_value(&outcome).unwrap();
    assert_eq!(text["in"], true);
    assert_eq!(
        text["paths"][0],
        json!({"path": "refresh_token", "from": outcome.paths[0].from, "outcome": "open", "by": null, "errorCode": 0})
    );
    assert!(text.get("signIns").is_none());
}

#[test]
fn what_the_body_does_not_know_is_refused() {
    for body in [json!({"form": []}), json!({"from": ["everywhere"]}), json!({"from": "unseen"})] {
        assert!(serde_json::from_value::<AttemptRequest>(body).is_err());
    }
    let tenant = reference();
    let request: AttemptRequest = serde_json::from_value(json!({"assume": {"acountEnabled": true}})).unwrap();
    let refused = attempt(&tenant, &tenant.attackers[0], &request, now());
    assert_eq!(refused, Err(AttemptError::Assume("acountEnabled".to_owned())));
}

#[test]
fn a_deleted_account_lets_nobody_in() {
    let mut tenant = reference();
    tenant.users.retain(|user| user["id"] != VICTIM);
    let outcome = play(&tenant, json!({}));
    assert!(!outcome.is_in);
    assert_eq!(by(&outcome, "refresh_token"), ("account deleted", Some(50034)));
}

#[test]
fn a_risky_user_is_stopped_by_a_policy_on_risk() {
    let mut tenant = reference();
    let grant = json!({"operator": "OR", "builtInControls": ["block"]});
    tenant.conditional_access_policies.push(policy(
        "High risk",
        &json!({"userRiskLevels": ["high"]}),
        &grant,
        &Value::Null,
    ));
    assert!(play(&tenant, json!({})).is_in);
    tenant.risky_users.push(json!({"id": VICTIM, "riskLevel": "high", "riskState": "confirmedCompromised"}));
    assert!(!play(&tenant, json!({})).is_in);
    assert!(Arc::strong_count(&tenant.sign_ins) >= 1);
}
