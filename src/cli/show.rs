//! `stanch show`: the preview again.

use super::args::ShowArgs;
use super::failure::Failure;
use super::plan;
use super::session::Session;

/// Shows a plan.
///
/// # Errors
/// When the file is no plan, or was changed.
pub fn show(session: &Session, args: &ShowArgs) -> Result<u8, Failure> {
    let read = plan::read(&args.plan)?;
    plan::show(session, &read, Some(&args.plan))?;
    Ok(0)
}
