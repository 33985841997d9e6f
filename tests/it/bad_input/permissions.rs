//! Each missing permission and licence: said with the step that needs it and how to grant it, and never a run that
//! calls itself contained without what it lacked.

use serde_json::{Value, json};
use stanch::engine::Requirements;
use stanch::graph::is_covered;
use stanch::run::{ActionState, Verdict};
use stanch::steps::AnyStep;

use super::{Row, Scene, text};
use crate::world::{World, bound, shipped};

const CASE: &str = "bec-node-fetch";
const RESPONDER: usize = 0;
const OBSERVER: usize = 1;

fn needs(playbook: &str) -> Requirements {
    let guards = World::case(CASE).guards.clone();
    Requirements::of_bound(&bound(playbook), &guards)
}

/// A world in which both apps hold the least that the playbook needs and no directory role, and one of them lacks one
/// permission of it.
fn world(playbook: &str, needs: &Requirements, without: Option<(usize, &str)>) -> World {
    World::case_with(CASE, |tenant| {
        if playbook == "restore" {
            crate::restore::contain(tenant);
        }
        for (app, own) in [(RESPONDER, &needs.responder), (OBSERVER, &needs.observer)] {
            let held: Vec<&str> = own
                .iter()
                .map(|need| need.permission)
                .filter(|permission| without != Some((app, permission)))
                .collect();
            tenant["applications"][app]["roles"] = json!(held);
        }
        tenant["applications"][RESPONDER]["directoryRoles"] = json!([]);
    })
}

#[tokio::test(start_paused = true)]
async fn with_the_least_that_is_named_every_shipped_playbook_contains() {
    for playbook in shipped() {
        let needs = needs(&playbook);
        let world = world(&playbook, &needs, None);
        let plan = world.plan(&playbook).await;
        assert!(!plan.actions.is_empty(), "{playbook}");
        let told = serde_json::to_string(&plan).unwrap();
        for unwanted in ["was refused with 403", "lacks the permission"] {
            assert!(!told.contains(unwanted), "{playbook}: {told}");
        }
        assert!(!plan.warnings.iter().any(|own| own.contains("lacks")), "{playbook}: {:?}", plan.warnings);
        if playbook == "restore" {
            let policies = plan.warnings.iter().find(|own| own.contains("Policy.Read"));
            assert_eq!(policies, None);
        }
        let run = world.apply(&plan).await;
        if playbook == "malicious-consent" {
            // Here the intruder has more than an app, and that alone stays open.
            let open: Vec<&str> = run.open.iter().map(|own| own.what.as_str()).collect();
            assert!(matches!(open[..], [only] if only.starts_with("the password")), "{open:?}");
            continue;
        }
        assert_eq!(run.verdict, Verdict::Contained, "{playbook}: {:#?}", run.open);
    }
}

