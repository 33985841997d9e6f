//! The Markdown summary of a run.

use std::fmt::Write as _;

use super::markup::{markdown_lines, markdown_text};
use super::words::{Line, consent, handed_over, headline_of};
use crate::domain::shown;
use crate::plan::Plan;
use crate::run::Run;

/// Tells a run in Markdown: verdict, who, what was done, the proof, what is open, what stays open.
pub fn markdown(plan: &Plan, run: &Run) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _infallible = write(&mut text, plan, run);
    text
}

fn write(out: &mut String, plan: &Plan, run: &Run) -> std::fmt::Result {
    let subject = &plan.case.subject;
    writeln!(out, "# {}: {}\n", run.verdict.as_str(), markdown_text(subject.upn.as_str()))?;
    writeln!(out, "{}\n", headline_of(run, plan))?;
    writeln!(out, "| | |\n| --- | --- |")?;
    writeln!(out, "| user | {} ({}) |", markdown_text(&subject.display_name), subject.id)?;
    writeln!(out, "| tenant | {} ({}) |", markdown_text(&plan.tenant.name), plan.tenant.id)?;
    writeln!(out, "| playbook | {} |", markdown_text(&plan.playbook.name))?;
    writeln!(out, "| plan | {} |", run.digest)?;
    writeln!(out, "| run | {} |", run.run)?;
    for given in &run.consent.given {
        writeln!(out, "| consent | {} |", markdown_text(&consent(run.consent.kind, given)))?;
    }
    writeln!(out, "| started | {} |", shown(run.started_at))?;
    match run.ended_at {
        Some(at) => writeln!(out, "| ended | {} |\n", shown(at))?,
        None => writeln!(out, "| ended | not yet, or killed |\n")?,
    }
    if !plan.case.indicators.is_empty() {
        writeln!(
            out,
            "## What ties to the intruder\n\n| kind | value | first seen | last seen |\n| --- | --- | --- | --- |"
        )?;
        for indicator in &plan.case.indicators {
            let seen = |at: Option<jiff::Timestamp>| at.map_or_else(|| "-".to_owned(), shown);
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                indicator.kind.label(),
                markdown_text(&indicator.value),
                seen(indicator.first_seen),
                seen(indicator.last_seen)
            )?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "## What was done\n\n| action | state | told | Graph's request ids |\n| --- | --- | --- | --- |"
    )?;
    for (action, record) in plan.actions.iter().zip(&run.actions) {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            markdown_text(&action.summary),
            record.state.as_str(),
            markdown_text(&record.detail),
            markdown_text(&record.request_ids.join(" "))
        )?;
    }
    write_secrets(out, plan, run)?;
    if !run.proof.facts.is_empty() {
        writeln!(out, "\n## Proof\n\n| checked | holds | seen |\n| --- | --- | --- |")?;
        for fact in &run.proof.facts {
            let holds = match fact.holds {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "could not be read",
            };
            writeln!(out, "| {} | {holds} | {} |", markdown_text(&fact.what), markdown_text(&fact.seen))?;
        }
    }
    if !run.open.is_empty() {
        writeln!(out, "\n## Open\n\n| what | why | next |\n| --- | --- | --- |")?;
        for item in &run.open {
            writeln!(
                out,
                "| {} | {} | {} |",
                markdown_text(&item.what),
                markdown_text(&item.why),
                markdown_lines(&item.next)
            )?;
        }
    }
    if !plan.left.is_empty() {
        writeln!(out, "\n## Left alone\n")?;
        for left in &plan.left {
            writeln!(out, "- {}: {}", markdown_text(&left.object), markdown_text(&left.why.join("; ")))?;
        }
    }
    if !run.residual_risk.is_empty() {
        writeln!(out, "\n## What stays open even so\n")?;
        for risk in &run.residual_risk {
            writeln!(out, "- {}", markdown_text(risk))?;
        }
    }
    Ok(())
}

/// Where secrets went that the run has made.
fn write_secrets(out: &mut String, plan: &Plan, run: &Run) -> std::fmt::Result {
    let secrets: Vec<_> = plan
        .actions
        .iter()
        .zip(&run.actions)
        .filter_map(|(action, record)| Some((action, record.handed_over.as_ref()?)))
        .collect();
    if !secrets.is_empty() {
        writeln!(out, "\n## Secrets that were made\n")?;
        for (action, to) in secrets {
            writeln!(out, "- {}:\n", markdown_text(&action.summary))?;
            for line in handed_over(to) {
                match line {
                    Line::Words(words) => writeln!(out, "  {}\n", markdown_text(&words))?,
                    // Four more columns make it code, in which nothing is markup.
                    Line::Command(command) => writeln!(out, "      {command}\n")?,
                }
            }
        }
    }
    Ok(())
}
