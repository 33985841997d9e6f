//! stanch: contains a compromised Microsoft 365 account.
pub mod config;
pub mod playbook;
