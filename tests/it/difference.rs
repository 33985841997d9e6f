//! `stanch diff`: two plans compared, in words, in JSON and by exit status.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use stanch::plan::{Plan, Verb};

use crate::processes::program;
use crate::world::World;

/// Writes two plans into a folder and compares them with the program.
fn diff(folder: &Path, before: &Plan, after: &Plan, more: &[&str]) -> Output {
    for (file, plan) in [("a.json", before), ("b.json", after)] {
        std::fs::write(folder.join(file), serde_json::to_string(plan).unwrap()).unwrap();
    }
    program(folder).args(["diff", "a.json", "b.json"]).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_plan_made_again_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::case("bec-node-fetch");
    let first = world.plan("bec").await;
    world.clock.sleep(Duration::from_mins(20)).await;
    let second = world.plan("bec").await;
    assert_ne!(first.digest, second.digest);

    let output = diff(folder.path(), &first, &second, &["--exit-code"]);
    assert_eq!(output.status.code(), Some(0));
    let text = told(&output);
    assert!(text.contains("They would do the same, for the same reasons."), "{text}");
    assert!(text.contains("expires 2024-10-04 16:00 UTC"), "{text}");
    assert!(text.contains("expires 2024-10-04 16:20 UTC"), "{text}");
    let json: Value =
        serde_json::from_slice(&diff(folder.path(), &first, &second, &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["same"], true);
    assert_ne!(json["before"]["expires_at"], json["after"]["expires_at"]);
    let same = diff(folder.path(), &first, &first, &[]);
    assert!(told(&same).contains("one and the same plan"));
}

#[tokio::test(start_paused = true)]
async fn what_another_decision_changes_is_told_action_by_action() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::case("bec-node-fetch");
    let first = world.plan("bec").await;
    let mut request = world.request("bec");
    request.ips = vec!["203.0.113.77/32".parse().unwrap()];
    let removal = first.actions.iter().find(|action| action.requests[0].method == Verb::Delete).unwrap();
    request.keep = vec![removal.requests[0].path.rsplit('/').next().unwrap().parse().unwrap()];
    request.requested_by = "nestor.wilke@contoso.com".to_owned();
    let second = world.plan_for(request).await.unwrap();

    let output = diff(folder.path(), &first, &second, &["--exit-code"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(diff(folder.path(), &first, &second, &[]).status.code(), Some(0));
    let text = told(&output);
    for part in [
        "2 actions removed, 2 actions changed.",
        "− Remove Authenticator `Infinix X6525`",
        "DELETE /v1.0/users/6ed5d1bf…/authentication/microsoftAuthenticatorMethods/",
        "Revoke every session of lynne.robbins@contoso.com (last_revocation)",
        "+ address 203.0.113.77: it was given",
        "kept by --keep",
        "+ 203.0.113.77/32 by special_purpose_range",
        "− UserAuthenticationMethod.ReadWrite.All",
        "requested_by.name: dana.ito@contoso.com → nestor.wilke@contoso.com",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value =
        serde_json::from_slice(&diff(folder.path(), &first, &second, &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["same"], false);
    assert_eq!(json["actions"]["removed"][0]["step"], "remove_auth_methods");
    assert_eq!(json["actions"]["added"].as_array().unwrap().len(), 0);
    let markdown = told(&diff(folder.path(), &first, &second, &["--format", "markdown"]));
    assert!(markdown.starts_with("# What differs between two plans\n"), "{markdown}");
    assert!(markdown.contains("## Actions removed"), "{markdown}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_differs_is_shown_as_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::case("bec-node-fetch");
    let first = world.plan("evict").await;
    let mut second = first.clone();
    let disable = second.actions.iter_mut().find(|action| action.step == "disable_sign_in").unwrap();
    disable.requests[0].body = serde_json::json!({ "accountEnabled": true });
    let second = second.sealed().unwrap();
    let text = told(&diff(folder.path(), &first, &second, &[]));
    assert!(text.contains("− PATCH") && text.contains("+ PATCH"), "{text}");
    assert!(text.contains(r#"{"accountEnabled":true}"#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_edited_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::case("bec-node-fetch");
    let first = world.plan("evict").await;
    let mut edited = first.clone();
    edited.warnings.push("nothing to see here".to_owned());
    let output = diff(folder.path(), &first, &edited, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("was changed after it was made"));
}
