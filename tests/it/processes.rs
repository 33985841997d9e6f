//! Three processes over sockets: `mock-graph serve`, `stanch plan`, `stanch apply`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::approve::has;
use crate::world::{case_folder, case_tenant, emergency_accounts};

/// A running `mock-graph serve`, ended when dropped.
pub struct Mock {
    child: Child,
    pub base: String,
    pub tenant: Value,
}

/// The mock's program, built beside stanch's by `cargo test --workspace`.
pub fn mock_program() -> &'static Path {
    static PROGRAM: LazyLock<Result<PathBuf, String>> = LazyLock::new(found_mock_program);
    match &*PROGRAM {
        Ok(program) => program,
        Err(why) => panic!("{why}"),
    }
}

fn found_mock_program() -> Result<PathBuf, String> {
    let stanch = PathBuf::from(env!("CARGO_BIN_EXE_stanch"));
    let program = stanch.with_file_name(format!("mock-graph{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--locked", "-p", "mock-graph", "--bin", "mock-graph"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "mock-graph does not build");
    }
    match newer_source(&program) {
        None => Ok(program),
        Some(source) => Err(format!(
            "`{}` is older than `{}`: test with `cargo test --workspace`, which builds both programs",
            program.display(),
            source.display()
        )),
    }
}

/// A source of the mock that was changed after its program was built: `cargo test -p stanch` does not build it again.
fn newer_source(program: &Path) -> Option<PathBuf> {
    let changed = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let built = changed(program);
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("mock-graph/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().ends_with("tests.rs") && changed(&path) > built {
                return Some(path);
            }
        }
    }
    None
}

impl Mock {
    pub fn case(name: &str) -> Self {
        Self::serve(&case_folder(name).join("tenant.json"), case_tenant(name))
    }

    pub fn of(tenant: &Value, folder: &Path) -> Self {
        let file = folder.join("tenant.json");
        std::fs::write(&file, tenant.to_string()).unwrap();
        Self::serve(&file, tenant.clone())
    }

    /// A case whose answers take a while.
    pub fn slow(name: &str, latency: &str) -> Self {
        let file = case_folder(name).join("tenant.json");
        Self::serve_with(&file, case_tenant(name), &["--latency", latency])
    }

    fn serve(file: &Path, tenant: Value) -> Self {
        Self::serve_with(file, tenant, &[])
    }

