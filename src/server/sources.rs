//! Requests from an address that proved nothing: so many at once, and so many from then on, before the others of them are
//! put off. One that proves itself passes all the same: a whole load balancer has one address. Kept in memory alone. A proxy on this machine hides who it speaks for, so that its address
//! is not counted: who knows the senders' addresses limits them there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// So many at once: a sender whose secret was just changed tries a few times.
const AT_ONCE: i64 = 20;
/// Seconds for one more: whoever guesses gets nowhere by it.
const SECONDS_FOR_ONE: i64 = 3;
/// As many addresses as are kept, some hundred bytes each; beyond them the oldest are forgotten.
const MOST_KNOWN: usize = 10_000;

/// What is left to an address, and since when.
#[derive(Clone, Copy, Debug)]
struct Left {
    count: i64,
    since: Timestamp,
}

impl Left {
    fn now(self, now: Timestamp) -> Self {
        let more = now.duration_since(self.since).as_secs().max(0) / SECONDS_FOR_ONE;
        let since = if more > 0 { now } else { self.since };
        Self { count: self.count.saturating_add(more).min(AT_ONCE), since }
    }
}

/// The addresses that proved nothing.
#[derive(Debug, Default)]
pub(super) struct Sources(Mutex<BTreeMap<IpAddr, Left>>);

impl Sources {
    /// Seconds after which a request from an address is looked at again; `None` where it is now.
    pub fn wait(&self, address: IpAddr, now: Timestamp) -> Option<u32> {
        let key = key_of(address)?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = known.get(&key)?.now(now);
        (left.count <= 0).then(|| {
            let passed = now.duration_since(left.since).as_secs().max(0);
            u32::try_from(SECONDS_FOR_ONE.saturating_sub(passed).max(1)).unwrap_or(1)
        })
    }

    /// Counts a request that proved nothing.
    pub fn count(&self, address: IpAddr, now: Timestamp) {
        let Some(key) = key_of(address) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN && !known.contains_key(&key) {
            make_room(&mut known, now);
        }
        let left = known.entry(key).or_insert(Left { count: AT_ONCE, since: now });
        let filled = left.now(now);
        *left = Left { count: filled.count.saturating_sub(1).max(0), ..filled };
    }
}

/// Forgets those who have everything left again, else the tenth that was seen longest ago: it is not looked for again
/// with each request.
fn make_room(known: &mut BTreeMap<IpAddr, Left>, now: Timestamp) {
    known.retain(|_, left| left.now(now).count < AT_ONCE);
    if known.len() < MOST_KNOWN {
        return;
    }
    let mut by_age: Vec<(Timestamp, IpAddr)> = known.iter().map(|(key, left)| (left.since, *key)).collect();
    by_age.sort_unstable();
    for (_, key) in by_age.into_iter().take(MOST_KNOWN / 10) {
        known.remove(&key);
    }
}

/// What an address is counted by: whoever has one IPv6 address has its whole network of 64 bits.
fn key_of(address: IpAddr) -> Option<IpAddr> {
    let own = address.to_canonical();
    if own.is_loopback() {
        return None;
    }
    Some(match own {
        IpAddr::V6(own) => IpAddr::V6(Ipv6Addr::from_bits(own.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(_) => own,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seconds)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of forty requests are looked at.
    fn looked_at(sources: &Sources, from: &str, now: Timestamp) -> usize {
        let look = |_: &i32| {
            let is_looked_at = sources.wait(address(from), now).is_none();
            if is_looked_at {
                sources.count(address(from), now);
            }
            is_looked_at
        };
        (0..40).filter(look).count()
    }

    #[test]
    fn a_few_are_looked_at_and_then_one_in_a_while() {
        let sources = Sources::default();
        assert_eq!(looked_at(&sources, "203.0.113.9", at(0)), 20);
        assert_eq!(sources.wait(address("203.0.113.9"), at(1)), Some(2));
        assert_eq!(looked_at(&sources, "203.0.113.9", at(3)), 1);
        assert_eq!(looked_at(&sources, "203.0.113.9", at(3_600)), 20);
        assert_eq!(sources.wait(address("198.51.100.7"), at(3)), None, "somebody else");
    }

    #[test]
    fn a_network_of_sixty_four_bits_is_one_sender_and_this_machine_is_none() {
        let sources = Sources::default();
        assert_eq!(looked_at(&sources, "2001:db8:1:2::1", at(0)), 20);
        assert!(sources.wait(address("2001:db8:1:2:ffff::7"), at(0)).is_some());
        assert!(sources.wait(address("2001:db8:1:3::1"), at(0)).is_none());
        assert_eq!(looked_at(&sources, "127.0.0.1", at(0)), 40);
        assert_eq!(looked_at(&sources, "::ffff:127.0.0.1", at(0)), 40);
    }

    #[test]
    fn no_more_addresses_are_kept_than_there_is_room_for() {
        let sources = Sources::default();
        for number in 0..20_000_u32 {
            sources.count(IpAddr::V4((0x0100_0000 + number).into()), at(0));
        }
        assert!(sources.0.lock().unwrap().len() <= MOST_KNOWN);
    }
}
