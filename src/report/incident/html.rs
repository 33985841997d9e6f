//! The report as one page of HTML that needs nothing else: no script, no font, no picture from anywhere. Askama escapes
//! every text of it; nothing is marked as safe.

use askama::Template;

use super::document::IncidentReport;
use super::page::{Block, Page};
use super::sections::page;
use crate::domain::inert_whole;

/// The page as the template has it.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/incident/askama.toml")]
struct Html {
    page: Page,
}

/// A text that acts on no screen; the template escapes it besides.
fn inert(text: &str) -> String {
    inert_whole(text)
}

/// Whether the columns of a table have names.
fn is_named(head: &[&str]) -> bool {
    head.iter().any(|name| !name.is_empty())
}

/// Tells an incident as a page of HTML.
///
/// # Errors
/// When the template refuses: a fault of ours.
pub fn incident_html(report: &IncidentReport) -> Result<String, askama::Error> {
    Html { page: page(report) }.render()
}
