//! What makes a case hard.

use std::collections::BTreeSet;

use super::chance::Chance;
use super::kind::Kind;

macro_rules! twists {
    ($($(#[$told:meta])+ $name:ident,)+) => {
        /// A twist; `docs/cases.md` tells each in a sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Twist {
            $($(#[$told])+ $name,)+
        }

        impl Twist {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

twists! {
    /// The intruder comes by a home line in the user's own city.
    IntruderNextDoor,
    /// The intruder's user agent is an ordinary browser's.
    PlainBrowser,
    /// The intruder's phone bears the name and version of the user's.
    SamePhoneName,
    /// The user's device and the intruder are in one session.
    SharedSession,
    /// One of the intruder's addresses is IPv6.
    IntruderIpv6,
    /// Several of the intruder's addresses are in one /24.
    OneBlock,
    /// A colleague signs in from that /24.
    NeighbourInBlock,
    /// The sign-in and audit logs begin after the theft.
    LogBeginsLate,
    /// The record that names the address of a registration is not there yet.
    RegistrationWithoutAddress,
    /// Audit values end in the midst of their JSON.
    CutOffAudit,
    /// The intruder's method is an app that shows codes.
    RogueCodeApp,
    /// The intruder's method is a phone number.
    RoguePhoneNumber,
    /// A compromised administrator gives the victim a role.
    RoleGiven,
    /// The user travels, with the own device.
    Travels,
    /// The user changes the phone.
    NewPhone,
    /// The user goes through a commercial VPN.
    Vpn,
    /// The user changes the provider at home.
    NewProvider,
    /// A colleague's registered script signs in from a data centre.
    ColleagueScript,
    /// So does one of the user's own.
    OwnScript,
    /// Somebody within the company's network tries passwords, and fails.
    OfficeSpray,
    /// The user also works at an unmanaged computer at home.
    PrivateComputer,
    /// The user enrols a new computer.
    NewComputer,
    /// An app of a verified publisher refreshes its tokens from its own servers.
    AppServer,
    /// A rule that Graph cannot show.
    OpaqueRule,
    /// A rule that sends mail on to an outside address.
    PrivateForward,
    /// One sign-in from somebody else's computer in an unknown place.
    BorrowedComputer,
    /// The user's consent to an unverified app that reads mail.
    UnverifiedApp,
    /// Rows twice, the second riper.
    Doubled,
    /// Rows in any order.
    OutOfOrder,
    /// The newest rows lack how the user proved to be the user.
    LateDetails,
    /// Masked addresses.
    Masked,
    /// Values that no version of the contract names.
    UnknownValues,
    /// Terminal escapes, bidirectional marks, markup and formulas in every text that is anybody's to choose.
    HostileText,
    /// Identity Protection's findings are hidden for want of a licence.
    HiddenRisk,
    /// Strangers guess at passwords, as they do everywhere.
    BackgroundGuesses,
}

use Twist::{
    AppServer, BackgroundGuesses, BorrowedComputer, ColleagueScript, CutOffAudit, Doubled, HiddenRisk,
    HostileText, IntruderIpv6, IntruderNextDoor, LateDetails, LogBeginsLate, Masked, NeighbourInBlock,
    NewComputer, NewPhone, NewProvider, OfficeSpray, OneBlock, OpaqueRule, OutOfOrder, OwnScript,
    PlainBrowser, PrivateComputer, PrivateForward, RegistrationWithoutAddress, RogueCodeApp,
    RoguePhoneNumber, RoleGiven, SamePhoneName, SharedSession, Travels, UnknownValues, UnverifiedApp, Vpn,
};

impl Twist {
    /// Its name in `truth.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            IntruderNextDoor => "intruder_next_door",
            PlainBrowser => "plain_browser",
            SamePhoneName => "same_phone_name",
            SharedSession => "shared_session",
            IntruderIpv6 => "intruder_ipv6",
            OneBlock => "one_block",
            NeighbourInBlock => "neighbour_in_block",
            LogBeginsLate => "log_begins_late",
            RegistrationWithoutAddress => "registration_without_address",
            CutOffAudit => "cut_off_audit",
            RogueCodeApp => "rogue_code_app",
            RoguePhoneNumber => "rogue_phone_number",
            RoleGiven => "role_given",
            Travels => "travels",
            NewPhone => "new_phone",
            Vpn => "vpn",
            NewProvider => "new_provider",
            ColleagueScript => "colleague_script",
            OwnScript => "own_script",
            OfficeSpray => "office_spray",
            PrivateComputer => "private_computer",
            NewComputer => "new_computer",
            AppServer => "app_server",
            OpaqueRule => "opaque_rule",
            PrivateForward => "private_forward",
            BorrowedComputer => "borrowed_computer",
            UnverifiedApp => "unverified_app",
            Doubled => "doubled",
            OutOfOrder => "out_of_order",
            LateDetails => "late_details",
            Masked => "masked",
            UnknownValues => "unknown_values",
            HostileText => "hostile_text",
            HiddenRisk => "hidden_risk",
            BackgroundGuesses => "background_guesses",
        }
    }

    /// Whether a kind can have it.
    fn suits(self, kind: Kind) -> bool {
        let by_session = matches!(kind, Kind::Bec | Kind::Aitm | Kind::Mass);
        let registers = by_session || kind == Kind::MfaFatigue;
        match self {
            SharedSession => matches!(kind, Kind::Bec | Kind::Mass),
            IntruderNextDoor => by_session || matches!(kind, Kind::Spray | Kind::MfaFatigue),
            SamePhoneName => registers,
            CutOffAudit | RegistrationWithoutAddress | RogueCodeApp | RoguePhoneNumber => {
                registers || kind == Kind::Spray
            }
            LogBeginsLate => matches!(kind, Kind::Bec | Kind::Aitm),
            PlainBrowser => kind.has_intruder() && kind != Kind::MaliciousConsent,
            IntruderIpv6 | OneBlock | NeighbourInBlock => kind.has_intruder(),
            RoleGiven => kind == Kind::Mass,
            // Without a second factor of the own there is no phone to change.
            NewPhone => kind != Kind::Spray,
            _ => true,
        }
    }

    /// What it cannot stand beside, since the records then would not decide.
    const fn excludes(self) -> &'static [Self] {
        match self {
            // The past that shows these to be honest lies before the log.
            LogBeginsLate => &[
                OwnScript,
                PrivateComputer,
                AppServer,
                NewProvider,
                NewPhone,
                IntruderNextDoor,
                BorrowedComputer,
                CutOffAudit,
                RegistrationWithoutAddress,
            ],
            // The network that the user does not have is the intruder's.
            IntruderNextDoor => &[NewProvider],
            RogueCodeApp => &[RoguePhoneNumber, SamePhoneName],
            RoguePhoneNumber => &[SamePhoneName, CutOffAudit],
            // One of both records has to tell.
            RegistrationWithoutAddress => &[CutOffAudit],
            _ => &[],
        }
    }
}

/// The twists of a case: a few of those that suit, and what they need.
pub(super) fn choose(kind: Kind, chance: &mut Chance) -> BTreeSet<Twist> {
    let mut candidates: Vec<Twist> = Twist::ALL.iter().copied().filter(|twist| twist.suits(kind)).collect();
    chance.shuffle(&mut candidates);
    let count = 5 + chance.below(5);
    let mut chosen = BTreeSet::new();
    let add = |twist: Twist, chosen: &mut BTreeSet<Twist>| {
        let clashes = chosen
            .iter()
            .any(|own: &Twist| own.excludes().contains(&twist) || twist.excludes().contains(own));
        if !clashes {
            chosen.insert(twist);
        }
    };
    for twist in candidates.into_iter().take(count) {
        add(twist, &mut chosen);
    }
    // A stolen cookie is what gives an intruder away who looks like the user in every other way.
    if chosen.contains(&IntruderNextDoor) && SharedSession.suits(kind) {
        add(SharedSession, &mut chosen);
    }
    chosen
}
