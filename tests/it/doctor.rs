//! `stanch doctor`: each thing that can be missing is found, with how to mend it, and nothing is written.

use std::sync::Arc;

use serde_json::{Value, json};
use stanch::config::{Role, SignInWay};
use stanch::domain::SecretString;
use stanch::engine::{App, ApplyError, Doctor, Finding, FindingState};
use stanch::graph::Credential;
use stanch::playbook::Playbook;

use crate::processes::{Mock, program, stanch};
use crate::world::{World, shipped};

const CASE: &str = "bec-node-fetch";

fn playbooks(names: &[&str]) -> Vec<Playbook> {
    let catalog = stanch::steps::catalog();
    names.iter().map(|name| stanch::playbook::load(name, &catalog).unwrap()).collect()
}

fn doctor(world: &World) -> Doctor {
    let app = |role, id: &str| {
        Some(App {
            role,
            client_id: id.to_owned(),
            credential: SecretString::from("a-secret").into(),
            connection: world.connection(id),
        })
    };
    Doctor {
        observer: app(Role::Observer, &world.observer),
        responder: app(Role::Responder, &world.responder),
        clock: Arc::clone(&world.clock),
        guards: world.guards.clone(),
        operator: Some("dana.ito@contoso.com".to_owned()),
        approvers: Vec::new(),
        approval: stanch::config::Approval::default(),
        skew_stops: true,
    }
}

async fn examine(world: &World, names: &[&str]) -> Vec<Finding> {
    doctor(world).examine(&playbooks(names)).await
}

fn missing(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|own| own.state == FindingState::Missing).collect()
}

fn find<'a>(findings: &'a [Finding], check: &str, text: &str) -> &'a Finding {
    findings
        .iter()
        .find(|own| own.check == check && own.what.contains(text))
        .unwrap_or_else(|| panic!("no {check} with {text:?} in {findings:#?}"))
}

