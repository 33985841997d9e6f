//! Invariant 2, what was approved is what is sent; invariant 4, what is called done was read back.

use std::net::IpAddr;

use serde_json::{Value, json};
use stanch::domain::{ActionId, CidrBlock};
use stanch::engine::Applied;
use stanch::plan::Plan;
use stanch::run::{ActionState, Verdict};

use crate::world::{World, containing};

/// Whether a body that was sent is a planned one with its placeholders filled.
fn fits(planned: &Value, sent: &Value) -> bool {
    match (planned, sent) {
        (Value::String(text), _) if text.starts_with("${secret.") => sent.is_string(),
        (Value::String(text), Value::String(sent)) if text.contains("${actions.") => {
            let parts: Vec<_> = text.split("${").collect();
            sent.starts_with(parts[0])
        }
        (Value::Array(planned), Value::Array(sent)) => {
            let fixed: Vec<_> = planned.iter().filter(|item| !is_current(item)).collect();
            let has_current = planned.len() > fixed.len();
            fixed.iter().all(|item| sent.iter().any(|own| fits(item, own)))
                && (has_current || planned.len() == sent.len())
        }
        (Value::Object(planned), Value::Object(sent)) => {
            planned.len() == sent.len()
                && planned.iter().all(|(key, value)| sent.get(key).is_some_and(|own| fits(value, own)))
        }
        _ => planned == sent,
    }
}

fn is_current(item: &Value) -> bool {
    item.to_string().contains("${current.")
}

fn path_fits(planned: &str, sent: &str) -> bool {
    match planned.split_once("${") {
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            sent.starts_with(before) && sent.ends_with(after)
        }
        None => planned == sent,
    }
}

fn check_sent_is_planned(plan: &Plan, writes: &[Value], name: &str) {
    let mut left: Vec<_> = plan.actions.iter().flat_map(|action| &action.requests).collect();
    for write in writes {
        let place = left.iter().position(|request| {
            write["method"] == request.method.as_str()
                && path_fits(&request.path, write["path"].as_str().unwrap())
                && fits(&request.body, &write["body"])
        });
        let place = place.unwrap_or_else(|| panic!("{name}: sent and not planned: {write}"));
        left.remove(place);
    }
    assert!(left.is_empty(), "{name}: planned and not sent: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn every_shipped_playbook_contains_both_cases_and_sends_what_it_planned() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        for playbook in containing() {
            let name = format!("{case} {playbook}");
            let world = World::case(case);
            let plan = world.plan(&playbook).await;
            let run = world.apply(&plan).await;
            assert_eq!(run.verdict, Verdict::Contained, "{name}: {run:#?}");
            check_sent_is_planned(&plan, &world.writes().await, &name);
        }
    }
}

