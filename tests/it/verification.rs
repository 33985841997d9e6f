//! `runs verify`: a run's effects looked at again, later; drift told with the next command; nothing written.

use serde_json::{Value, json};
use stanch::plan::Plan;
use stanch::run::{Check, CheckState, Verdict, Verification};

use crate::processes::{Mock, planned_eviction, stanch};
use crate::world::{World, containing};

fn drifted(verification: &Verification) -> Vec<&Check> {
    verification.checks.iter().filter(|check| check.state == CheckState::Drifted).collect()
}

/// The reference case, contained by a playbook, some time ago.
async fn contained(playbook: &str) -> (World, Plan) {
    let world = World::case("bec-node-fetch");
    let plan = world.plan(playbook).await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained, "{playbook}");
    world.clock.sleep(std::time::Duration::from_hours(3)).await;
    (world, plan)
}

#[tokio::test(start_paused = true)]
async fn what_was_contained_and_left_alone_still_holds_and_nothing_is_written() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        if world.apply(&plan).await.verdict != Verdict::Contained {
            continue;
        }
        world.clock.sleep(std::time::Duration::from_hours(3)).await;
        let before = (world.digest().await, world.writes().await.len());
        let verification = world.verify(&plan).await;
        assert!(verification.holds, "{playbook}: {verification:#?}");
        assert_eq!(verification.exit_status(), 0);
        assert!(
            verification.checks.len() > plan.actions.len(),
            "{playbook}: the proof was not looked at again"
        );
        assert_eq!((world.digest().await, world.writes().await.len()), before, "{playbook}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_enabled_again_is_drift_with_the_next_command() {
    let (world, plan) = contained("evict").await;
    let user = format!("/v1.0/users/{}", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "PATCH", &user, json!({ "accountEnabled": true })).await, 204);
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert_eq!(found[0].action.as_ref().unwrap().as_str(), "disable_sign_in");
    assert_eq!(
        found[0].next.as_deref(),
        Some("stanch plan evict --user lynne.robbins@contoso.com -o plan.json")
    );
    assert_eq!((verification.verdict, verification.verdict_of_run), (Verdict::Partial, Verdict::Contained));
    assert_eq!(verification.exit_status(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_password_changed_after_the_last_revocation_is_drift() {
    let (world, plan) = contained("evict").await;
    let password = json!({ "passwordProfile": { "password": "Another-Long-Passphrase-7", "forceChangePasswordNextSignIn": false } });
    let user = format!("/v1.0/users/{}", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "PATCH", &user, password).await, 204);
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert!(found[0].what.contains("revoked after the last change"), "{:?}", found[0]);
    assert!(!verification.holds);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_came_since_is_drift_that_names_it() {
    let (mut world, plan) = contained("evict").await;
    let victim = world.victim_id();
    world
        .change_tenant(|tenant| {
            let methods = tenant["authenticationMethods"][&victim].as_array_mut().unwrap();
            methods.push(json!({
                "@odata.type": "#microsoft.graph.phoneAuthenticationMethod",
                "id": "3179e48a-750b-4051-897c-87b9720928f7", "phoneNumber": "+1 5555550199",
                "phoneType": "mobile", "smsSignInState": "notSupported",
                "createdDateTime": "2024-10-04T16:00:00Z",
            }));
        })
        .await;
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert!(found[0].seen.contains("+1 5555550199"), "{:?}", found[0]);
    assert!(found[0].next.as_deref().unwrap().contains("--remove 3179e48a-750b-4051-897c-87b9720928f7"));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_somebody_took_away_is_drift() {
    let (world, plan) = contained("bec").await;
    let policies = world.state().await["conditionalAccessPolicies"].clone();
    let ours: Vec<String> = policies
        .as_array()
        .unwrap()
        .iter()
        .filter(|policy| {
            !world.tenant["conditionalAccessPolicies"]
                .as_array()
                .unwrap()
                .iter()
                .any(|old| old["id"] == policy["id"])
        })
        .map(|policy| policy["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ours.is_empty());
    for id in &ours {
        let path = format!("/v1.0/identity/conditionalAccess/policies/{id}");
        assert_eq!(world.send_as(&world.responder, "DELETE", &path, Value::Null).await, 204);
    }
    let verification = world.verify(&plan).await;
    assert!(!drifted(&verification).is_empty(), "{verification:#?}");
    assert!(!verification.holds);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_unread_and_never_counts_as_holding() {
    let (world, plan) = contained("evict").await;
    world.faults(json!([{ "method": "GET", "path": "/*/users/*/authentication/*", "times": null, "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }])).await;
    let verification = world.verify(&plan).await;
    let unread: Vec<_> =
        verification.checks.iter().filter(|check| check.state == CheckState::Unread).collect();
    assert!(!unread.is_empty(), "{verification:#?}");
    assert!(unread[0].next.as_deref().unwrap().contains("runs verify"));
    assert!(drifted(&verification).is_empty(), "{verification:#?}");
    assert_eq!(verification.exit_status(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_another_tenant_is_not_looked_at() {
    let (mut world, plan) = contained("evict").await;
    let other = World::case("aitm-travel");
    world.router = other.router.clone();
    world.tenant = other.tenant.clone();
    world.observer = other.observer.clone();
    let error = world.try_verify(&plan).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("other_tenant", 2));
}

#[test]
fn the_command_tells_drift_by_its_exit_status_and_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let plan = planned_eviction(&mock, folder.path());
    let applied = stanch(&mock, folder.path()).args(["-q", "apply", "--yes"]).arg(&plan).output().unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let run = mock.only_run(folder.path());
    let writes = mock.writes();
    let verify = |more: &[&str]| {
        stanch(&mock, folder.path()).args(["runs", "verify", &run[..13]]).args(more).output().unwrap()
    };
    let output = verify(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("Everything that the run did still holds"), "{text}");

    std::fs::write(
        folder.path().join("enable.yaml"),
        "schema: stanch/playbook/v1\nname: enable\ntitle: Enable\nsummary: Enables sign-in.\nsteps:\n  - step: enable_sign_in\n",
    )
    .unwrap();
    let enabled = stanch(&mock, folder.path())
        .args(["-q", "run", "./enable.yaml", "--yes", "--user", mock.victim()])
        .output()
        .unwrap();
    assert_eq!(enabled.status.code(), Some(0), "{}", String::from_utf8_lossy(&enabled.stderr));
    let output = verify(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.starts_with("DRIFT: 1 thing is no longer as the run left it."), "{text}");
    assert!(text.contains(&format!("next: stanch plan evict --user {}", mock.victim())), "{text}");
    assert!(text.contains("(enable) came later for this user"), "{text}");
    let json: Value = serde_json::from_slice(&verify(&["--format", "json"]).stdout).unwrap();
    assert_eq!((json["holds"].as_bool(), json["verdict"].as_str()), (Some(false), Some("partial")));
    let markdown = String::from_utf8(verify(&["--format", "markdown"]).stdout).unwrap();
    assert!(markdown.contains("| DRIFT |"), "{markdown}");
    assert_eq!(mock.writes(), writes + 1, "verify wrote: one write is that of the other run");
}

#[tokio::test(start_paused = true)]
async fn what_was_never_begun_is_told_in_words() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let (sender, stop) = stanch::engine::StopSignal::new();
    sender.send(true).unwrap();
    world.applier(stop).apply(plan.clone(), world.yes(&plan)).await.unwrap();
    let verification = world.verify(&plan).await;
    assert!(verification.checks.iter().any(|check| check.seen == "not started"), "{verification:#?}");
    assert!(!verification.checks.iter().any(|check| check.seen.contains("not_started")), "{verification:#?}");
}
