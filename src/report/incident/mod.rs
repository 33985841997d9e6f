//! The incident report: one document, made purely from what was planned, done and read; then Markdown, and a page of HTML.

mod cause;
mod changes;
mod compose;
mod controls;
mod document;
mod drawing;
mod evidence;
mod findings;
mod html;
mod markdown;
mod measures;
mod page;
mod sections;
mod summary;
mod timeline;
mod times;
mod ways;

pub use compose::IncidentInputs;
pub use controls::{Control, controls};
pub use document::{Attempt, IncidentReport, MeasureState, WayState};
pub use evidence::{Access, EvidenceRead};
pub use html::incident_html;
pub use markdown::incident_markdown;
