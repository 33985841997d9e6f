//! Alerts: a sender's body read into a [`Trigger`], one file per sender. Pure, and strict: what two programs could read
//! differently is refused. An alert is a hint about who and since when, never an order.

mod account;
mod address;
mod body;
mod error;
mod form;
mod gather;
mod generic;
mod insightidr;
mod moment;
mod pointer;
mod severity;
mod source;
mod strict;
mod trigger;

pub use account::{Account, Reading};
pub use address::read_addresses;
pub use body::{Body, BodyForm, MOST_BYTES};
pub use error::{AlertError, AlertFault};
pub use moment::read_time;
pub use pointer::{Pointer, PointerError};
pub use severity::Severity;
pub use source::{Mapping, Source};
pub use strict::{MOST_DEPTH, read_json};
pub use trigger::{Hints, NamedUser, Trigger};
