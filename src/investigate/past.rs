//! The user's own past: addresses, networks, clients, countries and places, from the user's own devices, and from what
//! was nothing unusual when it came. What came with something unusual about it is never learned from, however often it
//! comes again.

use std::collections::HashSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::strand::{Client, Strand};
use super::travel;
use crate::case::{Position, SignIn};
use crate::domain::CidrBlock;

/// So long into the log nothing is new: there is nothing yet to be new against.
const LEARNING: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So many days tell at which hours somebody signs in.
const MANY_DAYS: usize = 10;

/// How well a network is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The user's own device signs in from there.
    Own,
    /// The user signed in from there before.
    Learned,
    /// Neither.
    New,
}

/// What is the user's own.
#[derive(Debug)]
pub(super) struct Past<'a> {
    own_addresses: HashSet<IpAddr>,
    own_networks: HashSet<CidrBlock>,
    networks: HashSet<CidrBlock>,
    clients: HashSet<Client<'a>>,
    countries: HashSet<&'a str>,
    /// At which hours of the day (UTC) the user signs in.
    hours: HashSet<i64>,
    /// On which days (UTC) the user signed in.
    days: HashSet<i64>,
    /// Where the user was when, oldest first.
    moments: Vec<(Timestamp, Position)>,
    is_sorted: bool,
    /// The user's own device leaps over the globe: it uses a tunnel, and where it is tells little.
    pub leaps: bool,
    learning_until: Timestamp,
}

impl<'a> Past<'a> {
    /// What the user's own devices tell, over the whole log.
    pub fn of_own_devices(rows: &'a [SignIn], strands: &[Strand<'a>]) -> Self {
        let begins = rows.iter().map(|row| row.at).min().unwrap_or(Timestamp::MIN);
        let mut past = Self {
            own_addresses: HashSet::new(),
            own_networks: HashSet::new(),
            networks: HashSet::new(),
            clients: HashSet::new(),
            countries: HashSet::new(),
            hours: HashSet::new(),
            days: HashSet::new(),
            moments: Vec::new(),
            is_sorted: false,
            leaps: false,
            learning_until: begins.saturating_add(LEARNING).unwrap_or(begins),
        };
        for strand in strands.iter().filter(|strand| strand.is_own_device) {
            past.own_addresses.extend(strand.address);
            past.own_networks.extend(strand.network);
            past.keep(rows, strand);
        }
        past.sort();
        past.leaps = past
            .moments
            .windows(2)
            .any(|two| matches!(two, [one, other] if travel::impossible(*one, *other).is_some()));
        past
    }

    /// Learns from a strand with nothing unusual about it.
    pub fn learn(&mut self, rows: &[SignIn], strand: &Strand<'a>) {
        self.networks.extend(strand.network);
        self.keep(rows, strand);
    }

    fn keep(&mut self, rows: &[SignIn], strand: &Strand<'a>) {
        self.clients.insert(strand.client.clone());
        if !strand.country.is_empty() {
            self.countries.insert(strand.country);
        }
        for at in strand.rows.iter().filter_map(|row| rows.get(*row)).map(|row| row.at.as_second()) {
            self.hours.insert(at.div_euclid(3_600).rem_euclid(24));
            self.days.insert(at.div_euclid(86_400));
        }
        let Some(position) = strand.position else { return };
        self.moments.extend(strand.rows.iter().filter_map(|row| Some((rows.get(*row)?.at, position))));
        self.is_sorted = false;
    }

    fn sort(&mut self) {
        if !self.is_sorted {
            self.moments.sort_by_key(|(at, _)| *at);
            self.is_sorted = true;
        }
    }

    /// Puts what was learned in order; to be called before [`Self::around`].
    pub fn settle(&mut self) {
        self.sort();
    }

    /// How well the network of a strand is known.
    pub fn standing(&self, strand: &Strand<'_>) -> Standing {
        let is_in = |set: &HashSet<CidrBlock>| strand.network.is_some_and(|network| set.contains(&network));
        if is_in(&self.own_networks) {
            Standing::Own
        } else if is_in(&self.networks) {
            Standing::Learned
        } else {
            Standing::New
        }
    }

    /// Whether the user's own device was at the very address.
    pub fn is_own_address(&self, address: IpAddr) -> bool {
        self.own_addresses.contains(&address)
    }

    /// Whether the client was the user's before.
    pub fn knows_client(&self, client: &Client<'a>) -> bool {
        self.clients.contains(client)
    }

    /// Whether the user was in the country before; also where the log names none.
    pub fn knows_country(&self, country: &str) -> bool {
        country.is_empty() || self.countries.is_empty() || self.countries.contains(country)
    }

    /// Whether a moment is at an hour at which the user, known for many days, does not sign in; nor within the hours
    /// beside it.
    pub fn is_odd_hour(&self, at: Timestamp) -> bool {
        let hour = at.as_second().div_euclid(3_600);
        self.days.len() >= MANY_DAYS
            && (-1..=1).all(|beside| !self.hours.contains(&hour.saturating_add(beside).rem_euclid(24)))
    }

    /// Whether the log is too young at a moment for anything to be new.
    pub fn is_learning(&self, at: Timestamp) -> bool {
        at < self.learning_until
    }

    /// Where the user was last before a moment, and first after it.
    pub fn around(&self, at: Timestamp) -> [Option<(Timestamp, Position)>; 2] {
        let after = self.moments.partition_point(|(when, _)| *when <= at);
        [
            after.checked_sub(1).and_then(|before| self.moments.get(before)).copied(),
            self.moments.get(after).copied(),
        ]
    }
}
