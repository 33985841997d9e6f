//! Order is security: what an intruder may hold, what each step takes, and whether the order of a playbook's steps leaves
//! a way back in. Pure: it knows steps by what they declare, and no tenant.

mod check;
mod intruder;
mod last_revocation;
mod outlook;
mod position;
mod step;
mod story;
mod walk;

pub use check::{OrderFault, check};
pub use intruder::{Credential, Move, Place, Way};
pub use last_revocation::OrderError;
pub use outlook::{
    Cell, End, Failing, Outlook, Row, outlook, way_in_if_all_succeed, way_in_if_required_succeed,
};
pub use position::{Holds, Position, Terrain};
pub use step::{OrderedStep, Part};
pub use story::Story;
pub use walk::TooWide;

#[cfg(test)]
mod tests;
