//! Why there is no plan.

use crate::domain::{DigestError, IdError, shell_word};
use crate::graph::GraphError;
use crate::guard::GuardError;
use crate::investigate::InvestigateError;
use crate::order::OrderFault;
use crate::plan::GuardRefusal;

/// No plan was made. Nothing is ever written while planning.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No such user.
    #[error("there is no user `{text}`")]
    UnknownUser {
        /// What was asked for.
        text: String,
        /// UPNs that come near.
        near: Vec<String>,
    },
    /// The file that stands in for the tenant has nothing of the user.
    #[error("the file has no sign-in of `{text}`")]
    NotInFile {
        /// Who was asked for.
        text: String,
        /// Some of those whom it has sign-ins of.
        others: Vec<String>,
    },
    /// Several users go by that name, and it is no sign-in name.
    #[error("`{text}` is no sign-in name, and {} users go by it", .candidates.len())]
    AmbiguousUser {
        /// What was asked for.
        text: String,
        /// Sign-in names of those it may mean.
        candidates: Vec<String>,
    },
    /// No user was named.
    #[error("`--user` is empty")]
    NoUser,
    /// The user was deleted.
    #[error("the user `{text}` was deleted")]
    DeletedUser {
        /// What was asked for.
        text: String,
        /// Object id.
        id: String,
    },
    /// What an alert says names no user for certain.
    #[error("the alert names no user that can be looked up{}", if .written.is_empty() { String::new() } else { format!(": `{}`", .written.join("`, `")) })]
    NobodyNamed {
        /// What it says instead.
        written: Vec<String>,
    },
    /// What an alert says names more than one user.
    #[error("`{named}` is more than one user of this tenant: `{}`", .found.join("`, `"))]
    SeveralUsers {
        /// What the alert says.
        named: String,
        /// Whom that is.
        found: Vec<String>,
    },
    /// The alert is about another tenant.
    #[error("the alert is about the tenant `{named}`, and this is `{own}`")]
    OtherTenant {
        /// The tenant that it names.
        named: String,
        /// Ours.
        own: String,
    },
    /// A guard refuses the subject.
    #[error("`{}` is refused by the guard `{}`: {}", .0.object, .0.guard, .0.why)]
    SubjectRefused(GuardRefusal),
    /// A setting cannot be used.
    #[error("`{text}` in `{key}` cannot be used")]
    BadSetting {
        /// Which setting.
        key: &'static str,
        /// Its text.
        text: String,
    },
    /// Our clock and the tenant's differ.
    #[error("this machine's clock is {} s {} the tenant's", .seconds.abs(), if *.seconds > 0 { "ahead of" } else { "behind" })]
    ClockSkew {
        /// By how much; positive where ours is ahead.
        seconds: i64,
    },
    /// The playbook's order leaves a way back in.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// A guard named in an override is unknown or cannot be set aside.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The look at the tenant failed.
    #[error(transparent)]
    Investigate(#[from] InvestigateError),
    /// Graph did not answer, or refused.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The plan has no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// An id that we made is none: a fault of ours.
    #[error("an id of the plan is malformed")]
    Id(#[from] IdError),
    /// A step's task ended without an answer: a fault of ours.
    #[error("planning a step of the playbook `{playbook}` ended without an answer")]
    Lost {
        /// Which playbook.
        playbook: String,
    },
}

impl PlanError {
    /// Exit status (INTERFACE.md).
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::UnknownUser { .. }
            | Self::AmbiguousUser { .. }
            | Self::NoUser
            | Self::NotInFile { .. }
            | Self::DeletedUser { .. }
            | Self::NobodyNamed { .. }
            | Self::SeveralUsers { .. }
            | Self::OtherTenant { .. }
            | Self::BadSetting { .. }
            | Self::Order(_)
            | Self::Guard(_) => 2,
            Self::SubjectRefused(_) => 3,
            Self::ClockSkew { .. }
            | Self::Investigate(_)
            | Self::Graph(_)
            | Self::Digest(_)
            | Self::Id(_)
            | Self::Lost { .. } => 1,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownUser { .. } => "unknown_user",
            Self::AmbiguousUser { .. } => "ambiguous_user",
            Self::NoUser => "no_user",
            Self::NotInFile { .. } => "not_in_file",
            Self::DeletedUser { .. } => "deleted_user",
            Self::NobodyNamed { .. } => "nobody_named",
            Self::SeveralUsers { .. } => "several_users",
            Self::OtherTenant { .. } => "other_tenant",
            Self::SubjectRefused(_) => "subject_refused",
            Self::BadSetting { .. } => "bad_setting",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Order(_) => "playbook_order",
            Self::Guard(_) => "bad_override",
            Self::Investigate(error) => error.code(),
            Self::Graph(error) => error.code(),
            Self::Digest(_) => "plan_digest",
            Self::Id(_) => "plan_id",
            Self::Lost { .. } => "step_lost",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownUser { near, .. } if near.is_empty() => {
                Some("check the spelling, or give the object id".to_owned())
            }
            Self::UnknownUser { near, .. } => Some(format!("did you mean `{}`?", near.join("` or `"))),
            Self::AmbiguousUser { candidates, .. } => {
                let ways: Vec<String> =
                    candidates.iter().map(|upn| format!("`--user {}`", shell_word(upn))).collect();
                Some(format!("say which one is meant: {}", ways.join(" or ")))
            }
            Self::NotInFile { others, .. } if others.is_empty() => {
                Some("export the sign-ins of this user, those without a person too".to_owned())
            }
            Self::NotInFile { others, .. } => {
                Some(format!("it has those of `{}`: check the name", others.join("`, `")))
            }
            Self::NoUser => Some("give the sign-in name or the object id: `--user lynne.robbins@contoso.com`".to_owned()),
            Self::DeletedUser { .. } => Some(
                "a deleted user cannot sign in; to contain it all the same, restore it first (Entra admin centre, Users, Deleted users)"
                    .to_owned(),
            ),
            Self::NobodyNamed { .. } | Self::SeveralUsers { .. } => Some(
                "find out who is meant, then plan for that account: `stanch plan PLAYBOOK --user UPN`"
                    .to_owned(),
            ),
            Self::OtherTenant { .. } => {
                Some("plan with the credentials of the tenant that the alert is about".to_owned())
            }
            Self::SubjectRefused(refusal) => Some(refusal.next.clone()),
            Self::ClockSkew { .. } => Some("set this machine's clock by a time server, then plan again: log windows and expiry hang on it".to_owned()),
            Self::Order(fault) => fault.rule.hint(),
            Self::Guard(error) => error.hint(),
            Self::Investigate(error) => error.hint(),
            Self::Graph(error) => error.hint(),
            Self::BadSetting { .. } => Some("correct it in stanch.toml".to_owned()),
            Self::Digest(_) | Self::Id(_) | Self::Lost { .. } => None,
        }
    }
}
