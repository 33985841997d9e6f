//! From what was planned, done and read to the report.

use jiff::Timestamp;

use super::document::{Attempt, EvidenceSource, IncidentReport, Sources};
use super::evidence::EvidenceRead;
use super::findings::Findings;
use super::summary::{Told, summary};
use super::times::{Clocks, times};
use super::{cause, changes, measures, timeline, ways};
use crate::order::OrderedStep;
use crate::plan::Plan;
use crate::report::Unread;
use crate::run::{Entry, JournalLine, Progress, Run, Verdict};

/// All that a report is made from.
#[derive(Clone, Debug)]
pub struct IncidentInputs<'a> {
    /// When it is made (our clock).
    pub made_at: Timestamp,
    /// Version of stanch.
    pub engine: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// The run.
    pub run: &'a Run,
    /// Where each action of the plan stands.
    pub progress: &'a [Progress],
    /// The run's journal, its chain checked.
    pub journal: &'a [JournalLine],
    /// What was read while the plan was made, where that is kept.
    pub planning: Option<&'a EvidenceRead>,
    /// What was read after the run, where that was done.
    pub afterwards: Option<&'a EvidenceRead>,
    /// When it was reported, where somebody says so.
    pub reported_at: Option<Timestamp>,
    /// When the alert came in that the plan was made from (our clock), where one did.
    pub alerted_at: Option<Timestamp>,
    /// The steps as they went, for the order model.
    pub steps: &'a [OrderedStep],
    /// What is to be said about the making of the report.
    pub notes: &'a [String],
    /// Ways in that were really tried.
    pub attempts: &'a [Attempt],
}

impl IncidentReport {
    /// Puts the report together.
    pub fn new(inputs: &IncidentInputs<'_>) -> Self {
        let IncidentInputs { plan, run, .. } = *inputs;
        let findings = Findings::of(inputs);
        let alert_at = inputs.planning.and_then(|own| own.alert_at);
        let clocks = Clocks::of(inputs.journal);
        let alerted_at = inputs.alerted_at.map(|at| clocks.theirs(at));
        let reported_at = inputs.reported_at.or(alert_at).or(alerted_at);
        let times = times(plan, run, inputs.journal, inputs.progress, findings.first_access(), reported_at);
        let ways_in = ways::ways_in(inputs, &findings, times.tokens_until);
        let measures = measures::measures(inputs, &findings);
        let signs_since = times
            .contained_at
            .map(|at| findings.signs_since(at, plan, inputs.afterwards))
            .unwrap_or_default();
        let told = Told {
            inputs,
            findings: &findings,
            times: &times,
            measures: &measures,
            signs_since: &signs_since,
        };
        let summary = summary(&told);
        Self {
            made_at: inputs.made_at,
            engine: inputs.engine.to_owned(),
            subject: plan.case.subject.clone(),
            tenant: plan.tenant.clone(),
            sources: sources(inputs),
            verdict: run.verdict,
            signs_since,
            has_intruder: findings.has_intruder,
            summary,
            timeline: timeline::entries(inputs, &findings, &times, clocks),
            times,
            initial_access: cause::initial_access(&findings),
            root_cause: cause::root_cause(inputs, &findings),
            methods: plan.case.methods.clone(),
            requested_by: plan.requested_by.clone(),
            consent: run.consent.clone(),
            actions: changes::actions(plan, inputs.progress, clocks),
            proof: run.proof.facts.clone(),
            ways_in,
            attempts: inputs.attempts.to_vec(),
            open: run.open.clone(),
            left: plan.left.clone(),
            residual_risk: run.residual_risk.clone(),
            measures,
            change_log: changes::change_log(inputs.journal),
            notes: notes(inputs),
            unread: unread(inputs),
            access: findings.access,
            persistence: findings.persistence,
            indicators: findings.indicators,
            addresses: findings.addresses,
            recipients: findings.recipients,
            others: findings.others,
            controls: findings.controls,
        }
    }
}

fn sources(inputs: &IncidentInputs<'_>) -> Sources {
    let looks = [(inputs.planning, false), (inputs.afterwards, true)];
    let evidence = looks.into_iter().filter_map(|(read, after_the_run)| {
        let read = read?;
        Some(EvidenceSource { read_at: read.read_at, after_the_run, window: read.found.window })
    });
    Sources {
        playbook: inputs.plan.playbook.name.clone(),
        plan: inputs.plan.id.clone(),
        digest: inputs.plan.digest,
        run: inputs.run.run.clone(),
        ended_at: inputs.run.ended_at,
        ended_as: ended_as(inputs.journal),
        aim: inputs.plan.playbook.aim,
        ends_sessions: inputs.plan.ends_sessions(),
        evidence: evidence.collect(),
    }
}

/// The verdict that the run ended with.
pub(super) fn ended_as(journal: &[JournalLine]) -> Option<Verdict> {
    journal.iter().rev().find_map(|line| match &line.entry {
        Entry::Finished { verdict, .. } => Some(*verdict),
        _ => None,
    })
}

/// What was said about the input and about each look, each once.
fn notes(inputs: &IncidentInputs<'_>) -> Vec<String> {
    let mut notes: Vec<String> = inputs.notes.to_vec();
    let looks = [inputs.planning, inputs.afterwards].into_iter().flatten();
    let said = looks.flat_map(|own| &own.found.notes);
    for note in inputs.plan.warnings.iter().chain(said) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// What the newest look did not read; without any, that is all there is to say.
fn unread(inputs: &IncidentInputs<'_>) -> Vec<Unread> {
    match inputs.afterwards.or(inputs.planning) {
        Some(read) => read.found.unread.clone(),
        None => vec![Unread::new(
            "the investigation",
            "none is kept beside the plan, and the tenant was not read for this report: what stands here of the \
             intruder is the plan's",
        )],
    }
}
