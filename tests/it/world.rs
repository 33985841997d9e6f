//! The front door of the tests: a mock tenant in-process, and stanch's planner and applier over its router.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::body::Body;
use jiff::Timestamp;
use mock_graph::{ConnectionReset, MockGraph, Settings};
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use stanch::approval::{Consent, Signers, Yes};
use stanch::config::Guards;
use stanch::domain::secret::{ExposeSecret as _, SecretString};
use stanch::domain::{BoxFuture, Clock, Random};
use stanch::engine::{
    Applied, Applier, ApplyError, Notice, Patience, PlanError, PlanRequest, Planner, StopSignal, Verifier,
    VerifyError, Watcher,
};
use stanch::graph::{Connection, ConnectionSettings};
use stanch::plan::{Delivery, Plan};
use stanch::playbook::{BoundPlaybook, Playbook};
use stanch::run::{ActionRecord, HandedOver, Run, Verification};
use stanch::seal::{Handover, HandoverError, Parcel, Recipient};
use stanch::store::{SqliteStore, Store};
use stanch::transport::{Transport, TransportError};
use tower::ServiceExt as _;

/// Where the mock answers in-process.
pub const BASE: &str = "http://127.0.0.1:1";

/// The mock's router as a transport: no sockets, so paused time runs.
pub struct RouterTransport(pub axum::Router);

impl Transport for RouterTransport {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, TransportError>> {
        let router = self.0.clone();
        Box::pin(async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let no_answer = |source: Box<dyn std::error::Error + Send + Sync>| TransportError::NoAnswer {
                method,
                path,
                source,
            };
            let mut request = request.map(Body::from);
            if let Some(authority) = request.uri().authority().cloned() {
                request.headers_mut().insert("host", authority.as_str().parse().unwrap());
            }
            let response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<ConnectionReset>().is_some() {
                return Err(no_answer("connection reset".into()));
            }
            let (parts, body) = response.into_parts();
            match axum::body::to_bytes(body, 64 << 20).await {
                Ok(bytes) => Ok(http::Response::from_parts(parts, bytes.to_vec())),
                Err(error) => Err(no_answer(error.into())),
            }
        })
    }
}

/// A clock that stands still unless something waits.
pub struct TokioClock {
    base: Timestamp,
    start: tokio::time::Instant,
}

impl TokioClock {
    pub fn starting(base: Timestamp) -> Self {
        Self { base, start: tokio::time::Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.base + self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Seeded randomness: the same run twice is the same run.
pub struct Seeded(Mutex<rand::rngs::StdRng>);

impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(buffer);
    }
}

/// Keeps what is handed over, for the test to look at.
#[derive(Default)]
pub struct Kept {
    /// What was handed over, and the secret.
    pub secrets: Mutex<Vec<(String, String)>>,
    /// Nothing can be handed over, and that is known before.
    pub has_no_terminal: AtomicBool,
    /// What is handed over is lost on the way.
    pub breaks: AtomicBool,
}

impl Handover for Kept {
    fn ready(&self, parcel: &Parcel<'_>, _: &Delivery) -> Result<(), HandoverError> {
        if self.has_no_terminal.load(Ordering::Relaxed) {
            return Err(HandoverError::NoTerminal { what: parcel.what() });
        }
        Ok(())
    }

    fn hand_over(
        &self,
        parcel: &Parcel<'_>,
        delivery: &Delivery,
        secret: &SecretString,
    ) -> Result<HandedOver, HandoverError> {
        if self.breaks.load(Ordering::Relaxed) {
            return Err(HandoverError::Unwritable {
                what: parcel.what(),
                source: std::io::ErrorKind::BrokenPipe.into(),
            });
        }
        self.secrets.lock().unwrap().push((parcel.what(), secret.expose_secret().to_owned()));
        Ok(match delivery {
            Delivery::Sealed { recipients } => {
                HandedOver::Sealed { file: "sealed/it.age".to_owned(), recipients: recipients.clone() }
            }
            Delivery::Nobody | Delivery::Terminal => HandedOver::Shown,
        })
    }
}

struct Unwatched;

impl Watcher for Unwatched {
    fn notice(&self, _: &Notice) {}
}

/// A mock tenant and a stanch beside it.
pub struct World {
    pub router: axum::Router,
    pub tenant: Value,
    pub truth: Value,
    pub guards: Guards,
    pub patience: Patience,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub kept: Arc<Kept>,
    pub recipients: Vec<Recipient>,
    /// Holds the store's file for as long as the world lives.
    _folder: tempfile::TempDir,
    pub responder: String,
    pub observer: String,
}

pub fn case_folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mock-graph/cases").join(name)
}

