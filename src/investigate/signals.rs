//! What speaks for a strand being the intruder's: one small pure function for each sign, with its weight and its reason in
//! words. The table:
//!
//! | sign | kind | weight |
//! | --- | --- | --- |
//! | a program's agent in an app of Microsoft's that programs do not use | tool | 4 |
//! | a program's agent in somebody else's app, or in a command line | tool | 1 |
//! | an old way of signing in that asks for a password alone, new for the user | tool | 2 |
//! | second factor by a claim alone, from a client and a network that are not the user's | token | 3 (2 early in the log) |
//! | no second factor asked for, the same | token | 2 |
//! | second factor given afresh, the same | token | 2 (1 early in the log) |
//! | known client, by a claim in a session that began nowhere known | token | 1 |
//! | in the session of the user's own device, without a device, from elsewhere | session | 2 to 4 |
//! | in a session that the user's known client has, by another client from elsewhere | session | 3 |
//! | by device code or transfer, from elsewhere | session | 3 (1 in a command line) |
//! | faster than anybody travels | network | 2 (1 for a known client, or behind tunnels) |
//! | a country that is new | network | 1 |
//! | at hours of the day at which the user never signs in, in a country that is the user's | network | 1 |
//! | a network that rents out servers and tunnels | network | 1 |
//! | Identity Protection: confirmed 6, high 4, medium 2, low 1, or by the event 1 to 4 | risk | |
//! | security information registered from the address | act | 3 |
//! | mail sent in the user's name from the address; of an app's own server only where the app has several homes | act | 3 |
//! | prompts refused before one was accepted | act | 4 |
//! | many wrong passwords before the right one, or wrong ones for many accounts | act | 3 |
//!
//! And once something is certain, for what is connected with it:
//!
//! | sign | kind | weight |
//! | --- | --- | --- |
//! | given by a person, or borne out of an alert | given | 6 |
//! | the same session, from a client and a network that are not the user's | session | 6 (3 where it gave a second factor afresh, 4 for a known client) |
//! | the same client in that session | tool | 2 |
//! | the same address, which is not the user's | address | 6 (3 for a known client) |
//! | the very agent of a program that is the intruder's | tool | 4 |
//! | a server of an app whose other server is the intruder's | tool | 6 |
//! | the same /24 or /48 | network | 2 |
//! | the same autonomous system | network | 1 |
//!
//! Signs of one kind tell the same thing twice: of each kind the strongest counts, or three together where they are
//! weaker. Six and more from two kinds are certain, and a single six; three and more are suspicious.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::agent;
use super::guesses::{self, MANY_ACCOUNTS, MANY_GUESSES, Tried};
use super::known_app::AppKind;
use super::past::{Past, Standing};
use super::strand::Strand;
use super::travel;
use crate::case::{SecondFactor, SignIn};
use crate::domain::shown;

/// From here on it is certain.
pub(super) const CERTAIN: u8 = 6;
/// From here on it is suspicious.
pub(super) const SUSPICIOUS: u8 = 3;
/// What weaker signs of one kind come to at most.
const TOGETHER: u8 = 3;
/// Rows of one strand that are held against where the user was.
const MOST_MOMENTS: usize = 64;
/// Refused prompts this near before an accepted one belong to it.
const PROMPTS_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// In so many autonomous systems an app is not at home: somebody hops.
const SEVERAL_HOMES: usize = 2;
/// So many refused prompts are no slip.
const MANY_PROMPTS: usize = 3;
/// An act this near to a strand is done in it.
const NEAR: SignedDuration = SignedDuration::from_hours(1);
/// The user's own rows this near on both sides: the session is used in two places at once.
const AT_ONCE: SignedDuration = SignedDuration::from_hours(12);

/// Networks that rent out servers, or end tunnels, by autonomous system.
const RENTED: [i64; 30] = [
    8_100, 9_009, 11_878, 13_335, 14_061, 14_576, 14_618, 16_276, 16_509, 20_473, 24_940, 26_548, 28_753,
    29_802, 36_352, 39_351, 40_676, 42_831, 46_664, 49_981, 51_167, 53_667, 55_286, 60_068, 60_781, 62_240,
    63_949, 136_787, 202_425, 212_238,
];

