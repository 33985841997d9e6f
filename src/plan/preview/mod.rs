//! The preview: a plan as an approver reads it, as text for a terminal and as Markdown for a ticket.
//!
//! Everything is first set out once, as a document of inert pieces, and then laid out twice. So the two never
//! tell different stories, and no text from the tenant reaches a screen on a way of its own. JSON is the plan itself.

mod actions;
mod compose;
mod difference;
mod document;
mod estimate;
mod layout;
mod markdown;
mod state_change;
mod style;
#[cfg(test)]
mod tests;
mod text;
mod who;
mod why;

pub use estimate::{Estimate, estimate};
pub use markdown::{difference_markdown, markdown};
pub use style::{Colour, Detail, Style};
pub use text::{difference_text, text};
