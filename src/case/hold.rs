//! What an intruder may hold, and what of the account still lets an intruder use it: the rows of the order table.

use serde::{Deserialize, Serialize};

/// One thing that an intruder keeps access by.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// A refresh token or session cookie that still works; an app's and a device's own tokens too.
    Session,
    /// An access token that is out. It ends by itself, and nothing takes it back.
    AccessToken,
    /// The account's password.
    Password,
    /// A registered authentication method.
    Method,
    /// A Temporary Access Pass.
    Pass,
    /// An app that may act for the user.
    Consent,
    /// A device registered for the user.
    Device,
    /// An inbox rule.
    Rule,
    /// A directory role that the account was given.
    Role,
    /// The account itself, open to sign-ins.
    Account,
    /// Policies that do not block the account.
    Admission,
    /// Security info that any session may change.
    Registration,
    /// A place on the network that sign-ins are accepted from.
    Network,
    /// A device that policies do not ask anything of.
    AnyDevice,
}

impl Hold {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::Session,
        Self::AccessToken,
        Self::Password,
        Self::Method,
        Self::Pass,
        Self::Consent,
        Self::Device,
        Self::Rule,
        Self::Role,
        Self::Account,
        Self::Admission,
        Self::Registration,
        Self::Network,
        Self::AnyDevice,
    ];

    /// What it is, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Session => "a live session",
            Self::AccessToken => "an access token that is out",
            Self::Password => "the password",
            Self::Method => "a registered method",
            Self::Pass => "a Temporary Access Pass",
            Self::Consent => "an app that was consented to",
            Self::Device => "a registered device",
            Self::Rule => "an inbox rule",
            Self::Role => "a directory role",
            Self::Account => "an account that is open to sign-ins",
            Self::Admission => "policies that let the account in",
            Self::Registration => "security info that any session may change",
            Self::Network => "a place on the network that sign-ins are accepted from",
            Self::AnyDevice => "a device that policies ask nothing of",
        }
    }
}
