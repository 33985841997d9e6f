//! Where a run stands: a pure fold over its journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::confirmation::{Confirmation, with_persons_work};
use super::entry::{Entry, HandedOver, JournalLine, Outcome};
use super::proof::{OpenItem, Proof};
use super::verdict::{Verdict, verdict_of};
use crate::approval::ConsumedConsent;
use crate::domain::{ActionId, PlanDigest, PlanId, RunId};
use crate::plan::Plan;

/// Where an action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Nothing was sent.
    NotStarted,
    /// Graph accepted it; it does not show yet.
    AcceptedUnverified,
    /// It was read back.
    Verified,
    /// The wanted state was there already; nothing was sent.
    AlreadySo,
    /// Whether it happened is not known.
    Ambiguous,
    /// Graph refused it.
    Failed,
    /// A guard refused it.
    Refused,
    /// Nobody but a person can do it, and nobody has said yet that it is done.
    WaitingForPerson,
    /// A person says that it is done; it was not read back.
    Confirmed,
    /// The object changed since the plan; nothing was sent.
    Stale,
}

impl ActionState {
    /// Whether no later event changes it.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Verified | Self::AlreadySo | Self::Failed | Self::Refused | Self::Stale | Self::Confirmed
        )
    }

    /// The word in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::AcceptedUnverified => "accepted_unverified",
            Self::Verified => "verified",
            Self::AlreadySo => "already_so",
            Self::Ambiguous => "ambiguous",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::WaitingForPerson => "waiting_for_person",
            Self::Confirmed => "confirmed",
            Self::Stale => "stale",
        }
    }

    /// The state in words, for people.
    pub fn words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

/// When an action's requests were under way, as places among the journal's entries: what had ended at an earlier place was
/// over before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here on it may have taken effect.
    pub begun: usize,
    /// By here it has, if it has at all.
    pub ended: usize,
}

impl Span {
    /// Both as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { begun: self.begun.min(other.begun), ended: self.ended.max(other.ended) }
    }

    /// Whether it was over before another began.
    pub fn is_before(self, other: Self) -> bool {
        self.ended < other.begun
    }
}

/// An action's progress, as the journal tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which action.
    pub id: ActionId,
    /// Where it stands.
    pub state: ActionState,
    /// What is to be said about it.
    pub detail: String,
    /// Graph's request ids, in order.
    pub request_ids: Vec<String>,
    /// Whether an intent was journalled: from then on something may have left.
    pub was_sent: bool,
    /// Id of the object that it made.
    pub made_id: Option<String>,
    /// Graph's time of the newest answer.
    pub answered_at: Option<Timestamp>,
    /// The stable code of the newest failure.
    pub failure: Option<String>,
    /// Where the secret that it made went.
    pub handed_over: Option<HandedOver>,
    /// Who said that it is done, where that is all that it rests on.
    pub confirmed: Option<Confirmation>,
    /// When its requests were under way; for one that found its state there already, when it was looked at.
    pub span: Option<Span>,
}

impl Progress {
    /// What is to be said to people: the detail, or the state in words.
    pub fn told(&self) -> String {
        if self.detail.is_empty() { self.state.words() } else { self.detail.clone() }
    }
}

/// An action as `runs show` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionRecord {
    /// Id.
    pub id: ActionId,
    /// Step's kind.
    pub step: String,
    /// Where it stands.
    pub state: ActionState,
    /// What is to be said about it.
    pub detail: String,
    /// Graph's request ids.
    pub request_ids: Vec<String>,
    /// Where the secret that it made went; absent where it made none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<HandedOver>,
    /// Who said that it is done; absent where nobody had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmation>,
}

/// A run, in the shape of INTERFACE.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Id.
    pub run: RunId,
    /// The plan that it carries out.
    pub plan: PlanId,
    /// Digest of that plan.
    pub digest: PlanDigest,
    /// How it ended; before its end, how it would if it stopped now.
    pub verdict: Verdict,
    /// The consent that it used.
    pub consent: ConsumedConsent,
    /// Its actions, in the plan's order.
    pub actions: Vec<ActionRecord>,
    /// What stays open.
    pub open: Vec<OpenItem>,
    /// What was read back at the end.
    pub proof: Proof,
    /// What stays open even when all went well.
    pub residual_risk: Vec<String>,
    /// When it began (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub started_at: Timestamp,
    /// When it ended; absent while it runs, or after it was killed.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub ended_at: Option<Timestamp>,
}

