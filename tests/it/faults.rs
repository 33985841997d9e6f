//! Failure is normal: reads that lag, answers that never come, throttling, refusals.

use std::sync::Arc;

use serde_json::json;
use stanch::domain::ActionId;
use stanch::engine::{Applier, Notice, StopSignal, Watcher};
use stanch::run::{ActionState, Verdict};

use crate::world::{World, containing};

const DIRECTORY: &str = "/v1.0/users/*";

#[tokio::test(start_paused = true)]
async fn reads_that_flap_between_old_and_new_end_contained() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch").lagging(20);
        let plan = world.plan(&playbook).await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{playbook}: {run:#?}");
        let after = world.attempt(json!({ "from": ["unseen"], "assume": { "accountEnabled": true } })).await;
        assert_eq!(after["in"], false, "{playbook}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_never_shows_ends_contained_unverified() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        // The last revocation is the one that never shows; what was changed well before it does.
        let revocations = plan.actions.iter().filter(|action| action.step == "revoke_sessions").count();
        world
            .faults(json!([
                { "method": "POST", "path": "/v1.0/identity/conditionalAccess/policies",
                  "fault": { "kind": "delay", "ms": 10_000 } },
                { "method": "POST", "path": "/v1.0/users/*/revokeSignInSessions", "nth": revocations,
                  "fault": { "kind": "stale_reads", "seconds": 100_000 } }
            ]))
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::ContainedUnverified, "{playbook}: {run:#?}");
        assert_eq!(run.verdict.exit_status(), 6);
        assert!(!run.open.is_empty());
        assert!(run.open.iter().all(|item| !item.next.is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_is_settled_by_reading_back_and_nothing_is_done_twice() {
    for kind in ["reset_before_commit", "reset_after_commit"] {
        for (method, path, nth) in [
            ("PATCH", DIRECTORY, 1),
            ("PATCH", DIRECTORY, 2),
            ("DELETE", "/v1.0/users/*", 1),
            ("POST", "/v1.0/users/*/revokeSignInSessions", 1),
        ] {
            let name = format!("{kind} {method} {path} {nth}");
            let world = World::case("bec-node-fetch");
            let plan = world.plan("evict").await;
            world
                .faults(json!([{ "method": method, "path": path, "nth": nth, "fault": { "kind": kind } }]))
                .await;
            let run = world.apply(&plan).await;
            assert_eq!(run.verdict, Verdict::Contained, "{name}: {run:#?}");
            let after =
                world.attempt(json!({ "from": ["unseen"], "assume": { "accountEnabled": true } })).await;
            assert_eq!(after["in"], false, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_whose_answer_was_lost_is_adopted_and_not_made_twice() {
    for kind in ["reset_before_commit", "reset_after_commit"] {
        let world = World::case("bec-node-fetch");
        let plan = world.plan("bec").await;
        world
            .faults(json!([{ "method": "POST", "path": "/v1.0/identity/conditionalAccess/policies",
                             "fault": { "kind": kind } }]))
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{kind}: {run:#?}");
        let state = world.state().await;
        let mut names: Vec<_> = state["conditionalAccessPolicies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|policy| policy["displayName"].as_str().unwrap().to_owned())
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{kind}: {names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_with_and_without_retry_after_is_waited_out() {
    for retry_after in [json!(2), json!("1.5"), json!(null)] {
        let world = World::case("bec-node-fetch");
        let plan = world.plan("bec").await;
        let mut fault = json!({ "kind": "throttle" });
        if !retry_after.is_null() {
            fault["retryAfter"] = retry_after.clone();
        }
        world
            .faults(json!([
                { "path": "/v1.0/identity/conditionalAccess/*", "times": 3, "fault": fault },
                { "path": DIRECTORY, "times": 2, "fault": fault }
            ]))
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{retry_after}: {run:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_hardening_step_leaves_the_run_contained_and_is_told() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let optional = plan.actions.iter().filter(|action| !action.required).count();
    assert!(optional > 0);
    world
        .faults(json!([{ "method": "POST", "path": "/v1.0/identity/conditionalAccess/policies", "nth": 2, "times": 5,
                         "fault": { "kind": "status", "status": 403, "code": "AccessDenied" } }]))
        .await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let failed: Vec<_> = run.actions.iter().filter(|action| action.state == ActionState::Failed).collect();
    assert!(!failed.is_empty());
    assert!(
        failed.iter().all(|action| action.detail.contains("Policy.ReadWrite.ConditionalAccess")),
        "{failed:?}"
    );
    assert!(!run.open.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_reset_does_not_hold_back_removal_and_revocation() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    world
        .faults(json!([{ "method": "PATCH", "path": DIRECTORY, "nth": 2, "times": 1,
                         "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }]))
        .await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    let state = |step: &str| run.actions.iter().find(|action| action.step == step).unwrap().state;
    assert_eq!(state("reset_password"), ActionState::Failed);
    assert_eq!(state("remove_auth_methods"), ActionState::Verified);
    assert_eq!(state("revoke_sessions"), ActionState::Verified);
}

#[tokio::test(start_paused = true)]
async fn a_stop_starts_nothing_new_and_tells_what_was_not_done() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let (sender, stop) = StopSignal::new();
    sender.send(true).unwrap();
    let applied = world.applier(stop).apply(plan.clone(), world.yes(&plan)).await.unwrap();
    let run = applied.run();
    assert!(world.writes().await.is_empty());
    assert_ne!(run.verdict, Verdict::Contained);
    assert!(run.actions.iter().all(|action| action.state == ActionState::NotStarted));
    assert_eq!(run.open.len(), plan.actions.len());
    let told = stanch::report::text(&plan, run, false).replace('\n', " ");
    assert!(!told.contains("not_started"), "{told}");
    assert_eq!(told.matches("stanch plan evict").count(), 1, "the same next step over and over: {told}");
}

/// Gives the stop as the request of an action leaves.
struct StopsAt {
    action: ActionId,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Watcher for StopsAt {
    fn notice(&self, notice: &Notice) {
        if matches!(notice, Notice::Sending { action, .. } if *action == self.action) {
            self.stop.send(true).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_sent_a_second_time() {
    let (policies, passes) = ("conditionalAccess/policies/", "/temporaryAccessPassMethods");
    for (playbook, method, part, fault) in [
        ("bec", "PATCH", policies, json!({ "kind": "status", "status": 404 })),
        ("restore", "POST", passes, json!({ "kind": "drift", "field": "temporaryAccessPass" })),
    ] {
        let world = World::case_with("bec-node-fetch", |tenant| {
            if playbook == "restore" {
                crate::restore::contain(tenant);
            }
        });
        let plan = world.plan(playbook).await;
        let is_it = |own: &str, path: &str| own == method && path.contains(part);
        let action = plan
            .actions
            .iter()
            .find(|action| action.requests.iter().any(|own| is_it(own.method.as_str(), &own.path)))
            .unwrap();
        world
            .faults(json!([{ "method": method, "path": format!("*{part}*"), "times": 100, "fault": fault }]))
            .await;
        let (stop, signal) = StopSignal::new();
        let watcher = Arc::new(StopsAt { action: action.id.clone(), stop });
        let applier = Applier { watcher, ..world.applier(signal) };
        let run = applier.apply(plan.clone(), world.yes(&plan)).await.unwrap().run().clone();
        let sent = world.writes().await;
        let sent = sent
            .iter()
            .filter(|line| is_it(line["method"].as_str().unwrap(), line["path"].as_str().unwrap()))
            .count();
        assert_eq!(sent, 1, "{playbook}");
        let own = run.actions.iter().find(|own| own.id == action.id).unwrap();
        assert_eq!(own.state, ActionState::Failed, "{playbook}: {}", own.detail);
    }
}

/// `contained` is said of an account that nobody gets into, and never otherwise, whatever one answer among the writes and
/// their proofs does.
#[tokio::test(start_paused = true)]
async fn whatever_one_answer_does_contained_is_true() {
    let misfortunes = [
        json!({ "kind": "status", "status": 503, "committed": true }),
        json!({ "kind": "status", "status": 409 }),
        json!({ "kind": "reset_after_commit", "at": "mid_body" }),
        json!({ "kind": "timeout", "committed": true }),
        json!({ "kind": "slow_body", "bytesPerSecond": 3 }),
        json!({ "kind": "wrong_content_type" }),
        json!({ "kind": "empty_body" }),
        json!({ "kind": "drift", "field": "id" }),
        json!({ "kind": "drift", "field": "accountEnabled" }),
        json!({ "kind": "flapping_reads", "seconds": 60 }),
        json!({ "kind": "stale_lists", "seconds": 60 }),
        json!({ "kind": "stale_items", "seconds": 60 }),
        json!({ "kind": "revert_later", "seconds": 5 }),
        json!({ "kind": "date_skew", "seconds": -3600 }),
        json!({ "kind": "failover", "seconds": 120 }),
        json!({ "kind": "disable_principal" }),
    ];
    let mut verdicts = Vec::new();
    for (number, fault) in misfortunes.iter().enumerate() {
        let nth = 11 + 2 * (number % 4);
        let world = World::case("bec-node-fetch");
        let plan = world.plan("evict").await;
        world.faults(json!([{ "path": "/v1.0/*", "nth": nth, "fault": fault }])).await;
        let run = world.apply(&plan).await;
        let after = world.attempt(json!({ "from": ["unseen"], "assume": { "accountEnabled": true } })).await;
        if run.verdict == Verdict::Contained {
            assert_eq!(after["in"], false, "request {nth}, {fault}: {run:#?}");
        } else {
            assert!(!run.open.is_empty(), "request {nth}, {fault}: nothing is told to be done next");
        }
        verdicts.push(run.verdict);
    }
    assert!(verdicts.contains(&Verdict::Contained) && verdicts.iter().any(|own| *own != Verdict::Contained));
}
