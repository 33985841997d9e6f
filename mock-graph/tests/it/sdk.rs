//! Microsoft's own SDKs sign in to the mock, read, write, page, batch, wait when throttled, and get their own errors:
//! unchanged, apart from the address. `.ci/run` installs them and says where they are.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use mock_graph::{MockGraph, Settings};
use serde_json::{Value, json};

use crate::wire::{LYNNE, RESPONDER, TENANT, Wire, reference};

/// What each script shows, line by line.
const SHOWN: [&str; 9] = [
    "signs in and reads",
    "follows pages",
    "writes",
    "creates, by derived types",
    "batches",
    "waits when throttled",
    "gets its own error type from Graph",
    "signs in by certificate",
    "gets its own error type from the token endpoint",
];

/// Where an SDK is. Without it the test is skipped, in words that no test harness swallows; in CI it fails.
fn place(variable: &str) -> Option<String> {
    let place = std::env::var(variable).ok().filter(|place| !place.is_empty());
    if place.is_none() {
        assert!(
            std::env::var_os("STANCH_CI").is_none(),
            "{variable} is not set: .ci/run installs the SDKs and sets it"
        );
        writeln!(
            std::io::stderr(),
            "SKIPPED: {variable} is not set, so that no SDK of Microsoft's was tried"
        )
        .unwrap();
    }
    place
}

fn beside(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_string_lossy().into_owned()
}

/// Runs a script against a mock of its own, by TLS, since the SDKs take nothing else.
async fn run(mut command: Command) {
    let certificate = beside("src/test-only-certificate.pem");
    let pem = std::fs::read_to_string(&certificate).unwrap();
    let mut tenant = reference();
    tenant["applications"][0]["certificate"] = json!(pem);
    let mock = MockGraph::from_value(tenant.clone(), Settings::default()).unwrap();
    mock.set_faults(
        &json!({ "rules": [{ "method": "GET", "path": "/v1.0/domains", "fault": { "kind": "throttle", "retryAfter": 1 } }] })
            .to_string(),
    )
    .unwrap();
    let running = mock.listen_by_tls(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let with_key = folder.path().join("app.pem");
    std::fs::write(&with_key, pem + &std::fs::read_to_string(beside("src/test-only-key.pem")).unwrap())
        .unwrap();
    command.args([running.base_url().as_str(), TENANT, RESPONDER, "responder-secret", LYNNE]);
    command.arg(&with_key);
    for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        command.env(variable, &certificate);
    }
    for proxy in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (shown, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}\n{errors}");
    assert_eq!(shown.lines().collect::<Vec<_>>(), SHOWN, "{errors}");
    let lines = Wire::over(mock.router()).lines().await;
    let unknown: Vec<&Value> = lines.iter().filter(|line| line["known"] == false).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let statuses: Vec<&Value> =
        lines.iter().filter(|line| line["path"] == "/v1.0/domains").map(|line| &line["status"]).collect();
    assert_eq!(statuses, [429, 200], "it was asked again after the wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_works_unchanged() {
    let Some(python) = place("STANCH_SDK_PYTHON") else { return };
    let mut command = Command::new(python);
    command.arg(beside("tests/sdk/python.py"));
    run(command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_sdk_works_unchanged() {
    let Some(folder) = place("STANCH_SDK_JAVASCRIPT") else { return };
    let mut command = Command::new("node");
    command.arg(beside("tests/sdk/javascript.mjs")).env("SDK_FOLDER", folder);
    run(command).await;
}
