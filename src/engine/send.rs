//! One request of an action: intent, send, outcome; and what settles an answer that never came.

use std::time::Duration;

use super::context::{Notice, RunContext};
use super::operation::{Awaited, await_end, is_done_later};
use super::secret::{self, Handed};
use crate::approval::ApprovedRequest;
use crate::case::Look;
use crate::domain::secret::generate_password;
use crate::domain::{CidrBlock, NamedLocationId, SecretString, Sha256Digest, with_causes};
use crate::graph::{ClientRequestId, GraphError, Sent};
use crate::guard::{judge_group, judge_members};
use crate::plan::placeholder::range_body;
use crate::plan::{
    Action, Bindings, EffectClass, PlannedRequest, Verb, effect_of, fill, made_objects_of, placeholders_of,
};
use crate::run::{Entry, FailureNote, Outcome};
use crate::steps::{self, Attempt, Seen};
use crate::store::StoreError;

/// The name that the password goes by in placeholders.
pub(super) const PASSWORD: &str = "password";

/// The wait between two tries on an object that this run has just made.
pub(super) const JUST_MADE_WAIT: Duration = Duration::from_secs(5);

/// How a request ended, for the action that it belongs to.
pub(super) enum Ended {
    /// It took effect, as far as Graph says or a read shows.
    Done(Box<Attempt>),
    /// It was so before anything of ours arrived.
    WasSo,
    /// It did not.
    Refused(FailureNote),
    /// It did, and nobody has the secret that it made.
    Lost(FailureNote),
    /// It is not known, and the reads do not agree.
    Unknown(FailureNote),
}

