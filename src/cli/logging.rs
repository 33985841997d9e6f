//! Logs, to standard error. They hold no body, no token and no secret at any level: those never reach a log call.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging: warnings by default, more with each `-v`, errors alone with `-q`.
pub fn start(verbose: u8, quiet: bool, colour: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    // Libraries underneath may log what passes through them: only our own words go further than warnings.
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("stanch", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour);
    if tracing_subscriber::registry().with(targets).with(layer).try_init().is_err() {
        anstream::eprintln!("warning: logging was started already");
    }
}
