//! What must outlive the process: plans, consents, runs with their journal, what was read of each incident, the ledger of
//! our own blocklist entries, and the alerts that came in with the cases that they open. Two traits, `Store` and `Inbox`;
//! SQLite behind both here.

mod cases;
mod inbox;
mod investigations;
mod migrations;
mod plans;
mod sqlite;

pub use inbox::{
    Accepted, AlertRow, CaseRow, CaseState, ClaimedCase, Held, Inbox, KNOWN_FOR, Limits, NewAlert, NewCase,
    Outcome, Subject,
};
pub use investigations::{KeptInvestigation, Phase};
pub use plans::PlanRow;
pub use sqlite::SqliteStore;

use jiff::Timestamp;

use crate::approval::ConsumedConsent;
use crate::domain::{
    ActionId, BoxFuture, CidrBlock, DigestError, PlanDigest, PlanId, RunId, Sha256Digest, UserId,
};
use crate::plan::Plan;
use crate::run::{Entry, JournalLine, Run, RunError};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open the store `{path}`")]
    Open {
        /// Path of the file.
        path: String,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is something else.
    #[error("`{path}` is no store of ours: it is no SQLite database")]
    NotAStore {
        /// Path of the file.
        path: String,
    },
    /// The store was written by a newer version.
    #[error("the store `{path}` has version {found}, this program knows up to {known}")]
    Newer {
        /// Path of the file.
        path: String,
        /// Version that it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A statement failed: the disk is full, the file is read-only, …
    #[error("the store could not {doing}")]
    Failed {
        /// What it was to do.
        doing: &'static str,
        /// What failed.
        #[source]
        source: rusqlite::Error,
    },
    /// What it holds cannot be read back.
    #[error("the store holds {what} that cannot be read")]
    Damaged {
        /// What is damaged.
        what: String,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The journal's chain is broken: a line was changed, removed or moved.
    #[error("the journal of run `{run}` is broken at line {seq}")]
    BrokenChain {
        /// Which run.
        run: RunId,
        /// The first line that does not fit.
        seq: u64,
    },
    /// No such run, or more than one.
    #[error("there is {} run `{text}`", if *.matches == 0 { "no" } else { "more than one" })]
    NoSuchRun {
        /// What was asked for.
        text: String,
        /// How many there are.
        matches: usize,
        /// Those that may have been meant.
        near: Vec<String>,
    },
    /// No such plan, or more than one.
    #[error("there is {} plan `{text}` in the store", if *.matches == 0 { "no" } else { "more than one" })]
    NoSuchPlan {
        /// What was asked for.
        text: String,
        /// How many there are.
        matches: usize,
        /// Those that may have been meant.
        near: Vec<String>,
    },
    /// An alert's case is called so, and has no plan.
    #[error("there is no plan `{plan}` yet: {why}")]
    NoPlanYet {
        /// The case's id, which its plan will have.
        plan: PlanId,
        /// Why not.
        why: String,
        /// What to do next.
        next: String,
    },
    /// Another plan is kept under this plan's id: the text that is given now is not the one that was made.
    #[error("the store holds another plan under the id `{plan}`: its digest is `{kept}`, not `{given}`")]
    OtherPlan {
        /// The id.
        plan: PlanId,
        /// Digest of the plan that is kept.
        kept: PlanDigest,
        /// Digest of the plan that was given.
        given: PlanDigest,
    },
    /// The run has not ended: nobody's word is asked for yet.
    #[error("run `{run}` has not ended")]
    StillUnderWay {
        /// The run.
        run: RunId,
    },
    /// Somebody has confirmed the action already: the first word stands.
    #[error("action `{action}` of run `{run}` was confirmed already, by {by}")]
    AlreadyConfirmed {
        /// The run.
        run: RunId,
        /// The action.
        action: ActionId,
        /// Who was first.
        by: String,
    },
    /// A later run of the same subject has begun: this one stood still for longer than its lease lasts, and may send
    /// nothing more.
    #[error("run `{by}` for the same user began while run `{run}` gave no sign of life")]
    TakenOver {
        /// The run that stood still.
        run: RunId,
        /// The run that began since.
        by: RunId,
    },
    /// The worker thread ended.
    #[error("the store's thread ended")]
    Gone,
    /// An entry has no canonical JSON.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The journal tells of no run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl StoreError {
    /// Exit status (INTERFACE.md): what is not there, or not what was made, is a wrong input.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NoSuchRun { .. }
            | Self::NoSuchPlan { .. }
            | Self::NoPlanYet { .. }
            | Self::OtherPlan { .. }
            | Self::StillUnderWay { .. }
            | Self::AlreadyConfirmed { .. } => 2,
            _ => 1,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "store_open",
            Self::NotAStore { .. } => "store_not_a_store",
            Self::Newer { .. } => "store_newer",
            Self::Failed { .. } => "store_failed",
            Self::Damaged { .. } => "store_damaged",
            Self::BrokenChain { .. } => "store_broken_chain",
            Self::NoSuchRun { .. } => "no_such_run",
            Self::NoSuchPlan { .. } => "no_such_plan",
            Self::NoPlanYet { .. } => "no_plan_yet",
            Self::OtherPlan { .. } => "store_other_plan",
            Self::StillUnderWay { .. } => "run_under_way",
            Self::AlreadyConfirmed { .. } => "already_confirmed",
            Self::TakenOver { .. } => "run_taken_over",
            Self::Gone => "store_gone",
            Self::Digest(_) => "store_digest",
            Self::Run(_) => "store_run",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open { .. } => Some(
                "check the free space there and who may write to it, or name another place: `--store sqlite:///path/stanch.db` or STANCH_STORE".to_owned(),
            ),
            Self::NotAStore { .. } => {
                Some("name another file with `--store` or STANCH_STORE; this one is left as it is".to_owned())
            }
            Self::Newer { .. } => Some("use the newer stanch that wrote it, or another `--store`".to_owned()),
            Self::Failed { .. } => Some("check the free space and the rights of the store's folder, then run it again".to_owned()),
            Self::Damaged { .. } | Self::BrokenChain { .. } => {
                Some("keep the file as it is for the inquiry, and use another `--store`".to_owned())
            }
            Self::NoSuchRun { matches, near, .. } => {
                Some(which_id(*matches, near, "`stanch runs list` shows the runs of this store"))
            }
            Self::NoSuchPlan { matches, near, .. } => {
                let list = "`stanch runs list` shows the plans of this store; a plan's file will do as well";
                Some(which_id(*matches, near, list))
            }
            Self::NoPlanYet { next, .. } => Some(next.clone()),
            Self::OtherPlan { .. } => {
                Some("nobody looked at this text; make a new plan with `stanch plan`".to_owned())
            }
            Self::StillUnderWay { run } => Some(format!(
                "wait for its end; `stanch runs show {run}` tells how far it is, and what to do where it was cut off"
            )),
            Self::AlreadyConfirmed { run, .. } => {
                Some(format!("`stanch runs show {run}` tells when, and what they said"))
            }
            Self::TakenOver { by, .. } => Some(format!("`stanch runs show {by}` tells how far that one is")),
            Self::Gone | Self::Digest(_) | Self::Run(_) => None,
        }
    }
}

