//! An investigation, told to people and to programs. Pure.

mod document;
mod exports;
mod markdown;
mod risk;
mod stix;
mod technique;
mod text;
mod timeline;

pub use document::{AddressFound, InvestigationReport, LeftBehind, MailGot, MethodFound, Recipient, Unread};
pub(super) use document::{MAIL_SENT, OTHERS_THERE};
pub use exports::indicators_csv;
pub use markdown::investigation_markdown;
pub use stix::stix_bundle;
pub use technique::Technique;
pub use text::investigation_text;
pub(super) use text::{side, usage, verdict};
pub use timeline::{Event, EventKind, Who};
