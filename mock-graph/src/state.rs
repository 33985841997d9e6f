//! The world behind the routes: the tenant now, what it was a moment ago, the journal, the faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tokio::time::Instant;

use crate::api::Fail;
use crate::clock::MockClock;
use crate::faults::{FaultFile, Faults};
use crate::identity::Sessions;
use crate::journal::Line;
use crate::keys::Keys;
use crate::replica::{Aftermath, Replica, View};
use crate::tenant::Tenant;
use crate::throttle::{Asked, MOST_AT_ONCE, Throttle};

/// How the mock behaves beside what the tenant file says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Time that every Graph and token request takes.
    pub latency: Duration,
    /// How far app-only reads may trail writes.
    pub lag: Duration,
    /// Whether the published limits are enforced.
    pub enforce_throttling: bool,
    /// Seed of all chance.
    pub seed: u64,
    /// How long access tokens live, by real time; none: as long as Entra's.
    pub token_lifetime: Option<Duration>,
}

/// The whole mock.
pub struct World {
    /// The tenant's clock.
    pub clock: MockClock,
    /// The key of its tokens.
    pub keys: Keys,
    /// How it behaves.
    pub settings: Settings,
    original: Arc<Tenant>,
    inner: Mutex<Inner>,
    sessions: Mutex<Sessions>,
}

struct Inner {
    present: Arc<Tenant>,
    /// Earlier states, each with the moment when it was replaced.
    history: Vec<(Instant, Arc<Tenant>)>,
    /// What reads see instead, where a fault says so.
    replica: Replica,
    /// Apps whose tokens have ended with their principal.
    ended: Vec<String>,
    journal: Vec<Line>,
    next_seq: u64,
    faults: Faults,
    random: StdRng,
    throttle: Throttle,
    /// Requests to mailboxes that are under way, by app.
    open_at_mailboxes: BTreeMap<String, usize>,
}

