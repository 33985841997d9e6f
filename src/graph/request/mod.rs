//! Every write that stanch sends, one function each: it spells the request and sends nothing.

mod location;
mod method;
mod policy;
mod risk;
mod user;

pub use location::{add_ranges, create_location, delete_location, remove_ranges};
pub use method::{
    change_phone, delete_method, is_whole_number, issue_pass, register_again, set_default_method,
};
pub use policy::{change_policy, create_policy, delete_policy, set_policy_state};
pub use risk::confirm_compromised;
pub use user::{
    disable_sign_in, enable_sign_in, reset_password, reset_password_with_writeback, revoke_sessions,
};

#[cfg(test)]
mod tests;
