//! The sections of a report, in their order.

mod answer;
mod evidence;

use super::document::{IncidentReport, Statement};
use super::drawing::Drawing;
use super::page::{Block, Cell, Page, Section, Tone};
use super::times::span;
use crate::case::{Look, RoleSource, Subject};
use crate::domain::shown;
use crate::playbook::Aim;
use crate::run::Verdict;

/// Lays the report out.
pub(super) fn page(report: &IncidentReport) -> Page {
    let is_quiet = report.signs_since.is_empty();
    let tone = if report.verdict == Verdict::Contained && is_quiet { Tone::Good } else { Tone::Bad };
    let verdict = report.verdict.to_string();
    let section = |id, title, blocks| Section { id, title, blocks };
    Page {
        title: format!("Incident report: {}", report.subject.upn),
        verdict: if is_quiet { verdict } else { format!("{verdict}, with signs of the intruder since") },
        tone,
        sections: vec![
            section("subject", "Subject", subject(report)),
            section("summary", "Summary", summary(report, tone)),
            section("timeline", "Timeline", timeline(report)),
            section("access", "Initial access", statements(&report.initial_access)),
            section("deeds", "What the intruder did", evidence::deeds(report)),
            section("indicators", "Indicators", evidence::indicators(report)),
            section("people", "People to warn", evidence::people(report)),
            section("containment", "Containment", answer::containment(report)),
            section("proof", "Proof", answer::proof(report)),
            section("open", "What stays open, and until when", answer::open(report)),
            section("cause", "Root cause, as far as the evidence carries", statements(&report.root_cause)),
            section("measures", "Corrective measures", answer::measures(report)),
            section("log", "Change log", answer::change_log(report)),
            section("notes", "Notes, and what was not read", notes(report)),
        ],
    }
}

fn row(name: &str, value: impl Into<String>) -> [Cell; 2] {
    [Cell::of(name), Cell::of(value)]
}

fn subject(report: &IncidentReport) -> Vec<Block> {
    let (subject, sources) = (&report.subject, &report.sources);
    let mut rows = vec![
        row("Verdict", report.verdict.as_str()),
        row("Name", subject.display_name.clone()),
        row("Sign-in name", subject.upn.to_string()),
        row("Object id", subject.id.to_string()),
        row("Tenant", format!("{} ({})", report.tenant.name, report.tenant.id)),
        row("Roles", roles(subject)),
        row(
            "Directory",
            if subject.synced { "synchronized from an on-premises directory" } else { "cloud only" },
        ),
        row("Playbook", sources.playbook.clone()),
        row("Plan", sources.plan.to_string()),
        row("Digest of the plan", sources.digest.to_string()),
        row("Run", sources.run.to_string()),
    ];
    for read in &sources.evidence {
        let when = if read.after_the_run { "after the run" } else { "while the plan was made" };
        let window = &read.window;
        rows.push(row(
            "Evidence",
            format!(
                "read {}, {when}: logs from {} to {}",
                shown(read.read_at),
                shown(window.from),
                shown(window.to)
            ),
        ));
    }
    if sources.evidence.is_empty() {
        rows.push(row(
            "Evidence",
            "the plan's alone: nothing else is kept, and nothing was read for this report",
        ));
    }
    rows.push(row("Report made", format!("{} by {}", shown(report.made_at), report.engine)));
    vec![Block::table("Whose account it is, and what this report rests on", ["", ""], rows)]
}

fn roles(subject: &Subject) -> String {
    match &subject.roles {
        Look::Unread { why } => format!("not read: {why}"),
        Look::Read(roles) if roles.is_empty() => "none".to_owned(),
        Look::Read(roles) => {
            let how = |source| match source {
                RoleSource::Active => "active",
                RoleSource::Eligible => "eligible",
                RoleSource::Group => "by a group",
            };
            let names = roles.iter().map(|role| format!("{} ({})", role.name, how(role.source)));
            names.collect::<Vec<_>>().join(", ")
        }
    }
}