impl World {
    /// A world that begins with this tenant.
    #[must_use]
    pub fn new(tenant: Tenant, keys: Keys, settings: Settings, base: jiff::Timestamp) -> Self {
        let original = Arc::new(tenant);
        let inner = Inner {
            present: Arc::clone(&original),
            history: Vec::new(),
            replica: Replica::default(),
            ended: Vec::new(),
            journal: Vec::new(),
            next_seq: 1,
            faults: Faults::default(),
            random: StdRng::seed_from_u64(settings.seed),
            throttle: Throttle::default(),
            open_at_mailboxes: BTreeMap::new(),
        };
        Self {
            clock: MockClock::starting(base),
            keys,
            settings,
            original,
            inner: Mutex::new(inner),
            sessions: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the identity platform has given out.
    pub fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant as it is.
    pub fn present(&self) -> Arc<Tenant> {
        Arc::clone(&self.inner().present)
    }

    /// The tenant as a read sees it: as it is, or, where the service's reads trail its writes, as it was up to `lag` ago,
    /// out of order; or as a fault has it.
    pub fn view(&self, trails: bool) -> View {
        let mut inner = self.inner();
        let Inner { replica, present, .. } = &mut *inner;
        if let Some(view) = replica.view(present) {
            return view;
        }
        let lag = self.settings.lag;
        if lag.is_zero() || !trails {
            return View::of(Arc::clone(&inner.present));
        }
        let back = lag.mul_f64(inner.random.random::<f64>());
        let seen = Instant::now().checked_sub(back).and_then(|moment| {
            inner.history.iter().find(|(replaced, _)| *replaced > moment).map(|(_, state)| Arc::clone(state))
        });
        View::of(seen.unwrap_or_else(|| Arc::clone(&inner.present)))
    }

    /// Changes the tenant, whole or not at all. `aftermath`: what follows on it.
    ///
    /// # Errors
    /// What the change answers; then nothing is changed.
    pub fn change<T, E>(
        &self,
        aftermath: Option<Aftermath>,
        change: impl FnOnce(&mut Tenant) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inner = self.inner();
        let before = Arc::clone(&inner.present);
        let mut tenant = (*before).clone();
        let answer = change(&mut tenant)?;
        let now = Instant::now();
        inner.present = Arc::new(tenant);
        let lag = self.settings.lag;
        inner.history.retain(|(replaced, _)| now.duration_since(*replaced) <= lag);
        inner.history.push((now, Arc::clone(&before)));
        if let Some(aftermath) = aftermath {
            let Inner { replica, present, .. } = &mut *inner;
            replica.follow(aftermath, before, present);
        }
        Ok(answer)
    }

    /// Changes the tenant without a request; it cannot fail.
    pub fn edit(&self, change: impl FnOnce(&mut Tenant)) {
        let done: Result<(), std::convert::Infallible> = self.change(None, |tenant| {
            change(tenant);
            Ok(())
        });
        match done {
            Ok(()) => {}
        }
    }

    /// Takes back the writes that are due to be, and ends the operations that are.
    pub fn settle(&self) {
        let now = self.clock.now();
        if self.present().password_operations.iter().any(|own| own.is_due(now)) {
            self.edit(|tenant| crate::handlers::password_reset::end_due(tenant, now));
        }
        let due = self.inner().replica.due();
        for revert in due {
            self.edit(|tenant| crate::foreign::revert(tenant, &revert.before, &revert.after));
        }
    }

    /// Hides an object by its path without version, for so long.
    pub fn hide(&self, path: String, span: Duration) {
        self.inner().replica.hide(path, span);
    }

    /// Whether an object is hidden.
    pub fn hides(&self, path: &str) -> bool {
        self.inner().replica.hides(path)
    }

    /// Refuses writes for so long; reads see the state before the last write.
    pub fn fail_over(&self, span: Duration) {
        let mut inner = self.inner();
        let seen =
            inner.history.last().map_or_else(|| Arc::clone(&inner.present), |(_, state)| Arc::clone(state));
        inner.replica.fail_over(span, seen);
    }

    /// Whether writes are refused.
    pub fn is_failing_over(&self) -> bool {
        self.inner().replica.is_failing_over()
    }

    /// Ends the tokens of an app.
    pub fn end_tokens(&self, app_id: &str) {
        self.inner().ended.push(app_id.to_owned());
    }

    /// Whether the tokens of an app have ended.
    pub fn has_ended(&self, app_id: &str) -> bool {
        self.inner().ended.iter().any(|own| own == app_id)
    }

    /// Back to the tenant file, the journal emptied.
    pub fn reset(&self) {
        *self.sessions() = Sessions::default();
        let mut inner = self.inner();
        inner.present = Arc::clone(&self.original);
        inner.history.clear();
        inner.replica = Replica::default();
        inner.ended.clear();
        inner.journal.clear();
        inner.next_seq = 1;
        inner.throttle = Throttle::default();
    }

    /// The place of the next request in the journal.
    pub fn next_seq(&self) -> u64 {
        let mut inner = self.inner();
        let seq = inner.next_seq;
        inner.next_seq += 1;
        seq
    }

    /// Keeps a line of the journal.
    pub fn keep(&self, line: Line) {
        self.inner().journal.push(line);
    }

    /// The journal, in the order of arrival.
    pub fn journal(&self) -> Vec<Line> {
        let mut lines = self.inner().journal.clone();
        lines.sort_by_key(|line| line.seq);
        lines
    }

    /// Replaces the fault rules.
    pub fn set_faults(&self, file: FaultFile) {
        let mut inner = self.inner();
        if let Some(seed) = file.seed {
            inner.random = StdRng::seed_from_u64(seed);
        }
        inner.faults.replace(file.rules);
    }

    /// What goes wrong with a request, if anything.
    pub fn fault(&self, method: &str, path: &str) -> Option<crate::faults::Fault> {
        let mut inner = self.inner();
        let Inner { faults, random, .. } = &mut *inner;
        faults.hit(method, path, random)
    }

    /// Counts a request against the published limits, where they are enforced; what is left of them is told in headers.
    ///
    /// # Errors
    /// The refusal of the service.
    pub fn count(&self, asked: &Asked<'_>) -> Result<Vec<(String, String)>, Fail> {
        if !self.settings.enforce_throttling {
            return Ok(Vec::new());
        }
        self.inner().throttle.count(asked, Instant::now())
    }

    /// Opens one more request of an app to a mailbox; `None` where too many are open. It is closed when dropped.
    pub fn enter_mailbox(self: &Arc<Self>, app_id: &str) -> Option<OpenRequest> {
        let mut inner = self.inner();
        let open = inner.open_at_mailboxes.entry(app_id.to_owned()).or_default();
        if self.settings.enforce_throttling && *open >= MOST_AT_ONCE {
            return None;
        }
        *open += 1;
        Some(OpenRequest { world: Arc::clone(self), app_id: app_id.to_owned() })
    }

    /// A fresh id, seeded.
    pub fn new_id(&self) -> String {
        let mut bytes = [0u8; 16];
        self.inner().random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
    }

    /// A digest of the tenant that any write changes and no read does; clock and logs are left out.
    pub fn digest(&self) -> String {
        let value = serde_json::to_value(self.present().without_logs()).unwrap_or(Value::Null);
        // A BTreeMap spells keys in order, whatever order an object was made in.
        let spelt = serde_json::to_string(&sorted(&value)).unwrap_or_default();
        let bytes = digest(&SHA256, spelt.as_bytes());
        let digits: Vec<String> = bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", digits.concat())
    }
}

/// A request that is open at a mailbox.
pub struct OpenRequest {
    world: Arc<World>,
    app_id: String,
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if let Some(open) = self.world.inner().open_at_mailboxes.get_mut(&self.app_id) {
            *open = open.saturating_sub(1);
        }
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let ordered: BTreeMap<&String, Value> =
                entries.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