fn change_roles(tenant: &mut Value, app: usize, change: impl FnOnce(&mut Vec<Value>)) {
    change(tenant["applications"][app]["roles"].as_array_mut().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_has_all_lacks_nothing_and_is_left_as_it_was() {
    let world = World::case(CASE);
    let before = world.digest().await;
    let names = shipped();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let findings = examine(&world, &names).await;
    assert!(missing(&findings).is_empty(), "{findings:#?}");
    for check in ["sign_in", "permissions", "tenant", "licences", "clock", "throttling"] {
        assert!(
            findings.iter().any(|own| own.check == check && own.state == FindingState::Ok),
            "{check}: {findings:#?}"
        );
    }
    assert!(world.writes().await.is_empty());
    assert!(world.requests().await.iter().all(|line| line["known"] == true));
    assert_eq!(world.digest().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_told_with_its_steps_and_the_command_that_grants_it() {
    let world = World::case_with(CASE, |tenant| {
        change_roles(tenant, 0, |roles| roles.retain(|name| name != "User-PasswordProfile.ReadWrite.All"));
    });
    let findings = examine(&world, &["bec"]).await;
    let [finding] = missing(&findings)[..] else { panic!("{findings:#?}") };
    assert!(finding.what.contains("the responder lacks `User-PasswordProfile.ReadWrite.All`"), "{finding:?}");
    assert_eq!(finding.steps, ["reset_password"]);
    let fix = finding.fix.as_deref().unwrap();
    assert!(
        fix.contains(&world.responder) && fix.contains("cc117bb9-00cf-4eb8-b580-ea2a878fe8f7=Role"),
        "{fix}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_observer_the_responder_has_to_hold_what_planning_needs() {
    let world = World::case_with(CASE, |tenant| {
        change_roles(tenant, 0, |roles| roles.retain(|name| name != "AuditLog.Read.All"));
    });
    let alone = Doctor { observer: None, ..doctor(&world) }.examine(&playbooks(&["evict"])).await;
    assert!(missing(&alone)[0].what.contains("`AuditLog.Read.All`"), "{alone:#?}");
    let with_observer = examine(&world, &["evict"]).await;
    assert!(missing(&with_observer).is_empty(), "{with_observer:#?}");
}

#[tokio::test(start_paused = true)]
async fn permissions_that_no_step_needs_are_named() {
    let world = World::case(CASE);
    let findings = examine(&world, &["bec"]).await;
    let surplus = find(&findings, "permissions", "the observer holds more than any step needs");
    assert_eq!(surplus.state, FindingState::Warning);
    assert!(surplus.what.contains("`SecurityAlert.Read.All`"), "{surplus:?}");
    assert!(
        surplus.what.contains("`Directory.Read.All` (`LicenseAssignment.Read.All` would do)")
            || surplus.what.contains("`Organization.Read.All`"),
        "{surplus:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_could_make_itself_anything_is_told_of_and_does_not_write() {
    let world = World::case_with(CASE, |tenant| {
        change_roles(tenant, 0, |roles| roles.push(json!("RoleManagement.ReadWrite.Directory")));
    });
    let findings = examine(&world, &["evict"]).await;
    let [finding] = missing(&findings)[..] else { panic!("{findings:#?}") };
    assert!(finding.what.contains("`RoleManagement.ReadWrite.Directory`"), "{finding:?}");

    let plan = world.plan("evict").await;
    let error = world.try_apply(&plan).await.unwrap_err();
    assert!(
        matches!(&error, ApplyError::DangerousPermissions { names } if names == &["RoleManagement.ReadWrite.Directory"])
    );
    assert_eq!(error.exit_status(), 3);
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_accepted_permission_is_shown_by_every_plan_and_lets_apply_go_on() {
    let mut world = World::case_with(CASE, |tenant| {
        change_roles(tenant, 0, |roles| roles.push(json!("Application.ReadWrite.All")));
    });
    world.guards.accepted_permissions = vec!["Application.ReadWrite.All".to_owned()];
    let findings = examine(&world, &["evict"]).await;
    assert!(missing(&findings).is_empty(), "{findings:#?}");
    find(&findings, "permissions", "which the settings accept");
    let plan = world.plan("evict").await;
    assert!(
        plan.warnings.iter().any(|own| own.contains("`Application.ReadWrite.All`")),
        "{:?}",
        plan.warnings
    );
    assert_eq!(world.apply(&plan).await.verdict, stanch::run::Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn a_missing_licence_is_told_with_the_steps_that_need_it() {
    let world =
        World::case_with(CASE, |tenant| tenant["tenant"]["licences"] = json!(["EXCHANGE_S_ENTERPRISE"]));
    let findings = examine(&world, &["bec"]).await;
    let licence = find(&findings, "licences", "`block_ips`: the tenant has no Entra ID P1");
    assert_eq!(licence.state, FindingState::Missing);
    // A step that is not required is no reason for the doctor to say no.
    let intune = find(&findings, "licences", "`require_compliant_device`: the tenant has no Intune");
    assert_eq!(intune.state, FindingState::Warning);
}

#[tokio::test(start_paused = true)]
async fn a_missing_licence_shows_in_the_preview_for_the_step_that_needs_it() {
    let world = World::case_with(CASE, |tenant| tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]));
    let plan = world.plan("bec").await;
    let licence: Vec<&String> =
        plan.warnings.iter().filter(|own| own.contains("the tenant has no")).collect();
    assert_eq!(
        licence,
        [
            "`require_compliant_device`: the tenant has no Intune (`INTUNE_A` or `INTUNE_EDU` or `INTUNE_SMBIZ`): no device can be compliant, so the policy lets nobody in"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn emergency_accounts_that_would_let_nobody_in_are_found() {
    let mut world = World::case_with(CASE, |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let own = users
            .iter_mut()
            .find(|user| user["userPrincipalName"].as_str().unwrap().starts_with("emergency.access.one"))
            .unwrap();
        own["accountEnabled"] = json!(false);
    });
    world.guards.emergency_accounts.push("nobody@contoso.onmicrosoft.com".to_owned());
    let victim = world.victim().to_owned();
    world.guards.emergency_accounts.push(victim);
    let findings = examine(&world, &["bec"]).await;
    assert_eq!(find(&findings, "emergency_accounts", "is disabled").state, FindingState::Missing);
    assert_eq!(find(&findings, "emergency_accounts", "is not there").state, FindingState::Missing);
    assert_eq!(
        find(&findings, "emergency_accounts", "is not Global Administrator").state,
        FindingState::Warning
    );
    assert_eq!(find(&findings, "emergency_accounts", "`.onmicrosoft.com`").state, FindingState::Warning);
    assert_eq!(find(&findings, "emergency_accounts", "restricted management").state, FindingState::Warning);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_holds_an_emergency_account_is_named() {
    let world = World::case_with(CASE, |tenant| {
        let policy = json!({
            "id": "7a1c2f0e-52f5-4a8e-9d55-1f5a1c0c9a11", "displayName": "MFA for administrators", "state": "enabled",
            "conditions": { "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
                "users": { "includeRoles": ["62e90394-69f5-4237-9190-012177145e10"] } },
            "grantControls": { "operator": "OR", "builtInControls": ["mfa"] }
        });
        let mut report_only = policy.clone();
        report_only["id"] = json!("7a1c2f0e-52f5-4a8e-9d55-1f5a1c0c9a12");
        report_only["displayName"] = json!("Only a rehearsal");
        report_only["state"] = json!("enabledForReportingButNotEnforced");
        tenant["conditionalAccessPolicies"].as_array_mut().unwrap().extend([policy, report_only]);
    });
    let findings = examine(&world, &["bec"]).await;
    let finding = find(&findings, "emergency_accounts", "is in enforced policies");
    assert!(finding.what.contains("`MFA for administrators`"), "{finding:?}");
    assert!(!finding.what.contains("rehearsal"), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn an_emergency_account_is_not_called_outside_of_policies_that_were_not_read() {
    let by_group = json!({
        "id": "7a1c2f0e-52f5-4a8e-9d55-1f5a1c0c9a11", "displayName": "MFA for a group", "state": "enabled",
        "conditions": { "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["All"],
                       "excludeGroups": ["5f00aaaa-0000-4000-8000-0000000000ab"] } },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] }
    });
    for (path, unread) in [
        ("/v1.0/identity/conditionalAccess/policies*", "whether policies apply to the emergency accounts"),
        ("*/transitiveMemberOf/*", "in which groups the emergency account"),
        ("/v1.0/roleManagement/*", "which roles the emergency account"),
    ] {
        let world = World::case_with(CASE, |tenant| {
            tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(by_group.clone());
        });
        world
            .faults(json!([{ "method": "GET", "path": path, "times": null,
                             "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }]))
            .await;
        let findings = examine(&world, &["bec"]).await;
        assert_eq!(find(&findings, "emergency_accounts", unread).state, FindingState::Warning);
        let outside =
            |own: &Finding| own.check == "emergency_accounts" && own.what.contains("outside every policy");
        assert!(!findings.iter().any(outside), "{path}: {findings:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_emergency_accounts_no_policy_is_created_and_the_doctor_says_so() {
    let mut world = World::case(CASE);
    world.guards.emergency_accounts.clear();
    let findings = examine(&world, &["bec"]).await;
    let finding = find(&findings, "emergency_accounts", "no emergency account is named");
    assert_eq!(finding.state, FindingState::Missing);
    assert!(finding.steps.contains(&"block_ips".to_owned()), "{finding:?}");
    // A playbook without policies works without them.
    let findings = examine(&world, &["evict"]).await;
    assert_eq!(
        find(&findings, "emergency_accounts", "no emergency account is named").state,
        FindingState::Warning
    );
}

#[tokio::test(start_paused = true)]
async fn protected_groups_that_are_not_there_are_found() {
    let known = "5f00aaaa-0000-4000-8000-0000000000ab".to_owned();
    let mut world = World::case_with(CASE, |tenant| {
        tenant["groups"] = json!([{ "id": known, "displayName": "Board", "isAssignableToRole": false }]);
        // Directory.Read.All opens groups.
        assert!(
            tenant["applications"][1]["roles"].as_array().unwrap().contains(&json!("Directory.Read.All"))
        );
    });
    world.guards.protected_groups =
        vec![known.clone(), "5f00aaaa-0000-4000-8000-0000000000aa".to_owned(), "Board".to_owned()];
    let findings = examine(&world, &["evict"]).await;
    assert_eq!(find(&findings, "protected_groups", "is there").state, FindingState::Ok);
    assert_eq!(find(&findings, "protected_groups", "there is no group").state, FindingState::Missing);
    assert_eq!(find(&findings, "protected_groups", "`Board` is no object id").state, FindingState::Missing);
}

#[tokio::test(start_paused = true)]
async fn what_an_app_signs_in_with_is_told_with_its_end() {
    let world = World::case(CASE);
    let mut doctor = doctor(&world);
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graph/auth/test-only-client.pem");
    let certificate =
        Credential::load(&SignInWay::Certificate(file), "2026-11-25T00:00:00Z".parse().unwrap()).unwrap();
    let ends = certificate.expires_at().unwrap();
    doctor.observer.as_mut().unwrap().credential = certificate.clone();
    doctor.responder.as_mut().unwrap().credential = certificate;
    for (days, state) in [(31, FindingState::Ok), (29, FindingState::Warning)] {
        let now = ends - std::time::Duration::from_hours(24 * days) - std::time::Duration::from_mins(1);
        doctor.clock = Arc::new(crate::world::TokioClock::starting(now));
        let findings = doctor.examine(&playbooks(&["evict"])).await;
        let finding = find(&findings, "credentials", "the observer signs in with a certificate");
        assert_eq!(finding.state, state, "{finding:?}");
        assert!(finding.what.contains(&format!("in {days} days")), "{finding:?}");
    }
    doctor.responder.as_mut().unwrap().credential = SecretString::from("a-secret").into();
    let findings = doctor.examine(&playbooks(&["evict"])).await;
    let finding = find(&findings, "credentials", "the responder signs in with a client secret");
    assert_eq!(finding.state, FindingState::Warning);
    assert!(finding.fix.as_deref().unwrap().contains("AZURE_CLIENT_CERTIFICATE_PATH"), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_who_may_approve_are_looked_up() {
    let world = World::case_with(CASE, |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let own =
            users.iter_mut().find(|user| user["userPrincipalName"] == "megan.bowen@contoso.com").unwrap();
        own["accountEnabled"] = json!(false);
    });
    let mut doctor = doctor(&world);
    doctor.operator = Some("adele.vance@contoso.com".to_owned());
    doctor.approval.required = true;
    doctor.approvers = ["adele.vance@contoso.com", "megan.bowen@contoso.com", "nobody@contoso.com"]
        .map(str::to_owned)
        .to_vec();
    let findings = doctor.examine(&playbooks(&["evict"])).await;
    assert_eq!(find(&findings, "operator", "`adele.vance@contoso.com`").state, FindingState::Ok);
    assert_eq!(find(&findings, "approvers", "whose account is disabled").state, FindingState::Warning);
    assert_eq!(find(&findings, "approvers", "who is no user of the tenant").state, FindingState::Warning);
    // Adele asks, so that she cannot be the second person: nobody is left.
    assert_eq!(
        find(&findings, "approvers", "nobody whom the approvers' file names").state,
        FindingState::Missing
    );

    doctor.approval.four_eyes = false;
    let findings = doctor.examine(&playbooks(&["evict"])).await;
    assert!(missing(&findings).is_empty(), "{findings:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let mut world = World::case(CASE);
    let ahead = world.clock.now() + std::time::Duration::from_hours(1);
    world.clock = Arc::new(crate::world::TokioClock::starting(ahead));
    let findings = examine(&world, &["evict"]).await;
    let finding = find(&findings, "clock", "ahead of the tenant's");
    assert_eq!(finding.state, FindingState::Missing);
    assert!(finding.what.contains(" 3600 s") || finding.what.contains(" 3599 s"), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_others_use_up_is_told() {
    let world = World::case(CASE);
    world
        .faults(json!([{ "path": "/v1.0/identity/conditionalAccess/*", "nth": 1, "times": 1, "fault": { "kind": "throttle" } }]))
        .await;
    let findings = examine(&world, &["bec"]).await;
    let finding = find(&findings, "throttling", "Graph throttled the observer");
    assert!(finding.what.contains("`/v1.0/identity/conditionalAccess/policies`"), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_cannot_sign_in_is_told_and_the_rest_is_looked_at_all_the_same() {
    let mut world = World::case(CASE);
    world.tenant["applications"][1]["clientSecret"] = json!("not-the-secret");
    let doctor = doctor(&world);
    let findings = doctor.examine(&playbooks(&["evict"])).await;
    let observer = find(&findings, "sign_in", "the observer");
    assert_eq!(observer.state, FindingState::Missing);
    assert!(observer.what.contains("the client secret of app"), "{observer:?}");
    assert!(observer.fix.is_some());
    assert_eq!(find(&findings, "sign_in", "the responder").state, FindingState::Ok);
    find(&findings, "tenant", "Contoso");
}

#[test]
fn the_command_tells_machine_and_tenant_and_exits_by_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case(CASE);
    let output = stanch(&mock, folder.path()).args(["doctor", "bec"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    // The mock's clock stands in the past.
    assert!(told.contains("this machine's clock is"), "{told}");
    assert!(told.contains("Nothing that these playbooks need is missing"), "{told}");
    assert!(told.contains("client secret"), "{told}");

    let file = folder.path().join("stanch.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        format!("{settings}[approval]\nrequired = true\napprovers = \"nobody\"\n[secrets]\nrecipients = [\"age1damaged\"]\n[webhooks.siem]\nsource = \"generic\"\nplaybook = \"bce\"\nauth = {{ kind = \"bearer\", secrets = [\"file:siem.key\", \"env:NOT_SET\"] }}\n"),
    )
    .unwrap();
    let output = stanch(&mock, folder.path()).args(["--format", "json", "doctor", "evict"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ok"], false);
    assert_eq!(document["playbooks"], json!(["evict"]));
    let missing: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|own| own["state"] == "missing")
        .map(|own| own["check"].as_str().unwrap())
        .collect();
    assert_eq!(missing, ["recipients", "webhooks", "approvers"]);
    assert_eq!(mock.writes(), 0);
}

#[test]
fn without_any_credentials_the_doctor_tells_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).arg("doctor").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("`AZURE_TENANT_ID` is not set: nothing can be planned or applied"), "{told}");
    assert!(told.contains("`stanch setup` shows how to register the applications"), "{told}");
}

#[test]
fn a_credential_that_cannot_be_used_is_one_finding_among_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case(CASE);
    let output = stanch(&mock, folder.path())
        .env_remove("AZURE_CLIENT_SECRET")
        .env("AZURE_CLIENT_CERTIFICATE_PATH", "nowhere.pem")
        .args(["doctor", "evict"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("`nowhere.pem`") && told.contains("plans can be made, and not applied"), "{told}");
    assert!(told.contains("the observer holds all"), "{told}");
}
