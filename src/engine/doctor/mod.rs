//! The doctor: what of a tenant, of its two apps and of the settings is missing for which step. Invariant: it holds
//! connections and uses nothing but their readers, so it writes nothing.

mod access;
mod accounts;
mod examine;
mod finding;
mod licences;
mod people;
mod surroundings;

pub use examine::{App, Doctor};
pub use finding::{Finding, FindingState, grant_line};
