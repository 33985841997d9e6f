//! `cancel_temporary_access_passes`: a pass that the intruder can use goes, one that a run issued stays, one that an
//! administrator issued is asked about.

use serde_json::{Value, json};
use stanch::plan::{Action, Plan};
use stanch::run::{ActionState, Verdict};

use crate::world::{World, action, book};

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const PASS: &str = "d4a7c9e1-5b62-4f0d-8e39-2c1f6ab07d58";
const STEPS: &str = "  - step: cancel_temporary_access_passes\n  - step: revoke_sessions\n";
/// In the midst of the intruder's sign-ins of 26 September.
const DURING: &str = "2024-09-26T19:24:50Z";

/// The reference case with a pass that an administrator's account issued from an address; it lasts for a month.
fn issued(ip: &str, change: impl FnOnce(&mut Value)) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let pass = json!({ "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod", "id": PASS,
                           "createdDateTime": DURING, "startDateTime": DURING, "lifetimeInMinutes": 43200,
                           "isUsableOnce": false });
        tenant["authenticationMethods"][VICTIM].as_array_mut().unwrap().push(pass);
        tenant["attackers"][0]["methodIds"].as_array_mut().unwrap().push(json!(PASS));
        let record = json!({ "id": "Authentication Methods_1_8H5XV_1", "category": "UserManagement", "result": "success",
            "activityDisplayName": "Admin registered security info", "activityDateTime": DURING,
            "resultReason": "Admin registered temporary access pass method for user",
            "loggedByService": "Authentication Methods", "operationType": "Add",
            "initiatedBy": { "app": null, "user": { "id": "afd95933-26aa-5df2-a513-97c5dd53e01d",
                "displayName": null, "userPrincipalName": "tenant.administrator@contoso.com", "ipAddress": ip } },
            "targetResources": [{ "id": VICTIM, "type": "User", "displayName": "it", "modifiedProperties": [] }],
            "additionalDetails": [] });
        tenant["directoryAudits"].as_array_mut().unwrap().push(record);
        change(tenant);
    })
}

async fn plan(world: &World, steps: &str) -> Plan {
    let mut request = world.request("evict");
    request.playbook = book(steps);
    world.plan_for(request).await.unwrap()
}

fn ours(plan: &Plan) -> Vec<&Action> {
    plan.actions.iter().filter(|own| own.step == "cancel_temporary_access_passes").collect()
}

fn intruders_address(world: &World) -> String {
    world.truth["attackerIps"][0].as_str().unwrap().to_owned()
}

