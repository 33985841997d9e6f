//! Webhooks: who is let in, what is taken once, and that an alert becomes a plan which waits for a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use stanch::alert::NamedUser;
use stanch::config::{Guards, Mode, Pointers, Webhook, WebhookAuth};
use stanch::domain::secret::SecretString;
use stanch::domain::{BoxFuture, PlanId, UserId};
use stanch::engine::StopSignal;
use stanch::plan::Plan;
use stanch::run::Verdict;
use stanch::server::{Hook, Rate, Server, Worker, router};
use stanch::store::{
    Accepted, AlertRow, CaseRow, CaseState, ClaimedCase, Held, Inbox, NewAlert, SqliteStore, Store,
    StoreError, Subject,
};
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::alert::sample;
use crate::world::{World, bound};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    let key = engine.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", engine.encode(mac.finalize().into_bytes()))
}

fn webhook(source: &str, kind: &str, mode: Mode) -> Webhook {
    Webhook {
        source: source.to_owned(),
        auth: WebhookAuth { kind: kind.to_owned(), secrets: vec!["env:X".to_owned()] },
        playbook: Some("bec".to_owned()),
        mode,
        when: BTreeMap::new(),
        ignore_when: BTreeMap::new(),
        pointers: Pointers::default(),
    }
}

/// The server over a store, and the mock tenant behind its worker.
struct Desk {
    world: World,
    inbox: Arc<dyn Inbox>,
    router: axum::Router,
    wake: Arc<Notify>,
}

/// What a request was answered with.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn plan(&self) -> String {
        assert_eq!(self.status, 202, "{self:?}");
        self.json()["plans"][0].as_str().unwrap().to_owned()
    }
}

impl Desk {
    fn new() -> Self {
        Self::over(World::case("bec-node-fetch"), None)
    }

    fn over(world: World, inbox: Option<Arc<dyn Inbox>>) -> Self {
        let plain = webhook("generic", "standard-webhooks", Mode::Plan);
        let hooks = vec![
            ("siem", plain.clone(), SECRET),
            ("insight", webhook("insightidr", "bearer", Mode::Plan), TOKEN),
            ("bearer", webhook("generic", "bearer", Mode::Plan), TOKEN),
            ("watch", webhook("generic", "bearer", Mode::Record), TOKEN),
            (
                "scripted",
                Webhook {
                    when: BTreeMap::from([("user_agents".to_owned(), vec!["node-fetch*".to_owned()])]),
                    ignore_when: BTreeMap::from([("/source".to_owned(), vec!["test".to_owned()])]),
                    ..webhook("generic", "bearer", Mode::Plan)
                },
                TOKEN,
            ),
        ];
        let now = world.clock.now();
        let hooks = hooks
            .into_iter()
            .map(|(name, webhook, secret)| {
                let mut secrets = vec![("a test".to_owned(), SecretString::from(secret))];
                if name == "siem" {
                    secrets.push(("a test".to_owned(), SecretString::from(OTHER)));
                }
                Hook::new(name, &webhook, &secrets, Some(bound("bec")), now).unwrap()
            })
            .collect();
        Self::with_hooks(world, inbox, hooks)
    }

    fn with_hooks(world: World, inbox: Option<Arc<dyn Inbox>>, hooks: Vec<Hook>) -> Self {
        let inbox = inbox.unwrap_or_else(|| {
            let inbox: Arc<dyn Inbox> = Arc::<dyn Store>::clone(&world.store);
            inbox
        });
        let wake = Arc::new(Notify::new());
        let server = Server::new(
            hooks,
            Arc::clone(&inbox),
            Arc::clone(&world.clock),
            Arc::clone(&world.random),
            &world.guards,
            Arc::clone(&wake),
        );
        Self { router: router(Arc::new(server)), world, inbox, wake }
    }

    fn worker(&self) -> Worker {
        self.worker_called("one")
    }

    fn worker_called(&self, owner: &str) -> Worker {
        let names = ["siem", "insight", "bearer", "scripted"];
        Worker {
            inbox: Arc::clone(&self.inbox),
            planner: self.world.planner(),
            playbooks: names.map(|name| (name.to_owned(), bound("bec"))).into(),
            clock: Arc::clone(&self.world.clock),
            owner: owner.to_owned(),
            wake: Arc::clone(&self.wake),
        }
    }

