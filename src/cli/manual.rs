//! `stanch man`: the man pages, from the definition of the command line itself.

use std::path::Path;

use clap::CommandFactory as _;
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Cli, Format, ManArgs};
use super::failure::Failure;
use super::output::{print_json, print_text};

/// A man page, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
struct Page {
    /// Its file: `stanch-plan.1`.
    file: String,
    /// Its text, in roff; absent where it was written to the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// `stanch man`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pages {
    /// The pages.
    items: Vec<Page>,
}

/// Prints the main page, or writes every page into a folder.
///
/// # Errors
/// When a file or standard output cannot be written.
pub fn manual(format: Format, args: &ManArgs) -> Result<u8, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.out else {
        let (file, text) = page(command)?;
        match format {
            Format::Json => print_json(&Pages { items: vec![Page { file, text: Some(text) }] })?,
            Format::Text | Format::Markdown | Format::Html => print_text(&text)?,
        }
        return Ok(0);
    };
    let mut pages = Vec::new();
    every_page(command, &mut pages)?;
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::cannot_write(path, error, "name a folder that you may write to with `--out`")
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (file, text) in &pages {
        let path = folder.join(file);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    let lines: String = pages.iter().map(|(file, _)| format!("{}\n", folder.join(file).display())).collect();
    match format {
        Format::Json => {
            let items = pages.into_iter().map(|(file, _)| Page { file, text: None }).collect();
            print_json(&Pages { items })?;
        }
        Format::Text | Format::Markdown | Format::Html => print_text(&lines)?,
    }
    Ok(0)
}

/// The pages of a command and of all below it; what is hidden has none.
fn every_page(command: clap::Command, pages: &mut Vec<(String, String)>) -> Result<(), Failure> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()).cloned().collect::<Vec<_>>() {
        every_page(below, pages)?;
    }
    pages.push(page(command)?);
    Ok(())
}

/// The file name of a command's page, and its text.
fn page(command: clap::Command) -> Result<(String, String), Failure> {
    let page = clap_mangen::Man::new(command).manual("stanch");
    let mut text = Vec::new();
    // Writing to memory does not fail; were it to, the page would be cut short unseen.
    page.render(&mut text).map_err(|error| Failure::of(1, "man_page", &error, None))?;
    Ok((page.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}
