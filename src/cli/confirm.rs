//! `stanch runs confirm`: a person's word that what a run left to them is done.

use super::args::ConfirmArgs;
use super::failure::Failure;
use super::runs;
use super::session::Session;
use crate::engine::{self, ConfirmError, Word};
use crate::report::Extent;

/// Writes down that an action is done, and prints the run as it stands with that.
///
/// # Errors
/// When there is no such run or action, it is not a person's, or it is confirmed already.
pub async fn confirm(session: &Session, args: &ConfirmArgs) -> Result<u8, Failure> {
    let store = session.store()?;
    let run = store.find_run(&args.run).await?;
    let by = session.operator();
    let word = Word { action: &args.action, by: &by, reason: &args.reason };
    let (plan, told) = engine::confirm(store.as_ref(), &run, word, session.clock.now()).await?;
    runs::print(session, &plan, &told, Extent::Short)?;
    Ok(0)
}

impl From<ConfirmError> for Failure {
    fn from(error: ConfirmError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}