    fn serve_with(file: &Path, tenant: Value, more: &[&str]) -> Self {
        let mut child = Command::new(mock_program())
            .args(["serve", "--tenant-file"])
            .arg(file)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, base, tenant }
    }

    fn attacker(&self) -> &Value {
        &self.tenant["attackers"][0]
    }

    pub fn victim_id(&self) -> &str {
        self.attacker()["userId"].as_str().unwrap()
    }

    pub fn victim(&self) -> &str {
        let users = self.tenant["users"].as_array().unwrap();
        users.iter().find(|user| user["id"] == self.attacker()["userId"]).unwrap()["userPrincipalName"]
            .as_str()
            .unwrap()
    }

    fn http(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunk(body)
        } else {
            body.to_owned()
        }
    }

    /// Tells the mock's control something that is answered by nothing.
    pub fn post(&self, path: &str, body: &str) {
        assert_eq!(self.http("POST", path, body), "");
    }

    pub fn state(&self) -> Value {
        serde_json::from_str(&self.http("GET", "/_mock/state", "")).unwrap()
    }

    pub fn digest(&self) -> String {
        self.http("GET", "/_mock/state/digest", "")
    }

    pub fn attempt(&self, body: &str) -> Value {
        let name = self.attacker()["name"].as_str().unwrap();
        serde_json::from_str(&self.http("POST", &format!("/_mock/attackers/{name}/attempt"), body)).unwrap()
    }

    /// How many requests came, whatever they were.
    pub fn requests(&self) -> usize {
        self.http("GET", "/_mock/requests", "").lines().count()
    }

    pub fn writes(&self) -> usize {
        self.http("GET", "/_mock/requests", "")
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["write"] == true)
            .count()
    }

    /// The id of the one run in the store of a folder.
    pub fn only_run(&self, folder: &Path) -> String {
        let output = stanch(self, folder).args(["--format", "json", "runs", "list"]).output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn unchunk(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    whole
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Writes the settings for a mock into a folder, unless there are some: the store, and the emergency accounts.
pub fn settings_file(mock: &Mock, folder: &Path) -> PathBuf {
    let settings = folder.join("stanch.toml");
    if !settings.exists() {
        // A list of words is spelt the same in Rust as in TOML.
        let emergency = emergency_accounts(&mock.tenant);
        let text = format!("store = \"sqlite://stanch.db\"\n[guards]\nemergency_accounts = {emergency:?}\n");
        std::fs::write(&settings, text).unwrap();
    }
    settings
}

/// The program, set up for a mock, with its store and settings in a folder.
pub fn stanch(mock: &Mock, folder: &Path) -> Command {
    let applications = &mock.tenant["applications"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let settings = settings_file(mock, folder);
    let mut command = program(folder);
    command
        .env("STANCH_GRAPH_URL", &mock.base)
        .env("AZURE_AUTHORITY_HOST", &mock.base)
        .env("AZURE_TENANT_ID", text(&mock.tenant["tenant"]["id"]))
        .env("AZURE_CLIENT_ID", text(&applications[0]["appId"]))
        .env("AZURE_CLIENT_SECRET", text(&applications[0]["clientSecret"]))
        .env("STANCH_OBSERVER_CLIENT_ID", text(&applications[1]["appId"]))
        .env("STANCH_OBSERVER_CLIENT_SECRET", text(&applications[1]["clientSecret"]))
        .arg("--config")
        .arg(&settings);
    command
}

/// The program alone in a folder: no settings, nothing to sign in with, nobody who types.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stanch"));
    command.env_clear().env("HOME", folder).env("USER", "dana").current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command where another would run: its variables, its folder, and nobody who types.
pub fn surround<'c>(command: &'c mut Command, other: &Command) -> &'c mut Command {
    command.env_clear().envs(other.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(other.get_current_dir().unwrap()).stdin(Stdio::null())
}

/// Plans an eviction of the case `aitm-travel` quietly, and says where the plan is.
pub fn planned_eviction(mock: &Mock, folder: &Path) -> PathBuf {
    let plan = folder.join("plan.json");
    let status = stanch(mock, folder)
        .args(["-q", "plan", "evict", "--user", mock.victim(), "--user-agent", "*HeadlessChrome*", "-o"])
        .arg(&plan)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    plan
}

#[test]
fn plan_and_apply_are_two_processes_beside_the_mock() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    let plan = folder.path().join("plan.json");
    let output = stanch(&mock, folder.path())
        .args(["plan", "bec", "--user", mock.victim(), "--user-agent", "node-fetch*", "-o"])
        .arg(&plan)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(mock.writes(), 0);
    let shown = stanch(&mock, folder.path()).arg("show").arg(&plan).output().unwrap();
    assert_eq!(shown.stdout, output.stdout, "show does not show what plan showed");
    assert_eq!(mock.attempt(r#"{"assume": {}}"#)["in"], true);

    let output = stanch(&mock, folder.path())
        .args(["--format", "json", "apply", "--yes"])
        .arg(&plan)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["verdict"], "contained");
    for body in ["{}", r#"{"assume": {"accountEnabled": true}}"#] {
        assert_eq!(mock.attempt(body)["in"], false, "{body}");
    }

    let writes = mock.writes();
    let again = stanch(&mock, folder.path())
        .args(["--format", "json", "apply", "--yes"])
        .arg(&plan)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap()["run"], run["run"]);
    assert_eq!(mock.writes(), writes, "it was applied twice");
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let plan = planned_eviction(&mock, folder.path());
    let output = stanch(&mock, folder.path()).arg("apply").arg(&plan).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
    assert_eq!(mock.writes(), 0);
}

#[cfg(unix)]
#[test]
fn an_interrupted_apply_ends_what_is_in_flight_and_says_what_was_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::slow("aitm-travel", "150ms");
    let plan = planned_eviction(&mock, folder.path());
    let child = stanch(&mock, folder.path())
        .args(["--format", "json", "apply", "--yes"])
        .arg(&plan)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Each look at the journal is a request of its own to the mock: the loop waits for the condition.
    while mock.writes() == 0 {}
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reached: Vec<_> =
        run["actions"].as_array().unwrap().iter().map(|own| own["state"].as_str().unwrap()).collect();
    assert!(reached.contains(&"not_started"), "{reached:?}");
    assert!(!reached.contains(&"ambiguous"), "what was in flight was cut off: {reached:?}");
    assert!(!run["open"].as_array().unwrap().is_empty());
    assert_ne!(run["verdict"], "contained");
}

