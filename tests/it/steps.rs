//! The card's steps at their edges: what is there already, what is full, what cannot be done from here.

use serde_json::{Value, json};
use stanch::plan::Plan;
use stanch::run::{ActionState, Verdict};

use crate::world::{World, book};

const BLACKLIST: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";

fn bodies(plan: &Plan) -> String {
    plan.actions.iter().flat_map(|action| &action.requests).map(|request| request.body.to_string()).collect()
}

fn victim(tenant: &mut Value) -> &mut Value {
    let users = tenant["users"].as_array_mut().unwrap();
    users.iter_mut().find(|user| user["userPrincipalName"] == "lynne.robbins@contoso.com").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_location_that_is_not_there_is_made_under_that_very_name() {
    let world = World::case("aitm-travel");
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    let state = world.state().await;
    let made = state["namedLocations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["displayName"] == "IP Blacklist")
        .unwrap();
    assert_eq!(made["isTrusted"], false);
    assert!(made["ipRanges"].to_string().contains("2a0b:f4c2:1:0:5d:9a1c:44e0:1a/128"));
    let policy = state["conditionalAccessPolicies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["displayName"] == "stanch: block IP Blacklist")
        .unwrap();
    assert_eq!(policy["state"], "enabled");
    assert_eq!(policy["conditions"]["locations"]["includeLocations"], json!([made["id"]]));
}

#[tokio::test(start_paused = true)]
async fn near_the_limit_a_second_location_is_begun_and_referenced_in_the_same_plan() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let location = tenant["namedLocations"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|own| own["id"] == BLACKLIST)
            .unwrap();
        let ranges: Vec<Value> = (0..1_797)
            .map(|n| {
                json!({ "@odata.type": "#microsoft.graph.iPv4CidrRange",
                        "cidrAddress": format!("45.{}.{}.7/32", n / 250 + 1, n % 250) })
            })
            .collect();
        location["ipRanges"] = Value::Array(ranges);
    });
    let plan = world.plan("bec").await;
    assert!(plan.warnings.iter().any(|own| own.contains("`IP Blacklist 2` is begun")), "{:?}", plan.warnings);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let state = world.state().await;
    let second = state["namedLocations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["displayName"] == "IP Blacklist 2")
        .unwrap();
    assert_eq!(second["ipRanges"].as_array().unwrap().len(), 5);
    let referenced = state["conditionalAccessPolicies"].as_array().unwrap().iter().any(|policy| {
        policy["state"] == "enabled"
            && policy["conditions"]["locations"]["includeLocations"]
                .as_array()
                .is_some_and(|ids| ids.contains(&second["id"]) && ids.contains(&json!(BLACKLIST)))
    });
    assert!(referenced, "{}", state["conditionalAccessPolicies"]);
}

#[tokio::test(start_paused = true)]
async fn two_locations_of_one_name_are_a_persons_to_tell_apart() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let mut twin = tenant["namedLocations"][1].clone();
        twin["id"] = json!("3d541753-3960-46ea-a6f5-89f192aa7399");
        tenant["namedLocations"].as_array_mut().unwrap().push(twin);
    });
    let plan = world.plan("bec").await;
    assert!(!bodies(&plan).contains("cidrAddress"));
    assert!(plan.guards.refused.iter().any(|own| own.guard == "location_ambiguous" && own.holds_back));
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn an_address_never_goes_into_a_trusted_location() {
    let world =
        World::case_with("bec-node-fetch", |tenant| tenant["namedLocations"][1]["isTrusted"] = json!(true));
    let plan = world.plan("bec").await;
    assert!(!bodies(&plan).contains("cidrAddress"));
    assert!(plan.guards.refused.iter().any(|own| own.guard == "location_trusted"));
}

