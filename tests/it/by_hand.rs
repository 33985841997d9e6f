//! The playbooks by a person's hand: whole, filled in, with no network; and where an error points to them.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use stanch::run::Verdict;

use crate::processes::program;
use crate::world::{World, bound, shipped};

const LYNNE: &str = "lynne.robbins@contoso.com";

/// stanch with nothing to sign in with, and nobody who answers.
fn stanch(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().unwrap()
}

fn by_hand(folder: &Path, playbook: &str, user: &str, more: &[&str]) -> String {
    let arguments = [&["playbook", "show", playbook, "--by-hand", "--user", user], more].concat();
    let output = stanch(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{playbook}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_shipped_playbook_is_told_whole_with_the_user_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    for playbook in shipped() {
        let text = by_hand(folder.path(), &playbook, LYNNE, &[]);
        assert!(text.contains("$id = (Get-MgUser -UserId 'lynne.robbins@contoso.com').Id"), "{text}");
        let document: Value =
            serde_json::from_str(&by_hand(folder.path(), &playbook, LYNNE, &["--format", "json"])).unwrap();
        let steps = document["steps"].as_array().unwrap();
        let book = bound(&playbook);
        assert_eq!(steps.len(), book.steps.len(), "{playbook}");
        for step in steps {
            for way in ["portal", "powershell"] {
                let lines = step[way].as_array().unwrap();
                // A person's own work may be a telephone call.
                let is_optional = way == "powershell" && step["step"] == "manual";
                assert!(is_optional || !lines.is_empty(), "{playbook}: {} has nothing for {way}", step["id"]);
                assert!(lines.iter().all(|line| text.contains(line.as_str().unwrap())), "{}", step["id"]);
            }
        }
        // Each step stands behind what it needs.
        let place = |id: &str| steps.iter().position(|step| step["id"] == id).unwrap();
        for step in &book.steps {
            assert!(step.needs.iter().all(|need| place(need) < place(&step.id)), "{playbook}: {}", step.id);
        }
    }
}

#[test]
fn the_cmdlets_are_those_of_the_steps_with_their_options() {
    let folder = tempfile::tempdir().unwrap();
    let text = by_hand(folder.path(), "bec", LYNNE, &["--set", "location=Bad People's List"]);
    for line in [
        "Update-MgUser -UserId $id -AccountEnabled:$false",
        "Revoke-MgUserSignInSession -UserId $id",
        "Remove-MgUserAuthenticationFido2Method -UserId $id -Fido2AuthenticationMethodId 'ID'",
        "Where-Object DisplayName -eq 'Bad People''s List'",
        "displayName = 'stanch: protect security info for lynne.robbins@contoso.com'",
        "applications = @{ includeApplications = @(); includeUserActions = @('urn:user:registersecurityinfo') }",
        "users = @{ excludeUsers = @($emergency); includeUsers = @($id) }",
        "Confirm-MgRiskyUserCompromised -UserIds @($id)",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // A policy in rehearsal is one by hand as well.
    assert!(text.contains("state = 'enabledForReportingButNotEnforced'"), "{text}");
}

#[test]
fn the_emergency_accounts_of_the_settings_are_left_out_of_policies_by_hand_too() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = by_hand(folder.path(), "bec", LYNNE, &[]);
    assert!(nobody.contains("OBJECT ID OF AN EMERGENCY ACCOUNT"), "{nobody}");
    std::fs::write(
        folder.path().join("stanch.toml"),
        "[guards]\nemergency_accounts = [\"break.glass@contoso.com\"]\n",
    )
    .unwrap();
    let named = by_hand(folder.path(), "bec", LYNNE, &[]);
    assert!(named.contains("$emergency = @('break.glass@contoso.com' | ForEach-Object"), "{named}");
}

#[test]
fn a_users_name_breaks_out_of_no_quotes_and_moves_no_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let text = by_hand(folder.path(), "evict", "o'neil\u{1b}[2J@contoso.com", &[]);
    assert!(text.contains("(Get-MgUser -UserId 'o''neil\\u{1b}[2J@contoso.com').Id"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn by_hand_asks_for_a_user() {
    let folder = tempfile::tempdir().unwrap();
    let output = stanch(folder.path(), &["playbook", "show", "bec", "--by-hand"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--user"));
}

/// An authority that answers every token request as Entra does for an app that was disabled.
fn authority_of_a_disabled_app() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let body = json!({ "error": "unauthorized_client", "error_codes": [7_000_112],
                       "error_description": "AADSTS7000112: Application is disabled.", "trace_id": "0", "correlation_id": "0" })
    .to_string();
    std::thread::spawn(move || {
        // It ends with the test's process: nobody connects any more.
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0u8; 4096];
            let _read = std::io::Read::read(&mut stream, &mut buffer).unwrap();
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        }
    });
    base
}

#[test]
fn a_plan_whose_app_was_disabled_points_to_the_way_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let base = authority_of_a_disabled_app();
    let output = program(folder.path())
        .env("AZURE_TENANT_ID", "5f00aaaa-0000-4000-8000-000000000000")
        .env("AZURE_CLIENT_ID", "11111111-aaaa-4bbb-8ccc-000000000001")
        .env("AZURE_CLIENT_SECRET", "responder-secret")
        .env("AZURE_AUTHORITY_HOST", &base)
        .env("STANCH_GRAPH_URL", &base)
        .args(["plan", "evict", "--user", LYNNE])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("it may have been the intruder"), "{told}");
    assert!(told.contains(&format!("stanch playbook show evict --by-hand --user {LYNNE}")), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_own_app_is_shut_out_points_to_the_way_by_hand() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("evict").await;
    // The first write still goes through; from then on our session is revoked.
    world
        .faults(json!([
            { "method": "PATCH", "path": "/v1.0/users/*", "nth": 2, "times": null, "fault": { "kind": "claims_challenge" } },
            { "method": "POST", "path": "/v1.0/users/*", "times": null, "fault": { "kind": "claims_challenge" } },
            { "method": "DELETE", "times": null, "fault": { "kind": "claims_challenge" } }
        ]))
        .await;
    let run = world.apply(&plan).await;
    assert_ne!(run.verdict, Verdict::Contained);
    let way = format!("stanch playbook show evict --by-hand --user {LYNNE}");
    assert!(run.open.iter().any(|item| item.next.contains(&way)), "{:#?}", run.open);
}
