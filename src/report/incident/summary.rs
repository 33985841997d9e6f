//! The summary for a manager: five lines. Where the account is not contained, that stands first.

use super::compose::IncidentInputs;
use super::document::{Measure, MeasureState, Summary, Times};
use super::findings::Findings;
use super::times::span;
use crate::case::{IndicatorKind, Look, PersistenceKind};
use crate::domain::{shell_word, shown};
use crate::report::Recipient;
use crate::report::words::headline_of;
use crate::run::{Verdict, rests_on_a_word};

/// What the summary is told from.
pub(super) struct Told<'a> {
    pub inputs: &'a IncidentInputs<'a>,
    pub findings: &'a Findings,
    pub times: &'a Times,
    pub measures: &'a [Measure],
}

/// Puts the five lines together.
pub(super) fn summary(told: &Told<'_>) -> Summary {
    Summary {
        happened: happened(told),
        contained: contained(told),
        lost: lost(told),
        open: open(told),
        next: next(told),
    }
}

/// A count with its word; none where there is none.
fn count(number: usize, one: &str, many: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {many}")),
    }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn happened(told: &Told<'_>) -> String {
    let Told { inputs, findings, .. } = told;
    let (plan, run) = (inputs.plan, inputs.run);
    let subject = &plan.case.subject;
    let who = format!("{} ({})", subject.display_name, subject.upn);
    let first = match run.verdict {
        _ if run.ended_at.is_none() => "NOT contained: the run has not ended. ",
        Verdict::Contained => "",
        _ if !plan.ends_sessions() => "NOT done in full. ",
        _ => "NOT contained. ",
    };
    if !findings.has_intruder {
        return format!(
            "{first}No intruder in the account of {who} is certain by what was read; the playbook `{}` was carried out all the \
             same.",
            plan.playbook.name
        );
    }
    let access = findings.access.read();
    let addresses = findings.certain(IndicatorKind::Address).count();
    let sign_ins = access.and_then(|own| count(own.sign_ins, "sign-in", "sign-ins"));
    let from = count(addresses, "address", "addresses").map(|text| format!("from {text}"));
    let since = findings.first_access().map(|at| format!(" since {}", shown(at))).unwrap_or_default();
    let scale: Vec<String> = sign_ins.into_iter().chain(from).collect();
    let scale = if scale.is_empty() { String::new() } else { format!(": {}", scale.join(" ")) };
    let by_claim = access.is_some_and(|own| own.by_claim > 0 && own.fresh == 0);
    let how = if by_claim { " with a stolen session" } else { "" };
    let mut deeds = Vec::new();
    for own in &findings.rogue_methods {
        deeds.push(format!("registered the {} \"{}\"", own.method.kind.label(), own.method.name));
    }
    let left: Vec<String> = [
        (PersistenceKind::InboxRule, "inbox rule", "inbox rules"),
        (PersistenceKind::Consent, "consent to an app", "consents to apps"),
        (PersistenceKind::Device, "device", "devices"),
        (PersistenceKind::Role, "directory role", "directory roles"),
        (PersistenceKind::TemporaryAccessPass, "Temporary Access Pass", "Temporary Access Passes"),
    ]
    .into_iter()
    .filter_map(|(kind, one, many)| count(findings.theirs(kind).len(), one, many))
    .collect();
    deeds.extend((!left.is_empty()).then(|| format!("left {}", listed(&left))));
    deeds.extend(count(findings.mails(), "mail", "mails").map(|text| format!("sent {text} as the user")));
    let deeds = if deeds.is_empty() { String::new() } else { format!(" The intruder {}.", listed(&deeds)) };
    format!("{first}An intruder was in the account of {who}{how}{since}{scale}.{deeds}")
}

