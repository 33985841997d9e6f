//! `stanch runs`: what was done.

use serde_json::json;

use super::args::{Format, RunsCommand};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::session::Session;
use super::terminal;
use crate::domain::inert;
use crate::report;
use crate::store::load_run;

/// Lists runs, or shows one.
///
/// # Errors
/// When the store cannot be read, or there is no such run.
pub async fn runs(session: &Session, command: &RunsCommand) -> Result<u8, Failure> {
    match command {
        RunsCommand::List => list(session).await,
        RunsCommand::Show { run } => show(session, run).await,
    }
}

async fn list(session: &Session) -> Result<u8, Failure> {
    let store = session.store()?;
    let mut items = Vec::new();
    let mut lines = String::new();
    for row in store.runs().await? {
        let (_, run) = load_run(store.as_ref(), &row.run).await?;
        let state = if run.ended_at.is_some() { run.verdict.as_str() } else { "unfinished" };
        lines.push_str(&format!(
            "{}  {}  {:20}  {:12}  {}\n",
            row.run,
            row.started_at.strftime("%Y-%m-%d %H:%M:%SZ"),
            state,
            inert(&row.playbook),
            inert(&row.subject_upn)
        ));
        items.push(json!({
            "id": row.run, "plan": row.plan, "digest": row.digest, "verdict": run.verdict,
            "subject": { "id": row.subject, "upn": row.subject_upn }, "playbook": row.playbook,
            "started_at": run.started_at, "ended_at": run.ended_at,
        }));
    }
    match session.format {
        Format::Json => print_json(&json!({ "items": items, "next": null }))?,
        Format::Text | Format::Markdown if items.is_empty() => {
            print_text("no runs yet; `stanch run bec --user UPN --dry-run` shows what one would do\n")?;
        }
        Format::Text | Format::Markdown => print_text(&lines)?,
    }
    Ok(0)
}

async fn show(session: &Session, text: &str) -> Result<u8, Failure> {
    let store = session.store()?;
    let id = store.find_run(text).await?;
    let (plan, run) = load_run(store.as_ref(), &id).await?;
    match session.format {
        Format::Json => print_json(&run)?,
        Format::Markdown => print_text(&report::markdown(&plan, &run))?,
        Format::Text => print_text(&report::text(&plan, &run, terminal::prints_to_terminal()))?,
    }
    Ok(0)
}
