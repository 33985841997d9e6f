//! `runs verify`: a run's effects looked at again, later; drift told with the next command; nothing written.

use serde_json::{Value, json};
use stanch::engine::{StopSignal, Vigil, VigilNotice, keep_watch};
use stanch::plan::Plan;
use stanch::run::{Check, CheckState, ProofFact, Verdict, Verification};

use crate::processes::{Mock, planned_eviction, stanch};
use crate::world::{World, book, containing};

fn drifted(verification: &Verification) -> Vec<&Check> {
    verification.checks.iter().filter(|check| check.state == CheckState::Drifted).collect()
}

fn condition<'a>(verification: &'a Verification, what: &str) -> &'a ProofFact {
    let all = &verification.eviction.conditions;
    all.iter().find(|own| own.what == what).unwrap_or_else(|| panic!("no condition `{what}`: {all:#?}"))
}

/// A sign-in as the intruder's own are, at another time and with another result.
fn sign_in_again(tenant: &mut Value, at: &str, code: i64) {
    let rows = tenant["signIns"].as_array_mut().unwrap();
    let is_intruders =
        |row: &&Value| row["userAgent"].as_str().is_some_and(|own| own.starts_with("node-fetch"));
    let mut row = rows.iter().find(is_intruders).unwrap().clone();
    row["id"] = json!(format!("99999999-0000-4000-8000-{:012}", rows.len()));
    row["createdDateTime"] = json!(at);
    row["status"]["errorCode"] = json!(code);
    rows.push(row);
}

/// The reference case, contained by a playbook, some time ago.
async fn contained(playbook: &str) -> (World, Plan) {
    let world = World::case("bec-node-fetch");
    let plan = world.plan(playbook).await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained, "{playbook}");
    world.clock.sleep(std::time::Duration::from_hours(3)).await;
    (world, plan)
}