fn summary(report: &IncidentReport, tone: Tone) -> Vec<Block> {
    let summary = &report.summary;
    let since = if report.signs_since.is_empty() { Tone::Plain } else { Tone::Bad };
    let ended = match report.sources.aim {
        Aim::Contain => "When it was contained",
        Aim::Close => "When it was closed",
    };
    let lines = [
        ("What happened", &summary.happened, since),
        (ended, &summary.contained, tone),
        ("What was lost", &summary.lost, Tone::Plain),
        ("What is open", &summary.open, since),
        ("What to do", &summary.next, Tone::Plain),
    ];
    let rows = lines.map(|(name, text, tone)| [Cell::of(name), Cell::of(text.clone()).toned(tone)]);
    vec![Block::table("In five lines", ["", ""], rows.into())]
}

fn timeline(report: &IncidentReport) -> Vec<Block> {
    let times = &report.times;
    let (ended, not_ended, ending) = match report.sources.aim {
        Aim::Contain => ("Contained", "NOT contained, or not proved to be", "Time to contain"),
        Aim::Close => ("Closed", "NOT closed, or not proved to be", "Time to close"),
    };
    let mut rows = Vec::new();
    let mut add = |name: &str, at: Option<jiff::Timestamp>| rows.extend(at.map(|at| row(name, shown(at))));
    add("First access", times.first_access);
    add("Reported, or by the alert", times.reported_at);
    add("Plan made", times.planned_at);
    add("Run began", times.began_at);
    add("Last revocation of sessions", times.last_revocation);
    add(ended, times.contained_at);
    let spans = [
        ("from the first access", times.seconds_from_first_access),
        ("from the report", times.seconds_from_report),
    ];
    rows.extend(
        spans.iter().filter_map(|(from, seconds)| Some(row(&format!("{ending}, {from}"), span((*seconds)?)))),
    );
    if times.contained_at.is_none() {
        rows.push([Cell::of(ended), Cell::of(not_ended).toned(Tone::Bad)]);
    }
    let mut blocks = vec![Block::table("The moments that matter (UTC)", ["", ""], rows)];
    if times.clock_moved_by_seconds != 0 {
        blocks.push(Block::Text(format!(
            "This machine's clock is {} {} the tenant's: the moments of plan, approval and run are told in the tenant's \
             time. The change log has them as they were written down.",
            span(times.clock_moved_by_seconds.abs()),
            if times.clock_moved_by_seconds < 0 { "ahead of" } else { "behind" }
        )));
    }
    blocks.extend(Drawing::of(report).map(Block::Drawing));
    let rows = report.timeline.iter().map(|own| {
        let until = own.until.map(|at| format!("until {}", shown(at)));
        [
            Cell::lines(std::iter::once(shown(own.at)).chain(until)),
            Cell::of(own.who.map_or("response", crate::report::Who::label)),
            Cell::of(own.address.clone().unwrap_or_default()),
            Cell::of(own.what.clone()),
            Cell::of(own.techniques.iter().map(|own| own.id()).collect::<Vec<_>>().join(", ")),
        ]
    });
    let head = ["When (UTC)", "Who", "From", "What", "ATT&CK"];
    blocks.push(Block::table("Everything that is known, in its order", head, rows.collect()));
    blocks
}

/// Statements with what they rest on.
fn statements(all: &[Statement]) -> Vec<Block> {
    let rows = all.iter().map(|own| {
        [Cell::of(own.says.clone()), Cell::of(own.basis.label()), Cell::lines(own.facts.iter().cloned())]
    });
    vec![Block::table(
        "Each statement, and what it rests on",
        ["Statement", "Basis", "Facts"],
        rows.collect(),
    )]
}

fn notes(report: &IncidentReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !report.notes.is_empty() {
        blocks.push(Block::List(report.notes.clone()));
    }
    blocks.push(Block::Text("Not read: nothing may be concluded from that.".to_owned()));
    let unread = report.unread.iter().map(|own| format!("{}: {}", own.what, own.why)).collect::<Vec<_>>();
    if unread.is_empty() {
        blocks.push(Block::Text("Everything that this report asks for was read.".to_owned()));
    } else {
        blocks.push(Block::List(unread));
    }
    blocks
}
