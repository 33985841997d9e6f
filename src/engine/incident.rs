//! The incident report of a run: what was read of the incident kept beside its plan, read again where something is
//! missing, and put together with plan, run and journal. Invariant: nothing here writes to the tenant.

use jiff::Timestamp;

use super::as_it_ran::as_done;
use super::from_alert::FromAlert;
use super::investigator::{Investigator, Question};
use super::plan_error::PlanError;
use super::planner::ENGINE;
use crate::case::{Case, IndicatorKind, Investigation, Look, RiskDetection};
use crate::domain::{CidrBlock, PlanId, RunId, json_of};
use crate::order::OrderedStep;
use crate::plan::Plan;
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

/// The steps as they went. What came of each is known: none is taken for one that may have failed.
fn as_they_went(plan: &Plan, progress: &[Progress]) -> Vec<OrderedStep> {
    let is_done =
        |state| matches!(state, ActionState::Verified | ActionState::AlreadySo | ActionState::Confirmed);
    let mut steps = as_done(plan, progress, is_done);
    for step in &mut steps {
        step.required = true;
        let own = || plan.actions.iter().zip(progress).filter(|(action, _)| action.step_id() == step.id);
        let is_held_up = plan.left.iter().any(|left| left.step == step.id && left.holds_back)
            || plan.guards.refused.iter().any(|refusal| refusal.step.as_deref() == Some(step.id.as_str()));
        // What a person did after the last revocation leaves the sessions of before alive.
        let waits_for_revocation = own()
            .filter(|(_, own)| own.state == ActionState::Confirmed)
            .any(|(action, _)| action.cannot.as_ref().is_some_and(|cannot| cannot.then_revoke));
        let is_by_hand = own().any(|(action, _)| action.cannot.is_some())
            && own().all(|(_, own)| is_done(own.state))
            && !waits_for_revocation;
        // A policy that is only rehearsed stops nobody.
        let is_rehearsed = own().next_back().is_some_and(|(action, _)| {
            let state = action.after.get("state").and_then(serde_json::Value::as_str);
            state == Some("enabledForReportingButNotEnforced")
        });
        if is_held_up || is_rehearsed || waits_for_revocation {
            step.takes.clear();
        } else if is_by_hand {
            // The plan could not count on it.
            step.takes = AnyStep::takes(&step.name, &serde_json::Value::Null);
        }
    }
    steps
}
