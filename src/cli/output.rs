//! Standard output: results, and nothing else.

use std::io::Write as _;

use serde::Serialize;

use super::failure::Failure;

/// Prints one JSON document.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(1, "json", &error, None))?;
    print_text(&(text + "\n"))
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
