//! `stanch playbook`: what there is, and whether it holds.

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Format, PlaybookCommand};
use super::by_hand;
use super::failure::Failure;
use super::order_table::{self, OrderTable};
use super::output::{print_json, print_text};
use super::plan::bind;
use super::session::Session;
use crate::engine::{outlook_of, too_wide};
use crate::playbook::{self, BoundPlaybook, BoundStep, list};
use crate::steps;

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
    /// What an intruder may hold, and what the steps take of it; null for a playbook that takes nothing, or whose steps
    /// may run in more orders than are walked.
    order: Option<OrderTable>,
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
                    shipped.iter().map(|book| format!("{:19}{}\n", book.name, book.title)).collect();
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
                let outlook = outlook_of(&bound).ok().flatten();
                let order = outlook.map(|outlook| order_table::document(&bound.steps, outlook));
                print_json(&CheckedPlaybook { name: bound.name, ok: true, steps: bound.steps, order })?;
            } else {
                print_text(&checked(&bound))?;
            }
        }
    }
    Ok(0)
}

fn checked(bound: &BoundPlaybook) -> String {
    let (name, count) = (&bound.name, bound.steps.len());
    match outlook_of(bound) {
        Ok(Some(outlook)) => {
            let verdict = match &outlook.way_in {
                None => format!(
                    "{name} is sound: {count} steps, the last revocation after every door, no way back in"
                ),
                Some(_) => format!("{name} may run, {count} steps, and leaves a way back in"),
            };
            format!("{verdict}\n\n{}", order_table::text(&bound.steps, &outlook))
        }
        Ok(None) => {
            format!(
                "{name} is sound: {count} steps. It takes nothing from an intruder, and contains nobody.\n"
            )
        }
        Err(_) => format!("{name} is sound: {count} steps. {}\n", too_wide()),
    }
}
