//! A run, told to people: on the terminal, and as Markdown for the ticket. Pure.

mod layout;
mod markdown;
mod markup;
mod text;
mod verification;
mod words;

pub use layout::block;
pub use markdown::markdown;
pub use markup::markdown_text;
pub use text::text;
pub use verification::{verification_markdown, verification_text};
