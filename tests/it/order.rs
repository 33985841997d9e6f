//! What the order of a playbook's steps leaves open, as `playbook check` and plans tell it.

use std::process::{Command, Output};

use serde_json::Value;
use stanch::playbook::{BoundPlaybook, Playbook};

use crate::world::{World, shipped};

fn yaml(steps: &[&str]) -> String {
    let steps: String = steps.iter().map(|step| format!("  - step: {step}\n")).collect();
    format!(
        "schema: stanch/playbook/v1\nname: own\ntitle: Own\nsummary: A playbook of our own.\nsteps:\n{steps}"
    )
}

fn check(steps: &[&str], format: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.yaml"), yaml(steps)).unwrap();
    Command::new(env!("CARGO_BIN_EXE_stanch"))
        .env_clear()
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .args(["--format", format, "playbook", "check", "./own.yaml"])
        .output()
        .unwrap()
}

fn bound(steps: &[&str]) -> BoundPlaybook {
    let catalog = stanch::steps::catalog();
    Playbook::parse("own", yaml(steps).as_bytes(), &catalog).unwrap().bind(&[], &catalog).unwrap()
}

#[test]
fn an_order_that_revokes_too_early_is_refused_with_how_the_intruder_gets_back_in() {
    let output = check(&["revoke_sessions", "reset_password", "remove_auth_methods"], "text");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for line in [
        "1. `revoke_sessions` ends the sessions",
        "2. the intruder signs in anew with the password and the method",
        "5. nothing ends the session of 2: it outlives the run",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn a_better_order_of_the_same_steps_is_named() {
    let output =
        check(&["protect_security_info", "reset_password", "remove_auth_methods", "revoke_sessions"], "json");
    assert_eq!(output.status.code(), Some(2));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (message, hint) = (&document["error"]["message"], document["error"]["hint"].as_str().unwrap());
    assert!(message.as_str().unwrap().contains("self-service reset"), "{message}");
    assert!(hint.contains("`protect_security_info`, `remove_auth_methods`, `reset_password`"), "{hint}");
    let better =
        check(&["protect_security_info", "remove_auth_methods", "reset_password", "revoke_sessions"], "json");
    assert_eq!(better.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&better.stdout).unwrap();
    assert_eq!(document["order"]["way_in"], Value::Null);
}

#[test]
fn what_no_order_of_the_steps_closes_is_told_and_may_run() {
    let steps = ["remove_auth_methods", "reset_password", "revoke_sessions"];
    let output = check(&steps, "text");
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("A WAY BACK IN is left") && told.contains("registers a new method"), "{told}");
    let document: Value = serde_json::from_slice(&check(&steps, "json").stdout).unwrap();
    let story = document["order"]["way_in"].as_array().unwrap();
    assert!(story.iter().any(|line| line.as_str().unwrap().contains("registers a new method")), "{story:?}");
    let rows = document["order"]["rows"].as_array().unwrap();
    let method = rows.iter().find(|row| row["hold"] == "method").unwrap();
    assert_eq!((&method["taken_by"][0], &method["end"]), (&"remove_auth_methods".into(), &"way_in".into()));
}

#[test]
fn no_shipped_playbook_leaves_a_way_back_in_that_it_does_not_tell() {
    for name in shipped() {
        let outlook = stanch::engine::outlook_of(&crate::world::bound(&name)).unwrap();
        let Some(outlook) = outlook else {
            assert_eq!(name, "restore", "{name} takes nothing from an intruder");
            continue;
        };
        // Where the customer wants no disabling, the summary says what that leaves.
        let summary = stanch::playbook::list().into_iter().find(|book| book.name == name).unwrap().summary;
        assert!(outlook.way_in.is_none() || summary.contains("way back in"), "{name}: {:?}", outlook.way_in);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_stays_open_when_a_step_cannot_do_its_work() {
    let whole = World::case("bec-node-fetch");
    let of = |risks: &[String], text: &str| risks.iter().any(|risk| risk.contains(text));
    let plan = whole.plan("evict").await;
    assert!(!of(&plan.residual_risk, "for good"), "{:?}", plan.residual_risk);
    assert!(of(&plan.residual_risk, "an inbox rule"), "{:?}", plan.residual_risk);
    // The password of a synchronized user is the company's own directory's.
    let synced = World::case_with("bec-node-fetch", |tenant| {
        let victim = tenant["attackers"][0]["userId"].clone();
        let user = tenant["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == victim);
        user.unwrap()["onPremisesSyncEnabled"] = true.into();
    });
    let plan = synced.plan("evict").await;
    assert!(of(&plan.residual_risk, "Nothing here takes the password for good"), "{:?}", plan.residual_risk);
    // Nobody shuts the account: the story of the way back in stands in the plan.
    let mut request = whole.request("evict");
    request.playbook = bound(&["remove_auth_methods", "reset_password", "revoke_sessions"]);
    let plan = whole.plan_for(request).await.unwrap();
    assert!(of(&plan.residual_risk, "registers a new method"), "{:?}", plan.residual_risk);
}
