//! Looking at a run's effects again, later. Invariant: it holds a `Reader` and nothing that could write.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::aftermath::{self, Aftermath};
use super::eviction;
use super::newcomers;
use super::proof;
use super::send::note;
use crate::domain::{Clock, RunId, shell_word};
use crate::graph::{GraphError, Reader};
use crate::plan::{Action, Cannot, Plan};
use crate::run::{
    ActionState, Check, CheckState, Entry, JournalLine, LaterRun, OpenItem, Progress, Proof, ProofFact, Run,
    RunError, Verdict, Verification, confirm_command, unfinished_item, verdict_of,
};
use crate::steps::{self, Attempt, Seen};

/// Why a run was not looked at again.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The run is of another tenant than the one that was signed in to.
    #[error("the run is of tenant `{planned}`, the credentials are of tenant `{actual}`")]
    OtherTenant {
        /// Tenant of the run.
        planned: String,
        /// Tenant of the credentials.
        actual: String,
    },
    /// The journal tells of no run of this plan.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The tenant could not be read at all.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl VerifyError {
    /// Exit status (INTERFACE.md).
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::OtherTenant { .. } => 2,
            Self::Run(_) | Self::Graph(_) => 1,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherTenant { .. } => "other_tenant",
            Self::Run(_) => "store_run",
            Self::Graph(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OtherTenant { .. } => {
                Some("set AZURE_TENANT_ID and the credentials of the run's tenant".to_owned())
            }
            Self::Run(_) => Some("keep the store as it is for the inquiry".to_owned()),
            Self::Graph(error) => error.hint(),
        }
    }
}

/// Looks at runs again. It cannot write.
#[derive(Clone)]
pub struct Verifier {
    /// The way to read the tenant: the observer's where one is set.
    pub reader: Reader,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
}

impl Verifier {
    /// Looks at everything that a run asserted: each action's wanted state, the last revocation, the methods; and at
    /// what came since: sign-ins of the intruder's, and whatever they left or put back.
    ///
    /// # Errors
    /// When the run is of another tenant, or the tenant cannot be read at all. What cannot be read of it alone is told
    /// as unread.
    pub async fn verify(
        &self,
        id: RunId,
        plan: &Plan,
        journal: &[JournalLine],
        later_runs: Vec<LaterRun>,
    ) -> Result<Verification, VerifyError> {
        let (run, then) = Run::with_progress(id, plan, journal)?;
        let tenant = self.reader.organization().await?;
        if tenant.id != plan.tenant.id {
            return Err(VerifyError::OtherTenant {
                planned: plan.tenant.id.to_string(),
                actual: tenant.id.to_string(),
            });
        }
        let looks = looks(plan, journal, &then, run.started_at);
        let mut now = then.clone();
        let mut checks = Vec::new();
        if run.ended_at.is_none() {
            checks.push(unfinished(plan));
        }
        for (action, own) in plan.actions.iter().zip(&mut now) {
            let check = self.look_at(plan, &run, action, own, looks.get(action.id.as_str())).await;
            checks.push(check);
        }
        let checked_at = self.reader.server_time().unwrap_or_else(|| self.clock.now());
        let after = proof::last_revocation(plan, &then).or(run.ended_at).unwrap_or(run.started_at);
        // The logs are asked for by several finders: they are read once.
        let reader = self.reader.remembering();
        let (proof, aftermath) = tokio::join!(
            self.prove(plan, &then),
            Box::pin(aftermath::read(&reader, plan, after, checked_at))
        );
        tell_who_enabled(&mut checks, plan, &aftermath, run.started_at);
        let revoked = aftermath.user.read().and_then(|user| user.sessions_valid_from);
        checks.extend(late_doors(plan, journal, &then, &mut now, revoked));
        checks.extend(proof.iter().map(|(fact, open)| check_of(fact, open, &run)));
        checks.extend(aftermath.checks(plan, &then, &later(&run)));
        let mut facts: Vec<ProofFact> = proof.into_iter().map(|(fact, _)| fact).collect();
        let watermark = facts.first().filter(|_| proof::revokes(plan, &then)).cloned();
        // They are told as checks, one by one.
        facts.extend(newcomers::facts_of(plan, &then, &aftermath.traces));
        let verdict = match verdict_of(plan, &now, &Proof { facts, open: Vec::new() }) {
            // What was cut off was never proved by the run itself: its own proof comes with the run that ends it.
            Verdict::Contained | Verdict::ContainedUnverified if run.ended_at.is_none() => Verdict::Partial,
            verdict => verdict,
        };
        let is_kept = |check: &Check| {
            let may_stay = matches!(check.state, CheckState::NotDone | CheckState::Unread);
            check.state == CheckState::Holds || (may_stay && !check.required)
        };
        let eviction = eviction::judge(&eviction::Grounds {
            plan,
            then: &then,
            verdict,
            watermark: watermark.as_ref(),
            after: &aftermath,
            now: checked_at,
        });
        Ok(Verification {
            holds: verdict == Verdict::Contained && checks.iter().all(is_kept),
            verdict,
            verdict_of_run: run.verdict,
            ended_at: run.ended_at,
            checked_at,
            checks,
            sign_ins: aftermath.sign_ins,
            others: aftermath.others,
            eviction,
            not_looked_at: plan
                .unchanged
                .iter()
                .filter(|unchanged| !LOOKED_AT.iter().any(|kind| unchanged.is_of(kind)))
                .map(|unchanged| unchanged.step.clone())
                .collect(),
            later_runs,
            watched: None,
            run: run.run,
            plan: run.plan,
            digest: run.digest,
        })
    }

