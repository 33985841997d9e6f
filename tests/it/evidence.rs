//! What the logs tell without a hint: the addresses of the intruder's and no others, the session, and so whose each
//! method is.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stanch::case::{Indicator, IndicatorKind, Look, MethodVerdict};
use stanch::plan::Plan;
use stanch::run::Verdict;

use crate::world::World;

/// Plans without an address, a user agent or an alert.
pub async fn plan_unaided(world: &World, playbook: &str) -> Plan {
    let mut request = world.request(playbook);
    request.user_agents.clear();
    world.plan_for(request).await.unwrap()
}

fn certain(plan: &Plan, kind: IndicatorKind) -> BTreeSet<String> {
    let is_wanted = |own: &&Indicator| own.kind == kind && own.is_certain();
    plan.case.indicators.iter().filter(is_wanted).map(|own| own.value.clone()).collect()
}

fn words(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|own| own.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_address_of_the_intruders_is_found_without_a_hint_and_no_other() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        let world = World::case(case);
        let plan = plan_unaided(&world, "bec").await;
        assert_eq!(certain(&plan, IndicatorKind::Address), words(&world.truth["attackerIps"]), "{case}");
        assert_eq!(certain(&plan, IndicatorKind::Session), words(&world.truth["sessionIds"]), "{case}");
        assert_eq!(certain(&plan, IndicatorKind::UserAgent), words(&world.truth["userAgents"]), "{case}");
        assert_eq!(
            plan.case.since,
            world.truth["since"].as_str().map(|text| text.parse().unwrap()),
            "{case}"
        );
        let Look::Read(methods) = &plan.case.methods else { panic!("{case}: the methods were not read") };
        let rogue: BTreeSet<String> = methods
            .iter()
            .filter(|own| own.verdict == MethodVerdict::Attacker)
            .map(|own| own.method.id.to_string())
            .collect();
        assert_eq!(rogue, words(&world.truth["rogueMethods"]), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reference_case_is_contained_without_a_hint() {
    let world = World::case("bec-node-fetch");
    let plan = plan_unaided(&world, "bec").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let enabled = json!({ "assume": { "accountEnabled": true } });
    assert_eq!(world.attempt(enabled).await["in"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn colleagues_are_nobodys_intruder() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        let world = World::case(case);
        let users = world.tenant["users"].as_array().unwrap();
        let upns = users.iter().filter_map(|user| user["userPrincipalName"].as_str());
        for upn in upns.filter(|upn| !world.victim().eq_ignore_ascii_case(upn)) {
            let mut request = world.request("evict");
            request.user_agents.clear();
            request.user = upn.to_owned();
            // Some may not be planned for at all: an emergency account, an administrator.
            let Ok(plan) = world.plan_for(request).await else { continue };
            assert!(
                plan.case.indicators.iter().all(|own| !own.is_certain()),
                "{case}: {upn}: {:#?}",
                plan.case.indicators
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_come_twice_out_of_order_late_and_with_words_that_are_new_change_nothing() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let rows = tenant["signIns"].as_array_mut().unwrap();
        let copies: Vec<Value> = rows.iter().step_by(3).cloned().collect();
        rows.extend(copies);
        rows.reverse();
        for row in rows.iter_mut().step_by(2) {
            row["incomingTokenType"] = json!("quantumToken");
            row["riskLevelDuringSignIn"] = json!("hidden");
            row["riskEventTypes_v2"] = json!(["somethingNew"]);
        }
    });
    let plan = plan_unaided(&world, "evict").await;
    assert_eq!(certain(&plan, IndicatorKind::Address), words(&world.truth["attackerIps"]));
}
