//! `strip_roles`: the directory roles that the intruder gave the account go, those that it held before stay, and what an
//! app may not take is named for a person.

use mock_graph::{Kind, generate};
use serde_json::{Value, json};
use stanch::case::{MethodVerdict, PersistenceKind};
use stanch::engine::{Investigator, PlanError, Question};
use stanch::plan::{Action, Plan, Undo};
use stanch::run::{ActionState, CheckState, Verdict};

use crate::world::{World, action, book};

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const WRITE: &str = "RoleManagement.ReadWrite.Directory";
const READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const INVITER: &str = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
const GLOBAL: &str = "62e90394-69f5-4237-9190-012177145e10";
const GROUP: &str = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";
const GIVEN: &str = "S1uKSp9B1kqYaOA1tls5z9H91W6F5S9FrJVKtZLJNX0-1";
const HELD: &str = "CQHnlcCVjk2u49AazPLUe9H91W6F5S9FrJVKtZLJNX0-1";
/// In the midst of the intruder's sign-ins of 26 September, and nobody else's.
const DURING: &str = "2024-09-26T19:24:50Z";
/// What is put into a tenant.
type Plant<'a> = &'a dyn Fn(&mut Value);

const STEPS: &str = "  - step: strip_roles\n  - step: revoke_sessions\n";

fn push(tenant: &mut Value, list: &str, item: Value) {
    if !tenant[list].is_array() {
        tenant[list] = json!([]);
    }
    tenant[list].as_array_mut().unwrap().push(item);
}

fn assignment(id: &str, principal: &str, role: &str) -> Value {
    json!({ "id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/", "appScopeId": null })
}

/// The record of the account doing something to itself, as Core Directory logs it: with an address of Microsoft's.
fn record(activity: &str, properties: &[(&str, &str)]) -> Value {
    let modified: Vec<Value> = properties
        .iter()
        .map(|(name, value)| json!({ "displayName": name, "oldValue": null, "newValue": format!("\"{value}\"") }))
        .collect();
    json!({ "id": format!("Directory_{activity}_8H5XV_1"), "category": "RoleManagement", "result": "success",
            "activityDisplayName": activity, "activityDateTime": DURING, "loggedByService": "Core Directory",
            "operationType": "Assign",
            "initiatedBy": { "app": null, "user": { "id": VICTIM, "displayName": null,
                             "userPrincipalName": "lynne.robbins@contoso.com", "ipAddress": "4.231.10.7" } },
            "targetResources": [{ "id": VICTIM, "type": "User", "displayName": "it", "modifiedProperties": modified }],
            "additionalDetails": [] })
}

fn give(tenant: &mut Value, role: &str) {
    push(tenant, "roleAssignments", assignment(GIVEN, VICTIM, role));
    push(tenant, "directoryAudits", record("Add member to role", &[("Role.TemplateId", role)]));
}

/// The reference case with a role that the intruder gave, and one that the account held before.
fn given(change: impl FnOnce(&mut Value)) -> World {
    let mut world = World::case_with("bec-node-fetch", |tenant| {
        give(tenant, READER);
        push(tenant, "roleAssignments", assignment(HELD, VICTIM, INVITER));
        tenant["applications"][0]["roles"].as_array_mut().unwrap().push(json!(WRITE));
        change(tenant);
    });
    world.guards.accepted_permissions = vec![WRITE.to_owned()];
    world
}

async fn plan(world: &World, overrides: &[&str]) -> Result<Plan, PlanError> {
    let mut request = world.request("evict");
    request.playbook = book(STEPS);
    request.overrides = overrides.iter().map(|&name| name.to_owned()).collect();
    world.plan_for(request).await
}

fn ours(plan: &Plan) -> Vec<&Action> {
    plan.actions.iter().filter(|own| own.step == "strip_roles").collect()
}

