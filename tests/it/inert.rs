//! Text from the tenant is shown inert: hostile text in every string that others may write, and every output looked at.

use serde_json::Value;
use stanch::domain::inert;

use crate::processes::{Mock, stanch};
use crate::world::case_tenant;

/// Colours and clears, turns the direction, hides, and is markup in HTML, in Markdown and in chats.
const HOSTILE: &str = "\u{1b}[31m\u{9b}2J\u{202e}\u{200b}<script>alert(1)</script>|`x`[a](http://evil.example)**b**@everyone\n# owned\r";

/// Where people, their devices or an intruder's choose the text.
const FREE: [&str; 24] = [
    "displayName",
    "userDisplayName",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "userAgent",
    "city",
    "state",
    "countryOrRegion",
    "appDisplayName",
    "resourceDisplayName",
    "failureReason",
    "additionalDetails",
    "operatingSystem",
    "browser",
    "resultReason",
    "authenticationMethodDetail",
    "deviceTag",
    "phoneAppVersion",
    "homeTenantName",
    "subject",
    "manufacturer",
    "model",
];

/// Appends the text to every such string; says how many there were.
fn plant(value: &mut Value, key: &str) -> usize {
    match value {
        Value::Object(entries) => {
            // The state of a policy, and the names of logged properties, are words of Graph's own.
            let own = if entries.contains_key("grantControls") {
                "state"
            } else if entries.contains_key("oldValue") {
                "displayName"
            } else {
                ""
            };
            entries.iter_mut().filter(|(key, _)| *key != own).map(|(key, inner)| plant(inner, key)).sum()
        }
        Value::Array(items) => items.iter_mut().map(|item| plant(item, key)).sum(),
        Value::String(text) if FREE.contains(&key) && !text.is_empty() => {
            text.push_str(HOSTILE);
            1
        }
        // The audit log keeps JSON in strings: the names of devices stand in there.
        Value::String(text) if matches!(key, "oldValue" | "newValue") => {
            let Ok(mut inner) = serde_json::from_str::<Value>(text) else { return 0 };
            let mut planted = 0;
            for device in inner.as_array_mut().into_iter().flatten() {
                if let Some(Value::String(name)) = device.get_mut("DeviceName") {
                    name.push_str(HOSTILE);
                    planted += 1;
                }
            }
            *text = inner.to_string();
            planted
        }
        _ => 0,
    }
}

fn acts(text: &str) -> Option<char> {
    text.chars().find(|letter| *letter != '\n' && inert(&letter.to_string()) != letter.to_string())
}

/// What stands outside of code spans and fences, where markup would count.
fn outside_code(markdown: &str) -> String {
    let mut is_fenced = false;
    let mut kept = String::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        if !is_fenced {
            kept.extend(line.split('`').step_by(2));
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn hostile_text_from_the_tenant_acts_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut tenant = case_tenant("bec-node-fetch");
    assert!(plant(&mut tenant, "") > 1_000);
    let mock = Mock::of(&tenant, folder.path());
    let victim = mock.victim().to_owned();
    let run = |status: i32, arguments: &[&str]| -> String {
        let output = stanch(&mock, folder.path()).args(arguments).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {out}{err}");
        for text in [&out, &err] {
            if let Some(letter) = acts(text) {
                let at = text.find(letter).unwrap();
                let around: String =
                    text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{arguments:?}: U+{:04X} after {around:?}", u32::from(letter));
            }
        }
        out
    };
    let plan = ["plan", "bec", "--user", &victim, "--user-agent", "node-fetch*"];
    let text = run(0, &[&plan[..], &["-o", "plan.json"]].concat());
    assert!(text.contains("\\u{1b}[31m"), "nothing hostile was shown: {text}");
    let full = run(0, &["-v", "show", "plan.json"]);
    assert!(full.contains("\\u{202e}"), "{full}");
    run(0, &["show", "plan.json"]);
    let written = std::fs::read_to_string(folder.path().join("plan.json")).unwrap();
    assert_eq!(acts(&written), None, "the plan's file acts on a screen");
    let json = run(0, &["--format", "json", "show", "plan.json"]);
    let shown: Value = serde_json::from_str(&json).unwrap();
    assert!(
        shown["case"]["subject"]["display_name"].as_str().unwrap().ends_with(HOSTILE),
        "JSON is the text itself"
    );
    let mut markdown = vec![run(0, &["--format", "markdown", "show", "plan.json"])];

    run(0, &["plan", "evict", "--user", &victim, "--user-agent", "node-fetch*", "-o", "other.json"]);
    run(0, &["diff", "plan.json", "other.json"]);
    run(0, &["--format", "json", "diff", "plan.json", "other.json"]);
    markdown.push(run(0, &["--format", "markdown", "diff", "plan.json", "other.json"]));

    run(0, &["apply", "plan.json", "--yes"]);
    let id = mock.only_run(folder.path());
    let page = run(0, &["--format", "html", "runs", "report", &id]);
    assert!(
        page.contains("\\u{202e}") && !page.contains("<script") && !page.contains("href=\"http"),
        "{page}"
    );
    let report = ["runs", "report", &id];
    for command in [&["runs", "show", &id][..], &["runs", "verify", &id], &report, &["apply", "plan.json"]] {
        run(0, command);
        run(0, &[&["--format", "json"], command].concat());
        markdown.push(run(0, &[&["--format", "markdown"], command].concat()));
    }
    run(0, &["runs", "list"]);
    run(0, &["--format", "json", "runs", "list"]);
    run(0, &["doctor", "bec"]);
    run(0, &["playbook", "show", "bec", "--by-hand", "--user", &victim]);
    run(2, &["plan", "bec", "--user", "lynn.robins@contoso.com"]);
    run(2, &["plan", "bec", "--user", &format!("nobody{HOSTILE}@contoso.com")]);

    for text in markdown {
        let outside = outside_code(&text);
        assert!(!outside.contains("<script"), "HTML: {outside}");
        assert!(!outside.contains("](http"), "a link: {outside}");
        assert!(!outside.contains("http://evil"), "a bare link: {outside}");
        assert!(!outside.contains("@everyone"), "a mention: {outside}");
        assert!(!outside.replace("\\*", "").contains("**b**"), "bold: {outside}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("# owned")), "a heading: {text}");
    }
}
