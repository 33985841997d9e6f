//! Alerts that were taken in, and the cases that they open: a job each, with a lease, until its plan is made or a person
//! is asked.

use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use crate::alert::{NamedUser, Severity, Trigger};
use crate::domain::{AlertId, BoxFuture, PlanId, UserId};
use crate::plan::Plan;

/// For so long a delivery is known again: longer than any sender tries.
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What becomes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Cases are opened for whom it names.
    Cases,
    /// The webhook only writes down.
    Recorded,
    /// The settings leave it alone.
    Ignored,
    /// The sender says that it is over.
    Resolved,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Cases, Self::Recorded, Self::Ignored, Self::Resolved];

    /// The word for people and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Recorded => "recorded",
            Self::Ignored => "ignored",
            Self::Resolved => "resolved",
        }
    }
}

/// An alert that is to be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlert {
    /// Our id of it.
    pub id: AlertId,
    /// The webhook that it came by.
    pub webhook: String,
    /// What makes two deliveries the same one.
    pub delivery: String,
    /// When (our clock).
    pub received_at: Timestamp,
    /// What it says.
    pub trigger: Trigger,
    /// What becomes of it.
    pub outcome: Outcome,
    /// The cases that it opens, each with the id that its plan will have; empty unless the outcome is cases.
    pub cases: Vec<NewCase>,
    /// How much may be opened.
    pub limits: Limits,
}

/// A case that an alert opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    /// The id that its plan will have.
    pub id: PlanId,
    /// Whom it is about, as the alert names the user.
    pub named: NamedUser,
    /// The playbook to plan with.
    pub playbook: String,
    /// Why it waits for a person from the beginning, where it does.
    pub held: Option<Held>,
}

/// Why a case waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why.
    pub why: String,
    /// What to do next.
    pub next: String,
}

/// How much alerts may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Subjects in an hour, over all webhooks: what is beyond waits for a person.
    pub subjects_per_hour: u32,
    /// For so long a further alert about the same subject belongs to the case that is there.
    pub cool_down: SignedDuration,
}

/// An alert that was taken in, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Our id of it.
    pub alert: AlertId,
    /// The ids that its cases' plans have or will have.
    pub plans: Vec<PlanId>,
}

/// A case that somebody works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedCase {
    /// The id that its plan will have.
    pub id: PlanId,
    /// The webhook that opened it.
    pub webhook: String,
    /// Whom it is about.
    pub named: NamedUser,
    /// What its alerts say, the oldest first.
    pub triggers: Vec<Trigger>,
    /// How often it was begun, this time included.
    pub attempts: u32,
}

/// Whether a case is the only one about its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// It is.
    Own,
    /// There is another, which this one was joined to.
    Joined(PlanId),
    /// Somebody else works on the case by now.
    Lost,
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// Its plan is to be made.
    Ready,
    /// Its plan is being made.
    Running,
    /// Its plan is kept.
    Planned,
    /// It waits for a person.
    Held,
    /// It belongs to another case.
    Joined,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Ready, Self::Running, Self::Planned, Self::Held, Self::Joined];

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Joined => "joined",
        }
    }
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The id that its plan has or will have.
    pub id: PlanId,
    /// The webhook that opened it.
    pub webhook: String,
    /// Name of the playbook.
    pub playbook: String,
    /// Whom it is about, as the alert names the user: show it inert.
    pub named: NamedUser,
    /// How far it is.
    pub state: CaseState,
    /// Why it waits, or is tried again: show it inert.
    pub why: Option<String>,
    /// What to do next.
    pub next: Option<String>,
    /// The case that it was joined to.
    pub joined_to: Option<PlanId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How many alerts it has.
    pub alerts: u32,
}

/// An alert in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Our id of it.
    pub id: AlertId,
    /// The webhook that it came by.
    pub webhook: String,
    /// When.
    pub received_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Its title: show it inert.
    pub title: String,
    /// How bad the sender says it is.
    pub severity: Severity,
    /// Whom it names: show it inert.
    pub users: Vec<String>,
}

/// Where alerts are taken in, and their cases worked off.
pub trait Inbox: Send + Sync {
    /// Takes an alert in, in one transaction with the cases that it opens; when this returns, it is durable. The same
    /// delivery again changes nothing, and is answered as the first.
    fn accept(&self, alert: NewAlert) -> BoxFuture<'_, Result<Accepted, StoreError>>;

    /// Whether the store answers.
    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Claims the case that has been due longest, until the lease ends; those whose lease has ended are due.
    fn claim<'a>(
        &'a self,
        owner: &'a str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<Option<ClaimedCase>, StoreError>>;

    /// Keeps a claim for longer; says whether it is still ours.
    fn renew<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Notes who the subject of a case is, and joins the case to another about the same one that was opened since.
    fn name_subject<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        subject: &'a UserId,
        since: Timestamp,
    ) -> BoxFuture<'a, Result<Subject, StoreError>>;

    /// Ends a case with its plan, which is kept in the same transaction; says whether the case was still ours.
    fn plan_case<'a>(&'a self, owner: &'a str, plan: &'a Plan) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Leaves a case to a person.
    fn hold<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        held: Held,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Gives a case back, to be tried again from then on.
    fn put_back<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        run_at: Timestamp,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The cases that were opened since, newest first.
    fn cases(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<CaseRow>, StoreError>>;

    /// The alerts that came since, newest first.
    fn alerts(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<AlertRow>, StoreError>>;
}
