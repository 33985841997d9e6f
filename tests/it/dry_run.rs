//! Invariant 1: a dry run cannot write.

use crate::world::{World, shipped};

#[tokio::test(start_paused = true)]
async fn a_dry_run_leaves_the_tenant_as_it_was() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        for playbook in shipped() {
            let world = World::case(case);
            let before = world.digest().await;
            let plan = world.plan(&playbook).await;
            assert!(!plan.actions.is_empty(), "{case} {playbook} plans nothing");
            assert_eq!(world.digest().await, before, "{case} {playbook}");
            let requests = world.requests().await;
            assert!(requests.iter().all(|line| line["write"] == false), "{case} {playbook}");
            assert!(requests.iter().all(|line| line["known"] == true), "{case} {playbook}: {requests:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn planning_signs_in_as_the_observer_alone() {
    let world = World::case("bec-node-fetch");
    world.plan("bec").await;
    let requests = world.requests().await;
    let others: Vec<_> = requests
        .iter()
        .filter(|line| line["app_id"].as_str().is_some_and(|app| app != world.observer))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_tenant_gives_the_same_plan() {
    let (one, other) = (World::case("bec-node-fetch"), World::case("bec-node-fetch"));
    assert_eq!(one.plan("bec").await, other.plan("bec").await);
}

#[tokio::test(start_paused = true)]
async fn a_plan_reads_each_thing_once() {
    let world = World::case("bec-node-fetch");
    world.plan("bec").await;
    let mut seen = std::collections::HashSet::new();
    for line in world.requests().await {
        if line["path"].as_str().unwrap().contains("/oauth2/") {
            continue;
        }
        let key = format!("{} {} {}", line["method"], line["path"], line["query"]);
        assert!(seen.insert(key.clone()), "read twice: {key}");
    }
}
