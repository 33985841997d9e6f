//! Body and answer of an attempt, as the control surface documents them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body: all of it optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttemptRequest {
    /// Where to come from; left out: each listed address and one never seen.
    pub from: Option<Vec<Origin>>,
    /// Properties of the victim's user object to pretend; the attempt then leaves no trace.
    pub assume: Option<Map<String, Value>>,
}

/// Where an attempt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Origin {
    /// Each address that the attacker is listed with.
    Listed,
    /// A public address that nobody has seen and no location holds.
    Unseen,
    /// This one.
    Address(IpAddr),
}

impl TryFrom<String> for Origin {
    type Error = AttemptError;

    fn try_from(text: String) -> Result<Self, AttemptError> {
        match text.as_str() {
            "listed" => Ok(Self::Listed),
            "unseen" => Ok(Self::Unseen),
            address => address.parse().map(Self::Address).map_err(|_| AttemptError::Origin(text)),
        }
    }
}

/// Why an attempt cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// `from` is neither a keyword nor an address.
    #[error("`{0}` is neither `listed`, `unseen` nor an address")]
    Origin(String),
    /// A listed address of the attacker is none.
    #[error("attacker `{attacker}` is listed with `{address}`, which is no address")]
    Listed {
        /// The attacker's name.
        attacker: String,
        /// The text.
        address: String,
    },
    /// `assume` names a property that the victim's user object has not.
    #[error("the user object has no property `{0}` to assume")]
    Assume(String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptOutcome {
    /// Whether any way is open.
    #[serde(rename = "in")]
    pub is_in: bool,
    /// Each way from each place.
    pub paths: Vec<PathOutcome>,
    /// Access tokens that are out already, which nothing takes back; they do not count in `in`.
    pub access_tokens: Vec<AccessToken>,
    /// Rows for the sign-in log; empty where something was assumed.
    #[serde(skip)]
    pub sign_ins: Vec<Value>,
}

/// One way from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathOutcome {
    /// The way: `refresh_token`, `password_with_method`, ...
    pub path: String,
    /// The address.
    pub from: String,
    /// Whether it leads in.
    pub outcome: Door,
    /// What stopped it.
    pub by: Option<String>,
    /// The sign-in's error code; 0 where it went through, null where nothing signs in.
    pub error_code: Option<u32>,
}

/// Whether a way leads in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Door {
    /// It does.
    Open,
    /// It does not.
    Closed,
}

/// An access token that is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// What it is for.
    pub resource: String,
    /// When it ends at the latest.
    pub until: jiff::Timestamp,
}