/// A file of a case. The reference tenant is two megabytes, so each file is parsed once for all tests.
fn parsed(path: PathBuf) -> Value {
    static PARSED: LazyLock<Mutex<BTreeMap<PathBuf, Arc<Value>>>> = LazyLock::new(Mutex::default);
    let parse =
        |path: &PathBuf| Arc::new(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
    let own = Arc::clone(PARSED.lock().unwrap().entry(path).or_insert_with_key(parse));
    (*own).clone()
}

/// The tenant file of a case, for a test to change.
pub fn case_tenant(name: &str) -> Value {
    parsed(case_folder(name).join("tenant.json"))
}

/// Who gets the company back in, by the names that the cases give them.
pub fn emergency_accounts(tenant: &Value) -> Vec<String> {
    tenant["users"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|user| user["userPrincipalName"].as_str())
        .filter(|upn| upn.contains("emergency.access") || upn.contains("break.glass"))
        .map(str::to_owned)
        .collect()
}

impl World {
    /// A case by its folder's name.
    pub fn case(name: &str) -> Self {
        Self::case_with(name, |_| {})
    }

    /// A case whose tenant was changed first.
    pub fn case_with(name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut tenant = case_tenant(name);
        change(&mut tenant);
        Self::of(tenant, parsed(case_folder(name).join("truth.json")))
    }

    /// A made case: its tenant and its truth.
    pub fn made(case: mock_graph::GeneratedCase) -> Self {
        Self::of(case.tenant, case.truth)
    }

    /// The same tenant, its app-only reads trailing writes by up to so many seconds, out of order.
    pub fn lagging(self, seconds: u64) -> Self {
        let settings = Settings { lag: Duration::from_secs(seconds), seed: 7, ..Settings::default() };
        let mock = MockGraph::from_value(self.tenant.clone(), settings).unwrap();
        Self { router: mock.router(), ..self }
    }

    /// Any tenant with its truth.
    pub fn of(tenant: Value, truth: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mock = MockGraph::from_value(tenant.clone(), Settings::default()).unwrap();
        let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
        Self {
            router: mock.router(),
            guards: Guards { emergency_accounts: emergency_accounts(&tenant), ..Guards::default() },
            patience: Patience::default(),
            store: Arc::new(store),
            clock: Arc::new(TokioClock::starting(tenant["clock"].as_str().unwrap().parse().unwrap())),
            random: Arc::new(Seeded(Mutex::new(rand::rngs::StdRng::seed_from_u64(7)))),
            kept: Arc::new(Kept::default()),
            recipients: Vec::new(),
            responder: tenant["applications"][0]["appId"].as_str().unwrap().to_owned(),
            observer: tenant["applications"][1]["appId"].as_str().unwrap().to_owned(),
            tenant,
            truth,
            _folder: folder,
        }
    }

    pub fn victim(&self) -> &str {
        self.truth["victims"][0].as_str().unwrap()
    }

    pub fn victim_id(&self) -> String {
        self.user_id(self.victim())
    }

    pub fn user_id(&self, upn: &str) -> String {
        let users = self.tenant["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["userPrincipalName"] == upn).unwrap();
        user["id"].as_str().unwrap().to_owned()
    }

    pub fn connection(&self, app: &str) -> Connection {
        let secret = self.tenant["applications"]
            .as_array()
            .unwrap()
            .iter()
            .find(|own| own["appId"] == app)
            .and_then(|own| own["clientSecret"].as_str())
            .unwrap()
            .to_owned();
        let transport: Arc<dyn Transport> = Arc::new(RouterTransport(self.router.clone()));
        let tenant = self.tenant["tenant"]["id"].as_str().unwrap();
        let settings = ConnectionSettings::new(BASE, BASE, tenant, app, SecretString::from(secret));
        Connection::new(transport, Arc::clone(&self.clock), Arc::clone(&self.random), settings)
    }

    pub fn planner(&self) -> Planner {
        Planner {
            reader: self.connection(&self.observer).reader(),
            signed_in_as: stanch::config::Role::Observer,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            guards: self.guards.clone(),
            recipients: self.recipients.clone(),
            record: Some(Arc::clone(&self.store)),
            valid_for: Duration::from_hours(1),
            skew_stops: false,
        }
    }

    /// What a responder would type for this case: the playbook, the victim, the alert's user agent.
    pub fn request(&self, playbook: &str) -> PlanRequest {
        let agent = self.truth["userAgents"][0].as_str().unwrap_or("none*");
        PlanRequest {
            playbook: bound(playbook),
            user: self.victim().to_owned(),
            since: None,
            ips: Vec::new(),
            user_agents: vec![agent.to_owned()],
            keep: Vec::new(),
            remove: Vec::new(),
            overrides: Vec::new(),
            requested_by: "dana.ito@contoso.com".to_owned(),
            webhook: None,
            notes: Vec::new(),
            alert: None,
        }
    }

    pub async fn plan(&self, playbook: &str) -> Plan {
        self.plan_for(self.request(playbook)).await.unwrap()
    }

    pub async fn plan_for(&self, request: PlanRequest) -> Result<Plan, PlanError> {
        self.planner().plan(request).await
    }

    pub fn applier(&self, stop: StopSignal) -> Applier {
        Applier {
            connection: self.connection(&self.responder),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            handover: self.kept.clone(),
            watcher: Arc::new(Unwatched),
            patience: self.patience,
            guards: self.guards.clone(),
            operator: Some("dana.ito@contoso.com".to_owned()),
            signers: Signers::default(),
            stop,
        }
    }

    pub fn yes(&self, plan: &Plan) -> Consent {
        let at = self.clock.now();
        Consent::Flag(Yes {
            digest: plan.digest,
            by: "dana.ito@contoso.com".to_owned(),
            at,
            expires_at: at + Duration::from_hours(1),
        })
    }

    pub async fn apply(&self, plan: &Plan) -> Run {
        self.try_apply(plan).await.unwrap().run().clone()
    }

    pub async fn try_apply(&self, plan: &Plan) -> Result<Applied, ApplyError> {
        let (_sender, stop) = StopSignal::new();
        self.applier(stop).apply(plan.clone(), self.yes(plan)).await
    }

    /// Looks at the run of a plan again, as `runs verify` does.
    pub async fn verify(&self, plan: &Plan) -> Verification {
        self.try_verify(plan).await.unwrap()
    }

    pub async fn try_verify(&self, plan: &Plan) -> Result<Verification, VerifyError> {
        let run = self.store.run_of_plan(plan.digest).await.unwrap().unwrap();
        let (plan, journal) = self.store.load(&run).await.unwrap();
        let reader = self.connection(&self.observer).reader();
        let verifier = Verifier { reader, clock: Arc::clone(&self.clock) };
        verifier.verify(run, &plan, &journal, Vec::new()).await
    }

    /// Goes on with a tenant that somebody has changed in ways that Graph's own requests do not allow.
    pub async fn change_tenant(&mut self, change: impl FnOnce(&mut Value)) {
        let mut tenant = self.state().await;
        change(&mut tenant);
        self.router = MockGraph::from_value(tenant, Settings::default()).unwrap().router();
    }

    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header("host", "127.0.0.1:1")
            .header("content-type", "application/json")
            .body(Body::from(body.map(|body| body.to_string()).unwrap_or_default()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The mock's request journal.
    pub async fn requests(&self) -> Vec<Value> {
        let (_, text) = self.control("GET", "/_mock/requests", None).await;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The requests that wrote, in the order they came.
    pub async fn writes(&self) -> Vec<Value> {
        self.requests().await.into_iter().filter(|line| line["write"] == true).collect()
    }

    pub async fn digest(&self) -> String {
        self.control("GET", "/_mock/state/digest", None).await.1
    }

    pub async fn state(&self) -> Value {
        serde_json::from_str(&self.control("GET", "/_mock/state", None).await.1).unwrap()
    }

    pub async fn faults(&self, rules: Value) {
        let (status, text) =
            self.control("PUT", "/_mock/faults", Some(json!({ "seed": 7, "rules": rules }))).await;
        assert_eq!(status, 204, "{text}");
    }

    /// Lets the attacker try every way in.
    pub async fn attempt(&self, body: Value) -> Value {
        let name = self.tenant["attackers"][0]["name"].as_str().unwrap();
        let (status, text) =
            self.control("POST", &format!("/_mock/attackers/{name}/attempt"), Some(body)).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Sends a request as some app: the portal's hand in the tests, or a colleague's.
    pub async fn send_as(&self, app: &str, method: &str, path: &str, body: Value) -> u16 {
        let token = self.token(app).await;
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header("host", "127.0.0.1:1")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    async fn token(&self, app: &str) -> String {
        let tenant = self.tenant["tenant"]["id"].as_str().unwrap();
        let applications = self.tenant["applications"].as_array().unwrap();
        let own = applications.iter().find(|own| own["appId"] == app).unwrap();
        let secret = own["clientSecret"].as_str().unwrap();
        let form = format!(
            "client_id={app}&client_secret={secret}&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        let request = http::Request::post(format!("{BASE}/{tenant}/oauth2/v2.0/token"))
            .header("host", "127.0.0.1:1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

/// A shipped playbook with its defaults.
pub fn bound(playbook: &str) -> BoundPlaybook {
    let catalog = stanch::steps::catalog();
    stanch::playbook::load(playbook, &catalog).unwrap().bind(&[], &catalog).unwrap()
}

/// A playbook of these steps, as they stand in a file.
pub fn book(steps: &str) -> BoundPlaybook {
    let text =
        format!("schema: stanch/playbook/v1\nname: one\ntitle: One\nsummary: One step.\nsteps:\n{steps}");
    let catalog = stanch::steps::catalog();
    Playbook::parse("one.yaml", text.as_bytes(), &catalog).unwrap().bind(&[], &catalog).unwrap()
}

/// What became of an action, by its id.
pub fn action<'a>(run: &'a Run, id: &str) -> &'a ActionRecord {
    run.actions.iter().find(|own| own.id.as_str() == id).unwrap()
}

/// The names of the playbooks that come with stanch.
pub fn shipped() -> Vec<String> {
    stanch::playbook::list().into_iter().map(|book| book.name).collect()
}

/// Those of them that leave nobody a way back in, whatever they hold: all but the one that brings the user back, and the
/// one for an intruder who has an app alone.
pub fn containing() -> Vec<String> {
    let leaves_none = |name: &String| {
        let outlook = stanch::engine::outlook_of(&bound(name)).unwrap();
        outlook.is_some_and(|outlook| outlook.way_in.is_none())
    };
    shipped().into_iter().filter(leaves_none).collect()
}
