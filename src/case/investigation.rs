//! What `investigate` finds beside the evidence of a case: each address with its use, whom else it concerns, what was
//! sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evidence::Case;
use super::look::Look;
use super::risk::{RiskDetection, UserRisk};
use crate::domain::{CidrBlock, UserId};

/// An address of the intruder's, and who else uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressUse {
    /// The address.
    pub address: CidrBlock,
    /// How many other users signed in from it.
    pub others: Look<usize>,
    /// How many other users signed in from its neighbours: its /24, or its /48.
    pub neighbours: Look<usize>,
    /// What would be blocked: the address alone, or the range that several of the intruder's addresses lie in where
    /// nobody else's sign-ins do; nothing where it must not be blocked.
    pub block: Option<CidrBlock>,
    /// Why it is the whole range, or why it must not be blocked.
    pub reasons: Vec<String>,
}

/// Another user with sign-ins from the intruder's addresses or in the intruder's sessions: to look at, never planned for
/// unasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherUser {
    /// Object id.
    pub id: UserId,
    /// UPN as logged: show it inert.
    pub upn: String,
    /// Sign-ins that succeeded.
    pub successes: usize,
    /// Sign-ins that failed.
    pub failures: usize,
    /// The first of them (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub first_seen: Timestamp,
    /// The last of them (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub last_seen: Timestamp,
    /// From which of the intruder's addresses.
    pub addresses: Vec<String>,
}

/// A mail that was sent in the user's name from an address of the intruder's, to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentMail {
    /// Id of the trace.
    pub id: String,
    /// When (UTC).
    pub at: Timestamp,
    /// Who it says it is from.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// Whether the recipient is of the tenant's own domains; unread where these are not known.
    pub inside: Look<bool>,
    /// Subject: show it inert.
    pub subject: String,
    /// Address that it was sent from.
    pub from_ip: String,
    /// What became of it, in Exchange's word: delivered, failed, …
    pub status: String,
}

/// All that an investigation reads and finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Investigation {
    /// What a plan would rest on.
    pub case: Case,
    /// Each address of the intruder's.
    pub addresses: Vec<AddressUse>,
    /// Whom else it concerns.
    pub others: Look<Vec<OtherUser>>,
    /// What was sent from the intruder's addresses, oldest first.
    pub mail: Look<Vec<SentMail>>,
    /// For what Identity Protection holds the user; `Read(None)` where it never had a doubt.
    pub user_risk: Look<Option<UserRisk>>,
    /// Its detections within the window, oldest first.
    pub detections: Look<Vec<RiskDetection>>,
    /// What is to be said about the look.
    pub notes: Vec<String>,
}
