//! The incident report of a run: what was read of the incident kept beside its plan, read again where something is
//! missing, and put together with plan, run and journal. Invariant: nothing here writes to the tenant.

use jiff::Timestamp;

use super::from_alert::FromAlert;
use super::investigator::{Investigator, Question};
use super::plan_error::PlanError;
use super::planner::ENGINE;
use crate::case::{Case, IndicatorKind, Investigation, Look, RiskDetection};
use crate::domain::{CidrBlock, PlanId, RunId, json_of};
use crate::order::{OrderedStep, Part};
use crate::plan::{Action, Plan};
use crate::report::{
    Access, Attempt, Control, EvidenceRead, IncidentInputs, IncidentReport, InvestigationReport, LeftBehind,
    Unread,
};
use crate::run::{ActionState, JournalLine, Progress, Run, RunError};
use crate::steps::AnyStep;
use crate::store::{KeptInvestigation, Phase, Store, StoreError};

/// Why a part of an investigation is not there that no plan needs.
const NOT_FOR_A_PLAN: &str = "a plan does not need it, so it was not read while the plan was made";

/// What a plan rests on, as it is kept: a plan reads what it needs, and nothing more is read for its report's sake.
pub(super) fn read_while_planning(
    case: Case,
    detections: Look<Vec<RiskDetection>>,
    controls: Look<Vec<Control>>,
    alert_at: Option<Timestamp>,
    now: Timestamp,
) -> EvidenceRead {
    let unread = |what: &str| Unread::new(what, NOT_FOR_A_PLAN);
    let found = Investigation {
        addresses: Vec::new(),
        others: Look::Unread { why: NOT_FOR_A_PLAN.to_owned() },
        mail: Look::Unread { why: NOT_FOR_A_PLAN.to_owned() },
        user_risk: Look::Unread { why: NOT_FOR_A_PLAN.to_owned() },
        detections,
        // What is to be said about the look stands among the plan's warnings.
        notes: Vec::new(),
        case,
    };
    let kinds = ["inbox rules, consents and devices beyond what the plan acts on"];
    let left = LeftBehind { found: Vec::new(), unread: kinds.map(unread).into() };
    EvidenceRead {
        read_at: now,
        alert_at,
        access: Access::of(&found.case.evidence),
        controls,
        found: InvestigationReport::new(&found, left),
    }
}

/// Keeps what was read beside a plan.
///
/// # Errors
/// When the store fails.
pub async fn keep(
    store: &dyn Store,
    plan: &PlanId,
    phase: Phase,
    read: &EvidenceRead,
) -> Result<(), StoreError> {
    let body = json_of(read)?.to_string();
    let kept = KeptInvestigation { plan: plan.clone(), phase, read_at: read.read_at, body };
    store.keep_investigation(&kept).await
}

/// What is kept beside a plan, by when it was read.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// While the plan was made.
    pub planning: Option<EvidenceRead>,
    /// After the run.
    pub afterwards: Option<EvidenceRead>,
    /// What is kept and could not be taken over.
    pub notes: Vec<String>,
}

impl Kept {
    /// Finds it.
    ///
    /// # Errors
    /// When the store fails. What another version has kept in a form that this one does not know is told.
    pub async fn find(store: &dyn Store, plan: &PlanId) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for kept in store.investigations(plan).await? {
            match serde_json::from_str(&kept.body) {
                Ok(read) if kept.phase == Phase::Planning => all.planning = Some(read),
                Ok(read) => all.afterwards = Some(read),
                Err(error) => all.notes.push(format!(
                    "what was read of the incident on {} is kept in a form that this version does not know ({error})",
                    crate::domain::shown(kept.read_at)
                )),
            }
        }
        Ok(all)
    }
}

impl Investigator {
    /// Reads the incident behind a plan again, by what the plan ties to the intruder.
    ///
    /// # Errors
    /// As [`Investigator::report`]; when the credentials are of another tenant than the plan.
    pub async fn read_again(&self, plan: &Plan) -> Result<EvidenceRead, PlanError> {
        let certain = || plan.case.indicators.iter().filter(|own| own.is_certain());
        let question = Question {
            user: plan.case.subject.id.to_string(),
            since: plan.case.since,
            ips: certain()
                .filter(|own| matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range))
                .filter_map(|own| own.value.parse::<CidrBlock>().ok())
                .collect(),
            user_agents: certain()
                .filter(|own| own.kind == IndicatorKind::UserAgent)
                .map(|own| own.value.clone())
                .collect(),
            // Another tenant's log says nothing about this incident.
            alert: Some(FromAlert { tenants: vec![plan.tenant.id.to_string()], ..FromAlert::default() }),
            ..Question::default()
        };
        self.evidence(&question).await
    }
}

