//! An investigation on the terminal: what it comes to first, then each finding with its reasons, and what to type next.

use jiff::tz::TimeZone;

use super::document::{InvestigationReport, Recipient, SIGN_IN_LOG};
use super::timeline::Event;
use crate::case::{Confidence, Indicator, MethodVerdict, Subject};
use crate::domain::{inert, shell_word, shown};
use crate::report::layout::block;
use crate::report::text::WIDTH;

/// Tells an investigation as text; the timeline also in a zone's local time, where one is given.
pub fn investigation_text(report: &InvestigationReport, zone: Option<&TimeZone>, colour: bool) -> String {
    let mut out = String::new();
    let headline = headline(report);
    let style = if report.has_intruder() { anstyle::AnsiColor::Red } else { anstyle::AnsiColor::Yellow };
    let style = style.on_default().bold();
    if colour {
        out.push_str(&format!("{style}{headline}{style:#}\n"));
    } else {
        put(&mut out, "", &headline);
    }
    put(&mut out, "", &who(&report.subject));
    put(&mut out, "", &window(report));
    indicators(&mut out, report);
    methods(&mut out, report);
    persistence(&mut out, report);
    recipients(&mut out, report);
    others(&mut out, report);
    let risk = super::risk::lines(report);
    if !risk.is_empty() {
        out.push_str("\nIdentity Protection\n");
        for line in &risk {
            put(&mut out, "  ", line);
        }
    }
    if !report.timeline.is_empty() {
        out.push_str("\nTimeline (UTC)\n");
        for event in &report.timeline {
            put(&mut out, &format!("{}  ", moments(event, zone)), &told(event));
        }
    }
    if !report.notes.is_empty() {
        out.push_str("\nTo be said\n");
        for note in &report.notes {
            put(&mut out, "- ", &inert(note));
        }
    }
    out.push_str("\nNot read: nothing may be concluded from that\n");
    for unread in &report.unread {
        put(&mut out, "- ", &format!("{}: {}", inert(&unread.what), inert(&unread.why)));
    }
    out.push_str("\nNext\n");
    for next in next_steps(report) {
        put(&mut out, "  ", &next);
    }
    out
}

fn put(out: &mut String, mark: &str, paragraph: &str) {
    block(out, mark, paragraph, WIDTH);
}

/// What it comes to, in a sentence.
pub(super) fn headline(report: &InvestigationReport) -> String {
    if !report.has_intruder() {
        let asked = |verdict: MethodVerdict| verdict == MethodVerdict::Unknown;
        let doubtful = report.indicators.len()
            + report.methods.iter().filter(|own| asked(own.verdict)).count()
            + report.persistence.iter().filter(|own| asked(own.verdict)).count();
        return match doubtful {
            0 if report.unread.iter().any(|own| own.what == SIGN_IN_LOG) => {
                "The sign-in log was not read: whether there is an intruder is not known.".to_owned()
            }
            0 => "No sign of an intruder in what was read.".to_owned(),
            1 => "Nothing certain: 1 thing is for a person to judge.".to_owned(),
            number => format!("Nothing certain: {number} things are for a person to judge."),
        };
    }
    let count = |word: &str, number: usize| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ if word.ends_with("ss") => Some(format!("{number} {word}es")),
        _ => Some(format!("{number} {word}s")),
    };
    let of = |label: &str| report.certain().filter(|own| own.kind.label() == label).count();
    let rogue = report.methods.iter().filter(|own| own.verdict == MethodVerdict::Attacker).count();
    let left = report.persistence.iter().filter(|own| own.verdict == MethodVerdict::Attacker).count();
    let parts: Vec<String> = [
        count("address", of("address")),
        count("range", of("range")),
        count("session", of("session")),
        count("user agent", of("user agent")).filter(|_| of("address") + of("range") + of("session") == 0),
        count("method", rogue),
        count("thing left behind", left).map(|text| text.replace("thing left behinds", "things left behind")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let since = report.since.map_or_else(String::new, |since| format!(", since {}", shown(since)));
    format!("INTRUDER: {}{since}.", parts.join(", "))
}

fn who(subject: &Subject) -> String {
    format!("{} <{}>, {}", inert(&subject.display_name), subject.upn, subject.id)
}

pub(super) fn window(report: &InvestigationReport) -> String {
    format!("Logs read from {} to {}.", shown(report.window.from), shown(report.window.to))
}

fn indicators(out: &mut String, report: &InvestigationReport) {
    let (certain, doubtful): (Vec<_>, Vec<_>) = report.indicators.iter().partition(|own| own.is_certain());
    for (title, list) in [("The intruder's", certain), ("To be judged by a person", doubtful)] {
        if list.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{title}\n"));
        for indicator in list {
            put(out, "  ", &format!("{} {}", indicator.kind.label(), inert(&indicator.value)));
            put(out, "      ", &seen(indicator));
            for reason in &indicator.reasons {
                put(out, "      - ", &inert(reason));
            }
            let used =
                report.addresses.iter().find(|own| own.address.network().to_string() == indicator.value);
            for line in used.iter().flat_map(|own| usage(own)) {
                put(out, "      - ", &line);
            }
        }
    }
}

/// Who else uses an address, and what would be blocked.
pub(in crate::report) fn usage(address: &super::document::AddressFound) -> Vec<String> {
    let mut lines = Vec::new();
    match (address.others, address.neighbours) {
        (Some(0), Some(0)) => lines.push("nobody else signed in from it or from its neighbours".to_owned()),
        (Some(others), neighbours) => lines.push(format!(
            "{others} other user{} signed in from it{}",
            if others == 1 { "" } else { "s" },
            neighbours.map_or_else(String::new, |number| format!(", {number} from its neighbours"))
        )),
        (None, _) => lines.push("who else uses it was not read".to_owned()),
    }
    match address.block {
        Some(block) if block != address.address => lines.push(format!("to be blocked as {block}")),
        Some(_) => {}
        None => lines.push("it is not to be blocked".to_owned()),
    }
    lines.extend(address.reasons.iter().map(|reason| inert(reason)));
    lines
}

fn seen(indicator: &Indicator) -> String {
    let confidence = match indicator.confidence {
        Confidence::High => "certain",
        Confidence::Medium => "likely",
        Confidence::Low => "may be",
    };
    match (indicator.first_seen, indicator.last_seen) {
        (Some(first), Some(last)) if first == last => format!("{confidence}; seen {}", shown(first)),
        (Some(first), Some(last)) => format!("{confidence}; seen from {} to {}", shown(first), shown(last)),
        _ => format!("{confidence}; not seen in the logs"),
    }
}

fn methods(out: &mut String, report: &InvestigationReport) {
    if report.methods.is_empty() {
        return;
    }
    out.push_str("\nAuthentication methods\n");
    for method in &report.methods {
        let name =
            if method.name.is_empty() { String::new() } else { format!(" \"{}\"", inert(&method.name)) };
        put(
            out,
            &format!("  {:12}", verdict(method.verdict)),
            &format!("{}{name}, {}", method.kind, method.id),
        );
        for reason in &method.reasons {
            put(out, "              - ", &inert(reason));
        }
    }
}

/// Whose it is, in a word; the intruder's stands out.
pub(in crate::report) fn verdict(verdict: MethodVerdict) -> &'static str {
    match verdict {
        MethodVerdict::Attacker => "INTRUDER'S",
        MethodVerdict::Owner => "the user's",
        MethodVerdict::UnknownOld => "older",
        MethodVerdict::Unknown => "UNKNOWN",
    }
}

