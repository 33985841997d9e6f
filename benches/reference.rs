//! Planning and applying at 80 ms a call, as a ratio to what cannot be undercut: the longest chain of calls that waited
//! for one another, and, with the published throttling on, what its slowest bucket lets through. And what the program
//! costs: start, memory, size. `cargo bench --bench reference`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where something is wrong"
)]

mod tenant;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use mock_graph::Settings;
use tenant::{Call, Tenant, reference_case};

const LATENCY: Duration = Duration::from_millis(80);

fn main() {
    stanch::transport::install();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "{:9} {:6} {:10} {:>6} {:>7} {:>9} {:>9} {:>9} {:>6}",
        "playbook", "phase", "throttling", "calls", "refused", "chain", "bucket", "wall", "ratio"
    );
    for playbook in ["evict", "bec"] {
        let chains = runtime.block_on(measure(playbook, None));
        runtime.block_on(measure(playbook, Some(chains)));
    }
    program();
}

/// Measures planning and applying; gives the longest chain of each. With the chains of a run without throttling it is
/// measured under the published limits: there, calls that stood in a queue do not overlap either, and are no chain.
async fn measure(playbook: &str, chains: Option<[Duration; 2]>) -> [Duration; 2] {
    let settings = Settings { latency: LATENCY, enforce_throttling: chains.is_some(), ..Settings::default() };
    let tenant = Tenant::start(&reference_case(), settings).await;
    let start = Instant::now();
    let plan = tenant.plan(playbook).await;
    let wall = start.elapsed();
    let planning = tenant.calls().await;
    let plan_chain = report(playbook, "plan", chains.map(|[plan, _]| plan), wall, &planning);
    if chains.is_some() {
        // What planning spent of a quota is no part of what applying is measured by.
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    let start = Instant::now();
    let run = tenant.apply(plan).await;
    let wall = start.elapsed();
    assert_eq!(run.verdict.as_str(), "contained");
    let applying = tenant.calls().await.split_off(planning.len());
    let apply_chain = report(playbook, "apply", chains.map(|[_, apply]| apply), wall, &applying);
    [plan_chain, apply_chain]
}

/// The most calls that did not overlap: each may have waited for the one before it, none of the others can have.
fn longest_chain(calls: &[Call]) -> u32 {
    let mut spans: Vec<_> = calls.iter().map(|call| (call.end_ms, call.start_ms)).collect();
    spans.sort_unstable();
    let mut chain = 0;
    let mut free_at = 0;
    for (end, start) in spans {
        if start >= free_at {
            chain += 1;
            free_at = end;
        }
    }
    chain
}

/// What the fullest bucket needs at least: its calls, refused ones left out, at the published rate.
fn bucket_bound(calls: &[Call]) -> Duration {
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.status != 429) {
        let path = call.path.as_str();
        if path.contains("/conditionalAccess") || path.contains("/identityProtection/") {
            *counts.entry(("one a second for the tenant", "")).or_default() += 1;
        } else if ["/auditLogs/", "/reports/", "/authentication/"].iter().any(|part| path.contains(part)) {
            *counts.entry(("five in ten seconds for each app", &call.app_id)).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|((limit, _), count)| match limit {
            "one a second for the tenant" => Duration::from_secs(1) * count.saturating_sub(1) + LATENCY,
            _ => Duration::from_secs(10) * (count.saturating_sub(1) / 5) + LATENCY,
        })
        .max()
        .unwrap_or_default()
}

fn report(
    playbook: &str,
    phase: &str,
    throttled_chain: Option<Duration>,
    wall: Duration,
    calls: &[Call],
) -> Duration {
    let refused = calls.iter().filter(|call| call.status == 429).count();
    let chain = throttled_chain.unwrap_or_else(|| LATENCY * longest_chain(calls));
    let bucket = throttled_chain.map(|_| bucket_bound(calls)).unwrap_or_default();
    println!(
        "{playbook:9} {phase:6} {:10} {:>6} {refused:>7} {:>9} {:>9} {:>9} {:>6.2}",
        if throttled_chain.is_some() { "published" } else { "off" },
        calls.len(),
        format!("{} ms", chain.as_millis()),
        format!("{} ms", bucket.as_millis()),
        format!("{} ms", wall.as_millis()),
        wall.as_secs_f64() / chain.max(bucket).as_secs_f64()
    );
    chain
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
