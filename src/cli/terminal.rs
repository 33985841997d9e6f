//! The terminal: asking, and showing a secret once.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::domain::secret::ExposeSecret as _;
use crate::domain::{SecretString, inert};
use crate::graph::DevicePrompt;
use crate::seal::HandoverError;

/// Whether a person sits at both ends: questions can be asked and answered.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether results are printed to a terminal.
pub fn prints_to_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether progress and logs are told to a terminal.
pub fn tells_to_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Asks a question that is answered by typing `yes`; anything else is a no.
///
/// # Errors
/// When the terminal cannot be written to or read from.
pub fn confirm(question: &str) -> std::io::Result<bool> {
    Ok(answer(&format!("{question} Type yes to go on: "))?.trim().eq_ignore_ascii_case("yes"))
}

/// Asks for one of some words; anything else is none of them.
///
/// # Errors
/// When the terminal cannot be written to or read from.
pub fn choose(question: &str, words: &[&str]) -> std::io::Result<Option<usize>> {
    let answer = answer(&format!("{question} [{}] ", words.join("/")))?.trim().to_lowercase();
    Ok(words.iter().position(|word| !answer.is_empty() && word.starts_with(&answer)))
}

/// The line that is typed behind a prompt.
fn answer(prompt: &str) -> std::io::Result<String> {
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{prompt}")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

/// Tells the code that signs a person in. It is told even to who asked for quiet: nothing goes on without it.
pub fn tell_code(prompt: &DevicePrompt) {
    anstream::eprintln!(
        "To sign in as yourself, open {} and type the code {} within {} minutes.\n\
         warning: such codes are what phishers send. Type this one only because you have started this command yourself, \
         just now; never one that somebody gave you.",
        inert(&prompt.address),
        inert(&prompt.user_code),
        prompt.lasts.as_secs() / 60
    );
}

/// Shows a secret on the terminal, once, and nowhere else.
///
/// # Errors
/// When standard error is no terminal, or cannot be written to.
pub fn show_once(what: &str, secret: &SecretString) -> Result<(), HandoverError> {
    check_terminal(what)?;
    let unwritable = |source| HandoverError::Unwritable { what: what.to_owned(), source };
    let mut stderr = std::io::stderr().lock();
    writeln!(
        stderr,
        "\n{}, shown this once and kept nowhere:\n\n    {}\n",
        inert(what),
        secret.expose_secret()
    )
    .map_err(unwritable)?;
    stderr.flush().map_err(unwritable)
}

/// Makes sure that there is a terminal to show a secret on.
///
/// # Errors
/// When standard error is none.
pub fn check_terminal(what: &str) -> Result<(), HandoverError> {
    if tells_to_terminal() { Ok(()) } else { Err(HandoverError::NoTerminal { what: what.to_owned() }) }
}
