//! What Entra refuses to write: named locations and Conditional Access policies.

mod error;
mod named_location;
mod policy;
mod schema;
#[cfg(test)]
mod tests;

pub use error::WriteError;
pub use named_location::{create_location, update_location};
pub use policy::{create_policy, holds_preview_features, strip_preview_features, update_policy};
