//! Bringing the user back: the pass, who gets it, what keeps it from being issued, and the watch over what follows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use stanch::engine::PlanError;
use stanch::plan::{Delivery, Plan};
use stanch::playbook::BoundPlaybook;
use stanch::run::{ActionState, HandedOver, Run, Verdict};

use crate::world::{World, book};

const LYNNE: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const PASSES: &str = "/v1.0/users/*/authentication/temporaryAccessPassMethods";
const AGE: &str = "age1nah342hsr5gqvfke9wduhcz3e0grzsluxnclmggd35qhselhre9suxkn4z";

fn is_victims_pass(method: &Value) -> bool {
    method["@odata.type"].as_str().unwrap().contains("temporaryAccessPass")
}

/// The reference case as it is once the account is contained, without a run on record.
fn contained_with(change: impl FnOnce(&mut Value)) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        contain(tenant);
        change(tenant);
    })
}

/// Makes of the reference case what it is once the account is contained.
pub fn contain(tenant: &mut Value) {
    let users = tenant["users"].as_array_mut().unwrap();
    let user = users.iter_mut().find(|user| user["id"] == LYNNE).unwrap();
    user["accountEnabled"] = json!(false);
    let methods = tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap();
    methods.retain(|own| own["id"] != "3ebebe3e-1790-40da-9891-0052cebcc1ba");
}

fn contained() -> World {
    contained_with(|_| {})
}

async fn plan_of(world: &World, playbook: BoundPlaybook) -> Plan {
    let mut request = world.request("evict");
    request.playbook = playbook;
    world.plan_for(request).await.unwrap()
}

async fn pass_alone(world: &World, with: &str) -> Plan {
    plan_of(world, book(&format!("  - step: issue_temporary_access_pass\n    with: {{ {with} }}\n"))).await
}

/// The pass in the tenant, code and all.
async fn pass(world: &World) -> Value {
    let state = world.state().await;
    let methods = state["authenticationMethods"][LYNNE].as_array().unwrap().clone();
    let found: Vec<_> = methods.into_iter().filter(is_victims_pass).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn record<'a>(run: &'a Run, step: &str) -> &'a stanch::run::ActionRecord {
    run.actions.iter().find(|own| own.step == step).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_user_comes_back_after_the_eviction_with_a_pass_and_a_method_of_their_own() {
    let world = World::case("bec-node-fetch").lagging(10);
    let evict = world.plan("evict").await;
    assert_eq!(world.apply(&evict).await.verdict, Verdict::Contained);
    tokio::time::advance(Duration::from_secs(30)).await;
    let plan = world.plan("restore").await;
    assert!(!plan.warnings.iter().any(|own| own.contains("no run in this store")), "{:?}", plan.warnings);
    let steps: Vec<&str> = plan.actions.iter().map(|own| own.step.as_str()).collect();
    assert_eq!(steps, ["enable_sign_in", "issue_temporary_access_pass", "watch_new_method"]);
    let residual = &plan.actions[1].evidence;
    assert!(residual.iter().any(|own| own.contains("`iPhone XR` stands")), "{residual:?}");
    // The user registers a passkey some minutes after the pass was issued.
    let user = async {
        while !world.state().await["authenticationMethods"][LYNNE]
            .as_array()
            .unwrap()
            .iter()
            .any(is_victims_pass)
        {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_mins(4)).await;
        let path = format!("/v1.0/users/{LYNNE}/authentication/phoneMethods");
        let body = json!({ "phoneNumber": "+1 4255550142", "phoneType": "mobile" });
        assert_eq!(world.send_as(&world.responder, "POST", &path, body).await, 201);
    };
    let (run, ()) = tokio::join!(world.apply(&plan), user);
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let watched = record(&run, "watch_new_method");
    assert_eq!(watched.state, ActionState::Verified);
    assert!(
        watched.detail.contains("+1 4255550142") && watched.detail.contains("ask the user"),
        "{watched:?}"
    );
    let told = stanch::report::text(&plan, &run, false);
    assert!(
        told.starts_with("Done: every required change was read back."),
        "nobody was contained by it: {told}"
    );
    // The intruder does not come back with the user.
    let after = world.attempt(json!({ "from": ["listed", "unseen"] })).await;
    assert_eq!(after["in"], false, "{after}");
    let made = pass(&world).await;
    let secrets = world.kept.secrets.lock().unwrap().clone();
    assert_eq!(secrets.len(), 1, "{secrets:?}");
    assert_eq!(secrets[0].0, "the Temporary Access Pass of lynne.robbins@contoso.com");
    assert_eq!(secrets[0].1, made["temporaryAccessPass"].as_str().unwrap());
    assert_eq!((&made["isUsableOnce"], &made["lifetimeInMinutes"]), (&json!(true), &json!(60)));
}

