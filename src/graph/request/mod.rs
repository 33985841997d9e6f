//! Every write that stanch sends, one function each: it spells the request and sends nothing.

mod app;
mod device;
mod group;
mod location;
mod mailbox;
mod method;
mod policy;
mod risk;
mod role;
mod user;

pub use app::{delete_grant, disable_app, enable_app, give_grant_again};
pub use device::{disable_device, enable_device};
pub use group::{add_member, create_group, remove_member};
pub use location::{add_ranges, create_location, delete_location, remove_ranges};
pub use mailbox::{disable_inbox_rule, enable_inbox_rule};
pub use method::{
    change_phone, delete_method, is_whole_number, issue_pass, register_again, set_default_method,
};
pub use policy::{change_policy, create_policy, delete_policy, set_policy_state};
pub use risk::confirm_compromised;
pub use role::{delete_role, give_role};
pub use user::{
    disable_sign_in, enable_sign_in, reset_password, reset_password_with_writeback, revoke_sessions,
};

#[cfg(test)]
mod tests;
