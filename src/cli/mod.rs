//! The command line: one file per command. Results go to standard output, progress and logs to standard error.

mod apply;
mod args;
#[cfg(feature = "demo")]
mod demo;
mod dispatch;
mod doctor;
#[cfg(feature = "demo")]
mod embedded;
mod failure;
mod local_findings;
mod logging;
mod output;
mod plan;
mod playbook;
mod run;
mod runs;
mod session;
mod setup;
mod show;
mod stop;
mod terminal;

pub use dispatch::main;
