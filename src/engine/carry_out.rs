//! One action from its look to its read-back: look again, write down, send, write down, read back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::RunContext;
use super::operation::is_done_later;
use super::secret;
use super::send::{Ended, JUST_MADE_WAIT, missing_objects, note, send, uses_made_object, waited_less};
use super::watch::watch;
use crate::domain::{ActionId, with_causes};
use crate::graph::GraphError;
use crate::plan::{Action, EffectClass, effect_of};
use crate::run::{ActionState, FailureNote};
use crate::steps::{self, AnyStep, Attempt, Seen};
use crate::store::StoreError;

/// What an action tells the one who schedules.
pub(super) enum Signal {
    /// What needs it may start: it took effect, or never will.
    Released(ActionId),
}

/// The waits between two read-backs, in seconds; the last one repeats (identity.md 2.1).
const READ_BACK_WAITS: [u64; 6] = [1, 2, 4, 8, 15, 15];

/// Carries one action out. Its errors are the store's: where the journal cannot be written, nothing more is sent.
pub(super) async fn carry_out(
    context: Arc<RunContext>,
    action: Action,
    signals: mpsc::Sender<Signal>,
) -> Result<(), StoreError> {
    let attempt = change(&context, &action).await?;
    // The owner may have stopped listening after an interruption: then nobody waits for this action.
    let _was_heard = signals.send(Signal::Released(action.id.clone())).await.is_ok();
    match attempt {
        Some(attempt) => read_back(&context, &action, &attempt).await,
        None => Ok(()),
    }
}

/// Makes the change, if it is to be made. Returns the attempt whose effect is to be read back.
async fn change(context: &RunContext, action: &Action) -> Result<Option<Attempt>, StoreError> {
    if let Some(cannot) = &action.cannot {
        context
            .reached(&action.id, ActionState::WaitingForPerson, format!("waits for a person: {}", cannot.why))
            .await?;
        return Ok(None);
    }
    let missing = missing_objects(context, action);
    if !missing.is_empty() {
        let detail = format!("left out: it uses what `{}` was to make", missing.join("`, `"));
        context.reached(&action.id, ActionState::NotStarted, detail).await?;
        return Ok(None);
    }
    if let Some(watched) = &action.watch {
        watch(context, action, watched).await?;
        return Ok(None);
    }
    if let Some(why) = why_not_let_in(context, action) {
        let detail = format!("nobody is let in: {why}; nothing was sent");
        context.reached(&action.id, ActionState::NotStarted, detail).await?;
        return Ok(None);
    }
    if let Err(error) = secret::ready(context, action) {
        let detail = format!("nothing was sent, as its secret would be lost: {}", with_causes(&error));
        context.reached(&action.id, ActionState::Failed, detail).await?;
        return Ok(None);
    }
    match look_before(context, action).await {
        Ok(Seen::AsBefore) => {}
        Ok(Seen::AsAfter) => {
            context
                .reached(
                    &action.id,
                    ActionState::AlreadySo,
                    "in the wanted state already; nothing was sent".to_owned(),
                )
                .await?;
            return Ok(None);
        }
        Ok(Seen::Differs { what }) => {
            context
                .reached(
                    &action.id,
                    ActionState::Stale,
                    format!("changed since the plan: {what}; nothing was sent"),
                )
                .await?;
            return Ok(None);
        }
        Err(error) => {
            let detail = told("could not be looked at before sending, so nothing was sent", &note(&error));
            context.reached(&action.id, ActionState::Failed, detail).await?;
            return Ok(None);
        }
    }
    if context.stop.is_given() {
        context.reached(&action.id, ActionState::NotStarted, "stopped before it was sent".to_owned()).await?;
        return Ok(None);
    }
    let mut last = None;
    for (index, request) in context.approved.requests(action).into_iter().enumerate() {
        match send(context, action, index, request).await? {
            Ended::Done(attempt) => last = Some(*attempt),
            Ended::WasSo => {
                let detail = "somebody else had brought it about by the time that it was sent".to_owned();
                context.reached(&action.id, ActionState::AlreadySo, detail).await?;
                return Ok(None);
            }
            Ended::Refused(failure) => {
                context.reached(&action.id, ActionState::Failed, told("was refused", &failure)).await?;
                return Ok(None);
            }
            Ended::Lost(failure) => {
                let detail = told("was done, and nobody has the secret that it made", &failure);
                context.reached(&action.id, ActionState::Failed, detail).await?;
                return Ok(None);
            }
            Ended::Unknown(failure) => {
                let detail = told("it is not known whether it took effect", &failure);
                context.reached(&action.id, ActionState::Ambiguous, detail).await?;
                return Ok(None);
            }
        }
    }
    Ok(last)
}

