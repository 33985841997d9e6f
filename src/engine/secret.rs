//! Secrets that a run makes: handed over once, right after they took effect, and told as lost where that fails. There is
//! no second way: a channel that fails is never replaced by a weaker one.

use super::context::RunContext;
use super::send::PASSWORD;
use crate::domain::{SecretString, with_causes};
use crate::plan::{Action, Bindings, Delivery, PlannedRequest, Verb};
use crate::run::{Entry, FailureNote, HandedOver};
use crate::seal::{HandoverError, Parcel, SecretKind};
use crate::store::StoreError;

/// What became of a request's secret.
pub(super) enum Handed {
    /// It makes none that anybody is to know.
    Nothing,
    /// Somebody has it.
    Over,
    /// Nobody has it, and nobody ever will.
    Lost(FailureNote),
    /// Graph's answer did not hold it.
    NoCode,
}

/// Whether a request issues a pass, whose code its answer alone tells.
pub(super) fn is_pass(planned: &PlannedRequest) -> bool {
    planned.method == Verb::Post && planned.path.ends_with("/temporaryAccessPassMethods")
}

fn kind_of(planned: &PlannedRequest) -> Option<SecretKind> {
    if is_pass(planned) {
        Some(SecretKind::Pass)
    } else if ["passwordProfile", "newPassword"].iter().any(|key| planned.body.get(key).is_some()) {
        Some(SecretKind::Password)
    } else {
        None
    }
}

fn parcel<'a>(
    context: &'a RunContext,
    action: &'a Action,
    planned: &PlannedRequest,
) -> Option<(Parcel<'a>, &'a Delivery)> {
    let delivery = action.deliver.as_ref().filter(|delivery| **delivery != Delivery::Nobody)?;
    let subject = &context.approved.plan().case.subject.upn;
    Some((Parcel { kind: kind_of(planned)?, subject, run: &context.run }, delivery))
}

/// Whether what an action makes could be handed over: asked before it is made.
///
/// # Errors
/// When it could not.
pub(super) fn ready(context: &RunContext, action: &Action) -> Result<(), HandoverError> {
    action
        .requests
        .iter()
        .filter_map(|planned| parcel(context, action, planned))
        .try_for_each(|(parcel, delivery)| context.handover.ready(&parcel, delivery))
}

/// Hands a request's secret over, and writes down where it went.
pub(super) async fn hand_over(
    context: &RunContext,
    action: &Action,
    planned: &PlannedRequest,
    bindings: &Bindings,
    pass: Option<&SecretString>,
) -> Result<Handed, StoreError> {
    let Some((parcel, delivery)) = parcel(context, action, planned) else { return Ok(Handed::Nothing) };
    let secret = match parcel.kind {
        SecretKind::Password => bindings.secrets.get(PASSWORD),
        SecretKind::Pass => pass,
    };
    let Some(secret) = secret else { return Ok(Handed::NoCode) };
    let (to, handed) = match context.handover.hand_over(&parcel, delivery, secret) {
        Ok(to) => (to, Handed::Over),
        Err(error) => {
            tracing::error!(%error, action = %action.id, "a secret was made and could not be handed over");
            let why = with_causes(&error);
            (HandedOver::Lost { why: why.clone() }, Handed::Lost(lost(why)))
        }
    };
    context.write_down(Entry::HandedOver { action: action.id.clone(), to }).await?;
    Ok(handed)
}

/// A pass that was issued and whose code nobody has.
pub(super) async fn without_code(context: &RunContext, action: &Action) -> Result<FailureNote, StoreError> {
    let why = "its code never came".to_owned();
    let to = HandedOver::Lost { why: why.clone() };
    context.write_down(Entry::HandedOver { action: action.id.clone(), to }).await?;
    Ok(lost(why))
}

fn lost(message: String) -> FailureNote {
    FailureNote {
        code: "secret_lost".to_owned(),
        message,
        hint: Some("make a new plan: what it issues ends this one".to_owned()),
        request_id: None,
        status: None,
    }
}
