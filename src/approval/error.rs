//! Why a plan is not approved.

use jiff::Timestamp;

use super::allowed_signers::Unlisted;
use super::consent::ConsentKind;
use super::signature::SignatureError;
use super::signers::{Uncounted, WhyUncounted};
use crate::domain::{DigestError, PlanDigest, inert, shown};

/// Why a plan is not approved.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ApprovalError {
    /// The consent is for another plan.
    #[error("the yes of `{by}` is for the plan `{given}`, and this is `{wanted}`")]
    OtherPlan {
        /// Whose.
        by: String,
        /// Digest that consent was given to.
        given: PlanDigest,
        /// Digest of this plan.
        wanted: PlanDigest,
    },
    /// The consent came too early to be used now.
    #[error("the yes of `{by}` could be used until {}", shown(*.at))]
    Expired {
        /// Whose.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The consent is dated later than now.
    #[error("the approval of `{by}` is dated {}, and here it is {}", shown(*.at), shown(*.now))]
    FromTheFuture {
        /// Whose.
        by: String,
        /// When they say they approved.
        at: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// The plan itself has expired.
    #[error("the plan expired at {}", shown(*.at))]
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
    /// Only a signed approval will do.
    #[error("the settings ask for a signed approval (`approval.required`), and {} is none", said(*.kind))]
    SignatureRequired {
        /// How the yes was said.
        kind: ConsentKind,
    },
    /// An approval was given and nobody may give one.
    #[error("nobody may approve: the settings name no file of approvers (`approval.approvers`)")]
    NobodyMayApprove,
    /// There is no approval.
    #[error("there is no approval")]
    None,
    /// The signature is not valid.
    #[error("the approval of `{by}` is not valid")]
    Signature {
        /// Whose it says it is.
        by: String,
        /// Why.
        #[source]
        fault: SignatureError,
    },
    /// The signer is not listed.
    #[error("`{by}` may not approve with this key")]
    Unlisted {
        /// Whose it says it is.
        by: String,
        /// Why.
        #[source]
        fault: Unlisted,
    },
    /// Somebody who may approve said no.
    #[error("`{by}` rejected this plan on {}: {}", shown(*.at), inert(.reason))]
    Rejected {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// Signatures are there, and none counts.
    #[error("no approval counts: {}", listed(.uncounted))]
    NoneCounts {
        /// Each, with why.
        uncounted: Vec<Uncounted>,
    },
    /// A webhook's setting is not enough for this plan.
    #[error("the webhook `{webhook}` cannot say yes for a person: {}", .why)]
    NeedsPerson {
        /// Which webhook.
        webhook: String,
        /// What asks for a person.
        why: String,
    },
    /// The plan or the statement has no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

fn said(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::Terminal => "a yes at the terminal",
        ConsentKind::Flag => "`--yes`",
        ConsentKind::Signed => "this",
        ConsentKind::Auto => "a webhook's setting",
    }
}

fn listed(uncounted: &[Uncounted]) -> String {
    uncounted.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl ApprovalError {
    /// Exit status (INTERFACE.md): a plan that cannot be used is a wrong input, everything else is no consent.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::PlanExpired { .. } | Self::Edited { .. } => 2,
            _ => 4,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherPlan { .. } => "approval_other_plan",
            Self::Expired { .. } => "approval_expired",
            Self::FromTheFuture { .. } => "approval_from_the_future",
            Self::PlanExpired { .. } => "plan_expired",
            Self::Edited { .. } => "plan_edited",
            Self::SignatureRequired { .. } => "approval_required",
            Self::NobodyMayApprove => "nobody_may_approve",
            Self::None => "approval_missing",
            Self::Signature { .. } => "approval_invalid",
            Self::Unlisted { .. } => "approver_unlisted",
            Self::Rejected { .. } => "plan_rejected",
            Self::NoneCounts { .. } => "approver_not_counted",
            Self::NeedsPerson { .. } => "needs_person",
            Self::Digest(_) => "plan_digest",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::OtherPlan { .. } => "have this very plan approved: `stanch approve` shows it first",
            Self::Expired { .. } => {
                "have it approved again; `approval.approve_within` sets how long a yes holds"
            }
            Self::FromTheFuture { .. } => "set both clocks right, then have it approved again",
            Self::PlanExpired { .. } => "make a new plan: the tenant may look different by now",
            Self::Edited { .. } => "nobody approved this text; make a new plan with `stanch plan`",
            Self::SignatureRequired { .. } | Self::None => {
                "have a second person run `stanch approve PLAN --key KEY --reason TEXT`, then apply with `--approval FILE`"
            }
            Self::NobodyMayApprove => {
                "name an OpenSSH allowed_signers file under `[approval]`: `approvers = \"allowed_signers\"`"
            }
            Self::Signature { fault, .. } => return Some(signature_hint(fault)),
            Self::Unlisted { .. } => {
                "add `UPN namespaces=\"stanch-plan\" KEY` to the approvers' file, or have somebody approve who is in it"
            }
            Self::Rejected { .. } => "talk to them; a changed plan is a new plan, and is approved anew",
            Self::NoneCounts { uncounted } => return Some(uncounted_hint(uncounted)),
            Self::NeedsPerson { .. } => "have a person approve the plan: it waits in `stanch runs list`",
            Self::Digest(_) => return None,
        };
        Some(hint.to_owned())
    }
}

fn signature_hint(fault: &SignatureError) -> String {
    match fault {
        SignatureError::Untouched => "sign again and touch the key; make keys without `-O no-touch-required`",
        SignatureError::Sha1 => "sign with `stanch approve` or a current `ssh-keygen`: they use SHA-512",
        SignatureError::Key(_) | SignatureError::Kind { .. } => {
            "sign with an Ed25519, ECDSA, FIDO or RSA key (2048 bits or more)"
        }
        SignatureError::OtherNamespace { .. } => {
            "sign with `stanch approve`: it signs in the namespace `stanch-plan`"
        }
        SignatureError::Malformed { .. } | SignatureError::Forged => {
            "do not use this file; have the plan approved again with `stanch approve`"
        }
    }
    .to_owned()
}

fn uncounted_hint(uncounted: &[Uncounted]) -> String {
    let is_requester_unknown =
        uncounted.iter().any(|own| matches!(own.why, WhyUncounted::RequesterUnknown { .. }));
    if is_requester_unknown {
        "set `[operator] user = \"you@contoso.com\"` where plans are made, and plan again: only then can requester and \
         approver be told apart"
            .to_owned()
    } else {
        "have a third person approve: a member of this tenant who neither asked for the plan nor is its subject \
         (`approval.four_eyes`)"
            .to_owned()
    }
}
