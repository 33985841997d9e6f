//! `stanch setup`: the two app registrations for chosen playbooks, as lines to run. It prints, and does nothing itself:
//! whoever registers an app that may write should see every line first.

mod az;
mod cloud;
mod command;
mod powershell;
mod registration;
mod starter;

pub use command::{SetupDocument, setup};