async fn has_pass(world: &World) -> bool {
    let state = world.state().await;
    state["authenticationMethods"][VICTIM].as_array().unwrap().iter().any(|own| own["id"] == PASS)
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_was_issued_from_the_intruders_address_is_deleted_and_signs_nobody_in() {
    let ip = intruders_address(&World::case("bec-node-fetch"));
    let world = issued(&ip, |_| {}).lagging(20);
    let plan = plan(&world, STEPS).await;
    let own = ours(&plan);
    assert_eq!(own.len(), 1, "{:?}", plan.left);
    assert!(!own[0].reversible);
    assert!(own[0].evidence.iter().any(|why| why.contains(&ip)), "{:?}", own[0].evidence);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    assert!(!has_pass(&world).await);
    tokio::time::advance(std::time::Duration::from_mins(1)).await;
    let again = self::plan(&world, STEPS).await;
    let why = &again.unchanged.iter().find(|own| own.step == "cancel_temporary_access_passes").unwrap().why;
    assert_eq!(why, "the account has no Temporary Access Pass");
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_an_administrator_issued_is_asked_about_and_goes_when_told_to() {
    let world = issued("198.51.100.7", |_| {});
    let first = plan(&world, STEPS).await;
    assert!(ours(&first).is_empty());
    let left = first.left.iter().find(|own| own.object.contains(PASS)).unwrap();
    assert!(left.holds_back && left.why[0].contains("tenant.administrator@contoso.com"), "{left:?}");
    assert_eq!(world.apply(&first).await.verdict, Verdict::Partial);
    // Among the methods it is the same pass: that the intruder alone was signed in around it tells nothing.
    let methods = world.plan("evict").await;
    let removed = methods.actions.iter().filter(|own| own.step == "remove_auth_methods");
    assert!(removed.clone().all(|own| own.object.id.as_deref() != Some(PASS)), "{:?}", methods.actions);
    assert!(methods.left.iter().any(|own| own.object.contains(PASS) && own.holds_back), "{:?}", methods.left);
    let mut request = world.request("evict");
    request.playbook = book(STEPS);
    request.remove = vec![PASS.parse().unwrap()];
    let told = world.plan_for(request).await.unwrap();
    assert!(told.warnings.iter().all(|own| !own.contains("--remove")), "{:?}", told.warnings);
    assert_eq!(world.apply(&told).await.verdict, Verdict::Contained);
    assert!(!has_pass(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_works_no_more_is_no_matter_and_one_that_may_again_is() {
    let world = issued("198.51.100.7", |tenant| {
        let methods = tenant["authenticationMethods"][VICTIM].as_array_mut().unwrap();
        methods.last_mut().unwrap()["lifetimeInMinutes"] = json!(60);
    });
    let over = plan(&world, STEPS).await;
    assert!(ours(&over).is_empty() && over.left.is_empty(), "{:?}", over.left);
    let world = issued("198.51.100.7", |tenant| {
        tenant["temporaryAccessPassPolicy"] = json!({ "state": "disabled" });
    });
    assert_eq!(plan(&world, STEPS).await.left.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_a_run_of_ours_has_issued_is_kept() {
    let world = World::case("bec-node-fetch");
    assert_eq!(world.apply(&world.plan("evict").await).await.verdict, Verdict::Contained);
    let restored = world.apply(&world.plan("restore").await).await;
    assert_eq!(
        action(&restored, "issue_temporary_access_pass").state,
        ActionState::Verified,
        "{restored:#?}"
    );
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let plan = plan(&world, STEPS).await;
    assert!(ours(&plan).is_empty() && plan.left.is_empty(), "{:?} {:?}", plan.actions, plan.left);
}

#[tokio::test(start_paused = true)]
async fn passes_that_may_not_be_read_are_unread_and_hold_back() {
    let world = issued("198.51.100.7", |_| {});
    world
        .faults(json!([{ "method": "GET", "path": "/v1.0/users/*/temporaryAccessPassMethods", "times": null,
                         "fault": { "kind": "status", "status": 403, "code": "accessDenied" } }]))
        .await;
    let plan = plan(&world, STEPS).await;
    let left = plan.left.iter().find(|own| own.object == "every Temporary Access Pass").unwrap();
    assert!(left.holds_back && left.why[0].contains("UserAuthenticationMethod"), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_gone_meanwhile_is_already_so_and_a_lost_answer_is_settled_by_reading() {
    let ip = intruders_address(&World::case("bec-node-fetch"));
    let world = issued(&ip, |_| {});
    let gone = plan(&world, STEPS).await;
    let path = format!("/v1.0/users/{VICTIM}/authentication/temporaryAccessPassMethods/{PASS}");
    assert_eq!(world.send_as(&world.responder, "DELETE", &path, Value::Null).await, 204);
    let run = world.apply(&gone).await;
    assert_eq!(action(&run, "cancel_temporary_access_passes").state, ActionState::AlreadySo);
    for kind in ["reset_before_commit", "reset_after_commit"] {
        let world = issued(&ip, |_| {});
        let plan = plan(&world, STEPS).await;
        world
            .faults(json!([{ "method": "DELETE", "path": "/v1.0/users/*", "fault": { "kind": kind } }]))
            .await;
        let run = world.apply(&plan).await;
        let own = action(&run, "cancel_temporary_access_passes");
        assert_eq!(own.state, ActionState::Verified, "{kind}: {run:#?}");
    }
}
