//! Somebody who holds ways into one account, and tries them: what `/_mock/attackers/{name}/attempt` plays.
//!
//! An attempt is a pure function of the tenant: it changes nothing, and gives the sign-in rows that it leaves.

mod attempt;
mod holdings;
mod request;
mod scene;
#[cfg(test)]
mod tests;
mod ways;

pub use attempt::{attempt, record};
pub use holdings::Holdings;
pub use request::{AccessToken, AttemptError, AttemptOutcome, AttemptRequest, Door, Origin, PathOutcome};