    async fn send(&self, request: http::Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// A signed alert to `siem`.
    async fn signed(&self, id: &str, body: &[u8]) -> Answer {
        let timestamp = self.world.clock.now().as_second().to_string();
        let signature = signature(SECRET, id, &timestamp, body);
        self.send(signed_request(id, &timestamp, &signature, body)).await
    }

    /// An alert to a webhook that takes a token.
    async fn with_token(&self, name: &str, body: &[u8]) -> Answer {
        self.send(token_request(name, "application/json", body)).await
    }

    async fn plans(&self) -> usize {
        self.world.store.waiting_plans(Timestamp::MIN).await.unwrap().len()
    }

    async fn cases(&self) -> Vec<CaseRow> {
        self.inbox.cases(Timestamp::MIN).await.unwrap()
    }

    async fn work_off(&self) {
        let worker = self.worker();
        while worker.work_once().await.unwrap() {}
    }
}

fn signed_request(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> http::Request<Body> {
    http::Request::post("/webhooks/siem")
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Body::from(body.to_vec()))
        .unwrap()
}

fn token_request(name: &str, content_type: &str, body: &[u8]) -> http::Request<Body> {
    http::Request::post(format!("/webhooks/{name}"))
        .header("content-type", content_type)
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Body::from(body.to_vec()))
        .unwrap()
}

/// An alert about the reference case's victim, as the log bears it out.
fn alert(id: &str, user: &str) -> Vec<u8> {
    json!({
        "schema": "stanch/alert/v1", "id": id, "title": "Scripted user agent", "severity": "high",
        "user": { "upn": user },
        "indicators": { "user_agents": ["node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"] },
    })
    .to_string()
    .into_bytes()
}

const LYNNE: &str = "lynne.robbins@contoso.com";