/// Why nobody is let in yet: something that keeps the intruder out is not done, or something is left that holds the
/// account open. A step whose need failed runs all the same; one that lets somebody in does not.
fn why_not_let_in(context: &RunContext, action: &Action) -> Option<String> {
    if !AnyStep::is_way_in(&action.step) {
        return None;
    }
    let plan = context.approved.plan();
    let keeps_out = |own: &&Action| AnyStep::is_door(&own.step) || AnyStep::is_revocation(&own.step);
    let progress = context.progress();
    let is_done = |state: ActionState| {
        matches!(state, ActionState::Verified | ActionState::AlreadySo | ActionState::AcceptedUnverified)
    };
    let undone = plan.actions.iter().filter(keeps_out).filter(|own| own.required).find_map(|own| {
        let state = progress.iter().find(|other| other.id == own.id).map(|other| other.state)?;
        (!is_done(state)).then(|| format!("`{}` is {}", own.summary, state.words()))
    });
    let left = plan.left.iter().find(|left| left.holds_back).map(|left| format!("{} is left", left.object));
    let refused = plan
        .guards
        .refused
        .iter()
        .find(|own| own.holds_back && own.step.as_deref().is_some_and(|id| id != action.step_id()))
        .map(|own| format!("`{}` was refused by the guard `{}`", own.object, own.guard));
    undone.or(left).or(refused)
}

/// Looks at what an action is to change. What this run itself has just made may not show yet, or show its state of a
/// moment ago (policy-logs-auth.md 1.7): then the look is repeated, and only a lasting difference counts as one.
async fn look_before(context: &RunContext, action: &Action) -> Result<Seen, GraphError> {
    let subject = &context.approved.plan().case.subject.id;
    let begun = context.clock.now();
    let follows_our_own = action.requests.iter().any(uses_made_object)
        || follows_a_change_of_its_object(context, action)
        || asks_about_a_sibling(context, action);
    loop {
        let look = Attempt {
            intent_at: context.tenant_now(),
            answered_at: None,
            made_id: None,
            made: context.made(),
        };
        let seen = steps::look_again(action, &look, subject, &context.reader).await;
        let may_be_lag = match &seen {
            Ok(Seen::Differs { .. }) => true,
            Ok(Seen::AsBefore | Seen::AsAfter) => false,
            Err(error) => error.is_not_found(),
        };
        if !(follows_our_own
            && may_be_lag
            && waited_less(context, begun, context.patience.just_made)
            && context.pause(JUST_MADE_WAIT).await)
        {
            return seen;
        }
    }
}

/// Whether an action that this one needs changes the same object.
fn follows_a_change_of_its_object(context: &RunContext, action: &Action) -> bool {
    action.object.id.is_some()
        && context
            .approved
            .plan()
            .actions
            .iter()
            .any(|other| action.needs.contains(&other.id) && other.object.id == action.object.id)
}

/// Whether an action asks What-If about something that its own step has just changed: who belongs to a group, say.
fn asks_about_a_sibling(context: &RunContext, action: &Action) -> bool {
    let mut all = context.approved.plan().actions.iter();
    action.asks.is_some() && all.any(|other| action.needs.contains(&other.id) && other.step == action.step)
}

/// Reads an effect back until it shows, or patience ends.
async fn read_back(context: &RunContext, action: &Action, attempt: &Attempt) -> Result<(), StoreError> {
    let subject = &context.approved.plan().case.subject.id;
    // One replica without the object may be an old one; two in a row count (identity.md 11).
    let wanted_in_a_row =
        if action.requests.iter().any(|request| effect_of(request) == EffectClass::Delete) { 2 } else { 1 };
    let begun = context.clock.now();
    let mut in_a_row = 0;
    let mut last_seen = String::from("it was not read");
    let mut waits = READ_BACK_WAITS.into_iter();
    let mut wait = 0;
    loop {
        match steps::observe(action, Some(attempt), subject, &context.reader).await {
            Ok(Seen::AsAfter) => {
                in_a_row += 1;
                if in_a_row == wanted_in_a_row {
                    return context.reached(&action.id, ActionState::Verified, "read back".to_owned()).await;
                }
                continue;
            }
            Ok(Seen::AsBefore) => {
                in_a_row = 0;
                "it still shows the state before".clone_into(&mut last_seen);
            }
            Ok(Seen::Differs { what }) => {
                in_a_row = 0;
                last_seen = what;
            }
            Err(error) => {
                in_a_row = 0;
                last_seen = note(&error).message;
            }
        }
        let waited = context.clock.now().duration_since(begun);
        let most = jiff::SignedDuration::try_from(patience_for(context, action))
            .unwrap_or(jiff::SignedDuration::MAX);
        if waited >= most || context.stop.is_given() {
            let detail =
                format!("accepted by Graph, not read back after {} s: {last_seen}", waited.as_secs());
            return context.reached(&action.id, ActionState::AcceptedUnverified, detail).await;
        }
        wait = waits.next().unwrap_or(wait);
        context.pause(Duration::from_secs(wait)).await;
    }
}

/// How long an effect may take to show. What the verdict hangs on is waited for as long as its service may take; the
/// rest is told as not seen yet, so that nobody waits for it in the meantime.
fn patience_for(context: &RunContext, action: &Action) -> Duration {
    let usual = context.patience.read_back;
    if action.requests.iter().any(is_done_later) {
        return usual.max(context.patience.written_back);
    }
    match AnyStep::shows_within(&action.step) {
        Some(slow) if action.required => usual.max(slow),
        _ => usual,
    }
}

fn told(what: &str, failure: &FailureNote) -> String {
    match &failure.hint {
        Some(hint) => format!("{what}: {}; {hint}", failure.message),
        None => format!("{what}: {}", failure.message),
    }
}
