//! The sections about the intruder: what was done, by what it is known, and whom it concerns.

use jiff::Timestamp;

use crate::case::{Confidence, JudgedMethod, Look, MethodVerdict, Persistence};
use crate::domain::shown;
use crate::report::incident::document::IncidentReport;
use crate::report::incident::page::{Block, Cell, Tone};
use crate::report::investigation::{side, usage, verdict};
use crate::report::{AddressFound, Recipient, Who};

/// What the intruder did.
pub(super) fn deeds(report: &IncidentReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !report.has_intruder {
        blocks.push(Block::Text("Nothing that is certain ties to an intruder.".to_owned()));
    }
    if let Look::Read(access) = &report.access
        && access.sign_ins > 0
    {
        blocks.push(Block::Text(format!(
            "{} sign-ins went through, from {}. A claim in the token stood for the second factor at {}, one was given at {}, \
             none was asked for at {}; {} came from a compliant device.",
            access.sign_ins,
            if access.places.is_empty() { "places unknown".to_owned() } else { access.places.join("; ") },
            access.by_claim,
            access.fresh,
            access.not_asked,
            access.compliant
        )));
    }
    let deeds: Vec<String> = report
        .timeline
        .iter()
        .filter(|own| own.who == Some(Who::Intruder))
        .map(|own| {
            let from = own.address.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
            format!("{}{from}: {}", shown(own.at), own.what)
        })
        .collect();
    if !deeds.is_empty() {
        blocks.push(Block::List(deeds));
    }
    blocks.push(match &report.methods {
        Look::Unread { why } => Block::Text(format!("The authentication methods were not read: {why}")),
        Look::Read(methods) => Block::table(
            "Authentication methods when the plan was made",
            ["Method", "Whose", "Id", "Last used", "Why"],
            methods.iter().map(method).collect(),
        ),
    });
    if !report.persistence.is_empty() {
        blocks.push(Block::table(
            "What else was in the tenant: inbox rules, consents, devices, roles, passes",
            ["What", "Whose", "Id", "Does", "Why"],
            report.persistence.iter().map(left).collect(),
        ));
    }
    blocks
}

fn whose(own: MethodVerdict) -> Cell {
    let tone = if own == MethodVerdict::Attacker { Tone::Bad } else { Tone::Plain };
    Cell::of(verdict(own)).toned(tone)
}

fn method(own: &JudgedMethod) -> [Cell; 5] {
    let method = &own.method;
    let name = if method.name.is_empty() {
        method.kind.label().to_owned()
    } else {
        format!("{} \"{}\"", method.kind.label(), method.name)
    };
    [
        Cell::of(name),
        whose(own.verdict),
        Cell::of(method.id.to_string()),
        Cell::of(method.last_used_at.map(shown).unwrap_or_default()),
        Cell::lines(own.reasons.iter().cloned()),
    ]
}

fn left(own: &Persistence) -> [Cell; 5] {
    [
        Cell::of(format!("{} \"{}\"", own.kind.label(), own.name)),
        whose(own.verdict),
        Cell::of(own.id.clone()),
        Cell::of(own.does.clone()),
        Cell::lines(own.reasons.iter().cloned()),
    ]
}

/// What ties to the intruder.
pub(super) fn indicators(report: &IncidentReport) -> Vec<Block> {
    if report.indicators.is_empty() {
        return vec![Block::Text("Nothing ties to an intruder.".to_owned())];
    }
    let seen = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), shown);
    let rows = report.indicators.iter().map(|own| {
        let used: Option<&AddressFound> =
            report.addresses.iter().find(|known| known.address.network().to_string() == own.value);
        let reasons = own.reasons.iter().cloned().chain(used.into_iter().flat_map(usage));
        let confidence = match own.confidence {
            Confidence::High => "certain",
            Confidence::Medium => "medium: for a person to judge",
            Confidence::Low => "low: for a person to judge",
        };
        [
            Cell::of(own.value.clone()),
            Cell::of(own.kind.label()),
            Cell::of(seen(own.first_seen)),
            Cell::of(seen(own.last_seen)),
            Cell::of(confidence),
            Cell::lines(reasons),
        ]
    });
    let head = ["Value", "Kind", "First seen", "Last seen", "Confidence", "Why"];
    vec![Block::table("What ties to the intruder", head, rows.collect())]
}

/// The people to warn.
pub(super) fn people(report: &IncidentReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    match &report.recipients {
        Look::Unread { why } => blocks.push(Block::Text(format!(
            "Who got mail that the intruder sent was NOT read: {why}. Nothing may be concluded from that."
        ))),
        Look::Read(all) if all.is_empty() => {
            blocks.push(Block::Text(
                "No mail from the intruder's addresses shows in the message trace.".to_owned(),
            ));
        }
        Look::Read(all) => {
            blocks.push(Block::Text(
                "The list that a fraud desk calls: each of these got mail that the intruder sent in the user's name. Call, \
                 rather than write; payment details in these mails count as false."
                    .to_owned(),
            ));
            let rows = all.iter().map(recipient).collect();
            let head = ["To", "Where", "Sent (UTC)", "Subject", "From", "Status"];
            blocks.push(Block::table("Mail that the intruder sent as the user", head, rows));
        }
    }
    match &report.others {
        Look::Unread { why } => {
            blocks.push(Block::Text(format!(
                "Who else signed in from the intruder's addresses was NOT read: {why}"
            )));
        }
        Look::Read(all) if all.is_empty() => {
            blocks.push(Block::Text("No other user signed in from the intruder's addresses.".to_owned()));
        }
        Look::Read(all) => {
            let rows = all.iter().map(|own| {
                [
                    Cell::of(own.upn.clone()),
                    Cell::of(own.successes.to_string()),
                    Cell::of(own.failures.to_string()),
                    Cell::of(shown(own.first_seen)),
                    Cell::of(shown(own.last_seen)),
                    Cell::of(own.addresses.join(", ")),
                ]
            });
            let head = ["User", "Successes", "Failures", "First", "Last", "From"];
            blocks.push(Block::table(
                "Other users from the same addresses: look at them next",
                head,
                rows.collect(),
            ));
        }
    }
    blocks
}

fn recipient(own: &Recipient) -> [Cell; 6] {
    let place = side(own).trim_start_matches(", ");
    let tone = if own.inside == Some(false) { Tone::Bad } else { Tone::Plain };
    let column = |take: &dyn Fn(&crate::report::MailGot) -> String| Cell::lines(own.mails.iter().map(take));
    [
        Cell::of(own.address.clone()),
        Cell::of(if place.is_empty() { "not known" } else { place }).toned(tone),
        column(&|mail| shown(mail.at)),
        column(&|mail| mail.subject.clone()),
        column(&|mail| mail.from_ip.clone()),
        column(&|mail| mail.status.clone()),
    ]
}
