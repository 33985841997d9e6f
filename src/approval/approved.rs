//! The approved plan. Its field is private and there is no other constructor: whoever holds one had consent.

use jiff::{SignedDuration, Timestamp};

use super::consent::{AutoYes, Consent, ConsentKind, ConsumedConsent, Given, Yes};
use super::error::ApprovalError;
use super::signature::{SignedBy, verify};
use super::signers::{Signers, Uncounted};
use super::statement::{Approval, Decision};
use crate::plan::{Action, ApprovalMode, Plan, PlannedRequest};

/// Two people's clocks may differ by this much.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A plan with consent: the only source of requests that may be sent.
///
/// It cannot be made from a plan alone:
/// ```compile_fail
/// fn take(plan: stanch::plan::Plan) -> stanch::approval::ApprovedPlan { stanch::approval::ApprovedPlan(plan) }
/// ```
/// nor read from a file; only [`approve`] and [`ApprovedPlan::reopen`] make one:
/// ```
/// use stanch::approval::{ApprovalError, ApprovedPlan, Consent, Signers, approve};
/// fn take(plan: stanch::plan::Plan, yes: &Consent, signers: &Signers, now: jiff::Timestamp) -> Result<ApprovedPlan, ApprovalError> { approve(plan, yes, signers, now).map(|(approved, _)| approved) }
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

/// Judges the consent and approves the plan. The consent is consumed: keep what comes back with the run.
///
/// # Errors
/// When the consent is for another plan, has expired, is not enough or does not count; when somebody who may approve
/// said no; when the plan has expired or was changed.
pub fn approve(
    plan: Plan,
    consent: &Consent,
    signers: &Signers,
    now: Timestamp,
) -> Result<(ApprovedPlan, ConsumedConsent), ApprovalError> {
    check_plan(&plan, now)?;
    heed_rejections(&plan, signers, now)?;
    let (kind, given) = match consent {
        Consent::Terminal(yes) => (ConsentKind::Terminal, vec![weigh_yes(&plan, yes, now)?]),
        Consent::Flag(yes) => (ConsentKind::Flag, vec![weigh_yes(&plan, yes, now)?]),
        Consent::Auto(yes) => (ConsentKind::Auto, vec![weigh_auto(&plan, yes, now)?]),
        Consent::Signed(approvals) => (ConsentKind::Signed, weigh_signed(&plan, approvals, signers, now)?),
    };
    if signers.is_required && kind != ConsentKind::Signed {
        return Err(ApprovalError::SignatureRequired { kind });
    }
    let digest = plan.digest;
    Ok((ApprovedPlan(plan), ConsumedConsent { kind, digest, given, consumed_at: now }))
}

/// Judges all of a consent that can be judged without the tenant, and tells the names that have to be looked up there
/// before [`approve`] can judge the rest.
///
/// # Errors
/// As [`approve`], less those who do not count.
pub fn names_to_resolve(
    plan: &Plan,
    consent: &Consent,
    signers: &Signers,
    now: Timestamp,
) -> Result<Vec<String>, ApprovalError> {
    check_plan(plan, now)?;
    heed_rejections(plan, signers, now)?;
    let Consent::Signed(approvals) = consent else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for approval in approvals {
        check_approval(plan, approval, signers, now)?;
        names.push(approval.statement.approver.to_string());
    }
    if plan.requested_by.webhook.is_none() {
        names.push(plan.requested_by.name.clone());
    }
    Ok(names)
}

/// Judges what one approval says by itself: the plan, the signature, the signer, the decision, the times.
///
/// # Errors
/// Why it counts for nothing.
pub fn check_approval(
    plan: &Plan,
    approval: &Approval,
    signers: &Signers,
    now: Timestamp,
) -> Result<SignedBy, ApprovalError> {
    let statement = &approval.statement;
    let by = || statement.approver.to_string();
    let signed_by = check_signer(plan, approval, signers, now)?;
    if statement.decision == Decision::Reject {
        // A no has no date until which it holds.
        let reason = statement.reason.clone();
        return Err(ApprovalError::Rejected { by: by(), at: statement.approved_at, reason });
    }
    if statement.approved_at > later(now, MOST_SKEW) {
        return Err(ApprovalError::FromTheFuture { by: by(), at: statement.approved_at, now });
    }
    let until = usable_until(approval, signers);
    if now >= until {
        return Err(ApprovalError::Expired { by: by(), at: until });
    }
    Ok(signed_by)
}

/// The approver may be stricter than the settings, never looser.
fn usable_until(approval: &Approval, signers: &Signers) -> Timestamp {
    approval.statement.execute_by.min(later(approval.statement.approved_at, signers.lasts))
}