async fn roles(world: &World) -> Vec<Value> {
    let state = world.state().await;
    let all = state["roleAssignments"].as_array().unwrap().clone();
    all.into_iter().filter(|own| own["principalId"] == VICTIM).map(|own| own["id"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_role_that_the_intruder_gave_goes_and_one_that_was_held_before_stays() {
    for playbook in ["bec", "token-theft"] {
        let world = given(|_| {}).lagging(20);
        let plan = world.plan(playbook).await;
        let own = ours(&plan);
        assert_eq!(own.len(), 1, "{playbook}: {:?}", plan.left);
        assert_eq!(own[0].object.id.as_deref(), Some(GIVEN));
        assert!(own[0].summary.contains("`Reports Reader`"), "{}", own[0].summary);
        assert!(own[0].evidence.iter().any(|why| why.contains("gave it to itself")), "{:?}", own[0].evidence);
        assert!(plan.permissions.contains(&WRITE.to_owned()), "{:?}", plan.permissions);
        let Undo::Requests(undo) = own[0].undo.clone() else { panic!("{playbook}: no way back") };
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{playbook}: {run:#?}");
        assert_eq!(roles(&world).await, [json!(HELD)], "{playbook}");
        tokio::time::advance(std::time::Duration::from_mins(1)).await;
        assert!(ours(&world.plan(playbook).await).is_empty(), "{playbook}: planned again");
        // The way back is taken by Graph as it stands.
        let back = &undo[0];
        let sent = world.send_as(&world.responder, back.method.as_str(), &back.path, back.body.clone()).await;
        assert_eq!((sent, roles(&world).await.len()), (201, 2), "{playbook}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_without_roles_plans_nothing_and_says_so() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let why = &plan.unchanged.iter().find(|own| own.step == "strip_roles").unwrap().why;
    assert_eq!(why, "the account holds no directory role");
    assert!(!plan.permissions.contains(&WRITE.to_owned()), "{:?}", plan.permissions);
}

#[tokio::test(start_paused = true)]
async fn where_the_settings_accept_no_such_permission_a_person_is_told_how() {
    let mut world = given(|tenant| {
        tenant["applications"][0]["roles"].as_array_mut().unwrap().retain(|own| own != WRITE);
    });
    world.guards.accepted_permissions.clear();
    let plan = plan(&world, &[]).await.unwrap();
    let own = ours(&plan)[0];
    assert!(own.requests.is_empty());
    let cannot = own.cannot.as_ref().unwrap();
    assert!(cannot.why.contains(WRITE), "{}", cannot.why);
    assert!(
        cannot.instead[0].contains("Roles & admins > Reports Reader > Assignments"),
        "{:?}",
        cannot.instead
    );
    assert!(
        cannot.instead[2].contains(&format!("-UnifiedRoleAssignmentId '{GIVEN}'")),
        "{:?}",
        cannot.instead
    );
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
    assert!(world.writes().await.iter().all(|line| line["method"] != "DELETE"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_through_a_group_or_by_privileged_identity_management_is_a_persons_work() {
    let eligible = |tenant: &mut Value| {
        let row =
            json!({ "id": "e1", "principalId": VICTIM, "roleDefinitionId": READER, "directoryScopeId": "/" });
        push(tenant, "roleEligibilityScheduleInstances", row);
        let activity = "Add eligible member to role in PIM completed (permanent)";
        push(tenant, "directoryAudits", record(activity, &[("Role.TemplateId", READER)]));
    };
    let activated = |tenant: &mut Value| {
        let mut row = assignment("a1", VICTIM, READER);
        row["assignmentType"] = json!("Activated");
        push(tenant, "roleAssignments", row);
        let activity = "Add member to role completed (PIM activation)";
        push(tenant, "directoryAudits", record(activity, &[("Role.TemplateId", READER)]));
    };
    let grouped = |tenant: &mut Value| {
        push(
            tenant,
            "groups",
            json!({ "id": GROUP, "displayName": "Operators", "isAssignableToRole": true }),
        );
        tenant["groupMembers"] = json!({ GROUP: [VICTIM] });
        push(tenant, "roleAssignments", assignment("g1", GROUP, READER));
        push(tenant, "directoryAudits", record("Add member to group", &[("Group.ObjectID", GROUP)]));
    };
    let plants: [(Plant<'_>, &str); 3] = [
        (&eligible, "Microsoft Entra roles > Assignments > Eligible assignments > Reports Reader: remove"),
        (&activated, "Microsoft Entra roles > Assignments > Active assignments > Reports Reader: remove"),
        (
            &grouped,
            "Groups > All groups > Operators (7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e) > Members: remove",
        ),
    ];
    for (plant, path) in plants {
        let mut world = World::case_with("bec-node-fetch", |tenant| {
            tenant["applications"][0]["roles"].as_array_mut().unwrap().push(json!(WRITE));
            plant(tenant);
        });
        world.guards.accepted_permissions = vec![WRITE.to_owned()];
        let plan = plan(&world, &["privileged_subject"]).await.unwrap();
        let own = ours(&plan);
        assert_eq!(own.len(), 1, "{path}: {:?}", plan.left);
        assert!(own[0].requests.is_empty(), "{path}");
        let instead = &own[0].cannot.as_ref().unwrap().instead;
        assert!(instead.iter().any(|line| line.contains(path)), "{path}: {instead:?}");
        assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_privileged_identity_management_an_assigned_role_goes_all_the_same() {
    let world = given(|tenant| tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]));
    let plan = plan(&world, &[]).await.unwrap();
    assert_eq!(ours(&plan).len(), 1, "{:?}", plan.left);
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn roles_that_may_not_be_read_are_unread_and_hold_back() {
    let world = given(|tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|own| own != "RoleManagement.Read.Directory");
        roles.retain(|own| !own.as_str().unwrap().contains("Schedule") && own != "Directory.Read.All");
    });
    let plan = plan(&world, &["privileged_subject"]).await.unwrap();
    assert!(ours(&plan).is_empty());
    let left = plan.left.iter().find(|own| own.object == "every directory role of the account").unwrap();
    assert!(left.holds_back && left.why[0].contains("RoleManagement.Read.Directory"), "{left:?}");
    // The responder may read them, and the guard asks again before anything is sent.
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_another_administrator_gave_is_asked_about() {
    let world = given(|tenant| {
        let audits = tenant["directoryAudits"].as_array_mut().unwrap();
        let actor = &mut audits.last_mut().unwrap()["initiatedBy"]["user"];
        actor["id"] = json!("afd95933-26aa-5df2-a513-97c5dd53e01d");
        actor["userPrincipalName"] = json!("tenant.administrator@contoso.com");
    });
    let first = plan(&world, &[]).await.unwrap();
    assert!(ours(&first).is_empty());
    let left = first.left.iter().find(|own| own.object.contains(GIVEN)).unwrap();
    assert!(left.holds_back && left.why[0].contains("tenant.administrator@contoso.com"), "{left:?}");
    let mut request = world.request("evict");
    request.playbook = book(STEPS);
    request.remove = vec![GIVEN.parse().unwrap()];
    let told = world.plan_for(request).await.unwrap();
    assert_eq!(ours(&told).len(), 1);
    assert!(told.warnings.iter().all(|own| !own.contains("--remove")), "{:?}", told.warnings);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_given_anew_since_the_plan_is_not_overrun_and_one_that_is_gone_is_already_so() {
    let path = "/v1.0/roleManagement/directory/roleAssignments";
    for (again, state) in [(true, ActionState::Stale), (false, ActionState::AlreadySo)] {
        let world = given(|_| {});
        let plan = plan(&world, &[]).await.unwrap();
        let one = format!("{path}/{GIVEN}");
        assert_eq!(world.send_as(&world.responder, "DELETE", &one, Value::Null).await, 204);
        if again {
            let body = json!({ "principalId": VICTIM, "roleDefinitionId": READER, "directoryScopeId": "/" });
            assert_eq!(world.send_as(&world.responder, "POST", path, body).await, 201);
        }
        let run = world.apply(&plan).await;
        assert_eq!(action(&run, "strip_roles").state, state, "{run:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_held_in_another_way_since_is_not_gone() {
    let otherwise = |tenant: &mut Value| {
        let row =
            json!({ "id": "e1", "principalId": VICTIM, "roleDefinitionId": READER, "directoryScopeId": "/" });
        push(tenant, "roleEligibilityScheduleInstances", row);
    };
    let mut world = given(|_| {});
    let own = plan(&world, &[]).await.unwrap();
    assert_eq!(world.apply(&own).await.verdict, Verdict::Contained);
    world.change_tenant(otherwise).await;
    let verification = world.verify(&own).await;
    let is_roles = |id: &stanch::domain::ActionId| id.as_str() == "strip_roles";
    let check = verification.checks.iter().find(|own| own.action.as_ref().is_some_and(is_roles)).unwrap();
    assert_eq!(check.state, CheckState::Drifted, "{check:?}");
    assert!(check.seen.contains("can be activated"), "{check:?}");
    // What was there beside it when the plan was made stays, and is no drift.
    let world = given(otherwise);
    let own = plan(&world, &["privileged_subject"]).await.unwrap();
    let run = world.apply(&own).await;
    assert_eq!(action(&run, "strip_roles").state, ActionState::Verified, "{run:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_is_settled_by_reading_the_roles() {
    for kind in ["reset_before_commit", "reset_after_commit"] {
        let world = given(|_| {});
        let plan = plan(&world, &[]).await.unwrap();
        world
            .faults(
                json!([{ "method": "DELETE", "path": "/v1.0/roleManagement/*", "fault": { "kind": kind } }]),
            )
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(action(&run, "strip_roles").state, ActionState::Verified, "{kind}: {run:#?}");
        assert_eq!(roles(&world).await, [json!(HELD)], "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_for_roles_names_itself() {
    let world = given(|tenant| {
        tenant["applications"][0]["roles"].as_array_mut().unwrap().retain(|own| own != WRITE);
    });
    let plan = plan(&world, &[]).await.unwrap();
    let run = world.apply(&plan).await;
    let own = action(&run, "strip_roles");
    assert_eq!(own.state, ActionState::Failed, "{run:#?}");
    assert!(own.detail.contains(WRITE), "{}", own.detail);
}

#[tokio::test(start_paused = true)]
async fn the_last_global_administrator_is_never_stripped() {
    let world = given(|tenant| {
        tenant["roleAssignments"] = json!([]);
        tenant["directoryAudits"].as_array_mut().unwrap().pop();
        give(tenant, GLOBAL);
    });
    let error = plan(&world, &["privileged_subject"]).await.unwrap_err();
    assert!(
        matches!(&error, PlanError::SubjectRefused(refusal) if refusal.guard == "last_administrator"),
        "{error}"
    );
    assert_eq!(error.exit_status(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_investigation_names_the_role_and_its_moment() {
    let world = given(|_| {});
    let investigator = Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: std::sync::Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    };
    let question = Question { user: world.victim().to_owned(), ..Question::default() };
    let report = investigator.report(&question).await.unwrap();
    let of = |id: &str| report.persistence.iter().find(|own| own.id == id).unwrap();
    assert_eq!((of(GIVEN).verdict, of(HELD).verdict), (MethodVerdict::Attacker, MethodVerdict::UnknownOld));
    assert_eq!(of(GIVEN).at, Some(DURING.parse().unwrap()));
    let text = stanch::report::investigation_text(&report, None, false);
    assert!(text.contains("directory role \"Reports Reader\": held for the whole tenant"), "{text}");
}

/// Everything that an investigation of somebody finds of roles, by whose they are.
async fn roles_found(world: &World, user: &str) -> Vec<(String, MethodVerdict)> {
    let investigator = Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: std::sync::Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    };
    let question = Question { user: user.to_owned(), ..Question::default() };
    let report = investigator.report(&question).await.unwrap();
    let roles = report.persistence.into_iter().filter(|own| own.kind == PersistenceKind::Role);
    roles.map(|own| (own.id, own.verdict)).collect()
}

#[tokio::test(start_paused = true)]
async fn over_made_cases_every_role_of_the_intruders_is_found_and_no_other() {
    let mut found = 0;
    for seed in 0..40 {
        let world = World::made(generate(Kind::Mass, seed));
        let holders = world.tenant["roleAssignments"].as_array().unwrap();
        for victim in world.truth["victims"].as_array().unwrap() {
            let victim = victim.as_str().unwrap();
            let id = json!(world.user_id(victim));
            if holders.iter().all(|own| own["principalId"] != id) {
                continue;
            }
            let truth = &world.truth["byVictim"][victim]["rogueRoles"];
            let rogue: Vec<Value> = roles_found(&world, victim)
                .await
                .into_iter()
                .filter(|(_, verdict)| *verdict == MethodVerdict::Attacker)
                .map(|(id, _)| json!(id))
                .collect();
            assert_eq!(json!(rogue), *truth, "mass {seed}, {victim}");
            found += rogue.len();
        }
    }
    assert!(found >= 3, "no role was given in these cases: {found}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_given_after_the_run_is_told_as_drift() {
    let mut world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    world.clock.sleep(std::time::Duration::from_hours(3)).await;
    let before = world.verify(&plan).await;
    let unexplained = |verification: &stanch::run::Verification| {
        let all = &verification.eviction.conditions;
        all.iter().find(|own| own.what == "no directory role is unexplained").unwrap().holds
    };
    assert_eq!(unexplained(&before), Some(true), "{:#?}", before.eviction);
    world.change_tenant(|tenant| give(tenant, READER)).await;
    let after = world.verify(&plan).await;
    assert_eq!(unexplained(&after), Some(false), "{:#?}", after.eviction);
    let check =
        after.checks.iter().find(|own| own.what.starts_with("directory role `Reports Reader`")).unwrap();
    assert_eq!(check.state, CheckState::Drifted, "{check:?}");
}
