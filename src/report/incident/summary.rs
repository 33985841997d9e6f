//! The summary for a manager: five lines. Where the account is not contained, that stands first.

use super::compose::IncidentInputs;
use super::document::{Measure, MeasureState, Summary, Times};
use super::findings::Findings;
use super::times::span;
use crate::case::{IndicatorKind, Look, PersistenceKind};
use crate::domain::{shell_word, shown};
use crate::playbook::Aim;
use crate::report::Recipient;
use crate::report::words::headline_of;
use crate::run::{Verdict, rests_on_a_word};

/// What the summary is told from.
pub(super) struct Told<'a> {
    pub inputs: &'a IncidentInputs<'a>,
    pub findings: &'a Findings,
    pub times: &'a Times,
    pub measures: &'a [Measure],
    /// What there is of the intruder's since the containment.
    pub signs_since: &'a [String],
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
    let closes = plan.playbook.aim == Aim::Close;
    let first = match run.verdict {
        _ if run.ended_at.is_none() && closes => "NOT closed: the run has not ended. ",
        _ if run.ended_at.is_none() => "NOT contained: the run has not ended. ",
        Verdict::Contained if !told.signs_since.is_empty() => {
            "SIGNS OF THE INTRUDER SINCE IT WAS CONTAINED. "
        }
        Verdict::Contained => "",
        _ if !plan.ends_sessions() => "NOT done in full. ",
        _ if closes => "NOT closed. ",
        _ => "NOT contained. ",
    };
    if let Some(why) = findings.not_known() {
        return format!(
            "{first}Whether an intruder was in the account of {who} is not known: the sign-in log was not read ({why}). The \
             playbook `{}` was carried out.",
            plan.playbook.name
        );
    }
    if !findings.has_intruder && closes {
        return format!(
            "{first}The account of {who} was to be closed, by the playbook `{}`. No intruder in it is certain by what was read.",
            plan.playbook.name
        );
    }
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
    let ended = match inputs.plan.playbook.aim {
        Aim::Contain => "Contained",
        Aim::Close => "Closed",
    };
    let mut text = format!("{ended} {}", shown(at));
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
        let since = if told.signs_since.is_empty() { "" } else { " There are signs of the intruder SINCE." };
        return format!("{text}. {headline}{since}");
    }
    let since = if told.signs_since.is_empty() {
        ""
    } else {
        " There are signs of the intruder SINCE: see what is open."
    };
    format!("{text}; every required change was read back, and the proof holds.{since}")
}

fn lost(told: &Told<'_>) -> String {
    let findings = told.findings;
    if let Some(why) = findings.not_known() {
        return format!("Not known: the sign-in log was not read ({why}).");
    }
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
    if let Some(number) = count(told.signs_since.len(), "sign", "signs") {
        parts.push(format!(
            "{number} of the intruder, later than the containment: {}. Run `stanch runs verify {}`.",
            told.signs_since.join("; "),
            inputs.run.run
        ));
    }
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
    if !told.signs_since.is_empty() {
        parts.push(format!("run `stanch runs verify {}` at once, and contain the account again", run.run));
    }
    if run.verdict != Verdict::Contained || run.ended_at.is_none() {
        parts.push("work off what is open, below, at once".to_owned());
    }
    let warned = findings.recipients.read().map_or(0, Vec::len);
    parts.extend(count(warned, "person", "people").map(|text| format!("warn {text} who got mail")));
    let others = findings.others.read().map_or(0, |all| all.iter().filter(|own| own.successes > 0).count());
    let look = |text| format!("look at {text} from the same addresses");
    parts.extend(count(others, "other user", "other users").map(look));
    if plan.ends_sessions() && told.signs_since.is_empty() {
        parts.push(format!("run `stanch runs verify {}` once access tokens have run out", run.run));
    }
    let is_shut_for_now = plan.ends_sessions() && plan.playbook.aim == Aim::Contain;
    if run.verdict == Verdict::Contained && is_shut_for_now && told.signs_since.is_empty() {
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
