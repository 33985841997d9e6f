//! A run that was looked at again: on the terminal, and as Markdown.

use std::fmt::Write as _;

use super::layout::block;
use super::markup::{markdown_lines, markdown_text};
use super::text::WIDTH;
use super::words::sentence;
use crate::case::{Look, OtherUser};
use crate::domain::{inert, shell_word, shown};
use crate::plan::Plan;
use crate::run::{Check, CheckState, Verdict, Verification, Watched};

/// Tells a verification as text: whether all holds first, then every check, with the next thing to do.
pub fn verification_text(plan: &Plan, verification: &Verification, colour: bool) -> String {
    let mut out = String::new();
    let style = if verification.holds { anstyle::AnsiColor::Green } else { anstyle::AnsiColor::Red };
    let style = style.on_default().bold();
    let headline = headline(plan, verification);
    if colour {
        out.push_str(&format!("{style}{headline}{style:#}\n"));
    } else {
        block(&mut out, "", &headline, WIDTH);
    }
    let subject = &plan.case.subject;
    let who = format!("{} <{}>, run {}", inert(&subject.display_name), subject.upn, verification.run);
    block(&mut out, "", &who, WIDTH);
    block(&mut out, "", &moments(verification), WIDTH);
    out.push('\n');
    for check in &verification.checks {
        let told = if check.state == CheckState::Holds && check.action.is_some() {
            inert(&check.what)
        } else {
            format!("{}: {}", inert(&check.what), inert(&check.seen))
        };
        block(&mut out, &format!("{:8}", word(check)), &told, WIDTH);
        for line in check.next.iter().flat_map(|next| next.lines()) {
            block(&mut out, "          next: ", &inert(line), WIDTH);
        }
    }
    out.push('\n');
    let (told, open) = eviction(verification);
    block(&mut out, "", &told, WIDTH);
    for line in open {
        block(&mut out, "  ", &inert(&line), WIDTH);
    }
    let notes = notes(verification);
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        block(&mut out, "", &inert(&note), WIDTH);
    }
    out
}

/// Tells a verification in Markdown.
pub fn verification_markdown(plan: &Plan, verification: &Verification) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write(&mut out, plan, verification);
    out
}

fn write(out: &mut String, plan: &Plan, verification: &Verification) -> std::fmt::Result {
    writeln!(
        out,
        "# {}: {}\n",
        verification.verdict.as_str(),
        markdown_text(plan.case.subject.upn.as_str())
    )?;
    writeln!(out, "{}\n", headline(plan, verification))?;
    writeln!(out, "Run {}. {}\n", verification.run, moments(verification))?;
    writeln!(out, "| checked | state | seen | next |\n| --- | --- | --- | --- |")?;
    for check in &verification.checks {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            markdown_text(&check.what),
            word(check),
            markdown_text(&check.seen),
            markdown_lines(check.next.as_deref().unwrap_or_default())
        )?;
    }
    let (told, open) = eviction(verification);
    writeln!(out, "\n{}", markdown_text(&told))?;
    if !open.is_empty() {
        writeln!(out)?;
    }
    for line in open {
        writeln!(out, "- {}", markdown_text(&line))?;
    }
    for note in notes(verification) {
        writeln!(out, "\n{}", markdown_text(&note))?;
    }
    Ok(())
}

/// What is to be said first. What holds now and did not then is told with both verdicts.
fn headline(plan: &Plan, verification: &Verification) -> String {
    let drifted = verification.checks.iter().filter(|check| check.state == CheckState::Drifted).count();
    if verification.holds {
        let reached = plan.playbook.aim.reached();
        return format!("Everything that the run did still holds, and the account counts as {reached}.");
    }
    match drifted {
        0 if verification.verdict == Verdict::Contained => {
            "Not everything could be looked at: nothing more is known than stands here.".to_owned()
        }
        0 => sentence(verification.verdict).to_owned(),
        1 => "DRIFT: 1 thing is no longer as the run left it.".to_owned(),
        number => format!("DRIFT: {number} things are no longer as the run left them."),
    }
}