/// What a report is made of beside the run.
#[derive(Clone, Debug, Default)]
pub struct ReportRequest {
    /// When it was reported, where somebody says so.
    pub reported_at: Option<Timestamp>,
    /// When the alert came in that the plan was made from (our clock), where one did.
    pub alerted_at: Option<Timestamp>,
    /// What is to be said about the making of the report.
    pub notes: Vec<String>,
    /// Ways in that were really tried.
    pub attempts: Vec<Attempt>,
}

/// Puts the report together.
///
/// # Errors
/// When the journal is not that of the plan.
pub fn incident_report(
    run: RunId,
    plan: &Plan,
    journal: &[JournalLine],
    kept: &Kept,
    request: &ReportRequest,
    made_at: Timestamp,
) -> Result<IncidentReport, RunError> {
    let (run, progress) = Run::with_progress(run, plan, journal)?;
    let notes: Vec<String> = request.notes.iter().chain(&kept.notes).cloned().collect();
    Ok(IncidentReport::new(&IncidentInputs {
        made_at,
        engine: ENGINE,
        plan,
        run: &run,
        progress: &progress,
        journal,
        planning: kept.planning.as_ref(),
        afterwards: kept.afterwards.as_ref(),
        reported_at: request.reported_at,
        alerted_at: request.alerted_at,
        steps: &as_they_went(plan, &progress),
        notes: &notes,
        attempts: &request.attempts,
    }))
}

/// A step as the order model takes it, with when it had its effect.
struct Went {
    step: OrderedStep,
    at: Option<Timestamp>,
}

/// The steps one after the other, as they went. What did not come to its end takes nothing. One that had nothing to do
/// stands before the last revocation, which waits for every door.
fn as_they_went(plan: &Plan, progress: &[Progress]) -> Vec<OrderedStep> {
    let mut all: Vec<Went> = Vec::new();
    for (id, kind) in steps_of(plan) {
        let own = || plan.actions.iter().zip(progress).filter(|(action, _)| action.step_id() == id);
        let mut step = OrderedStep {
            takes: AnyStep::takes(&kind, &serde_json::Value::Null),
            gives: AnyStep::gives(&kind).to_vec(),
            required: true,
            part: part_of(&kind),
            needs: Vec::new(),
            id: id.clone(),
            name: kind,
        };
        // What a person shut after the last revocation leaves the sessions of before alive.
        let is_done = |action: &Action, state| match state {
            ActionState::Verified | ActionState::AlreadySo => true,
            ActionState::Confirmed => action.cannot.as_ref().is_none_or(|own| !own.then_revoke),
            _ => false,
        };
        let is_held_up = plan.left.iter().any(|left| left.step == id && left.holds_back)
            || plan.guards.refused.iter().any(|refusal| refusal.step.as_deref() == Some(id.as_str()));
        // A policy that is only rehearsed stops nobody.
        let is_rehearsal = |action: &Action| {
            let state = action.after.get("state").and_then(serde_json::Value::as_str);
            state == Some("enabledForReportingButNotEnforced")
        };
        let last = own().next_back();
        if is_held_up
            || own().any(|(action, own)| !is_done(action, own.state))
            || last.is_some_and(|(action, _)| is_rehearsal(action))
        {
            step.takes.clear();
        }
        let was_so = own().next().is_some() && own().all(|(_, own)| own.state == ActionState::AlreadySo);
        let answered = own().filter_map(|(_, own)| own.answered_at).max();
        // What was so already was so before anything else.
        all.push(Went { step, at: if was_so { Some(Timestamp::MIN) } else { answered } });
    }
    let last_revocation =
        all.iter().filter(|own| own.step.part == Part::Revocation).filter_map(|own| own.at).max();
    all.sort_by_key(|own| (own.at.or(last_revocation), own.at.is_some()));
    let mut before: Option<String> = None;
    all.into_iter()
        .map(|Went { mut step, .. }| {
            step.needs = before.replace(step.id.clone()).into_iter().collect();
            step
        })
        .collect()
}

/// The ids of a plan's steps with their kinds, each once.
fn steps_of(plan: &Plan) -> Vec<(String, String)> {
    let acted = plan.actions.iter().map(|own| (own.step_id().to_owned(), own.step.clone()));
    let kind = |id: &String, kind: &Option<String>| (id.clone(), kind.clone().unwrap_or_else(|| id.clone()));
    let idle = plan.unchanged.iter().map(|own| kind(&own.step, &own.kind));
    let left = plan.left.iter().map(|own| kind(&own.step, &own.kind));
    let mut all: Vec<(String, String)> = Vec::new();
    for (id, kind) in acted.chain(idle).chain(left) {
        if !all.iter().any(|(known, _)| *known == id) {
            all.push((id, kind));
        }
    }
    all
}

fn part_of(kind: &str) -> Part {
    if AnyStep::is_way_in(kind) {
        Part::WayIn
    } else if AnyStep::is_revocation(kind) {
        Part::Revocation
    } else if AnyStep::is_door(kind) {
        Part::Door
    } else {
        Part::Other
    }
}
