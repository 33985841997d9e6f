//! Invariant 6: a canary search over every byte that stanch writes.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::processes::{Mock, stanch};
use crate::world::case_tenant;

/// The spellings in which a secret may leak: raw, JSON-escaped, base64 at each of the three offsets.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let mut all = vec![secret.as_bytes().to_vec()];
    let escaped = serde_json::to_string(secret).unwrap();
    all.push(escaped.trim_matches('"').as_bytes().to_vec());
    for lead in ["", "x", "xx"] {
        let text = format!("{lead}{secret}");
        for coded in [STANDARD.encode(&text), STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            // The ends depend on the neighbours: the middle does not.
            let middle = coded.trim_end_matches('=');
            if middle.len() > 12 {
                all.push(middle.as_bytes()[4..middle.len() - 4].to_vec());
            }
        }
    }
    all
}

pub fn holds(bytes: &[u8], secret: &str) -> bool {
    spellings(secret).iter().any(|spelling| bytes.windows(spelling.len()).any(|window| window == spelling))
}

pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn the_search_finds_a_leak_that_is_planted() {
    let secret = "STANCHCANARY-\"quoted\"-4711";
    assert!(holds(format!("x {secret} y").as_bytes(), secret));
    assert!(holds(serde_json::to_string(secret).unwrap().as_bytes(), secret));
    for lead in ["", "a", "ab", "abc"] {
        assert!(holds(STANDARD.encode(format!("{lead}{secret}tail")).as_bytes(), secret), "{lead}");
    }
    assert!(!holds(b"nothing of the kind", secret));
}

#[test]
fn no_secret_is_in_any_byte_that_stanch_writes() {
    for playbook in crate::world::containing() {
        search_every_byte(&playbook);
    }
}

fn search_every_byte(playbook: &str) {
    let folder = tempfile::tempdir().unwrap();
    // A canary as client secret, so that it is told from everything else.
    let canary = "STANCHCANARY~responder~\"7f3a\"";
    let mut tenant = case_tenant("aitm-travel");
    tenant["applications"][0]["clientSecret"] = serde_json::json!(canary);
    let mock = Mock::of(&tenant, folder.path());
    let old_password = tenant["passwords"][mock.victim_id()].as_str().unwrap().to_owned();

    let plan_file = folder.path().join("plan.json");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        let mut bytes = output.stdout;
        bytes.extend(output.stderr);
        (output.status.code(), bytes)
    };
    let mut written = Vec::new();
    let (status, bytes) = run(stanch(&mock, folder.path())
        .args(["-vvv", "plan", playbook, "--user", mock.victim(), "--user-agent", "*HeadlessChrome*", "-o"])
        .arg(&plan_file));
    assert_eq!(status, Some(0), "{}", String::from_utf8_lossy(&bytes));
    written.push(("plan's output".to_owned(), bytes));
    let (status, bytes) =
        run(stanch(&mock, folder.path()).arg("-vvv").arg("apply").arg(&plan_file).arg("--yes"));
    assert_eq!(status, Some(0), "{}", String::from_utf8_lossy(&bytes));
    assert!(bytes.len() > 200, "trace level says nothing: the search would be over nothing");
    written.push(("apply's output".to_owned(), bytes));
    for (command, text) in [("runs", "list"), ("runs", "show")] {
        let mut call = stanch(&mock, folder.path());
        call.args(["-vvv", command, text]);
        if text == "show" {
            call.arg(mock.only_run(folder.path()));
        }
        written.push((format!("{command} {text}"), run(&mut call).1));
    }
    for path in files(folder.path()) {
        if path.file_name().is_some_and(|name| name == "tenant.json") {
            continue;
        }
        written.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    assert!(written.iter().any(|(name, _)| name.contains("stanch.db")), "no store was written");

    let new_password = mock.state()["passwords"][mock.victim_id()].as_str().unwrap().to_owned();
    assert_ne!(new_password, old_password, "the password was not reset");
    assert_eq!(new_password.chars().count(), 64);
    for (name, bytes) in &written {
        for (what, secret) in [("client secret", canary), ("new password", new_password.as_str())] {
            assert!(!holds(bytes, secret), "{playbook}: the {what} is in {name}");
        }
        // An access token is three base64url parts; its header is always the same.
        assert!(
            !bytes.windows(8).any(|window| window == b"eyJ0eXAi" || window == b"eyJhbGci"),
            "a token is in {name}"
        );
    }
}
