//! The timeline: what the intruder did, what was done to the account, and the answer to it, in the tenant's time.

use super::compose::{IncidentInputs, ended_as};
use super::document::{Lane, TimelineEntry, Times};
use super::findings::Findings;
use super::times::Clocks;
use crate::report::words::{consent, headline, headline_of};
use crate::report::{Event, EventKind};
use crate::run::Progress;

/// Puts everything in its order.
pub(super) fn entries(
    inputs: &IncidentInputs<'_>,
    findings: &Findings,
    times: &Times,
    clocks: Clocks,
) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = findings.events.iter().map(happened).collect();
    entries.extend(answered(inputs, times, clocks));
    // What has one moment keeps its order: the answer is told in the order in which it went.
    entries.sort_by_key(|own| own.at);
    entries
}

fn happened(event: &Event) -> TimelineEntry {
    TimelineEntry {
        at: event.at,
        until: event.until,
        lane: match event.kind {
            EventKind::SignIn => Lane::SignIn,
            EventKind::Mail => Lane::Mail,
            EventKind::Account => Lane::Account,
        },
        who: Some(event.who),
        what: event.what.clone(),
        address: event.address.clone(),
        techniques: event.techniques.clone(),
    }
}

fn answered(inputs: &IncidentInputs<'_>, times: &Times, clocks: Clocks) -> Vec<TimelineEntry> {
    let (plan, run) = (inputs.plan, inputs.run);
    let entry = |at, what: String| TimelineEntry {
        at,
        until: None,
        lane: Lane::Response,
        who: None,
        what,
        address: None,
        techniques: Vec::new(),
    };
    let mut all = Vec::new();
    if let Some(at) = times.reported_at {
        let what = if inputs.reported_at.is_some() {
            "the incident was reported"
        } else if inputs.planning.is_some_and(|own| own.alert_at.is_some()) {
            "the alert that the plan was made from gives this time"
        } else {
            "the alert came in that the plan was made from"
        };
        all.push(entry(at, what.to_owned()));
    }
    if let Some(at) = times.planned_at {
        let by = &plan.requested_by;
        let by = by.webhook.as_ref().map_or_else(|| by.name.clone(), |name| format!("the webhook {name}"));
        all.push(entry(at, format!("plan {} made by `{}`, asked for by {by}", plan.id, plan.playbook.name)));
    }
    for given in &run.consent.given {
        all.push(entry(clocks.theirs(given.at), consent(run.consent.kind, given)));
    }
    if let Some(at) = times.began_at {
        all.push(entry(at, format!("run {} began", run.run)));
    }
    let mut changes: Vec<(&Progress, &str)> = plan
        .actions
        .iter()
        .zip(inputs.progress)
        .filter(|(_, own)| own.was_sent)
        .map(|(action, own)| (own, action.summary.as_str()))
        .collect();
    changes.sort_by_key(|(own, _)| own.answered_at);
    for (own, summary) in changes {
        if let Some(at) = own.answered_at {
            all.push(entry(at, format!("{summary}: {}", own.state.words())));
        }
    }
    for (action, own) in plan.actions.iter().zip(inputs.progress) {
        if let Some(word) = &own.confirmed {
            let what = format!("{}: done, says {}: {}", action.summary, word.by, word.reason);
            all.push(entry(clocks.theirs(word.at), what));
        }
    }
    if let Some(at) = run.ended_at {
        let words = inputs.progress.iter().filter_map(|own| own.confirmed.as_ref()).map(|word| word.at);
        let said_since = words.max().filter(|said| *said > at);
        let ended_as = match (ended_as(inputs.journal), said_since) {
            (Some(verdict), Some(_)) => headline(verdict, plan),
            _ => headline_of(run, plan),
        };
        all.push(entry(clocks.theirs(at), format!("the run ended. {ended_as}")));
        if let Some(said) = said_since {
            all.push(entry(clocks.theirs(said), format!("with this word: {}", headline_of(run, plan))));
        }
    }
    all
}
