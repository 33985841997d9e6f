//! What an intruder can do with what they hold: the ways in, and the moves that bring more.

use super::position::{Position, Terrain};
use crate::case::Hold;

/// Where the intruder comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// From an address that is known.
    Known,
    /// From one that nobody has seen: there is always another.
    New,
}

/// What a fresh sign-in is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// The password and the registered method.
    PasswordAndMethod,
    /// The method alone.
    Method,
    /// The password alone.
    Password,
    /// A Temporary Access Pass.
    Pass,
    /// The token of the registered device.
    Device,
}

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// The live session renews itself.
    Session,
    /// A fresh sign-in with password and method.
    PasswordWithMethod,
    /// A fresh sign-in with the method, or with a pass.
    Passwordless,
    /// A fresh sign-in with the password.
    PasswordAlone,
    /// A new password by self-service reset, and a sign-in with it.
    SelfServiceReset,
    /// One more method is registered.
    RegisterMethod,
    /// The app that was consented to goes on, or gets a new token.
    AppConsent,
    /// The registered device renews its session.
    RegisteredDevice,
    /// The inbox rule sends mail on. Nothing signs in.
    InboxRule,
}

impl Way {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::PasswordWithMethod,
        Self::Passwordless,
        Self::PasswordAlone,
        Self::SelfServiceReset,
        Self::RegisterMethod,
        Self::AppConsent,
        Self::RegisteredDevice,
        Self::InboxRule,
    ];

    /// Whether it is open.
    pub fn is_open(self, position: Position, terrain: Terrain, place: Place) -> bool {
        let has = |hold: Hold| position.has(hold);
        let account = has(Hold::Account);
        let is_admitted = admits(position, terrain, place);
        match self {
            Self::Session => account && has(Hold::Session) && is_admitted,
            Self::PasswordWithMethod => {
                let factor = has(Hold::Method) || has(Hold::Pass);
                account && has(Hold::Password) && factor && is_admitted
            }
            Self::Passwordless => {
                account && is_admitted && (has(Hold::Pass) || has(Hold::Method) && terrain.passwordless)
            }
            Self::PasswordAlone => account && has(Hold::Password) && terrain.password_alone && is_admitted,
            Self::SelfServiceReset => account && has(Hold::Method) && terrain.self_service && is_admitted,
            Self::RegisterMethod => {
                let enters = has(Hold::Session)
                    || position.device_token
                    || has(Hold::Pass)
                    || has(Hold::Password) && (has(Hold::Method) || terrain.no_other_factor)
                    || has(Hold::Method) && terrain.passwordless;
                account && enters && is_admitted && has(Hold::Registration)
            }
            Self::AppConsent => {
                // An app comes along without a device, so a policy that asks for one stops it.
                let goes_on = position.app_token || can_sign_in(position, terrain, place);
                account && has(Hold::Consent) && goes_on && is_admitted && has(Hold::AnyDevice)
            }
            Self::RegisteredDevice => account && has(Hold::Device) && position.device_token && is_admitted,
            Self::InboxRule => has(Hold::Rule),
        }
    }

    /// Whether somebody who goes this way is in the account: a rule works for them, and nobody is in.
    pub fn leads_in(self) -> bool {
        self != Self::InboxRule
    }
}

/// What Conditional Access says. An intruder finds another address, but not always a device that passes.
fn admits(position: Position, terrain: Terrain, place: Place) -> bool {
    position.has(Hold::Admission)
        && (position.has(Hold::AnyDevice) || terrain.device_passes)
        && (place == Place::New || position.has(Hold::Network))
}

fn can_sign_in(position: Position, terrain: Terrain, place: Place) -> bool {
    [Way::Session, Way::PasswordWithMethod, Way::Passwordless, Way::PasswordAlone, Way::RegisteredDevice]
        .into_iter()
        .any(|way| way.is_open(position, terrain, place))
}

/// What an intruder does between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// Signs in anew.
    SignIn,
    /// Sets a new password by self-service.
    ResetPassword,
    /// Registers a method.
    RegisterMethod,
    /// Consents to an app.
    Consent,
    /// Registers a device.
    RegisterDevice,
    /// Makes an inbox rule.
    MakeRule,
}

