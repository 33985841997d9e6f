//! From arguments to a command, and from its end to the exit status.

use std::process::ExitCode;

use clap::Parser as _;

use super::args::{Cli, Command, Format};
use super::failure::Failure;
#[cfg(feature = "demo")]
use super::serve_demo;
use super::session::Session;
use super::{
    apply, approve, completions, diff, doctor, investigate, logging, manual, plan, playbook, run, runs,
    serve, setup, show, terminal,
};
use crate::config::Environment;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return misused(&usage),
    };
    let environment = Environment::from_process();
    if cli.global.no_color || environment.get("NO_COLOR").is_some() {
        anstream::ColorChoice::Never.write_global();
    }
    logging::start(
        cli.global.verbose,
        cli.global.quiet,
        terminal::tells_to_terminal() && !cli.global.no_color,
    );
    crate::transport::install();
    let format = cli.global.format;
    let status = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::of(1, "runtime", &error, None))
        .and_then(|runtime| runtime.block_on(dispatch(cli, environment)));
    match status {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            failure.print(format);
            ExitCode::from(failure.exit)
        }
    }
}

/// Tells what is wrong with a command line, or the help that was asked for. A script that asked for JSON gets it here too.
fn misused(usage: &clap::Error) -> ExitCode {
    if !usage.use_stderr() {
        return if usage.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let asks_for_json = words.iter().any(|word| word == "--format=json")
        || words
            .windows(2)
            .any(|pair| matches!(pair, [flag, value] if flag == "--format" && value == "json"));
    let mut failure = Failure::new(2, "usage", usage.to_string().trim_end(), None);
    failure.rendered = Some(usage.render().ansi().to_string());
    failure.print(if asks_for_json { Format::Json } else { Format::Text });
    ExitCode::from(failure.exit)
}

/// Checks a command line without running it: what the documents show is held against it.
///
/// # Errors
/// When clap would not take it; asking for help or for the version is taken.
pub fn check_arguments<I: IntoIterator<Item = T>, T: Into<std::ffi::OsString> + Clone>(
    arguments: I,
) -> Result<(), clap::Error> {
    let program = std::iter::once(std::ffi::OsString::from("stanch"));
    match Cli::try_parse_from(program.chain(arguments.into_iter().map(Into::into))) {
        Err(error)
            if !matches!(
                error.kind(),
                clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

async fn dispatch(cli: Cli, environment: Environment) -> Result<u8, Failure> {
    if cli.global.format == Format::Markdown
        && matches!(
            cli.command,
            Command::Playbook(_)
                | Command::Approve(_)
                | Command::Runs(super::args::RunsCommand::List)
                | Command::Setup(_)
                | Command::Doctor(_)
                | Command::Serve(_)
                | Command::Completions(_)
                | Command::Man(_)
        )
    {
        return Err(Failure::new(
            2,
            "no_markdown",
            "this command has no Markdown form",
            Some("use `--format text` or `--format json`".to_owned()),
        ));
    }
    if cli.global.format == Format::Html
        && !matches!(cli.command, Command::Runs(super::args::RunsCommand::Report(_)))
    {
        return Err(Failure::new(
            2,
            "no_html",
            "this command has no HTML form",
            Some("`stanch runs report RUN --format html` writes a page; here use `--format text`".to_owned()),
        ));
    }
    // Opened by the command alone: what needs no settings is not kept from working by wrong ones.
    let session = || Session::open(&cli.global, environment);
    match &cli.command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => super::demo::demo(&cli.global, args).await,
        Command::Plan(args) => plan::plan(&session()?, args).await,
        Command::Investigate(args) => investigate::investigate(&session()?, args).await,
        Command::Show(args) => show::show(&session()?, args).await,
        Command::Diff(args) => diff::diff(&session()?, args).await,
        Command::Completions(args) => completions::completions(cli.global.format, args),
        Command::Man(args) => manual::manual(cli.global.format, args),
        Command::Approve(args) => approve::approve(&session()?, args).await,
        Command::Apply(args) => apply::apply(&session()?, args).await,
        Command::Run(args) => run::run(&session()?, args).await,
        Command::Runs(command) => runs::runs(&session()?, command).await,
        Command::Playbook(command) => playbook::playbooks(&session()?, command),
        Command::Setup(args) => setup::setup(&session()?, args),
        Command::Doctor(args) => doctor::doctor(&session()?, args).await,
        #[cfg(feature = "demo")]
        Command::Serve(args) if args.demo => serve_demo::serve_demo(&cli.global, args).await,
        Command::Serve(args) => serve::serve(&session()?, args).await,
    }
}
