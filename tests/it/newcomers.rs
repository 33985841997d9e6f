//! What comes between plan and apply: what is the intruder's, or nobody's, keeps a run from being called contained.

use serde_json::{Value, json};
use stanch::plan::Plan;
use stanch::run::{OpenItem, Run, Verdict};

use crate::world::World;

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const RULE: &str = "AQAAAKx3/q8=";

fn rule(enabled: bool, conditions: &Value, actions: &Value) -> Value {
    json!({ "id": RULE, "displayName": ".", "sequence": 1, "isEnabled": enabled, "hasError": false,
            "isReadOnly": false, "conditions": conditions, "actions": actions, "exceptions": null })
}

/// It hides what is about money.
fn hiding(enabled: bool) -> Value {
    rule(
        enabled,
        &json!({ "subjectContains": ["invoice", "wire"] }),
        &json!({ "delete": true, "markAsRead": true }),
    )
}

fn put_rule(tenant: &mut Value, rule: &Value) {
    tenant["messageRules"][VICTIM] = json!([rule]);
}

/// Plans, lets something happen, and applies.
async fn run_after(
    before: impl FnOnce(&mut Value),
    happens: impl FnOnce(&mut Value),
    playbook: &str,
) -> (World, Plan, Run) {
    let mut world = World::case_with("bec-node-fetch", before);
    let plan = world.plan(playbook).await;
    world.change_tenant(happens).await;
    let run = world.apply(&plan).await;
    (world, plan, run)
}

fn open<'a>(run: &'a Run, of: &str) -> &'a OpenItem {
    run.open.iter().find(|own| own.what.contains(of)).unwrap_or_else(|| panic!("{of}: {:#?}", run.open))
}

fn fact(run: &Run, what: &str) -> Option<bool> {
    let fact = run.proof.facts.iter().find(|own| own.what == what);
    fact.unwrap_or_else(|| panic!("{what}: {:#?}", run.proof)).holds
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_intruders_that_came_between_plan_and_apply_holds_the_run_back() {
    let (world, plan, run) = run_after(|_| {}, |tenant| put_rule(tenant, &hiding(true)), "bec").await;
    assert_eq!(run.verdict, Verdict::Partial, "{run:#?}");
    assert_eq!(fact(&run, "no inbox rule came since the plan"), Some(false));
    let own = open(&run, RULE);
    assert!(own.why.contains("after the plan was made; it is the intruder's"), "{own:?}");
    assert!(own.next.contains("stanch plan bec --user lynne.robbins@contoso.com"), "{own:?}");
    // Looked at again it is as open as it was.
    let verification = world.verify(&plan).await;
    assert_eq!((verification.holds, verification.verdict), (false, Verdict::Partial));
    // The new plan takes it away.
    let plan = world.plan("bec").await;
    assert!(plan.actions.iter().any(|action| action.object.id.as_deref() == Some(RULE)));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_was_off_and_is_switched_on_meanwhile_counts_as_one_that_came() {
    let (_, _, run) =
        run_after(|tenant| put_rule(tenant, &hiding(false)), |tenant| put_rule(tenant, &hiding(true)), "bec")
            .await;
    assert_eq!(run.verdict, Verdict::Partial, "{run:#?}");
    let own = open(&run, RULE);
    assert!(own.why.contains("it came, or was changed"), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_users_own_that_came_meanwhile_is_no_matter() {
    let own = || rule(true, &json!({ "senderContains": ["news@"] }), &json!({ "moveToFolder": "AAMkADEy" }));
    let (_, _, run) = run_after(|_| {}, |tenant| put_rule(tenant, &own()), "bec").await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    assert_eq!(fact(&run, "no inbox rule came since the plan"), Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_came_meanwhile_and_is_nobodys_is_asked_about() {
    let id = "1f3b2c1a-7d4e-4c5b-9a8f-1e2d3c4b5a01";
    let happens = |tenant: &mut Value| {
        if !tenant["devices"].is_array() {
            tenant["devices"] = json!([]);
        }
        tenant["devices"].as_array_mut().unwrap().push(json!({
            "id": id, "deviceId": "d1b2c3d4-7d4e-4c5b-9a8f-1e2d3c4b5a01", "displayName": "DESKTOP-1",
            "accountEnabled": true, "operatingSystem": "Windows", "trustType": "Workplace", "isCompliant": false,
            "isManaged": false, "deviceOwnership": "Personal", "registrationDateTime": "2024-10-04T14:40:00Z",
            "registeredOwners": [VICTIM], "registeredUsers": [VICTIM],
        }));
    };
    let (_, _, run) = run_after(|_| {}, happens, "bec").await;
    assert_eq!(run.verdict, Verdict::Partial, "{run:#?}");
    let own = open(&run, id);
    assert!(own.why.contains("nobody knows whose it is"), "{own:?}");
    assert!(own.next.contains(&format!("`--keep {id}` or `--remove {id}`")), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_read_at_the_end_is_unread_and_never_contained() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][0]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "MailboxSettings.ReadWrite");
    });
    let plan = world.plan("bec").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::ContainedUnverified, "{run:#?}");
    assert_eq!(fact(&run, "no inbox rule came since the plan"), None);
    let own = open(&run, "whether inbox rules came meanwhile");
    assert!(own.why.contains("MailboxSettings.Read"), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_playbook_that_looks_at_methods_alone_reads_nothing_more_at_the_end() {
    let (world, _, run) = run_after(|_| {}, |tenant| put_rule(tenant, &hiding(true)), "evict").await;
    assert_eq!(run.verdict, Verdict::Contained);
    let requests = world.requests().await;
    assert!(
        !requests.iter().any(|line| line["path"].as_str().is_some_and(|path| path.contains("messageRules")))
    );
}
