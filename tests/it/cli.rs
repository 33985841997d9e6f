//! The command line: exit statuses, messages, formats.

use std::process::Output;

use serde_json::Value;

use crate::processes::program;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(arguments: &[&str]) -> (tempfile::TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).args(arguments).output().unwrap();
    (folder, output)
}

#[test]
fn the_demo_ends_contained_and_leaves_plan_and_report() {
    let (folder, output) = run(&["demo", "--yes"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(told.contains("Contained"), "{told}");
    let (before, after) = told.split_once("The attacker's ways in, after").unwrap();
    assert!(before.contains("OPEN from"), "{before}");
    assert!(!after.contains("OPEN"), "{after}");
    let demo = folder.path().join("stanch-demo");
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(demo.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["format"], "stanch/plan/v1");
    let report = std::fs::read_to_string(demo.join("report.md")).unwrap();
    assert!(report.starts_with("# Incident report: lynne.robbins&#64;contoso.com: contained"), "{report}");
    let page = std::fs::read_to_string(demo.join("report.html")).unwrap();
    assert!(page.contains("really tried") && page.contains("henrietta.mueller@contoso.com"), "{page}");
    // The demo's clock is years ahead of its tenant's: what is reckoned is in the tenant's time.
    assert!(
        page.contains("days") && page.contains("after the first access") && !page.contains("700 days"),
        "{page}"
    );
    for file in ["plan.json", "report.md", "report.html"] {
        assert!(told.contains(&format!("stanch-demo/{file}")), "{file}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn the_demo_prints_its_report_where_markdown_is_asked_for() {
    let (folder, output) = run(&["--format", "markdown", "demo", "--yes"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(told, std::fs::read_to_string(folder.path().join("stanch-demo/report.md")).unwrap());
    assert!(
        told.starts_with("# Incident report") && told.contains("The attacker's ways in, really tried"),
        "{told}"
    );
}

#[test]
fn a_served_demo_that_cannot_be_written_names_no_flag_that_it_has_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stanch-demo"), "a file, not a folder").unwrap();
    let output =
        program(folder.path()).args(["serve", "--demo", "--listen", "127.0.0.1:0"]).output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: cannot write `stanch-demo`: "), "{told}");
    assert!(told.contains("hint: run it in a folder") && !told.contains("--out"), "{told}");
}

#[test]
fn the_demo_runs_on_another_case() {
    let file = crate::world::case_folder("aitm-travel").join("tenant.json");
    let file = file.to_str().unwrap();
    let (_folder, output) = run(&[
        "--format",
        "json",
        "demo",
        "--tenant-file",
        file,
        "--user",
        "maren.falk@fabrikam.com",
        "--user-agent",
        "*HeadlessChrome*",
        "--out",
        "elsewhere",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["run"]["verdict"], "contained");
    assert_eq!(document["attackers"][0]["before"]["in"], true);
    assert_eq!(document["attackers"][0]["after"]["in"], false);
    assert_eq!(document["attackers"][0]["after_with_sign_in_enabled"]["in"], false);
}

#[test]
fn a_preview_has_no_line_over_80_columns() {
    let (_folder, output) = run(&["demo", "--yes"]);
    for line in text(&output.stdout).lines() {
        let columns = unicode_width::UnicodeWidthStr::width(line);
        assert!(columns <= 80 || line.contains("http://") || line.contains(".json"), "{columns}: {line}");
    }
}

#[test]
fn a_wrong_word_is_status_2_and_names_the_nearest() {
    for (arguments, told) in [
        (vec!["playbook", "show", "bce"], "did you mean `bec`?"),
        (vec!["plna", "bec"], "plan"),
        (vec!["plan", "bec"], "--user"),
        (vec!["plan", "bec", "--user", "x@contoso.com", "--ip", "1.2.3"], "`1.2.3` is no address"),
        (vec!["plan", "bec", "--user", "x@contoso.com", "--since", "yesterday"], "`yesterday` is no time"),
        (vec!["plan", "bec", "--user", "x@contoso.com", "--set", "place=x"], "no input is called `place`"),
        (vec!["show", "nothing.json"], "cannot read `nothing.json`"),
        (vec!["apply", "nothing.json", "--yes"], "cannot read `nothing.json`"),
        (vec!["runs", "show", "7f3a"], "there is no run `7f3a`"),
    ] {
        let (folder, output) = run(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!folder.path().join("plan.json").exists());
    }
}

#[test]
fn missing_credentials_name_the_variable() {
    let (_folder, output) = run(&["plan", "bec", "--user", "lynne.robbins@contoso.com"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("AZURE_TENANT_ID"), "{}", text(&output.stderr));
}

#[test]
fn every_shipped_playbook_is_listed_shown_and_sound() {
    let (_folder, output) = run(&["--format", "json", "playbook", "list"]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|book| book["id"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "bec",
            "evict",
            "leaver",
            "malicious-consent",
            "mass-compromise",
            "mfa-fatigue",
            "password-spray",
            "restore",
            "token-theft"
        ]
    );
    for name in names {
        let (_folder, shown) = run(&["playbook", "show", name]);
        assert!(text(&shown.stdout).contains(&format!("name: {name}")));
        let (_folder, checked) = run(&["playbook", "check", name]);
        assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    }
}

#[test]
fn a_playbook_that_revokes_too_early_is_refused_with_the_story() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("early.yaml");
    std::fs::write(
        &path,
        "schema: stanch/playbook/v1\nname: early\ntitle: Early\nsummary: Revokes before the reset.\nsteps:\n  - step: revoke_sessions\n  - step: reset_password\n",
    )
    .unwrap();
    let output = program(folder.path()).args(["playbook", "check", "./early.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("reset_password") && stderr.contains("revoke_sessions"), "{stderr}");
    // It shows the line of the door that is shut too late.
    assert!(stderr.contains("./early.yaml:7:5") && stderr.contains("- step: reset_password"), "{stderr}");
}

#[test]
fn a_setting_that_makes_an_option_wrong_is_shown_where_the_playbook_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mine.yaml"),
        "schema: stanch/playbook/v1\nname: mine\ntitle: Mine\nsummary: Takes its rollout from outside.\ninputs:\n  rollout: { type: string, default: report_only }\nsteps:\n  - step: require_compliant_device\n    with: { state: \"${rollout}\" }\n  - step: revoke_sessions\n",
    )
    .unwrap();
    let output = program(folder.path())
        .args(["playbook", "check", "./mine.yaml", "--set", "rollout=always"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("./mine.yaml:9") && stderr.contains("always"), "{stderr}");
}

#[test]
fn a_failure_in_json_is_one_document_with_its_code() {
    let (_folder, output) = run(&["--format", "json", "playbook", "show", "bce"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["exit_status"], 2);
    assert!(document["error"]["code"].is_string());
}

#[test]
fn help_tells_a_commands_own_options_first_and_those_of_every_command_apart() {
    let (_folder, output) = run(&["plan", "--help"]);
    let told = text(&output.stdout);
    let (own, every) = told.split_once("\nOptions of every command:\n").unwrap();
    for option in ["--user", "--alert", "--since", "--keep", "--override", "--output"] {
        assert!(own.contains(option), "{option}: {told}");
    }
    for option in ["--config", "--format", "--store", "--tenant", "--verbose", "--quiet", "--no-color"] {
        assert!(every.contains(option) && !own.contains(&format!("{option} ")), "{option}: {told}");
    }
}

#[test]
fn without_runs_the_list_says_what_to_try() {
    let (_folder, output) = run(&["runs", "list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("no runs yet"));
}
