//! Why a plan is not applied, or not to its end.

use crate::approval::ApprovalError;
use crate::domain::{DigestError, RunId};
use crate::graph::GraphError;
use crate::plan::GuardRefusal;
use crate::store::{LEASE, StoreError};

/// Nothing was sent, except where a run was broken off.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No valid consent.
    #[error("the plan is not approved")]
    NotApproved(#[source] ApprovalError),
    /// The consent was used before.
    #[error("the approval was used already, by run `{0}`")]
    ConsentUsed(RunId),
    /// The plan is for another tenant than the one that was signed in to.
    #[error("the plan is for tenant `{planned}`, the credentials are of tenant `{actual}`")]
    OtherTenant {
        /// Tenant of the plan.
        planned: String,
        /// Tenant of the credentials.
        actual: String,
    },
    /// The plan is for a person's session, and an app is signed in.
    #[error(
        "the plan was made with `--as-me`: it holds what only a person's session may do, and an app is signed in"
    )]
    OtherSession,
    /// The subject is no longer who was planned for.
    #[error("`{upn}` has changed since the plan: {what}")]
    SubjectChanged {
        /// UPN in the plan.
        upn: String,
        /// What differs.
        what: String,
    },
    /// The guards' settings are not those of the plan.
    #[error("the guards' settings have changed since the plan was made")]
    GuardsChanged,
    /// The responder could make itself anything: whoever takes its credential takes the tenant.
    #[error("the responder holds `{}`, which no step needs", .names.join("`, `"))]
    DangerousPermissions {
        /// Which.
        names: Vec<String>,
    },
    /// A guard refuses the subject now.
    #[error("`{}` is refused by the guard `{}`: {}", .0.object, .0.guard, .0.why)]
    SubjectRefused(GuardRefusal),
    /// A request of the plan is refused by a guard now.
    #[error("the plan holds what the guard `{}` refuses: `{}`: {}", .0.guard, .0.object, .0.why)]
    RequestRefused(GuardRefusal),
    /// Another run for the same subject is under way.
    #[error("run `{0}` for the same user is under way")]
    SubjectBusy(RunId),
    /// As many users as the settings allow had runs within the last hour.
    #[error("{within_an_hour} other users had runs within the last hour, and the settings allow no more")]
    TooManySubjects {
        /// How many.
        within_an_hour: u32,
    },
    /// The plan's digest cannot be computed.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The tenant could not be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The run had begun, and what it does can no longer be written down: it stopped there.
    #[error("run `{run}` was broken off in the middle")]
    JournalLost {
        /// Which run.
        run: RunId,
        /// Why its journal cannot be written.
        #[source]
        source: StoreError,
    },
    /// The store failed before anything was sent.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApplyError {
    /// Exit status (INTERFACE.md).
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotApproved(error) => error.exit_status(),
            Self::ConsentUsed(_) => 4,
            Self::OtherTenant { .. } | Self::OtherSession => 2,
            Self::SubjectChanged { .. } | Self::GuardsChanged => 5,
            Self::SubjectRefused(_)
            | Self::RequestRefused(_)
            | Self::DangerousPermissions { .. }
            | Self::TooManySubjects { .. } => 3,
            Self::Store(error) => error.exit_status(),
            Self::SubjectBusy(_) | Self::JournalLost { .. } | Self::Digest(_) | Self::Graph(_) => 1,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotApproved(error) => error.code(),
            Self::ConsentUsed(_) => "approval_used",
            Self::OtherTenant { .. } => "other_tenant",
            Self::OtherSession => "other_session",
            Self::SubjectChanged { .. } => "subject_changed",
            Self::GuardsChanged => "guards_changed",
            Self::DangerousPermissions { .. } => "dangerous_permissions",
            Self::SubjectRefused(_) => "subject_refused",
            Self::RequestRefused(_) => "request_refused",
            Self::SubjectBusy(_) => "subject_busy",
            Self::JournalLost { .. } => "journal_lost",
            Self::TooManySubjects { .. } => "too_many_subjects",
            Self::Digest(_) => "plan_digest",
            Self::Graph(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotApproved(error) => error.hint(),
            Self::ConsentUsed(run) => Some(format!(
                "an approval is used once: have the plan approved again; `stanch runs show {run}` tells what it was used for"
            )),
            Self::OtherTenant { .. } => {
                Some("set `AZURE_TENANT_ID` and the credentials of the plan's tenant".to_owned())
            }
            Self::OtherSession => {
                Some("nothing was sent; apply it with `--as-me`, or make a new plan without it".to_owned())
            }
            Self::SubjectChanged { .. } | Self::GuardsChanged => {
                Some("nothing was sent; make a new plan and look at it".to_owned())
            }
            Self::DangerousPermissions { .. } => Some(
                "take it from the responder (`stanch doctor` shows how), or accept it with `guards.accepted_permissions` in stanch.toml and plan again"
                    .to_owned(),
            ),
            Self::SubjectRefused(refusal) | Self::RequestRefused(refusal) => Some(refusal.next.clone()),
            Self::SubjectBusy(run) => Some(format!(
                "wait for it; `stanch runs show {run}` tells how far it is; if it was cut off, others may begin {} minutes after its last sign of life",
                LEASE.as_secs() / 60
            )),
            Self::JournalLost { source: StoreError::TakenOver { by, .. }, .. } => Some(format!(
                "nothing more was sent by it; `stanch runs show {by}` tells how far the other one is"
            )),
            Self::JournalLost { run, .. } => Some(format!(
                "do not count the account as contained: `stanch runs show {run}` tells what was sent before that; make room where the store is, then make a new plan: it shows what is left to do"
            )),
            Self::TooManySubjects { .. } => Some(
                "so many at once may be a flood of false alerts: look at `stanch runs list`; if each is meant, raise `guards.max_subjects_per_hour`"
                    .to_owned(),
            ),
            Self::Digest(_) => None,
            Self::Graph(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}
