//! The command line: one file per command. Results go to standard output, progress and logs to standard error.

mod alert;
mod apply;
mod approve;
mod approvers;
mod args;
mod by_hand;
mod completions;
mod confirm;
#[cfg(feature = "demo")]
mod demo;
mod diff;
mod dispatch;
mod doctor;
mod documents;
#[cfg(feature = "demo")]
mod embedded;
mod failure;
mod handover;
mod incident;
mod investigate;
mod local_findings;
mod logging;
mod manual;
mod order_table;
mod output;
mod plan;
mod playbook;
mod progress;
mod run;
mod runs;
mod runs_cases;
mod serve;
#[cfg(feature = "demo")]
mod serve_demo;
mod session;
mod setup;
mod show;
mod signing_key;
mod stop;
mod terminal;
mod verify;

pub use dispatch::{check_arguments, main};
pub use documents::{Document, documents};
pub use failure::EXIT_STATUSES;