impl Move {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::SignIn,
        Self::ResetPassword,
        Self::RegisterMethod,
        Self::Consent,
        Self::RegisterDevice,
        Self::MakeRule,
    ];

    /// Whether what it brings lets somebody sign in: the others only leave something behind.
    pub fn leads_back(self) -> bool {
        matches!(self, Self::SignIn | Self::ResetPassword | Self::RegisterMethod)
    }
}

impl Position {
    /// The ways in that are open.
    pub fn ways(self, terrain: Terrain, place: Place) -> Vec<Way> {
        Way::ALL.into_iter().filter(|way| way.is_open(self, terrain, place)).collect()
    }

    /// Whether somebody gets into the account.
    pub fn is_way_in(self, terrain: Terrain) -> bool {
        Way::ALL.into_iter().any(|way| way.leads_in() && way.is_open(self, terrain, Place::New))
    }

    /// Where a move leads. `None` where it cannot be made, or brings nothing new.
    pub fn made(self, own: Move, terrain: Terrain) -> Option<Self> {
        let is_inside = || Way::Session.is_open(self, terrain, Place::New);
        let brings = |hold: Hold| Self { holds: self.holds.with(hold), ..self };
        match own {
            Move::SignIn => (!self.has(Hold::Session) && self.credential(terrain).is_some()).then(|| {
                // Whoever has a registered device signs in on it, and it gets a token too.
                let device_token = self.device_token || self.has(Hold::Device);
                Self { device_token, ..brings(Hold::Session) }
            }),
            Move::ResetPassword => {
                // The reset page asks no policy; the sign-in that follows does.
                let can = self.has(Hold::Account) && self.has(Hold::Method) && terrain.self_service;
                (can && !self.has(Hold::Password)).then(|| {
                    let mut next = brings(Hold::Password);
                    if terrain.session_ends_with_password {
                        next.holds = next.holds.without(Hold::Session);
                        next.device_token = false;
                    }
                    next
                })
            }
            Move::RegisterMethod => (!self.has(Hold::Method)
                && Way::RegisterMethod.is_open(self, terrain, Place::New))
            .then(|| brings(Hold::Method)),
            Move::Consent => {
                let is_there = self.has(Hold::Consent) && self.app_token;
                (!is_there && is_inside() && self.has(Hold::AnyDevice))
                    .then(|| Self { app_token: true, ..brings(Hold::Consent) })
            }
            Move::RegisterDevice => {
                let is_there = self.has(Hold::Device) && self.device_token;
                (!is_there && is_inside()).then(|| Self { device_token: true, ..brings(Hold::Device) })
            }
            Move::MakeRule => {
                let is_app_in = || self.app_token && Way::AppConsent.is_open(self, terrain, Place::New);
                (!self.has(Hold::Rule) && (is_inside() || is_app_in())).then(|| brings(Hold::Rule))
            }
        }
    }

    /// The position of an intruder who has made every move that brings something.
    #[must_use]
    pub fn settled(self, terrain: Terrain) -> Self {
        let mut position = self;
        // Each move brings a hold or a token that was not there, so that this ends.
        while let Some(next) = Move::ALL.into_iter().find_map(|own| position.made(own, terrain)) {
            position = next;
        }
        position
    }

    /// What a fresh sign-in would be made with.
    pub(super) fn credential(self, terrain: Terrain) -> Option<Credential> {
        let is_open = |way: Way| way.is_open(self, terrain, Place::New);
        if is_open(Way::PasswordWithMethod) && self.has(Hold::Method) {
            Some(Credential::PasswordAndMethod)
        } else if is_open(Way::Passwordless) {
            Some(if self.has(Hold::Method) && terrain.passwordless {
                Credential::Method
            } else {
                Credential::Pass
            })
        } else if is_open(Way::PasswordAlone) {
            Some(Credential::Password)
        } else if is_open(Way::RegisteredDevice) {
            Some(Credential::Device)
        } else {
            None
        }
    }
}
