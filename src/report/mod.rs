//! A run, an investigation or a whole incident, told to people: on the terminal, as Markdown for the ticket, as a page.
//! Pure.

mod incident;
mod investigation;
mod layout;
mod markdown;
mod markup;
mod text;
mod verification;
mod words;

pub use incident::{
    Access, Attempt, Control, EvidenceRead, IncidentInputs, IncidentReport, MeasureState, WayState, controls,
    incident_html, incident_markdown,
};
pub use investigation::{
    AddressFound, Event, EventKind, InvestigationReport, LeftBehind, MailGot, MethodFound, Recipient,
    Technique, Unread, Who, indicators_csv, investigation_markdown, investigation_text, stix_bundle,
};
pub use layout::block;
pub use markdown::markdown;
pub use markup::markdown_text;
pub use text::{Extent, text, text_of};
pub use verification::{verification_markdown, verification_text};
