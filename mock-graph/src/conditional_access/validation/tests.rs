use serde_json::{Map, Value, json};

use super::{create_location, create_policy, update_location, update_policy};
use crate::api::{Call, Caller, Fail, Version};
use crate::tenant::Tenant;

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const BLACKLIST: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";

fn reference() -> Tenant {
    serde_json::from_str(include_str!("../../../cases/bec-node-fetch/tenant.json")).unwrap()
}

fn call(body: Value) -> Call {
    Call {
        version: Version::V1,
        segments: Vec::new(),
        query: Vec::new(),
        headers: vec![("if-match".to_owned(), "\"never\"".to_owned())],
        body,
        caller: Caller {
            app_id: String::new(),
            roles: Vec::new(),
            directory_roles: Vec::new(),
            user_id: None,
        },
        now: "2024-10-04T15:00:00Z".parse().unwrap(),
        base: String::new(),
        path: String::new(),
        new_id: "new-id".to_owned(),
    }
}

/// A policy that is in order, with some parts put over it; null in a part takes it out.
fn body(changes: &[(&str, Value)]) -> Value {
    let mut body = json!({
        "displayName": "Block list", "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": [VICTIM]}, "locations": {"includeLocations": [BLACKLIST]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}, "sessionControls": null,
    });
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name)
        } else {
            parent.insert(name.to_owned(), value.clone())
        };
    }
    body
}

fn create(tenant: &Tenant, changes: &[(&str, Value)]) -> Result<Value, Fail> {
    create_policy(tenant, &call(body(changes))).map_err(Fail::from)
}

/// The numbered text, wherever it stands.
fn said(fail: &Fail) -> &str {
    fail.inner.as_deref().unwrap_or(&fail.message)
}

