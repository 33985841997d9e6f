use serde_json::{Value, json};

use super::{evaluate, logs, named_locations, policies};
use crate::api::{Call, Caller, Fail, Reply, Version};
use crate::tenant::Tenant;

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const GLASS: &str = "c8c740af-a5aa-5337-8228-131569eb9a0c";
const MFA: &str = "e91553a9-8ba5-4d34-a445-2ecf34ecf2ed";
const BLACKLIST: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";
const OFFICE: &str = "e4cd6075-2055-4f5f-8b22-20a49a15a311";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

fn reference() -> Tenant {
    serde_json::from_str(include_str!("../../cases/bec-node-fetch/tenant.json")).unwrap()
}

fn call(version: Version, path: &str, id: Option<&str>, query: &[(&str, &str)], body: Value) -> Call {
    Call {
        version,
        segments: id.into_iter().map(str::to_owned).collect(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: Vec::new(),
        body,
        caller: Caller {
            app_id: "11111111-aaaa-4bbb-8ccc-000000000001".to_owned(),
            roles: vec!["AuditLog.Read.All".to_owned(), "Policy.Read.All".to_owned()],
            directory_roles: Vec::new(),
            user_id: None,
        },
        now: "2024-10-04T15:00:00Z".parse().unwrap(),
        base: "http://127.0.0.1:1".to_owned(),
        path: format!("{}{path}", if version == Version::V1 { "/v1.0" } else { "/beta" }),
        new_id: "0a6c1d2e-1111-4a4a-9c9c-5b2f00000001".to_owned(),
    }
}

fn rows(reply: Reply) -> Vec<Value> {
    reply.body.unwrap()["value"].as_array().unwrap().clone()
}

fn sign_ins(version: Version, query: &[(&str, &str)]) -> Result<Vec<Value>, Fail> {
    logs::list_sign_ins(&reference(), &call(version, "/auditLogs/signIns", None, query, Value::Null))
        .map(rows)
}

const BOTH_KINDS: &str = "userId eq '6ed5d1bf-e585-452f-ac95-4ab592c9357d' and createdDateTime ge 2024-09-24T00:00:00Z and signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')";

#[test]
fn v1_shows_interactive_sign_ins_without_what_beta_adds() {
    let found = sign_ins(Version::V1, &[]).unwrap();
    assert_eq!(found.len(), 249);
    for absent in [
        "sessionId",
        "signInEventTypes",
        "uniqueTokenIdentifier",
        "authenticationDetails",
        "autonomousSystemNumber",
        "incomingTokenType",
    ] {
        assert!(found[0].get(absent).is_none(), "{absent}");
    }
    assert!(found[0].get("userPrincipalName").is_some());
    assert!(sign_ins(Version::V1, &[("$filter", BOTH_KINDS)]).is_err());
}

#[test]
fn beta_shows_the_others_only_when_asked_for_them() {
    assert_eq!(sign_ins(Version::Beta, &[]).unwrap().len(), 249);
    let both = sign_ins(Version::Beta, &[("$filter", BOTH_KINDS)]).unwrap();
    assert!(both.iter().any(|row| row["isInteractive"] == false));
    assert!(both.iter().all(|row| row["userId"] == VICTIM));
    let times: Vec<&str> = both.iter().map(|row| row["createdDateTime"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    let agent =
        sign_ins(Version::Beta, &[("$filter", "startswith(userAgent,'node-fetch')"), ("$top", "5")]).unwrap();
    assert_eq!(agent.len(), 5);
}

#[test]
fn sign_ins_are_filtered_by_documented_properties_only() {
    for filter in [
        "sessionId eq 'x'",
        "uniqueTokenIdentifier eq 'x'",
        "incomingTokenType eq 'none'",
        "createdDateTime gt 2024-10-01T00:00:00Z",
        "contains(userAgent,'node')",
    ] {
        assert_eq!(sign_ins(Version::Beta, &[("$filter", filter)]).unwrap_err().status, 400, "{filter}");
    }
    assert_eq!(sign_ins(Version::Beta, &[("$top", "1001")]).unwrap_err().status, 400);
}

#[test]
fn policies_of_a_row_are_for_those_who_may_read_policies() {
    let mut asked = call(Version::Beta, "/auditLogs/signIns", None, &[("$top", "1")], Value::Null);
    let row = |asked: &Call| rows(logs::list_sign_ins(&reference(), asked).unwrap()).remove(0);
    assert!(row(&asked).get("appliedConditionalAccessPolicies").is_some());
    asked.caller.roles = vec!["AuditLog.Read.All".to_owned()];
    assert!(row(&asked).get("appliedConditionalAccessPolicies").is_none());
}

#[test]
fn new_members_come_only_to_those_who_prefer_them() {
    let mut tenant = reference();
    let row = &mut std::sync::Arc::make_mut(&mut tenant.sign_ins)[0];
    row["incomingTokenType"] = "refreshToken".into();
    let id = row["id"].as_str().unwrap().to_owned();
    let mut asked = call(Version::Beta, "/auditLogs/signIns/x", Some(&id), &[], Value::Null);
    let token =
        |asked: &Call| logs::get_sign_in(&tenant, asked).unwrap().body.unwrap()["incomingTokenType"].clone();
    assert_eq!(token(&asked), "unknownFutureValue");
    asked.headers.push(("prefer".to_owned(), "odata.maxpagesize=5, include-unknown-enum-members".to_owned()));
    assert_eq!(token(&asked), "refreshToken");
    asked.version = Version::V1;
    assert_eq!(logs::get_sign_in(&tenant, &asked).unwrap_err().status, 404);
}

#[test]
fn without_a_premium_licence_there_are_audits_but_no_sign_ins() {
    let mut tenant = reference();
    tenant.tenant.licences = vec!["EXCHANGE_S_ENTERPRISE".to_owned()];
    let refused =
        logs::list_sign_ins(&tenant, &call(Version::V1, "/auditLogs/signIns", None, &[], Value::Null))
            .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    );
    assert!(
        logs::list_audits(&tenant, &call(Version::V1, "/auditLogs/directoryAudits", None, &[], Value::Null))
            .is_ok()
    );
}

#[test]
fn audits_are_filtered_by_their_target_and_come_newest_first() {
    let filter =
        format!("activityDateTime ge 2024-09-24T00:00:00Z and targetResources/any(t:t/id eq '{VICTIM}')");
    let query = [("$filter", filter.as_str()), ("$orderby", "activityDateTime desc")];
    let found = rows(
        logs::list_audits(
            &reference(),
            &call(Version::V1, "/auditLogs/directoryAudits", None, &query, Value::Null),
        )
        .unwrap(),
    );
    assert!(found.iter().any(|row| row["activityDisplayName"] == "User registered security info"));
    assert!(found.iter().all(|row| row["targetResources"][0]["id"] == VICTIM));
    let undocumented = [("$filter", "initiatedBy/app/servicePrincipalId eq 'x'")];
    assert!(
        logs::list_audits(&reference(), &call(Version::V1, "/x", None, &undocumented, Value::Null)).is_err()
    );
}

fn ask(tenant: &Tenant, user: &str, context: &Value, conditions: &Value, only: bool) -> Vec<Value> {
    let body = json!({
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
        "signInContext": context, "signInConditions": conditions, "appliedPoliciesOnly": only,
    });
    rows(
        evaluate::evaluate(
            tenant,
            &call(Version::V1, "/identity/conditionalAccess/evaluate", None, &[], body),
        )
        .unwrap(),
    )
}

fn application() -> Value {
    json!({"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [EXCHANGE]})
}

fn everything(ip: &str) -> Value {
    json!({"clientAppType": "browser", "devicePlatform": "windows", "country": "NL", "ipAddress": ip, "signInRiskLevel": "none",
        "userRiskLevel": "high", "insiderRiskLevel": "none", "authenticationFlow": {"transferMethod": "none"}, "deviceInfo": {"isCompliant": false}})
}

fn with_policy(changes: &Value) -> Tenant {
    let mut tenant = reference();
    let mut body = json!({
        "displayName": "Block list", "state": "enabled",
        "conditions": {"clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"], "excludeUsers": [GLASS]}, "locations": {"includeLocations": [BLACKLIST]}},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    });
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    policies::create(
        &mut tenant,
        &call(Version::V1, "/identity/conditionalAccess/policies", None, &[], body),
    )
    .unwrap();
    tenant
}

#[test]
fn what_if_says_which_policies_apply_and_why_others_do_not() {
    let tenant = with_policy(&json!({}));
    let reasons = |user: &str, conditions: Value| {
        let found = ask(&tenant, user, &application(), &conditions, false);
        assert_eq!(found.len(), 2);
        (
            found[1]["policyApplies"].as_bool().unwrap(),
            found[1]["analysisReasons"].as_str().unwrap().to_owned(),
        )
    };
    let answer = |applies: bool, reasons: &str| (applies, reasons.to_owned());
    assert_eq!(reasons(VICTIM, everything("198.51.100.7")), answer(true, "notSet"));
    assert_eq!(reasons(VICTIM, everything("198.51.101.7")), answer(false, "location"));
    assert_eq!(reasons(VICTIM, everything("::ffff:198.51.100.7")), answer(true, "notSet"));
    assert_eq!(reasons(VICTIM, json!({})), answer(false, "notEnoughInformation"));
    assert_eq!(reasons(GLASS, everything("198.51.100.7")), answer(false, "users"));
    assert_eq!(reasons(GLASS, json!({})), answer(false, "users"));
    let applied = ask(&tenant, VICTIM, &application(), &everything("203.0.113.200"), true);
    assert_eq!(applied.len(), 1);
    assert_eq!(applied[0]["id"], MFA);
}

#[test]
fn what_if_lists_report_only_policies_with_their_state_and_disabled_ones_as_off() {
    let report = with_policy(&json!({"/state": "enabledForReportingButNotEnforced"}));
    let found = ask(&report, VICTIM, &application(), &everything("198.51.100.7"), true);
    assert_eq!(
        (&found[1]["state"], &found[1]["policyApplies"]),
        (&json!("enabledForReportingButNotEnforced"), &json!(true))
    );
    let off = with_policy(&json!({"/state": "disabled"}));
    let found = ask(&off, VICTIM, &application(), &everything("198.51.100.7"), false);
    assert_eq!(
        (&found[1]["analysisReasons"], &found[1]["policyApplies"]),
        (&json!("policyNotEnabled"), &json!(false))
    );
}

#[test]
fn what_if_looks_at_every_condition() {
    for (changes, reason) in [
        (json!({"/conditions/clientAppTypes": ["mobileAppsAndDesktopClients"]}), "clientApps"),
        (
            json!({"/conditions/platforms": {"includePlatforms": ["all"], "excludePlatforms": ["windows"]}}),
            "devicePlatform",
        ),
        (json!({"/conditions/userRiskLevels": ["low"]}), "userRisk"),
        (json!({"/conditions/signInRiskLevels": ["high"]}), "signInRisk"),
        (json!({"/conditions/insiderRiskLevels": "moderate,elevated"}), "insiderRisk"),
        (
            json!({"/conditions/authenticationFlows": {"transferMethods": "deviceCodeFlow"}}),
            "authenticationFlow",
        ),
        (
            json!({"/conditions/devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq False"}}}),
            "devices",
        ),
        (
            json!({"/conditions/devices": {"deviceFilter": {"mode": "include", "rule": "device.model -eq \"x\""}}}),
            "notEnoughInformation",
        ),
        (json!({"/conditions/applications/excludeApplications": [EXCHANGE]}), "application"),
        (json!({"/conditions/applications": {"includeApplications": ["None"]}}), "application"),
        (
            json!({"/conditions/applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}}),
            "userActions",
        ),
        (json!({"/conditions/locations/excludeLocations": [BLACKLIST]}), "location"),
        (json!({"/conditions/users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}}), "users"),
        (json!({"/conditions/users": {"includeUsers": ["GuestsOrExternalUsers"]}}), "users"),
        (
            json!({"/conditions/users": {"includeUsers": ["All"], "excludeUsers": [VICTIM]}, "/conditions/userRiskLevels": ["low"]}),
            "users,userRisk",
        ),
        (json!({"/conditions/applications": {"includeApplications": ["Office365"]}}), "notSet"),
        (
            json!({"/conditions/locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}),
            "notSet",
        ),
    ] {
        let tenant = with_policy(&changes);
        let found = ask(&tenant, VICTIM, &application(), &everything("198.51.100.7"), false);
        assert_eq!(found[1]["analysisReasons"], reason, "{changes}");
    }
}

#[test]
fn groups_within_groups_and_roles_bring_a_user_into_scope() {
    let mut tenant = reference();
    tenant.groups = vec![json!({"id": "outer"}), json!({"id": "inner"})];
    tenant.group_members.insert("outer".to_owned(), vec!["inner".to_owned()]);
    tenant.group_members.insert("inner".to_owned(), vec![VICTIM.to_owned(), "outer".to_owned()]);
    tenant.conditional_access_policies[0]["conditions"]["users"] = json!({"includeGroups": ["outer"]});
    assert_eq!(ask(&tenant, VICTIM, &application(), &everything("198.51.100.7"), true).len(), 1);
    assert_eq!(ask(&tenant, GLASS, &application(), &everything("198.51.100.7"), true).len(), 0);
    tenant.conditional_access_policies[0]["conditions"]["users"] =
        json!({"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]});
    assert_eq!(ask(&tenant, GLASS, &application(), &everything("198.51.100.7"), true).len(), 1);
}

#[test]
fn user_actions_bring_policies_on_all_applications_along() {
    let tenant = with_policy(
        &json!({"/conditions/applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}}),
    );
    let action = json!({"@odata.type": "#microsoft.graph.userActionContext", "userAction": "registerSecurityInformation"});
    assert_eq!(ask(&tenant, VICTIM, &action, &everything("198.51.100.7"), true).len(), 2);
    let action =
        json!({"@odata.type": "#microsoft.graph.userActionContext", "userAction": "registerOrJoinDevices"});
    assert_eq!(ask(&tenant, VICTIM, &action, &everything("198.51.100.7"), true).len(), 1);
}

#[test]
fn what_if_refuses_what_it_cannot_read() {
    let user = json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": VICTIM});
    for body in [
        Value::Null,
        json!({"signInIdentity": user}),
        json!({"signInIdentity": user, "signInContext": application(), "colour": 1}),
        json!({"signInIdentity": {"userId": VICTIM}, "signInContext": application()}),
        json!({"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "nobody"}, "signInContext": application()}),
        json!({"signInIdentity": user, "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": []}}),
        json!({"signInIdentity": user, "signInContext": application(), "signInConditions": {"clientAppType": "telnet"}}),
        json!({"signInIdentity": user, "signInContext": application(), "signInConditions": {"ipAddress": "203.0.113"}}),
        json!({"signInIdentity": user, "signInContext": application(), "signInConditions": {"weather": "rain"}}),
    ] {
        let refused = evaluate::evaluate(&reference(), &call(Version::V1, "/x", None, &[], body.clone()))
            .expect_err(&body.to_string());
        assert_eq!(refused.status, 400);
    }
}

#[test]
fn a_location_in_use_or_trusted_cannot_be_deleted() {
    let mut tenant = with_policy(&json!({"/state": "disabled"}));
    let delete = |tenant: &mut Tenant, id: &str| {
        named_locations::delete(tenant, &call(Version::V1, "/x", Some(id), &[], Value::Null))
    };
    assert_eq!(delete(&mut tenant, BLACKLIST).unwrap_err().status, 400);
    assert_eq!(delete(&mut tenant, OFFICE).unwrap_err().status, 400);
    assert_eq!(
        delete(&mut tenant, "00000000-0000-0000-0000-000000000000").unwrap_err().code,
        "ResourceNotFound"
    );
    let id = tenant.conditional_access_policies[1]["id"].as_str().unwrap().to_owned();
    policies::delete(&mut tenant, &call(Version::V1, "/x", Some(&id), &[], Value::Null)).unwrap();
    assert_eq!(delete(&mut tenant, BLACKLIST).unwrap().status, 204);
    assert_eq!(tenant.named_locations.len(), 1);
}

#[test]
fn a_lost_update_is_a_lost_update() {
    let mut tenant = reference();
    let patch = |tenant: &mut Tenant, cidr: &str| {
        let range = json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": cidr});
        let body = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": [range]});
        named_locations::update(tenant, &call(Version::V1, "/x", Some(BLACKLIST), &[], body)).unwrap()
    };
    let reply = patch(&mut tenant, "89.187.164.82/32");
    assert_eq!((reply.status, reply.body), (204, None));
    patch(&mut tenant, "181.214.107.7/32");
    let address = format!("/identity/conditionalAccess/namedLocations/{BLACKLIST}");
    let body = named_locations::get(&tenant, &call(Version::V1, &address, Some(BLACKLIST), &[], Value::Null))
        .unwrap()
        .body
        .unwrap();
    assert_eq!(body["ipRanges"].as_array().unwrap().len(), 1);
    assert_eq!(body["modifiedDateTime"], "2024-10-04T15:00:00Z");
    assert_eq!(
        body["@odata.context"],
        "http://127.0.0.1:1/v1.0/$metadata#identity/conditionalAccess/namedLocations/$entity"
    );
    let audits: Vec<&Value> = tenant
        .directory_audits
        .iter()
        .filter(|row| row["activityDisplayName"] == "Update named location")
        .collect();
    assert_eq!(audits.len(), 2);
    assert_eq!(audits[0]["initiatedBy"]["app"]["displayName"], "stanch responder");
    assert_ne!(audits[0]["id"], audits[1]["id"]);
}

#[test]
fn what_is_created_is_answered_and_listed() {
    let mut tenant = reference();
    let body = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "New", "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.45/32"}]});
    let path = "/identity/conditionalAccess/namedLocations";
    let reply = named_locations::create(&mut tenant, &call(Version::V1, path, None, &[], body)).unwrap();
    let made = reply.body.unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(
        made["@odata.context"],
        "http://127.0.0.1:1/v1.0/$metadata#identity/conditionalAccess/namedLocations/$entity"
    );
    let query = [("$filter", "displayName eq 'New'")];
    let found =
        rows(named_locations::list(&tenant, &call(Version::V1, path, None, &query, Value::Null)).unwrap());
    assert_eq!(found[0]["id"], made["id"]);
    let count = |filter: &str| {
        let asked = call(Version::V1, path, None, &[("$filter", filter)], Value::Null);
        rows(named_locations::list(&tenant, &asked).unwrap()).len()
    };
    assert_eq!(count("isof('microsoft.graph.ipNamedLocation')"), 3);
    assert_eq!(count("isof('microsoft.graph.countryNamedLocation')"), 0);
    assert_eq!(count("microsoft.graph.ipNamedLocation/isTrusted eq true"), 1);
}

#[test]
fn v1_does_not_show_what_only_beta_has() {
    let mut tenant = reference();
    tenant.conditional_access_policies[0]["sessionControls"] =
        json!({"continuousAccessEvaluation": {"mode": "strictLocation"}});
    let get = |version| policies::get(&tenant, &call(version, "/x", Some(MFA), &[], Value::Null));
    assert!(get(Version::V1).unwrap_err().message.starts_with("1037:"));
    assert!(get(Version::Beta).is_ok());
    let listed = rows(
        policies::list(
            &tenant,
            &call(Version::V1, "/identity/conditionalAccess/policies", None, &[], Value::Null),
        )
        .unwrap(),
    );
    assert!(listed[0]["sessionControls"].get("continuousAccessEvaluation").is_none());
}