#[tokio::test(start_paused = true)]
async fn a_method_that_has_not_come_is_told_as_open_and_the_rest_is_done() {
    let world = contained();
    let plan = world.plan("restore").await;
    let watch = plan.actions.iter().find(|own| own.step == "watch_new_method").unwrap();
    assert!(watch.requests.is_empty() && watch.watch.as_ref().unwrap().within_seconds == 900);
    let begun = world.clock.now();
    let run = world.apply(&plan).await;
    assert!(world.clock.now().duration_since(begun).as_secs() >= 900, "it did not wait");
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    assert_eq!(record(&run, "watch_new_method").state, ActionState::AcceptedUnverified);
    let open = run.open.iter().find(|own| own.what.starts_with("Wait up to 15 min")).unwrap();
    assert!(open.next.contains("telephone"), "{open:?}");
    assert_eq!(world.writes().await.len(), 2, "a watch sends nothing");
}

#[tokio::test(start_paused = true)]
async fn without_a_contained_run_on_record_the_plan_says_so() {
    let world = contained();
    let plan = world.plan("restore").await;
    let warned =
        plan.warnings.iter().filter(|own| own.contains("no run in this store ended contained")).count();
    assert_eq!(warned, 2, "by the step that enables, and by the pass: {:?}", plan.warnings);
}

#[tokio::test(start_paused = true)]
async fn while_the_intruder_holds_a_method_nobody_is_let_in() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("restore").await;
    let refusal = plan.guards.refused.iter().find(|own| own.guard == "pass_not_contained").unwrap();
    assert!(refusal.next.contains("stanch run evict") && refusal.holds_back, "{refusal:?}");
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
    assert!(world.kept.secrets.lock().unwrap().is_empty());
    let mut request = world.request("restore");
    request.overrides = vec!["pass_not_contained".to_owned()];
    let told = world.plan_for(request).await.unwrap();
    assert!(told.guards.overridden.iter().any(|own| own.guard == "pass_not_contained"));
}

