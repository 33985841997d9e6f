//! What was not read is not empty.

use serde::{Deserialize, Serialize};

/// The outcome of looking for something: what was read, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Look<T> {
    /// It was read.
    Read(T),
    /// It was not read, and nothing may be concluded from that.
    Unread {
        /// Why not, in plain words.
        why: String,
    },
}

impl<T> Look<T> {
    /// What was read, made into something else; what was not stays unread.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Self::Read(value) => Look::Read(make(value)),
            Self::Unread { why } => Look::Unread { why },
        }
    }

    /// The same without giving it away.
    pub fn as_ref(&self) -> Look<&T> {
        match self {
            Self::Read(value) => Look::Read(value),
            Self::Unread { why } => Look::Unread { why: why.clone() },
        }
    }

    /// What was read, if it was.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unread { .. } => None,
        }
    }

    /// Why it was not read, if it was not.
    pub fn unread(&self) -> Option<&str> {
        match self {
            Self::Read(_) => None,
            Self::Unread { why } => Some(why),
        }
    }
}
