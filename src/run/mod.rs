//! A run: what was done about a plan, as a fold over its journal. Pure: the engine writes the journal, this reads it.

mod confirmation;
mod entry;
mod eviction;
mod proof;
mod state;
mod verdict;
mod verification;

pub use confirmation::{Confirmation, confirm_command, rests_on_a_word};
pub use entry::{Entry, FailureNote, HandedOver, JournalLine, Outcome};
pub use eviction::{Eviction, RefusedSignIns, SeenSignIn, SignInsSince, TOKENS_LIVE};
pub use proof::{OpenItem, Proof, ProofFact};
pub use state::{ActionRecord, ActionState, Progress, Run, RunError, Span, begin, next, unfinished_item};
pub use verdict::{Verdict, verdict_of};
pub use verification::{Check, CheckState, LaterRun, Verification, Watched, WatchedDrift};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