    /// Looks at one action's object, and at where the action stands by that.
    async fn look_at(
        &self,
        plan: &Plan,
        run: &Run,
        action: &Action,
        own: &mut Progress,
        look: Option<&Attempt>,
    ) -> Check {
        let is_said = own.state == ActionState::Confirmed;
        let was_reached = is_said || matches!(own.state, ActionState::Verified | ActionState::AlreadySo);
        let check = |state: CheckState, seen: String, next: Option<String>| Check {
            action: Some(action.id.clone()),
            what: action.summary.clone(),
            state,
            required: action.required,
            seen,
            next,
        };
        let Some(look) = look else {
            return check(CheckState::NotDone, own.told(), Some(plan.command_to_plan_again()));
        };
        if is_said && !steps::is_read_back(action) {
            return check(CheckState::Holds, own.told(), None);
        }
        let subject = &plan.case.subject.id;
        let seen = match own.state {
            // Nothing was sent: the state itself is all there is to look at.
            ActionState::AlreadySo => steps::look_again(action, look, subject, &self.reader).await,
            _ => steps::observe(action, Some(look), subject, &self.reader).await,
        };
        let gone = |what: String| {
            let next = match &action.cannot {
                Some(cannot) if !was_reached => persons_work(run, action, cannot),
                _ => plan.command_to_plan_again(),
            };
            let what = if is_said { format!("{}; but {what}", own.told()) } else { what };
            let state = if was_reached { CheckState::Drifted } else { CheckState::NotDone };
            check(state, what, Some(next))
        };
        match seen {
            Ok(Seen::AsAfter) => {
                own.state = ActionState::Verified;
                check(CheckState::Holds, "as the run left it".to_owned(), None)
            }
            Ok(Seen::AsBefore) if own.state == ActionState::WaitingForPerson => gone(own.told()),
            Ok(Seen::AsBefore) => {
                let told = gone("it is as it was before the run".to_owned());
                own.state = ActionState::Failed;
                told
            }
            Ok(Seen::Differs { what }) => {
                let told = gone(what);
                own.state = ActionState::Failed;
                told
            }
            Err(error) => {
                own.state = ActionState::AcceptedUnverified;
                check(CheckState::Unread, note(&error).message, Some(later(run)))
            }
        }
    }

    /// What the run asserted as a whole: that sessions were revoked last, and that no method came since; the former
    /// first.
    async fn prove(&self, plan: &Plan, then: &[Progress]) -> Vec<(ProofFact, Vec<OpenItem>)> {
        let mut proof = Vec::new();
        if proof::revokes(plan, then) {
            let (fact, open) = proof::watermark_fact(&self.reader, plan, then).await;
            proof.push((fact, open.into_iter().collect()));
        }
        if proof::judges_methods(plan) {
            proof.push(proof::methods_fact(&self.reader, plan, then).await);
        }
        proof
    }
}

/// Steps that are looked at again also where they had nothing to do.
const LOOKED_AT: [&str; 6] = [
    "disable_sign_in",
    "remove_auth_methods",
    "disable_inbox_rules",
    "revoke_app_consents",
    "disable_devices",
    "strip_roles",
];

/// Says beside an account that is enabled again by whom it was.
fn tell_who_enabled(checks: &mut [Check], plan: &Plan, aftermath: &Aftermath, after: Timestamp) {
    let Some(by) = aftermath.enabled_by(plan, after) else { return };
    for check in checks.iter_mut().filter(|check| check.state == CheckState::Drifted) {
        let action = plan.actions.iter().find(|own| Some(&own.id) == check.action.as_ref());
        if action.is_some_and(|own| own.step == "disable_sign_in") {
            check.seen = format!("{}; {by}", check.seen);
        }
    }
}