/// Why a journal makes no run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RunError {
    /// The journal does not begin with the run's start.
    #[error("the journal of run `{run}` does not begin with its start")]
    NoStart {
        /// Which run.
        run: RunId,
    },
    /// The journal names an action that the plan does not have.
    #[error("the journal names the action `{action}`, which the plan does not have")]
    ForeignAction {
        /// Which action.
        action: ActionId,
    },
    /// An action left a final state, or was confirmed that did not wait for it.
    #[error("the action `{action}` cannot go from `{from}` to `{to}`")]
    Illegal {
        /// Which action.
        action: ActionId,
        /// The state that it was in.
        from: &'static str,
        /// The state that it was to go to.
        to: &'static str,
    },
}

/// Begins the progress of every action of a plan.
pub fn begin(plan: &Plan) -> Vec<Progress> {
    plan.actions
        .iter()
        .map(|action| Progress {
            id: action.id.clone(),
            state: ActionState::NotStarted,
            detail: String::new(),
            request_ids: Vec::new(),
            was_sent: false,
            made_id: None,
            answered_at: None,
            failure: None,
            handed_over: None,
            confirmed: None,
            span: None,
        })
        .collect()
}

/// Takes one journal entry into account.
///
/// # Errors
/// When the entry names an action that is not there, or would take one out of a final state.
pub fn next(mut progress: Vec<Progress>, entry: &Entry) -> Result<Vec<Progress>, RunError> {
    let action = match entry {
        Entry::Intent { action, .. }
        | Entry::Outcome { action, .. }
        | Entry::HandedOver { action, .. }
        | Entry::Confirmed { action, .. }
        | Entry::Reached { action, .. } => action,
        Entry::Started { .. } | Entry::Interrupted | Entry::Finished { .. } => return Ok(progress),
    };
    let place = progress.iter().filter_map(|own| own.span).map(|span| span.ended).max().unwrap_or(0) + 1;
    let own = progress
        .iter_mut()
        .find(|own| own.id == *action)
        .ok_or_else(|| RunError::ForeignAction { action: action.clone() })?;
    let is_of_time = match entry {
        Entry::Intent { .. } | Entry::Outcome { .. } => true,
        Entry::Reached { state, .. } => *state == ActionState::AlreadySo,
        _ => false,
    };
    if is_of_time {
        let here = Span { begun: place, ended: place };
        own.span = Some(own.span.map_or(here, |span| span.and(here)));
    }
    let go = |own: &mut Progress, to: ActionState| {
        if own.state.is_final() && own.state != to {
            return Err(RunError::Illegal {
                action: own.id.clone(),
                from: own.state.as_str(),
                to: to.as_str(),
            });
        }
        own.state = to;
        Ok(())
    };
    match entry {
        Entry::Intent { .. } => {
            go(own, ActionState::Ambiguous)?;
            own.was_sent = true;
        }
        Entry::Outcome { outcome, .. } => match outcome {
            Outcome::Accepted { request_id, made_id, server_time, .. } => {
                go(own, ActionState::AcceptedUnverified)?;
                own.request_ids.extend(request_id.clone());
                own.made_id = made_id.clone().or(own.made_id.take());
                own.answered_at = server_time.or(own.answered_at);
            }
            Outcome::SeenByReadBack { made_id, server_time } => {
                go(own, ActionState::AcceptedUnverified)?;
                own.made_id = made_id.clone().or(own.made_id.take());
                own.answered_at = server_time.or(own.answered_at);
            }
            Outcome::OperationSucceeded => go(own, ActionState::AcceptedUnverified)?,
            Outcome::NotExecuted(note) | Outcome::OperationFailed(note) => {
                own.failure = Some(note.code.clone());
                own.request_ids.extend(note.request_id.clone());
                go(own, ActionState::NotStarted)?;
            }
            Outcome::Ambiguous(note) | Outcome::OperationOpen(note) => {
                own.failure = Some(note.code.clone());
                own.request_ids.extend(note.request_id.clone());
                go(own, ActionState::Ambiguous)?;
            }
            Outcome::AbsentByReadBack => go(own, ActionState::NotStarted)?,
        },
        Entry::HandedOver { to, .. } => own.handed_over = Some(to.clone()),
        Entry::Confirmed { by, reason, .. } => {
            // Only what waits can be confirmed, and only once: whoever comes second has confirmed nothing.
            if own.state != ActionState::WaitingForPerson {
                return Err(RunError::Illegal {
                    action: own.id.clone(),
                    from: own.state.as_str(),
                    to: ActionState::Confirmed.as_str(),
                });
            }
            own.state = ActionState::Confirmed;
            own.detail = format!("confirmed by {by}, not read back: {reason}");
        }
        Entry::Reached { state, detail, .. } => {
            go(own, *state)?;
            own.detail.clone_from(detail);
        }
        Entry::Started { .. } | Entry::Interrupted | Entry::Finished { .. } => {}
    }
    Ok(progress)
}

