//! Whether the intruder may be called evicted, and what of their sign-ins came since. Said only where every condition
//! was read and holds (policy-logs-auth.md 9.4): what is unread is no yes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::proof::ProofFact;

/// How long an access token lives that nothing revokes.
pub const TOKENS_LIVE: SignedDuration = SignedDuration::from_mins(90);

/// Whether the intruder is out, by its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eviction {
    /// Whether every condition was read and holds.
    pub evicted: bool,
    /// The conditions.
    pub conditions: Vec<ProofFact>,
    /// Until when access tokens that were issued before the last revocation may live on: before it nobody is called
    /// evicted. Absent where no revocation shows.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub not_before: Option<Timestamp>,
}

impl Eviction {
    /// Judges the conditions.
    pub fn of(conditions: Vec<ProofFact>, not_before: Option<Timestamp>) -> Self {
        let evicted = !conditions.is_empty() && conditions.iter().all(|own| own.holds == Some(true));
        Self { evicted, conditions, not_before }
    }

    /// The conditions that do not hold, or are not known to.
    pub fn open(&self) -> impl Iterator<Item = &ProofFact> {
        self.conditions.iter().filter(|own| own.holds != Some(true))
    }
}

/// A sign-in of the user's that fits what ties to the intruder, and that went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenSignIn {
    /// When (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Address as logged.
    pub ip: String,
    /// Name of the app: show it inert.
    pub app: String,
    /// User agent: show it inert.
    pub user_agent: String,
    /// By what it is the intruder's.
    pub by: String,
}

/// Sign-ins by the same marks that were refused, by result code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedSignIns {
    /// Result code.
    pub code: i64,
    /// What it means, in words.
    pub meaning: String,
    /// How many.
    pub count: usize,
    /// The last of them (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub last_seen: Timestamp,
}

/// The user's sign-ins since the last revocation that fit what ties to the intruder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInsSince {
    /// Since when they were looked for.
    #[schemars(with = "crate::domain::Moment")]
    pub from: Timestamp,
    /// Until when the log counts as whole: it lags. Nothing is known of what came later.
    #[schemars(with = "crate::domain::Moment")]
    pub covered_until: Timestamp,
    /// How many things they were looked for by.
    pub indicators: usize,
    /// Those that went through, newest first.
    pub successes: Vec<SeenSignIn>,
    /// Those that were refused.
    pub refused: Vec<RefusedSignIns>,
    /// What of the log was not read as asked; where there is something, an absence proves nothing.
    pub gaps: Vec<String>,
}