#[tokio::test(start_paused = true)]
async fn each_permission_that_planning_lacks_is_named_with_its_purpose_and_how_to_grant_it() {
    for playbook in shipped() {
        let needs = needs(&playbook);
        for need in &needs.observer {
            let name = format!("{playbook} without {}", need.permission);
            let rest: Vec<&str> = needs.observer.iter().map(|own| own.permission).collect();
            let rest: Vec<&str> = rest.into_iter().filter(|own| *own != need.permission).collect();
            // What another one opens as well is not lacking.
            if is_covered(need.permission, &rest) {
                continue;
            }
            let world = world(&playbook, &needs, Some((OBSERVER, need.permission)));
            let before = world.digest().await;
            match world.plan_for(world.request(&playbook)).await {
                Ok(plan) => {
                    let warning = plan
                        .warnings
                        .iter()
                        .find(|own| own.contains(&format!("lacks the permission `{}`", need.permission)))
                        .unwrap_or_else(|| panic!("{name}: {:?}", plan.warnings));
                    assert!(warning.contains(&need.words()), "{name}: {warning}");
                    assert!(warning.contains(&format!("`stanch doctor {playbook}`")), "{name}: {warning}");
                }
                Err(error) => {
                    let told = format!("{error} {}", error.hint().unwrap_or_default());
                    assert!(told.contains(&format!("`{}`", need.permission)), "{name}: {told}");
                    assert!(told.contains("`stanch doctor`"), "{name}: {told}");
                }
            }
            assert!(world.writes().await.is_empty(), "{name}");
            assert_eq!(world.digest().await, before, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_permission_that_applying_lacks_is_named_and_what_it_was_for_is_not_called_done() {
    for playbook in shipped() {
        let needs = needs(&playbook);
        for need in &needs.responder {
            let name = format!("{playbook} without {}", need.permission);
            let world = world(&playbook, &needs, Some((RESPONDER, need.permission)));
            let plan = world.plan(&playbook).await;
            // Where its steps find nothing to do, nothing is lacking.
            let steps = need.steps();
            if !steps.is_empty() && plan.actions.iter().all(|own| !steps.contains(&own.step)) {
                continue;
            }
            match world.try_apply(&plan).await {
                Ok(applied) => {
                    let run = applied.run();
                    let what = format!("the responder lacks the permission `{}`", need.permission);
                    let open = run.open.iter().find(|own| own.what == what);
                    let open = open.unwrap_or_else(|| panic!("{name}: {:#?}", run.open));
                    assert!(open.next.contains(&format!("`stanch doctor {playbook}`")), "{name}: {open:?}");
                    let is_planned = |step: &&String| plan.actions.iter().any(|own| own.step == **step);
                    assert!(
                        steps.iter().filter(is_planned).all(|step| open.why.contains(step.as_str())),
                        "{name}: {open:?}"
                    );
                    // What needs it is not called done; where that is required, neither is the run.
                    let undone: Vec<_> = plan
                        .actions
                        .iter()
                        .zip(&run.actions)
                        .filter(|(own, _)| steps.is_empty() || steps.contains(&own.step))
                        .filter(|(_, ended)| ended.state == ActionState::Failed)
                        .collect();
                    assert!(!undone.is_empty(), "{name}: {run:#?}");
                    let is_required = plan.actions.iter().any(|own| {
                        own.required && AnyStep::permissions(&own.step).contains(&need.permission)
                    });
                    if is_required || undone.iter().any(|(own, _)| own.required) {
                        assert_ne!(run.verdict, Verdict::Contained, "{name}");
                    }
                }
                Err(error) => {
                    let told = format!("{error} {}", error.hint().unwrap_or_default());
                    assert!(told.contains(&format!("`{}`", need.permission)), "{name}: {told}");
                    assert!(world.writes().await.is_empty(), "{name}");
                }
            }
        }
    }
}

/// The permissions of an app of a scene.
fn without(tenant: &mut Value, app: usize, permissions: &[&str]) {
    tenant["applications"][app]["roles"]
        .as_array_mut()
        .unwrap()
        .retain(|own| !permissions.contains(&own.as_str().unwrap()));
}

#[test]
fn an_app_that_may_read_no_users_or_nothing_at_all_is_told_with_the_command() {
    let user = "lynne.robbins@contoso.com";
    let blind = Scene::with(|tenant| {
        without(tenant, OBSERVER, &["User.Read.All", "Directory.Read.All"]);
    });
    blind.judge(&[Row::new("no users", 1, &["plan", "evict", "--user", user])
        .says(&["403", "Authorization_RequestDenied"])
        .next(&["grant the app `User.Read.All`", "`stanch doctor`"])]);
    let bare = Scene::with(|tenant| tenant["applications"][OBSERVER]["roles"] = json!([]));
    bare.judge(&[Row::new("no permission", 1, &["plan", "evict", "--user", user])
        .says(&["403", "Authorization_RequestDenied"])
        .next(&["`stanch doctor` prints the command"])]);
}

#[test]
fn one_app_for_both_is_told_in_the_preview_what_it_may_not_write_and_the_doctor_has_the_line() {
    let scene = Scene::with(|tenant| without(tenant, RESPONDER, &["User-PasswordProfile.ReadWrite.All"]));
    let alone = || {
        let mut command = scene.command();
        command.env_remove("STANCH_OBSERVER_CLIENT_ID").env_remove("STANCH_OBSERVER_CLIENT_SECRET");
        command
    };
    let before = scene.mock.digest();
    let output = alone().args(["plan", "evict", "--user", "lynne.robbins@contoso.com"]).output().unwrap();
    let told = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        told.contains(
            "the responder lacks the permission `User-PasswordProfile.ReadWrite.All` (reset_password"
        ),
        "{told}"
    );
    assert!(told.contains("`stanch doctor evict` shows how to grant it"), "{told}");
    let output = alone().args(["doctor", "evict"]).output().unwrap();
    let told = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("az ad app permission add --id 11111111-aaaa-4bbb-8ccc-000000000001"), "{told}");
    assert_eq!((scene.mock.writes(), scene.mock.digest(), scene.runs()), (0, before, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_licence_the_preview_says_what_will_not_work_and_the_run_does_not_hide_it() {
    let world = World::case_with(CASE, |tenant| {
        tenant["tenant"]["licences"] = json!(["EXCHANGE_S_ENTERPRISE"]);
    });
    let before = world.digest().await;
    // Without a licence there is no log to find addresses in: they are given.
    let mut request = world.request("bec");
    request.ips = vec!["89.187.164.77".parse().unwrap()];
    let plan = world.plan_for(request.clone()).await.unwrap();
    let refused = plan.guards.refused.iter().find(|own| own.guard == "shared_address").unwrap();
    assert!(refused.holds_back && refused.why.contains("could not be read"), "{refused:?}");
    assert!(
        refused.why.contains("P1 or P2") && refused.next.contains("--override shared_address"),
        "{refused:?}"
    );

    request.overrides = vec!["shared_address".to_owned()];
    let plan = world.plan_for(request).await.unwrap();
    for wanted in [
        "`block_ips`: the tenant has no Entra ID P1 (`AAD_PREMIUM` or `AAD_PREMIUM_P2`): Graph will refuse it",
        "the run cannot end contained",
        "`require_compliant_device`: the tenant has no Intune",
    ] {
        assert!(
            plan.warnings.iter().any(|own| own.contains(wanted)),
            "no {wanted:?} in {:#?}",
            plan.warnings
        );
    }
    assert_eq!(world.digest().await, before);
    let run = world.apply(&plan).await;
    assert_ne!(run.verdict, Verdict::Contained);
    let told = format!("{:?}", run.open);
    assert!(told.contains("the tenant needs Entra ID P1 or P2 for this"), "{told}");
}