impl Run {
    /// Folds a journal into the run that it tells of.
    ///
    /// # Errors
    /// When the journal is not that of this plan.
    pub fn from_journal(id: RunId, plan: &Plan, journal: &[JournalLine]) -> Result<Self, RunError> {
        Self::with_progress(id, plan, journal).map(|(run, _)| run)
    }

    /// The same with where each action stood at the end of the journal.
    ///
    /// # Errors
    /// As [`Self::from_journal`].
    pub fn with_progress(
        id: RunId,
        plan: &Plan,
        journal: &[JournalLine],
    ) -> Result<(Self, Vec<Progress>), RunError> {
        let Some((Entry::Started { consent, .. }, started_at)) =
            journal.first().map(|line| (&line.entry, line.at))
        else {
            return Err(RunError::NoStart { run: id });
        };
        let mut progress = begin(plan);
        let mut finished = None;
        for line in journal {
            progress = next(progress, &line.entry)?;
            match &line.entry {
                Entry::Finished { verdict, proof } => finished = Some((*verdict, proof.clone(), line.at)),
                Entry::Confirmed { action, by, reason } => {
                    for own in progress.iter_mut().filter(|own| own.id == *action) {
                        let (by, reason) = (by.clone(), reason.clone());
                        own.confirmed = Some(Confirmation { by, at: line.at, reason });
                    }
                }
                _ => {}
            }
        }
        let is_confirmed = progress.iter().any(|own| own.confirmed.is_some());
        let (verdict, proof, ended_at) = match finished {
            // What a person has said since counts from then on.
            Some((_, proof, at)) if is_confirmed => (verdict_of(plan, &progress, &proof), proof, Some(at)),
            Some((verdict, proof, at)) => (verdict, proof, Some(at)),
            None => (unfinished_verdict(plan, &progress), Proof::default(), None),
        };
        let open = if ended_at.is_some() {
            with_persons_work(&id, plan, &progress, &proof.open)
        } else {
            vec![unfinished_item(plan)]
        };
        let run = Self {
            run: id,
            plan: plan.id.clone(),
            digest: plan.digest,
            verdict,
            consent: consent.clone(),
            actions: records(plan, &progress),
            open,
            proof,
            residual_risk: plan.residual_risk.clone(),
            started_at,
            ended_at,
        };
        Ok((run, progress))
    }
}

/// A run without an end is never called contained, however far it came: nothing was proved.
fn unfinished_verdict(plan: &Plan, progress: &[Progress]) -> Verdict {
    match verdict_of(plan, progress, &Proof::default()) {
        Verdict::Contained | Verdict::ContainedUnverified => Verdict::Partial,
        other => other,
    }
}

/// What is open of a run without an end, and what helps.
pub fn unfinished_item(plan: &Plan) -> OpenItem {
    OpenItem {
        what: "the run itself".to_owned(),
        why: "it has not ended: it is still under way, or it was cut off, and nothing was proved".to_owned(),
        next: format!(
            "wait a moment; if it does not go on, plan anew: what is done already will not be done twice\n{}",
            plan.command_to_plan_again()
        ),
    }
}

/// Tells each action of the plan with its progress.
fn records(plan: &Plan, progress: &[Progress]) -> Vec<ActionRecord> {
    plan.actions
        .iter()
        .zip(progress)
        .map(|(action, own)| ActionRecord {
            id: action.id.clone(),
            step: action.step.clone(),
            state: own.state,
            detail: own.detail.clone(),
            request_ids: own.request_ids.clone(),
            handed_over: own.handed_over.clone(),
            confirmed: own.confirmed.clone(),
        })
        .collect()
}
