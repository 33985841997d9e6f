//! `stanch show`: the preview again.

use super::args::ShowArgs;
use super::failure::Failure;
use super::plan;
use super::session::Session;

/// Shows a plan.
///
/// # Errors
/// When there is no such plan, or it was changed.
pub async fn show(session: &Session, args: &ShowArgs) -> Result<u8, Failure> {
    let read = plan::read(session, &args.plan).await?;
    plan::show(session, &read.plan, &read.name)?;
    Ok(0)
}