#[test]
fn a_plan_is_kept_and_shown_listed_and_applied_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let planned = stanch(&mock, folder.path())
        .args(["plan", "evict", "--user", mock.victim(), "--user-agent", "*HeadlessChrome*"])
        .output()
        .unwrap();
    assert_eq!(planned.status.code(), Some(0), "{}", String::from_utf8_lossy(&planned.stderr));
    let list = |format: &str| {
        let output =
            stanch(&mock, folder.path()).args(["--format", format, "runs", "list"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let listed: Value = serde_json::from_str(&list("json")).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 0);
    let waiting = &listed["plans"][0];
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["subject"]["upn"], mock.victim());
    assert_eq!(waiting["requested_by"], "dana");
    let id = waiting["id"].as_str().unwrap();
    let text = list("text");
    assert!(
        text.contains(id) && text.contains("plan waiting") && text.contains("by dana, expires "),
        "{text}"
    );
    assert!(String::from_utf8_lossy(&planned.stdout).contains(&format!("apply {id}")));

    let shown = stanch(&mock, folder.path()).args(["show", id]).output().unwrap();
    assert_eq!(shown.stdout, planned.stdout, "show does not show what plan showed");
    let beginning = &id[..13];
    let applied = stanch(&mock, folder.path())
        .args(["--format", "json", "apply", beginning, "--yes"])
        .output()
        .unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let run: Value = serde_json::from_slice(&applied.stdout).unwrap();
    assert_eq!((&run["plan"], &run["verdict"]), (&waiting["id"], &Value::from("contained")));
    let listed: Value = serde_json::from_str(&list("json")).unwrap();
    assert!(listed["plans"].as_array().unwrap().is_empty());
    assert_eq!(listed["items"][0]["plan"].as_str().unwrap(), id);

    let unknown = stanch(&mock, folder.path()).args(["show", "0000"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no plan `0000` in the store"));
}

/// A file in the place of `/dev/null` would take it from every program of the machine.
#[cfg(unix)]
#[test]
fn a_plan_that_is_written_to_a_pipe_or_a_device_leaves_it_there() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("aitm-travel");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap())
    };
    let status = stanch(&mock, folder.path())
        .args(["-q", "plan", "evict", "--user", mock.victim(), "-o"])
        .arg(&pipe)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe was replaced");
    let plan: Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert_eq!(plan["format"], "stanch/plan/v1");
}

#[cfg(unix)]
#[test]
fn progress_is_told_on_a_terminal_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::slow("aitm-travel", "20ms");
    let plan = ["plan", "evict", "--user", mock.victim(), "--user-agent", "*HeadlessChrome*"];
    let piped = stanch(&mock, folder.path()).args(plan).output().unwrap();
    assert_eq!(piped.status.code(), Some(0));
    assert!(piped.stderr.is_empty(), "{}", String::from_utf8_lossy(&piped.stderr));

    // util-linux's `script` gives the program a terminal of its own.
    let Some(()) = has("/usr/bin/script") else { return };
    let on_a_terminal = |more: &[&str]| {
        let command = stanch(&mock, folder.path());
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .chain(plan.iter().chain(more).map(|&word| word.to_owned()))
            .map(|word| format!("'{word}'"))
            .collect();
        let output = surround(&mut Command::new("/usr/bin/script"), &command)
            .env("TERM", "xterm")
            .args(["-qec", &words.join(" "), "/dev/null"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = on_a_terminal(&[]);
    assert!(told.contains("reading sign-ins, audits and methods"), "{told}");
    for more in [&["-q"][..], &["--format", "json"]] {
        let told = on_a_terminal(more);
        assert!(!told.contains("reading sign-ins"), "{more:?}: {told}");
    }
}