/// Which placeholders of a request have nothing to fill them: objects that were not made.
pub(super) fn missing_objects(context: &RunContext, action: &Action) -> Vec<String> {
    let made = context.made();
    let mut missing: Vec<String> =
        action.requests.iter().flat_map(made_objects_of).filter(|id| !made.contains_key(id)).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// Sends one request of an action until it is known how it ended.
pub(super) async fn send(
    context: &RunContext,
    action: &Action,
    index: usize,
    request: ApprovedRequest<'_>,
) -> Result<Ended, StoreError> {
    let planned = request.planned();
    let class = effect_of(planned);
    let begun = context.clock.now();
    // One resend after the reads have shown no effect; a second silence is left as unknown.
    let mut resends_left = 1;
    let mut may_be_ours = false;
    let mut number = 0;
    loop {
        number += 1;
        let (bindings, path) = match bind(context, planned).await {
            Ok(bound) => bound,
            Err(error) => return Ok(Ended::Refused(note(&error))),
        };
        let client_request_id = ClientRequestId::generate(context.random.as_ref());
        let intent_at = context.tenant_now();
        context
            .watcher
            .notice(&Notice::Sending { action: action.id.clone(), summary: action.summary.clone() });
        context
            .write_down(Entry::Intent {
                action: action.id.clone(),
                request: index,
                attempt: number,
                method: planned.method,
                path,
                body: Sha256Digest::of_json(&planned.body)?,
                client_request_id: client_request_id.as_str().to_owned(),
                server_time: intent_at,
            })
            .await?;
        let answer = context.writer.send(request, &bindings, client_request_id).await;
        let outcome = |outcome| Entry::Outcome { action: action.id.clone(), request: index, outcome };
        let mut attempt = Attempt { intent_at, answered_at: None, made_id: None, made: context.made() };
        match answer {
            Ok(sent) => {
                attempt.answered_at = sent.server_time;
                attempt.made_id.clone_from(&sent.made_id);
                let done = match follow(context, action, index, planned, &sent, &mut attempt).await? {
                    Followed::Done(done) => done,
                    Followed::Ended(ended) => return Ok(ended),
                };
                // Handed over before the end is written down: a crash in between leaves a secret that is known to be
                // lost, and never one that is believed to be with somebody.
                let handed =
                    secret::hand_over(context, action, planned, &bindings, sent.pass.as_ref()).await?;
                context.write_down(outcome(done)).await?;
                note_ranges(context, action, planned, &bindings).await?;
                match settle(context, action, planned, handed, attempt, resends_left).await? {
                    Some(ended) => return Ok(ended),
                    None => resends_left -= 1,
                }
            }
            Err(error) if !error.may_have_happened() => {
                let failure = note(&error);
                let is_member_already = planned.path.ends_with("/members/$ref") && is_there_already(&error);
                if is_member_already && !may_be_ours {
                    // Somebody else's deed: to undo it is not ours.
                    context.write_down(outcome(Outcome::NotExecuted(failure))).await?;
                    return Ok(Ended::WasSo);
                }
                if is_member_already || (class == EffectClass::Delete && error.is_not_found()) {
                    // Gone already, or there: the read-back tells whether it is.
                    let seen = Outcome::SeenByReadBack { made_id: None, server_time: Some(intent_at) };
                    context.write_down(outcome(seen)).await?;
                    attempt.answered_at = Some(context.tenant_now());
                    return Ok(Ended::Done(Box::new(attempt)));
                }
                context.write_down(outcome(Outcome::NotExecuted(failure.clone()))).await?;
                if is_not_yet_known(&error, planned)
                    && waited_less(context, begun, context.patience.just_made)
                    && context.pause(JUST_MADE_WAIT).await
                {
                    continue;
                }
                return Ok(Ended::Refused(failure));
            }
            Err(error) => {
                let failure = note(&error);
                may_be_ours = true;
                context.write_down(outcome(Outcome::Ambiguous(failure.clone()))).await?;
                match probe(context, action, planned, &mut attempt).await {
                    Probe::Seen => {
                        let server_time = Some(context.tenant_now());
                        attempt.answered_at = server_time;
                        let made_id = attempt.made_id.clone();
                        // A pass was issued, and its code went with the answer: only another one has a code.
                        let handed = secret::hand_over(context, action, planned, &bindings, None).await?;
                        context.write_down(outcome(Outcome::SeenByReadBack { made_id, server_time })).await?;
                        note_ranges(context, action, planned, &bindings).await?;
                        match settle(context, action, planned, handed, attempt, resends_left).await? {
                            Some(ended) => return Ok(ended),
                            None => resends_left -= 1,
                        }
                    }
                    Probe::Absent if resends_left > 0 && !context.stop.is_given() => {
                        resends_left -= 1;
                        context.write_down(outcome(Outcome::AbsentByReadBack)).await?;
                    }
                    Probe::Absent | Probe::Unsettled => return Ok(Ended::Unknown(failure)),
                }
            }
        }
    }
}

/// How a request that took effect ended, by what became of its secret; `None`: it is to be sent once more.
async fn settle(
    context: &RunContext,
    action: &Action,
    planned: &PlannedRequest,
    handed: Handed,
    attempt: Attempt,
    resends_left: u32,
) -> Result<Option<Ended>, StoreError> {
    Ok(match handed {
        Handed::NoCode if resends_left > 0 && !context.stop.is_given() => None,
        Handed::NoCode => Some(Ended::Lost(secret::without_code(context, action).await?)),
        Handed::Lost(failure) if secret::is_pass(planned) => Some(Ended::Lost(failure)),
        // A password that nobody knows is set all the same: the intruder does not know it either.
        Handed::Lost(_) | Handed::Over | Handed::Nothing => Some(Ended::Done(Box::new(attempt))),
    })
}

/// What became of a request that Graph accepted.
enum Followed {
    /// It is done; this is to be written down.
    Done(Outcome),
    /// It is not, or nobody knows.
    Ended(Ended),
}

/// Follows what Graph has accepted, where it is done later, to its end.
async fn follow(
    context: &RunContext,
    action: &Action,
    index: usize,
    planned: &PlannedRequest,
    sent: &Sent,
    attempt: &mut Attempt,
) -> Result<Followed, StoreError> {
    let outcome = |outcome| Entry::Outcome { action: action.id.clone(), request: index, outcome };
    let accepted = accepted(sent);
    if !is_done_later(planned) {
        return Ok(Followed::Done(accepted));
    }
    context.write_down(outcome(accepted)).await?;
    Ok(match await_end(context, planned, sent).await {
        Awaited::Succeeded => Followed::Done(Outcome::OperationSucceeded),
        Awaited::Failed(failure) => {
            context.write_down(outcome(Outcome::OperationFailed(failure.clone()))).await?;
            Followed::Ended(Ended::Refused(failure))
        }
        Awaited::Open(failure) => {
            context.write_down(outcome(Outcome::OperationOpen(failure.clone()))).await?;
            // It is not sent again: the one before may still arrive.
            match probe(context, action, planned, attempt).await {
                Probe::Seen => {
                    let server_time = Some(context.tenant_now());
                    Followed::Done(Outcome::SeenByReadBack { made_id: None, server_time })
                }
                Probe::Absent | Probe::Unsettled => Followed::Ended(Ended::Unknown(failure)),
            }
        }
    })
}

enum Probe {
    /// A read shows the effect.
    Seen,
    /// Every read shows the state before.
    Absent,
    /// The reads fail or differ.
    Unsettled,
}

/// Settles an answer that never came by reading back (SAFETY.md 2.4).
async fn probe(
    context: &RunContext,
    action: &Action,
    planned: &PlannedRequest,
    attempt: &mut Attempt,
) -> Probe {
    let mut absent = 0;
    for read in 0..context.patience.probe_reads {
        if read > 0 {
            context.clock.sleep(context.patience.probe_spacing).await;
        }
        if effect_of(planned) == EffectClass::Create {
            match find_made(context, planned).await {
                Ok(Found::Ours(id)) => {
                    attempt.made_id = Some(id);
                    return Probe::Seen;
                }
                // Another one of the name would make both useless.
                Ok(Found::Doubtful) => return Probe::Unsettled,
                Ok(Found::Nothing) => {}
                Err(error) => {
                    tracing::warn!(%error, action = %action.id, "looking for what was made failed");
                    continue;
                }
            }
        }
        match steps::observe(action, Some(attempt), &context.approved.plan().case.subject.id, &context.reader)
            .await
        {
            Ok(Seen::AsAfter) if effect_of(planned) != EffectClass::Create => return Probe::Seen,
            Ok(_) => absent += 1,
            Err(error) => tracing::warn!(%error, action = %action.id, "reading back failed"),
        }
    }
    if absent == context.patience.probe_reads { Probe::Absent } else { Probe::Unsettled }
}

/// What a create whose answer never came has left behind.
enum Found {
    /// The object, by its id.
    Ours(String),
    /// Nothing.
    Nothing,
    /// Something of the name that may be another's.
    Doubtful,
}

/// Finds the object that a create whose answer never came has made, by the name that the plan gives it.
async fn find_made(context: &RunContext, planned: &PlannedRequest) -> Result<Found, GraphError> {
    let Some(name) = planned.body.get("displayName").and_then(serde_json::Value::as_str) else {
        return Ok(Found::Nothing);
    };
    let one = |id: Option<String>| id.map_or(Found::Nothing, Found::Ours);
    if planned.path.ends_with("/policies") {
        let policies = context.reader.policies().await?;
        let own = policies.into_iter().find(|policy| policy.display_name == name);
        Ok(one(own.map(|policy| policy.id.to_string())))
    } else if planned.path.ends_with("/namedLocations") {
        let locations = context.reader.named_locations().await?;
        let own = locations.into_iter().find(|location| location.display_name == name);
        Ok(one(own.map(|location| location.id.to_string())))
    } else if planned.path.ends_with("/groups") {
        let groups = context.reader.groups_named(name).await?;
        let group = match groups.as_slice() {
            [] => return Ok(Found::Nothing),
            [own] => own,
            _ => return Ok(Found::Doubtful),
        };
        // Somebody else's of the name may hold others, whom the policy would shut out.
        let subject = &context.approved.plan().case.subject.id;
        let members = Look::Read(context.reader.group_members(&group.id).await?);
        let is_ours = judge_group(group).is_ok() && judge_members(group, &members, subject, &[]).is_none();
        Ok(if is_ours { Found::Ours(group.id.to_string()) } else { Found::Doubtful })
    } else {
        Ok(Found::Nothing)
    }
}

/// Fills the placeholders: a fresh secret, ids that were made, the list as it stands now with our own.
async fn bind(context: &RunContext, planned: &PlannedRequest) -> Result<(Bindings, String), GraphError> {
    let mut bindings = Bindings { made: context.made(), ..Bindings::default() };
    let names = placeholders_of(planned).map_err(GraphError::from)?;
    if names.iter().any(|name| name == "${secret.password}") {
        let password: SecretString = generate_password(context.random.as_ref());
        bindings.secrets.insert(PASSWORD.to_owned(), password);
    }
    let without_list = Bindings { made: bindings.made.clone(), ..Bindings::default() };
    let path_only =
        PlannedRequest { method: planned.method, path: planned.path.clone(), body: serde_json::Value::Null };
    let (path, _) = fill(&path_only, &without_list).map_err(GraphError::from)?;
    if names.iter().any(|name| name == "${current.ipRanges}") {
        bindings.current_ranges = Some(current_ranges(context, &path).await?);
    }
    Ok((bindings, path))
}

/// The list as it stands at this moment, with those of our own that a stale read or another writer left out.
async fn current_ranges(context: &RunContext, path: &str) -> Result<Vec<serde_json::Value>, GraphError> {
    let id = path.rsplit('/').next().unwrap_or_default();
    let location = match id.parse::<NamedLocationId>() {
        Ok(id) => context.reader.named_location(&id).await?,
        Err(_) => None,
    };
    let Some(location) = location else {
        return Err(GraphError::Gone { kind: "named location", id: id.to_owned() });
    };
    let listed: Vec<CidrBlock> = location.ranges.iter().filter_map(|range| range.block).collect();
    let mut current: Vec<serde_json::Value> =
        location.raw.get("ipRanges").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    match context.store.own_ranges(id).await {
        Ok(own) => current.extend(own.iter().filter(|range| !listed.contains(range)).map(range_body)),
        Err(error) => {
            return Err(GraphError::local("the ledger of our own ranges could not be read", &error));
        }
    }
    Ok(current)
}

/// What follows once a request is known to have taken effect: ranges become ours.
async fn note_ranges(
    context: &RunContext,
    action: &Action,
    planned: &PlannedRequest,
    bindings: &Bindings,
) -> Result<(), StoreError> {
    if matches!(planned.method, Verb::Patch | Verb::Post)
        && let Some(ranges) = planned.body.get("ipRanges").and_then(serde_json::Value::as_array)
    {
        let added: Vec<CidrBlock> = ranges
            .iter()
            .filter_map(|range| range.get("cidrAddress").and_then(serde_json::Value::as_str))
            .filter_map(|text| text.parse().ok())
            .collect();
        let location = match planned.method {
            Verb::Post => context.made().get(action.id.as_str()).cloned(),
            Verb::Patch | Verb::Put | Verb::Delete => {
                let path_only = PlannedRequest {
                    method: planned.method,
                    path: planned.path.clone(),
                    body: serde_json::Value::Null,
                };
                let made = Bindings { made: bindings.made.clone(), ..Bindings::default() };
                fill(&path_only, &made).ok().and_then(|(path, _)| path.rsplit('/').next().map(str::to_owned))
            }
        };
        if let Some(location) = location {
            context.store.note_ranges(&location, &added, &context.run, context.clock.now()).await?;
        }
    }
    Ok(())
}

fn accepted(sent: &Sent) -> Outcome {
    Outcome::Accepted {
        status: sent.status,
        request_id: sent.request_id.clone(),
        made_id: sent.made_id.clone(),
        server_time: sent.server_time,
        operation: sent.operation.clone(),
    }
}

/// An object that this run has just made may be unknown to the next request for a while (policy-logs-auth.md 1.7).
fn is_not_yet_known(error: &GraphError, planned: &PlannedRequest) -> bool {
    uses_made_object(planned) && (error.is_not_found() || error.number() == Some(1040))
}

/// Whether a membership was refused because it is there.
fn is_there_already(error: &GraphError) -> bool {
    error
        .answer()
        .is_some_and(|answer| answer.status == 400 && answer.message.contains("references already exist"))
}

/// Whether a request works on an object that this run itself makes.
pub(super) fn uses_made_object(planned: &PlannedRequest) -> bool {
    !made_objects_of(planned).is_empty()
}

pub(super) fn waited_less(context: &RunContext, begun: jiff::Timestamp, most: Duration) -> bool {
    let waited = context.clock.now().duration_since(begun);
    waited < jiff::SignedDuration::try_from(most).unwrap_or(jiff::SignedDuration::MAX)
}

/// A failure as the journal keeps it: the chain of causes, no body.
pub(super) fn note(error: &GraphError) -> FailureNote {
    FailureNote {
        code: error.code().to_owned(),
        message: with_causes(error),
        hint: error.hint(),
        request_id: error.request_id().map(str::to_owned),
        status: error.status(),
    }
}

/// A fresh id in time order, for runs and plans.
pub(super) fn new_id(now: jiff::Timestamp, random: &dyn crate::domain::Random) -> String {
    let mut bytes = [0u8; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().hyphenated().to_string()
}
