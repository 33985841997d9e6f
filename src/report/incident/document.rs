//! The incident report as one document: what `stanch runs report --format json` prints, and what the other forms are made
//! from.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::controls::Control;
use super::evidence::Access;
use crate::approval::ConsumedConsent;
use crate::case::{Hold, Indicator, JudgedMethod, Look, OtherUser, Persistence, Subject, Window};
use crate::domain::{ActionId, PlanDigest, PlanId, RunId, Sha256Digest};
use crate::plan::{LeftObject, Requester, TenantRef};
use crate::playbook::Aim;
use crate::report::{AddressFound, Recipient, Technique, Unread, Who};
use crate::run::{ActionState, OpenItem, ProofFact, Verdict};

/// The plan and the run that a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sources {
    /// Name of the playbook.
    pub playbook: String,
    /// Id of the plan.
    pub plan: PlanId,
    /// Digest of the plan.
    pub digest: PlanDigest,
    /// Id of the run.
    pub run: RunId,
    /// When the run ended, by our clock; absent where it did not.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub ended_at: Option<Timestamp>,
    /// How the run ended; what a person has said since is in the report's verdict alone.
    pub ended_as: Option<Verdict>,
    /// What the playbook is for.
    pub aim: Aim,
    /// Whether the plan ends sessions: what does not, contains nobody.
    pub ends_sessions: bool,
    /// What of the logs was read, and when.
    pub evidence: Vec<EvidenceSource>,
}

/// One look at the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EvidenceSource {
    /// When (the tenant's time).
    #[schemars(with = "crate::domain::Moment")]
    pub read_at: Timestamp,
    /// Whether that was after the run.
    pub after_the_run: bool,
    /// What of the logs.
    pub window: Window,
}

/// What a manager has to know, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// What happened; that the account is not contained stands first.
    pub happened: String,
    /// When it was contained.
    pub contained: String,
    /// What was lost.
    pub lost: String,
    /// What is open.
    pub open: String,
    /// What to do.
    pub next: String,
}

/// The moments that matter, in the tenant's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Times {
    /// The intruder's first access; absent where none is known.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub first_access: Option<Timestamp>,
    /// When it was reported; else the time that the alert gives, or when the alert came in.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub reported_at: Option<Timestamp>,
    /// When the plan was made.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub planned_at: Option<Timestamp>,
    /// When the run began.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub began_at: Option<Timestamp>,
    /// When the last revocation of sessions was accepted.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub last_revocation: Option<Timestamp>,
    /// Since when the account counts as contained: the last answer to a required change, or a person's word for one, of
    /// a run whose every required change was read back. Absent for any other.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub contained_at: Option<Timestamp>,
    /// From the first access until it was contained.
    pub seconds_from_first_access: Option<i64>,
    /// From the report or alert until it was contained.
    pub seconds_from_report: Option<i64>,
    /// Until when access tokens may live that were issued before the last revocation.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub tokens_until: Option<Timestamp>,
    /// How much the tenant's clock was ahead of this machine's, where it matters: our moments were moved by so much.
    pub clock_moved_by_seconds: i64,
}

/// Whether an event is the incident's or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A sign-in.
    SignIn,
    /// A mail.
    Mail,
    /// A change to the account or to what belongs to it.
    Account,
    /// The answer: alert, plan, approval, changes, proof.
    Response,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// When (UTC, the tenant's time).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Until when, where it went on.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub until: Option<Timestamp>,
    /// Where it belongs.
    pub lane: Lane,
    /// Who did it; absent for the answer.
    pub who: Option<Who>,
    /// What happened: show it inert.
    pub what: String,
    /// From which address.
    pub address: Option<String>,
    /// What it is in MITRE ATT&CK.
    pub techniques: Vec<Technique>,
}

/// On what a statement rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The logs or the tenant show it.
    Shown,
    /// It follows from what they show.
    Inferred,
    /// It is not known.
    Unknown,
}

impl Basis {
    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Inferred => "follows",
            Self::Unknown => "not known",
        }
    }
}

/// A statement about why it came to this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statement {
    /// What is said.
    pub says: String,
    /// On what it rests.
    pub basis: Basis,
    /// The facts, one each: show them inert.
    pub facts: Vec<String>,
}

/// A change of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActionTold {
    /// Id within the plan.
    pub id: ActionId,
    /// Name of the step's kind.
    pub step: String,
    /// What it does, in one line.
    pub summary: String,
    /// Why it was planned.
    pub reason: String,
    /// Whether the account does not count as contained without it.
    pub required: bool,
    /// Where it stands.
    pub state: ActionState,
    /// When Graph answered to it, or a person said that it is done (the tenant's time); absent where neither was.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub at: Option<Timestamp>,
    /// What is to be said about it.
    pub told: String,
    /// Whether it can be taken back.
    pub reversible: bool,
}

