//! What a case is about.

use std::fmt;
use std::str::FromStr;

/// What happened to the account that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A stolen session, then fraud by mail.
    Bec,
    /// A session phished through a proxy, replayed from elsewhere.
    Aitm,
    /// Passwords tried on many, one of which fits an account without a second factor.
    Spray,
    /// A known password, and prompts until the user says yes.
    MfaFatigue,
    /// The user consents to the intruder's app.
    MaliciousConsent,
    /// Several users by the same infrastructure.
    Mass,
    /// Nobody broke in: an employee leaves.
    Leaver,
    /// Nobody broke in: a false alarm.
    Benign,
}

/// A word that names no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of case: expected one of {names}", names = Kind::names())]
pub struct UnknownKind(String);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Bec,
        Self::Aitm,
        Self::Spray,
        Self::MfaFatigue,
        Self::MaliciousConsent,
        Self::Mass,
        Self::Leaver,
        Self::Benign,
    ];

    /// Its name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bec => "bec",
            Self::Aitm => "aitm",
            Self::Spray => "spray",
            Self::MfaFatigue => "mfa_fatigue",
            Self::MaliciousConsent => "malicious_consent",
            Self::Mass => "mass",
            Self::Leaver => "leaver",
            Self::Benign => "benign",
        }
    }

    /// The names of all, as a sentence lists them.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Whether somebody broke in.
    #[must_use]
    pub const fn has_intruder(self) -> bool {
        !matches!(self, Self::Leaver | Self::Benign)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
