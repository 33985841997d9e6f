//! Every way to say yes is one type; what a run used of it is another, for the record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::statement::{Approval, Nonce};
use crate::domain::{PlanDigest, UserId};

/// A yes to one plan. Nothing in it is believed before [`super::approve`] has judged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Typed at the terminal, with the preview on it.
    Terminal(Yes),
    /// `--yes` on the command line.
    Flag(Yes),
    /// Signed, by one or more.
    Signed(Vec<Approval>),
    /// A webhook's setting, for plans in which every action may run unattended.
    Auto(AutoYes),
}

/// A yes by whoever operates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yes {
    /// To which plan.
    pub digest: PlanDigest,
    /// Whose.
    pub by: String,
    /// When (our clock).
    pub at: Timestamp,
    /// From when on it can no longer be used (our clock).
    pub expires_at: Timestamp,
}

/// A yes by a webhook's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoYes {
    /// To which plan.
    pub digest: PlanDigest,
    /// Name of the webhook.
    pub webhook: String,
    /// Id of the alert.
    pub alert: String,
    /// When (our clock).
    pub at: Timestamp,
    /// From when on it can no longer be used (our clock).
    pub expires_at: Timestamp,
}

/// How the yes was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Typed at the terminal.
    Terminal,
    /// `--yes` on the command line.
    Flag,
    /// Signed.
    Signed,
    /// By a webhook's setting.
    Auto,
}

/// One who said yes, for the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Who: a name, a UPN, or a webhook's name.
    pub by: String,
    /// Who that is in the tenant, where that was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// When.
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Until when it could be used.
    #[schemars(with = "crate::domain::Moment")]
    pub expires_at: Timestamp,
    /// Why, where a reason was given: show it inert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kind and fingerprint of the key that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The alert that a webhook's yes answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// The approval itself, so that it can be checked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// A consent that a run has used: it cannot be used again, only that run may go on by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumedConsent {
    /// How it was said.
    pub kind: ConsentKind,
    /// To which plan.
    pub digest: PlanDigest,
    /// Who said it, one each.
    pub given: Vec<Given>,
    /// When it was used (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub consumed_at: Timestamp,
}

impl ConsumedConsent {
    /// The nonces that are used up by it.
    pub fn nonces(&self) -> impl Iterator<Item = &Nonce> {
        self.given
            .iter()
            .filter_map(|given| given.approval.as_ref())
            .map(|approval| &approval.statement.nonce)
    }
}
