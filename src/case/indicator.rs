//! Indicators: what ties an event to the intruder.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What kind of thing an indicator is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    /// One address.
    Address,
    /// A range of addresses.
    Range,
    /// A user agent, or a glob over user agents.
    UserAgent,
    /// A sign-in session.
    Session,
    /// A device.
    Device,
    /// An authentication method.
    Method,
}

impl IndicatorKind {
    /// The words for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Range => "range",
            Self::UserAgent => "user agent",
            Self::Session => "session",
            Self::Device => "device",
            Self::Method => "method",
        }
    }
}

/// How sure it is that the indicator is the intruder's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It may be: something about it is unusual for the user.
    Low,
    /// Several things about it are, or it shares something with what is certain.
    Medium,
    /// Certain: given by a person, or by what the logs say. Nothing less is acted on without a person.
    High,
}

/// Something tied to the intruder, with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// What it is.
    pub kind: IndicatorKind,
    /// Its text: an address, a range in CIDR notation, a user agent, an id.
    pub value: String,
    /// First seen in the logs (UTC).
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub first_seen: Option<Timestamp>,
    /// Last seen in the logs (UTC).
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub last_seen: Option<Timestamp>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is here, in plain words.
    pub reasons: Vec<String>,
}

impl Indicator {
    /// Whether it is certain: what is not is shown to a person, and never acted on.
    pub fn is_certain(&self) -> bool {
        self.confidence == Confidence::High
    }
}
