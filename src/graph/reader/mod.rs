//! Reading a tenant, one file per resource. Invariant: nothing reachable from a [`Reader`] writes; the one read that
//! Graph spells POST is a method of its own.

mod activities;
mod audits;
mod devices;
mod fetch;
mod field;
mod grants;
mod groups;
mod inbox_rules;
mod lenient;
mod locations;
mod memo;
mod message_traces;
mod methods;
mod operation;
mod pass;
mod policies;
mod risk;
mod role_assignments;
mod roles;
mod sign_in_row;
mod sign_ins;
mod tenant;
mod user;
mod what_if;

#[cfg(test)]
mod tests;

pub use fetch::Reader;
pub use groups::GroupBrief;
pub use message_traces::MessageTrace;
pub use operation::OperationState;
pub use pass::{Pass, PassPolicy};
pub use risk::RiskyUser;
pub use sign_in_row::sign_ins_of_page;
pub use sign_ins::{SignInLog, SignInQuery};
pub use user::{GraphUser, UserBrief};
pub use what_if::{SignInFor, WhatIf, WhatIfAnswer};
