//! Which sign-ins are the intruder's: those with signs that make it certain, and those that are tied to them, until
//! nothing new comes. Only the subject's own rows are given here. A failed sign-in makes nothing the intruder's: whoever
//! knows the user's name can fail.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::connection::Known;
use super::describe;
use super::guesses::Tried;
use super::hints::Borne;
use super::past::Past;
use super::signals::{self, CERTAIN, Kind, SUSPICIOUS, Scene, Signal};
use super::strand::{Strand, app_homes, by_session, strands};
use crate::case::{AuditActor, AuditRecord, Indicator, SignIn};
use crate::domain::CidrBlock;
use crate::domain::glob::fits;

/// With nothing unusual but this about it, a sign-in is learned from.
const USUAL: u8 = 1;
/// The same while there is little yet to be unusual against.
const USUAL_EARLY: u8 = 2;

/// What is known beside the log.
#[derive(Clone, Debug, Default)]
pub struct Clues<'c> {
    /// Addresses and ranges that a person gave.
    pub ips: &'c [CidrBlock],
    /// Globs over user agents that a person gave.
    pub user_agents: &'c [String],
    /// Rows that an alert names and the log bears out, by their place in the log, each with why.
    pub known: BTreeMap<usize, Borne>,
    /// Audits about the subject.
    pub audits: &'c [AuditRecord],
    /// When and from where mail was sent in the subject's name, where it was read.
    pub mail: &'c [(Timestamp, IpAddr)],
    /// How many other accounts were tried in vain from where the user's password was wrong, where it was read.
    pub tried: &'c [Tried],
}

impl Clues<'_> {
    /// Whether a person said what is the intruder's: then only what is tied to that counts.
    fn are_given(&self) -> bool {
        !(self.ips.is_empty() && self.user_agents.is_empty())
    }
}

/// What the finder found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntruderSignIns {
    /// Ids of the rows that are certainly the intruder's.
    pub rows: Vec<String>,
    /// Addresses, sessions and user agents, each with why; what is not certain is of lower confidence.
    pub indicators: Vec<Indicator>,
    /// What is to be said about the search.
    pub notes: Vec<String>,
    /// The first of the rows.
    pub first: Option<Timestamp>,
}

/// What the finder makes of one strand.
pub(super) struct Finding<'s, 'a> {
    pub strand: &'s Strand<'a>,
    pub signals: Vec<Signal>,
    pub is_certain: bool,
}

impl Finding<'_, '_> {
    /// Whether it may be the intruder's and is not certain.
    pub fn is_suspicious(&self) -> bool {
        !self.is_certain && signals::total(&self.signals) >= SUSPICIOUS
    }
}

/// Finds the intruder's sign-ins.
pub fn find_intruder(rows: &[SignIn], clues: &Clues<'_>) -> IntruderSignIns {
    let strands = strands(rows);
    let sessions = by_session(&strands);
    let mut failures: Vec<&SignIn> = rows.iter().filter(|row| !row.is_no_failure()).collect();
    failures.sort_by_key(|row| row.at);
    let registrations = registrations(clues.audits);
    let homes = app_homes(&strands);
    let scene = Scene {
        rows,
        strands: &strands,
        sessions: &sessions,
        failures: &failures,
        registrations: &registrations,
        mail: clues.mail,
        tried: clues.tried,
        app_homes: &homes,
    };
    let mut notes = Vec::new();
    let given = given(&scene, clues, &mut notes);
    let (past, mut signs) = weigh(&scene, given);
    let certain = connect(&scene, &past, &mut signs, clues.are_given());
    let findings: Vec<Finding<'_, '_>> = strands
        .iter()
        .zip(signs)
        .zip(&certain)
        .map(|((strand, signals), is_certain)| Finding { strand, signals, is_certain: *is_certain })
        .collect();
    let mut found = describe::describe(rows, &findings, &past, clues.user_agents);
    found.notes.splice(0..0, notes);
    found
}

/// When and from where security information was registered, by the records that give the person's own address.
fn registrations(audits: &[AuditRecord]) -> Vec<(Timestamp, IpAddr)> {
    audits
        .iter()
        .filter(|audit| audit.activity.to_lowercase().contains("user registered security info"))
        .filter_map(|audit| match &audit.actor {
            AuditActor::User { ip: Some(ip), .. } => Some((audit.at, ip.trim().parse::<IpAddr>().ok()?)),
            _ => None,
        })
        .map(|(at, address)| (at, address.to_canonical()))
        .collect()
}

