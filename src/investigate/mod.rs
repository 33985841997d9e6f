//! Evidence: what the intruder's sign-ins are, and whose each method is. One file per finder; each pure, over what
//! `gather` has read.

mod gather;
mod hints;
mod methods;
mod phone_app;
mod sign_ins;

pub use gather::{Ask, Found, InvestigateError, gather};
pub use hints::{Confirmed, confirm};
pub use methods::{Grounds, judge};
pub use sign_ins::{IntruderSignIns, find_intruder};
