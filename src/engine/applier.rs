//! Apply: consent and the tenant checked, then the plan's actions, side by side where nothing makes them wait.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::apply_error::ApplyError;
use super::carry_out::{Signal, carry_out};
use super::context::{Notice, Patience, RunContext, StopSignal, Watcher};
use super::preflight;
use super::proof::prove;
use super::resolve;
use super::send::new_id;
use crate::approval::{Consent, Signers, approve, names_to_resolve};
use crate::config::Guards;
use crate::domain::{ActionId, Clock, Random, RunId};
use crate::graph::Connection;
use crate::plan::Plan;
use crate::run::{Entry, Proof, Run, verdict_of};
use crate::seal::Handover;
use crate::store::{Begin, LEASE, Store, StoreError, load_run};

/// How an apply ended.
#[derive(Debug)]
pub enum Applied {
    /// The plan was carried out by this run.
    Ran(Box<Run>),
    /// The plan was applied before, by this run: nothing was sent.
    Earlier(Box<Run>),
}

impl Applied {
    /// The run.
    pub fn run(&self) -> &Run {
        match self {
            Self::Ran(run) | Self::Earlier(run) => run,
        }
    }
}

/// Applies plans.
pub struct Applier {
    /// The responder's connection.
    pub connection: Connection,
    /// Where runs are kept.
    pub store: Arc<dyn Store>,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for passwords and ids.
    pub random: Arc<dyn Random>,
    /// Where a new password goes, if anywhere.
    pub handover: Arc<dyn Handover>,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
    /// How long effects may take.
    pub patience: Patience,
    /// The guards' settings.
    pub guards: Guards,
    /// Who operates: UPN or name.
    pub operator: Option<String>,
    /// Who may approve.
    pub signers: Signers,
    /// The sign to stop.
    pub stop: StopSignal,
}

impl Applier {
    /// Applies a plan: exactly its requests, or nothing.
    ///
    /// # Errors
    /// When nothing was sent: no consent, another tenant, a changed subject, a guard. Once something was sent the
    /// outcome is a run with a verdict, except where the journal itself can no longer be written.
    pub async fn apply(&self, plan: Plan, consent: Consent) -> Result<Applied, ApplyError> {
        if let Some(earlier) = self.earlier(&plan).await? {
            return Ok(earlier);
        }
        let reader = self.connection.reader();
        // What needs no tenant is judged before anything is asked of one.
        let names = names_to_resolve(&plan, &consent, &self.signers, self.clock.now())
            .map_err(ApplyError::NotApproved)?;
        preflight::check_credentials(&plan, &self.connection, &self.guards).await?;
        let signers = self.signers.clone().knowing(resolve::people(&reader, names).await?);
        preflight::check(&plan, &reader, &self.guards, self.operator.as_deref()).await?;
        // The tenant may have kept us waiting for minutes: a yes has to hold when the run begins, not when we asked.
        let now = self.clock.now();
        let (approved, consumed) = approve(plan, &consent, &signers, now).map_err(ApplyError::NotApproved)?;
        let run: RunId = new_id(now, self.random.as_ref()).parse().map_err(|error| {
            ApplyError::Graph(crate::graph::GraphError::local("a run id is malformed", &error))
        })?;
        let first = Entry::Started {
            plan: approved.plan().id.clone(),
            digest: approved.plan().digest,
            consent: consumed.clone(),
            engine: approved.plan().engine.clone(),
        };
        match self
            .store
            .begin(&run, approved.plan(), &consumed, first, now, self.guards.max_subjects_per_hour)
            .await?
        {
            Begin::Begun => {}
            Begin::AlreadyApplied(earlier) => {
                let (_, run) = load_run(self.store.as_ref(), &earlier).await?;
                return Ok(Applied::Earlier(Box::new(run)));
            }
            Begin::SubjectBusy(other) => return Err(ApplyError::SubjectBusy(other)),
            Begin::TooManySubjects { within_an_hour } => {
                return Err(ApplyError::TooManySubjects { within_an_hour });
            }
            Begin::ConsentUsed(run) => return Err(ApplyError::ConsentUsed(run)),
        }
        let context = Arc::new(RunContext::new(self, approved, run.clone(), reader));
        let ended = tokio::select! {
            ended = self.carry_through(&context) => ended,
            never = keep_alive(&context) => match never {},
        };
        match ended {
            Ok(run) => Ok(Applied::Ran(Box::new(run))),
            Err(source) => Err(ApplyError::JournalLost { run, source }),
        }
    }