fn check_signer(
    plan: &Plan,
    approval: &Approval,
    signers: &Signers,
    now: Timestamp,
) -> Result<SignedBy, ApprovalError> {
    let statement = &approval.statement;
    let by = || statement.approver.to_string();
    let listed = signers.listed.as_ref().ok_or(ApprovalError::NobodyMayApprove)?;
    if statement.digest != plan.digest {
        return Err(ApprovalError::OtherPlan { by: by(), given: statement.digest, wanted: plan.digest });
    }
    let signed_by = verify(&approval.signature, &statement.message()?)
        .map_err(|fault| ApprovalError::Signature { by: by(), fault })?;
    listed
        .admit(&signed_by, statement.approver.as_str(), now)
        .map_err(|fault| ApprovalError::Unlisted { by: by(), fault })?;
    Ok(signed_by)
}

/// Refuses a plan that somebody rejected who may approve. A rejection that lies beside the plan counts when it is valid,
/// and is passed over when it is not: anybody can write a file.
///
/// # Errors
/// The rejection.
pub fn heed_rejections(plan: &Plan, signers: &Signers, now: Timestamp) -> Result<(), ApprovalError> {
    for rejection in &signers.rejections {
        if let Err(no @ ApprovalError::Rejected { .. }) = check_approval(plan, rejection, signers, now) {
            return Err(no);
        }
    }
    Ok(())
}

fn check_plan(plan: &Plan, now: Timestamp) -> Result<(), ApprovalError> {
    let actual = plan.compute_digest()?;
    if actual != plan.digest {
        return Err(ApprovalError::Edited { stated: plan.digest, actual });
    }
    if now >= plan.expires_at {
        return Err(ApprovalError::PlanExpired { at: plan.expires_at });
    }
    Ok(())
}

fn weigh_yes(plan: &Plan, yes: &Yes, now: Timestamp) -> Result<Given, ApprovalError> {
    if yes.digest != plan.digest {
        return Err(ApprovalError::OtherPlan { by: yes.by.clone(), given: yes.digest, wanted: plan.digest });
    }
    if now >= yes.expires_at {
        return Err(ApprovalError::Expired { by: yes.by.clone(), at: yes.expires_at });
    }
    Ok(Given {
        by: yes.by.clone(),
        user: None,
        at: yes.at,
        expires_at: yes.expires_at,
        reason: None,
        key: None,
        alert: None,
        approval: None,
    })
}

/// A webhook's setting is a yes to its own plans, and only where no action asks for a person.
fn weigh_auto(plan: &Plan, auto: &AutoYes, now: Timestamp) -> Result<Given, ApprovalError> {
    let needs_person = |why: String| ApprovalError::NeedsPerson { webhook: auto.webhook.clone(), why };
    if plan.requested_by.webhook.as_ref() != Some(&auto.webhook) {
        return Err(needs_person("it did not ask for this plan".to_owned()));
    }
    let asking: Vec<&str> = plan
        .actions
        .iter()
        .filter(|action| action.approval != ApprovalMode::Auto)
        .map(|action| action.id.as_str())
        .collect();
    if !asking.is_empty() {
        return Err(needs_person(format!("`{}` may not run unattended", asking.join("`, `"))));
    }
    let yes = Yes { digest: auto.digest, by: auto.webhook.clone(), at: auto.at, expires_at: auto.expires_at };
    Ok(Given { alert: Some(auto.alert.clone()), ..weigh_yes(plan, &yes, now)? })
}

/// Every approval has to be valid; those that count are kept, and one has to.
fn weigh_signed(
    plan: &Plan,
    approvals: &[Approval],
    signers: &Signers,
    now: Timestamp,
) -> Result<Vec<Given>, ApprovalError> {
    let (mut given, mut uncounted): (Vec<Given>, Vec<Uncounted>) = (Vec::new(), Vec::new());
    for approval in approvals {
        let signed_by = check_approval(plan, approval, signers, now)?;
        let statement = &approval.statement;
        let is_repeated =
            |own: &Given| own.approval.as_ref().is_some_and(|own| own.statement.nonce == statement.nonce);
        if given.iter().any(is_repeated) {
            continue;
        }
        match signers.count(plan, &statement.approver) {
            Ok(user) => given.push(Given {
                by: statement.approver.to_string(),
                user,
                at: statement.approved_at,
                expires_at: usable_until(approval, signers),
                reason: Some(statement.reason.clone()),
                key: Some(signed_by.named()),
                alert: None,
                approval: Some(approval.clone()),
            }),
            Err(why) => uncounted.push(Uncounted { approver: statement.approver.clone(), why }),
        }
    }
    match (given.is_empty(), uncounted.is_empty()) {
        (false, _) => Ok(given),
        (true, true) => Err(ApprovalError::None),
        (true, false) => Err(ApprovalError::NoneCounts { uncounted }),
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl ApprovedPlan {
    /// Takes a run's plan up again by the consent that the run has used. Expiry no longer matters: the run was begun
    /// in time.
    ///
    /// # Errors
    /// When the consent is for another plan, or the plan was changed.
    pub fn reopen(record: &ConsumedConsent, plan: Plan) -> Result<Self, ApprovalError> {
        check_plan(&plan, Timestamp::MIN)?;
        if record.digest != plan.digest {
            let by = record.given.first().map_or_else(String::new, |given| given.by.clone());
            return Err(ApprovalError::OtherPlan { by, given: record.digest, wanted: plan.digest });
        }
        Ok(Self(plan))
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
