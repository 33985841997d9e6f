//! Standard output: results, and nothing else.

use std::io::Write as _;

use serde::Serialize;

use super::failure::Failure;
use crate::domain::inert_json;

/// Prints one JSON document.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    print_text(&json_text(value)?)
}

/// Spells a value as a JSON document that acts on no screen, newline at the end.
///
/// # Errors
/// When the value has no JSON form.
pub fn json_text<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(1, "json", &error, None))?;
    Ok(inert_json(&text) + "\n")
}

/// Prints text; colours are left out where the output is no terminal, or where `NO_COLOR` says so.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_text(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::of(1, "cannot_print", &error, None))
        }
        _ => Ok(()),
    }
}
