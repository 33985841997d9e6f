//! What an intruder holds at one moment, and what a step leaves of it. More is never worse for an intruder: whoever
//! holds less can do nothing that they could not do before.

use crate::case::Hold;

/// A set of holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holds(u32);

impl Holds {
    /// The set of these.
    pub fn of(holds: &[Hold]) -> Self {
        holds.iter().fold(Self::default(), |set, hold| set.with(*hold))
    }

    /// Whether it holds one.
    pub fn contains(self, hold: Hold) -> bool {
        self.0 & bit(hold) != 0
    }

    /// The set with one more.
    #[must_use]
    pub fn with(self, hold: Hold) -> Self {
        Self(self.0 | bit(hold))
    }

    /// The set less one.
    #[must_use]
    pub fn without(self, hold: Hold) -> Self {
        Self(self.0 & !bit(hold))
    }

    /// The set less those of another.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Hold> {
        Hold::ALL.into_iter().filter(move |hold| self.contains(*hold))
    }
}

fn bit(hold: Hold) -> u32 {
    1 << match hold {
        Hold::Session => 0,
        Hold::AccessToken => 1,
        Hold::Password => 2,
        Hold::Method => 3,
        Hold::Pass => 4,
        Hold::Consent => 5,
        Hold::Device => 6,
        Hold::Rule => 7,
        Hold::Role => 8,
        Hold::Account => 9,
        Hold::Admission => 10,
        Hold::Registration => 11,
        Hold::Network => 12,
        Hold::AnyDevice => 13,
    }
}

/// What the account, the tenant and the intruder's things are like, where that decides what opens.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not hang on each other")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terrain {
    /// The intruder's method signs in without the password.
    pub passwordless: bool,
    /// The intruder's method resets the password by self-service.
    pub self_service: bool,
    /// Nothing asks for a second factor.
    pub password_alone: bool,
    /// The account has no second factor but the intruder's: whoever knows the password may register one.
    pub no_other_factor: bool,
    /// The intruder's device satisfies the policies on devices.
    pub device_passes: bool,
    /// The intruder's sessions come from the password, and end when it changes.
    pub session_ends_with_password: bool,
}

impl Terrain {
    /// The worst case, which playbooks are held against.
    pub const WORST: Self = Self {
        passwordless: true,
        self_service: true,
        password_alone: true,
        no_other_factor: true,
        device_passes: true,
        session_ends_with_password: false,
    };
}

/// What an intruder holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// What is held, and what of the account is open.
    pub holds: Holds,
    /// Whether the app that was consented to has a token that still renews.
    pub app_token: bool,
    /// Whether the registered device has one.
    pub device_token: bool,
}

impl Position {
    /// The worst that an account can be found in: everything is held, nothing is shut.
    pub fn worst() -> Self {
        Self { holds: Holds::of(&Hold::ALL), app_token: true, device_token: true }
    }

    /// The position with what a step takes gone, and what it gives back.
    #[must_use]
    pub fn after(self, takes: Holds, gives: Holds, terrain: Terrain) -> Self {
        let mut next = Self { holds: self.holds.less(takes), ..self };
        // A watermark on the time of issue: it ends tokens of every kind.
        let revokes = takes.contains(Hold::Session);
        let ends_with_password = takes.contains(Hold::Password) && terrain.session_ends_with_password;
        next.app_token &= !(revokes || takes.contains(Hold::Consent));
        next.device_token &= !(revokes || takes.contains(Hold::Device) || ends_with_password);
        if ends_with_password {
            next.holds = next.holds.without(Hold::Session);
        }
        next.holds = next.holds.union(gives);
        next
    }

    /// Whether whoever stands there is at least as well off as somebody who stands here.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.holds.union(other.holds) == other.holds
            && self.app_token <= other.app_token
            && self.device_token <= other.device_token
    }

    pub(super) fn has(self, hold: Hold) -> bool {
        self.holds.contains(hold)
    }
}
