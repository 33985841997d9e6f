//! Bad input, row by row over the binary: one clear message that names object, cause and next step, the right exit
//! status, nothing written in the tenant, and no run in the store.

mod approvals;
mod machine;
mod people;
mod permissions;
mod plans;
mod playbooks;
mod ranges;
mod sign_in;
mod store;
mod tls;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::processes::{Mock, stanch, surround};

/// One row: what is typed, in which surroundings, and what has to come of it.
pub struct Row {
    name: &'static str,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// Variables of the scene that are not set here.
    unset: Vec<&'static str>,
    /// Another settings file than the scene's.
    config: Option<String>,
    status: i32,
    /// In the message: the object and the cause.
    says: Vec<&'static str>,
    /// In what to do next.
    next: Vec<&'static str>,
}

impl Row {
    pub fn new(name: &'static str, status: i32, arguments: &[&str]) -> Self {
        Self {
            name,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            environment: Vec::new(),
            unset: Vec::new(),
            config: None,
            status,
            says: Vec::new(),
            next: Vec::new(),
        }
    }

    pub fn set(mut self, variable: &'static str, value: &str) -> Self {
        self.environment.push((variable, value.to_owned()));
        self
    }

    pub fn unset(mut self, variable: &'static str) -> Self {
        self.unset.push(variable);
        self
    }

    pub fn config(mut self, file: &str) -> Self {
        self.config = Some(file.to_owned());
        self
    }

    pub fn says(mut self, texts: &[&'static str]) -> Self {
        self.says = texts.to_vec();
        self
    }

    pub fn next(mut self, texts: &[&'static str]) -> Self {
        self.next = texts.to_vec();
        self
    }
}

/// A mock tenant and a folder with settings and a store.
pub struct Scene {
    pub mock: Mock,
    pub folder: tempfile::TempDir,
}

impl Scene {
    /// The reference case, changed.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        Self::of("bec-node-fetch", change)
    }

    pub fn of(case: &str, change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut tenant = crate::world::case_tenant(case);
        change(&mut tenant);
        Self { mock: Mock::of(&tenant, folder.path()), folder }
    }

    pub fn command(&self) -> Command {
        stanch(&self.mock, self.folder.path())
    }

    /// The program with another settings file than the scene's.
    pub fn command_with(&self, settings: &str) -> Command {
        let own = self.command();
        let mut command = Command::new(own.get_program());
        surround(&mut command, &own).args(["--config", settings]);
        command
    }

    /// Puts text before the scene's settings.
    pub fn begin_settings(&self, text: &str) {
        drop(self.command());
        let file = self.folder.path().join("stanch.toml");
        let rest = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{text}{rest}")).unwrap();
    }

    /// Adds sections to the scene's settings.
    pub fn end_settings(&self, text: &str) {
        drop(self.command());
        let file = self.folder.path().join("stanch.toml");
        let rest = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{rest}{text}")).unwrap();
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Plans an eviction of the victim into a file.
    pub fn plan(&self, name: &str) -> Value {
        let user = self.mock.victim();
        let agent = self.mock.tenant["attackers"][0]["userAgent"].as_str().unwrap();
        let output = self
            .command()
            .args(["-q", "plan", "evict", "--user", user, "--user-agent", agent, "-o", name])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&std::fs::read_to_string(self.folder.path().join(name)).unwrap()).unwrap()
    }

    /// Runs each row as text and as JSON, and looks at tenant and store around them.
    pub fn judge(&self, rows: &[Row]) {
        for row in rows {
            let (digest, writes, runs) = (self.mock.digest(), self.mock.writes(), self.runs());
            let command = || {
                let mut command = match &row.config {
                    Some(file) => self.command_with(file),
                    None => self.command(),
                };
                command.envs(row.environment.iter().map(|(name, value)| (name, value)));
                for variable in &row.unset {
                    command.env_remove(variable);
                }
                command
            };
            judge_text(row, &command().args(&row.arguments).output().unwrap());
            let json = command().args(["--format", "json"]).args(&row.arguments).output().unwrap();
            judge_json(row, &json);
            for secret in self.mock.tenant["applications"].as_array().unwrap() {
                let secret = secret["clientSecret"].as_str().unwrap();
                assert!(!text(&json.stdout).contains(secret), "{}: a secret in the output", row.name);
            }
            assert_eq!(self.mock.writes(), writes, "{}: something was sent", row.name);
            assert_eq!(self.mock.digest(), digest, "{}: the tenant has changed", row.name);
            assert_eq!(self.runs(), runs, "{}: a run has begun", row.name);
        }
    }

    /// How many runs the folder's own store holds.
    pub fn runs(&self) -> i64 {
        count_runs(&self.folder.path().join("stanch.db"))
    }
}

fn count_runs(store: &Path) -> i64 {
    if !store.exists() {
        return 0;
    }
    let connection = rusqlite::Connection::open(store).unwrap();
    connection.query_row("select count(*) from runs", [], |row| row.get(0)).unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What stands before and behind the first "what to do next" of a message.
fn parts(told: &str) -> (&str, &str) {
    let at = ["hint: ", "help: "].iter().filter_map(|mark| told.find(mark)).min();
    let at = at.unwrap_or_else(|| panic!("no next step in {told}"));
    told.split_at(at)
}

fn judge_text(row: &Row, output: &Output) {
    let (name, told) = (row.name, text(&output.stderr));
    assert_eq!(output.status.code(), Some(row.status), "{name}: {told}");
    assert!(output.stdout.is_empty(), "{name}: {}", text(&output.stdout));
    assert!(told.starts_with("error: ") && told.ends_with('\n'), "{name}: {told}");
    let errors = told.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{name}: more than one message: {told}");
    // Where the cause itself says what would do, nothing need follow it.
    let (message, next) = if row.next.is_empty() { (told.as_str(), "") } else { parts(&told) };
    for wanted in &row.says {
        assert!(message.contains(wanted), "{name}: no {wanted:?} in the message of {told}");
    }
    for wanted in &row.next {
        assert!(next.contains(wanted), "{name}: no {wanted:?} in the next step of {told}");
    }
}

fn judge_json(row: &Row, output: &Output) {
    let name = row.name;
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {}", text(&output.stdout)));
    assert_eq!(output.status.code(), Some(row.status), "{name}: {document:#}");
    let error = &document["error"];
    assert_eq!(error["exit_status"], row.status, "{name}: {document:#}");
    assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{name}: {document:#}");
    let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap_or_default());
    assert!(!hint.is_empty(), "{name}: no hint in {document:#}");
    for wanted in &row.says {
        assert!(message.contains(wanted), "{name}: no {wanted:?} in {document:#}");
    }
    for wanted in &row.next {
        assert!(hint.contains(wanted), "{name}: no {wanted:?} in {document:#}");
    }
}
