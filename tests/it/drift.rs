//! Invariant 3: drift stops it.

use serde_json::json;
use stanch::run::{ActionState, Verdict};

use crate::world::{World, action, containing};

#[tokio::test(start_paused = true)]
async fn what_is_in_the_wanted_state_meanwhile_is_already_so_and_not_sent() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        let user = format!("/v1.0/users/{}", world.victim_id());
        let rogue = world.truth["rogueMethods"][0].as_str().unwrap();
        let method = format!("{user}/authentication/microsoftAuthenticatorMethods/{rogue}");
        assert_eq!(
            world.send_as(&world.responder, "PATCH", &user, json!({ "accountEnabled": false })).await,
            204
        );
        assert_eq!(world.send_as(&world.responder, "DELETE", &method, json!(null)).await, 204);
        let run = world.apply(&plan).await;
        assert_eq!(action(&run, "disable_sign_in").state, ActionState::AlreadySo, "{playbook}");
        let removal = plan.actions.iter().find(|own| own.object.id.as_deref() == Some(rogue)).unwrap();
        assert_eq!(action(&run, removal.id.as_str()).state, ActionState::AlreadySo, "{playbook}");
        assert_eq!(run.verdict, Verdict::Contained, "{playbook}: {run:#?}");
        let writes = world.writes().await;
        let again = |line: &&serde_json::Value| {
            (line["path"] == user.as_str() && line["body"]["accountEnabled"] == false)
                || (line["method"] == "DELETE" && line["path"] == method.as_str())
        };
        assert_eq!(writes.iter().filter(again).count(), 2, "{playbook}: it was sent again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_changed_meanwhile_stops_the_reset_and_is_told() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        let path = format!("/v1.0/users/{}", world.victim_id());
        let body = json!({ "passwordProfile": { "password": "Another-Long-Passphrase-7", "forceChangePasswordNextSignIn": false } });
        assert_eq!(world.send_as(&world.responder, "PATCH", &path, body).await, 204);
        let run = world.apply(&plan).await;
        assert_eq!(action(&run, "reset_password").state, ActionState::Stale, "{playbook}");
        assert_eq!(run.verdict, Verdict::Partial, "{playbook}");
        let detail = &run.actions.iter().find(|action| action.step == "reset_password").unwrap().detail;
        assert!(detail.contains("changed"), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_user_of_the_same_name_gets_nothing() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let mut renamed = plan.clone();
    renamed.case.subject.upn = "grady.archie@contoso.com".parse().unwrap();
    let renamed = renamed.sealed().unwrap();
    let error = world.try_apply(&renamed).await.unwrap_err();
    assert_eq!(error.exit_status(), 5);
    assert!(error.to_string().contains("its name is now `lynne.robbins@contoso.com`"), "{error}");
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn other_guard_settings_make_a_plan_stale() {
    let mut world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    world.guards.company_ranges.push("192.0.2.0/24".parse().unwrap());
    let error = world.try_apply(&plan).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("guards_changed", 5));
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn ranges_that_others_add_meanwhile_are_kept() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let location = "/v1.0/identity/conditionalAccess/namedLocations/3d541753-3960-46ea-a6f5-89f192aa7313";
    let body = json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "ipRanges": [
            { "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24" },
            { "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "185.12.45.9/32" }
        ]
    });
    assert_eq!(world.send_as(&world.responder, "PATCH", location, body).await, 204);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let state = world.state().await;
    let list = state["namedLocations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["displayName"] == "IP Blacklist")
        .unwrap();
    let text = list["ipRanges"].to_string();
    assert!(text.contains("185.12.45.9/32") && text.contains("89.187.164.0/24"), "{text}");
    assert!(!text.contains("192.0.2.44/32"), "an entry that its owner took away came back");
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_another_tenant_is_refused() {
    let world = World::case("bec-node-fetch");
    let mut plan = world.plan("evict").await;
    plan.tenant.id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let error = world.try_apply(&plan.sealed().unwrap()).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("other_tenant", 2));
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_edited_plan_is_refused_and_consent_counts_for_one_plan_only() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let mut edited = plan.clone();
    edited.actions.truncate(1);
    let error = world.try_apply(&edited).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("plan_edited", 2));
    let other = edited.sealed().unwrap();
    let (_sender, stop) = stanch::engine::StopSignal::new();
    let error = world.applier(stop).apply(other, world.yes(&plan)).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("approval_other_plan", 4));
    assert!(world.writes().await.is_empty());
}
