//! `stanch completions`: a shell's completions, from the definition of the command line itself.

use clap::CommandFactory as _;
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Cli, CompletionsArgs, Format};
use super::failure::Failure;
use super::output::{print_json, print_text};

/// `stanch completions`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Completions {
    /// The shell.
    shell: String,
    /// The script that it reads.
    script: String,
}

/// Prints the completions of a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(format: Format, args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stanch", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match format {
        Format::Json => print_json(&Completions { shell: args.shell.to_string(), script })?,
        Format::Text | Format::Markdown | Format::Html => print_text(&script)?,
    }
    Ok(0)
}
