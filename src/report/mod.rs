//! A run or an investigation, told to people: on the terminal, and as Markdown for the ticket. Pure.

mod investigation;
mod layout;
mod markdown;
mod markup;
mod text;
mod verification;
mod words;

pub use investigation::{
    AddressFound, Event, InvestigationReport, LeftBehind, MailGot, MethodFound, Recipient, Technique, Unread,
    Who, indicators_csv, investigation_markdown, investigation_text, stix_bundle,
};
pub use layout::block;
pub use markdown::markdown;
pub use markup::markdown_text;
pub use text::text;
pub use verification::{verification_markdown, verification_text};
