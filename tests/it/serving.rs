//! `stanch serve` as a process: over sockets, beside the mock, stopped by signals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use stanch::domain::Clock as _;
use stanch::transport::SystemClock;

use crate::approve::has;
use crate::processes::{Mock, program, settings_file, stanch};
use crate::schemas::fits;
use crate::webhook::signature;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A running `stanch serve`, ended when dropped.
struct Serving {
    child: Child,
    told: Value,
    out: BufReader<std::process::ChildStdout>,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // One JSON document, pretty: it ends with the first line that is a closing brace alone.
        while !text.ends_with("\n}\n") {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                let mut stderr = String::new();
                child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                panic!("it ended: {text}{stderr}");
            }
            text.push_str(&line);
        }
        Self { child, told: serde_json::from_str(&text).unwrap(), out }
    }

    fn address(&self) -> String {
        self.told["listening"].as_str().unwrap().split_once("://").unwrap().1.to_owned()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, as a service manager does.
    fn end(self) -> (Option<i32>, String, String) {
        self.signal("-TERM");
        self.ended()
    }

    /// How it ended, what else it said, and what it wrote to its log.
    fn ended(mut self) -> (Option<i32>, String, String) {
        let status = self.child.wait().unwrap();
        let (mut rest, mut log) = (String::new(), String::new());
        self.out.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code(), rest, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have been ended by the test already.
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn with_webhook(mock: &Mock, folder: &Path, webhook: &str) {
    let settings = settings_file(mock, folder);
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n{webhook}\n")).unwrap();
    std::fs::write(folder.join("siem.key"), format!("{SECRET}\n")).unwrap();
}

const SIEM: &str = "[webhooks.siem]\nsource = \"generic\"\nplaybook = \"bec\"\nmode = \"plan\"\n\
                    auth = { kind = \"standard-webhooks\", secrets = [\"file:siem.key\"] }";

fn serve(mock: &Mock, folder: &Path, more: &[&str]) -> Command {
    let mut command = stanch(mock, folder);
    command.args(["--format", "json", "-vv", "serve", "--listen", "127.0.0.1:0"]).args(more);
    command
}

fn now() -> String {
    SystemClock.now().as_second().to_string()
}

fn request(address: &str, id: &str, body: &str) -> String {
    let timestamp = now();
    format!(
        "POST /webhooks/siem HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         webhook-id: {id}\r\nwebhook-timestamp: {timestamp}\r\nwebhook-signature: {}\r\n",
        signature(SECRET, id, &timestamp, body.as_bytes())
    )
}

fn exchange(stream: &mut (impl std::io::Read + std::io::Write), request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

fn send(address: &str, id: &str, body: &str) -> (u16, String) {
    let head = request(address, id, body);
    let mut stream = TcpStream::connect(address).unwrap();
    exchange(&mut stream, &format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
}

fn list(mock: &Mock, folder: &Path, format: &str) -> String {
    let output = stanch(mock, folder).args(["--format", format, "runs", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until the list has a plan: each look is a process of its own.
fn planned(mock: &Mock, folder: &Path) -> Value {
    loop {
        let listed: Value = serde_json::from_str(&list(mock, folder, "json")).unwrap();
        if listed["plans"].as_array().unwrap().is_empty() {
            continue;
        }
        return listed;
    }
}

#[cfg(unix)]
#[test]
fn a_signed_alert_becomes_a_plan_that_is_applied_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    with_webhook(&mock, folder.path(), SIEM);
    let mut command = serve(&mock, folder.path(), &[]);
    // The server needs nothing that may write.
    command.env_remove("AZURE_CLIENT_SECRET").env_remove("AZURE_CLIENT_ID");
    let serving = Serving::start(command);
    fits("served", &serving.told);
    let address = serving.address();
    let alert = json!({
        "schema": "stanch/alert/v1", "id": "a1", "user": { "upn": mock.victim() },
        "title": "<b>\u{202e}click\u{1b}[31m</b>\nPLAN forged", "severity": "high",
        "indicators": { "user_agents": ["node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"] },
    })
    .to_string();
    let (status, body) = send(&address, "msg_1", &alert);
    assert_eq!(status, 202, "{body}");
    let plan = serde_json::from_str::<Value>(&body).unwrap()["plans"][0].as_str().unwrap().to_owned();
    let nobody =
        json!({ "schema": "stanch/alert/v1", "user": "Lynne\u{202e}\u{1b}[31m\nRobbins" }).to_string();
    assert_eq!(send(&address, "msg_2", &nobody).0, 202);
    assert_eq!(send(&address, "msg.3", &alert).0, 401);

    // A body in chunks is one body.
    let head = request(&address, "msg_1", &alert);
    let (one, other) = alert.split_at(40);
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n",
        one.len(),
        other.len()
    );
    let again = exchange(&mut TcpStream::connect(&address).unwrap(), &chunked);
    assert_eq!(again.0, 202);
    assert!(again.1.contains(&plan), "{}", again.1);

    let listed = planned(&mock, folder.path());
    fits("run-list", &listed);
    assert_eq!(listed["plans"][0]["id"], plan.as_str());
    assert_eq!(listed["plans"][0]["webhook"], "siem");
    assert_eq!(listed["cases"][0]["state"], "waiting");
    let text = list(&mock, folder.path(), "text");
    assert!(
        text.contains("by webhook siem") && text.contains("\\u{202e}") && text.contains("next: "),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    let shown = stanch(&mock, folder.path()).args(["show", &plan]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("click\\u{1b}"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && !shown.contains("\nPLAN"), "{shown}");
    assert_eq!(mock.writes(), 0);

    let applied =
        stanch(&mock, folder.path()).args(["--format", "json", "apply", &plan, "--yes"]).output().unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&applied.stdout).unwrap()["verdict"], "contained");
    assert_eq!(mock.attempt("{}")["in"], false);

    let (status, rest, log) = serving.end();
    assert_eq!((status, rest.as_str()), (Some(0), ""));
    assert!(log.contains("status=202") && log.contains("a header is malformed"), "{log}");
    for hidden in [SECRET, "click", "v1,", mock.victim()] {
        assert!(!log.contains(hidden), "the log holds `{hidden}`: {log}");
    }
}

#[cfg(unix)]
#[test]
fn a_stop_lets_the_request_in_flight_end() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    with_webhook(&mock, folder.path(), &SIEM.replace("mode = \"plan\"", "mode = \"record\""));
    let serving = Serving::start(serve(&mock, folder.path(), &[]));
    let address = serving.address();
    let alert = json!({ "schema": "stanch/alert/v1", "user": mock.victim() }).to_string();
    let head = request(&address, "msg_1", &alert);
    let mut stream = TcpStream::connect(&address).unwrap();
    let (one, other) = alert.split_at(10);
    write!(stream, "{head}content-length: {}\r\nexpect: 100-continue\r\n\r\n", alert.len()).unwrap();
    // The server says that it waits for the body: the request is in flight.
    let mut line = [0u8; 25];
    stream.read_exact(&mut line).unwrap();
    assert!(line.starts_with(b"HTTP/1.1 100"));
    stream.write_all(one.as_bytes()).unwrap();
    serving.signal("-INT");
    // It stops listening; the port is free once nothing is taken any more.
    while TcpStream::connect(&address).is_ok() {}
    let (status, body) = exchange(&mut stream, other);
    assert_eq!(status, 202, "{body}");
    let (status, _, _) = serving.ended();
    assert_eq!(status, Some(0));
    let listed: Value = serde_json::from_str(&list(&mock, folder.path(), "json")).unwrap();
    assert_eq!(listed["alerts"][0]["outcome"], "recorded");
}

#[cfg(unix)]
#[test]
fn a_head_that_never_ends_is_cut_off_and_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    with_webhook(&mock, folder.path(), SIEM);
    let serving = Serving::start(serve(&mock, folder.path(), &[]));
    let address = serving.address();
    let mut half_open: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(b"POST /webhooks/siem HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
            stream
        })
        .collect();
    let ready = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    assert_eq!(exchange(&mut TcpStream::connect(&address).unwrap(), &ready).0, 200);
    for stream in &mut half_open {
        // Cut off by the server, with a word or without; it is not this side that gives up.
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => {
                let told = String::from_utf8_lossy(&rest);
                assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
            }
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
        }
    }
}

/// A webhook, a change of the command, more arguments, and what is told.
type Row<'r> = (Option<&'r str>, &'r dyn Fn(&mut Command), &'r [&'r str], &'r str);

#[test]
fn what_cannot_be_served_safely_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    let run = |webhook: Option<&str>, change: &dyn Fn(&mut Command), more: &[&str]| -> Output {
        let place = tempfile::tempdir_in(folder.path()).unwrap();
        if let Some(webhook) = webhook {
            with_webhook(&mock, place.path(), webhook);
        }
        let mut command = stanch(&mock, place.path());
        command.arg("serve").args(more);
        change(&mut command);
        command.output().unwrap()
    };
    let as_is = |_: &mut Command| {};
    let no_observer = |command: &mut Command| {
        command.env_remove("STANCH_OBSERVER_CLIENT_ID").env_remove("STANCH_OBSERVER_CLIENT_SECRET");
    };
    let auto = SIEM.replace("\"plan\"", "\"auto\"");
    let no_secret = SIEM.replace("siem.key", "other.key");
    let no_playbook = SIEM.replace("\"bec\"", "\"bce\"");
    let rows: [Row<'_>; 7] = [
        (None, &as_is, &[], "name no webhook"),
        (Some(SIEM), &no_observer, &[], "signs in as the observer alone"),
        (Some(SIEM), &as_is, &["--listen", "0.0.0.0:0"], "plain http is for loopback only"),
        (Some(&auto), &as_is, &[], "`mode = \"auto\"`"),
        (Some(&no_secret), &as_is, &[], "the file `other.key` cannot be read"),
        (Some(&no_playbook), &as_is, &[], "did you mean `bec`?"),
        (Some(SIEM), &as_is, &["--tls-cert", "x.pem"], "--tls-key"),
    ];
    for (webhook, change, more, told) in rows {
        let output = run(webhook, change, more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}: {stderr}");
        assert!(stderr.contains(told), "{told}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_doctor_passes_no_webhook_that_would_not_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    let told = |webhook: &str| {
        let place = tempfile::tempdir_in(folder.path()).unwrap();
        with_webhook(&mock, place.path(), webhook);
        let output = stanch(&mock, place.path()).args(["doctor", "bec"]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, text) = told(SIEM);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("the webhook `siem` can be served"), "{text}");
    for (webhook, why) in [
        (SIEM.replace("\"plan\"", "\"auto\""), "`mode = \"auto\"`"),
        (SIEM.replace("standard-webhooks", "handshake"), "`handshake` is no way to prove a sender"),
        (SIEM.replace("generic", "nobody"), "`nobody`"),
        (format!("{SIEM}\nwhen = {{ moods = [\"bad\"] }}"), "`when` knows no `moods`"),
        (SIEM.replace("\"generic\"", "\"insightidr\"\nid = \"/id\""), "it has pointers"),
    ] {
        let (status, text) = told(&webhook);
        assert_eq!(status, Some(1), "{webhook}: {text}");
        assert!(text.contains("missing  the webhook `siem` cannot be served: "), "{webhook}: {text}");
        assert!(text.contains(why), "{webhook}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn anywhere_else_it_is_tls() {
    stanch::transport::install();
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    with_webhook(&mock, folder.path(), SIEM);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let serving =
        Serving::start(serve(&mock, folder.path(), &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]));
    assert!(serving.told["listening"].as_str().unwrap().starts_with("https://"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".to_owned().try_into().unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(serving.address()).unwrap();
    let mut stream = rustls::StreamOwned::new(client, socket);
    let ready = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(exchange(&mut stream, ready).0, 200);
}

#[cfg(unix)]
#[test]
fn the_demo_serves_an_alert_that_can_be_sent_as_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.args(["--format", "json", "serve", "--demo", "--listen", "127.0.0.1:0"]);
    let serving = Serving::start(command);
    fits("served", &serving.told);
    let Some(()) = has("curl") else { return };
    let script = format!(
        "set -e\n{} >&2\n. stanch-demo/env.sh\nexport PATH=\"$(dirname {}):$PATH\"\n\
         until stanch --config stanch-demo/stanch.toml --format json runs list | grep -q '\"waiting\"'; do :; done\n\
         id=$(stanch --config stanch-demo/stanch.toml runs list | grep 'plan waiting' | cut -d' ' -f1)\n\
         stanch --config stanch-demo/stanch.toml --format json apply \"$id\" --yes\n",
        serving.told["curl"].as_str().unwrap(),
        env!("CARGO_BIN_EXE_stanch"),
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("USER", "dana")
        .env("NO_PROXY", "*")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["verdict"], "contained");
}