/// What a person or an alert says of each strand. The user's own device is not the intruder because an address fits.
fn given(scene: &Scene<'_, '_>, clues: &Clues<'_>, notes: &mut Vec<String>) -> Vec<Vec<Signal>> {
    let mut spared: BTreeMap<String, usize> = BTreeMap::new();
    let given = scene
        .strands
        .iter()
        .map(|strand| {
            let glob = clues.user_agents.iter().find(|glob| fits(glob, strand.agent));
            let block =
                strand.address.and_then(|address| clues.ips.iter().find(|block| block.contains(address)));
            let known = strand.rows.iter().find_map(|row| clues.known.get(row));
            let (reason, weight) = match (glob, block, known) {
                (Some(glob), ..) => (format!("has a user agent like `{glob}`"), CERTAIN),
                (_, Some(block), _) => (format!("came from {block}, which was given"), CERTAIN),
                (_, _, Some(own)) => (own.reason.clone(), if own.is_certain { CERTAIN } else { SUSPICIOUS }),
                _ => return Vec::new(),
            };
            if strand.is_own_device {
                *spared.entry(reason).or_default() += strand.rows.len();
                return Vec::new();
            }
            vec![Signal { kind: Kind::Given, weight, reason }]
        })
        .collect();
    notes.extend(spared.into_iter().map(|(reason, count)| {
        format!(
            "{count} sign-in{} of the user's own compliant device {reason}: not counted as the intruder's",
            if count == 1 { "" } else { "s" }
        )
    }));
    given
}

/// Weighs every strand, oldest first, against what was learned up to then.
fn weigh<'a>(scene: &Scene<'_, 'a>, given: Vec<Vec<Signal>>) -> (Past<'a>, Vec<Vec<Signal>>) {
    let mut past = Past::of_own_devices(scene.rows, scene.strands);
    // From when on a session is not the user's alone.
    let mut tainted: HashMap<&str, Timestamp> = HashMap::new();
    for (index, strand) in scene.strands.iter().enumerate() {
        let Some(session) = strand.session else { continue };
        let hard = signals::total(&signals::hard(index, scene, &past));
        if hard >= SUSPICIOUS || given.get(index).is_some_and(|signals| !signals.is_empty()) {
            tainted
                .entry(session)
                .and_modify(|first| *first = (*first).min(strand.first))
                .or_insert(strand.first);
        }
    }
    let mut signs = given;
    for (index, (strand, own)) in scene.strands.iter().zip(&mut signs).enumerate() {
        if strand.is_own_device {
            continue;
        }
        own.extend(signals::all(index, scene, &past));
        let most = if past.is_learning(strand.first) { USUAL_EARLY } else { USUAL };
        let is_tainted = strand
            .session
            .and_then(|session| tainted.get(session))
            .is_some_and(|first| strand.first >= *first);
        let is_home = strand.address.is_some_and(|address| past.is_own_address(address));
        if signals::total(own) <= most && !strand.is_odd_program() && (!is_tainted || is_home) {
            past.learn(scene.rows, strand);
        }
    }
    past.settle();
    for (index, (strand, own)) in scene.strands.iter().zip(&mut signs).enumerate() {
        if !strand.is_own_device {
            own.extend(signals::leaps(index, scene, &past));
        }
    }
    (past, signs)
}

