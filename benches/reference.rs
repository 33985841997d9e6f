//! Planning and applying at 80 ms a call, as a ratio to the longest chain of calls that waited for one another; and
//! what the program costs: start, memory, size. `cargo bench --bench reference`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where something is wrong"
)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mock_graph::{MockGraph, Settings};
use serde_json::Value;
use stanch::approval::{Consent, ConsentKind};
use stanch::config::Guards;
use stanch::domain::secret::SecretString;
use stanch::domain::{Clock, Random};
use stanch::engine::{Applier, Notice, Patience, PlanRequest, Planner, StopSignal, Watcher};
use stanch::graph::{Connection, ConnectionSettings};
use stanch::seal::{Handover, HandoverError};
use stanch::store::SqliteStore;
use stanch::transport::{OsRandom, SocketTransport, SystemClock};

const LATENCY: Duration = Duration::from_millis(80);

struct Nobody;

impl Handover for Nobody {
    fn hand_over(&self, _: &str, _: &SecretString) -> Result<(), HandoverError> {
        Ok(())
    }
}

impl Watcher for Nobody {
    fn notice(&self, _: &Notice) {}
}

fn main() {
    stanch::transport::install();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "{:12} {:8} {:>8} {:>14} {:>10} {:>7}",
        "playbook", "phase", "calls", "longest chain", "wall", "ratio"
    );
    for playbook in ["evict", "bec"] {
        runtime.block_on(measure(playbook));
    }
    program();
}

async fn measure(playbook: &str) {
    let case = concat!(env!("CARGO_MANIFEST_DIR"), "/mock-graph/cases/bec-node-fetch/tenant.json");
    let text = std::fs::read_to_string(case).unwrap();
    let tenant: Value = serde_json::from_str(&text).unwrap();
    let mock = MockGraph::with_settings(&text, Settings { latency: LATENCY, ..Settings::default() }).unwrap();
    let running = mock.start().await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(OsRandom);
    let connect = |app: usize| {
        let own = &tenant["applications"][app];
        let word = |key: &str| own[key].as_str().unwrap().to_owned();
        let settings = ConnectionSettings::new(
            &running.base_url(),
            &running.base_url(),
            tenant["tenant"]["id"].as_str().unwrap(),
            &word("appId"),
            SecretString::from(word("clientSecret")),
        );
        Connection::new(
            Arc::new(SocketTransport::new().unwrap()),
            Arc::clone(&clock),
            Arc::clone(&random),
            settings,
        )
    };
    let guards = Guards {
        emergency_accounts: vec![
            "emergency.access.one@contoso.onmicrosoft.com".to_owned(),
            "emergency.access.two@contoso.onmicrosoft.com".to_owned(),
        ],
        ..Guards::default()
    };
    let planner = Planner {
        reader: connect(1).reader(),
        signed_in_as: stanch::config::Role::Observer,
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
        guards: guards.clone(),
        valid_for: Duration::from_hours(1),
        skew_stops: false,
    };
    let catalog = stanch::steps::catalog();
    let request = PlanRequest {
        playbook: stanch::playbook::load(playbook, &catalog).unwrap().bind(&[], &catalog).unwrap(),
        user: "lynne.robbins@contoso.com".to_owned(),
        since: None,
        ips: Vec::new(),
        user_agents: vec!["node-fetch*".to_owned()],
        keep: Vec::new(),
        remove: Vec::new(),
        overrides: Vec::new(),
        requested_by: "bench".to_owned(),
        notes: Vec::new(),
    };
    let start = Instant::now();
    let plan = planner.plan(request).await.unwrap();
    report(playbook, "plan", start.elapsed(), &running.base_url(), 0).await;
    let before = journal(&running.base_url()).await.len();

    let folder = tempfile::tempdir().unwrap();
    let (_sender, stop) = StopSignal::new();
    let applier = Applier {
        connection: connect(0),
        store: Arc::new(SqliteStore::open(&folder.path().join("stanch.db")).unwrap()),
        clock: Arc::clone(&clock),
        random,
        handover: Arc::new(Nobody),
        watcher: Arc::new(Nobody),
        patience: Patience::default(),
        guards,
        operator: None,
        stop,
    };
    let at = clock.now();
    let consent = Consent {
        kind: ConsentKind::Flag,
        digest: plan.digest,
        by: "bench".to_owned(),
        at,
        expires_at: at + Duration::from_mins(10),
    };
    let start = Instant::now();
    let outcome = applier.apply(plan, consent).await.unwrap();
    let wall = start.elapsed();
    assert_eq!(outcome.run().verdict.as_str(), "contained");
    report(playbook, "apply", wall, &running.base_url(), before).await;
}

async fn journal(base: &str) -> Vec<(u64, u64)> {
    use stanch::transport::Transport as _;
    let request = http::Request::get(format!("{base}/_mock/requests")).body(Vec::new()).unwrap();
    let answer = SocketTransport::new().unwrap().send(request).await.unwrap();
    let text = String::from_utf8(answer.into_body()).unwrap();
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (line["start_ms"].as_u64().unwrap(), line["end_ms"].as_u64().unwrap())
        })
        .collect()
}

/// The most calls that did not overlap: each may have waited for the one before it, none of the others can have.
fn longest_chain(mut calls: Vec<(u64, u64)>) -> u32 {
    calls.sort_by_key(|(_, end)| *end);
    let mut chain = 0;
    let mut free_at = 0;
    for (start, end) in calls {
        if start >= free_at {
            chain += 1;
            free_at = end;
        }
    }
    chain
}

async fn report(playbook: &str, phase: &str, wall: Duration, base: &str, skip: usize) {
    let calls: Vec<_> = journal(base).await.into_iter().skip(skip).collect();
    let count = calls.len();
    let chain = longest_chain(calls);
    let bound = LATENCY * chain;
    println!(
        "{playbook:12} {phase:8} {count:>8} {:>14} {:>10} {:>7.2}",
        format!("{chain} calls"),
        format!("{} ms", wall.as_millis()),
        wall.as_secs_f64() / bound.as_secs_f64()
    );
}

/// What the program costs: start, memory, size. Build it first: `cargo build --release`.
fn program() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/stanch");
    let Ok(size) = std::fs::metadata(program) else {
        println!("\n(no target/release/stanch: `cargo build --release` first for start, memory and size)");
        return;
    };
    println!("\nsize of the program: {} kB", size.len() / 1000);
    let mut times: Vec<Duration> = (0..11)
        .map(|_| {
            let start = Instant::now();
            Command::new(program).arg("--help").output().unwrap();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("--help: {:.1} ms (median of 11)", times[5].as_secs_f64() * 1e3);
}
