//! With `--format json` standard output is one JSON document and nothing else, and each fits its published schema.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stanch::cli::{Document, documents};

use crate::approve::Desk;
use crate::processes::{Mock, stanch};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

/// The published schemas by their files' names, and the page that lists them.
fn published() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = documents()
        .into_iter()
        .map(|document| (format!("{}.json", document.name), format!("{:#}\n", document.schema)))
        .collect();
    files.push(("README.md".to_owned(), page(&documents())));
    files
}

fn page(documents: &[Document]) -> String {
    let mut page = "# The JSON that stanch prints\n\n\
        With `--format json` standard output is one JSON document and nothing else. These are their schemas (draft\n\
        2020-12), made from the program's own types: `STANCH_BLESS=1 cargo test --test it schemas` writes them anew. A\n\
        command that fails prints `error.json` instead. Fields may be added within a version; none goes, and none changes\n\
        its meaning. Letters that would act on a terminal are spelt `\\u001b`, which is the same JSON.\n\n\
        | schema | printed by |\n| --- | --- |\n"
        .to_owned();
    for document in documents {
        let by = match (document.name, document.commands) {
            ("error", _) => "every command that fails".to_owned(),
            ("playbook", _) => {
                "none: the files of playbooks fit it; `stanch playbook schema` prints it".to_owned()
            }
            (_, commands) => {
                commands.iter().map(|name| format!("`stanch {name}`")).collect::<Vec<_>>().join(", ")
            }
        };
        page.push_str(&format!("| [{0}]({0}.json) | {by} |\n", document.name));
    }
    page
}

#[test]
fn the_published_schemas_are_those_of_the_program() {
    let is_blessing = std::env::var_os("STANCH_BLESS").is_some();
    for (file, text) in published() {
        let path = folder().join(&file);
        if is_blessing {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == text,
            "docs/schema/{file} is not what the program prints: bless it (see docs/schema/README.md)"
        );
    }
    let names: BTreeSet<String> = published().into_iter().map(|(file, _)| file).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&file), "docs/schema/{file} belongs to no document");
    }
}

/// Holds a document against its published schema.
pub fn fits(name: &str, document: &Value) {
    let schema = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{name}: {}\n{document:#}", faults.join("\n"));
}

#[test]
fn every_command_prints_one_document_that_fits_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut check = |name: &'static str, status: i32, arguments: &[&str]| -> Value {
        let output =
            stanch(&mock, folder.path()).args(["--format", "json"]).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stdout))
        });
        fits(name, &document);
        told.insert(name);
        document
    };
    let victim = mock.victim().to_owned();
    let user = ["--user", &victim, "--user-agent", "node-fetch*"];
    let with = |command: &[&'static str], more: &[&'static str]| -> Vec<String> {
        command.iter().copied().chain(user).chain(more.iter().copied()).map(str::to_owned).collect()
    };
    let mut go = |name: &'static str, status: i32, arguments: Vec<String>| {
        check(name, status, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };

    go("plan", 0, with(&["plan", "bec"], &["-o", "plan.json"]));
    go("plan", 0, words("show plan.json"));
    go("plan", 0, with(&["plan", "evict"], &["-o", "other.json"]));
    go("plan-difference", 0, words("diff plan.json other.json"));
    go("plan-or-run", 0, with(&["run", "evict"], &["--dry-run"]));
    go("investigation", 0, words(&format!("investigate --user {victim}")));
    go("run-list", 0, words("runs list"));
    let run = go("run", 0, words("apply plan.json --yes"));
    go("run", 0, words("apply plan.json --yes"));
    let id = run["run"].as_str().unwrap();
    go("run", 0, words(&format!("runs show {id}")));
    go("verification", 0, words(&format!("runs verify {id}")));
    go("incident-report", 0, words(&format!("runs report {id}")));
    go("incident-report", 0, words(&format!("runs report {id} --offline -o report.json")));
    go("plan-or-run", 0, with(&["run", "evict"], &["--yes"]));
    go("run-list", 0, words("runs list"));
    go("playbook-list", 0, words("playbook list"));
    go("playbook-shown", 0, words("playbook show bec"));
    go("playbook-shown", 0, words("playbook show bec --by-hand --user lynne.robbins@contoso.com"));
    go("playbook-checked", 0, words("playbook check bec"));
    go("setup", 0, words("setup bec"));
    go("examination", 0, words("doctor bec"));
    go("completions", 0, words("completions zsh"));
    go("man-pages", 0, words("man"));
    go("man-pages", 0, words("man --out man"));
    go("demo", 0, words("demo --yes"));

    for arguments in [
        "playbook show bce",
        "playbook check ./nothing.yaml",
        "runs show 7f3a",
        "apply nothing.json",
        "plan bec",
        "plna bec",
        "show plan.json --no-such-flag",
        "plan bec --user nobody@contoso.com",
        "completions bsah",
    ] {
        go("error", 2, words(arguments));
    }
    std::fs::write(folder.path().join("wrong.yaml"), "schema: stanch/playbook/v1\nnam: x\n").unwrap();
    let wrong = go("error", 2, words("playbook check ./wrong.yaml"));
    assert_eq!(wrong["error"]["places"][0]["line"], 1);
    assert!(wrong["error"]["places"].as_array().unwrap().len() > 1);

    let untold: Vec<_> =
        documents().iter().map(|document| document.name).filter(|name| !told.contains(name)).collect();
    assert_eq!(
        untold,
        ["approval", "served", "playbook"],
        "documents that this test does not hold against their schemas"
    );
}

#[test]
fn an_approval_and_a_run_by_it_fit_their_schemas() {
    let desk = Desk::new("required = true\n");
    let output = desk.approve(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    fits("approval", &serde_json::from_slice(&output.stdout).unwrap());
    let file = &desk.approvals()[0];
    let output = desk.run(&["--format", "json", "apply", "plan.json", "--approval", file], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    fits("run", &serde_json::from_slice(&output.stdout).unwrap());
}

#[test]
fn what_fits_no_schema_is_told() {
    let schema = documents().into_iter().find(|document| document.name == "run").unwrap().schema;
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({ "run": "x", "verdict": "fine" })));
}