/// What to do where an id names none, or more than one.
fn which_id(matches: usize, near: &[String], list: &str) -> String {
    match (matches, near) {
        (_, []) => list.to_owned(),
        (0, near) => format!("did you mean `{}`? {list}", near.join("` or `")),
        (_, near) => format!("give more of the id: it may be `{}`; {list}", near.join("` or `")),
    }
}

/// Whether a run may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It has begun: its first entry is durable, and the consent is used.
    Begun,
    /// This plan was applied already, by this run.
    AlreadyApplied(RunId),
    /// Another run for this subject is under way.
    SubjectBusy(RunId),
    /// As many other subjects as may be had runs within the last hour.
    TooManySubjects {
        /// How many.
        within_an_hour: u32,
    },
    /// An approval in the consent was used already, by this run.
    ConsentUsed(RunId),
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Id.
    pub run: RunId,
    /// Its plan.
    pub plan: PlanId,
    /// Digest of its plan.
    pub digest: PlanDigest,
    /// Its subject.
    pub subject: UserId,
    /// UPN of the subject, for screens.
    pub subject_upn: String,
    /// Name of the playbook.
    pub playbook: String,
    /// When it began.
    pub started_at: Timestamp,
}

/// How long a run without a sign of life keeps others off its subject.
pub const LEASE: std::time::Duration = std::time::Duration::from_mins(5);

