//! `stanch approve` and `stanch apply --approval`: the binaries, and OpenSSH's own programs beside them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use ssh_key::PrivateKey;

use crate::approval::{APPROVER, REQUESTER};
use crate::processes::{Mock, stanch, surround};
use crate::signing::{ed25519, security_key};

/// A plan that waits for a signature, and an approver whose key is listed.
pub struct Desk {
    folder: tempfile::TempDir,
    mock: Mock,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Desk {
    pub fn new(more: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), mock: Mock::case("bec-node-fetch") };
        drop(stanch(&desk.mock, desk.path()));
        let settings = desk.path().join("stanch.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        let approval =
            format!("[operator]\nuser = \"{APPROVER}\"\n[approval]\napprovers = \"allowed_signers\"\n{more}");
        std::fs::write(&settings, text + &approval).unwrap();
        let key = ed25519(1);
        std::fs::create_dir(desk.path().join(".ssh")).unwrap();
        desk.write(".ssh/id_ed25519", &key.private());
        desk.write("allowed_signers", &format!("{APPROVER} namespaces=\"stanch-plan\" {}\n", key.public()));
        let output = desk.run(
            &[
                "plan",
                "evict",
                "--user",
                desk.mock.victim(),
                "--user-agent",
                "node-fetch*",
                "-o",
                "plan.json",
            ],
            &[("STANCH_OPERATOR__USER", REQUESTER)],
        );
        assert_eq!(output.status.code(), Some(0), "{}", self::text(&output.stderr));
        desk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that is its owner's alone: ssh-keygen takes no other key.
    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = stanch(&self.mock, self.path());
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .args(arguments)
            .envs(variables.iter().copied());
        command
    }

    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(arguments, variables).output().unwrap()
    }

    pub fn approve(&self, more: &[&str]) -> Output {
        let usual = ["approve", "plan.json", "--key", ".ssh/id_ed25519", "--reason", "seen with the desk"];
        self.run(&[&usual, more].concat(), &[])
    }

    pub fn approvals(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".approval.json"))
            .collect();
        names.sort();
        names
    }

    fn approval(&self) -> Value {
        let names = self.approvals();
        serde_json::from_str(&std::fs::read_to_string(self.path().join(&names[0])).unwrap()).unwrap()
    }
}

