//! What it costs to find the intruder in a long sign-in log: own CPU time for each row and the most memory that was held,
//! from a thousand rows to a million, all of them returned to the client. Pages come in-process, so that neither a
//! network nor the mock is measured. `cargo bench --bench investigate`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a benchmark stops where something is wrong, and its numbers are small"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stanch::alert::Hints;
use stanch::case::{Look, Subject};
use stanch::domain::secret::SecretString;
use stanch::domain::{BoxFuture, Timestamp};
use stanch::graph::{Connection, ConnectionSettings};
use stanch::investigate::{Ask, gather};
use stanch::transport::{OsRandom, SystemClock, Transport, TransportError};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const PAGE: usize = 500;
const BASE: &str = "http://127.0.0.1:1";
const SUBJECT: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const NOW: &str = "2026-03-31T00:00:00Z";

/// A Graph whose log is of any length: each page is made when it is asked for, and the time for that is told.
struct Pages {
    rows: usize,
    template: String,
    nanos: Arc<AtomicU64>,
}

impl Pages {
    fn page(&self, from: usize) -> String {
        let mut body = String::with_capacity(PAGE * 4_000);
        body.push_str("{\"value\":[");
        let to = (from + PAGE).min(self.rows);
        let begin: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        for number in from..to {
            if number > from {
                body.push(',');
            }
            let at = begin + Duration::from_secs(number as u64 * 30 * 86_400 / self.rows as u64);
            // Every fiftieth row is the subject's, and every five-hundredth of the last days the intruder's.
            let is_subject = number % 50 == 0;
            let is_intruder = number % 500 == 0 && number * 10 > self.rows * 9;
            let user = if is_subject {
                SUBJECT.to_owned()
            } else {
                format!("00000000-0000-4000-8000-{:012x}", number % 2_000)
            };
            let (ip, agent, device, session) = if is_intruder {
                (
                    format!("45.155.204.{}", number / 500 % 200),
                    "node-fetch/1.0",
                    String::new(),
                    "stolen".to_owned(),
                )
            } else {
                (
                    format!("62.96.{}.{}", number % 40, number % 7),
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
                    format!("device-{}", number % 2_000),
                    format!("session-{}", number / 1_000),
                )
            };
            let row = self
                .template
                .replace("ROW", &format!("66ea54eb-0000-4ee5-be62-{number:012x}"))
                .replace("TIME", &at.to_string())
                .replace("USER", &user)
                .replace("ADDRESS", &ip)
                .replace("AGENT", agent)
                .replace("DEVICE", &device)
                .replace("COMPLIANT", if device.is_empty() { "false" } else { "true" })
                .replace("SESSION", &session);
            body.push_str(&row);
        }
        body.push(']');
        if to < self.rows {
            write!(body, ",\"@odata.nextLink\":\"{BASE}/beta/auditLogs/signIns?$skiptoken={to}\"").unwrap();
        }
        body.push('}');
        body
    }
}

impl Transport for Pages {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>> {
        let begin = Instant::now();
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let body = if path.ends_with("/token") {
            "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"e30.eyJyb2xlcyI6W119.x\"}"
                .to_owned()
        } else if path.ends_with("/signIns") {
            let from = query.rsplit_once("skiptoken=").map_or(0, |(_, from)| from.parse().unwrap());
            self.page(from)
        } else {
            "{\"value\":[]}".to_owned()
        };
        let answer = http::Response::builder()
            .header("content-type", "application/json")
            .body(body.into_bytes())
            .unwrap();
        self.nanos.fetch_add(u64::try_from(begin.elapsed().as_nanos()).unwrap(), Ordering::Relaxed);
        Box::pin(async move { Ok(answer) })
    }
}

/// CPU time of this process, and the most memory that it has held (kB); by Linux's own account.
fn account() -> (Duration, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    (Duration::from_millis(ticks * 10), peak.trim().trim_end_matches(" kB").parse().unwrap())
}

fn subject() -> Subject {
    Subject {
        id: SUBJECT.parse().unwrap(),
        upn: "lynne.robbins@contoso.com".parse().unwrap(),
        display_name: "Lynne Robbins".to_owned(),
        created_at: None,
        synced: false,
        guest: false,
        federated: Look::Read(false),
        enabled: true,
        restricted: false,
        roles: Look::Read(Vec::new()),
        in_role_assignable_group: Look::Read(false),
        password_changed_at: None,
        sessions_valid_from: None,
        last_sign_in: Look::Read(None),
    }
}

/// A row of the reference case, with what differs from row to row left open.
fn template() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mock-graph/cases/bec-node-fetch/tenant.json");
    let tenant: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut row = tenant["signIns"][0].clone();
    row["id"] = "ROW".into();
    row["createdDateTime"] = "TIME".into();
    row["userId"] = "USER".into();
    row["ipAddress"] = "ADDRESS".into();
    row["userAgent"] = "AGENT".into();
    row["sessionId"] = "SESSION".into();
    row["deviceDetail"]["deviceId"] = "DEVICE".into();
    row["deviceDetail"]["isCompliant"] = "COMPLIANT".into();
    row.to_string().replace("\"COMPLIANT\"", "COMPLIANT")
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!(
        "{:>9} {:>8} {:>10} {:>12} {:>10} {:>10}",
        "rows", "cpu", "per row", "held", "per row", "addresses"
    );
    for rows in SIZES {
        let nanos = Arc::new(AtomicU64::new(0));
        let pages = Pages { rows, template: template(), nanos: Arc::clone(&nanos) };
        let settings = ConnectionSettings::new(
            BASE,
            BASE,
            "7c1f0000-1111-4222-8333-444455556666",
            "7c1f0000-1111-4222-8333-444455556667",
            SecretString::from("bench".to_owned()),
        );
        let connection =
            Connection::new(Arc::new(pages), Arc::new(SystemClock), Arc::new(OsRandom), settings);
        let ask = Ask {
            until: None,
            since: None,
            ips: Vec::new(),
            user_agents: Vec::new(),
            hints: Hints::default(),
            now: NOW.parse().unwrap(),
        };
        let (before, _) = account();
        let found = runtime.block_on(gather(&connection.reader(), &subject(), &ask)).unwrap();
        let (after, peak) = account();
        let cpu =
            after.saturating_sub(before).saturating_sub(Duration::from_nanos(nanos.load(Ordering::Relaxed)));
        let addresses = stanch::investigate::intruder_addresses(&found.indicators).len();
        println!(
            "{rows:>9} {:>5} ms {:>7.2} us {:>9} kB {:>8.2} kB {addresses:>10}",
            cpu.as_millis(),
            cpu.as_secs_f64() * 1e6 / rows as f64,
            peak,
            peak as f64 / rows as f64
        );
    }
}
