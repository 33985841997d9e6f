//! `stanch doctor`: what is missing for which step, and how to mend it. It reads the tenant and cannot write to it.

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{DoctorArgs, Format};
use super::failure::Failure;
use super::local_findings;
use super::output::{print_json, print_text};
use super::plan::load_all;
use super::session::Session;
use super::terminal;
use crate::engine::{Finding, FindingState};

/// Exit status when something that the chosen playbooks need is not there.
const INCOMPLETE: u8 = 1;

/// `stanch doctor`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Examination {
    /// Whether nothing is missing that the playbooks need.
    ok: bool,
    /// The playbooks.
    playbooks: Vec<String>,
    /// What was found; what is missing stands last.
    findings: Vec<Finding>,
}

/// Examines settings, apps and tenant, and tells what it found.
///
/// # Errors
/// When a playbook is wrong, or the addresses of Graph or of the sign-in authority are.
pub async fn doctor(session: &Session, args: &DoctorArgs) -> Result<u8, Failure> {
    let playbooks = load_all(&args.playbooks)?;
    let mut findings = local_findings::look(session);
    let (mut doctor, faults) = session.doctor()?;
    let (found, approvers) = local_findings::approvers(session);
    findings.extend(found);
    doctor.approvers = approvers;
    findings.extend(local_findings::credentials(&doctor, &faults));
    findings.extend(doctor.examine(&playbooks).await);
    // What stops people stands last: that is where they look.
    findings.sort_by_key(|finding| finding.state);
    let is_whole = findings.iter().all(|finding| finding.state != FindingState::Missing);
    let names: Vec<&str> = playbooks.iter().map(|book| book.name.as_str()).collect();
    if session.format == Format::Json {
        let playbooks = names.iter().map(|&name| name.to_owned()).collect();
        print_json(&Examination { ok: is_whole, playbooks, findings })?;
    } else {
        print_text(&text(&names, &findings))?;
    }
    Ok(if is_whole { 0 } else { INCOMPLETE })
}

fn text(playbooks: &[&str], findings: &[Finding]) -> String {
    let mut text = format!("For the playbooks {}:\n\n", playbooks.join(", "));
    for finding in findings {
        let (word, style) = match finding.state {
            FindingState::Ok => ("ok", anstyle::AnsiColor::Green),
            FindingState::Warning => ("warning", anstyle::AnsiColor::Yellow),
            FindingState::Missing => ("missing", anstyle::AnsiColor::Red),
        };
        let style = anstyle::Style::new().fg_color(Some(style.into()));
        let word = if terminal::prints_to_terminal() {
            format!("{style}{word:8}{style:#}")
        } else {
            format!("{word:8}")
        };
        text.push_str(&format!("{word} {}\n", finding.what));
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("         -> {fix}\n"));
        }
    }
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (missing, warnings) = (count(FindingState::Missing), count(FindingState::Warning));
    text.push_str(&match missing {
        0 => format!("\nNothing that these playbooks need is missing; {warnings} to look at.\n"),
        1 => format!("\n1 thing is missing; {warnings} more to look at.\n"),
        _ => format!("\n{missing} things are missing; {warnings} more to look at.\n"),
    });
    text
}
