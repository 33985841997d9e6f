//! A run, told to people: on the terminal, and as Markdown for the ticket. Pure.

mod markdown;
mod text;
mod words;

pub use markdown::markdown;
pub use text::text;
