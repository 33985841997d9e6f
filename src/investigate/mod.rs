//! Evidence: what the intruder's sign-ins are, and whose each method is. One file per finder; each pure, over what
//! `gather` has read.

pub mod consents;
pub mod devices;
mod gather;
mod hints;
pub mod inbox_rules;
mod methods;
mod phone_app;
mod sign_ins;
mod whose;

pub use gather::{Ask, Found, InvestigateError, gather};
pub use hints::{Confirmed, confirm};
pub use methods::{Grounds, judge};
pub use sign_ins::{IntruderSignIns, find_intruder};
