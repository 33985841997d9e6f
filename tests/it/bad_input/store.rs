//! A store that cannot be used, a full disk, and two applies at once.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{Row, Scene, text};
use crate::processes::{Mock, stanch, surround};

#[test]
fn a_store_that_cannot_be_used_is_told_before_anything_is_sent() {
    let scene = Scene::with(|_| ());
    scene.plan("plan.json");
    let newer = rusqlite::Connection::open(scene.folder.path().join("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    scene.write("text.db", &"this is no database, and longer than the head of one. ".repeat(10));
    scene.write("file", "a file, not a folder");
    for arguments in [&["apply", "--yes", "plan.json"][..], &["runs", "list"]] {
        let row = |name, store: &str| {
            let words: Vec<&str> = ["--store", store].iter().chain(arguments).copied().collect();
            Row::new(name, 1, &words)
        };
        scene.judge(&[
            row("of a newer version", "sqlite://newer.db")
                .says(&["the store `newer.db` has version 99", "this program knows up to"])
                .next(&["use the newer stanch that wrote it", "`--store`"]),
            row("no database", "sqlite://text.db")
                .says(&["`text.db` is no store of ours"])
                .next(&["name another file"]),
            row("in no folder", "sqlite://file/stanch.db")
                .says(&["cannot open the store `file/stanch.db`"])
                .next(&["who may write to it", "`--store sqlite:///path/stanch.db`"]),
        ]);
    }
    let told = std::fs::read_to_string(scene.folder.path().join("text.db")).unwrap();
    assert!(told.starts_with("this is no database"), "the file was written over");
}

/// Runs the program where no file may grow beyond so many kilobytes: a full disk.
#[cfg(unix)]
fn on_a_full_disk(mock: &Mock, folder: &Path, kilobytes: u32, arguments: &[&str]) -> Output {
    let inner = stanch(mock, folder);
    let mut outer = Command::new("sh");
    // The signal would end the program; ignored, the write fails as on a full disk. `ulimit -f` counts half kilobytes.
    outer.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kilobytes * 2)).arg("sh");
    outer.arg(inner.get_program()).args(inner.get_args()).args(arguments);
    surround(&mut outer, &inner).output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_leaves_no_half_plan() {
    let scene = Scene::with(|_| ());
    let (digest, user) = (scene.mock.digest(), scene.mock.victim());
    let folder = scene.folder.path();
    // The store is there already; the plan's file is what does not fit.
    scene.plan("plan.json");
    let full = |kilobytes, arguments: &[&str]| on_a_full_disk(&scene.mock, folder, kilobytes, arguments);

    let output = full(1, &["--store", "sqlite://new.db", "plan", "evict", "--user", user]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("error: cannot open the store `new.db`: ")
            && told.contains("hint: check the free space"),
        "{told}"
    );

    let output = full(1, &["apply", "--yes", "plan.json"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: ") && told.contains("stor") && told.contains("free space"), "{told}");
    assert!(output.stdout.is_empty());
    assert_eq!((scene.mock.writes(), scene.mock.digest(), scene.runs()), (0, digest, 0));
}

#[test]
fn a_plan_file_that_cannot_be_written_is_told_by_name_and_no_part_of_it_stays() {
    let scene = Scene::with(|_| ());
    std::fs::create_dir(scene.folder.path().join("taken")).unwrap();
    let user = scene.mock.victim();
    let row = |name, file| {
        Row::new(name, 1, &["plan", "evict", "--user", user, "-o", file])
            .next(&["check the free space", "the plan itself is kept: `stanch show "])
    };
    scene.judge(&[
        row("no folder", "nowhere/plan.json").says(&["cannot write `nowhere/plan.json`"]),
        row("a folder", "taken").says(&["cannot write `taken`"]),
    ]);
    let names: Vec<String> = std::fs::read_dir(scene.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!names.iter().any(|name| name.contains(".part")), "{names:?}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_in_the_middle_stops_the_run_and_says_what_to_look_at() {
    // How much the store takes is its own affair: the disk grows until a run begins, and does not end, on it.
    let mut was_broken_off = false;
    let scene = Scene::with(|_| ());
    scene.plan("plan.json");
    for kilobytes in (64..400).step_by(16) {
        let output =
            on_a_full_disk(&scene.mock, scene.folder.path(), kilobytes, &["apply", "--yes", "plan.json"]);
        let told = text(&output.stderr);
        if scene.runs() == 0 {
            assert_eq!(scene.mock.writes(), 0, "sent without a run: {told}");
            continue;
        }
        was_broken_off = true;
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.starts_with("error: run `") && told.contains("was broken off in the middle"), "{told}");
        assert!(told.contains("do not count the account as contained"), "{told}");
        let run = scene.mock.only_run(scene.folder.path());
        assert!(told.contains(&format!("`stanch runs show {run}`")), "{told}");
        let shown = scene.command().args(["--format", "json", "runs", "show", &run]).output().unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_ne!(shown["verdict"], "contained");
        // Nothing was sent of which the journal does not know.
        let known =
            shown["actions"].as_array().unwrap().iter().filter(|own| own["state"] != "not_started").count();
        assert!(scene.mock.writes() <= known, "{} writes, {known} known", scene.mock.writes());

        let again = scene.command().args(["apply", "--yes", "plan.json"]).output().unwrap();
        assert_eq!(again.status.code(), Some(6));
        assert!(
            text(&again.stderr).contains("or was broken off; nothing was sent"),
            "{}",
            text(&again.stderr)
        );
        break;
    }
    assert!(was_broken_off, "no limit hit the middle of a run");
}

#[test]
fn a_run_that_was_killed_is_told_as_such_with_the_next_thing_to_do() {
    let scene = Scene { mock: Mock::slow("bec-node-fetch", "100ms"), folder: tempfile::tempdir().unwrap() };
    scene.plan("plan.json");
    let mut command = scene.command();
    command.args(["apply", "--yes", "plan.json"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Each look at the journal is a request of its own to the mock: the loop waits for the condition.
    while scene.mock.writes() == 0 {}
    child.kill().unwrap();
    child.wait().unwrap();
    let run = scene.mock.only_run(scene.folder.path());
    let next = format!("stanch plan evict --user {} -o plan.json", scene.mock.victim());
    let told = |arguments: &[&str]| {
        let output = scene.command().args(arguments).output().unwrap();
        (output.status.code(), text(&output.stdout))
    };
    let shown = [
        told(&["runs", "show", &run]),
        told(&["--format", "markdown", "runs", "show", &run]),
        told(&["--format", "json", "runs", "show", &run]),
        told(&["runs", "verify", &run]),
    ];
    for (_, shown) in &shown {
        // A report in Markdown spells what would become a link.
        let shown = shown.replace("&#64;", "@");
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("it has not ended") && shown.contains(&next), "{shown}");
    }
    assert_eq!(shown.map(|(status, _)| status), [Some(0), Some(0), Some(0), Some(6)]);
    let writes = scene.mock.writes();
    assert_eq!(told(&["apply", "--yes", "plan.json"]).0, Some(6));
    assert_eq!(scene.mock.writes(), writes);
    scene.judge(&[Row::new("no run", 2, &["runs", "show", ""])
        .says(&["there is no run ``"])
        .next(&["stanch runs list"])]);
}

#[test]
fn of_two_applies_at_once_one_runs_and_the_other_is_told_by_which() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::slow("aitm-travel", "150ms");
    let plan = |name: &str| {
        let status = stanch(&mock, folder.path())
            .args([
                "-q",
                "plan",
                "evict",
                "--user",
                mock.victim(),
                "--user-agent",
                "*HeadlessChrome*",
                "-o",
                name,
            ])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0));
    };
    plan("one.json");
    plan("two.json");
    let apply = |name| {
        let mut command = stanch(&mock, folder.path());
        command
            .args(["--format", "json", "apply", "--yes", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let first = apply("one.json").spawn().unwrap();
    // Each look at the journal is a request of its own to the mock: the loop waits for the condition.
    while mock.writes() == 0 {}
    // Both at once: the first run goes on while they begin.
    let (same, other) = (apply("one.json").spawn().unwrap(), apply("two.json").spawn().unwrap());
    let (same, other) = (same.wait_with_output().unwrap(), other.wait_with_output().unwrap());
    let first = first.wait_with_output().unwrap();
    let run: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(run["verdict"], "contained", "{}", text(&first.stderr));
    let id = run["run"].as_str().unwrap();

    let told = text(&same.stderr);
    assert_eq!(same.status.code(), Some(6), "not done is not contained: {told}");
    assert!(told.contains(&format!("run {id} is carrying this plan out")), "{told}");
    assert!(told.contains(&format!("`stanch runs show {id}`")), "{told}");

    let told = text(&other.stderr);
    assert_eq!(other.status.code(), Some(1), "{told}");
    assert!(told.starts_with(&format!("error: run `{id}` for the same user is under way")), "{told}");
    assert!(told.contains("hint: wait for it"), "{told}");

    assert_eq!(mock.only_run(folder.path()), id, "one run");
    let sent = run["actions"].as_array().unwrap().iter().filter(|own| own["state"] == "verified").count();
    assert_eq!(mock.writes(), sent, "each effect once");
}
