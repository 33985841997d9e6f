//! What each route runs: pure functions over the tenant and the call.

pub mod applications;
pub mod audit_queries;
pub mod devices;
mod directory_audit;
pub mod evaluate;
pub mod grants;
pub mod group_changes;
pub mod groups;
pub mod hunting;
pub mod inbox_rules;
mod kql;
pub mod logs;
mod lookup;
pub mod mailbox;
pub mod message_traces;
pub mod method_kinds;
pub mod methods;
pub mod named_locations;
pub mod organization;
pub mod password_reset;
pub mod policies;
mod policy_audit;
#[cfg(test)]
mod policy_tests;
pub(crate) mod privilege;
pub mod registration_details;
pub mod registrations;
pub mod risk_detections;
pub mod risky_users;
pub mod roles;
pub mod user_changes;
pub mod users;
