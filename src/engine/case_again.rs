//! The case of a plan as the tenant tells it now: what the plan knew for certain counts as given.

use jiff::Timestamp;

use crate::alert::Hints;
use crate::case::{Case, Indicator, IndicatorKind};
use crate::domain::CidrBlock;
use crate::graph::Reader;
use crate::investigate::{Ask, InvestigateError, gather};
use crate::plan::Plan;

/// Reads the logs again, and lets the finders tell whose is what.
///
/// # Errors
/// When Graph does not answer.
pub(super) async fn case_again(
    reader: &Reader,
    plan: &Plan,
    now: Timestamp,
) -> Result<Case, InvestigateError> {
    let subject = &plan.case.subject;
    let certain = || plan.case.indicators.iter().filter(|own| own.is_certain());
    let ask = Ask {
        since: plan.case.since,
        until: None,
        ips: certain()
            .filter(|own| matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range))
            .filter_map(|own| own.value.parse::<CidrBlock>().ok())
            .collect(),
        user_agents: certain()
            .filter(|own| own.kind == IndicatorKind::UserAgent)
            .map(|own| own.value.clone())
            .collect(),
        hints: Hints::default(),
        now,
    };
    let found = gather(reader, subject, &ask).await?;
    let mut indicators = plan.case.indicators.clone();
    let is_new = |own: &Indicator| {
        plan.case.indicators.iter().all(|known| (known.kind, &known.value) != (own.kind, &own.value))
    };
    indicators.extend(found.indicators.into_iter().filter(is_new));
    Ok(Case {
        subject: subject.clone(),
        indicators,
        since: plan.case.since.or(found.since),
        evidence: found.evidence,
    })
}
