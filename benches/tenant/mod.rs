//! What every benchmark begins with: a mock tenant on a loopback port, and stanch beside it over real sockets.

use std::sync::Arc;
use std::time::Duration;

use mock_graph::{MockGraph, Running, Settings};
use serde_json::Value;
use stanch::approval::{Consent, Signers, Yes};
use stanch::config::{Guards, Role};
use stanch::domain::secret::SecretString;
use stanch::domain::{Clock, Random};
use stanch::engine::{Applier, Notice, Patience, PlanRequest, Planner, StopSignal, Watcher};
use stanch::graph::{Connection, ConnectionSettings};
use stanch::plan::{Delivery, Plan};
use stanch::run::{HandedOver, Run};
use stanch::seal::{Handover, HandoverError, Parcel};
use stanch::store::SqliteStore;
use stanch::transport::{OsRandom, SocketTransport, SystemClock, Transport as _};

/// The reference case, as text.
pub fn reference_case() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mock-graph/cases/bec-node-fetch/tenant.json");
    std::fs::read_to_string(path).unwrap()
}

struct Nobody;

impl Handover for Nobody {
    fn ready(&self, _: &Parcel<'_>, _: &Delivery) -> Result<(), HandoverError> {
        Ok(())
    }

    fn hand_over(&self, _: &Parcel<'_>, _: &Delivery, _: &SecretString) -> Result<HandedOver, HandoverError> {
        Ok(HandedOver::Shown)
    }
}

impl Watcher for Nobody {
    fn notice(&self, _: &Notice) {}
}

/// One call that the mock answered.
#[derive(Clone, Debug)]
pub struct Call {
    pub start_ms: u64,
    pub end_ms: u64,
    pub path: String,
    pub app_id: String,
    pub status: u64,
}

/// A tenant with stanch beside it.
pub struct Tenant {
    running: Running,
    file: Value,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    guards: Guards,
}

impl Tenant {
    pub async fn start(file: &str, settings: Settings) -> Self {
        let mock = MockGraph::with_settings(file, settings).unwrap();
        Self {
            running: mock.start().await.unwrap(),
            file: serde_json::from_str(file).unwrap(),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            guards: Guards {
                emergency_accounts: vec![
                    "emergency.access.one@contoso.onmicrosoft.com".to_owned(),
                    "emergency.access.two@contoso.onmicrosoft.com".to_owned(),
                ],
                ..Guards::default()
            },
        }
    }

    fn connect(&self, app: usize) -> Connection {
        let own = &self.file["applications"][app];
        let word = |key: &str| own[key].as_str().unwrap().to_owned();
        let base = self.running.base_url();
        let settings = ConnectionSettings::new(
            &base,
            &base,
            self.file["tenant"]["id"].as_str().unwrap(),
            &word("appId"),
            SecretString::from(word("clientSecret")),
        );
        let transport = Arc::new(SocketTransport::new().unwrap());
        Connection::new(transport, Arc::clone(&self.clock), Arc::clone(&self.random), settings)
    }

    /// Plans a shipped playbook for the reference case's victim, on a connection of its own.
    pub async fn plan(&self, playbook: &str) -> Plan {
        let planner = Planner {
            reader: self.connect(1).reader(),
            signed_in_as: Role::Observer,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            guards: self.guards.clone(),
            recipients: Vec::new(),
            record: None,
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
            webhook: None,
            notes: Vec::new(),
            alert: None,
        };
        planner.plan(request).await.unwrap()
    }

    /// Applies a plan, on a connection of its own.
    pub async fn apply(&self, plan: Plan) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let (_sender, stop) = StopSignal::new();
        let applier = Applier {
            connection: self.connect(0),
            store: Arc::new(SqliteStore::open(&folder.path().join("stanch.db")).unwrap()),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            handover: Arc::new(Nobody),
            watcher: Arc::new(Nobody),
            patience: Patience::default(),
            guards: self.guards.clone(),
            operator: None,
            signers: Signers::default(),
            stop,
        };
        let at = self.clock.now();
        let consent = Consent::Flag(Yes {
            digest: plan.digest,
            by: "bench".to_owned(),
            at,
            expires_at: at + Duration::from_mins(10),
        });
        applier.apply(plan, consent).await.unwrap().run().clone()
    }

    /// All calls so far, in the order in which they came.
    pub async fn calls(&self) -> Vec<Call> {
        let request = http::Request::get(format!("{}/_mock/requests", self.running.base_url()))
            .body(Vec::new())
            .unwrap();
        let answer = SocketTransport::new().unwrap().send(request).await.unwrap();
        String::from_utf8(answer.into_body())
            .unwrap()
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let number = |key: &str| line[key].as_u64().unwrap();
                let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                Call {
                    start_ms: number("start_ms"),
                    end_ms: number("end_ms"),
                    path: word("path"),
                    app_id: word("app_id"),
                    status: number("status"),
                }
            })
            .collect()
    }
}