#[tokio::test(start_paused = true)]
async fn an_address_that_proves_nothing_again_and_again_is_put_off_and_nobody_else_is() {
    let desk = Desk::new();
    let from = |address: &str, mut request: http::Request<Body>| {
        let source: std::net::SocketAddr = format!("{address}:4711").parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(source));
        request
    };
    let body = |number: usize| alert(&format!("a{number}"), LYNNE);
    let (guesser, sender) = ("203.0.113.9", "198.51.100.7");
    // Whoever proves who they are may bring as many as they like.
    for number in 0..25 {
        let request = token_request("watch", "application/json", &body(number));
        assert_eq!(desk.send(from(sender, request)).await.status, 202);
    }
    let guess = || {
        let mut request = token_request("watch", "application/json", &body(99));
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Bearer guess"));
        request
    };
    for _ in 0..20 {
        assert_eq!(desk.send(from(guesser, guess())).await.status, 401);
    }
    // A whole load balancer has one address: what proves itself passes all the same.
    let genuine = token_request("watch", "application/json", &body(40));
    assert_eq!(desk.send(from(guesser, genuine)).await.status, 202);
    let (own, timestamp) = (body(41), desk.world.clock.now().as_second().to_string());
    let proof = signature(SECRET, "msg_41", &timestamp, &own);
    let genuine = signed_request("msg_41", &timestamp, &proof, &own);
    assert_eq!(desk.send(from(guesser, genuine)).await.status, 202);
    let forged = signed_request("msg_42", &timestamp, &proof, &own);
    assert_eq!(desk.send(from(guesser, forged)).await.status, 429);
    let put_off = desk.send(from(guesser, guess())).await;
    assert_eq!((put_off.status, put_off.headers["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(put_off.body, "");
    let unknown = http::Request::post("/webhooks/none").body(Body::empty()).unwrap();
    assert_eq!(
        desk.send(from(guesser, unknown)).await.status,
        429,
        "which webhooks there are is not told either"
    );
    let request = token_request("watch", "application/json", &body(30));
    assert_eq!(desk.send(from(sender, request)).await.status, 202);
    desk.world.clock.sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(desk.send(from(guesser, guess())).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn every_vector_is_judged_as_it_says_and_no_changed_byte_passes() {
    let vectors: Value = serde_json::from_slice(&sample("signature-vectors.json")).unwrap();
    for (family, rows) in [("webhook", "standard_webhooks"), ("svix", "svix_headers")] {
        for row in vectors[rows].as_array().unwrap() {
            let text = |key: &str| row[format!("{family}-{key}")].as_str().unwrap().to_owned();
            let body = row["body_file"]
                .as_str()
                .map_or_else(|| row["body"].as_str().unwrap().as_bytes().to_vec(), sample);
            let secret = [("x".to_owned(), SecretString::from(row["secret"].as_str().unwrap()))];
            let auth = stanch::server::Auth::new("standard-webhooks", &secret).unwrap();
            let now = Timestamp::from_second(text("timestamp").parse().unwrap()).unwrap();
            let judge = |id: &str, timestamp: &str, signature: &str, body: &[u8]| {
                let headers: http::HeaderMap =
                    [("id", id), ("timestamp", timestamp), ("signature", signature)]
                        .map(|(name, value)| {
                            (format!("{family}-{name}").parse().unwrap(), value.parse().unwrap())
                        })
                        .into_iter()
                        .collect();
                auth.verify(&headers, body, now).is_ok()
            };
            let (id, timestamp, signature) = (text("id"), text("timestamp"), text("signature"));
            assert_eq!(judge(&id, &timestamp, &signature, &body), row["valid"], "{row}");
            for place in 0..body.len() {
                let mut changed = body.clone();
                changed[place] ^= 1;
                assert!(!judge(&id, &timestamp, &signature, &changed), "body byte {place}: {row}");
            }
            for place in 0..id.len() {
                let changed = flipped(&id, place);
                assert!(!judge(&changed, &timestamp, &signature, &body), "id {changed}");
            }
            for place in 0..timestamp.len() {
                let changed = flipped(&timestamp, place);
                assert!(!judge(&id, &changed, &signature, &body), "timestamp {changed}");
            }
            // Of several signatures the last is the right one.
            let last = signature.rfind("v1,").unwrap();
            for place in last..signature.len() - 1 {
                let changed = flipped(&signature, place);
                assert!(!judge(&id, &timestamp, &changed, &body), "signature {changed}");
            }
        }
    }
}

/// The text with one character made another of the same kind.
fn flipped(text: &str, place: usize) -> String {
    let other = |letter: char| match letter {
        '9' | 'z' | 'Z' => char::from(u8::try_from(u32::from(letter)).unwrap() - 1),
        letter if letter.is_ascii_alphanumeric() => char::from(u8::try_from(u32::from(letter)).unwrap() + 1),
        _ => 'x',
    };
    text.chars().enumerate().map(|(at, letter)| if at == place { other(letter) } else { letter }).collect()
}

#[tokio::test(start_paused = true)]
async fn a_timestamp_may_be_three_hundred_seconds_off_and_no_more() {
    let desk = Desk::new();
    let body = alert("a1", LYNNE);
    for (off, status) in [(-301, 401), (-300, 202), (0, 202), (300, 202), (301, 401)] {
        let timestamp = (desk.world.clock.now().as_second() + off).to_string();
        let id = format!("msg_{}", off + 1_000);
        let request = signed_request(&id, &timestamp, &signature(SECRET, &id, &timestamp, &body), &body);
        assert_eq!(desk.send(request).await.status, status, "{off}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_secrets_of_a_rotation_are_good_and_a_third_is_not() {
    let desk = Desk::new();
    let body = alert("a1", LYNNE);
    let timestamp = desk.world.clock.now().as_second().to_string();
    let third = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (place, (secret, status)) in [(SECRET, 202), (OTHER, 202), (third, 401)].into_iter().enumerate() {
        let id = format!("msg_{place}");
        let request = signed_request(&id, &timestamp, &signature(secret, &id, &timestamp, &body), &body);
        assert_eq!(desk.send(request).await.status, status, "{secret}");
    }
}

type Change<'c> = &'c dyn Fn(&mut http::HeaderMap);

#[tokio::test(start_paused = true)]
async fn who_is_turned_away_learns_nothing_and_burns_no_id() {
    let desk = Desk::new();
    let body = alert("a1", LYNNE);
    let timestamp = desk.world.clock.now().as_second().to_string();
    let good = signature(SECRET, "msg_1", &timestamp, &body);
    let with = |change: &dyn Fn(&mut http::HeaderMap)| {
        let mut request = signed_request("msg_1", &timestamp, &good, &body);
        change(request.headers_mut());
        request
    };
    let twice = |headers: &mut http::HeaderMap| {
        headers.append("webhook-id", "msg_1".parse().unwrap());
    };
    let forged = |headers: &mut http::HeaderMap| {
        headers.insert("webhook-signature", signature(OTHER, "msg_2", &timestamp, &body).parse().unwrap());
    };
    let missing = |headers: &mut http::HeaderMap| {
        headers.remove("webhook-timestamp");
    };
    let negative = |headers: &mut http::HeaderMap| {
        headers.insert("webhook-timestamp", format!("+{timestamp}").parse().unwrap());
    };
    let unsigned = |headers: &mut http::HeaderMap| headers.clear();
    let changes: [(Change<'_>, u16); 5] =
        [(&twice, 401), (&forged, 401), (&missing, 401), (&negative, 401), (&unsigned, 415)];
    for (change, status) in changes {
        let answer = desk.send(with(change)).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{answer:?}");
    }
    for (name, token) in
        [("bearer", "x".repeat(32)), ("bearer", format!("{TOKEN} ")), ("siem", TOKEN.to_owned())]
    {
        let mut request = token_request(name, "application/json", &body);
        request.headers_mut().insert("authorization", format!("Basic {token}").parse().unwrap());
        assert_eq!(desk.send(request).await.status, 401, "{name}");
        let mut request = token_request(name, "application/json", &body);
        request.headers_mut().insert("authorization", format!("Bearer {token}x").parse().unwrap());
        assert_eq!(desk.send(request).await.status, 401, "{name}");
    }
    assert!(desk.cases().await.is_empty() && desk.world.requests().await.is_empty());
    assert_eq!(desk.send(with(&|_| {})).await.status, 202, "the forged tries burnt the id");
}

#[tokio::test(start_paused = true)]
async fn a_body_is_bounded_typed_and_read_in_one_way_only() {
    let desk = Desk::new();
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(2 << 20)).into_bytes();
    assert_eq!(desk.with_token("bearer", &large).await.status, 413);
    let limit = [b"{\"schema\":\"", "z".repeat((1 << 20) - 13).as_bytes(), b"\"}"].concat();
    assert_eq!(limit.len(), 1 << 20);
    assert_eq!(desk.with_token("bearer", &limit).await.status, 422, "a body at the limit is read");
    for row in
        serde_json::from_slice::<Value>(&sample("edge-cases.json")).unwrap()["bodies"].as_array().unwrap()
    {
        let body = match (row["body"].as_str(), row["size"].as_u64()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(size)) => vec![b'x'; usize::try_from(size).unwrap()],
            (None, None) => "[".repeat(200).into_bytes(),
        };
        let wanted = match &row["expect"] {
            Value::Number(status) => u16::try_from(status.as_u64().unwrap()).unwrap(),
            text if text.as_str().unwrap().starts_with("422") => 422,
            _ => 400,
        };
        assert_eq!(desk.with_token("bearer", &body).await.status, wanted, "{row}");
    }
    for (content_type, status) in [
        ("application/json; charset=utf-8", 202),
        ("text/plain", 202),
        ("application/x-www-form-urlencoded", 400),
        ("application/xml", 415),
        ("multipart/form-data", 415),
        ("", 415),
    ] {
        let request = token_request("bearer", content_type, &alert("a1", LYNNE));
        assert_eq!(desk.send(request).await.status, status, "{content_type}");
    }
    let mut encoded = token_request("bearer", "application/json", &alert("a2", LYNNE));
    encoded.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(desk.send(encoded).await.status, 415);
    let form = token_request(
        "insight",
        "application/x-www-form-urlencoded",
        &sample("insightidr-log-webhook.form.txt"),
    );
    assert_eq!(desk.send(form).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn other_paths_and_methods_change_nothing() {
    let desk = Desk::new();
    for (method, path, status) in [
        ("GET", "/webhooks/siem", 405),
        ("HEAD", "/webhooks/siem", 405),
        ("PUT", "/webhooks/siem", 405),
        ("POST", "/webhooks/nobody", 404),
        ("POST", "/webhooks/siem/more", 404),
        ("GET", "/", 404),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("POST", "/healthz", 405),
    ] {
        let request = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(desk.send(request).await.status, status, "{method} {path}");
    }
    assert!(desk.cases().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_alert_becomes_a_plan_that_waits_and_then_contains() {
    let desk = Desk::new();
    let answer = desk.signed("msg_1", &alert("a1", LYNNE)).await;
    let plan = answer.plan();
    assert!(!answer.headers.contains_key("location"), "{answer:?}");
    assert!(desk.world.requests().await.is_empty(), "the sender was made to wait for Graph");
    let early = desk.world.store.find_plan(&plan).await.unwrap_err();
    assert_eq!(early.code(), "no_plan_yet");
    desk.work_off().await;
    let waiting = desk.world.store.waiting_plans(Timestamp::MIN).await.unwrap();
    assert_eq!((waiting[0].plan.as_str(), waiting[0].webhook.as_deref()), (plan.as_str(), Some("siem")));
    assert!(desk.world.writes().await.is_empty(), "a plan from an alert wrote");
    let plan = desk.world.store.find_plan(&plan).await.unwrap();
    assert_eq!(plan.requested_by.webhook.as_deref(), Some("siem"));
    assert_eq!(desk.world.apply(&plan).await.verdict, Verdict::Contained);
    assert_eq!(desk.world.attempt(json!({})).await["in"], false);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_identical_alerts_at_once_are_one_plan() {
    let desk = Arc::new(Desk::new());
    let body = alert("a1", LYNNE);
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let (desk, body) = (Arc::clone(&desk), body.clone());
        sending.spawn(async move { desk.signed("msg_1", &body).await });
    }
    let answers = sending.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.status == 202), "{:?}", answers[0]);
    desk.work_off().await;
    assert_eq!((desk.plans().await, desk.cases().await.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_known_again_after_a_restart_and_for_a_week() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.db");
    let open = || -> Arc<dyn Inbox> { Arc::new(SqliteStore::open(&path).unwrap()) };
    let world = World::case("bec-node-fetch");
    let clock = Arc::clone(&world.clock);
    let first = Desk::over(world, Some(open()));
    let answer = first.signed("msg_1", &alert("a1", LYNNE)).await;
    let Desk { world, .. } = first;
    // The same store, opened again by a process that knows nothing.
    let again = Desk::over(world, Some(open()));
    assert_eq!(again.signed("msg_1", &alert("a1", LYNNE)).await, answer);
    clock.sleep(Duration::from_hours(7 * 24 - 1)).await;
    assert_eq!(again.signed("msg_1", &alert("a1", LYNNE)).await, answer);
    assert_eq!(again.cases().await.len(), 1);
    clock.sleep(Duration::from_hours(2)).await;
    assert_ne!(again.signed("msg_1", &alert("a1", LYNNE)).await, answer);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_is_planned_by_whoever_starts_next() {
    let desk = Desk::new();
    let plan = desk.signed("msg_1", &alert("a1", LYNNE)).await.plan();
    // A process that claims the case and dies.
    let now = desk.world.clock.now();
    let claimed = desk.inbox.claim("dead", now, now + Duration::from_mins(2)).await.unwrap().unwrap();
    assert_eq!(claimed.id.as_str(), plan);
    assert!(!desk.worker().work_once().await.unwrap(), "a case that is worked on was taken away");
    let (stop, signal) = StopSignal::new();
    let worker = desk.worker();
    let mut running = tokio::task::JoinSet::new();
    running.spawn(async move { worker.run(signal).await });
    while desk.plans().await == 0 {
        desk.world.clock.sleep(Duration::from_secs(1)).await;
    }
    stop.send(true).unwrap();
    running.join_all().await;
    assert_eq!(desk.world.store.find_plan(&plan).await.unwrap().id.as_str(), plan);
    // Whoever died wakes up again: the case is no longer his.
    assert!(!desk.inbox.renew(&claimed.id, "dead", now + Duration::from_hours(9)).await.unwrap());
    assert!(
        !desk
            .inbox
            .hold(&claimed.id, "dead", Held { why: "x".to_owned(), next: "y".to_owned() })
            .await
            .unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn many_alerts_about_one_user_are_one_case_in_whatever_spelling() {
    let desk = Desk::new();
    let first = desk.signed("msg_1", &alert("a1", LYNNE)).await.plan();
    let same = desk.signed("msg_2", &alert("a2", "Lynne.Robbins@contoso.com")).await.plan();
    assert_eq!(first, same);
    let id = desk.world.user_id(LYNNE);
    let by_id = json!({ "schema": "stanch/alert/v1", "id": "a3", "user": { "id": id } }).to_string();
    let other = desk.signed("msg_3", by_id.as_bytes()).await.plan();
    assert_ne!(first, other, "who that is only the tenant knows");
    desk.work_off().await;
    assert_eq!(desk.plans().await, 1);
    let cases = desk.cases().await;
    assert_eq!(cases.iter().find(|row| row.id.as_str() == first).unwrap().alerts, 2);
    let joined = cases.iter().find(|row| row.id.as_str() == other).unwrap();
    assert_eq!(
        (joined.state, joined.joined_to.as_ref().map(PlanId::as_str)),
        (CaseState::Joined, Some(first.as_str()))
    );
    let error = desk.world.store.find_plan(&other).await.unwrap_err();
    assert!(error.hint().unwrap().contains(&first), "{error}");
    // After the cool-down it may be a new intrusion.
    desk.world.clock.sleep(Duration::from_mins(31)).await;
    assert_ne!(desk.signed("msg_4", &alert("a4", LYNNE)).await.plan(), first);
}

#[tokio::test(start_paused = true)]
async fn several_users_are_a_case_each_and_nobody_waits_for_a_person() {
    let desk = Desk::new();
    let body = |users: Value| json!({ "schema": "stanch/alert/v1", "users": users }).to_string();
    let two = desk.signed("msg_1", body(json!([LYNNE, "grady.archie@contoso.com"])).as_bytes()).await;
    assert_eq!(two.json()["plans"].as_array().unwrap().len(), 2);
    for (id, users) in [
        ("msg_2", json!([])),
        ("msg_3", json!(["Lynne Robbins"])),
        ("msg_4", json!(["nobody@contoso.com"])),
        ("msg_5", json!((0..21).map(|place| format!("u{place}@contoso.com")).collect::<Vec<_>>())),
    ] {
        let answer = desk.signed(id, body(users).as_bytes()).await;
        assert_eq!(answer.json()["plans"].as_array().unwrap().len(), 1, "{id}");
    }
    desk.work_off().await;
    assert_eq!(desk.plans().await, 2);
    let held: Vec<CaseRow> =
        desk.cases().await.into_iter().filter(|row| row.state == CaseState::Held).collect();
    assert_eq!(held.len(), 4);
    for row in held {
        assert!(row.why.is_some() && row.next.is_some(), "{row:?}");
        let error = desk.world.store.find_plan(row.id.as_str()).await.unwrap_err();
        assert!(error.to_string().contains("waits for a person"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_users_stops_at_the_limit_and_says_so() {
    let mut world = World::case("bec-node-fetch");
    world.guards = Guards { max_subjects_per_hour: 2, ..world.guards };
    let desk = Desk::over(world, None);
    for place in 0..5 {
        let user = format!("user{place}@contoso.com");
        let answer = desk.signed(&format!("msg_{place}"), &alert(&format!("a{place}"), &user)).await;
        assert_eq!(answer.status, 202, "a flood is written down");
    }
    let states: Vec<CaseState> = desk.cases().await.iter().rev().map(|row| row.state).collect();
    assert_eq!(states[..2], [CaseState::Ready, CaseState::Ready]);
    assert!(states[2..].iter().all(|state| *state == CaseState::Held), "{states:?}");
    desk.world.clock.sleep(Duration::from_mins(61)).await;
    desk.signed("msg_9", &alert("a9", "user9@contoso.com")).await;
    assert_eq!(desk.cases().await[0].state, CaseState::Ready, "an hour later there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_brings_too_much_is_asked_to_wait() {
    let world = World::case("bec-node-fetch");
    let now = world.clock.now();
    let secret = [("a test".to_owned(), SecretString::from(TOKEN))];
    let hook = Hook::new("bearer", &webhook("generic", "bearer", Mode::Record), &secret, None, now)
        .unwrap()
        .with_rate(Rate::new(2, 1, now));
    let desk = Desk::with_hooks(world, None, vec![hook]);
    let mut answers = Vec::new();
    for place in 0..3 {
        answers.push(desk.with_token("bearer", &alert(&format!("a{place}"), LYNNE)).await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [202, 202, 429]);
    assert!(answers[2].headers.contains_key("retry-after"));
}

#[tokio::test(start_paused = true)]
async fn what_is_over_ignored_or_only_watched_is_written_down_and_starts_nothing() {
    let desk = Desk::new();
    let mut over: Value = serde_json::from_slice(&alert("a1", LYNNE)).unwrap();
    over["state"] = json!("resolved");
    let mut other_agent: Value = serde_json::from_slice(&alert("a2", LYNNE)).unwrap();
    other_agent["indicators"]["user_agents"] = json!(["Mozilla/5.0"]);
    let mut test: Value = serde_json::from_slice(&alert("a3", LYNNE)).unwrap();
    test["source"] = json!("TEST");
    for (name, body, outcome) in [
        ("bearer", over, "resolved"),
        ("scripted", other_agent, "ignored"),
        ("scripted", test, "ignored"),
        ("watch", serde_json::from_slice(&alert("a4", LYNNE)).unwrap(), "recorded"),
    ] {
        let answer = desk.with_token(name, body.to_string().as_bytes()).await;
        assert_eq!(answer.json()["plans"], json!([]), "{outcome}");
        assert_eq!(desk.inbox.alerts(Timestamp::MIN).await.unwrap()[0].outcome.as_str(), outcome);
        // The clock stands still in this test: the next one is later.
        desk.world.clock.sleep(Duration::from_secs(1)).await;
    }
    assert!(desk.cases().await.is_empty());
    assert_eq!(
        desk.with_token("scripted", &alert("a5", LYNNE)).await.json()["plans"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_does_not_answer_is_tried_again_and_then_a_person_is_asked() {
    let desk = Desk::new();
    desk.world
        .faults(json!([{ "path": "/v1.0/*", "times": null, "fault": { "kind": "status", "status": 503 } }]))
        .await;
    let plan = desk.signed("msg_1", &alert("a1", LYNNE)).await.plan();
    let worker = desk.worker();
    assert!(worker.work_once().await.unwrap());
    let row = desk.cases().await.remove(0);
    assert_eq!(row.state, CaseState::Ready);
    assert!(row.why.is_some(), "{row:?}");
    assert!(!worker.work_once().await.unwrap(), "it was tried again at once");
    desk.world.faults(json!([])).await;
    desk.world.clock.sleep(Duration::from_secs(11)).await;
    assert!(worker.work_once().await.unwrap());
    assert_eq!(desk.world.store.find_plan(&plan).await.unwrap().id.as_str(), plan);
}

/// A store that takes its time, or cannot be written to.
struct Slow {
    inbox: Arc<dyn Inbox>,
    takes: Duration,
    fails: bool,
    clock: Arc<dyn stanch::domain::Clock>,
}

impl Inbox for Slow {
    fn accept(&self, alert: NewAlert) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        Box::pin(async move {
            if self.fails {
                return Err(StoreError::Gone);
            }
            let accepted = self.inbox.accept(alert).await;
            self.clock.sleep(self.takes).await;
            accepted
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.clock.sleep(self.takes).await;
            if self.fails { Err(StoreError::Gone) } else { Ok(()) }
        })
    }

    fn claim<'a>(
        &'a self,
        owner: &'a str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<Option<ClaimedCase>, StoreError>> {
        self.inbox.claim(owner, now, lease_until)
    }

    fn renew<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inbox.renew(case, owner, lease_until)
    }

    fn name_subject<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        subject: &'a UserId,
        since: Timestamp,
    ) -> BoxFuture<'a, Result<Subject, StoreError>> {
        self.inbox.name_subject(case, owner, subject, since)
    }

    fn plan_case<'a>(&'a self, owner: &'a str, plan: &'a Plan) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inbox.plan_case(owner, plan)
    }

    fn hold<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        held: Held,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inbox.hold(case, owner, held)
    }

    fn put_back<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        run_at: Timestamp,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inbox.put_back(case, owner, run_at, why)
    }

    fn cases(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<CaseRow>, StoreError>> {
        self.inbox.cases(since)
    }

    fn alerts(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<AlertRow>, StoreError>> {
        self.inbox.alerts(since)
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow_or_full_makes_the_sender_try_again_and_nothing_is_doubled() {
    for (takes, fails, status, ready) in [(1, false, 202, 200), (4, false, 503, 503), (0, true, 503, 503)] {
        let world = World::case("bec-node-fetch");
        let inbox: Arc<dyn Inbox> = Arc::<dyn Store>::clone(&world.store);
        let slow = Slow { inbox, takes: Duration::from_secs(takes), fails, clock: Arc::clone(&world.clock) };
        let desk = Desk::over(world, Some(Arc::new(slow)));
        let before = desk.world.clock.now();
        let answer = desk.signed("msg_1", &alert("a1", LYNNE)).await;
        assert_eq!(answer.status, status, "{takes} s");
        let waited = desk.world.clock.now().duration_since(before);
        assert!(
            waited < jiff::SignedDuration::from_secs(3),
            "the shortest patience of a sender is 3 s: {waited}"
        );
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
        let request = http::Request::get("/readyz").body(Body::empty()).unwrap();
        assert_eq!(desk.send(request).await.status, ready, "{takes} s");
        desk.signed("msg_1", &alert("a1", LYNNE)).await;
        assert_eq!(desk.cases().await.len(), usize::from(!fails), "{takes} s");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_served_are_refused_with_what_to_do() {
    let now = Timestamp::UNIX_EPOCH;
    let make = |webhook: &Webhook, secret: &str| {
        let secrets = [("the file `x`".to_owned(), SecretString::from(secret))];
        Hook::new("siem", webhook, &secrets, None, now).map(|_| ()).unwrap_err()
    };
    let plain = webhook("generic", "bearer", Mode::Plan);
    let with = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), vec![value.to_owned()])]);
    for (webhook, secret, told) in [
        (webhook("generic", "bearer", Mode::Auto), TOKEN, "`mode = \"auto\"`"),
        (webhook("splunk", "bearer", Mode::Plan), TOKEN, "no sender is called `splunk`"),
        (webhook("generic", "basic", Mode::Plan), TOKEN, "`basic`"),
        (plain.clone(), "short", "fewer than 32"),
        (webhook("generic", "standard-webhooks", Mode::Plan), "whsec_c2hvcnQ=", "the file `x` holds no key"),
        (Webhook { when: with("agents", "x"), ..plain.clone() }, TOKEN, "`when` knows no `agents`"),
        (Webhook { when: with("ips", "1.2.3"), ..plain.clone() }, TOKEN, "`1.2.3`"),
        (Webhook { when: with("severities", "bad"), ..plain.clone() }, TOKEN, "`bad`"),
        (Webhook { ignore_when: with("state", "x"), ..plain.clone() }, TOKEN, "`ignore_when`"),
        (
            Webhook {
                pointers: Pointers { id: Some("/id".to_owned()), ..Pointers::default() },
                ..webhook("insightidr", "bearer", Mode::Plan)
            },
            TOKEN,
            "pointers",
        ),
    ] {
        let error = make(&webhook, secret);
        assert!(error.to_string().contains(told), "{told}: {error}");
        assert!(error.hint().is_some(), "{error}");
        assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
    }
}

#[test]
fn a_named_user_is_shown_by_the_name_that_people_know() {
    let accounts = vec![
        stanch::alert::Account::Id("6ed5d1bf-e585-452f-ac95-4ab592c9357d".parse().unwrap()),
        stanch::alert::Account::Upn(LYNNE.parse().unwrap()),
    ];
    assert_eq!(NamedUser { accounts, unusable: Vec::new() }.shown(), LYNNE);
}
