//! What each route runs: pure functions over the tenant and the call.

pub mod evaluate;
pub mod logs;
pub mod named_locations;
pub mod policies;
mod policy_audit;
#[cfg(test)]
mod policy_tests;