    /// Carries a run that has begun to its end.
    async fn carry_through(&self, context: &Arc<RunContext>) -> Result<Run, StoreError> {
        carry_out_all(context).await?;
        finish(context).await?;
        let (_, run) = load_run(self.store.as_ref(), &context.run).await?;
        Ok(run)
    }

    /// The run that applied this plan before, if one did.
    async fn earlier(&self, plan: &Plan) -> Result<Option<Applied>, ApplyError> {
        let digest = plan.compute_digest()?;
        match self.store.run_of_plan(digest).await? {
            Some(run) => {
                let (_, run) = load_run(self.store.as_ref(), &run).await?;
                Ok(Some(Applied::Earlier(Box::new(run))))
            }
            None => Ok(None),
        }
    }
}

/// Keeps others off the subject for as long as the run goes on: a read-back may wait longer than the lease lasts, and
/// writes nothing down meanwhile.
async fn keep_alive(context: &RunContext) -> Infallible {
    loop {
        context.clock.sleep(LEASE / 4).await;
        // Where the store fails, the journal says so with the next entry; and no other run can begin there either.
        if let Err(error) = context.store.keep_alive(&context.run, context.clock.now()).await {
            tracing::warn!(%error, run = %context.run, "the run's lease could not be renewed");
        }
    }
}

/// Runs every action once what it needs has taken effect or has ended.
async fn carry_out_all(context: &Arc<RunContext>) -> Result<(), StoreError> {
    let actions = context.approved.plan().actions.clone();
    // One signal per action: the channel holds them all, so no action ever waits for the scheduler.
    let (sender, mut signals) = mpsc::channel(actions.len().max(1));
    let mut waiting: Vec<_> = actions.into_iter().collect();
    let mut released: BTreeSet<ActionId> = BTreeSet::new();
    let mut tasks: JoinSet<Result<(), StoreError>> = JoinSet::new();
    let mut stop = context.stop.clone();
    let mut first_error = None;
    loop {
        let may_start = !stop.is_given() && first_error.is_none();
        if may_start {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|action| action.needs.iter().all(|need| released.contains(need)));
            waiting = rest;
            for action in ready {
                tasks.spawn(carry_out(Arc::clone(context), action, sender.clone()));
            }
        }
        if tasks.is_empty() {
            break;
        }
        tokio::select! {
            Some(Signal::Released(action)) = signals.recv() => { released.insert(action); }
            Some(ended) = tasks.join_next() => {
                let result = ended.unwrap_or(Err(StoreError::Gone));
                if let Err(error) = result && first_error.is_none() {
                    first_error = Some(error);
                }
                // An action signals before it ends: what it released is in the channel by now.
                while let Ok(Signal::Released(action)) = signals.try_recv() {
                    released.insert(action);
                }
            }
            () = stop.given(), if may_start => {
                // Also where this cannot be written down, what is in flight ends first.
                if let Err(error) = context.write_down(Entry::Interrupted).await {
                    first_error.get_or_insert(error);
                }
            }
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Proves, reckons the verdict, and closes the journal.
async fn finish(context: &Arc<RunContext>) -> Result<(), StoreError> {
    context.watcher.notice(&Notice::Proving);
    let proof: Proof = prove(context).await;
    let plan = context.approved.plan();
    let progress = context.progress();
    let verdict = verdict_of(plan, &progress, &proof);
    context.write_down(Entry::Finished { verdict, proof }).await
}