/// What a sign is about. Two of one kind tell the same thing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Tool,
    Token,
    Session,
    Network,
    Risk,
    Act,
    Address,
    Given,
}

/// A sign that a strand shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    pub kind: Kind,
    pub weight: u8,
    /// In words, behind "the sign-in ".
    pub reason: String,
}

#[expect(clippy::unnecessary_wraps, reason = "every sign is there or is not")]
fn signal(kind: Kind, weight: u8, reason: impl Into<String>) -> Option<Signal> {
    Some(Signal { kind, weight, reason: reason.into() })
}

/// What the signs are looked for in.
pub(super) struct Scene<'s, 'a> {
    pub rows: &'a [SignIn],
    pub strands: &'s [Strand<'a>],
    pub sessions: &'s BTreeMap<&'a str, Vec<usize>>,
    /// Sign-ins of the user that failed, oldest first.
    pub failures: &'s [&'a SignIn],
    /// When and from where security information was registered.
    pub registrations: &'s [(Timestamp, IpAddr)],
    /// When and from where mail was sent in the user's name; empty where it was not read.
    pub mail: &'s [(Timestamp, IpAddr)],
    /// How many other accounts were tried in vain from where the user's password was wrong; empty where it was not read.
    pub tried: &'s [Tried],
    /// In which autonomous systems the servers of each app are.
    pub app_homes: &'s BTreeMap<&'a str, BTreeSet<i64>>,
}

impl<'s, 'a> Scene<'s, 'a> {
    /// The other strands of a strand's session.
    pub fn session_mates(&self, own: usize) -> impl Iterator<Item = (usize, &'s Strand<'a>)> + use<'s, 'a> {
        let strands = self.strands;
        let session = strands.get(own).and_then(|strand| strand.session);
        let mates =
            session.and_then(|session| self.sessions.get(session)).map(Vec::as_slice).unwrap_or_default();
        mates
            .iter()
            .filter(move |mate| **mate != own)
            .filter_map(move |mate| Some((*mate, strands.get(*mate)?)))
    }
}

/// What a strand comes to.
pub(super) fn total(signals: &[Signal]) -> u8 {
    let mut kinds: BTreeMap<Kind, (u8, u8)> = BTreeMap::new();
    for signal in signals {
        let (sum, most) = kinds.entry(signal.kind).or_default();
        *sum = sum.saturating_add(signal.weight);
        *most = (*most).max(signal.weight);
    }
    kinds.values().map(|(sum, most)| (*sum).min((*most).max(TOGETHER))).fold(0, u8::saturating_add)
}

/// Whether the signs make it certain.
pub(super) fn is_certain(signals: &[Signal]) -> bool {
    let mut kinds: Vec<Kind> = signals.iter().map(|signal| signal.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    total(signals) >= CERTAIN && (kinds.len() > 1 || signals.iter().any(|signal| signal.weight >= CERTAIN))
}

type Sign = fn(usize, &Strand<'_>, &Scene<'_, '_>, &Past<'_>) -> Option<Signal>;

/// Signs that need nothing of the user's past but the user's own devices.
const HARD: [Sign; 6] = [program, session_of_own_device, prompts, guesses, risk, device_code];
/// Signs against the user's past.
const SOFT: [Sign; 6] = [token, session_of_known_client, country, rented, registration, mail];

/// The signs of a strand that need no past: where they are, nothing is learned from what comes after.
pub(super) fn hard(index: usize, scene: &Scene<'_, '_>, past: &Past<'_>) -> Vec<Signal> {
    signs(&HARD, index, scene, past)
}

/// Whether a strand is where, or when, the user cannot have been: to be asked once everything is learned.
pub(super) fn leaps(index: usize, scene: &Scene<'_, '_>, past: &Past<'_>) -> Vec<Signal> {
    signs(&[leap, hour], index, scene, past)
}

/// All signs of a strand but those of its place in time and of its connections.
pub(super) fn all(index: usize, scene: &Scene<'_, '_>, past: &Past<'_>) -> Vec<Signal> {
    let mut found = signs(&HARD, index, scene, past);
    found.extend(signs(&SOFT, index, scene, past));
    found
}

fn signs(table: &[Sign], index: usize, scene: &Scene<'_, '_>, past: &Past<'_>) -> Vec<Signal> {
    let Some(strand) = scene.strands.get(index) else { return Vec::new() };
    // The user's own device is the user; what is at the user's own address is at home.
    if strand.is_own_device || strand.address.is_some_and(|address| past.is_own_address(address)) {
        return Vec::new();
    }
    table.iter().filter_map(|sign| sign(index, strand, scene, past)).collect()
}

fn program(_: usize, strand: &Strand<'_>, _: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if agent::is_password_alone(strand.agent) && !past.knows_client(&strand.client) {
        return signal(
            Kind::Tool,
            2,
            "is of an old kind that asks for a password alone, and new for the user",
        );
    }
    let name = strand.program?;
    match strand.app {
        AppKind::Browser => {
            signal(Kind::Tool, 4, format!("is a program's ({name}) in an app that runs in browsers alone"))
        }
        // Apps on Android send with it, too.
        AppKind::Microsoft if name == "okhttp" => signal(Kind::Tool, 1, format!("is a program's ({name})")),
        AppKind::Microsoft => {
            signal(Kind::Tool, 4, format!("is a program's ({name}) in an app of Microsoft's that people use"))
        }
        AppKind::CommandLine | AppKind::Other => signal(Kind::Tool, 1, format!("is a program's ({name})")),
    }
}