fn persistence(out: &mut String, report: &InvestigationReport) {
    if report.persistence.is_empty() {
        return;
    }
    out.push_str("\nLeft in the tenant\n");
    for own in &report.persistence {
        let what = format!("{} \"{}\": {}", own.kind.label(), inert(&own.name), inert(&own.does));
        put(out, &format!("  {:12}", verdict(own.verdict)), &what);
        for reason in &own.reasons {
            put(out, "              - ", &inert(reason));
        }
    }
}

fn recipients(out: &mut String, report: &InvestigationReport) {
    if report.recipients.is_empty() {
        return;
    }
    out.push_str("\nMail that the intruder sent as the user: warn these people\n");
    for recipient in &report.recipients {
        put(out, "  ", &format!("{}{}", inert(&recipient.address), side(recipient)));
        for mail in &recipient.mails {
            let what = format!(
                "\"{}\" from {}: {}",
                inert(&mail.subject),
                inert(&mail.from_ip),
                inert(&mail.status)
            );
            put(out, &format!("      {}  ", shown(mail.at)), &what);
        }
    }
}

/// On which side of the company's door a recipient is.
pub(in crate::report) fn side(recipient: &Recipient) -> &'static str {
    match recipient.inside {
        Some(true) => ", inside the company",
        Some(false) => ", OUTSIDE the company",
        None => "",
    }
}

fn others(out: &mut String, report: &InvestigationReport) {
    if report.others.is_empty() {
        return;
    }
    out.push_str("\nOther users from the same addresses: look at them next\n");
    for other in &report.others {
        let what = format!(
            "{}: {} success{}, {} failure{}, from {} to {}, from {}",
            inert(&other.upn),
            other.successes,
            if other.successes == 1 { "" } else { "es" },
            other.failures,
            if other.failures == 1 { "" } else { "s" },
            shown(other.first_seen),
            shown(other.last_seen),
            inert(&other.addresses.join(", "))
        );
        put(out, "  ", &what);
    }
}

fn moments(event: &Event, zone: Option<&TimeZone>) -> String {
    let local = zone.map_or_else(String::new, |zone| {
        event.at.to_zoned_datetime(zone.clone()).strftime(" (%H:%M:%S %:z)").to_string()
    });
    format!("{}{local}", shown(event.at))
}

/// An event in one line.
pub(super) fn told(event: &Event) -> String {
    let until = event.until.map_or_else(String::new, |until| format!(", until {}", shown(until)));
    let from = event.address.as_ref().map_or_else(String::new, |address| format!(" from {}", inert(address)));
    let ids: Vec<&str> = event.techniques.iter().map(|technique| technique.id()).collect();
    let techniques = if ids.is_empty() { String::new() } else { format!(" [{}]", ids.join(", ")) };
    format!("{}{from}: {}{until}{techniques}", event.who.label(), inert(&event.what))
}

/// What to type next.
pub(super) fn next_steps(report: &InvestigationReport) -> Vec<String> {
    let user = shell_word(report.subject.upn.as_str());
    let mut next = Vec::new();
    if report.has_intruder() {
        next.push(format!("stanch plan bec --user {user} -o plan.json"));
    } else {
        next.push(format!("stanch investigate --user {user} --since T --ip ADDRESS, with what you know"));
        next.push(format!("stanch plan evict --user {user} -o plan.json, where you would rather be safe"));
    }
    let victims = report.others.iter().filter(|other| other.successes > 0);
    next.extend(victims.map(|other| format!("stanch investigate --user {}", shell_word(&other.upn))));
    next
}
