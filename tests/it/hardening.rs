//! `protect_security_info` and `confirm_compromised`: what comes beside the eviction, with its guards and licences.

use serde_json::{Value, json};
use stanch::engine::ApplyError;
use stanch::plan::Plan;
use stanch::run::{ActionState, Verdict};

use crate::world::{World, action, book};

const LYNNE: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const PROTECT: &str =
    "  - step: protect_security_info\n    with: { allow: ALLOW }\n  - step: revoke_sessions\n";

async fn plan(world: &World, steps: &str, overrides: &[&str]) -> Plan {
    let mut request = world.request("evict");
    request.playbook = book(steps);
    request.overrides = overrides.iter().map(|&name| name.to_owned()).collect();
    world.plan_for(request).await.unwrap()
}

async fn policy(world: &World) -> Value {
    let state = world.state().await;
    let policies = state["conditionalAccessPolicies"].as_array().unwrap().clone();
    let ours =
        |own: &&Value| own["displayName"].as_str().unwrap().starts_with("stanch: protect security info");
    let found: Vec<_> = policies.iter().filter(ours).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Whether the intruder's live session can register a method, with sign-in enabled.
async fn registers(world: &World) -> bool {
    let body = json!({ "from": ["listed"], "assume": { "accountEnabled": true } });
    let answer = world.attempt(body).await;
    answer["paths"]
        .as_array()
        .unwrap()
        .iter()
        .any(|way| way["path"].as_str().unwrap().contains("register") && way["outcome"] == "open")
}

fn protect(allow: &str) -> String {
    // Without the revocation's turn: the session must still be alive for the attempt.
    PROTECT.replace("ALLOW", allow)
}

#[tokio::test(start_paused = true)]
async fn a_live_session_registers_no_method_once_security_info_is_protected() {
    let world = World::case("bec-node-fetch").lagging(10);
    assert!(registers(&world).await, "the test's own ground: the session is alive");
    let plan = plan(&world, &protect("[compliant_device, trusted_location]"), &[]).await;
    let actions: Vec<_> = plan.actions.iter().filter(|own| own.step == "protect_security_info").collect();
    assert_eq!(actions.len(), 2);
    assert_eq!(actions[0].after["state"], "disabled", "Graph rehearses no user action");
    assert!(actions[0].evidence.iter().any(|own| own.contains("`Head office`")), "{:?}", actions[0].evidence);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let made = policy(&world).await;
    assert_eq!(made["state"], "enabled");
    assert_eq!(
        made["conditions"]["applications"]["includeUserActions"],
        json!(["urn:user:registersecurityinfo"])
    );
    assert_eq!(made["conditions"]["users"]["includeUsers"], json!([LYNNE]));
    assert_eq!(made["conditions"]["users"]["excludeUsers"].as_array().unwrap().len(), 2);
    assert!(!registers(&world).await);
    // Applied, then planned again: nothing to do.
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let again = self::plan(&world, &protect("[compliant_device, trusted_location]"), &[]).await;
    assert!(again.unchanged.iter().any(|own| own.step == "protect_security_info"), "{:?}", again.unchanged);
}

#[tokio::test(start_paused = true)]
async fn our_policy_that_was_turned_off_and_narrowed_is_enforced_for_every_platform() {
    let world = World::case("bec-node-fetch");
    let step = protect("[compliant_device]");
    assert_eq!(world.apply(&plan(&world, &step, &[]).await).await.verdict, Verdict::Contained);
    let own = policy(&world).await;
    let path = format!("/v1.0/identity/conditionalAccess/policies/{}", own["id"].as_str().unwrap());
    let platforms = json!({ "includePlatforms": ["windows"], "excludePlatforms": [] });
    let change = json!({ "state": "disabled", "conditions": { "platforms": platforms } });
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, change).await, 204);
    let again = plan(&world, &step, &[]).await;
    let action = again.actions.iter().find(|own| own.step == "protect_security_info").unwrap();
    assert_eq!(action.before["state"], "disabled");
    let run = world.apply(&again).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let now = policy(&world).await;
    assert_eq!((&now["state"], &now["conditions"]["platforms"]), (&json!("enabled"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn the_policy_alone_stops_the_registration() {
    // The same without the revocation that follows: the session lives on, and registers nothing.
    let world = World::case("bec-node-fetch");
    let plan = plan(&world, &protect("[compliant_device]"), &[]).await;
    for action in plan.actions.iter().filter(|own| own.step == "protect_security_info") {
        for request in &action.requests {
            let mut path = request.path.clone();
            if path.contains("${actions.") {
                path = format!(
                    "/v1.0/identity/conditionalAccess/policies/{}",
                    policy(&world).await["id"].as_str().unwrap()
                );
            }
            let status =
                world.send_as(&world.responder, request.method.as_str(), &path, request.body.clone()).await;
            assert!(status < 300, "{path}: {status}");
        }
        // Disabled, it does nothing yet.
        assert_eq!(registers(&world).await, action.id.as_str() == "protect_security_info");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_could_register_anything_it_is_refused_and_can_be_overridden() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["devices"]
            .as_array_mut()
            .unwrap()
            .retain(|own| !own["registeredOwners"].as_array().unwrap().contains(&json!(LYNNE)));
        for location in tenant["namedLocations"].as_array_mut().unwrap() {
            location["isTrusted"] = json!(false);
        }
    });
    let refused = plan(&world, &protect("[compliant_device, trusted_location]"), &[]).await;
    assert!(refused.actions.iter().all(|own| own.step != "protect_security_info"));
    let refusal = refused.guards.refused.iter().find(|own| own.guard == "policy_no_registration").unwrap();
    assert!(refusal.holds_back && refusal.next.contains("--override"), "{refusal:?}");
    let told = plan(&world, &protect("[]"), &["policy_no_registration"]).await;
    assert!(told.guards.overridden.iter().any(|own| own.guard == "policy_no_registration"));
    assert_eq!(world.apply(&told).await.verdict, Verdict::Contained);
    assert_eq!(policy(&world).await["grantControls"]["builtInControls"], json!(["block"]));
}

#[tokio::test(start_paused = true)]
async fn without_emergency_accounts_no_policy_on_registration_is_planned() {
    let mut world = World::case("bec-node-fetch");
    world.guards.emergency_accounts.clear();
    let plan = plan(&world, &protect("[compliant_device]"), &[]).await;
    assert!(plan.guards.refused.iter().any(|own| own.guard == "policy_emergency_accounts"));
    assert!(plan.actions.iter().all(|own| own.step != "protect_security_info"));
}

#[tokio::test(start_paused = true)]
async fn an_enforced_policy_that_what_if_was_not_asked_about_is_not_called_done() {
    let world = World::case("bec-node-fetch");
    let plan = plan(&world, &protect("[compliant_device]"), &[]).await;
    // What cannot be asked about is not called done.
    world
        .faults(
            json!([{ "method": "POST", "path": "/v1.0/identity/conditionalAccess/evaluate", "times": null,
                         "fault": { "kind": "status", "status": 403, "code": "AccessDenied" } }]),
        )
        .await;
    let run = world.apply(&plan).await;
    assert_eq!(
        action(&run, "protect_security_info.enforce").state,
        ActionState::AcceptedUnverified,
        "{run:#?}"
    );
    assert_eq!(run.verdict, Verdict::ContainedUnverified);
}

const CONFIRM: &str = "  - step: confirm_compromised\n";

#[tokio::test(start_paused = true)]
async fn a_confirmed_user_is_read_back_however_long_identity_protection_takes() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["tenant"]["riskProcessingSeconds"] = json!(600);
        let mut policy = tenant["conditionalAccessPolicies"][0].clone();
        policy["id"] = json!("b7d00000-0000-4000-8000-000000000077");
        policy["displayName"] = json!("Block high risk");
        policy["conditions"]["userRiskLevels"] = json!(["high"]);
        policy["grantControls"]["builtInControls"] = json!(["block"]);
        tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(policy);
    });
    let first = plan(&world, CONFIRM, &[]).await;
    let evidence = &first.actions[0].evidence;
    assert!(evidence.iter().any(|own| own.contains("`Block high risk` then asks for block")), "{evidence:?}");
    assert!(first.residual_risk.iter().any(|own| own.contains("stays high")));
    let run = world.apply(&first).await;
    assert_eq!(
        (run.verdict, action(&run, "confirm_compromised").state),
        (Verdict::Contained, ActionState::Verified)
    );
    assert_eq!(world.writes().await.len(), 1);
    let again = plan(&world, CONFIRM, &[]).await;
    assert!(again.actions.is_empty() && again.unchanged[0].why.contains("already"), "{:?}", again.unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_user_risk_policy_for_a_group_of_the_users_is_named() {
    const GROUP: &str = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";
    let told = async |names: &str| {
        let world = World::case_with("bec-node-fetch", |tenant| {
            tenant["groups"] = json!([{ "id": GROUP, "displayName": "Finance", "isAssignableToRole": null }]);
            tenant["groupMembers"] = json!({ GROUP: [LYNNE] });
            let mut policy = tenant["conditionalAccessPolicies"][0].clone();
            policy["id"] = json!("b7d00000-0000-4000-8000-000000000077");
            policy["displayName"] = json!("Block high risk");
            policy["conditions"]["userRiskLevels"] = json!(["high"]);
            policy["conditions"]["users"]["includeUsers"] =
                if names == "includeGroups" { json!([]) } else { json!(["All"]) };
            policy["conditions"]["users"][names] = json!([GROUP]);
            tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(policy);
        });
        plan(&world, CONFIRM, &[]).await.actions[0].evidence.join("; ")
    };
    assert!(told("includeGroups").await.contains("`Block high risk` then"));
    assert!(told("excludeGroups").await.contains("nothing else is set off"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_long_for_an_effect_keeps_others_off_its_user() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["tenant"]["riskProcessingSeconds"] = json!(600);
    });
    let (first, second) = (plan(&world, CONFIRM, &[]).await, plan(&world, CONFIRM, &[]).await);
    let later = async {
        world.clock.sleep(std::time::Duration::from_mins(8)).await;
        world.try_apply(&second).await
    };
    let (first, second) = tokio::join!(world.apply(&first), later);
    let error = second.unwrap_err();
    assert!(matches!(&error, ApplyError::SubjectBusy(run) if *run == first.run), "{error:?}");
    assert!(error.hint().unwrap().contains("5 minutes after its last sign of life"));
    assert_eq!(first.verdict, Verdict::Contained);
    assert_eq!(world.writes().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_administrators_word_since_the_plan_is_not_overruled() {
    let world = World::case("bec-node-fetch");
    let plan = plan(&world, CONFIRM, &[]).await;
    let path = "/v1.0/identityProtection/riskyUsers/dismiss";
    assert_eq!(world.send_as(&world.responder, "POST", path, json!({ "userIds": [LYNNE] })).await, 204);
    let run = world.apply(&plan).await;
    assert_eq!(
        (run.verdict, action(&run, "confirm_compromised").state),
        (Verdict::Stale, ActionState::Stale)
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_is_settled_by_reading_the_risk() {
    for kind in ["reset_before_commit", "reset_after_commit"] {
        let world = World::case("bec-node-fetch");
        let plan = plan(&world, CONFIRM, &[]).await;
        world
            .faults(json!([{ "method": "POST", "path": "/v1.0/identityProtection/*",
                             "fault": { "kind": kind } }]))
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(action(&run, "confirm_compromised").state, ActionState::Verified, "{kind}");
        let risky = world.state().await["riskyUsers"].as_array().unwrap().len();
        assert_eq!(risky, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_licence_the_plan_says_so_and_only_a_required_step_holds_back() {
    let world =
        World::case_with("bec-node-fetch", |tenant| tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]));
    let spare = plan(&world, "  - step: confirm_compromised\n    required: false\n", &[]).await;
    assert!(
        spare.actions.is_empty() && spare.unchanged[0].why.contains("Entra ID P2"),
        "{:?}",
        spare.unchanged
    );
    let required = plan(&world, CONFIRM, &[]).await;
    assert!(required.actions[0].cannot.as_ref().unwrap().why.contains("Entra ID P2"));
    // A person is waited for: nothing has failed, and it is not contained.
    assert_eq!(world.apply(&required).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_for_risk_names_itself() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        for app in 0..2 {
            let roles = tenant["applications"][app]["roles"].as_array_mut().unwrap();
            roles.retain(|own| own != "IdentityRiskyUser.ReadWrite.All");
        }
        tenant["applications"][0]["roles"].as_array_mut().unwrap().push(json!("IdentityRiskyUser.Read.All"));
    });
    let plan = plan(&world, CONFIRM, &[]).await;
    assert_eq!(plan.permissions, ["IdentityRiskyUser.ReadWrite.All"]);
    let run = world.apply(&plan).await;
    let own = &run.actions[0];
    assert_eq!(own.state, ActionState::Failed);
    assert!(own.detail.contains("IdentityRiskyUser.ReadWrite.All"), "{}", own.detail);
}
