//! The eviction is real: the mock's own attacker, written separately, is let loose before and after.

use serde_json::{Value, json};
use stanch::plan::Plan;
use stanch::run::Verdict;

use crate::world::{World, containing};

fn open_ways(attempt: &Value) -> Vec<String> {
    let mut open: Vec<String> = attempt["paths"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|way| way["outcome"] == "open")
        .map(|way| way["path"].as_str().unwrap().to_owned())
        .collect();
    open.sort();
    open.dedup();
    open
}

#[tokio::test(start_paused = true)]
async fn the_attacker_is_in_before_and_out_after_on_every_way() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        for playbook in containing() {
            let world = World::case(case);
            let before = world.attempt(json!({ "assume": {} })).await;
            assert_eq!(before["in"], true, "{case}: the attacker is not in to begin with");
            let plan = world.plan(&playbook).await;
            assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
            for body in [
                json!({}),
                json!({ "from": ["unseen"] }),
                json!({ "assume": { "accountEnabled": true } }),
                json!({ "from": ["unseen"], "assume": { "accountEnabled": true } }),
            ] {
                let after = world.attempt(body.clone()).await;
                assert_eq!(after["in"], false, "{case} {playbook} {body}: {:?}", open_ways(&after));
            }
        }
    }
}

/// The plan without some steps, as if nobody had refused such a playbook.
fn without(plan: &Plan, steps: &[&str]) -> Plan {
    let mut plan = plan.clone();
    let is_out = |step: &str| steps.contains(&step);
    let gone: Vec<_> =
        plan.actions.iter().filter(|action| is_out(&action.step)).map(|action| action.id.clone()).collect();
    let needs_of = |id: &stanch::domain::ActionId| {
        plan.actions
            .iter()
            .find(|action| action.id == *id)
            .map(|action| action.needs.clone())
            .unwrap_or_default()
    };
    let mut kept: Vec<_> = plan.actions.iter().filter(|action| !is_out(&action.step)).cloned().collect();
    for action in &mut kept {
        // What waited for a step that is out waits for what that step waited for.
        while let Some(place) = action.needs.iter().position(|need| gone.contains(need)) {
            let need = action.needs.remove(place);
            action.needs.extend(needs_of(&need));
        }
        action.needs.sort();
        action.needs.dedup();
    }
    plan.actions = kept;
    plan.sealed().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_of_reset_removal_and_revocation_is_needed() {
    let no_mfa = |tenant: &mut Value| tenant["conditionalAccessPolicies"] = json!([]);
    let assume = json!({ "from": ["unseen"], "assume": { "accountEnabled": true } });
    let whole = World::case_with("bec-node-fetch", no_mfa);
    let plan = whole.plan("bec").await;
    whole.apply(&plan).await;
    assert_eq!(whole.attempt(assume.clone()).await["in"], false, "the whole playbook does not evict");
    for (step, way) in [
        ("reset_password", "password"),
        ("remove_auth_methods", "self_service"),
        ("revoke_sessions", "refresh_token"),
    ] {
        let world = World::case_with("bec-node-fetch", no_mfa);
        let plan = without(&world.plan("bec").await, &[step]);
        world.apply(&plan).await;
        let after = world.attempt(assume.clone()).await;
        let open = open_ways(&after);
        assert_eq!(after["in"], true, "without {step} nothing stays open");
        assert!(open.iter().any(|own| own.contains(way)), "without {step}: {open:?}");
    }
}
