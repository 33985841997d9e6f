//! What an intruder may have left behind in the tenant, in one form for all kinds: for lists and reports.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evidence::MethodVerdict;

/// What kind of thing it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PersistenceKind {
    /// A rule of the inbox.
    InboxRule,
    /// What the user lets an app do.
    Consent,
    /// A device that was registered or joined.
    Device,
    /// A directory role that was given.
    Role,
    /// A Temporary Access Pass.
    TemporaryAccessPass,
}

impl PersistenceKind {
    /// The words for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::InboxRule => "inbox rule",
            Self::Consent => "consent",
            Self::Device => "device",
            Self::Role => "directory role",
            Self::TemporaryAccessPass => "Temporary Access Pass",
        }
    }
}

/// One thing, with whose it is and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persistence {
    /// What it is.
    pub kind: PersistenceKind,
    /// Its id in Graph.
    pub id: String,
    /// Its name: show it inert.
    pub name: String,
    /// Whose it is.
    pub verdict: MethodVerdict,
    /// What it does, in plain words.
    pub does: String,
    /// When it came (UTC), where that is known.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub at: Option<Timestamp>,
    /// Why, one fact each.
    pub reasons: Vec<String>,
}
