//! Makes cases: a tenant in which something happened, and the truth of it.
//!
//! A seed gives the same case on every machine. Every truth can be told from the records alone by a careful reader;
//! what cannot is listed as `askable`. `docs/cases.md` tells the kinds and the twists. Nothing here knows how anybody
//! looks for an intruder.

mod acts;
mod assemble;
mod audit;
mod chance;
mod client;
mod incident;
mod intruder;
mod kind;
mod layout;
mod log;
mod moment;
mod network;
mod objects;
mod owners;
mod past;
mod person;
mod row;
mod story;
mod truth;
mod twist;
mod write;

pub use kind::{Kind, UnknownKind};
pub use layout::layout;
pub use twist::Twist;
pub use write::{GeneratedCase, generate};