fn token(index: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if past.standing(strand) != Standing::New || has_roamed(index, strand, scene, past) {
        return None;
    }
    let early = past.is_learning(strand.first);
    if past.knows_client(&strand.client) {
        return match strand.second_factor {
            SecondFactor::ByClaim => {
                signal(Kind::Token, 1, "rests on a claim in the token, in a session that began nowhere known")
            }
            _ => None,
        };
    }
    let by_claim = "satisfied the second factor by a claim in the token alone, from a client and a network that are not the user's";
    if strand.is_app_server() {
        return signal(Kind::Token, 1, "is of an app's own server that is new");
    }
    match (strand.second_factor, early) {
        (SecondFactor::ByClaim, false) => signal(Kind::Token, 3, by_claim),
        (SecondFactor::ByClaim, true) => signal(Kind::Token, 2, by_claim),
        (SecondFactor::NotAsked, _) => signal(
            Kind::Token,
            2,
            "was not asked for a second factor, from a client and a network that are not the user's",
        ),
        (SecondFactor::Fresh, false) => {
            signal(Kind::Token, 2, "is the first from this kind of client and this network")
        }
        (SecondFactor::Unknown, false) => {
            signal(Kind::Token, 2, "is from a client and a network that are not the user's")
        }
        (SecondFactor::Fresh | SecondFactor::Unknown, true) => {
            signal(Kind::Token, 1, "is from a client and a network that the user's devices do not use")
        }
    }
}

/// Whether the same client was in the session before, where the user is known: a phone that left the house. A program in
/// an app that people use did not leave the house: it began at an exit that the user's own device shares.
fn has_roamed(index: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> bool {
    // Apps on Android send with okhttp, too.
    let is_phones = strand.program == Some("okhttp");
    (is_phones || !strand.is_odd_program())
        && scene.session_mates(index).any(|(_, mate)| {
            mate.client == strand.client && mate.first <= strand.first && past.standing(mate) != Standing::New
        })
}

fn session_of_own_device(
    index: usize,
    strand: &Strand<'_>,
    scene: &Scene<'_, '_>,
    past: &Past<'_>,
) -> Option<Signal> {
    if strand.client.device.is_some()
        || strand.second_factor == SecondFactor::Fresh
        || past.standing(strand) == Standing::Own
    {
        return None;
    }
    let own: Vec<&Strand<'_>> = scene
        .session_mates(index)
        .map(|(_, mate)| mate)
        .filter(|mate| mate.is_own_device && mate.network != strand.network)
        .collect();
    if own.is_empty() {
        return None;
    }
    let is_near = |mate: &&&Strand<'_>, before: bool| {
        mate.rows.iter().filter_map(|row| scene.rows.get(*row)).any(|row| {
            let gap = strand.first.duration_since(row.at);
            let gap = if before { gap } else { row.at.duration_since(strand.last) };
            (SignedDuration::ZERO..=AT_ONCE).contains(&gap)
        })
    };
    let is_at_once =
        own.iter().any(|mate| is_near(&mate, true)) && own.iter().any(|mate| is_near(&mate, false));
    let is_other_agent = own.iter().all(|mate| mate.agent != strand.agent);
    let weight = match (is_other_agent, is_at_once) {
        (true, _) => 4,
        (false, true) => 3,
        (false, false) => 2,
    };
    signal(
        Kind::Session,
        weight,
        "is in a session of the user's own device, without that device and from another network",
    )
}

