//! `stanch run`: plan, preview, confirm, apply, verify.

use super::args::{Format, RunArgs};
use super::failure::Failure;
use super::plan;
use super::session::Session;
use super::{apply, approvers};

/// Runs a playbook for a user.
///
/// # Errors
/// Whatever keeps the plan from being made, or nothing from being sent.
pub async fn run(session: &Session, args: &RunArgs) -> Result<u8, Failure> {
    if !args.dry_run {
        apply::check_unsigned_will_do(session)?;
    }
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    let plan = plan::make(session, &args.playbook, &args.user, &args.case).await?;
    if args.dry_run {
        plan::show(session, &plan, plan.id.as_str())?;
        return Ok(0);
    }
    if args.yes && session.format == Format::Text && !session.quiet {
        // The preview is part of the record on the screen, also where nobody is asked.
        anstream::eprint!("{}", plan::text(session, &plan, None));
    }
    let signers = approvers::signers(session)?;
    let consent = apply::ask(session, &plan, args.yes, None)?;
    let (applied, was_stopped) = apply::carry_out(session, plan.clone(), consent, signers).await?;
    apply::tell(session, &plan, &applied, was_stopped)
}
