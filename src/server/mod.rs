//! The server: alerts come in by webhook, are written down, and become plans that wait for a person. Invariant: it holds
//! a [`Planner`](crate::engine::Planner), which cannot write to a tenant, and nothing that could.

mod answer;
mod condition;
mod health;
mod hook;
mod limit;
mod listen;
mod receive;
mod router;
mod signature;
mod sources;
mod worker;

pub use condition::{Condition, ConditionError};
pub use hook::{Hook, HookError};
pub use limit::Rate;
pub use listen::{ListenError, Listening, Tls, listen};
pub use router::{Server, router};
pub use signature::{Auth, AuthError, Refusal, VerifiedWebhook};
pub use worker::Worker;
