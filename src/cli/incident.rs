//! `stanch runs report`: the incident report of a run, in Markdown, as a page of HTML, or as JSON.

use std::path::Path;

use super::args::{Format, ReportArgs};
use super::failure::Failure;
use super::output::{json_text, print_text};
use super::plan::{parse_time, write_bytes};
use super::session::Session;
use crate::domain::{RunId, inert, inert_whole};
use crate::engine::{Kept, PlanError, ReportRequest, VerifyError, incident_report, keep};
use crate::plan::Plan;
use crate::report::{EvidenceRead, IncidentReport, incident_html, incident_markdown};
use crate::run::{Entry, JournalLine};
use crate::store::Phase;

/// What is read for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The tenant, where no earlier report has read it.
    Missing,
    /// The tenant, in any case.
    Again,
    /// Nothing: what is kept has to do.
    Nothing,
}

/// Makes the report of a run, and prints or writes it.
///
/// # Errors
/// When there is no such run, nobody signs in, or the report cannot be written.
pub async fn report(session: &Session, args: &ReportArgs) -> Result<u8, Failure> {
    let reported_at = args.reported.as_deref().map(parse_time).transpose()?;
    let id = session.store()?.find_run(&args.run).await?;
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    let reading = match (args.offline, args.again) {
        (true, _) => Reading::Nothing,
        (false, true) => Reading::Again,
        (false, false) => Reading::Missing,
    };
    let request = ReportRequest { reported_at, ..ReportRequest::default() };
    let report = make(session, &id, reading, request).await?;
    let format = match &args.output {
        Some(path) if session.format == Format::Text && is_page(path) => Format::Html,
        _ => session.format,
    };
    let text = spell(&report, format)?;
    let Some(path) = &args.output else {
        print_text(&text)?;
        return Ok(0);
    };
    write_bytes(path, text.as_bytes())?;
    if format == Format::Json {
        print_text(&text)?;
    } else if !session.quiet {
        anstream::eprintln!("Report: {}", path.display());
    }
    Ok(0)
}

fn is_page(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("html") || ending.eq_ignore_ascii_case("htm"))
}

/// Spells a report in a form.
///
/// # Errors
/// When it has no such form: a fault of ours.
pub fn spell(report: &IncidentReport, format: Format) -> Result<String, Failure> {
    match format {
        Format::Json => json_text(report),
        Format::Html => incident_html(report).map_err(|error| Failure::of(1, "html", &error, None)),
        Format::Text | Format::Markdown => Ok(incident_markdown(report)),
    }
}

/// Makes the report of a run: by what is kept, and by what is read now where that is asked for and can be.
///
/// # Errors
/// When there is no such run, or the store cannot be read or written. A tenant that cannot be read is told in the report.
pub async fn make(
    session: &Session,
    run: &RunId,
    reading: Reading,
    mut request: ReportRequest,
) -> Result<IncidentReport, Failure> {
    let store = session.store()?;
    let (plan, journal) = store.load(run).await?;
    request.alerted_at = store.alerted_at(&plan.id).await?;
    let mut kept = Kept::find(store.as_ref(), &plan.id).await?;
    let is_to_be_read = match reading {
        Reading::Missing => kept.afterwards.is_none(),
        Reading::Again => true,
        Reading::Nothing => false,
    };
    if is_to_be_read {
        match read(session, &plan).await {
            Ok(read) => {
                let read = match &kept.afterwards {
                    Some(earlier) => read.and_what_is_gone(earlier),
                    None => read,
                };
                // A run that goes on changes what there is to read.
                if has_ended(&journal) {
                    keep(store.as_ref(), &plan.id, Phase::Afterwards, &read).await?;
                }
                kept.afterwards = Some(read);
            }
            Err(failure) => request.notes.push(untold(session, &failure, kept.afterwards.is_some())),
        }
    } else if kept.afterwards.is_none() {
        request.notes.push("the tenant was not read for this report: `--offline` was given".to_owned());
    }
    let report = incident_report(run.clone(), &plan, &journal, &kept, &request, session.clock.now());
    report.map_err(|error| crate::store::StoreError::from(error).into())
}

async fn read(session: &Session, plan: &Plan) -> Result<EvidenceRead, Failure> {
    let read = session.investigator()?.read_again(plan).await;
    read.map_err(|error| match error {
        // No alert is in play here: it is the run that is of another tenant.
        PlanError::OtherTenant { named, own } => {
            VerifyError::OtherTenant { planned: named, actual: own }.into()
        }
        other => other.into(),
    })
}

fn has_ended(journal: &[JournalLine]) -> bool {
    journal.iter().any(|line| matches!(line.entry, Entry::Finished { .. }))
}

/// Says that the tenant could not be read: on standard error now, and in the report for good.
fn untold(session: &Session, failure: &Failure, has_earlier: bool) -> String {
    let rests =
        if has_earlier { "on what an earlier report read" } else { "on what is kept beside the plan" };
    if !session.quiet {
        anstream::eprintln!(
            "warning: the tenant could not be read: {}; the report rests {rests}",
            inert_whole(&failure.message)
        );
        for hint in failure.hint.iter().flat_map(|hint| hint.lines()) {
            anstream::eprintln!("hint: {}", inert(hint));
        }
    }
    format!("the tenant could not be read for this report: {}; it rests {rests}", failure.message)
}
