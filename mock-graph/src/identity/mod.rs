//! The identity platform: how apps and people come by tokens, and what a token says (policy-logs-auth.md 8).

mod assertion;
mod authorize;
mod bearer;
mod claims;
mod client;
mod device_code;
mod dispatch;
mod form;
mod grants;
mod managed;
mod metadata;
mod person;
mod refusal;
mod scope;
mod sessions;

pub use bearer::caller_of;
pub use device_code::{Completion, complete};
pub use dispatch::{Answered, answer, is_identity_path};
pub use sessions::Sessions;