/// How a way in stands after the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayState {
    /// The run shut it.
    Shut,
    /// Nothing of the kind was found when the plan was made.
    NothingFound,
    /// The intruder gets in by it.
    Open,
    /// It is worth something again once sign-in is enabled.
    OnceEnabled,
    /// It is left, and signs nobody in by itself.
    Left,
    /// It ends by itself.
    Expires,
    /// It was not looked at.
    NotLookedAt,
}

/// Something that an intruder gets in by, before the run and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WayIn {
    /// What it is.
    pub hold: Hold,
    /// What was held before the run, in words: show it inert.
    pub before: String,
    /// How it stands after the run.
    pub state: WayState,
    /// The same in words.
    pub after: String,
}

/// The ways in, before the run and after it, by the model of what each step takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaysIn {
    /// Each.
    pub ways: Vec<WayIn>,
    /// How the intruder still gets in, a line each; empty where they do not.
    pub story: Vec<String>,
}

/// How far a corrective measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureState {
    /// This run did it, and it was read back.
    Done,
    /// It was so already.
    AlreadySo,
    /// It is proposed.
    Proposed,
    /// It was not read whether it is so.
    Unread,
}

impl MeasureState {
    /// The words for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "done by this run",
            Self::AlreadySo => "already so",
            Self::Proposed => "proposed",
            Self::Unread => "unread",
        }
    }
}

/// A corrective measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Measure {
    /// What.
    pub what: String,
    /// How far it is.
    pub state: MeasureState,
    /// What is to be said about it, one fact each: show them inert.
    pub facts: Vec<String>,
}

/// A line of the run's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeLine {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was written (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Of which action, where it is of one.
    pub action: Option<ActionId>,
    /// Method and path of the request, where it is of one.
    pub request: Option<String>,
    /// Graph's request id, or the one that Graph was told: show it inert.
    pub request_id: Option<String>,
    /// What it says: show it inert.
    pub outcome: String,
    /// Digest over this line and the one before.
    pub hash: Sha256Digest,
}

/// A way in that somebody really tried: in a demo the attacker of the mock tenant does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attempt {
    /// The way.
    pub way: String,
    /// What came of it before the run.
    pub before: String,
    /// And after it.
    pub after: String,
    /// And after it, were sign-in enabled again.
    pub after_enabled: String,
}

/// An incident, from the first access to what is left to do.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IncidentReport {
    /// When the report was made (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub made_at: Timestamp,
    /// Version of stanch that made it.
    pub engine: String,
    /// Whose account it is, as the plan found it.
    pub subject: Subject,
    /// The tenant.
    pub tenant: TenantRef,
    /// The plan and the run.
    pub sources: Sources,
    /// How the run stands; before its end, how it would if it stopped now.
    pub verdict: Verdict,
    /// What there is of the intruder's that is later than the containment, one line each: show it inert.
    pub signs_since: Vec<String>,
    /// Whether anything ties to an intruder for certain.
    pub has_intruder: bool,
    /// The summary for a manager.
    pub summary: Summary,
    /// The moments that matter.
    pub times: Times,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// How the intruder came in, as far as the evidence carries.
    pub initial_access: Vec<Statement>,
    /// What the sign-in log says of the intruder's sign-ins.
    pub access: Look<Access>,
    /// The account's authentication methods when the plan was made, each judged.
    pub methods: Look<Vec<JudgedMethod>>,
    /// What else was left behind, each judged.
    pub persistence: Vec<Persistence>,
    /// What ties to the intruder.
    pub indicators: Vec<Indicator>,
    /// The intruder's addresses with their use.
    pub addresses: Vec<AddressFound>,
    /// Who got mail that the intruder sent: the people to warn.
    pub recipients: Look<Vec<Recipient>>,
    /// Other users at the intruder's addresses.
    pub others: Look<Vec<OtherUser>>,
    /// Who asked for the plan.
    pub requested_by: Requester,
    /// Who said yes to it.
    pub consent: ConsumedConsent,
    /// The changes.
    pub actions: Vec<ActionTold>,
    /// What was read back at the end.
    pub proof: Vec<ProofFact>,
    /// The ways in before and after; absent where the playbook takes nothing from an intruder.
    pub ways_in: Look<Option<WaysIn>>,
    /// Ways in that were really tried; empty but in a demo.
    pub attempts: Vec<Attempt>,
    /// What stays open, with the next thing to do.
    pub open: Vec<OpenItem>,
    /// What was found and left alone.
    pub left: Vec<LeftObject>,
    /// What stays open even when all goes well.
    pub residual_risk: Vec<String>,
    /// Why it came to this, as far as the evidence carries.
    pub root_cause: Vec<Statement>,
    /// The tenant's policies, as far as they bear on it.
    pub controls: Look<Vec<Control>>,
    /// Corrective measures.
    pub measures: Vec<Measure>,
    /// The run's journal, its chain checked.
    pub change_log: Vec<ChangeLine>,
    /// What else is to be said: show it inert.
    pub notes: Vec<String>,
    /// What was not read.
    pub unread: Vec<Unread>,
}