#[tokio::test(start_paused = true)]
async fn the_commands_for_a_user_of_a_strange_name_can_be_copied() {
    let rename = |tenant: &mut Value| {
        let users = tenant["users"].as_array_mut().unwrap();
        let user = users.iter_mut().find(|user| user["id"] == LYNNE).unwrap();
        user["userPrincipalName"] = json!("lynne.o'$x@contoso.com");
    };
    let in_shell = r"--user 'lynne.o'\''$x@contoso.com'";
    let plan_in = async |world: &World, playbook: &str| {
        let mut request = world.request(playbook);
        LYNNE.clone_into(&mut request.user);
        world.plan_for(request).await.unwrap()
    };
    let restore = plan_in(&contained_with(rename), "restore").await;
    assert!(restore.warnings.iter().any(|own| own.contains(in_shell)), "{:?}", restore.warnings);
    let world = World::case_with("bec-node-fetch", rename);
    let restore = plan_in(&world, "restore").await;
    assert!(restore.guards.refused[0].next.contains(in_shell), "{:?}", restore.guards.refused);
    let mut evict = plan_in(&world, "evict").await;
    if let stanch::case::Look::Read(methods) = &mut evict.case.methods {
        methods.retain(|own| own.verdict == stanch::case::MethodVerdict::Attacker);
    }
    let run = world.apply(&evict.sealed().unwrap()).await;
    assert!(run.open.iter().any(|own| own.next.contains(in_shell)), "{:?}", run.open);
    assert!(!run.open.iter().any(|own| own.next.contains("--user lynne")), "{:?}", run.open);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_there_is_shown_first_and_ends_with_the_new_one() {
    let world = contained_with(|tenant| {
        tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap().push(json!({
            "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod", "id": "foreign",
            "createdDateTime": "2024-10-02T03:00:00Z", "startDateTime": "2024-10-02T03:00:00Z",
            "lifetimeInMinutes": 10_080, "isUsableOnce": false, "temporaryAccessPass": "Planted!" }));
    });
    let plan = pass_alone(&world, "").await;
    let warned = plan.warnings.iter().find(|own| own.contains("has a pass already")).unwrap();
    assert!(warned.contains("2024-10-02 03:00:00Z") && warned.contains("it works now"), "{warned}");
    assert_eq!(plan.actions[0].before["passes"][0]["id"], "foreign");
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    assert_ne!(pass(&world).await["id"], "foreign");
    assert!(!serde_json::to_string(&plan).unwrap().contains("Planted!"));
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_somebody_issued_since_the_plan_is_drift() {
    let world = contained();
    let plan = pass_alone(&world, "").await;
    let path = format!("/v1.0/users/{LYNNE}/authentication/temporaryAccessPassMethods");
    assert_eq!(world.send_as(&world.responder, "POST", &path, json!({})).await, 201);
    let theirs = pass(&world).await;
    let run = world.apply(&plan).await;
    assert_eq!((run.verdict, run.actions[0].state), (Verdict::Stale, ActionState::Stale));
    assert!(run.actions[0].detail.contains("another pass was issued"), "{}", run.actions[0].detail);
    assert_eq!(pass(&world).await["id"], theirs["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_keeps_to_the_tenants_policy() {
    let world = contained_with(|tenant| {
        tenant["temporaryAccessPassPolicy"] =
            json!({ "minimumLifetimeInMinutes": 10, "maximumLifetimeInMinutes": 30 });
    });
    let plan = pass_alone(&world, "lifetime: 2h").await;
    assert_eq!(plan.actions[0].requests[0].body["lifetimeInMinutes"], 30);
    assert!(plan.actions[0].evidence.iter().any(|own| own.contains("from 10 to 30 minutes")));
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    // A tenant whose policy cannot be read decides itself.
    let blind = contained_with(|tenant| {
        for app in 0..2 {
            let roles = tenant["applications"][app]["roles"].as_array_mut().unwrap();
            roles.retain(|own| own != "Policy.Read.AuthenticationMethod");
        }
    });
    let plan = pass_alone(&blind, "").await;
    assert!(plan.actions[0].requests[0].body.get("lifetimeInMinutes").is_none());
    assert!(
        plan.warnings.iter().any(|own| own.contains("Policy.Read.AuthenticationMethod")),
        "{:?}",
        plan.warnings
    );
    assert_eq!(blind.apply(&plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_nobody_may_use_is_refused_with_what_to_turn_on() {
    let group = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";
    for policy in [
        json!({ "state": "disabled" }),
        json!({ "includeTargets": [{ "targetType": "group", "id": group, "isRegistrationRequired": false }] }),
    ] {
        let world = contained_with(|tenant| tenant["temporaryAccessPassPolicy"] = policy);
        let plan = pass_alone(&world, "").await;
        let refusal = plan.guards.refused.iter().find(|own| own.guard == "pass_not_allowed").unwrap();
        assert!(refusal.next.contains("Authentication methods"), "{refusal:?}");
        assert!(plan.actions.is_empty());
    }
    let member = contained_with(|tenant| {
        tenant["temporaryAccessPassPolicy"] = json!({ "includeTargets": [{ "targetType": "group", "id": group, "isRegistrationRequired": false }] });
        tenant["groups"] = json!([{ "id": group, "displayName": "Pass users", "isAssignableToRole": null }]);
        tenant["groupMembers"] = json!({ group: [LYNNE] });
    });
    assert_eq!(pass_alone(&member, "").await.actions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_is_a_lost_code_and_another_pass_is_issued() {
    for (kind, issued) in [("reset_after_commit", 2), ("truncate", 2), ("reset_before_commit", 2)] {
        let world = contained();
        let plan = pass_alone(&world, "").await;
        let fault =
            if kind == "truncate" { json!({ "kind": kind, "bytes": 40 }) } else { json!({ "kind": kind }) };
        world.faults(json!([{ "method": "POST", "path": PASSES, "fault": fault }])).await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{kind}: {run:#?}");
        assert_eq!(world.writes().await.len(), issued, "{kind}");
        // What was handed over is the pass that works: the one before it is gone.
        let secrets = world.kept.secrets.lock().unwrap().clone();
        assert_eq!(secrets.len(), 1, "{kind}");
        assert_eq!(secrets[0].1, pass(&world).await["temporaryAccessPass"].as_str().unwrap(), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_never_comes_is_told_as_lost() {
    let world = contained();
    let plan = pass_alone(&world, "").await;
    world
        .faults(json!([{ "method": "POST", "path": PASSES, "times": null, "fault": { "kind": "reset_after_commit" } }]))
        .await;
    let run = world.apply(&plan).await;
    assert_ne!(run.verdict, Verdict::Contained);
    assert!(matches!(run.actions[0].handed_over, Some(HandedOver::Lost { .. })), "{:?}", run.actions[0]);
    assert!(run.open.iter().any(|own| own.next.contains("stanch run restore")), "{:#?}", run.open);
    assert_eq!(world.writes().await.len(), 2, "once more, and no third time");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_handed_over_is_not_made() {
    let world = contained();
    let plan = pass_alone(&world, "").await;
    world.kept.has_no_terminal.store(true, Ordering::Relaxed);
    let run = world.apply(&plan).await;
    assert_eq!(run.actions[0].state, ActionState::Failed);
    assert!(run.actions[0].detail.contains("no terminal"), "{}", run.actions[0].detail);
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_lost_on_its_way_is_told_and_a_lost_password_still_contains() {
    let world = contained();
    world.kept.breaks.store(true, Ordering::Relaxed);
    let plan = pass_alone(&world, "").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.actions[0].state, ActionState::Failed, "nobody can come in by it");
    let reset = World::case("bec-node-fetch");
    reset.kept.breaks.store(true, Ordering::Relaxed);
    let plan = plan_of(
        &reset,
        book("  - step: reset_password\n    with: { deliver: terminal }\n  - step: revoke_sessions\n"),
    )
    .await;
    let run = reset.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "the intruder does not know it either: {run:#?}");
    assert!(run.open.iter().any(|own| own.why.contains("nobody has the secret")), "{:#?}", run.open);
}

#[tokio::test(start_paused = true)]
async fn recipients_are_part_of_the_plan_and_without_any_nothing_is_sealed() {
    let mut world = World::case("bec-node-fetch");
    let steps = "  - step: reset_password\n    with: { deliver: sealed }\n  - step: revoke_sessions\n";
    let nobody = plan_of(&world, book(steps)).await;
    let refusal = nobody.guards.refused.iter().find(|own| own.guard == "no_recipients").unwrap();
    assert!(refusal.next.contains("secrets.recipients") && refusal.holds_back, "{refusal:?}");
    assert!(nobody.actions.iter().all(|own| own.step != "reset_password"));
    world.recipients = vec![AGE.parse().unwrap()];
    let sealed = plan_of(&world, book(steps)).await;
    let reset = sealed.actions.iter().find(|own| own.step == "reset_password").unwrap();
    assert_eq!(reset.deliver, Some(Delivery::Sealed { recipients: vec![AGE.to_owned()] }));
    assert!(reset.after["password"].as_str().unwrap().contains(AGE), "the approver sees who can open it");
    let run = world.apply(&sealed).await;
    assert_eq!(run.verdict, Verdict::Contained);
    let Some(HandedOver::Sealed { file, recipients }) = &record(&run, "reset_password").handed_over else {
        panic!("{run:#?}")
    };
    assert_eq!(recipients, &[AGE.to_owned()]);
    for told in [stanch::report::text(&sealed, &run, false), stanch::report::markdown(&sealed, &run)] {
        let command = told.lines().find(|line| line.trim_start().starts_with("age -d -i ")).unwrap();
        assert!(command.trim_end().ends_with(file.as_str()), "it can be copied whole: {command}");
        let told = told.replace(['\n', '\\'], " ");
        assert!(told.contains(file.rsplit('/').next().unwrap()), "{told}");
    }
    // Another recipient makes another plan: it has another digest.
    let mut edited = sealed.clone();
    let reset = edited.actions.iter_mut().find(|own| own.step == "reset_password").unwrap();
    reset.deliver = Some(Delivery::Sealed { recipients: vec!["age1other".to_owned()] });
    assert_ne!(edited.compute_digest().unwrap(), sealed.digest);
}

#[tokio::test(start_paused = true)]
async fn a_playbook_that_lets_somebody_in_too_early_is_refused() {
    let world = World::case("bec-node-fetch");
    for (steps, before) in [
        (
            "  - step: issue_temporary_access_pass\n  - step: reset_password\n  - step: revoke_sessions\n",
            "reset_password",
        ),
        (
            "  - step: reset_password\n  - step: issue_temporary_access_pass\n  - step: revoke_sessions\n    needs: [reset_password]\n",
            "revoke_sessions",
        ),
        (
            "  - step: enable_sign_in\n  - step: disable_sign_in\n  - step: revoke_sessions\n",
            "disable_sign_in",
        ),
    ] {
        let mut request = world.request("evict");
        request.playbook = book(steps);
        let error = world.plan_for(request).await.unwrap_err();
        assert!(matches!(error, PlanError::Order(_)), "{error}");
        assert!(error.to_string().contains(&format!("before `{before}`")), "{error}");
    }
}

const EVICT_AND_RESTORE: &str = "  - step: disable_sign_in\n  - step: reset_password\n  - step: remove_auth_methods\n  - step: revoke_sessions\n  - step: issue_temporary_access_pass\n";

#[tokio::test(start_paused = true)]
async fn a_pass_behind_the_eviction_is_no_door_that_was_shut_too_late() {
    let world = contained();
    let plan = plan_of(&world, book(EVICT_AND_RESTORE)).await;
    // The watermark is older than the pass, and rightly so.
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    assert_eq!(record(&run, "issue_temporary_access_pass").state, ActionState::Verified);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_let_in_where_a_door_did_not_shut() {
    let world = contained();
    let plan = plan_of(&world, book(EVICT_AND_RESTORE)).await;
    world
        .faults(json!([{ "method": "POST", "path": "/v1.0/users/*/revokeSignInSessions", "times": null,
                         "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }]))
        .await;
    let run = world.apply(&plan).await;
    let own = record(&run, "issue_temporary_access_pass");
    assert_eq!(own.state, ActionState::NotStarted);
    assert!(own.detail.contains("nobody is let in"), "{}", own.detail);
    assert!(world.kept.secrets.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_for_a_pass_names_itself() {
    let world = contained_with(|tenant| {
        let roles = tenant["applications"][0]["roles"].as_array_mut().unwrap();
        roles.retain(|own| own != "UserAuthenticationMethod.ReadWrite.All");
    });
    let plan = pass_alone(&world, "").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.actions[0].state, ActionState::Failed);
    for name in ["UserAuthenticationMethod.ReadWrite.All", "UserAuthMethod-TAP.ReadWrite.All"] {
        assert!(run.actions[0].detail.contains(name), "{}", run.actions[0].detail);
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_let_in_by_the_home_tenant() {
    let world = contained_with(|tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        users.iter_mut().find(|user| user["id"] == LYNNE).unwrap()["userType"] = json!("Guest");
    });
    let plan = pass_alone(&world, "").await;
    assert!(plan.actions[0].cannot.as_ref().unwrap().why.contains("home tenant"));
}