fn contained(told: &Told<'_>) -> String {
    let Told { inputs, times, .. } = told;
    let headline = headline_of(inputs.run, inputs.plan);
    let Some(at) = times.contained_at else { return headline.to_owned() };
    let mut text = format!("Contained {}", shown(at));
    if let Some(seconds) = times.seconds_from_first_access {
        text.push_str(&format!(", {} after the first access", span(seconds)));
    }
    if let Some(seconds) = times.seconds_from_report {
        text.push_str(&format!(", {} after the report", span(seconds)));
    }
    if let Some(began) = times.began_at {
        text.push_str(&format!(", {} after the run began", span(at.duration_since(began).as_secs())));
    }
    if rests_on_a_word(inputs.run, inputs.plan) {
        return format!("{text}. {headline}");
    }
    format!("{text}; every required change was read back, and the proof holds.")
}

fn lost(told: &Told<'_>) -> String {
    let findings = told.findings;
    if !findings.has_intruder {
        return "Nothing that is known of.".to_owned();
    }
    let mailbox = "What was read in the mailbox and in files, Graph does not show: take everything that the user could open \
                   for seen.";
    match &findings.recipients {
        Look::Unread { why } => {
            format!("Whether mail was sent in the user's name was not read ({why}). {mailbox}")
        }
        Look::Read(all) if all.is_empty() => {
            format!("No mail from the intruder's addresses shows in the message trace. {mailbox}")
        }
        Look::Read(all) => {
            let of =
                |inside: Option<bool>| all.iter().filter(|own: &&Recipient| own.inside == inside).count();
            let sides: Vec<String> = [
                count(of(Some(true)), "inside the company", "inside the company"),
                count(of(Some(false)), "OUTSIDE it", "OUTSIDE it"),
                count(of(None), "of whom it is not known", "of whom it is not known"),
            ]
            .into_iter()
            .flatten()
            .collect();
            format!(
                "{} went out in the user's name to {} ({}). {mailbox}",
                count(findings.mails(), "mail", "mails").unwrap_or_default(),
                count(all.len(), "person", "people").unwrap_or_default(),
                sides.join(", ")
            )
        }
    }
}

fn open(told: &Told<'_>) -> String {
    let Told { inputs, times, .. } = told;
    let mut parts = Vec::new();
    let items: Vec<&str> = inputs.run.open.iter().map(|own| own.what.as_str()).collect();
    if let Some(number) = count(items.len(), "thing is", "things are") {
        parts.push(format!("{number} open: {}.", items.join("; ")));
    }
    if let Some(at) = times.tokens_until {
        parts.push(format!("Access tokens that nothing revokes may live until {}.", shown(at)));
    }
    if parts.is_empty() { "Nothing of the run's own.".to_owned() } else { parts.join(" ") }
}

fn next(told: &Told<'_>) -> String {
    let Told { inputs, findings, measures, .. } = told;
    let (plan, run) = (inputs.plan, inputs.run);
    let mut parts = Vec::new();
    if run.verdict != Verdict::Contained || run.ended_at.is_none() {
        parts.push("work off what is open, below, at once".to_owned());
    }
    let warned = findings.recipients.read().map_or(0, Vec::len);
    parts.extend(count(warned, "person", "people").map(|text| format!("warn {text} who got mail")));
    let others = findings.others.read().map_or(0, |all| all.iter().filter(|own| own.successes > 0).count());
    let look = |text| format!("look at {text} from the same addresses");
    parts.extend(count(others, "other user", "other users").map(look));
    if plan.ends_sessions() {
        parts.push(format!("run `stanch runs verify {}` once access tokens have run out", run.run));
    }
    if run.verdict == Verdict::Contained && plan.ends_sessions() {
        let user = shell_word(plan.case.subject.upn.as_str());
        parts.push(format!("bring the user back with `stanch run restore --user {user}`"));
    }
    let proposed = measures.iter().filter(|own| own.state == MeasureState::Proposed).count();
    parts.extend(
        count(proposed, "corrective measure", "corrective measures").map(|text| format!("decide on {text}")),
    );
    let mut text = listed(&parts);
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text.push('.');
    text
}