#[test]
fn a_policy_is_made_whole() {
    let policy = create(&reference(), &[]).unwrap();
    assert_eq!(policy["id"], "new-id");
    assert_eq!(policy["createdDateTime"], "2024-10-04T15:00:00Z");
    assert_eq!(policy["modifiedDateTime"], Value::Null);
    assert_eq!(policy["conditions"]["users"]["excludeGroups"], json!([]));
    assert_eq!(policy["conditions"]["userRiskLevels"], json!([]));
    assert_eq!(policy["conditions"]["platforms"], Value::Null);
    assert_eq!(policy["grantControls"]["termsOfUse"], json!([]));
    let sent = reference().conditional_access_policies[0].clone();
    let known: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(policy.as_object().unwrap().keys().collect::<Vec<_>>(), known);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of refusals is one idea")]
fn every_rule_of_a_policy_is_kept() {
    let tenant = reference();
    let p2 = json!(["high"]);
    let grant = |operator: &str, controls: Value| json!({"operator": operator, "builtInControls": controls});
    let reset = [
        ("/grantControls", grant("AND", json!(["mfa", "passwordChange"]))),
        ("/conditions/userRiskLevels", p2.clone()),
        ("/conditions/locations", Value::Null),
    ];
    assert!(create(&tenant, &reset).is_ok());
    let every = |more: Value| {
        let mut session = json!({"signInFrequency": {"isEnabled": true, "value": null, "type": null, "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "everyTime"}});
        session.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        session
    };
    assert!(create(&tenant, &[("/sessionControls", every(json!({})))]).is_ok());
    let cases: Vec<(Vec<(&str, Value)>, &str)> = vec![
        (vec![("/displayName", Value::Null)], "1007"),
        (vec![("/displayName", json!(3))], "1007"),
        (vec![("/state", json!("on"))], "1007"),
        (vec![("/state", Value::Null)], "1007"),
        (vec![("/conditions", Value::Null)], "1007"),
        (vec![("/colour", json!("red"))], "1007"),
        (vec![("/conditions/weather", json!("rain"))], "1007"),
        (vec![("/conditions/clientAppTypes", json!(["unknownFutureValue"]))], "1007"),
        (vec![("/conditions/clientAppTypes", json!("all"))], "1007"),
        (vec![("/conditions/insiderRiskLevels", json!(["minor"]))], "1007"),
        (vec![("/grantControls", grant("XOR", json!(["block"])))], "1007"),
        (vec![("/grantControls", grant("OR", json!(["magic"])))], "1007"),
        (vec![("/conditions/clientAppTypes", Value::Null)], "clientAppTypes"),
        (vec![("/conditions/clientAppTypes", json!([]))], "clientAppTypes"),
        (vec![("/conditions/applications", Value::Null)], "application rule"),
        (vec![("/conditions/applications", json!({"includeApplications": []}))], "1011"),
        (
            vec![("/conditions/applications/includeUserActions", json!(["urn:user:registersecurityinfo"]))],
            "1011",
        ),
        (vec![("/conditions/users", Value::Null)], "user rule"),
        (vec![("/conditions/users", json!({"excludeUsers": [VICTIM]}))], "user rule"),
        (vec![("/grantControls", Value::Null)], "grant control"),
        (vec![("/grantControls", json!({"operator": "OR", "builtInControls": []}))], "grant control"),
        (vec![("/grantControls", json!({"builtInControls": ["block"]}))], "operator"),
        (vec![("/grantControls", grant("OR", json!(["block", "mfa"])))], "1032"),
        (
            vec![("/conditions/users/includeUsers", json!(["5f00aaaa-0000-4000-8000-000000000001"]))],
            "User with id",
        ),
        (
            vec![("/conditions/users/excludeGroups", json!(["5f00aaaa-0000-4000-8000-000000000001"]))],
            "Group with id",
        ),
        (vec![("/conditions/users/includeRoles", json!(["Global Administrator"]))], "Role with id"),
        (
            vec![(
                "/conditions/applications/includeApplications",
                json!(["5f00aaaa-0000-4000-8000-000000000001"]),
            )],
            "AppId",
        ),
        (
            vec![("/conditions/locations/includeLocations", json!(["5f00aaaa-0000-4000-8000-000000000001"]))],
            "1040",
        ),
        (vec![("/conditions/locations/includeLocations", json!([]))], "includeLocations"),
        (
            vec![(
                "/conditions/devices",
                json!({"deviceFilter": {"mode": "include", "rule": "isCompliant"}}),
            )],
            "device filter",
        ),
        (vec![reset[0].clone(), reset[2].clone()], "1032"),
        (
            vec![
                ("/grantControls", grant("OR", json!(["mfa", "passwordChange"]))),
                reset[1].clone(),
                reset[2].clone(),
            ],
            "InvalidPasswordResetControl",
        ),
        (
            vec![("/grantControls", json!({"operator": "OR", "authenticationStrength": {"id": "5f00aaaa"}}))],
            "AuthenticationStrength",
        ),
        (
            vec![("/sessionControls", json!({"continuousAccessEvaluation": {"mode": "strictLocation"}}))],
            "1038",
        ),
        (vec![("/sessionControls", every(json!({"disableResilienceDefaults": false})))], "everyTime"),
        (
            vec![(
                "/sessionControls",
                every(json!({"applicationEnforcedRestrictions": {"isEnabled": false}})),
            )],
            "everyTime",
        ),
        (
            vec![(
                "/sessionControls",
                json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime", "value": 1, "type": "hours"}}),
            )],
            "everyTime",
        ),
        (
            vec![(
                "/sessionControls",
                json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "timeBased"}}),
            )],
            "type and a value",
        ),
        (vec![("/sessionControls", json!({"signInFrequency": {"isEnabled": false}}))], "defaults"),
        (
            vec![("/conditions/applications", json!({"includeUserActions": ["urn:user:registerdevice"]}))],
            "1032",
        ),
    ];
    for (changes, wanted) in cases {
        let refused = create(&tenant, &changes).expect_err(wanted);
        assert_eq!((refused.status, refused.code.as_str()), (400, "BadRequest"), "{changes:?}");
        assert!(said(&refused).contains(wanted), "{changes:?}: {}", said(&refused));
        let outer = ["1038", "1040"].contains(&wanted);
        assert_eq!(refused.inner.is_none(), outer, "{wanted}");
    }
}

#[test]
fn beta_takes_what_v1_refuses() {
    let mut beta = call(body(&[(
        "/sessionControls",
        json!({"continuousAccessEvaluation": {"mode": "strictLocation"}}),
    )]));
    beta.version = Version::Beta;
    assert!(create_policy(&reference(), &beta).is_ok());
}

#[test]
fn licences_and_security_defaults_stand_in_the_way() {
    let mut tenant = reference();
    let risk = [("/conditions/userRiskLevels", json!(["high"]))];
    assert!(create(&tenant, &risk).is_ok());
    tenant.tenant.licences = vec!["AAD_PREMIUM".to_owned()];
    let refused = create(&tenant, &risk).unwrap_err();
    assert_eq!((refused.status, &refused.message[..5]), (400, "1039:"));
    assert!(create(&tenant, &[]).is_ok());
    tenant.tenant.security_defaults = true;
    assert!(create(&tenant, &[]).unwrap_err().message.starts_with("Security Defaults is enabled"));
    assert!(create(&tenant, &[("/state", json!("disabled"))]).is_ok());
    assert!(create(&tenant, &[("/state", json!("enabledForReportingButNotEnforced"))]).is_ok());
    tenant.tenant.licences.clear();
    let refused = create(&tenant, &[]).unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDenied"));
}

#[test]
fn the_196th_is_one_too_many() {
    let mut tenant = reference();
    while tenant.conditional_access_policies.len() < 195 {
        assert!(create(&tenant, &[]).is_ok());
        tenant.conditional_access_policies.push(json!({}));
        tenant.named_locations.push(json!({"id": "x"}));
    }
    assert_eq!(create(&tenant, &[]).unwrap_err().status, 400);
    assert!(create_location(&tenant, &call(location(&["203.0.113.9/32"]))).is_err());
}

#[test]
fn session_controls_that_do_nothing_are_dropped() {
    let idle = json!({"persistentBrowser": {"isEnabled": false, "mode": "never"}, "disableResilienceDefaults": false});
    let policy = create(&reference(), &[("/sessionControls", idle.clone())]).unwrap();
    assert_eq!(policy["sessionControls"], Value::Null);
    let refused =
        create(&reference(), &[("/sessionControls", idle), ("/grantControls", Value::Null)]).unwrap_err();
    assert!(said(&refused).contains("grant control"));
}

#[test]
fn a_patch_merges_objects_replaces_arrays_and_clears_by_null() {
    let tenant = reference();
    let session = json!({"signInFrequency": {"isEnabled": true, "value": 4, "type": "hours", "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}});
    let policy = create(&tenant, &[("/sessionControls", session)]).unwrap();
    let patch = |body: Value| update_policy(&tenant, &call(body), &policy).map_err(Fail::from);

    let changed = patch(json!({"state": "disabled"})).unwrap();
    assert_eq!((&changed["state"], &changed["conditions"]), (&json!("disabled"), &policy["conditions"]));
    assert_eq!(changed["modifiedDateTime"], "2024-10-04T15:00:00Z");
    let changed = patch(json!({"conditions": {"signInRiskLevels": ["high"]}})).unwrap();
    assert_eq!(changed["conditions"]["users"], policy["conditions"]["users"]);
    let other = "e5f7ed82-693b-5476-9283-6c889b200c1f";
    let changed = patch(json!({"conditions": {"users": {"includeUsers": [other]}}})).unwrap();
    assert_eq!(changed["conditions"]["users"]["includeUsers"], json!([other]));
    assert_eq!(
        patch(json!({"conditions": {"locations": null}})).unwrap()["conditions"]["locations"],
        Value::Null
    );
    // One control does not go by its own null, only with all the others.
    let kept = patch(json!({"sessionControls": {"signInFrequency": null}})).unwrap();
    assert_eq!(kept["sessionControls"]["signInFrequency"]["value"], 4);
    assert_eq!(patch(json!({"sessionControls": null})).unwrap()["sessionControls"], Value::Null);
    let every =
        patch(json!({"sessionControls": {"signInFrequency": {"frequencyInterval": "everyTime"}}})).unwrap();
    assert_eq!(every["sessionControls"]["signInFrequency"]["value"], Value::Null);
    assert!(
        said(&patch(json!({"grantControls": null, "sessionControls": null})).unwrap_err())
            .contains("grant control")
    );
    // What the service sets is taken from nobody.
    assert_eq!(patch(json!({"id": "other", "@odata.context": "x"})).unwrap()["id"], "new-id");
}

fn location(cidrs: &[&str]) -> Value {
    let range = |cidr: &&str| {
        let kind = if cidr.contains(':') { "iPv6CidrRange" } else { "iPv4CidrRange" };
        json!({"@odata.type": format!("#microsoft.graph.{kind}"), "cidrAddress": cidr})
    };
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "List", "isTrusted": false,
        "ipRanges": cidrs.iter().map(range).collect::<Vec<_>>(),
    })
}

#[test]
fn a_location_is_made_with_its_text_unchanged() {
    let cidrs = ["12.34.221.11/22", "2001:0DB8::/64"];
    let made = create_location(&reference(), &call(location(&cidrs))).unwrap();
    assert_eq!(made["ipRanges"][0]["cidrAddress"], cidrs[0]);
    assert_eq!(made["ipRanges"][1]["cidrAddress"], cidrs[1]);
    assert_eq!(made["id"], "new-id");
    let country = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Far", "countriesAndRegions": ["NL"]});
    assert_eq!(
        create_location(&reference(), &call(country)).unwrap()["countryLookupMethod"],
        "clientIpAddress"
    );
}

#[test]
fn every_rule_of_a_location_is_kept() {
    let tenant = reference();
    let changed = |name: &str, value: Value| {
        let mut body = location(&["203.0.113.9/32"]);
        body[name] = value;
        body
    };
    let many: Vec<String> =
        (0..2001).map(|index| format!("198.{}.{}.0/32", index / 256, index % 256)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(create_location(&tenant, &call(location(many.get(1..).unwrap()))).is_ok());
    let country = |more: (&str, Value)| {
        let mut body = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Far", "countriesAndRegions": ["NL"]});
        body[more.0] = more.1;
        body
    };
    for body in [
        changed("@odata.type", Value::Null),
        changed("@odata.type", json!("#microsoft.graph.namedLocation")),
        changed("displayName", json!("")),
        changed("isTrusted", json!("false")),
        changed("colour", json!("red")),
        changed("countriesAndRegions", json!(["NL"])),
        changed("ipRanges", json!([])),
        changed("ipRanges", json!([{"cidrAddress": "203.0.113.9/32"}])),
        changed(
            "ipRanges",
            json!([{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "203.0.113.9/32"}]),
        ),
        changed(
            "ipRanges",
            json!([{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.9/32", "note": 1}]),
        ),
        location(&["203.0.113.9"]),
        location(&["203.0.113.9/33"]),
        location(&["nonsense"]),
        location(&["12.0.0.0/8"]),
        location(&["2001::/8"]),
        location(&many),
        country(("isTrusted", json!(true))),
        country(("countryLookupMethod", json!(""))),
        country(("countriesAndRegions", json!(["Netherlands"]))),
        json!("text"),
    ] {
        let refused = Fail::from(create_location(&tenant, &call(body.clone())).expect_err(&body.to_string()));
        assert_eq!((refused.status, refused.code.as_str()), (400, "BadRequest"));
    }
    assert!(
        create_location(&tenant, &call(changed("@odata.type", json!("#Microsoft.Graph.IPNamedLocation"))))
            .is_ok()
    );
}

#[test]
fn a_patched_location_holds_what_was_sent_and_nothing_else() {
    let tenant = reference();
    let existing = tenant.named_locations.iter().find(|location| location["id"] == BLACKLIST).unwrap();
    let mut patch = location(&["203.0.113.45/32"]);
    let sent: &mut Map<String, Value> = patch.as_object_mut().unwrap();
    sent.remove("displayName");
    sent.remove("isTrusted");
    let changed = update_location(&tenant, &call(patch), existing).unwrap();
    assert_eq!(changed["ipRanges"].as_array().unwrap().len(), 1);
    assert_eq!((&changed["displayName"], &changed["isTrusted"]), (&json!("IP Blacklist"), &json!(false)));
    assert_eq!(changed["modifiedDateTime"], "2024-10-04T15:00:00Z");
    for body in [
        json!({"ipRanges": []}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": ["NL"]}),
    ] {
        assert!(update_location(&tenant, &call(body), existing).is_err());
    }
}