/// Tells of each way in that a person has shut since the last revocation: it is shut, and sessions that began before live
/// on. It counts for no more than their word does, until sessions are revoked once more.
fn late_doors(
    plan: &Plan,
    journal: &[JournalLine],
    then: &[Progress],
    now: &mut [Progress],
    revoked: Option<Timestamp>,
) -> Vec<Check> {
    let said_at = |action: &Action| {
        journal.iter().rev().find_map(|line| match &line.entry {
            Entry::Confirmed { action: own, .. } if *own == action.id => Some(line.at),
            _ => None,
        })
    };
    let mut checks = Vec::new();
    for ((action, then), now) in plan.actions.iter().zip(then).zip(now) {
        let reopens = action.cannot.as_ref().is_some_and(|cannot| cannot.then_revoke);
        let is_late = reopens && then.state != ActionState::AlreadySo && now.state == ActionState::Verified;
        // Graph's watermark is in whole seconds: one of the same second proves nothing.
        let is_covered = said_at(action).zip(revoked).is_some_and(|(said, revoked)| revoked > said);
        if !is_late || is_covered {
            continue;
        }
        now.state = ActionState::Confirmed;
        checks.push(Check {
            action: Some(action.id.clone()),
            what: format!("sessions were revoked after a person did this: {}", action.summary),
            state: CheckState::NotDone,
            required: action.required,
            seen: "sessions that began before it may still be alive".to_owned(),
            next: Some(format!(
                "revoke them once more: stanch run evict --user {}",
                shell_word(plan.case.subject.upn.as_str())
            )),
        });
    }
    checks
}

/// For each action that may have taken effect, what is needed to tell its effect from an older one.
fn looks<'p>(
    plan: &'p Plan,
    journal: &[JournalLine],
    then: &[Progress],
    started_at: Timestamp,
) -> BTreeMap<&'p str, Attempt> {
    let made: BTreeMap<String, String> = then
        .iter()
        .filter_map(|own| own.made_id.as_ref().map(|made| (own.id.to_string(), made.clone())))
        .collect();
    let last_intent = |action: &Action| {
        journal.iter().rev().find_map(|line| match &line.entry {
            Entry::Intent { action: own, server_time, .. } if *own == action.id => Some(*server_time),
            _ => None,
        })
    };
    plan.actions
        .iter()
        .zip(then)
        .filter(|(action, own)| match own.state {
            // What a person was to do may have been done by now; what they said to have done may not be so.
            ActionState::Verified
            | ActionState::AlreadySo
            | ActionState::AcceptedUnverified
            | ActionState::Ambiguous
            | ActionState::WaitingForPerson
            | ActionState::Confirmed => true,
            // Runs of earlier versions called so what they left to a person.
            ActionState::Refused => action.cannot.is_some(),
            ActionState::NotStarted | ActionState::Failed | ActionState::Stale => false,
        })
        .map(|(action, own)| {
            let look = Attempt {
                intent_at: last_intent(action).unwrap_or(started_at),
                answered_at: own.answered_at,
                made_id: own.made_id.clone(),
                made: made.clone(),
            };
            (action.id.as_str(), look)
        })
        .collect()
}

fn unfinished(plan: &Plan) -> Check {
    let item = unfinished_item(plan);
    Check {
        action: None,
        what: "the run ended".to_owned(),
        state: CheckState::NotDone,
        required: true,
        seen: item.why,
        next: Some(item.next),
    }
}

/// A fact of the proof as a check; where it does not hold, its open items say what to do.
fn check_of(fact: &ProofFact, open: &[OpenItem], run: &Run) -> Check {
    let next: Vec<&str> = open.iter().map(|item| item.next.as_str()).collect();
    let (state, next) = match fact.holds {
        Some(true) => (CheckState::Holds, None),
        Some(false) => (CheckState::Drifted, Some(next.join("\n"))),
        None => (CheckState::Unread, Some(later(run))),
    };
    Check { action: None, what: fact.what.clone(), state, required: true, seen: fact.seen.clone(), next }
}

/// What a person is still to do; what the verdict does not hang on is told in short.
fn persons_work(run: &Run, action: &Action, cannot: &Cannot) -> String {
    if !action.required {
        return format!("`stanch runs show {}` tells how", run.run);
    }
    let confirm = confirm_command(&run.run, &action.id);
    cannot.lines().chain([confirm.as_str()]).collect::<Vec<_>>().join("\n")
}

fn later(run: &Run) -> String {
    format!("stanch runs verify {}, again in a few minutes", run.run)
}