#[test]
fn a_second_person_approves_and_exactly_that_is_applied() {
    let desk = Desk::new("required = true\n");
    let key = desk.path().join(".ssh/id_ed25519");
    let key = key.to_str().unwrap();
    let output = desk.run(&["approve", "plan.json", "--key", key, "--reason", "TEXT"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(desk.mock.victim()), "the plan was not shown");
    let file = format!("plan.{APPROVER}.approval.json");
    assert_eq!(desk.approvals(), std::slice::from_ref(&file));
    let next = format!("stanch apply plan.json --approval {file}");
    assert!(text(&output.stdout).contains(&next), "{}", text(&output.stdout));

    // Without it nothing is applied, whatever else is said; the message has the very command.
    for (arguments, told) in [
        (vec!["apply", "plan.json"], next.as_str()),
        (vec!["apply", "plan.json", "--yes"], next.as_str()),
        (vec!["run", "evict", "--user", desk.mock.victim(), "--yes"], "stanch plan -o plan.json"),
    ] {
        let output = desk.run(&arguments, &[]);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", text(&output.stderr));
    }
    assert_eq!(desk.mock.writes(), 0);

    let apply = ["--format", "json", "apply", "plan.json", "--approval", &file];
    let output = desk.run(&apply, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["verdict"], "contained");
    assert_eq!(run["consent"]["kind"], "signed");
    assert_eq!(run["consent"]["given"][0]["by"], APPROVER);
    assert_eq!(run["consent"]["given"][0]["reason"], "TEXT");
    let writes = desk.mock.writes();
    let shown = desk.run(&["runs", "show", run["run"].as_str().unwrap()], &[]);
    assert!(
        text(&shown.stdout).contains(&format!("signed approval by {APPROVER}")),
        "{}",
        text(&shown.stdout)
    );

    let again = desk.run(&apply, &[]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap()["run"], run["run"]);
    assert_eq!(desk.mock.writes(), writes, "it was applied twice");
}

#[test]
fn whoever_cannot_approve_is_told_before_anything_is_signed() {
    let desk = Desk::new("");
    let other = ed25519(2);
    desk.write("other", &other.private());
    desk.write("public", &format!("no key {}", other.public()));
    let victim = desk.mock.victim().to_owned();
    let key = ".ssh/id_ed25519";
    for (arguments, exit, told) in [
        (vec!["--key", key, "--reason", "x", "--approver", REQUESTER], 4, "asked for this plan"),
        (vec!["--key", key, "--reason", "x", "--approver", &victim], 4, "whom this plan is about"),
        (
            vec!["--key", key, "--reason", "x", "--approver", "lee.gu@contoso.com"],
            4,
            "not for `lee.gu@contoso.com`",
        ),
        (vec!["--key", key, "--reason", "x", "--approver", "lee"], 2, "`lee` is no Upn"),
        (vec!["--key", "other", "--reason", "x"], 4, "with another key than ssh-ed25519 SHA256:"),
        (vec!["--key", "missing", "--reason", "x"], 2, "cannot read the key `missing`"),
        (vec!["--key", "public", "--reason", "x"], 2, "`public` is no SSH key"),
        (vec!["--key", "plan.json", "--reason", "x"], 2, "`plan.json` is no SSH key"),
        (vec!["--key", key, "--reason", " "], 2, "`--reason` is empty"),
        (vec!["--key", key, "--reason", "x", "--within", "soon"], 2, "`soon` is no span of time"),
        (vec!["--key", key, "--reason", "x", "--decision", "perhaps"], 2, "approve, reject"),
        (vec!["--key", key], 2, "--reason"),
    ] {
        let output = desk.run(&[vec!["-q", "approve", "plan.json"], arguments.clone()].concat(), &[]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
        assert!(desk.approvals().is_empty(), "{arguments:?}");
    }
    // Nobody is named: said, not guessed.
    let settings = desk.path().join("stanch.toml");
    let without = std::fs::read_to_string(&settings).unwrap().replace(&format!("user = \"{APPROVER}\""), "");
    std::fs::write(&settings, without).unwrap();
    let output = desk.approve(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("[operator] user"), "{}", text(&output.stderr));
}

#[test]
fn a_wrong_file_is_told_with_its_place_and_the_next_step() {
    let desk = Desk::new("");
    assert_eq!(desk.approve(&[]).status.code(), Some(0));
    let file = desk.approvals().remove(0);
    let approval = std::fs::read_to_string(desk.path().join(&file)).unwrap();
    desk.write("edited.json", &approval.replace("seen with the desk", "seen with the board"));
    desk.write("none.json", "{\"statement\": 7}");
    desk.write("newer.json", &approval.replace("stanch/approval/v1", "stanch/approval/v2"));
    for (given, exit, told) in [
        ("edited.json", 4, "changed after it was signed"),
        ("none.json", 4, "`none.json` is not an approval that counts"),
        ("newer.json", 4, "stanch/approval/v2"),
        ("missing.json", 2, "cannot read `missing.json`"),
        ("plan.json", 4, "is not an approval that counts"),
    ] {
        let output = desk.run(&["apply", "plan.json", "--approval", given], &[]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{given}: {stderr}");
        assert!(stderr.contains(told) && stderr.contains("hint: "), "{given}: {stderr}");
    }
    desk.write("allowed_signers", "# ours\nmegan.bowen@contoso.com\n");
    let output = desk.run(&["apply", "plan.json", "--approval", &file], &[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("allowed_signers") && stderr.contains("line 2: no key"), "{stderr}");
    assert_eq!(desk.mock.writes(), 0);
}

#[test]
fn a_rejection_beside_the_plan_stops_every_yes() {
    let desk = Desk::new("required = true\n");
    let output = desk.approve(&["--decision", "reject", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["approval"]["statement"]["decision"], "reject");
    let file = document["file"].as_str().unwrap();
    for arguments in [vec!["apply", "plan.json", "--yes"], vec!["apply", "plan.json", "--approval", file]] {
        let output = desk.run(&arguments, &[]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(&format!("`{APPROVER}` rejected this plan")), "{stderr}");
        assert!(stderr.contains("seen with the desk"), "{stderr}");
    }
    assert_eq!(desk.mock.writes(), 0);
}

#[test]
fn a_rejection_counts_whatever_the_plan_is_called_by() {
    let desk = Desk::new("");
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path().join("plan.json")).unwrap()).unwrap();
    let id = plan["id"].as_str().unwrap();
    let key = ".ssh/id_ed25519";
    let reject = |plan: &str| {
        let reject = ["approve", plan, "--key", key, "--reason", "this was her", "--decision", "reject"];
        assert_eq!(desk.run(&reject, &[]).status.code(), Some(0));
        let file = desk.approvals().remove(0);
        for plan in ["plan.json", id, "copy.json"] {
            let output = desk.run(&["apply", plan, "--yes"], &[]);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(4), "{plan}: {stderr}");
            assert!(stderr.contains(&format!("`{APPROVER}` rejected this plan")), "{plan}: {stderr}");
        }
        std::fs::remove_file(desk.path().join(file)).unwrap();
    };
    std::fs::copy(desk.path().join("plan.json"), desk.path().join("copy.json")).unwrap();
    reject("plan.json");
    reject(id);
    assert_eq!(desk.mock.writes(), 0);
    assert_eq!(desk.run(&["apply", "copy.json", "--yes"], &[]).status.code(), Some(0));
}

#[test]
fn an_approval_of_an_earlier_plan_is_not_pointed_to() {
    let desk = Desk::new("required = true\n");
    assert_eq!(desk.approve(&[]).status.code(), Some(0));
    let anew = ["plan", "evict", "--user", desk.mock.victim(), "-o", "plan.json"];
    assert_eq!(desk.run(&anew, &[("STANCH_OPERATOR__USER", REQUESTER)]).status.code(), Some(0));
    let output = desk.run(&["apply", "plan.json"], &[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("stanch approve plan.json") && !stderr.contains(APPROVER), "{stderr}");
}

#[test]
fn a_plan_of_somebody_without_a_name_in_the_tenant_is_not_signed_for_nothing() {
    let desk = Desk::new("");
    let anew = ["plan", "evict", "--user", desk.mock.victim(), "-o", "plan.json"];
    assert_eq!(desk.run(&anew, &[("STANCH_OPERATOR__USER", "dana")]).status.code(), Some(0));
    let output = desk.approve(&[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("`dana` is no user of this tenant"), "{stderr}");
    assert!(stderr.contains("[operator] user") && stderr.contains("plan again"), "{stderr}");
    assert!(desk.approvals().is_empty());
    // Whoever does not ask for four eyes need not be told apart; and a no needs no requester.
    assert_eq!(desk.approve(&["--decision", "reject"]).status.code(), Some(0));
    let output = desk.run(
        &["approve", "plan.json", "--key", ".ssh/id_ed25519", "--reason", "seen"],
        &[("STANCH_APPROVAL__FOUR_EYES", "false")],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_plan_in_the_store_is_approved_by_its_id() {
    let desk = Desk::new("required = true\n");
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path().join("plan.json")).unwrap()).unwrap();
    let id = plan["id"].as_str().unwrap();
    std::fs::remove_file(desk.path().join("plan.json")).unwrap();
    let key = ".ssh/id_ed25519";
    let output = desk.run(&["approve", &id[..13], "--key", key, "--reason", "x", "--within", "5m"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let file = format!("{id}.{APPROVER}.approval.json");
    assert_eq!(desk.approvals(), std::slice::from_ref(&file));
    let statement = &desk.approval()["statement"];
    let moment = |key: &str| statement[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(moment("execute_by").duration_since(moment("approved_at")).as_secs(), 300);
    let output = desk.run(&["apply", id, "--approval", &file], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn without_a_file_of_approvers_one_can_sign_and_nobody_is_believed() {
    let desk = Desk::new("");
    let settings = desk.path().join("stanch.toml");
    let without = std::fs::read_to_string(&settings).unwrap().replace("approvers = \"allowed_signers\"", "");
    std::fs::write(&settings, without).unwrap();
    let output = desk.approve(&["--output", "megan.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("`approval.approvers`"), "{}", text(&output.stderr));
    let output = desk.run(&["apply", "plan.json", "--approval", "megan.json"], &[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("nobody may approve") && stderr.contains("approvers = "), "{stderr}");
    assert_eq!(desk.mock.writes(), 0);
}

#[test]
fn a_plan_that_needs_an_approval_says_so_where_it_is_shown() {
    let desk = Desk::new("required = true\n");
    let told = text(&desk.run(&["show", "plan.json"], &[]).stdout);
    assert!(told.contains("stanch approve plan.json --key KEY --reason TEXT"), "{told}");
    assert!(told.contains("stanch apply plan.json --approval FILE"), "{told}");
}

#[test]
fn a_locked_key_asks_for_its_passphrase_at_a_terminal_and_nowhere_else() {
    let Some(()) = has("ssh-keygen") else { return };
    let desk = Desk::new("");
    let locked = desk.path().join(".ssh/id_ed25519");
    keygen(&["-q", "-p", "-P", "", "-N", "correct horse", "-f", locked.to_str().unwrap()]);
    let output = desk.approve(&[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("is locked") && stderr.contains("ssh-add"), "{stderr}");
    assert!(desk.approvals().is_empty());

    // Whoever is not listed is told so, and asked for no passphrase.
    let output = desk.approve(&["--approver", "lee.gu@contoso.com"]);
    assert!(text(&output.stderr).contains("not for `lee.gu@contoso.com`"), "{}", text(&output.stderr));

    let Some(()) = has("script") else { return };
    let line = format!(
        "{} --config stanch.toml approve plan.json --key .ssh/id_ed25519 --reason seen",
        env!("CARGO_BIN_EXE_stanch")
    );
    let mut child = desk_terminal(&desk, &line);
    wait_for(child.stdout.as_mut().unwrap(), "Type yes to go on: ");
    child.stdin.as_mut().unwrap().write_all(b"no\n").unwrap();
    wait_for(child.stdout.as_mut().unwrap(), "nothing was signed");
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert!(desk.approvals().is_empty());

    let mut child = desk_terminal(&desk, &line);
    let mut answers = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    // The plan, the question, and only then the key.
    let seen = wait_for(&mut screen, "Type yes to go on: ");
    assert!(seen.contains("Approve this plan for"), "{seen}");
    answers.write_all(b"yes\n").unwrap();
    wait_for(&mut screen, "Passphrase of");
    answers.write_all(b"wrong\n").unwrap();
    wait_for(&mut screen, "that is not its passphrase");
    wait_for(&mut screen, "Passphrase of");
    answers.write_all(b"correct horse\n").unwrap();
    wait_for(&mut screen, "Approved as");
    assert!(child.wait().unwrap().success());
    assert_eq!(desk.approvals().len(), 1);
}

/// The program at a terminal of its own.
fn desk_terminal(desk: &Desk, line: &str) -> Child {
    let model = stanch(&desk.mock, desk.path());
    let mut command = Command::new("script");
    surround(&mut command, &model)
        .args(["-qefc", line, "/dev/null"])
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads a screen up to some text.
fn wait_for(screen: &mut impl std::io::Read, wanted: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while screen.read(&mut byte).unwrap() == 1 {
        seen.extend(byte);
        if seen.ends_with(wanted.as_bytes()) {
            return text(&seen);
        }
    }
    panic!("`{wanted}` never came: {}", text(&seen));
}

/// Whether a program is here; says loudly when it is not.
pub fn has(program: &str) -> Option<()> {
    let is_here = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_here {
        assert!(std::env::var_os("STANCH_CI").is_none(), "`{program}` is not on this machine");
        eprintln!("SKIPPED: `{program}` is not on this machine, and nothing was tested with it");
    }
    is_here.then_some(())
}

fn keygen(arguments: &[&str]) {
    let output = Command::new("ssh-keygen").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
}

/// Checks an approval file by OpenSSH alone, as an auditor would.
fn verified_by_openssh(desk: &Desk, name: &str) -> bool {
    let approval = desk.approval();
    let statement = stanch::domain::canonical_json(&approval["statement"]).unwrap();
    desk.write("statement.sig", approval["signature"].as_str().unwrap());
    let mut child = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            name,
            "-n",
            "stanch-plan",
            "-s",
            "statement.sig",
        ])
        .current_dir(desk.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&statement).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn keys_and_signatures_pass_between_openssh_and_us_both_ways() {
    let Some(()) = has("ssh-keygen") else { return };
    let desk = Desk::new("");
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["-t", "ed25519"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    for (name, kind) in kinds {
        let file = desk.path().join(name);
        let path = file.to_str().unwrap();
        keygen(&[kind, &["-q", "-N", "", "-C", "megan", "-f", path]].concat());
        // Half of these have a short number, which ssh-key does not read: one of them is wanted here.
        for _ in 0..32 {
            if name != "p521" || PrivateKey::from_openssh(std::fs::read(&file).unwrap()).is_err() {
                break;
            }
            std::fs::remove_file(&file).unwrap();
            keygen(&[kind, &["-q", "-N", "", "-C", "megan", "-f", path]].concat());
        }
        let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
        desk.write("allowed_signers", &format!("{APPROVER} {public}"));
        // By the private key: ours signs, but for RSA. By the public one: ssh-keygen signs, and we check.
        for key in [path.to_owned(), format!("{path}.pub")] {
            let output = desk.run(&["-q", "approve", "plan.json", "--key", &key, "--reason", "x"], &[]);
            assert_eq!(output.status.code(), Some(0), "{key}: {}", text(&output.stderr));
            assert!(verified_by_openssh(&desk, APPROVER), "OpenSSH does not believe {key}");
            assert!(!verified_by_openssh(&desk, REQUESTER), "{key}");
        }
    }
}

#[test]
fn a_certificate_and_an_agent_sign() {
    let Some(()) = has("ssh-keygen").and_then(|()| has("ssh-agent")).and_then(|()| has("ssh-add")) else {
        return;
    };
    let desk = Desk::new("");
    let file = |name: &str| desk.path().join(name).to_str().unwrap().to_owned();
    let (authority, key) = (file("authority"), file("key"));
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &authority]);
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &key]);
    // Without -V it is valid for ever.
    keygen(&["-q", "-s", &authority, "-I", "megan", "-n", APPROVER, &format!("{key}.pub")]);
    let public = |name: &str| std::fs::read_to_string(format!("{name}.pub")).unwrap();
    desk.write("allowed_signers", &format!("*@contoso.com cert-authority {}", public(&authority)));

    let socket = file("agent");
    let agent = Agent::start(&socket);
    let variables = [("SSH_AUTH_SOCK", socket.as_str())];
    let added = Command::new("ssh-add").args(["-q", &key]).envs(variables).status().unwrap();
    assert!(added.success());
    std::fs::remove_file(&key).unwrap();
    let certificate = format!("{key}-cert.pub");
    let output =
        desk.run(&["-q", "approve", "plan.json", "--key", &certificate, "--reason", "x"], &variables);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(verified_by_openssh(&desk, APPROVER));
    let output = desk.run(
        &[
            "-q",
            "approve",
            "plan.json",
            "--key",
            &certificate,
            "--reason",
            "x",
            "--approver",
            "lee.gu@contoso.com",
        ],
        &variables,
    );
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("it names `megan.bowen@contoso.com`"), "{}", text(&output.stderr));

    desk.write("allowed_signers", &format!("{APPROVER} {}", public(&key)));
    let bare = format!("{key}.pub");
    let approve = ["approve", "plan.json", "--key", &bare, "--reason", "from the agent"];
    let output = desk.run(&approve, &variables);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(desk.approval()["statement"]["reason"], "from the agent");
    drop(agent);
    let output = desk.run(&approve, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("SSH_AUTH_SOCK"), "{}", text(&output.stderr));
}

/// An agent that ends with the test.
struct Agent(Child);

impl Agent {
    fn start(socket: &str) -> Self {
        let child = Command::new("ssh-agent")
            .args(["-D", "-a", socket])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut agent = Self(child);
        // It listens before it prints where.
        wait_for(agent.0.stdout.as_mut().unwrap(), "SSH_AUTH_SOCK=");
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_security_key_that_openssh_believes_untouched_we_do_not() {
    let Some(()) = has("ssh-keygen") else { return };
    let folder = tempfile::tempdir().unwrap();
    for is_touched in [true, false] {
        let key = security_key(3, is_touched);
        let signature = key.sign("stanch-plan", b"stanch");
        std::fs::write(folder.path().join("signature"), &signature).unwrap();
        std::fs::write(folder.path().join("list"), format!("{APPROVER} {}\n", key.public())).unwrap();
        let mut child = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "list", "-I", APPROVER, "-n", "stanch-plan", "-s", "signature"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"stanch").unwrap();
        assert!(child.wait().unwrap().success(), "our soft key does not sign as a security key does");
        assert_eq!(stanch::approval::verify(&signature, b"stanch").is_ok(), is_touched);
    }
}
