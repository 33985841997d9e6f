//! A person's own session: signing in by a code, and the reset of a password that the company's own directory masters.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stanch::config::Role;
use stanch::engine::{Applier, ApplyError, Planner, StopSignal};
use stanch::graph::{Connection, ConnectionSettings, Credential, DevicePrompt, GraphError};
use stanch::plan::{Plan, PlanSession, preview};
use stanch::run::{ActionState, Entry, Outcome, Run, Verdict};
use stanch::transport::Transport;

use crate::processes::{Mock, stanch};
use crate::world::{BASE, RouterTransport, World, action, case_tenant};

const APP: &str = "11111111-aaaa-4bbb-8ccc-000000000003";
const ME: &str = "tenant.administrator@contoso.com";
const SCOPES: [&str; 14] = [
    "User.Read.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User.RevokeSessions.All",
    "UserAuthenticationMethod.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "Directory.Read.All",
    "Policy.Read.All",
    "AuditLog.Read.All",
    "Organization.Read.All",
    "Domain.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
    "GroupMember.Read.All",
    "OnPremDirectorySynchronization.Read.All",
];
const RESET: &str = "/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword";

/// The reference tenant with an app for people, its victim mastered on-premises.
fn change(tenant: &mut Value, writeback: &str) {
    tenant["tenant"]["passwordWriteback"] = json!(writeback);
    tenant["applications"].as_array_mut().unwrap().push(json!({
        "appId": APP, "displayName": "stanch for people", "publicClient": true, "delegatedScopes": SCOPES
    }));
    let users = tenant["users"].as_array_mut().unwrap();
    let victim = users.iter_mut().find(|user| user["userPrincipalName"] == "lynne.robbins@contoso.com");
    victim.unwrap()["onPremisesSyncEnabled"] = json!(true);
}

fn hybrid(writeback: &str) -> World {
    World::case_with("bec-node-fetch", |tenant| change(tenant, writeback))
}

/// Signs in, while somebody types the code as the mock's control is told.
async fn sign_in(world: &World, typed: Value) -> Result<Connection, GraphError> {
    let (sender, shown) = tokio::sync::oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let tell = |prompt: &DevicePrompt| {
        assert_eq!(prompt.address, "https://microsoft.com/devicelogin");
        sender.lock().unwrap().take().unwrap().send(prompt.user_code.clone()).unwrap();
    };
    let typing = async {
        if let Ok(code) = shown.await {
            let path = format!("/_mock/device-codes/{code}");
            if !typed.is_null() {
                assert_eq!(world.control("POST", &path, Some(typed)).await.0, 204);
            }
        }
        std::future::pending::<()>().await;
    };
    let transport: Arc<dyn Transport> = Arc::new(RouterTransport(world.router.clone()));
    let tenant = world.tenant["tenant"]["id"].as_str().unwrap();
    let settings = ConnectionSettings::new(BASE, BASE, tenant, APP, Credential::Person);
    let (clock, random) = (Arc::clone(&world.clock), Arc::clone(&world.random));
    let signing_in = Connection::of_person(transport, clock, random, settings, &tell);
    tokio::select! {
        signed_in = signing_in => signed_in.map(|(connection, person)| {
            assert_eq!(person.upn.as_str(), ME);
            connection
        }),
        () = typing => unreachable!(),
    }
}

async fn as_me(world: &World) -> Connection {
    sign_in(world, json!({ "user": ME })).await.unwrap()
}

async fn plan_as(world: &World, connection: &Connection) -> Plan {
    let mut request = world.request("evict");
    request.requested_by = ME.to_owned();
    let planner = Planner { reader: connection.reader(), signed_in_as: Role::Responder, ..world.planner() };
    planner.plan(request).await.unwrap()
}

async fn apply_as(world: &World, connection: &Connection, plan: &Plan) -> Run {
    let (_sender, stop) = StopSignal::new();
    let applier =
        Applier { connection: connection.clone(), operator: Some(ME.to_owned()), ..world.applier(stop) };
    applier.apply(plan.clone(), world.yes(plan)).await.unwrap().run().clone()
}

async fn outcomes(world: &World, run: &Run, action: &str) -> Vec<Outcome> {
    let (_, journal) = world.store.load(&run.run).await.unwrap();
    journal
        .into_iter()
        .filter_map(|line| match line.entry {
            Entry::Outcome { action: own, outcome, .. } if own.as_str() == action => Some(outcome),
            _ => None,
        })
        .collect()
}