/// What a plan's requests block.
fn blocked(plan: &Plan) -> Vec<CidrBlock> {
    let bodies = plan.actions.iter().flat_map(|own| &own.requests).map(|request| &request.body);
    let ranges = bodies.flat_map(|body| body["ipRanges"].as_array().into_iter().flatten());
    ranges.filter_map(|range| range["cidrAddress"].as_str()?.parse().ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_reference_case_is_planned_as_its_truth_has_it() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        let world = World::case(case);
        let plan = world.plan("bec").await;
        let blocks = blocked(&plan);
        let truth = world.truth["attackerIps"].as_array().unwrap().iter();
        let intruders: Vec<IpAddr> = truth.map(|ip| ip.as_str().unwrap().parse().unwrap()).collect();
        for ip in &intruders {
            assert_eq!(blocks.iter().filter(|own| own.contains(*ip)).count(), 1, "{case}: {ip}: {blocks:?}");
        }
        let is_needed = |block: &&CidrBlock| intruders.iter().any(|ip| block.contains(*ip));
        assert_eq!(blocks.iter().filter(is_needed).count(), blocks.len(), "{case}: {blocks:?}");
        let deleted: Vec<String> = plan
            .actions
            .iter()
            .filter(|action| action.step == "remove_auth_methods")
            .flat_map(|action| &action.requests)
            .filter(|request| request.method.as_str() == "DELETE")
            .map(|request| request.path.rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(json!(deleted), world.truth["rogueMethods"], "{case}");
        let since: jiff::Timestamp = world.truth["since"].as_str().unwrap().parse().unwrap();
        assert_eq!(plan.case.since, Some(since), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_applied_plan_sends_nothing_the_second_time_and_has_the_same_verdict() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let first = world.apply(&plan).await;
    let sent = world.requests().await.len();
    let Applied::Earlier(second) = world.try_apply(&plan).await.unwrap() else { panic!("it ran again") };
    assert_eq!((second.run.clone(), second.verdict), (first.run, first.verdict));
    assert_eq!(world.requests().await.len(), sent);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_not_planned_again() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    let again = world.plan("bec").await;
    let kinds: Vec<_> = again
        .actions
        .iter()
        // A person's look is asked for by each run.
        .filter(|action| !["revoke_sessions", "check_exchange"].contains(&action.step.as_str()))
        .map(|action| action.summary.clone())
        .collect();
    assert!(kinds.is_empty(), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn others_entries_and_policies_are_as_they_were() {
    let world = World::case("bec-node-fetch");
    let before = world.state().await;
    let plan = world.plan("bec").await;
    world.apply(&plan).await;
    let after = world.state().await;
    for location in before["namedLocations"].as_array().unwrap() {
        let now = after["namedLocations"]
            .as_array()
            .unwrap()
            .iter()
            .find(|own| own["id"] == location["id"])
            .unwrap();
        for range in location["ipRanges"].as_array().unwrap() {
            assert!(now["ipRanges"].as_array().unwrap().contains(range), "{range} is gone");
        }
        assert_eq!(now["isTrusted"], location["isTrusted"]);
    }
    for policy in before["conditionalAccessPolicies"].as_array().unwrap() {
        assert!(after["conditionalAccessPolicies"].as_array().unwrap().contains(policy));
    }
    let others = |state: &Value| -> Vec<Value> {
        let victim = world.victim();
        state["users"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|user| user["userPrincipalName"] != victim)
            .cloned()
            .collect()
    };
    assert_eq!(others(&before), others(&after));
}

#[tokio::test(start_paused = true)]
async fn a_method_registered_during_the_run_makes_it_partial_and_is_named() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    // The method is in the tenant and not in the plan: as if it came between the two.
    let mut plan = plan;
    if let stanch::case::Look::Read(methods) = &mut plan.case.methods {
        methods.retain(|own| own.verdict == stanch::case::MethodVerdict::Attacker);
    }
    let plan = plan.sealed().unwrap();
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(run.open.iter().any(|item| item.what.contains("iPhone XR")), "{:?}", run.open);
}

#[tokio::test(start_paused = true)]
async fn the_last_revocation_is_the_last_thing_that_is_done_to_the_account() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        world.apply(&plan).await;
        let writes = world.writes().await;
        let last = writes.last().unwrap();
        assert!(last["path"].as_str().unwrap().ends_with("/revokeSignInSessions"), "{playbook}: {last}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_state_of_a_contained_run_was_read_back() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let run = world.apply(&plan).await;
    let is_a_persons = |id: &ActionId| plan.actions.iter().any(|own| own.id == *id && own.cannot.is_some());
    for action in run.actions {
        if is_a_persons(&action.id) {
            assert_eq!(action.state, ActionState::WaitingForPerson, "{}: {}", action.id, action.detail);
            continue;
        }
        assert_eq!(action.state, ActionState::Verified, "{}: {}", action.id, action.detail);
        assert!(!action.request_ids.is_empty(), "{} has no request id", action.id);
    }
    assert!(run.proof.holds() && !run.proof.facts.is_empty());
}