fn session_of_known_client(
    index: usize,
    strand: &Strand<'_>,
    scene: &Scene<'_, '_>,
    past: &Past<'_>,
) -> Option<Signal> {
    if strand.second_factor == SecondFactor::Fresh || past.standing(strand) != Standing::New {
        return None;
    }
    let is_shared = scene.session_mates(index).any(|(_, mate)| {
        past.standing(mate) != Standing::New
            && past.knows_client(&mate.client)
            && mate.client.family != strand.client.family
            && mate.first <= strand.first
    });
    let reason = "is in a session of the user's known client, by another client and from another network";
    if is_shared { signal(Kind::Session, 3, reason) } else { None }
}

fn device_code(_: usize, strand: &Strand<'_>, _: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if !strand.is_device_code || past.standing(strand) != Standing::New {
        return None;
    }
    let weight = if strand.app == AppKind::CommandLine { 1 } else { 3 };
    signal(
        Kind::Session,
        weight,
        "came by a device code or a transfer from another device, on a network that is new",
    )
}

fn leap(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if past.standing(strand) == Standing::Own {
        return None;
    }
    let rows = strand.rows.iter().take(MOST_MOMENTS).filter_map(|row| scene.rows.get(*row));
    let found = rows.filter_map(|row| Some((row.at, row.position?))).find_map(|own| {
        past.around(own.0).into_iter().flatten().find_map(|user| travel::impossible(own, user))
    });
    let (_, far) = found?;
    let is_weak = past.leaps || past.knows_client(&strand.client) || agent::is_mobile(strand.agent);
    signal(
        Kind::Network,
        if is_weak { 1 } else { 2 },
        format!("is {far:.0} km from where the user was, in less time than anybody travels"),
    )
}

fn hour(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    // Programs sleep at no hour, and elsewhere the clocks are different.
    if strand.is_app_server() || past.standing(strand) != Standing::New || !past.knows_country(strand.country)
    {
        return None;
    }
    let mut rows = strand.rows.iter().take(MOST_MOMENTS).filter_map(|row| scene.rows.get(*row));
    if !rows.all(|row| past.is_odd_hour(row.at)) {
        return None;
    }
    signal(Kind::Network, 1, "is at hours of the day at which the user does not sign in")
}

fn country(_: usize, strand: &Strand<'_>, _: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if past.knows_country(strand.country) {
        return None;
    }
    signal(Kind::Network, 1, format!("is from {}, a country that is new for the user", strand.country))
}

fn rented(_: usize, strand: &Strand<'_>, _: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    let asn = strand.asn.filter(|asn| RENTED.contains(asn))?;
    if past.standing(strand) != Standing::New {
        return None;
    }
    signal(Kind::Network, 1, format!("is from a network that rents out servers or ends tunnels (AS{asn})"))
}

fn risk(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, _: &Past<'_>) -> Option<Signal> {
    let mut found: BTreeMap<String, u8> = BTreeMap::new();
    let mut is_excused = false;
    for row in strand.rows.iter().filter_map(|row| scene.rows.get(*row)) {
        let state = row.risk.state.to_lowercase();
        is_excused |= ["confirmedsafe", "dismissed"].contains(&state.as_str());
        let mut told = vec![(level_weight(&row.risk.level), format!("risk {}", row.risk.level))];
        if state == "confirmedcompromised" {
            told.push((6, "confirmed compromised".to_owned()));
        }
        told.extend(row.risk.events.iter().map(|event| (event_weight(event), event.to_string())));
        found.extend(
            told.into_iter().filter(|(weight, _)| *weight > 0).map(|(weight, words)| (words, weight)),
        );
    }
    let weight = found.values().copied().max().filter(|_| !is_excused)?;
    let words: Vec<&str> = found.keys().map(String::as_str).collect();
    signal(Kind::Risk, weight, format!("is risky, says Identity Protection ({})", words.join(", ")))
}

