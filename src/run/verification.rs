//! A run looked at again: what of all that it asserted still holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::eviction::{Eviction, SignInsSince};
use super::verdict::Verdict;
use crate::case::{Look, OtherUser};
use crate::domain::{ActionId, PlanDigest, PlanId, RunId};

/// How something stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It is as the run left it.
    Holds,
    /// The run reached it, and it is so no longer.
    Drifted,
    /// It was not reached, and it still is not so.
    NotDone,
    /// It could not be read: nothing is known.
    Unread,
}

/// One thing that was looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which action asserted it; absent for what the run asserted as a whole.
    pub action: Option<ActionId>,
    /// What was looked at.
    pub what: String,
    /// How it stands.
    pub state: CheckState,
    /// Whether the account does not count as contained without it.
    pub required: bool,
    /// What was seen.
    pub seen: String,
    /// What to do next; absent where it holds.
    pub next: Option<String>,
}

/// A later run for the same user: what it changed may be told as drift here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaterRun {
    /// Its id.
    pub run: RunId,
    /// Its playbook.
    pub playbook: String,
    /// When it began.
    #[schemars(with = "crate::domain::Moment")]
    pub started_at: Timestamp,
}

/// A run looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The run.
    pub run: RunId,
    /// Its plan.
    pub plan: PlanId,
    /// Digest of that plan.
    pub digest: PlanDigest,
    /// Whether everything holds, and the account counts as contained by what was read now.
    pub holds: bool,
    /// The verdict by what was read now.
    pub verdict: Verdict,
    /// The verdict that the run ended in.
    pub verdict_of_run: Verdict,
    /// When the run ended; absent where it did not.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub ended_at: Option<Timestamp>,
    /// When it was looked at again (the tenant's time).
    #[schemars(with = "crate::domain::Moment")]
    pub checked_at: Timestamp,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Sign-ins since the last revocation by what ties to the intruder.
    pub sign_ins: Look<SignInsSince>,
    /// Other users with sign-ins since from the intruder's addresses: they are to be looked at, and are no drift of this
    /// run.
    pub others: Look<Vec<OtherUser>>,
    /// Whether the intruder may be called evicted.
    pub eviction: Eviction,
    /// Steps that had nothing to do when the plan was made, and that are not looked at again.
    pub not_looked_at: Vec<String>,
    /// Later runs for the same user, oldest first.
    pub later_runs: Vec<LaterRun>,
    /// How it was watched, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
}

/// Drift that was seen while the run was watched; it may be mended by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchedDrift {
    /// When it was first seen (the tenant's time).
    #[schemars(with = "crate::domain::Moment")]
    pub seen_at: Timestamp,
    /// What drifted.
    pub what: String,
    /// What was seen.
    pub seen: String,
}

/// How a run was watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// From when (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub from: Timestamp,
    /// Until when (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub until: Timestamp,
    /// How often it was looked at.
    pub looks: u32,
    /// How often a look failed.
    pub failed_looks: u32,
    /// Whether somebody ended it before its time.
    pub interrupted: bool,
    /// Why the last look failed; absent where it did not. What is told otherwise is then of the look before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look_failed: Option<String>,
    /// Every drift that was seen, in the order in which it was.
    pub drifts: Vec<WatchedDrift>,
}

impl Verification {
    /// Exit status of `runs verify`: by the last look, or by whoever ended the watch. Where the last look failed, what
    /// is so now is not known.
    pub fn exit_status(&self) -> u8 {
        match &self.watched {
            Some(watched) if watched.interrupted => 130,
            Some(watched) if watched.last_look_failed.is_some() => 6,
            _ if self.holds => 0,
            _ => 6,
        }
    }

    /// What is no longer as the run left it.
    pub fn drifted(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.state == CheckState::Drifted)
    }
}
