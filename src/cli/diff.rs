//! `stanch diff`: what changed between two plans.

use super::args::{DiffArgs, Format};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::plan;
use super::session::Session;
use crate::plan::{PlanDifference, preview};

/// Exit status of `--exit-code` where the plans differ, as `git diff` has it.
const DIFFERS: u8 = 1;

/// Compares two plans.
///
/// # Errors
/// When one of them is no plan, or was changed.
pub async fn diff(session: &Session, args: &DiffArgs) -> Result<u8, Failure> {
    let before = plan::read(session, &args.before).await?.plan;
    let after = plan::read(session, &args.after).await?.plan;
    let difference = PlanDifference::between(&before, &after)
        .map_err(|error| Failure::of(1, "plan_json", &error, None))?;
    match session.format {
        Format::Json => print_json(&difference)?,
        Format::Markdown => print_text(&preview::difference_markdown(&difference))?,
        Format::Text | Format::Html => {
            print_text(&preview::difference_text(&difference, &plan::style(session, None)))?;
        }
    }
    Ok(if args.exit_code && !difference.same { DIFFERS } else { 0 })
}
