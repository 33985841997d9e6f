//! The approved plan. Its field is private and there is no other constructor: whoever holds one had consent.

use jiff::Timestamp;

use super::consent::{Consent, ConsumedConsent};
use crate::domain::{DigestError, PlanDigest};
use crate::plan::{Action, Plan, PlannedRequest};

/// Why a plan is not approved.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ApprovalError {
    /// The consent is for another plan.
    #[error("the consent is for plan `{given}`, not for `{wanted}`")]
    OtherPlan {
        /// Digest that consent was given to.
        given: PlanDigest,
        /// Digest of this plan.
        wanted: PlanDigest,
    },
    /// The consent came too early to be used now.
    #[error("the consent of `{by}` expired at {at}")]
    Expired {
        /// Whose.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The plan itself has expired.
    #[error("the plan expired at {at}")]
    PlanExpired {
        /// When.
        at: Timestamp,
    },
    /// The plan is not what its digest says.
    #[error("the plan is not what its digest says: `{stated}` against `{actual}`")]
    Edited {
        /// Digest that the plan states.
        stated: PlanDigest,
        /// Digest of its content.
        actual: PlanDigest,
    },
    /// The plan has no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// A plan with consent: the only source of requests that may be sent.
///
/// It cannot be made from a plan alone:
/// ```compile_fail
/// fn take(plan: stanch::plan::Plan) -> stanch::approval::ApprovedPlan { stanch::approval::ApprovedPlan(plan) }
/// ```
/// nor read from a file; only [`approve`] and [`ApprovedPlan::reopen`] make one:
/// ```
/// use stanch::approval::{ApprovalError, ApprovedPlan, Consent, approve};
/// fn take(plan: stanch::plan::Plan, yes: Consent, now: jiff::Timestamp) -> Result<ApprovedPlan, ApprovalError> { approve(plan, yes, now).map(|(approved, _)| approved) }
/// ```
#[derive(Debug)]
pub struct ApprovedPlan(Plan);

/// One request of an approved plan.
#[derive(Clone, Copy, Debug)]
pub struct ApprovedRequest<'plan>(&'plan PlannedRequest);

impl<'plan> ApprovedRequest<'plan> {
    /// The request as planned.
    pub fn planned(&self) -> &'plan PlannedRequest {
        self.0
    }
}

/// Checks consent and approves the plan. The consent is consumed: keep what comes back with the run.
///
/// # Errors
/// When the consent is for another plan, either has expired, or the plan was changed.
pub fn approve(
    plan: Plan,
    consent: Consent,
    now: Timestamp,
) -> Result<(ApprovedPlan, ConsumedConsent), ApprovalError> {
    let plan = check(plan, &consent)?;
    if now >= plan.expires_at {
        return Err(ApprovalError::PlanExpired { at: plan.expires_at });
    }
    if now >= consent.expires_at {
        return Err(ApprovalError::Expired { by: consent.by, at: consent.expires_at });
    }
    Ok((ApprovedPlan(plan), ConsumedConsent { consent, consumed_at: now }))
}

fn check(plan: Plan, consent: &Consent) -> Result<Plan, ApprovalError> {
    let actual = plan.compute_digest()?;
    if actual != plan.digest {
        return Err(ApprovalError::Edited { stated: plan.digest, actual });
    }
    if consent.digest != plan.digest {
        return Err(ApprovalError::OtherPlan { given: consent.digest, wanted: plan.digest });
    }
    Ok(plan)
}

impl ApprovedPlan {
    /// Takes a run's plan up again by the consent that the run has used. Expiry no longer matters: the run was begun
    /// in time.
    ///
    /// # Errors
    /// When the consent is for another plan, or the plan was changed.
    pub fn reopen(record: &ConsumedConsent, plan: Plan) -> Result<Self, ApprovalError> {
        check(plan, &record.consent).map(Self)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// The requests of one of its actions, in order.
    pub fn requests<'plan>(&'plan self, action: &'plan Action) -> Vec<ApprovedRequest<'plan>> {
        let is_ours = self.0.actions.iter().any(|own| own == action);
        if is_ours { action.requests.iter().map(ApprovedRequest).collect() } else { Vec::new() }
    }
}
