//! Strands: the sign-ins of one client at one address in one session. What is the intruder's is decided strand by
//! strand, as a session may be shared: the user's until it was stolen, and still.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::agent;
use super::known_app::{AppKind, kind_of};
use crate::case::{Position, SecondFactor, SignIn};
use crate::domain::CidrBlock;

/// One strand.
#[derive(Debug)]
pub(super) struct Strand<'a> {
    /// Its rows, by their place in the log; failures are not among them.
    pub rows: Vec<usize>,
    pub session: Option<&'a str>,
    /// Address as logged; empty or masked where there is none.
    pub ip: &'a str,
    pub address: Option<IpAddr>,
    /// The /24 or /48 of the address.
    pub network: Option<CidrBlock>,
    pub agent: &'a str,
    pub client: Client<'a>,
    /// The company knows the device and holds it for compliant, or has it in its own directory.
    pub is_own_device: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    pub position: Option<Position>,
    pub country: &'a str,
    pub place: &'a str,
    pub asn: Option<i64>,
    pub second_factor: SecondFactor,
    pub is_interactive: bool,
    /// Id of the first app in it.
    pub app_id: Option<&'a str>,
    /// The most telling kind among its apps.
    pub app: AppKind,
    pub program: Option<&'static str>,
    pub is_device_code: bool,
}

/// What signs in: a family of clients, on a device that is registered or on none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client<'a> {
    pub family: String,
    pub device: Option<&'a str>,
}

/// The /24 or /48 around an address.
pub(super) fn network_of(address: IpAddr) -> Option<CidrBlock> {
    let prefix = if address.to_canonical().is_ipv4() { 24 } else { 48 };
    CidrBlock::parse_masking(&format!("{}/{prefix}", address.to_canonical())).ok().map(|(block, _)| block)
}

/// Whether a row is of a device of the user's own, as far as the company can tell. Anybody who is signed in can register
/// a device; making it compliant takes the company.
pub(super) fn is_own_device(row: &SignIn) -> bool {
    row.has_compliant_device()
        || (row.device_id.is_some() && row.trust_type.to_lowercase().contains("hybrid"))
}

/// Sorts a log into strands, oldest first.
pub(super) fn strands(rows: &[SignIn]) -> Vec<Strand<'_>> {
    type Key<'a> = (Option<&'a str>, &'a str, &'a str, Option<&'a str>);
    let mut places: HashMap<Key<'_>, usize> = HashMap::new();
    let mut families: HashMap<&str, String> = HashMap::new();
    let mut strands: Vec<Strand<'_>> = Vec::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.is_no_failure()) {
        let key: Key<'_> =
            (row.session_id.as_deref(), row.ip.trim(), row.user_agent.trim(), row.device_id.as_deref());
        let place = *places.entry(key).or_insert_with(|| {
            let family = families.entry(key.2).or_insert_with(|| agent::family(key.2)).clone();
            strands.push(begin(row, key, family));
            strands.len() - 1
        });
        if let Some(strand) = strands.get_mut(place) {
            strand.add(index, row);
        }
    }
    strands.sort_by(|left, right| left.first.cmp(&right.first).then_with(|| left.ip.cmp(right.ip)));
    strands
}

fn begin<'a>(
    row: &'a SignIn,
    (session, ip, agent, device): (Option<&'a str>, &'a str, &'a str, Option<&'a str>),
    family: String,
) -> Strand<'a> {
    let address = ip.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    Strand {
        rows: Vec::new(),
        session,
        ip,
        address,
        network: address.and_then(network_of),
        agent,
        client: Client { family, device },
        is_own_device: false,
        first: row.at,
        last: row.at,
        position: None,
        country: "",
        place: "",
        asn: None,
        second_factor: SecondFactor::Unknown,
        is_interactive: false,
        app_id: None,
        app: AppKind::Other,
        program: agent::program(agent),
        is_device_code: false,
    }
}

impl<'a> Strand<'a> {
    /// Whether a program is at work in an app that people use: that is nobody's habit.
    pub fn is_odd_program(&self) -> bool {
        self.program.is_some() && matches!(self.app, AppKind::Browser | AppKind::Microsoft)
    }

    fn add(&mut self, index: usize, row: &'a SignIn) {
        self.rows.push(index);
        self.first = self.first.min(row.at);
        self.last = self.last.max(row.at);
        self.is_own_device |= is_own_device(row);
        self.is_interactive |= row.interactive;
        self.position = self.position.or(row.position);
        self.asn = self.asn.or(row.asn);
        self.app_id = self.app_id.or(row.app_id.as_deref());
        if self.country.is_empty() {
            self.country = &row.country;
        }
        if self.place.is_empty() {
            self.place = &row.place;
        }
        let weight = |own: SecondFactor| match own {
            SecondFactor::Unknown => 0,
            SecondFactor::NotAsked => 1,
            SecondFactor::ByClaim => 2,
            SecondFactor::Fresh => 3,
        };
        if weight(row.second_factor) > weight(self.second_factor) {
            self.second_factor = row.second_factor;
        }
        let telling = |own: AppKind| match own {
            AppKind::Other => 0,
            AppKind::CommandLine => 1,
            AppKind::Microsoft => 2,
            AppKind::Browser => 3,
        };
        let app = kind_of(row.app_id.as_deref(), row.app_owner.as_deref());
        if telling(app) > telling(self.app) {
            self.app = app;
        }
        self.is_device_code |= ["deviceCodeFlow", "authenticationTransfer"]
            .iter()
            .any(|word| row.transfer_method.eq_ignore_ascii_case(word));
    }

    /// Whether it is somebody else's server that uses a grant in the user's name: such comes from a new place in a
    /// program's words by its nature.
    pub fn is_app_server(&self) -> bool {
        self.app == AppKind::Other
            && !self.is_interactive
            && (self.program.is_some() || self.agent.is_empty())
    }
}

/// The strands of each session, oldest first.
pub(super) fn by_session<'a>(strands: &[Strand<'a>]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut sessions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, strand) in strands.iter().enumerate() {
        if let Some(session) = strand.session {
            sessions.entry(session).or_default().push(index);
        }
    }
    sessions
}

/// In which autonomous systems the servers of each app are.
pub(super) fn app_homes<'a>(strands: &[Strand<'a>]) -> BTreeMap<&'a str, BTreeSet<i64>> {
    let mut homes: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for strand in strands.iter().filter(|strand| strand.is_app_server()) {
        if let (Some(app), Some(asn)) = (strand.app_id, strand.asn) {
            homes.entry(app).or_default().insert(asn);
        }
    }
    homes
}