pub(super) fn level_weight(level: &str) -> u8 {
    match level.to_ascii_lowercase().as_str() {
        "high" => 4,
        "medium" => 2,
        "low" => 1,
        _ => 0,
    }
}

fn event_weight(event: &str) -> u8 {
    match event.to_ascii_lowercase().as_str() {
        "attackerinthemiddle" | "investigationsthreatintelligence" | "adminconfirmedusercompromised" => 4,
        "maliciousipaddress"
        | "maliciousipaddressvalidcredentialsblockedip"
        | "anomaloustoken"
        | "passwordspray"
        | "nationstateip" => 3,
        "anonymizedipaddress"
        | "riskyipaddress"
        | "suspiciousbrowser"
        | "tokenissueranomaly"
        | "unlikelytravel"
        | "impossibletravel"
        | "mcasimpossibletravel" => 2,
        "unfamiliarfeatures" | "newcountry" | "mcasnewcountry" | "leakedcredentials" => 1,
        _ => 0,
    }
}

fn registration(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if past.standing(strand) != Standing::New {
        return None;
    }
    let address = strand.address?;
    let (at, _) = scene.registrations.iter().find(|(at, from)| *from == address && is_near(strand, *at))?;
    signal(Kind::Act, 3, format!("is from where security information was registered on {}", shown(*at)))
}

fn mail(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if past.standing(strand) != Standing::New {
        return None;
    }
    let address = strand.address?;
    // Apps that send mail for people do it from where they live: in one place.
    let homes = strand.app_id.and_then(|app| scene.app_homes.get(app)).map_or(0, BTreeSet::len);
    if strand.is_app_server() && homes < SEVERAL_HOMES {
        return None;
    }
    let (at, _) = scene.mail.iter().find(|(at, from)| *from == address && is_near(strand, *at))?;
    signal(Kind::Act, 3, format!("is from where mail was sent in the user's name on {}", shown(*at)))
}

/// Whether a moment is in the time of a strand.
fn is_near(strand: &Strand<'_>, at: Timestamp) -> bool {
    at.duration_since(strand.first) >= -NEAR && strand.last.duration_since(at) >= -NEAR
}

fn prompts(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    if strand.second_factor != SecondFactor::Fresh || past.standing(strand) == Standing::Own {
        return None;
    }
    let refused = failures(strand, scene, PROMPTS_WITHIN, |row| row.error_code == 500_121).count();
    if refused < MANY_PROMPTS {
        return None;
    }
    signal(Kind::Act, 4, format!("was let in by a prompt after {refused} prompts were refused"))
}

fn guesses(_: usize, strand: &Strand<'_>, scene: &Scene<'_, '_>, past: &Past<'_>) -> Option<Signal> {
    // A refreshed token guesses nothing.
    if !guesses::may_be_guessed(strand) || past.standing(strand) == Standing::Own {
        return None;
    }
    let count = failures(strand, scene, guesses::WITHIN, guesses::is_wrong_password).count();
    if count >= MANY_GUESSES {
        return signal(Kind::Act, 3, format!("came after {count} wrong passwords from there"));
    }
    let accounts = scene
        .tried
        .iter()
        .filter(|own| Some(own.network) == strand.network)
        .filter(|own| {
            (SignedDuration::ZERO..=guesses::WITHIN).contains(&strand.first.duration_since(own.before))
        })
        .map(|own| own.accounts)
        .max()?;
    if accounts < MANY_ACCOUNTS {
        return None;
    }
    signal(
        Kind::Act,
        3,
        format!("came after wrong passwords for {accounts} other accounts from there, who never got in"),
    )
}

/// Failures from a strand's network, this near before it.
fn failures<'s>(
    strand: &'s Strand<'_>,
    scene: &'s Scene<'_, '_>,
    within: SignedDuration,
    is_wanted: impl Fn(&SignIn) -> bool + 's,
) -> impl Iterator<Item = &'s SignIn> {
    let from = scene.failures.partition_point(|row| strand.first.duration_since(row.at) > within);
    let near = scene.failures.get(from..).unwrap_or_default().iter().copied();
    near.take_while(|row| row.at < strand.first).filter(move |row| {
        let address: Option<IpAddr> = row.ip.trim().parse().ok();
        let is_there =
            address.is_some_and(|address| strand.network.is_some_and(|network| network.contains(address)));
        is_there && is_wanted(row)
    })
}