#[tokio::test(start_paused = true)]
async fn our_own_policy_is_adopted_and_not_doubled() {
    let world = World::case("bec-node-fetch").lagging(20);
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    let state = world.state().await;
    let policies = state["conditionalAccessPolicies"].as_array().unwrap();
    let block = policies.iter().find(|own| own["displayName"] == "stanch: block IP Blacklist").unwrap();
    let count = policies.len();
    // Somebody turns it off; the next plan turns it on again, and makes no second one.
    let path = format!("/v1.0/identity/conditionalAccess/policies/{}", block["id"].as_str().unwrap());
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, json!({ "state": "disabled" })).await, 204);
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let again = world.plan("bec").await;
    let states: Vec<_> = again
        .actions
        .iter()
        .filter(|own| own.step == "block_ips")
        .map(|own| (&own.before["state"], &own.after["state"]))
        .collect();
    let report_only = json!("enabledForReportingButNotEnforced");
    assert_eq!(states, [(&json!("disabled"), &report_only), (&report_only, &json!("enabled"))]);
    let run = world.apply(&again).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let state = world.state().await;
    assert_eq!(state["conditionalAccessPolicies"].as_array().unwrap().len(), count);
    let block = state["conditionalAccessPolicies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["id"] == block["id"])
        .unwrap();
    assert_eq!(block["state"], "enabled");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_would_hit_an_emergency_account_is_not_enforced() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    // The emergency account loses its exclusion between creation and enforcement: What-If tells, the PATCH is not sent.
    let mut edited = plan.clone();
    let creation = edited.actions.iter_mut().find(|action| action.id.as_str() == "block_ips.policy").unwrap();
    let excluded = creation.requests[0].body["conditions"]["users"]["excludeUsers"].as_array_mut().unwrap();
    excluded.pop();
    let edited = edited.sealed().unwrap();
    let error = world.try_apply(&edited).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("request_refused", 3), "the guards look at apply again");
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_guests_sessions_and_password_are_for_the_home_tenant() {
    let world = World::case_with("bec-node-fetch", |tenant| victim(tenant)["userType"] = json!("Guest"));
    let plan = world.plan("evict").await;
    for step in ["reset_password", "revoke_sessions"] {
        let action = plan.actions.iter().find(|action| action.step == step).unwrap();
        assert!(action.cannot.is_some() && action.requests.is_empty(), "{step}");
    }
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(run.open.iter().any(|item| item.next.contains("home tenant")));
}

