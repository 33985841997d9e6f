//! Conditional Access: whom a policy concerns, what it does to a sign-in, and which policies may be written.

pub mod context;
pub mod device_rule;
pub mod evaluation;
mod membership;
mod target;
pub mod validation;
pub mod verdict;

pub use context::{Country, Identity, SignInContext, Strength, Target};
pub use evaluation::{Evaluation, Reason, evaluate};
pub use verdict::{Need, Outcome, Verdict, decide};
