//! How many alerts a second are taken in and durable, with the store on disk, as a ratio to how many single commits the
//! same disk takes. `cargo bench --bench webhook`
#![expect(clippy::unwrap_used, reason = "a benchmark stops where something is wrong")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use serde_json::json;
use stanch::config::{Guards, Mode, Pointers, Webhook, WebhookAuth};
use stanch::domain::Clock as _;
use stanch::domain::secret::SecretString;
use stanch::server::{Hook, Rate, Server, router};
use stanch::store::SqliteStore;
use stanch::transport::{OsRandom, SystemClock};
use tokio::sync::Notify;
use tower::ServiceExt as _;

const ALERTS: usize = 4_000;
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let single = single_commits(&folder.path().join("single.db"));
    println!("{:>10}  {:>12}  {:>8}", "at once", "alerts/s", "ratio");
    println!("{:>10}  {single:>12.0}  {:>8}", "commits", 1);
    for at_once in [1, 8, 64, 256] {
        let store = folder.path().join(format!("{at_once}.db"));
        let rate = runtime.block_on(accepted(&store, at_once));
        println!("{at_once:>10}  {rate:>12.0}  {:>8.2}", rate / single);
    }
}

fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64()
}

/// One row, one commit, synced: what the disk can do.
fn single_commits(path: &std::path::Path) -> f64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection.execute_batch("create table rows (id integer primary key, body text)").unwrap();
    let begun = Instant::now();
    let count = 1_000;
    for _ in 0..count {
        connection.execute("insert into rows (body) values (?1)", [alert(0)]).unwrap();
    }
    per_second(count, begun.elapsed())
}

fn alert(number: usize) -> String {
    json!({
        "schema": "stanch/alert/v1", "id": format!("a{number}"), "title": "Scripted user agent", "severity": "high",
        "user": { "upn": format!("user{number}@contoso.com") },
        "indicators": { "user_agents": ["node-fetch/1.0"], "ips": ["203.0.113.45"] },
    })
    .to_string()
}

async fn accepted(path: &std::path::Path, at_once: usize) -> f64 {
    let clock = Arc::new(SystemClock);
    let now = clock.now();
    let webhook = Webhook {
        source: "generic".to_owned(),
        auth: WebhookAuth { kind: "bearer".to_owned(), secrets: Vec::new() },
        playbook: Some("bec".to_owned()),
        mode: Mode::Plan,
        when: BTreeMap::new(),
        ignore_when: BTreeMap::new(),
        pointers: Pointers::default(),
    };
    let catalog = stanch::steps::catalog();
    let playbook = stanch::playbook::load("bec", &catalog).unwrap().bind(&[], &catalog).unwrap();
    let secrets = [("the benchmark".to_owned(), SecretString::from(TOKEN))];
    let hook = Hook::new("siem", &webhook, &secrets, Some(playbook), now).unwrap().with_rate(Rate::new(
        i64::MAX / 2,
        1,
        now,
    ));
    let guards = Guards { max_subjects_per_hour: 10_000, ..Guards::default() };
    let store = Arc::new(SqliteStore::open(path).unwrap());
    let server = Server::new(vec![hook], store, clock, Arc::new(OsRandom), &guards, Arc::new(Notify::new()));
    let routes = router(Arc::new(server));
    let begun = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..at_once {
        let routes = routes.clone();
        senders.spawn(async move {
            for number in (sender..ALERTS).step_by(at_once) {
                let request = http::Request::post("/webhooks/siem")
                    .header("content-type", "application/json")
                    .header("authorization", format!("Bearer {TOKEN}"))
                    .body(Body::from(alert(number)))
                    .unwrap();
                assert_eq!(routes.clone().oneshot(request).await.unwrap().status(), 202);
            }
        });
    }
    senders.join_all().await;
    per_second(ALERTS, begun.elapsed())
}
