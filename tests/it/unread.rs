//! What could not be read is neither nothing nor reason to do nothing: the plan says what it is, what follows, and goes on.

use serde_json::json;
use stanch::plan::Plan;
use stanch::run::Verdict;

use crate::world::{World, book};

const GROUP: &str = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";
const OBSERVER: usize = 1;

/// A world whose observer lacks these permissions.
fn without(permissions: &[&str]) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        tenant["groups"] = json!([{ "id": GROUP, "displayName": "Finance", "isAssignableToRole": null }]);
        let roles = tenant["applications"][OBSERVER]["roles"].as_array_mut().unwrap();
        roles.retain(|own| !permissions.contains(&own.as_str().unwrap()));
    })
}

async fn plan(world: &World, steps: &str, overrides: &[&str]) -> Plan {
    let mut request = world.request("evict");
    request.playbook = book(steps);
    request.overrides = overrides.iter().map(|&name| name.to_owned()).collect();
    world.plan_for(request).await.unwrap()
}

fn is_planned(plan: &Plan, step: &str) -> bool {
    plan.actions.iter().any(|own| own.step == step)
}

#[tokio::test(start_paused = true)]
async fn a_group_that_could_not_be_read_takes_its_own_policy_from_the_plan_and_nothing_else() {
    let world = without(&["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    for step in ["require_compliant_device", "require_token_protection"] {
        let steps = format!(
            "  - step: {step}\n    with: {{ users: {{ group: {GROUP} }} }}\n  - step: revoke_sessions\n"
        );
        let plan = plan(&world, &steps, &[]).await;
        let refused = plan.guards.refused.iter().find(|own| own.guard == "policy_unread_group").unwrap();
        assert!(refused.holds_back && refused.next.contains("`GroupMember.Read.All`"), "{refused:?}");
        assert!(!is_planned(&plan, step) && is_planned(&plan, "revoke_sessions"), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn policies_that_could_not_be_read_are_no_policy_that_is_there_already() {
    let world = without(&["Policy.Read.All"]);
    for step in ["require_compliant_device", "require_token_protection", "protect_security_info"] {
        let steps = format!("  - step: {step}\n  - step: revoke_sessions\n");
        let plan = plan(&world, &steps, &[]).await;
        assert!(plan.unchanged.iter().all(|own| own.step != step), "{step}: {:?}", plan.unchanged);
        let left = plan.left.iter().find(|own| own.step == step).unwrap();
        assert!(left.holds_back && left.why[0].contains("could not be read"), "{left:?}");
        let run = world.apply(&plan).await;
        assert_ne!(run.verdict, Verdict::Contained, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_device_policy_is_enforced_for_somebody_whose_devices_could_not_be_read() {
    let world = without(&["Device.Read.All", "Directory.Read.All"]);
    let steps = |state: &str| {
        format!(
            "  - step: require_compliant_device\n    with: {{ state: {state} }}\n  - step: revoke_sessions\n"
        )
    };
    let enforced = plan(&world, &steps("enabled"), &[]).await;
    let refused = enforced.guards.refused.iter().find(|own| own.guard == "policy_no_device").unwrap();
    assert!(refused.why.contains("is not known") && refused.why.contains("`Device.Read.All`"), "{refused:?}");
    assert!(refused.next.contains("report_only"), "{refused:?}");
    assert!(!is_planned(&enforced, "require_compliant_device"));
    let rehearsed = plan(&world, &steps("report_only"), &[]).await;
    assert!(is_planned(&rehearsed, "require_compliant_device"));
    assert!(rehearsed.warnings.iter().any(|own| own.contains("is not known")), "{:?}", rehearsed.warnings);
    let aside = plan(&world, &steps("enabled"), &["policy_no_device"]).await;
    assert!(is_planned(&aside, "require_compliant_device"));
    assert!(aside.guards.overridden.iter().any(|own| own.guard == "policy_no_device"));
}
