//! The preview: what an approver decides on. Text for 80 columns, and Markdown for tickets; JSON is the plan itself.

mod content;
mod estimate;
pub mod layout;
mod markdown;
mod text;

pub use estimate::{Estimate, estimate};
pub use markdown::{markdown, markdown_text};
pub use text::{Style, text};
