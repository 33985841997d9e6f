//! `stanch playbook`: what there is, and whether it holds.

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Format, PlaybookCommand};
use super::by_hand;
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::plan::bind;
use super::session::Session;
use crate::playbook::{self, BoundStep, list};
use crate::steps::{self, AnyStep};

/// A playbook in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedPlaybook {
    /// Its name.
    id: String,
    /// Its title.
    title: String,
    /// What it is for.
    summary: String,
}

/// `stanch playbook list`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlaybookList {
    /// The playbooks that come with stanch.
    items: Vec<ListedPlaybook>,
    /// Where the list goes on; null, as it is whole.
    next: Option<String>,
}

/// `stanch playbook check`, as JSON. A playbook that is wrong is an error document instead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedPlaybook {
    /// Its name.
    name: String,
    /// Whether it is sound: always, here.
    ok: bool,
    /// Its steps, their options filled in.
    steps: Vec<BoundStep>,
}

/// Lists, shows or checks playbooks.
///
/// # Errors
/// When there is no such playbook, or something is wrong with it.
pub fn playbooks(session: &Session, command: &PlaybookCommand) -> Result<u8, Failure> {
    match command {
        PlaybookCommand::List => {
            let shipped = list();
            if session.format == Format::Json {
                let items = shipped
                    .into_iter()
                    .map(|book| ListedPlaybook { id: book.name, title: book.title, summary: book.summary })
                    .collect();
                print_json(&PlaybookList { items, next: None })?;
            } else {
                let lines: String =
                    shipped.iter().map(|book| format!("{:14}{}\n", book.name, book.title)).collect();
                print_text(&lines)?;
            }
        }
        PlaybookCommand::Show { playbook, by_hand: true, user: Some(user), settings } => {
            by_hand::show(session, playbook, user, settings)?;
        }
        PlaybookCommand::Show { playbook, .. } => {
            let book = playbook::load(playbook, &steps::catalog())?;
            if session.format == Format::Json {
                print_json(&book)?;
            } else {
                print_text(book.text())?;
            }
        }
        PlaybookCommand::Schema => print_json(&playbook::json_schema(&steps::catalog()))?,
        PlaybookCommand::Check { playbook, settings } => {
            let bound = bind(playbook, settings)?;
            if session.format == Format::Json {
                print_json(&CheckedPlaybook { name: bound.name, ok: true, steps: bound.steps })?;
            } else {
                let ends_sessions = bound.steps.iter().any(|step| AnyStep::is_revocation(&step.step));
                let order = if ends_sessions { ", the last revocation after every door" } else { "" };
                print_text(&format!("{} is sound: {} steps{order}\n", bound.name, bound.steps.len()))?;
            }
        }
    }
    Ok(0)
}
