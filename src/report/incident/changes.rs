//! What the run did: each change with where it stands, and the journal line by line, as its chain holds it.

use std::collections::BTreeMap;

use super::document::{ActionTold, ChangeLine};
use super::times::Clocks;
use crate::plan::Plan;
use crate::run::{Entry, FailureNote, HandedOver, JournalLine, Outcome, Progress};

/// The changes with where they stand.
pub(super) fn actions(plan: &Plan, progress: &[Progress], clocks: Clocks) -> Vec<ActionTold> {
    let all = plan.actions.iter().zip(progress);
    all.map(|(action, own)| ActionTold {
        id: action.id.clone(),
        step: action.step.clone(),
        summary: action.summary.clone(),
        reason: action.reason.clone(),
        required: action.required,
        state: own.state,
        at: own.answered_at.or(own.confirmed.as_ref().map(|word| clocks.theirs(word.at))),
        told: own.told(),
        reversible: action.reversible,
    })
    .collect()
}

/// The journal, a line each. The answer to a request names the request again: a line is read by itself.
pub(super) fn change_log(journal: &[JournalLine]) -> Vec<ChangeLine> {
    let mut sent: BTreeMap<(&str, usize), String> = BTreeMap::new();
    let mut lines = Vec::with_capacity(journal.len());
    for line in journal {
        let (action, request, request_id, outcome) = match &line.entry {
            Entry::Started { plan, digest, consent, engine } => {
                let by: Vec<&str> = consent.given.iter().map(|own| own.by.as_str()).collect();
                let told =
                    format!("the run began: plan {plan}, {digest}, yes by {}, {engine}", by.join(", "));
                (None, None, None, told)
            }
            Entry::Intent { action, request, attempt, method, path, client_request_id, .. } => {
                let spelt = format!("{method} {path}");
                sent.insert((action.as_str(), *request), spelt.clone());
                let told = if *attempt == 1 {
                    "the request leaves".to_owned()
                } else {
                    format!("the request leaves, attempt {attempt}")
                };
                (Some(action), Some(spelt), Some(client_request_id.clone()), told)
            }
            Entry::Outcome { action, request, outcome } => {
                let (told, id) = of_outcome(outcome);
                (Some(action), sent.get(&(action.as_str(), *request)).cloned(), id, told)
            }
            Entry::HandedOver { action, to } => (Some(action), None, None, of_secret(to)),
            Entry::Reached { action, state, detail } => {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                (Some(action), None, None, format!("{}{detail}", state.words()))
            }
            Entry::Confirmed { action, by, reason } => {
                (Some(action), None, None, format!("{by} says that it is done: {reason}"))
            }
            Entry::Interrupted => (None, None, None, "the run was asked to stop".to_owned()),
            Entry::Finished { verdict, .. } => (None, None, None, format!("the run ended: {verdict}")),
        };
        lines.push(ChangeLine {
            seq: line.seq,
            at: line.at,
            action: action.cloned(),
            request,
            request_id,
            outcome,
            hash: line.hash,
        });
    }
    lines
}

fn of_outcome(outcome: &Outcome) -> (String, Option<String>) {
    let noted = |what: &str, note: &FailureNote| {
        let status = note.status.map_or_else(String::new, |status| format!("{status}, "));
        (format!("{what}: {status}{}", note.message), note.request_id.clone())
    };
    match outcome {
        Outcome::Accepted { status, request_id, .. } => (format!("accepted: {status}"), request_id.clone()),
        Outcome::OperationSucceeded => ("what was accepted is done".to_owned(), None),
        Outcome::OperationFailed(note) => noted("what was accepted failed", note),
        Outcome::OperationOpen(note) => noted("what was accepted had no end in time", note),
        Outcome::NotExecuted(note) => noted("it did nothing", note),
        Outcome::Ambiguous(note) => noted("no whole answer came", note),
        Outcome::SeenByReadBack { .. } => ("no answer came; reading back shows the effect".to_owned(), None),
        Outcome::AbsentByReadBack => ("no answer came; reading back shows no effect".to_owned(), None),
    }
}

fn of_secret(to: &HandedOver) -> String {
    match to {
        HandedOver::Shown => "the secret was shown once, on the terminal".to_owned(),
        HandedOver::Sealed { file, recipients } => {
            format!("the secret was sealed in {file}, for {} recipient(s)", recipients.len())
        }
        HandedOver::Lost { why } => format!("the secret was lost: {why}"),
    }
}
