//! An investigation in Markdown, for the ticket.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::document::InvestigationReport;
use super::text::{headline, next_steps, side, told, usage, verdict, window};
use crate::domain::shown;
use crate::report::markup::markdown_text;

/// Tells an investigation in Markdown.
pub fn investigation_markdown(report: &InvestigationReport) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &InvestigationReport) -> std::fmt::Result {
    let subject = &report.subject;
    writeln!(out, "# Investigation: {}\n", markdown_text(subject.upn.as_str()))?;
    writeln!(out, "{}\n", markdown_text(&headline(report)))?;
    writeln!(out, "{} ({}). {}\n", markdown_text(&subject.display_name), subject.id, window(report))?;
    findings(out, report)?;
    if !report.recipients.is_empty() {
        writeln!(out, "## Mail that the intruder sent as the user: warn these people\n")?;
        writeln!(out, "| to | sent | subject | from | status |\n| --- | --- | --- | --- | --- |")?;
        for recipient in &report.recipients {
            for mail in &recipient.mails {
                writeln!(
                    out,
                    "| {}{} | {} | {} | {} | {} |",
                    markdown_text(&recipient.address),
                    side(recipient),
                    shown(mail.at),
                    markdown_text(&mail.subject),
                    markdown_text(&mail.from_ip),
                    markdown_text(&mail.status)
                )?;
            }
        }
        writeln!(out)?;
    }
    if !report.others.is_empty() {
        writeln!(out, "## Other users from the same addresses\n")?;
        writeln!(out, "| user | successes | failures | first | last |\n| --- | --- | --- | --- | --- |")?;
        for other in &report.others {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                markdown_text(&other.upn),
                other.successes,
                other.failures,
                shown(other.first_seen),
                shown(other.last_seen)
            )?;
        }
        writeln!(out)?;
    }
    let risk = super::risk::lines(report);
    if !risk.is_empty() {
        writeln!(out, "## Identity Protection\n")?;
        for line in &risk {
            writeln!(out, "- {}", markdown_text(line))?;
        }
        writeln!(out)?;
    }
    if !report.timeline.is_empty() {
        writeln!(out, "## Timeline\n\n| when (UTC) | what |\n| --- | --- |")?;
        for event in &report.timeline {
            writeln!(out, "| {} | {} |", shown(event.at), markdown_text(&told(event)))?;
        }
        writeln!(out)?;
    }
    if !report.notes.is_empty() {
        writeln!(out, "## To be said\n")?;
        for note in &report.notes {
            writeln!(out, "- {}", markdown_text(note))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "## Not read: nothing may be concluded from that\n")?;
    for unread in &report.unread {
        writeln!(out, "- {}: {}", markdown_text(&unread.what), markdown_text(&unread.why))?;
    }
    writeln!(out, "\n## Next\n")?;
    for next in next_steps(report) {
        writeln!(out, "- {}", markdown_text(&next))?;
    }
    Ok(())
}

/// What ties to the intruder, whose the methods are, and what else was left.
fn findings(out: &mut String, report: &InvestigationReport) -> std::fmt::Result {
    let seen = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), shown);
    if !report.indicators.is_empty() {
        writeln!(out, "## Indicators\n\n| kind | value | first seen | last seen | confidence | why |")?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- |")?;
        for own in &report.indicators {
            let used = report.addresses.iter().find(|use_| use_.address.network().to_string() == own.value);
            let mut reasons = own.reasons.clone();
            reasons.extend(used.into_iter().flat_map(usage));
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                own.kind.label(),
                markdown_text(&own.value),
                seen(own.first_seen),
                seen(own.last_seen),
                format!("{:?}", own.confidence).to_lowercase(),
                markdown_text(&reasons.join("; "))
            )?;
        }
        writeln!(out)?;
    }
    let left = report.persistence.iter().map(|own| {
        let what = format!("{}: {}", own.kind.label(), own.does);
        (own.verdict, what, &own.name, &own.id, &own.reasons)
    });
    let methods =
        report.methods.iter().map(|own| (own.verdict, own.kind.clone(), &own.name, &own.id, &own.reasons));
    for (title, rows) in [
        ("Authentication methods", methods.collect::<Vec<_>>()),
        ("Left in the tenant", left.collect::<Vec<_>>()),
    ] {
        if rows.is_empty() {
            continue;
        }
        writeln!(out, "## {title}\n\n| whose | what | name | id | why |\n| --- | --- | --- | --- | --- |")?;
        for (whose, what, name, id, reasons) in rows {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                verdict(whose),
                markdown_text(&what),
                markdown_text(name),
                markdown_text(id),
                markdown_text(&reasons.join("; "))
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}
