//! What an incident report says of the cause: never more than the policies and the log carry.

use serde_json::{Value, json};
use stanch::engine::ReportRequest;
use stanch::report::IncidentReport;

use crate::report::told;
use crate::world::World;

/// What the report says of the cause and of the measures, in a tenant with these policies beside its own.
async fn with_policies(change: impl FnOnce(&mut Value)) -> IncidentReport {
    let world = World::case_with("bec-node-fetch", change);
    let plan = world.plan("bec").await;
    world.apply(&plan).await;
    told(&world, &plan, &ReportRequest::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_may_be_for_the_user_is_not_told_as_none() {
    let report = with_policies(|tenant| {
        let users = &mut tenant["conditionalAccessPolicies"][0]["conditions"]["users"];
        users["excludeGroups"] = json!(["7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e"]);
    })
    .await;
    let cause = report.root_cause.iter().find(|own| own.says.contains("previously satisfied")).unwrap();
    assert!(
        cause.facts.iter().any(|own| own.starts_with("may apply") && own.contains("Require MFA")),
        "{cause:?}"
    );
    assert!(cause.facts.iter().all(|own| !own.contains("no enabled policy")), "{cause:?}");
    assert_eq!(serde_json::to_value(cause.basis).unwrap(), json!("inferred"));
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_none_is_told_as_satisfied() {
    let report = with_policies(|tenant| tenant["conditionalAccessPolicies"] = json!([])).await;
    let cause = report.root_cause.iter().find(|own| own.says.contains("previously satisfied")).unwrap();
    assert!(cause.facts.iter().any(|own| own.contains("no enabled policy asks")), "{cause:?}");
    assert!(!cause.says.contains("A policy"), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_blocks_another_list_enforces_nothing_of_this_one() {
    let report = with_policies(|tenant| {
        let mut policy = tenant["conditionalAccessPolicies"][0].clone();
        policy["id"] = json!("5d1b7f7e-0c0e-4c55-9a39-6a2f8f3e1b11");
        policy["displayName"] = json!("Block the old list");
        policy["conditions"]["locations"] =
            json!({ "includeLocations": ["0f4c7e55-3b1d-4b7e-9a53-2d5e9f7c8a01"], "excludeLocations": [] });
        policy["grantControls"]["builtInControls"] = json!(["block"]);
        tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(policy);
    })
    .await;
    let measure = report.measures.iter().find(|own| own.what.contains("blocklist")).unwrap();
    assert!(measure.facts.iter().all(|own| !own.contains("the old list")), "{measure:?}");
    let cause = report.root_cause.iter().find(|own| own.says.contains("blocked nothing")).unwrap();
    assert!(cause.facts[0].contains("no enabled policy blocked it"), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_was_worn_down_has_no_stolen_claim_as_the_cause() {
    let world = World::case("made-mfa_fatigue");
    let plan = world.plan("bec").await;
    world.apply(&plan).await;
    let report = told(&world, &plan, &ReportRequest::default()).await;
    assert!(report.root_cause.iter().all(|own| !own.says.contains("previously satisfied")), "{report:#?}");
}
