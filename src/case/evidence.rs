//! A case: the subject, the indicators, and what was found when the tenant was looked at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::AuditRecord;
use super::indicator::Indicator;
use super::look::Look;
use super::method::AuthMethod;
use super::sign_in::SignIn;
use super::subject::Subject;

/// A span of time in the logs (UTC, tenant's clock).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From.
    #[schemars(with = "crate::domain::Moment")]
    pub from: Timestamp,
    /// To.
    #[schemars(with = "crate::domain::Moment")]
    pub to: Timestamp,
}

/// Whose a method is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MethodVerdict {
    /// Registered from the intruder's address or in the intruder's session.
    Attacker,
    /// Registered by the user, from where and with what the user is known.
    Owner,
    /// Older than the compromise; who registered it is no longer in the log. Kept, and named as a residual risk.
    UnknownOld,
    /// It may have come since the compromise, and nothing says from whom. Holds back `contained`.
    Unknown,
}

impl MethodVerdict {
    /// The word for people and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::Attacker => "attacker",
            Self::Owner => "owner",
            Self::UnknownOld => "unknown-old",
            Self::Unknown => "unknown",
        }
    }
}

/// A method with whose it is and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgedMethod {
    /// The method.
    pub method: AuthMethod,
    /// Whose it is.
    pub verdict: MethodVerdict,
    /// Why, in plain words, one fact each.
    pub reasons: Vec<String>,
}

/// Any other thing that was found in the tenant, with whose it is and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged<T> {
    /// The thing.
    pub object: T,
    /// Whose it is.
    pub verdict: MethodVerdict,
    /// Why, in plain words, one fact each.
    pub reasons: Vec<String>,
}

/// What the look at the tenant found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The span of the logs that was read.
    pub window: Window,
    /// The subject's sign-ins, interactive and not, each row once, newest first.
    pub sign_ins: Look<Vec<SignIn>>,
    /// Directory audits about the subject, newest first.
    pub audits: Look<Vec<AuditRecord>>,
    /// The subject's methods, each judged.
    pub methods: Look<Vec<JudgedMethod>>,
    /// The sign-ins that are the intruder's, by row id.
    pub intruder_sign_ins: Vec<String>,
}

/// The case: all that a plan rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The compromised user.
    pub subject: Subject,
    /// What ties to the intruder.
    pub indicators: Vec<Indicator>,
    /// Since when the account counts as compromised: given, or the intruder's first sign-in that was found.
    pub since: Option<Timestamp>,
    /// What was found.
    pub evidence: Evidence,
}