/// Follows what is certain to what is tied to it, until nothing new comes.
fn connect<'a>(
    scene: &Scene<'_, 'a>,
    past: &Past<'a>,
    signs: &mut [Vec<Signal>],
    needs_tie: bool,
) -> Vec<bool> {
    let mut known = Known::default();
    let mut certain = vec![false; signs.len()];
    let mut bonds: Vec<Vec<Signal>> = vec![Vec::new(); signs.len()];
    loop {
        let mut new = Vec::new();
        for (index, own) in signs.iter().enumerate() {
            if certain.get(index) != Some(&false) {
                continue;
            }
            let tied = known.ties(index, scene, past);
            let is_named = own.iter().any(|signal| signal.kind == Kind::Given);
            let mut all = own.clone();
            all.extend(tied.iter().cloned());
            if signals::is_certain(&all) && (is_named || !needs_tie || !tied.is_empty()) {
                new.push(index);
            }
            if let Some(place) = bonds.get_mut(index) {
                *place = tied;
            }
        }
        for index in &new {
            if let (Some(place), Some(strand)) = (certain.get_mut(*index), scene.strands.get(*index)) {
                *place = true;
                known.add(strand, past);
            }
        }
        if new.is_empty() {
            break;
        }
    }
    for (own, tied) in signs.iter_mut().zip(bonds) {
        if needs_tie && tied.is_empty() && own.iter().all(|signal| signal.kind != Kind::Given) {
            // A person said what is the intruder's: what has nothing to do with it is not asked about.
            own.clear();
        }
        own.extend(tied);
    }
    certain
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::case::IndicatorKind;

    pub fn row(id: &str, ip: &str, agent: &str, session: &str, compliant: bool) -> SignIn {
        SignIn {
            upn: "maren.falk@fabrikam.com".into(),
            ip: ip.into(),
            place: "Lisboa, PT".into(),
            user_agent: agent.into(),
            session_id: Some(session.into()),
            interactive: false,
            client_app: "Browser".into(),
            device_id: compliant.then(|| "d1".into()),
            compliant,
            ..SignIn::bare(id, format!("2026-09-1{}T10:00:00Z", id.len() % 10).parse().unwrap())
        }
    }

    fn with_agent(rows: &[SignIn], glob: &str) -> IntruderSignIns {
        find_intruder(rows, &Clues { user_agents: &[glob.to_owned()], ..Clues::default() })
    }

    pub fn addresses(found: &IntruderSignIns) -> Vec<&str> {
        found
            .indicators
            .iter()
            .filter(|own| own.kind == IndicatorKind::Address && own.is_certain())
            .map(|own| own.value.as_str())
            .collect()
    }

    #[test]
    fn a_session_widens_to_addresses_without_the_agent() {
        let rows = [
            row("a", "194.26.135.71", "axios/1.7", "s1", false),
            row("bb", "2a0b:f4c2:1::1a", "Mozilla/5.0", "s1", false),
            row("ccc", "188.250.61.14", "Mozilla/5.0", "s2", true),
        ];
        let found = with_agent(&rows, "axios*");
        assert_eq!(addresses(&found), ["194.26.135.71", "2a0b:f4c2:1::1a"]);
        assert_eq!(found.rows, ["a", "bb"]);
    }

    #[test]
    fn a_session_of_the_users_own_device_is_not_widened_over() {
        let rows = [
            row("a", "194.26.135.71", "axios/1.7", "s1", false),
            row("bb", "188.250.61.14", "Mozilla/5.0", "s1", true),
        ];
        let found = with_agent(&rows, "axios*");
        assert_eq!(addresses(&found), ["194.26.135.71"]);
        assert_eq!(found.notes.len(), 1);
    }

    #[test]
    fn failures_and_masked_addresses_are_no_addresses_to_block() {
        let mut failed = row("a", "194.26.135.71", "axios/1.7", "s1", false);
        failed.error_code = 50_126;
        let masked = row("bb", "203.0.113.XXX", "axios/1.7", "s2", false);
        let found = with_agent(&[failed, masked], "axios*");
        assert!(addresses(&found).is_empty());
        assert!(found.notes.iter().any(|note| note.contains("203.0.113.XXX")));
    }

    #[test]
    fn a_given_range_finds_its_sign_ins() {
        let rows = [row("a", "89.187.164.77", "x", "s1", false), row("bb", "8.8.8.8", "x", "s2", false)];
        let ips = ["89.187.164.0/24".parse().unwrap()];
        let found = find_intruder(&rows, &Clues { ips: &ips, ..Clues::default() });
        assert_eq!(addresses(&found), ["89.187.164.77"]);
    }

    #[test]
    fn the_users_own_device_is_not_the_intruder_because_a_given_address_fits() {
        let rows = [row("a", "89.187.164.77", "x", "s1", true), row("bb", "89.187.164.82", "y", "s2", false)];
        let ips = ["89.187.164.0/24".parse().unwrap()];
        let found = find_intruder(&rows, &Clues { ips: &ips, ..Clues::default() });
        assert_eq!(found.rows, ["bb"]);
        assert!(found.notes[0].contains("own compliant device"), "{:?}", found.notes);
    }
}

#[cfg(test)]
#[path = "sign_ins/stories.rs"]
mod stories;