#[tokio::test(start_paused = true)]
async fn what_was_contained_and_left_alone_still_holds_and_nothing_is_written() {
    for playbook in containing() {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(&playbook).await;
        if world.apply(&plan).await.verdict != Verdict::Contained {
            continue;
        }
        world.clock.sleep(std::time::Duration::from_hours(3)).await;
        let before = (world.digest().await, world.writes().await.len());
        let verification = world.verify(&plan).await;
        assert!(verification.holds, "{playbook}: {verification:#?}");
        assert_eq!(verification.exit_status(), 0);
        assert!(
            verification.checks.len() > plan.actions.len(),
            "{playbook}: the proof was not looked at again"
        );
        assert_eq!((world.digest().await, world.writes().await.len()), before, "{playbook}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_enabled_again_is_drift_with_the_next_command() {
    let (world, plan) = contained("evict").await;
    let user = format!("/v1.0/users/{}", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "PATCH", &user, json!({ "accountEnabled": true })).await, 204);
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert_eq!(found[0].action.as_ref().unwrap().as_str(), "disable_sign_in");
    assert!(found[0].seen.contains("by the app stanch responder"), "by whom is told: {:?}", found[0]);
    assert_eq!(
        found[0].next.as_deref(),
        Some("stanch plan evict --user lynne.robbins@contoso.com -o plan.json")
    );
    assert_eq!((verification.verdict, verification.verdict_of_run), (Verdict::Partial, Verdict::Contained));
    assert_eq!(verification.exit_status(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_password_changed_after_the_last_revocation_is_drift() {
    let (world, plan) = contained("evict").await;
    let password = json!({ "passwordProfile": { "password": "Another-Long-Passphrase-7", "forceChangePasswordNextSignIn": false } });
    let user = format!("/v1.0/users/{}", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "PATCH", &user, password).await, 204);
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert!(found[0].what.contains("revoked after the last change"), "{:?}", found[0]);
    assert!(!verification.holds);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_came_since_is_drift_that_names_it() {
    let (mut world, plan) = contained("evict").await;
    let victim = world.victim_id();
    world
        .change_tenant(|tenant| {
            let methods = tenant["authenticationMethods"][&victim].as_array_mut().unwrap();
            methods.push(json!({
                "@odata.type": "#microsoft.graph.phoneAuthenticationMethod",
                "id": "3179e48a-750b-4051-897c-87b9720928f7", "phoneNumber": "+1 5555550199",
                "phoneType": "mobile", "smsSignInState": "notSupported",
                "createdDateTime": "2024-10-04T16:00:00Z",
            }));
        })
        .await;
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert!(found[0].seen.contains("+1 5555550199"), "{:?}", found[0]);
    assert!(found[0].next.as_deref().unwrap().contains("--remove 3179e48a-750b-4051-897c-87b9720928f7"));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_somebody_took_away_is_drift() {
    let (world, plan) = contained("bec").await;
    let policies = world.state().await["conditionalAccessPolicies"].clone();
    let ours: Vec<String> = policies
        .as_array()
        .unwrap()
        .iter()
        .filter(|policy| {
            !world.tenant["conditionalAccessPolicies"]
                .as_array()
                .unwrap()
                .iter()
                .any(|old| old["id"] == policy["id"])
        })
        .map(|policy| policy["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ours.is_empty());
    for id in &ours {
        let path = format!("/v1.0/identity/conditionalAccess/policies/{id}");
        assert_eq!(world.send_as(&world.responder, "DELETE", &path, Value::Null).await, 204);
    }
    let verification = world.verify(&plan).await;
    assert!(!drifted(&verification).is_empty(), "{verification:#?}");
    assert!(!verification.holds);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_unread_and_never_counts_as_holding() {
    let (world, plan) = contained("evict").await;
    world.faults(json!([{ "method": "GET", "path": "/*/users/*/authentication/*", "times": null, "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }])).await;
    let verification = world.verify(&plan).await;
    let unread: Vec<_> =
        verification.checks.iter().filter(|check| check.state == CheckState::Unread).collect();
    assert!(!unread.is_empty(), "{verification:#?}");
    assert!(unread[0].next.as_deref().unwrap().contains("runs verify"));
    let methods = condition(&verification, "no method is unexplained");
    assert_eq!(methods.holds, None, "{methods:?}");
    assert!(drifted(&verification).is_empty(), "{verification:#?}");
    assert_eq!(verification.exit_status(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_another_tenant_is_not_looked_at() {
    let (mut world, plan) = contained("evict").await;
    let other = World::case("aitm-travel");
    world.router = other.router.clone();
    world.tenant = other.tenant.clone();
    world.observer = other.observer.clone();
    let error = world.try_verify(&plan).await.unwrap_err();
    assert_eq!((error.code(), error.exit_status()), ("other_tenant", 2));
}

#[test]
fn the_command_tells_drift_by_its_exit_status_and_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let plan = planned_eviction(&mock, folder.path());
    let applied = stanch(&mock, folder.path()).args(["-q", "apply", "--yes"]).arg(&plan).output().unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let run = mock.only_run(folder.path());
    let writes = mock.writes();
    let verify = |more: &[&str]| {
        stanch(&mock, folder.path()).args(["runs", "verify", &run[..13]]).args(more).output().unwrap()
    };
    let output = verify(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("Everything that the run did still holds"), "{text}");

    std::fs::write(
        folder.path().join("enable.yaml"),
        "schema: stanch/playbook/v1\nname: enable\ntitle: Enable\nsummary: Enables sign-in.\nsteps:\n  - step: enable_sign_in\n",
    )
    .unwrap();
    let enabled = stanch(&mock, folder.path())
        .args(["-q", "run", "./enable.yaml", "--yes", "--user", mock.victim()])
        .output()
        .unwrap();
    assert_eq!(enabled.status.code(), Some(0), "{}", String::from_utf8_lossy(&enabled.stderr));
    let output = verify(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.starts_with("DRIFT: 1 thing is no longer as the run left it."), "{text}");
    assert!(text.contains(&format!("next: stanch plan evict --user {}", mock.victim())), "{text}");
    assert!(text.contains("(enable) came later for this user"), "{text}");
    let json: Value = serde_json::from_slice(&verify(&["--format", "json"]).stdout).unwrap();
    assert_eq!((json["holds"].as_bool(), json["verdict"].as_str()), (Some(false), Some("partial")));
    let markdown = String::from_utf8(verify(&["--format", "markdown"]).stdout).unwrap();
    assert!(markdown.contains("| DRIFT |"), "{markdown}");
    assert_eq!(mock.writes(), writes + 1, "verify wrote: one write is that of the other run");
}

#[tokio::test(start_paused = true)]
async fn what_was_never_begun_is_told_in_words() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    let (sender, stop) = StopSignal::new();
    sender.send(true).unwrap();
    world.applier(stop).apply(plan.clone(), world.yes(&plan)).await.unwrap();
    let verification = world.verify(&plan).await;
    assert!(verification.checks.iter().any(|check| check.seen == "not started"), "{verification:#?}");
    assert!(!verification.checks.iter().any(|check| check.seen.contains("not_started")), "{verification:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_intruder_is_called_evicted_only_once_the_tokens_have_run_out_and_the_log_has_caught_up() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    let at_once = world.verify(&plan).await;
    assert!(at_once.holds && !at_once.eviction.evicted, "{at_once:#?}");
    let open: Vec<&str> = at_once.eviction.open().map(|own| own.what.as_str()).collect();
    assert_eq!(
        open,
        [
            "no sign-in of the intruder's since the last revocation",
            "access tokens from before the last revocation have run out"
        ],
        "{at_once:#?}"
    );
    let text = stanch::report::verification_text(&plan, &at_once, false);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("may not be called evicted yet. Look again after 2024-10-04 16:"), "{text}");

    world.clock.sleep(std::time::Duration::from_mins(89)).await;
    let nearly = world.verify(&plan).await;
    assert_eq!(nearly.eviction.open().count(), 1, "{:#?}", nearly.eviction);
    world.clock.sleep(std::time::Duration::from_mins(1)).await;
    let later = world.verify(&plan).await;
    assert!(later.eviction.evicted, "{:#?}", later.eviction);
    assert!(later.checked_at >= later.eviction.not_before.unwrap());
    let text = stanch::report::verification_text(&plan, &later, false);
    assert!(text.contains("EVICTED: every condition"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_of_the_intruders_since_is_drift_and_a_refused_one_is_told() {
    let (mut world, plan) = contained("evict").await;
    world
        .change_tenant(|tenant| {
            // A tenant that is begun anew begins at its own clock.
            tenant["clock"] = json!("2024-10-04T18:00:00Z");
            sign_in_again(tenant, "2024-10-04T15:30:00Z", 50_173);
            sign_in_again(tenant, "2024-10-04T15:31:00Z", 50_057);
        })
        .await;
    let refused = world.verify(&plan).await;
    assert!(refused.eviction.evicted, "{refused:#?}");
    let text = stanch::report::verification_text(&plan, &refused, false);
    assert!(text.contains("the session was revoked"), "{text}");
    assert!(text.contains("the account is disabled (50057)"), "{text}");

    world.change_tenant(|tenant| sign_in_again(tenant, "2024-10-04T15:32:00Z", 0)).await;
    let verification = world.verify(&plan).await;
    let found = drifted(&verification);
    assert_eq!(found.len(), 1, "{verification:#?}");
    assert!(found[0].seen.contains("2024-10-04 15:32:00Z from 181.214.107."), "{:?}", found[0]);
    assert!(!verification.eviction.evicted && verification.exit_status() == 6);
}

#[tokio::test(start_paused = true)]
async fn somebody_else_at_the_intruders_addresses_is_to_be_looked_at_and_is_no_drift() {
    let (mut world, plan) = contained("evict").await;
    let colleague = world.user_id("henrietta.mueller@contoso.com");
    world
        .change_tenant(|tenant| {
            tenant["clock"] = json!("2024-10-04T18:00:00Z");
            let rows = tenant["signIns"].as_array_mut().unwrap();
            let mut row = rows.iter().find(|row| row["ipAddress"] == "181.214.107.154").unwrap().clone();
            row["id"] = json!("99999999-0000-4000-8000-00000000c011");
            row["createdDateTime"] = json!("2024-10-04T15:30:00Z");
            row["userId"] = json!(colleague);
            row["userPrincipalName"] = json!("henrietta.mueller@contoso.com");
            rows.push(row);
        })
        .await;
    let verification = world.verify(&plan).await;
    let others = verification.others.read().unwrap();
    assert_eq!((others.len(), others[0].successes), (1, 1), "{others:?}");
    assert!(verification.holds && verification.eviction.evicted, "{verification:#?}");
    let text = stanch::report::verification_text(&plan, &verification, false);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Look at henrietta.mueller@contoso.com, too: somebody signed in once since"),
        "{text}"
    );
    assert!(text.contains("stanch investigate --user henrietta.mueller@contoso.com"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_read_is_unread_and_nobody_is_called_evicted_for_it() {
    let (world, plan) = contained("evict").await;
    world.faults(json!([{ "method": "GET", "path": "/*/auditLogs/signIns", "times": null, "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }])).await;
    let verification = world.verify(&plan).await;
    assert!(verification.sign_ins.unread().is_some(), "{verification:#?}");
    assert!(!verification.eviction.evicted);
    let own = condition(&verification, "no sign-in of the intruder's since the last revocation");
    assert_eq!(own.holds, None, "{own:?}");
    assert!(verification.checks.iter().any(|check| check.state == CheckState::Unread));
    assert!(drifted(&verification).is_empty(), "{verification:#?}");
    assert!(!verification.holds);
    assert_eq!(verification.exit_status(), 6, "what was not read does not hold");
}

/// The steps of `evict` and, not required, the one that looks at inbox rules.
const WITH_RULES: &str = "  - step: disable_sign_in
  - step: reset_password
  - step: remove_auth_methods
  - step: revoke_sessions
  - step: disable_inbox_rules
    required: false
";

#[tokio::test(start_paused = true)]
async fn what_nobody_decided_explains_nothing_though_it_holds_nothing_back() {
    const RULE: &str = "AQAAAJ5dZqA=";
    for (keep, evicted) in [(None, false), (Some(RULE), true)] {
        let world = World::case_with("bec-node-fetch", |tenant| {
            let victim = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
            tenant["messageRules"][victim] = json!([{
                "id": RULE, "displayName": "To my own mail", "sequence": 1, "isEnabled": true, "hasError": false,
                "isReadOnly": false, "conditions": {},
                "actions": { "forwardTo": [{ "emailAddress": { "name": "x", "address": "lynne@mail.example" } }] },
            }]);
        });
        let mut request = world.request("evict");
        request.playbook = book(WITH_RULES);
        request.keep = keep.iter().map(|id| id.parse().unwrap()).collect();
        let plan = world.plan_for(request).await.unwrap();
        let left = plan.left.iter().find(|own| own.object.contains(RULE)).unwrap();
        assert_eq!((left.holds_back, left.decided), (false, keep.is_some()));
        assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
        world.clock.sleep(std::time::Duration::from_hours(3)).await;
        let verification = world.verify(&plan).await;
        assert_eq!(condition(&verification, "no inbox rule is unexplained").holds, Some(evicted));
        assert_eq!(verification.eviction.evicted, evicted, "{:#?}", verification.eviction);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_nobody_knows_who_changed_after_the_run_makes_nobody_evicted() {
    let (world, plan) = contained("evict").await;
    let password = json!({ "passwordProfile": { "password": "Another-Long-Passphrase-7", "forceChangePasswordNextSignIn": false } });
    let user = format!("/v1.0/users/{}", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "PATCH", &user, password).await, 204);
    let holds = async || {
        let verification = world.verify(&plan).await;
        condition(&verification, "the password was changed after the compromise").holds
    };
    assert_eq!(holds().await, None, "an app changed it");
    world.faults(json!([{ "method": "GET", "path": "/*/auditLogs/directoryAudits", "times": null, "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }])).await;
    assert_eq!(holds().await, None, "the log was not read");
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[tokio::test(start_paused = true)]
async fn a_password_that_the_intruder_changed_is_no_changed_password() {
    let by = |tenant: &mut Value, user: &str, ip: &str| {
        let victim = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
        tenant["directoryAudits"].as_array_mut().unwrap().push(json!({
            "id": "SSPR_1", "category": "UserManagement", "result": "success",
            "activityDisplayName": "Reset password (self-service)", "activityDateTime": "2024-10-01T10:00:01Z",
            "loggedByService": "Self-service Password Management", "operationType": "Update",
            "initiatedBy": { "app": null, "user": { "id": user, "displayName": null, "userPrincipalName": null, "ipAddress": ip } },
            "targetResources": [{ "id": victim, "type": "User", "displayName": null, "modifiedProperties": [] }],
            "additionalDetails": []
        }));
    };
    let changes: [(Change<'_>, Option<bool>); 4] = [
        (&|tenant| by(tenant, "11111111-2222-4333-8444-555555555555", "181.214.107.7"), Some(false)),
        (&|tenant| by(tenant, "6ed5d1bf-e585-452f-ac95-4ab592c9357d", "181.214.107.7"), Some(false)),
        (&|tenant| by(tenant, "11111111-2222-4333-8444-555555555555", "203.0.113.9"), Some(true)),
        (&|_| {}, None),
    ];
    for (change, holds) in changes {
        let world = World::case_with("bec-node-fetch", |tenant| {
            let users = tenant["users"].as_array_mut().unwrap();
            let own = users.iter_mut().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com");
            own.unwrap()["lastPasswordChangeDateTime"] = json!("2024-10-01T10:00:00Z");
            change(tenant);
        });
        let mut request = world.request("evict");
        request.playbook =
            book("  - step: disable_sign_in\n  - step: remove_auth_methods\n  - step: revoke_sessions\n");
        let plan = world.plan_for(request).await.unwrap();
        assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
        world.clock.sleep(std::time::Duration::from_hours(3)).await;
        let verification = world.verify(&plan).await;
        let password = condition(&verification, "the password was changed after the compromise");
        assert_eq!(password.holds, holds, "{password:?}");
        assert_eq!(verification.eviction.evicted, holds == Some(true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_whose_last_look_fails_tells_the_drift_that_it_found_before() {
    let (world, plan) = contained("evict").await;
    let (_sender, stop) = StopSignal::new();
    let vigil =
        Vigil { lasts: std::time::Duration::from_mins(10), every: std::time::Duration::from_mins(5), stop };
    let mut looks = 0;
    let look = async || {
        looks += 1;
        if looks == 2 {
            let user = format!("/v1.0/users/{}", world.victim_id());
            let enable = json!({ "accountEnabled": true });
            assert_eq!(world.send_as(&world.responder, "PATCH", &user, enable).await, 204);
        }
        if looks == 3 {
            world.faults(json!([{ "method": "GET", "path": "/v1.0/organization", "times": null, "fault": { "kind": "status", "status": 403, "code": "Authorization_RequestDenied" } }])).await;
        }
        world.try_verify(&plan).await
    };
    let verification = keep_watch(world.clock.as_ref(), &vigil, look, |_| {}).await.unwrap();
    let watched = verification.watched.as_ref().unwrap();
    assert_eq!((watched.looks, watched.failed_looks, watched.drifts.len()), (2, 1, 1), "{watched:#?}");
    assert!(watched.last_look_failed.is_some());
    assert!(!verification.holds);
    assert_eq!(verification.exit_status(), 6);
    let text = stanch::report::verification_text(&plan, &verification, false);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("The last look failed: ") && text.contains("Drift seen 2024-"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn two_resets_within_one_second_are_both_read_back() {
    let world = World::case("bec-node-fetch");
    let mut dates = Vec::new();
    for _ in 0..2 {
        let plan = world.plan("evict").await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
        let state = world.state().await;
        let users = state["users"].as_array().unwrap();
        let own = users.iter().find(|own| own["userPrincipalName"] == world.victim()).unwrap();
        dates.push(own["lastPasswordChangeDateTime"].clone());
    }
    assert_eq!(dates[0], dates[1], "the second reset came in another second: nothing was tested");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_hides_mail_holds_back_the_eviction_and_is_told_with_a_command() {
    let (mut world, plan) = contained("evict").await;
    let victim = world.victim_id();
    world
        .change_tenant(|tenant| {
            tenant["messageRules"][&victim] = json!([{
                "id": "AQAAAJ5dZqA=", "displayName": ".", "sequence": 1, "isEnabled": true, "hasError": false, "isReadOnly": false,
                "conditions": { "subjectContains": ["invoice", "payment", "wire"] },
                "actions": { "delete": true, "markAsRead": true, "stopProcessingRules": true,
                    "forwardTo": [{ "emailAddress": { "name": "x", "address": "collector@fabrikam.com" } }] },
            }]);
        })
        .await;
    let verification = world.verify(&plan).await;
    assert!(!verification.eviction.evicted, "{:#?}", verification.eviction);
    assert_eq!(condition(&verification, "no inbox rule is unexplained").holds, Some(false));
    let rule = verification.checks.iter().find(|check| check.what.starts_with("inbox rule `.`")).unwrap();
    assert_ne!(rule.state, CheckState::Holds);
    assert!(rule.next.as_deref().unwrap().starts_with("stanch plan bec --user lynne.robbins@contoso.com"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_each_drift_once_goes_on_and_ends_by_its_time() {
    let (world, plan) = contained("evict").await;
    let (_sender, stop) = StopSignal::new();
    let vigil =
        Vigil { lasts: std::time::Duration::from_mins(20), every: std::time::Duration::from_mins(5), stop };
    let begun = world.clock.now();
    let mut told = Vec::new();
    let mut looks = 0;
    let look = async || {
        looks += 1;
        if looks == 2 {
            let user = format!("/v1.0/users/{}", world.victim_id());
            let enable = json!({ "accountEnabled": true });
            assert_eq!(world.send_as(&world.responder, "PATCH", &user, enable).await, 204);
        }
        world.try_verify(&plan).await
    };
    let verification = keep_watch(world.clock.as_ref(), &vigil, look, |notice| match notice {
        VigilNotice::Looked { new, next_at, .. } => told.push((new.len(), next_at.is_some())),
        VigilNotice::Failed { error, .. } => panic!("{error}"),
    })
    .await
    .unwrap();
    assert_eq!(told, [(0, true), (1, true), (0, true), (0, true), (0, false)]);
    let watched = verification.watched.as_ref().unwrap();
    assert_eq!((watched.looks, watched.failed_looks, watched.interrupted), (5, 0, false));
    assert_eq!(watched.drifts.len(), 1, "{watched:#?}");
    assert!(watched.until.duration_since(begun).as_secs() >= 20 * 60);
    assert_eq!(verification.exit_status(), 6, "by the last look");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_somebody_ends_ends_at_once_and_says_so() {
    let (world, plan) = contained("evict").await;
    let (sender, stop) = StopSignal::new();
    let vigil =
        Vigil { lasts: std::time::Duration::from_hours(24), every: std::time::Duration::from_mins(5), stop };
    let look = async || world.try_verify(&plan).await;
    let mut looks = 0;
    let verification = keep_watch(world.clock.as_ref(), &vigil, look, |_| {
        looks += 1;
        sender.send(true).unwrap();
    })
    .await
    .unwrap();
    assert_eq!(looks, 1);
    assert!(verification.watched.as_ref().unwrap().interrupted);
    assert_eq!(verification.exit_status(), 130);
}

#[test]
fn a_span_that_is_none_or_too_short_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    for (more, says) in [
        (&["--watch", "soon"][..], "`--watch`: `soon` is no span of time"),
        (&["--watch", "1h", "--every", "5s"][..], "`--every`: at least one minute"),
    ] {
        let output =
            stanch(&mock, folder.path()).args(["runs", "verify", "0197"]).args(more).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(says), "{text}");
    }
}