async fn resets_sent(world: &World) -> usize {
    world.writes().await.iter().filter(|line| line["path"].as_str().unwrap().ends_with(RESET)).count()
}

#[tokio::test(start_paused = true)]
async fn a_synced_users_password_is_reset_in_a_persons_session_and_counts_once_it_is_written_back() {
    let world = hybrid("on");
    let before = world.state().await["passwords"][world.victim_id()].clone();
    let connection = as_me(&world).await;
    let plan = plan_as(&world, &connection).await;
    assert_eq!(plan.session, PlanSession::Person);
    assert!(plan.permissions.contains(&"UserAuthenticationMethod.ReadWrite.All".to_owned()));
    assert!(!plan.permissions.contains(&"User-PasswordProfile.ReadWrite.All".to_owned()));
    let shown = preview::text(&plan, &preview::Style::default());
    assert!(shown.contains("For a person's session"), "{shown}");
    let reset = plan.actions.iter().find(|action| action.step == "reset_password").unwrap();
    assert_eq!(reset.requests[0].path, format!("/v1.0/users/{}{RESET}", world.victim_id()));

    let run = apply_as(&world, &connection, &plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let told = outcomes(&world, &run, "reset_password").await;
    assert!(
        matches!(&told[0], Outcome::Accepted { operation: Some(address), .. } if address.contains("aadgdc="))
    );
    assert!(matches!(told[1], Outcome::OperationSucceeded), "{told:?}");
    let after = world.state().await["passwords"][world.victim_id()].clone();
    assert_ne!(before, after);
    assert_eq!(after.as_str().unwrap().chars().count(), 64);
    // What was approved is what was sent, by the person's app and nobody else's.
    let planned: Vec<String> =
        plan.actions.iter().flat_map(|own| &own.requests).map(|own| own.path.clone()).collect();
    for line in world.writes().await {
        assert!(planned.contains(&line["path"].as_str().unwrap().to_owned()), "{line}");
        assert_eq!(line["app_id"], APP);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_the_companys_own_directory_rejects_leaves_the_run_partial() {
    let world = hybrid("policyRejects");
    let connection = as_me(&world).await;
    let plan = plan_as(&world, &connection).await;
    let run = apply_as(&world, &connection, &plan).await;
    assert_eq!(action(&run, "reset_password").state, ActionState::Failed);
    assert_eq!(run.verdict, Verdict::Partial);
    let own = run.actions.iter().find(|own| own.step == "reset_password").unwrap();
    assert!(
        own.detail.contains("on-premises directory") && own.detail.contains("domain controller"),
        "{}",
        own.detail
    );
    let told = outcomes(&world, &run, "reset_password").await;
    assert!(
        matches!(&told[1], Outcome::OperationFailed(note) if note.code == "operation_failed"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_end_is_not_sent_again_and_leaves_the_verdict_unknown() {
    let world = hybrid("agentDown");
    let connection = as_me(&world).await;
    let plan = plan_as(&world, &connection).await;
    let run = apply_as(&world, &connection, &plan).await;
    assert_eq!(action(&run, "reset_password").state, ActionState::Ambiguous);
    assert_eq!(run.verdict, Verdict::Unknown);
    assert_eq!(resets_sent(&world).await, 1);
    let told = outcomes(&world, &run, "reset_password").await;
    assert!(matches!(&told[1], Outcome::OperationOpen(note) if note.message.contains("no end")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_is_settled_by_reading_the_passwords_date() {
    for (fault, sent) in [("reset_after_commit", 1), ("reset_before_commit", 2)] {
        let world = hybrid("on");
        let connection = as_me(&world).await;
        let plan = plan_as(&world, &connection).await;
        world
            .faults(json!([{ "method": "POST", "path": format!("*{RESET}"), "fault": { "kind": fault } }]))
            .await;
        let run = apply_as(&world, &connection, &plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{fault}: {run:#?}");
        assert_eq!(resets_sent(&world).await, sent, "{fault}");
        let told = outcomes(&world, &run, "reset_password").await;
        assert!(matches!(told[0], Outcome::Ambiguous(_)), "{fault}: {told:?}");
        let end = told.last().unwrap();
        match fault {
            "reset_after_commit" => assert!(matches!(end, Outcome::SeenByReadBack { .. }), "{told:?}"),
            _ => assert!(matches!(end, Outcome::OperationSucceeded), "{told:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_for_a_person_is_refused_to_an_app_before_anything_is_sent() {
    let world = hybrid("on");
    let plan = plan_as(&world, &as_me(&world).await).await;
    let digest = world.digest().await;
    let error = world.try_apply(&plan).await.unwrap_err();
    assert!(matches!(error, ApplyError::OtherSession), "{error}");
    assert!(error.hint().unwrap().contains("--as-me"));
    assert_eq!(error.exit_status(), 2);
    assert_eq!(world.digest().await, digest);
    assert!(world.store.run_of_plan(plan.digest).await.unwrap().is_none(), "no run was begun");
}

#[tokio::test(start_paused = true)]
async fn an_apps_plan_names_the_way_and_a_person_may_apply_it() {
    let world = hybrid("on");
    let plan = world.plan("evict").await;
    assert_eq!(plan.session, PlanSession::App);
    assert!(
        !serde_json::to_string(&plan).unwrap().contains("\"session\":\"app\""),
        "an app's plan reads as before"
    );
    let reset = plan.actions.iter().find(|action| action.step == "reset_password").unwrap();
    assert!(reset.cannot.as_ref().unwrap().instead.join("\n").contains("--as-me"));
    let run = apply_as(&world, &as_me(&world).await, &plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert_eq!(action(&run, "disable_sign_in").state, ActionState::Verified);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_written_back_a_person_is_told_so_before_anything_is_planned() {
    let world = hybrid("off");
    let plan = plan_as(&world, &as_me(&world).await).await;
    let reset = plan.actions.iter().find(|action| action.step == "reset_password").unwrap();
    let cannot = reset.cannot.as_ref().unwrap();
    assert!(cannot.why.contains("not written back"), "{}", cannot.why);
    assert!(reset.requests.is_empty() && !cannot.instead.join("\n").contains("--as-me"));
}

#[tokio::test(start_paused = true)]
async fn whether_it_is_written_back_may_be_unknown_and_the_plan_says_so() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        change(tenant, "on");
        let scopes = tenant["applications"][2]["delegatedScopes"].as_array_mut().unwrap();
        scopes.retain(|scope| scope != "OnPremDirectorySynchronization.Read.All");
    });
    let connection = as_me(&world).await;
    let plan = plan_as(&world, &connection).await;
    assert!(plan.warnings.iter().any(|text| text.contains("could not be read")), "{:?}", plan.warnings);
    assert_eq!(apply_as(&world, &connection, &plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_contained_cannot_be_who_signs_in() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        change(tenant, "on");
        // The intruder holds the administrator's own account.
        let users = tenant["users"].as_array_mut().unwrap();
        users.iter_mut().find(|user| user["userPrincipalName"] == ME).unwrap()["onPremisesSyncEnabled"] =
            json!(true);
    });
    let connection = as_me(&world).await;
    let mut request = world.request("evict");
    request.user = ME.to_owned();
    request.requested_by = ME.to_owned();
    request.overrides = vec!["privileged_subject".to_owned()];
    let planner = Planner { reader: connection.reader(), ..world.planner() };
    assert_eq!(planner.plan(request).await.unwrap_err().exit_status(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_fails_says_why_and_what_to_do() {
    let blocked = json!({
        "id": "99999999-0000-4000-8000-000000000001", "displayName": "No device codes", "state": "enabled",
        "conditions": { "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["All"] }, "authenticationFlows": { "transferMethods": "deviceCodeFlow" } },
        "grantControls": { "operator": "OR", "builtInControls": ["block"] }
    });
    for (what, typed, code, hint) in [
        ("declined", json!({}), "sign_in_declined", "somebody else has the code"),
        ("nobody", Value::Null, "sign_in_code_expired", "begin again"),
        ("not public", json!({ "user": ME }), "sign_in_not_public", "operator.client_id"),
        ("blocked", json!({ "user": ME }), "sign_in_person_blocked", "blocked in many tenants"),
        ("no app", Value::Null, "sign_in_app_not_found", "AZURE_CLIENT_ID"),
    ] {
        let world = World::case_with("bec-node-fetch", |tenant| {
            change(tenant, "on");
            match what {
                "not public" => tenant["applications"][2]["publicClient"] = json!(false),
                "blocked" => {
                    tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(blocked.clone());
                }
                "no app" => drop(tenant["applications"].as_array_mut().unwrap().pop()),
                _ => {}
            }
        });
        let error = sign_in(&world, typed).await.unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error:?}");
        assert!(error.hint().unwrap().contains(hint), "{what}: {:?}", error.hint());
    }
}

#[tokio::test(start_paused = true)]
async fn questions_that_get_lost_while_the_person_types_do_no_harm() {
    let world = hybrid("on");
    world
        .faults(json!([
            { "path": "*/devicecode", "fault": { "kind": "status", "status": 503 } },
            { "path": "*/token", "nth": 1, "times": 2, "fault": { "kind": "reset_before_commit" } },
            { "path": "*/token", "nth": 3, "fault": { "kind": "status", "status": 503 } }
        ]))
        .await;
    as_me(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_persons_session_is_renewed_without_asking_and_ends_with_its_revocation() {
    let world = hybrid("on");
    let connection = as_me(&world).await;
    let renewals = async || {
        let lines = world.requests().await;
        lines.iter().filter(|line| line["body"]["grant_type"] == "refresh_token").count()
    };
    connection.reader().organization().await.unwrap();
    assert_eq!(renewals().await, 0);
    tokio::time::advance(Duration::from_mins(50)).await;
    connection.reader().organization().await.unwrap();
    assert_eq!(renewals().await, 1);
    let path = format!("/v1.0/users/{}/revokeSignInSessions", world.user_id(ME));
    assert_eq!(world.send_as(&world.responder, "POST", &path, json!({})).await, 200);
    tokio::time::advance(Duration::from_mins(50)).await;
    let error = connection.reader().organization().await.unwrap_err();
    assert_eq!(error.code(), "sign_in_session_ended", "{error:?}");
    assert!(error.hint().unwrap().contains("under attack"));
}

#[tokio::test(start_paused = true)]
async fn a_claims_challenge_is_answered_once_in_a_persons_session_too() {
    let world = hybrid("on");
    let connection = as_me(&world).await;
    let challenge = |times: Value| json!([{ "path": "/v1.0/organization", "times": times, "fault": { "kind": "claims_challenge" } }]);
    world.faults(challenge(json!(1))).await;
    connection.reader().organization().await.unwrap();
    let lines = world.requests().await;
    let asked = lines.iter().find(|line| line["body"]["grant_type"] == "refresh_token").unwrap();
    assert!(asked["body"]["claims"].as_str().unwrap().contains("nbf"), "{asked}");
    world.faults(challenge(Value::Null)).await;
    let error = connection.reader().organization().await.unwrap_err();
    assert_eq!(error.code(), "sign_in_session_revoked", "{error:?}");
}

#[test]
fn the_program_shows_the_code_warns_of_it_and_tells_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let mut tenant = case_tenant("bec-node-fetch");
    change(&mut tenant, "on");
    let mock = Mock::of(&tenant, folder.path());
    let mut child = stanch(&mock, folder.path())
        .env("STANCH_OPERATOR__CLIENT_ID", APP)
        .args(["-vvv", "plan", "evict", "--user", mock.victim(), "--as-me", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    let code = loop {
        let mut line = String::new();
        assert!(errors.read_line(&mut line).unwrap() > 0, "{told}");
        told.push_str(&line);
        if let Some(rest) = line.split("type the code ").nth(1) {
            break rest.split(' ').next().unwrap().to_owned();
        }
    };
    mock.post(&format!("/_mock/device-codes/{code}"), &json!({ "user": ME }).to_string());
    errors.read_to_string(&mut told).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{told}");
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((plan["session"].as_str(), plan["requested_by"]["name"].as_str()), (Some("person"), Some(ME)));
    assert!(told.contains("microsoft.com/devicelogin") && told.contains("phishers"), "{told}");
    assert!(told.contains(&format!("Signed in as {ME}")), "{told}");
    assert!(!told.contains("eyJ") && !told.contains("device_code="), "{told}");

    // The same plan without `--as-me` is refused before anybody is asked.
    let saved = folder.path().join("plan.json");
    std::fs::write(&saved, &output.stdout).unwrap();
    let refused = stanch(&mock, folder.path()).arg("apply").arg(&saved).arg("--yes").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--as-me"));
}
