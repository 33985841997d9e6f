//! stanch: contains a compromised Microsoft 365 account through Microsoft Graph.
//!
//! The way through the house: trigger → [`case`] → evidence ([`investigate`]) → [`plan`] → [`approval`] → [`run`] →
//! proof → [`report`]. One direction, one type per station, each plain data.
//!
//! Floors: a module uses lower floors only, never its own or a higher one (`tests/tidy.rs` holds this).
//!
//! | floor | modules |
//! | --- | --- |
//! | 0 | [`domain`] |
//! | 1 | [`case`], [`playbook`], [`config`] |
//! | 2 | [`alert`], [`plan`], [`policy`] |
//! | 3 | [`approval`], [`guard`], [`order`] |
//! | 4 | [`run`], [`transport`] |
//! | 5 | [`graph`], [`store`], [`seal`], [`report`] |
//! | 6 | [`investigate`] |
//! | 7 | [`steps`] |
//! | 8 | [`engine`] |
//! | 9 | [`server`] |
//! | 10 | [`cli`] |

pub mod alert;
pub mod approval;
pub mod case;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod graph;
pub mod guard;
pub mod investigate;
pub mod order;
pub mod plan;
pub mod playbook;
pub mod policy;
pub mod report;
pub mod run;
pub mod seal;
pub mod server;
pub mod steps;
pub mod store;
pub mod transport;