#[tokio::test(start_paused = true)]
async fn a_federated_users_password_is_reset_at_the_provider() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["domains"] =
            json!([{ "id": "contoso.com", "authenticationType": "Federated", "isVerified": true }]);
    });
    let plan = world.plan("evict").await;
    let reset = plan.actions.iter().find(|action| action.step == "reset_password").unwrap();
    assert!(reset.cannot.as_ref().unwrap().why.contains("federated"));
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn keep_and_remove_override_the_evidence_on_the_record() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.keep = vec!["3ebebe3e-1790-40da-9891-0052cebcc1ba".parse().unwrap()];
    request.remove = vec!["459f3d88-2075-4b61-9bdf-80d7923724b6".parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    let deleted: Vec<_> = plan
        .actions
        .iter()
        .flat_map(|action| &action.requests)
        .filter(|request| request.method.as_str() == "DELETE")
        .map(|request| request.path.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(deleted, ["459f3d88-2075-4b61-9bdf-80d7923724b6"]);
    let kept = plan.left.iter().find(|left| left.object.contains("Infinix")).unwrap();
    assert!(kept.why.iter().any(|why| why.contains("--keep")), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_tells_the_intruder_nothing_irreversible_is_guessed() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let rows = tenant["signIns"].as_array_mut().unwrap();
        rows.retain(|row| !row["userAgent"].as_str().unwrap_or_default().starts_with("node-fetch"));
    });
    let mut request = world.request("bec");
    request.user_agents.clear();
    let plan = world.plan_for(request).await.unwrap();
    assert!(
        !plan.actions.iter().flat_map(|action| &action.requests).any(|own| own.method.as_str() == "DELETE")
    );
    assert!(!bodies(&plan).contains("cidrAddress"));
    assert!(plan.unchanged.iter().any(|own| own.step == "block_ips" && own.why.contains("--user-agent")));
    let rogue = plan.left.iter().find(|left| left.object.contains("Infinix")).unwrap();
    assert!(rogue.holds_back, "a method of nobody's holds back contained: {rogue:?}");
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn given_ranges_are_masked_merged_and_singled_out() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("bec");
    request.ips = vec!["89.187.164.0/24".parse().unwrap(), "2a0b:f4c2:1::/64".parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    let text = bodies(&plan);
    assert!(text.contains("89.187.164.0/24") && text.contains("2a0b:f4c2:1::/64"));
    assert!(!text.contains("89.187.164.77/32"), "an address inside a range is listed beside it");
    assert!(text.contains("#microsoft.graph.iPv6CidrRange"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_names_itself_and_the_step() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["applications"][0]["roles"]
            .as_array_mut()
            .unwrap()
            .retain(|role| !["User-PasswordProfile.ReadWrite.All"].contains(&role.as_str().unwrap()));
    });
    let plan = world.plan("evict").await;
    let run = world.apply(&plan).await;
    let reset = run.actions.iter().find(|action| action.step == "reset_password").unwrap();
    assert_eq!(reset.state, ActionState::Failed);
    assert!(reset.detail.contains("User-PasswordProfile.ReadWrite.All"), "{}", reset.detail);
    assert_eq!(run.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn hostile_names_are_shown_inert() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        victim(tenant)["displayName"] = json!("Lynne\u{1b}[2J\u{202e}snibboR | <b>`x`");
        for method in
            tenant["authenticationMethods"]["6ed5d1bf-e585-452f-ac95-4ab592c9357d"].as_array_mut().unwrap()
        {
            if method["id"] == "3ebebe3e-1790-40da-9891-0052cebcc1ba" {
                method["displayName"] = json!("x\u{7}\u{200b}](http://evil.example)");
            }
        }
    });
    let plan = world.plan("bec").await;
    let run = world.apply(&plan).await;
    let style = stanch::plan::preview::Style::default();
    for shown in [
        stanch::plan::preview::text(&plan, &style),
        stanch::plan::preview::markdown(&plan),
        stanch::report::text(&plan, &run, false),
        stanch::report::markdown(&plan, &run),
    ] {
        for hidden in ['\u{1b}', '\u{202e}', '\u{7}', '\u{200b}'] {
            assert!(!shown.contains(hidden), "{hidden:?} comes through");
        }
    }
    assert!(!stanch::report::markdown(&plan, &run).contains("](http"));
}

const GROUP: &str = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";

/// A playbook of one policy step for a group.
fn for_group(step: &str, state: &str) -> stanch::playbook::BoundPlaybook {
    book(&format!(
        "  - step: {step}\n    with: {{ users: {{ group: {GROUP} }}, state: {state} }}\n  - step: revoke_sessions\n"
    ))
}

/// A group with the victim in it.
fn finance(tenant: &mut Value) {
    tenant["groups"] = json!([{ "id": GROUP, "displayName": "Finance", "isAssignableToRole": null }]);
    let users = tenant["users"].as_array().unwrap();
    let id = |upn: &str| users.iter().find(|user| user["userPrincipalName"] == upn).unwrap()["id"].clone();
    tenant["groupMembers"] =
        json!({ GROUP: [id("lynne.robbins@contoso.com"), id("grady.archie@contoso.com")] });
}

