//! What every action of a run shares: the way to Graph, the journal, the clock, and the sign to stop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::applier::Applier;
use crate::approval::ApprovedPlan;
use crate::domain::{ActionId, Clock, Random, RunId};
use crate::graph::{Reader, Writer};
use crate::run::{ActionState, Entry, Progress, next};
use crate::seal::Handover;
use crate::store::{Store, StoreError};

/// How long the engine waits for effects to show (SAFETY.md 2.4; identity.md 11).
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long an accepted effect may take to show before it counts as unverified.
    pub read_back: Duration,
    /// How many reads settle an answer that never came.
    pub probe_reads: u32,
    /// The time between two of them: with five of them, more than the consistency window of 60 s.
    pub probe_spacing: Duration,
    /// How long what Graph does later may take: what is written back is dropped after some minutes where nobody answers
    /// on-premises (identity.md 3.3).
    pub operation: Duration,
    /// How long a password that was written back may take to show (identity.md 3.6).
    pub written_back: Duration,
    /// How long an object that this run has just made may be unknown to the next request.
    pub just_made: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            read_back: Duration::from_mins(3),
            probe_reads: 5,
            probe_spacing: Duration::from_secs(13),
            operation: Duration::from_mins(5),
            written_back: Duration::from_mins(10),
            just_made: Duration::from_secs(90),
        }
    }
}

/// How far planning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanPhase {
    /// The tenant, the account and the guards' accounts are looked up.
    Account,
    /// Sign-ins, audits and methods are read.
    Evidence,
    /// The steps are asked what would have to change.
    Steps {
        /// How many have answered.
        done: usize,
        /// How many there are.
        all: usize,
    },
}

/// What happens while a plan is made or carried out, for whoever watches.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Planning has come to a phase.
    Planning(PlanPhase),
    /// An action's request is about to leave.
    Sending {
        /// Which action.
        action: ActionId,
        /// Its summary.
        summary: String,
    },
    /// An action reached a state.
    Reached {
        /// Which action.
        action: ActionId,
        /// Its summary.
        summary: String,
        /// Which state.
        state: ActionState,
        /// What is to be said about it.
        detail: String,
    },
    /// The proof begins.
    Proving,
}

/// Watches a plan or a run: the terminal's progress, or nobody.
pub trait Watcher: Send + Sync {
    /// Takes note.
    fn notice(&self, notice: &Notice);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn notice(&self, _: &Notice) {}
}

/// The sign to stop: requests in flight end, no other starts.
#[derive(Clone, Debug)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// Makes a signal and the sender that gives it.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether the run is to stop.
    pub fn is_given(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the run is to stop; for ever where nobody can say so any more.
    pub async fn given(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Shared by all actions of one run.
pub(super) struct RunContext {
    pub approved: ApprovedPlan,
    pub run: RunId,
    pub reader: Reader,
    pub writer: Writer,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub handover: Arc<dyn Handover>,
    pub watcher: Arc<dyn Watcher>,
    pub patience: Patience,
    pub stop: StopSignal,
    progress: Mutex<Vec<Progress>>,
}

impl RunContext {
    /// A run that has begun, over what its applier works with.
    pub fn new(applier: &Applier, approved: ApprovedPlan, run: RunId, reader: Reader) -> Self {
        let progress = Mutex::new(crate::run::begin(approved.plan()));
        Self {
            approved,
            run,
            reader,
            writer: applier.connection.writer(),
            store: Arc::clone(&applier.store),
            clock: Arc::clone(&applier.clock),
            random: Arc::clone(&applier.random),
            handover: Arc::clone(&applier.handover),
            watcher: Arc::clone(&applier.watcher),
            patience: applier.patience,
            stop: applier.stop.clone(),
            progress,
        }
    }

    /// Makes an entry durable, then counts it.
    pub async fn write_down(&self, entry: Entry) -> Result<(), StoreError> {
        self.store.append(&self.run, entry.clone(), self.clock.now()).await?;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let folded = next(std::mem::take(&mut *progress), &entry)?;
        *progress = folded;
        Ok(())
    }

    /// Writes down that an action reached a state, and tells whoever watches.
    pub async fn reached(
        &self,
        action: &ActionId,
        state: ActionState,
        detail: String,
    ) -> Result<(), StoreError> {
        self.write_down(Entry::Reached { action: action.clone(), state, detail: detail.clone() }).await?;
        let summary = self.summary(action);
        self.watcher.notice(&Notice::Reached { action: action.clone(), summary, state, detail });
        Ok(())
    }

    /// The summary of an action.
    pub fn summary(&self, action: &ActionId) -> String {
        self.approved
            .plan()
            .actions
            .iter()
            .find(|own| own.id == *action)
            .map_or_else(String::new, |own| own.summary.clone())
    }

    /// Where every action stands.
    pub fn progress(&self) -> Vec<Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ids of the objects that this run made, by action.
    pub fn made(&self) -> BTreeMap<String, String> {
        self.progress()
            .into_iter()
            .filter_map(|own| own.made_id.map(|made| (own.id.to_string(), made)))
            .collect()
    }

    /// Waits so long, or until the run is to stop; says whether it goes on.
    pub async fn pause(&self, wait: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.clock.sleep(wait) => {}
            () = stop.given() => {}
        }
        !self.stop.is_given()
    }

    /// Graph's time, as far as known; before the first answer, ours.
    pub fn tenant_now(&self) -> Timestamp {
        self.reader.server_time().unwrap_or_else(|| self.clock.now())
    }
}