/// Whether the intruder is called evicted; else what is missing for it, and what is waited for until when.
fn eviction(verification: &Verification) -> (String, Vec<String>) {
    let eviction = &verification.eviction;
    if eviction.evicted {
        let told = "EVICTED: every condition for it was read and holds, by what the log shows so far.";
        return (told.to_owned(), Vec::new());
    }
    let mut told = "The intruder may not be called evicted yet.".to_owned();
    if let Some(at) = eviction.not_before.filter(|at| *at > verification.checked_at) {
        told.push_str(&format!(
            " Look again after {}: until then access tokens that nothing revokes may live.",
            shown(at)
        ));
    }
    let open = eviction.open().map(|own| {
        let word = if own.holds.is_none() { "not known" } else { "no" };
        format!("{}: {word}; {}", own.what, own.seen)
    });
    (told, open.collect())
}

fn moments(verification: &Verification) -> String {
    let ended = verification.ended_at.map_or_else(
        || "It has not ended".to_owned(),
        |at| format!("It ended {} as {}", shown(at), verification.verdict_of_run),
    );
    format!("{ended}; looked at again {}: {}.", shown(verification.checked_at), verification.verdict)
}

fn word(check: &Check) -> &'static str {
    match check.state {
        CheckState::Holds => "holds",
        CheckState::Drifted => "DRIFT",
        CheckState::NotDone if check.required => "OPEN",
        CheckState::NotDone => "left",
        CheckState::Unread => "unread",
    }
}

fn watch_counts(watched: &Watched) -> String {
    let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let failed = match watched.failed_looks {
        0 => String::new(),
        count => format!(", and {} a look failed", times(count)),
    };
    format!("looked at {}{failed}", times(watched.looks))
}

/// What is to be said of somebody else at the intruder's addresses.
fn look_at(other: &OtherUser) -> String {
    let times = |count: usize| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let tried = match (other.successes, other.failures) {
        (0, failed) => format!("tried {}, in vain", times(failed)),
        (done, 0) => format!("signed in {}", times(done)),
        (done, failed) => format!("signed in {}, and {} in vain", times(done), times(failed)),
    };
    format!(
        "Look at {}, too: somebody {tried} since, from {} ({} to {}): stanch investigate --user {}",
        other.upn,
        other.addresses.join(", "),
        shown(other.first_seen),
        shown(other.last_seen),
        shell_word(&other.upn)
    )
}

fn notes(verification: &Verification) -> Vec<String> {
    let mut notes = Vec::new();
    for later in &verification.later_runs {
        notes.push(format!(
            "Run {} ({}) came later for this user, {}: what it changed shows here as drift.",
            later.run,
            later.playbook,
            shown(later.started_at)
        ));
    }
    match &verification.others {
        Look::Unread { why } => {
            notes.push(format!("Whether anybody else is signed in to from there since was not read: {why}."));
        }
        Look::Read(others) => notes.extend(others.iter().map(look_at)),
    }
    if let Some(watched) = &verification.watched {
        notes.push(format!(
            "Watched from {} to {}{}: {}.",
            shown(watched.from),
            shown(watched.until),
            if watched.interrupted { ", when it was ended" } else { "" },
            watch_counts(watched)
        ));
        if let Some(why) = &watched.last_look_failed {
            notes.push(format!(
                "The last look failed: {why}. What stands here is of the look before it, and what is so now is not known."
            ));
        }
        for drift in &watched.drifts {
            notes.push(format!("Drift seen {}: {}: {}", shown(drift.seen_at), drift.what, drift.seen));
        }
    }
    if !verification.not_looked_at.is_empty() {
        notes.push(format!(
            "Not looked at again, as there was nothing to do then: {}. A new plan looks at them.",
            verification.not_looked_at.join(", ")
        ));
    }
    notes
}