/// The store.
pub trait Store: Inbox {
    /// Begins a run, in one transaction: the plan is kept, the consent is used, the first entry is durable. No more than
    /// `most_subjects` have runs that began within an hour.
    fn begin<'a>(
        &'a self,
        run: &'a RunId,
        plan: &'a Plan,
        consent: &'a ConsumedConsent,
        first: Entry,
        now: Timestamp,
        most_subjects: u32,
    ) -> BoxFuture<'a, Result<Begin, StoreError>>;

    /// Keeps a plan, so that it can be shown, approved and applied by its id.
    fn keep_plan<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Finds a plan by its id or by the beginning of it.
    fn find_plan<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Plan, StoreError>>;

    /// The plans that no run has applied and that expire later than this, newest first.
    fn waiting_plans(&self, expiring_after: Timestamp) -> BoxFuture<'_, Result<Vec<PlanRow>, StoreError>>;

    /// Keeps what was read of an incident beside its plan; what is read later in the same phase takes its place.
    fn keep_investigation<'a>(&'a self, kept: &'a KeptInvestigation)
    -> BoxFuture<'a, Result<(), StoreError>>;

    /// What is kept of the incident that a plan is about, the earlier first.
    fn investigations<'a>(
        &'a self,
        plan: &'a PlanId,
    ) -> BoxFuture<'a, Result<Vec<KeptInvestigation>, StoreError>>;

    /// When the first alert came in that a plan was made from (our clock); none for a plan that a person asked for.
    fn alerted_at<'a>(&'a self, plan: &'a PlanId) -> BoxFuture<'a, Result<Option<Timestamp>, StoreError>>;

    /// Renews a run's lease: it goes on, though it has nothing to write down.
    fn keep_alive<'a>(&'a self, run: &'a RunId, now: Timestamp) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Appends an entry to a run's journal; when this returns, it is durable. An intent is refused once a later run of
    /// the same subject has begun; a confirmation before the run has ended, and a second one of the same action.
    fn append<'a>(
        &'a self,
        run: &'a RunId,
        entry: Entry,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The run that a plan was applied by, if it was.
    fn run_of_plan(&self, digest: PlanDigest) -> BoxFuture<'_, Result<Option<RunId>, StoreError>>;

    /// Finds a run by its id or by the beginning of it.
    fn find_run<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<RunId, StoreError>>;

    /// A run's plan and journal, the chain checked.
    fn load<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<(Plan, Vec<JournalLine>), StoreError>>;

    /// All runs, newest first.
    fn runs(&self) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>>;

    /// Notes ranges that this run adds to a location: from now on they are ours.
    fn note_ranges<'a>(
        &'a self,
        location: &'a str,
        ranges: &'a [CidrBlock],
        run: &'a RunId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The ranges of a location that are ours.
    fn own_ranges<'a>(&'a self, location: &'a str) -> BoxFuture<'a, Result<Vec<CidrBlock>, StoreError>>;
}

/// Loads a run and folds its journal.
///
/// # Errors
/// When there is no such run, or its journal is damaged.
pub async fn load_run(store: &dyn Store, run: &RunId) -> Result<(Plan, Run), StoreError> {
    let (plan, journal) = store.load(run).await?;
    let run = Run::from_journal(run.clone(), &plan, &journal)?;
    Ok((plan, run))
}

/// Checks a journal's chain.
fn check_chain(run: &RunId, journal: &[JournalLine]) -> Result<(), StoreError> {
    let mut previous = Sha256Digest::of_bytes(run.as_str().as_bytes());
    for (seq, line) in (1u64..).zip(journal) {
        let again = JournalLine::chain(line.seq, line.at, line.entry.clone(), previous)?;
        if line.seq != seq || again.hash != line.hash || line.previous != previous {
            return Err(StoreError::BrokenChain { run: run.clone(), seq });
        }
        previous = line.hash;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