#[tokio::test(start_paused = true)]
async fn a_policy_for_a_group_tells_whom_of_its_members_it_would_have_stopped() {
    let world = World::case_with("bec-node-fetch", finance);
    for (step, state) in [
        ("require_compliant_device", "report_only"),
        ("require_compliant_device", "enabled"),
        ("require_token_protection", "enabled"),
    ] {
        let mut request = world.request("evict");
        request.playbook = for_group(step, state);
        let plan = world.plan_for(request).await.unwrap();
        let action = plan.actions.iter().find(|action| action.step == step).unwrap();
        assert!(action.summary.contains("Finance"), "{}", action.summary);
        assert!(
            action.evidence.iter().any(|own| own.contains("of the members' own")),
            "{:?}",
            action.evidence
        );
        if (step, state) == ("require_compliant_device", "enabled") {
            // The rehearsal left phones and Macs out; enforcing takes them in, in our own policy.
            assert_eq!(action.requests[0].body["conditions"]["platforms"], Value::Null);
            assert_eq!(action.after["platforms"], "any");
        }
        assert_eq!(action.requests[0].body["conditions"]["users"]["includeGroups"], json!([GROUP]));
        assert_eq!(action.requests[0].body["conditions"]["users"]["includeUsers"], json!([]));
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{step} {state}: {run:#?}");
    }
    let state = world.state().await;
    let ours: Vec<_> = state["conditionalAccessPolicies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|own| own["displayName"] == "stanch: require compliant device for Finance")
        .collect();
    assert_eq!(ours.len(), 1, "it was doubled");
    assert_eq!((&ours[0]["state"], &ours[0]["conditions"]["platforms"]), (&json!("enabled"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_there_makes_no_policy() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.playbook = for_group("require_compliant_device", "report_only");
    let plan = world.plan_for(request).await.unwrap();
    assert!(plan.guards.refused.iter().any(|own| own.guard == "policy_unknown_group"));
    assert!(!plan.actions.iter().any(|action| action.step == "require_compliant_device"));
}

#[test]
fn host_bits_in_a_playbook_are_masked_and_not_refused() {
    let text = "schema: stanch/playbook/v1\nname: listed\ntitle: Listed\nsummary: A list.\nsteps:\n  - step: block_ips\n    with: { ips: [89.187.164.82/24] }\n  - step: revoke_sessions\n";
    let catalog = stanch::steps::catalog();
    let book = stanch::playbook::Playbook::parse("listed.yaml", text.as_bytes(), &catalog).unwrap();
    assert!(book.bind(&[], &catalog).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_is_asked_about_once_it_is_there_and_an_enforcement_before() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    let requests = world.requests().await;
    let seq = |line: &Value| line["seq"].as_u64().unwrap();
    let asked: Vec<u64> = requests
        .iter()
        .filter(|line| line["path"].as_str().unwrap().ends_with("/evaluate"))
        .map(seq)
        .collect();
    // The user and two emergency accounts, for each of four policies.
    assert_eq!(asked.len(), 12);
    let enforced =
        requests.iter().find(|line| line["body"] == json!({ "state": "enabled" })).map(seq).unwrap();
    assert!(
        asked.iter().filter(|own| **own < enforced).count() >= 3,
        "it was enforced before What-If was asked"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_that_would_do_nothing_is_not_called_verified() {
    // The user stands in no policy's scope: the group that it is for has another member only.
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let mut edited = plan.clone();
    for action in &mut edited.actions {
        if action.step == "require_compliant_device" {
            action.requests[0].body["conditions"]["users"]["includeUsers"] =
                json!([world.user_id("grady.archie@contoso.com")]);
        }
    }
    let run = world.apply(&edited.sealed().unwrap()).await;
    let action = run.actions.iter().find(|action| action.step == "require_compliant_device").unwrap();
    assert_eq!(action.state, ActionState::AcceptedUnverified);
    assert!(action.detail.contains("would not apply"), "{}", action.detail);
}

#[tokio::test(start_paused = true)]
async fn an_address_inside_a_refused_range_is_still_blocked() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("bec");
    request.ips = vec!["89.0.0.0/8".parse().unwrap(), "89.187.164.135/32".parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    assert!(
        plan.guards.refused.iter().any(|own| own.object.contains("89.0.0.0/8")),
        "{:?}",
        plan.guards.refused
    );
    let bodies = bodies(&plan);
    // Where the evidence carries the range around it, by that.
    assert!(bodies.contains("89.187.164.0/24"), "{bodies}");
    assert!(!bodies.contains("89.0.0.0/8"), "{bodies}");
}

#[tokio::test(start_paused = true)]
async fn our_policy_that_somebody_changed_is_not_touched_and_holds_the_run_back() {
    let world = World::case("bec-node-fetch");
    assert_eq!(world.apply(&world.plan("bec").await).await.verdict, Verdict::Contained);
    let state = world.state().await;
    let policies = state["conditionalAccessPolicies"].as_array().unwrap();
    let block = policies.iter().find(|own| own["displayName"] == "stanch: block IP Blacklist").unwrap();
    let path = format!("/v1.0/identity/conditionalAccess/policies/{}", block["id"].as_str().unwrap());
    let mut users = block["conditions"]["users"].clone();
    users["includeUsers"] = json!([world.victim_id()]);
    let change = json!({ "state": "disabled", "conditions": { "users": users } });
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, change).await, 204);
    let plan = world.plan("bec").await;
    assert!(plan.guards.refused.iter().any(|own| own.guard == "policy_changed" && own.holds_back));
    assert!(plan.warnings.iter().any(|own| own.contains("recorded, NOT enforced")), "{:?}", plan.warnings);
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

/// A policy of ours as the tenant has it, and its path.
async fn ours(world: &World, name: &str) -> (Value, String) {
    let state = world.state().await;
    let policies = state["conditionalAccessPolicies"].as_array().unwrap();
    let own = policies.iter().find(|own| own["displayName"] == name).unwrap().clone();
    let path = format!("/v1.0/identity/conditionalAccess/policies/{}", own["id"].as_str().unwrap());
    (own, path)
}

#[tokio::test(start_paused = true)]
async fn our_policy_that_somebody_hollowed_out_is_not_called_enforced() {
    let world = World::case("bec-node-fetch");
    assert_eq!(world.apply(&world.plan("bec").await).await.verdict, Verdict::Contained);
    for (name, step, change) in [
        ("stanch: block IP Blacklist", "block_ips", json!({ "signInRiskLevels": ["high"] })),
        (
            "stanch: protect security info for lynne.robbins@contoso.com",
            "protect_security_info",
            json!({ "userRiskLevels": ["high"] }),
        ),
    ] {
        let (before, path) = ours(&world, name).await;
        assert_eq!(before["state"], "enabled");
        let change = json!({ "conditions": change });
        assert_eq!(world.send_as(&world.responder, "PATCH", &path, change).await, 204);
        let plan = world.plan("bec").await;
        let refused =
            plan.guards.refused.iter().find(|own| own.guard == "policy_changed" && own.object.contains(name));
        assert!(refused.is_some(), "{:?}", plan.guards.refused);
        assert!(plan.actions.iter().all(|own| own.step != step), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_enforced_policy_that_somebody_narrowed_is_widened_again() {
    const NAME: &str = "stanch: require compliant device for Finance";
    let world = World::case_with("bec-node-fetch", finance);
    let plan = async || {
        let mut request = world.request("evict");
        request.playbook = for_group("require_compliant_device", "enabled");
        world.plan_for(request).await.unwrap()
    };
    assert_eq!(world.apply(&plan().await).await.verdict, Verdict::Contained);
    let (_, path) = ours(&world, NAME).await;
    let platforms = json!({ "includePlatforms": ["android"], "excludePlatforms": [] });
    let change = json!({ "conditions": { "platforms": platforms } });
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, change).await, 204);
    let again = plan().await;
    let action = again.actions.iter().find(|own| own.step == "require_compliant_device").unwrap();
    assert_eq!(action.before, json!({ "state": "enabled", "platforms": platforms }));
    assert_eq!(action.after, json!({ "state": "enabled", "platforms": "any" }));
    let run = world.apply(&again).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let (now, _) = ours(&world, NAME).await;
    assert_eq!((&now["state"], &now["conditions"]["platforms"]), (&json!("enabled"), &Value::Null));
    assert!(plan().await.actions.iter().all(|own| own.step != "require_compliant_device"));
}

#[tokio::test(start_paused = true)]
async fn token_protection_asks_for_no_devices() {
    let world = World::case_with("bec-node-fetch", finance);
    let mut request = world.request("evict");
    request.playbook = for_group("require_token_protection", "report_only");
    world.plan_for(request).await.unwrap();
    let asked = world.requests().await;
    assert!(asked.iter().all(|line| !line["path"].as_str().unwrap().contains("Devices")), "{asked:#?}");
}
