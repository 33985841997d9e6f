//! A run on the terminal, 80 columns wide.

use super::layout::block as put;
use super::words::{Line, consent, handed_over, headline_of, mark};
use crate::domain::{inert, inert_whole};
use crate::plan::{Action, Plan, is_command};
use crate::run::{OpenItem, Run, Verdict};

pub(super) const WIDTH: usize = 80;

/// How much is told of a person's work that the run does not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// That there is some, and where it is told.
    Short,
    /// All of it.
    Whole,
}

/// Tells a run as text: the verdict first, then every action, the proof, and what is open with the next thing to do.
pub fn text(plan: &Plan, run: &Run, colour: bool) -> String {
    text_of(plan, run, Extent::Whole, colour)
}

/// The same with as much of a person's work as is asked for.
pub fn text_of(plan: &Plan, run: &Run, extent: Extent, colour: bool) -> String {
    let mut out = String::new();
    let headline = headline_of(run, plan);
    let style = match run.verdict {
        Verdict::Contained => anstyle::AnsiColor::Green,
        Verdict::ContainedUnverified => anstyle::AnsiColor::Yellow,
        _ => anstyle::AnsiColor::Red,
    }
    .on_default()
    .bold();
    if colour {
        out.push_str(&format!("{style}{headline}{style:#}\n"));
    } else {
        out.push_str(headline);
        out.push('\n');
    }
    let subject = &plan.case.subject;
    block(&mut out, "", &format!("{} <{}>, run {}", inert(&subject.display_name), subject.upn, run.run));
    for given in &run.consent.given {
        block(&mut out, "", &inert(&consent(run.consent.kind, given)));
    }
    out.push('\n');
    for (action, record) in plan.actions.iter().zip(&run.actions) {
        let told = if record.detail.is_empty() || record.detail == "read back" {
            inert(&action.summary)
        } else {
            format!("{}: {}", inert(&action.summary), inert(&record.detail))
        };
        block(&mut out, &format!("{}  ", mark(record.state)), &told);
        for line in record.handed_over.iter().flat_map(handed_over) {
            match line {
                Line::Words(words) => block(&mut out, "      ", &words),
                Line::Command(command) => out.push_str(&format!("        {command}\n")),
            }
        }
    }
    if !run.proof.facts.is_empty() {
        out.push_str("\nProof\n");
        for fact in &run.proof.facts {
            let holds = match fact.holds {
                Some(true) => "holds   ",
                Some(false) => "BROKEN  ",
                None => "unread  ",
            };
            block(&mut out, holds, &format!("{}: {}", inert(&fact.what), inert(&fact.seen)));
        }
    }
    if !run.open.is_empty() {
        out.push_str("\nOpen\n");
        // What one and the same thing mends stands together, with that thing said once.
        for alike in run.open.chunk_by(|one, other| one.next == other.next) {
            for item in alike {
                block(&mut out, "- ", &format!("{}: {}", inert(&item.what), inert(&item.why)));
            }
            if let Some(told) = alike.first().and_then(|item| in_short(plan, run, item, extent)) {
                block(&mut out, "  next: ", &told);
                continue;
            }
            let mark = if alike.len() == 1 { "  next: " } else { "  next, for all of these: " };
            for line in alike.first().iter().flat_map(|item| item.next.lines()) {
                if is_persons_command(plan, line) {
                    // It stays on one line: a break in it would be copied too.
                    out.push_str(&format!("{:width$}{}\n", "", inert_whole(line), width = mark.len()));
                } else {
                    block(&mut out, mark, &inert(line));
                }
            }
        }
    }
    if !run.residual_risk.is_empty() {
        out.push_str("\nWhat stays open even so\n");
        for risk in &run.residual_risk {
            block(&mut out, "- ", &inert(risk));
        }
    }
    out
}

/// Where the commands of an item stand that the run does not wait for; nothing where they are told at once.
fn in_short(plan: &Plan, run: &Run, item: &OpenItem, extent: Extent) -> Option<String> {
    let is_spare = |action: &&Action| !action.required && action.summary == item.what;
    let commands = &plan.actions.iter().find(is_spare)?.cannot.as_ref()?.commands;
    (extent == Extent::Short && !commands.is_empty()).then(|| {
        format!(
            "see its {} lines of PowerShell: `stanch runs show {}`, or in Markdown",
            commands.len(),
            run.run
        )
    })
}

/// Whether a line is a command of a person's work.
fn is_persons_command(plan: &Plan, line: &str) -> bool {
    let has = |lines: &[String]| lines.iter().any(|own| own == line);
    line.starts_with("stanch runs confirm ")
        || plan
            .actions
            .iter()
            .filter_map(|action| action.cannot.as_ref())
            .any(|work| has(&work.commands) || (has(&work.instead) && is_command(line.trim_start())))
}

fn block(out: &mut String, mark: &str, paragraph: &str) {
    put(out, mark, paragraph, WIDTH);
}
