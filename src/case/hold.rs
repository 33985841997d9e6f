//! What an intruder may hold: the rows of the order table.

use serde::{Deserialize, Serialize};

/// One way of keeping access to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// A refresh token or session cookie that still works.
    Session,
    /// The account's password.
    Password,
    /// A registered authentication method.
    Method,
    /// A place on the network that sign-ins are accepted from.
    Network,
    /// A device that policies do not ask anything of.
    Device,
}

impl Hold {
    /// What it is, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Session => "a live session",
            Self::Password => "the password",
            Self::Method => "a registered method",
            Self::Network => "a place on the network that sign-ins are accepted from",
            Self::Device => "a device that policies ask nothing of",
        }
    }
}
