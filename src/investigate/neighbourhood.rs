//! Who else signs in from the intruder's addresses and from next to them. Asked address range by address range: the log
//! of a whole tenant is too long to be read for a few addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::ranges::Crowd;
use super::strand::network_of;
use crate::case::{AddressUse, Look, OtherUser, SignIn};
use crate::domain::{CidrBlock, UserId};
use crate::graph::{GraphError, Reader, SignInQuery, look};

/// From so many ranges on, one question for the whole tenant is cheaper.
const MOST_RANGES: usize = 60;

/// Reads everybody's sign-ins from the networks around some blocks: whoever asks filters what is wanted.
///
/// # Errors
/// When Graph does not answer.
pub async fn read_neighbourhood(
    reader: &Reader,
    blocks: &[CidrBlock],
    from: Timestamp,
) -> Result<Look<Vec<SignIn>>, GraphError> {
    let prefixes: BTreeSet<String> = blocks.iter().map(text_prefix).collect();
    let questions: Vec<Option<String>> = if prefixes.len() > MOST_RANGES || prefixes.contains("") {
        vec![None]
    } else {
        prefixes.into_iter().map(Some).collect()
    };
    let mut rows = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for ip in questions {
        let query = SignInQuery { user: None, ip, from, to: None };
        match look(reader.sign_ins(&query).await)? {
            Look::Read(log) if !log.has_non_interactive || log.from > from => {
                let why = log.notes.first().cloned().unwrap_or_else(|| "the log was read in part".to_owned());
                return Ok(Look::Unread { why });
            }
            Look::Read(log) => {
                rows.extend(log.rows.into_iter().filter(|row| known.insert(row.id.clone())));
            }
            Look::Unread { why } => return Ok(Look::Unread { why }),
        }
    }
    Ok(Look::Read(rows))
}

/// What the texts of all addresses of a block begin with; it may take in more than the block.
pub(super) fn text_prefix(block: &CidrBlock) -> String {
    match block.network() {
        IpAddr::V4(address) => {
            let octets = address.octets();
            let whole = usize::from(block.prefix() / 8).min(3);
            octets.iter().take(whole).map(|octet| format!("{octet}.")).collect()
        }
        // Two groups are spelt in one way alone: further back a run of noughts may be left out.
        IpAddr::V6(address) => match address.segments() {
            [first, second, ..] if block.prefix() >= 32 && second != 0 => format!("{first:x}:{second:x}:"),
            [first, ..] if block.prefix() >= 16 => format!("{first:x}:"),
            _ => String::new(),
        },
    }
}

/// How many other users' sign-ins succeeded from a block, or may have: of an address that the log masks the range alone is
/// known.
pub fn count_others<'a>(
    block: &CidrBlock,
    rows: impl IntoIterator<Item = &'a SignIn>,
    subject: &UserId,
) -> usize {
    let users: BTreeSet<&UserId> = rows
        .into_iter()
        .filter(|row| row.is_no_failure())
        .filter(|row| CidrBlock::of_log(&row.ip).is_some_and(|own| own.overlaps(block)))
        .filter_map(|row| row.user_id.as_ref())
        .filter(|user| *user != subject)
        .collect();
    users.len()
}

/// Judges each of the intruder's addresses: who else uses it, and what of it may be blocked. `is_users` tells whether the
/// user signs in from a range, too.
pub fn judge_addresses(
    addresses: &[IpAddr],
    rows: &Look<Vec<SignIn>>,
    subject: &UserId,
    crowds: &[Crowd],
    is_users: &dyn Fn(&CidrBlock) -> bool,
    refusal: &dyn Fn(&CidrBlock, &Look<usize>) -> Option<String>,
) -> Vec<AddressUse> {
    let count = |block: &CidrBlock| rows.as_ref().map(|rows| count_others(block, rows, subject));
    let mut found: Vec<AddressUse> = addresses
        .iter()
        .map(|address| {
            let single = CidrBlock::single(*address);
            let network = network_of(*address).unwrap_or(single);
            let (others, neighbours) = (count(&single), count(&network));
            let crowd = crowds.iter().find(|own| own.range == network).filter(|_| {
                neighbours == Look::Read(0) && !is_users(&network) && refusal(&network, &neighbours).is_none()
            });
            let mut reasons = Vec::new();
            let block = if let Some(crowd) = crowd {
                reasons.push(crowd.reason());
                Some(network)
            } else if let Some(why) = refusal(&single, &others) {
                reasons.push(why);
                None
            } else {
                Some(single)
            };
            AddressUse { address: single, others, neighbours, block, reasons }
        })
        .collect();
    found.sort_by_key(|own| own.address);
    found
}

/// The other users with sign-ins from the intruder's addresses or in the intruder's sessions: whose succeeded first, and the most of them first.
pub fn judge_others(
    addresses: &[IpAddr],
    sessions: &BTreeSet<&str>,
    rows: &[SignIn],
    subject: &UserId,
) -> Vec<OtherUser> {
    let wanted: BTreeSet<IpAddr> = addresses.iter().copied().collect();
    let mut users: BTreeMap<&UserId, OtherUser> = BTreeMap::new();
    for row in rows {
        let Some(user) = row.user_id.as_ref().filter(|user| *user != subject) else { continue };
        let Ok(address) = row.ip.trim().parse::<IpAddr>() else { continue };
        let is_in_session = row.session_id.as_deref().is_some_and(|session| sessions.contains(session));
        if !is_in_session && !wanted.contains(&address.to_canonical()) {
            continue;
        }
        let own = users.entry(user).or_insert_with(|| OtherUser {
            id: user.clone(),
            upn: row.upn.to_string(),
            successes: 0,
            failures: 0,
            first_seen: row.at,
            last_seen: row.at,
            addresses: Vec::new(),
        });
        if row.is_no_failure() {
            own.successes += 1;
        } else {
            own.failures += 1;
        }
        own.first_seen = own.first_seen.min(row.at);
        own.last_seen = own.last_seen.max(row.at);
        let text = address.to_canonical().to_string();
        if !own.addresses.contains(&text) {
            own.addresses.push(text);
        }
    }
    let mut found: Vec<OtherUser> = users.into_values().collect();
    found.sort_by(|left, right| {
        right
            .successes
            .cmp(&left.successes)
            .then_with(|| right.failures.cmp(&left.failures))
            .then_with(|| left.upn.cmp(&right.upn))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> CidrBlock {
        text.parse().unwrap()
    }

    fn user(number: u8) -> UserId {
        format!("00000000-0000-4000-8000-0000000000{number:02}").parse().unwrap()
    }

    fn row(id: &str, number: u8, ip: &str, error_code: i64) -> SignIn {
        SignIn {
            user_id: Some(user(number)),
            upn: format!("user{number}@contoso.com").into(),
            ip: ip.into(),
            error_code,
            ..SignIn::bare(id, "2026-03-01T00:00:00Z".parse().unwrap())
        }
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_prefix_takes_in_every_spelling_of_its_block() {
        for (text, wanted) in [
            ("89.187.164.77", "89.187.164."),
            ("89.187.164.0/24", "89.187.164."),
            ("89.187.164.128/25", "89.187.164."),
            ("89.187.0.0/16", "89.187."),
            ("89.186.0.0/15", "89."),
            ("2a0b:f4c2:1::1a", "2a0b:f4c2:"),
            ("2a0b:f4c2:1::/48", "2a0b:f4c2:"),
            ("2a0b::1", "2a0b:"),
            ("::1", "0:"),
        ] {
            assert_eq!(text_prefix(&block(text)), wanted, "{text}");
        }
    }

    #[test]
    fn a_range_is_proposed_where_the_evidence_carries_it_and_single_addresses_elsewhere() {
        let addresses =
            ips(&["45.83.1.1", "45.83.1.2", "45.83.1.3", "45.83.2.1", "45.83.2.2", "45.83.2.3", "45.83.3.1"]);
        let rows = Look::Read(vec![
            row("a", 2, "45.83.2.200", 0),
            row("b", 3, "45.83.1.9", 50_126),
            row("c", 1, "45.83.1.1", 0),
        ]);
        let none = |_: &CidrBlock, _: &Look<usize>| None;
        let nobody = |_: &CidrBlock| false;
        let crowds = ["45.83.1.0/24", "45.83.2.0/24"].map(|text| Crowd { range: block(text), count: 3 });
        let found = judge_addresses(&addresses, &rows, &user(1), &crowds, &nobody, &none);
        let blocks: Vec<String> =
            found.iter().filter_map(|own| own.block).map(|own| own.to_string()).collect();
        assert_eq!(
            blocks,
            [
                "45.83.1.0/24",
                "45.83.1.0/24",
                "45.83.1.0/24",
                "45.83.2.1/32",
                "45.83.2.2/32",
                "45.83.2.3/32",
                "45.83.3.1/32"
            ]
        );
        let unread = Look::Unread { why: "no licence".to_owned() };
        let found = judge_addresses(&addresses, &unread, &user(1), &crowds, &nobody, &none);
        assert!(found.iter().all(|own| own.block.is_some_and(|block| block.is_single())));
        let found = judge_addresses(&addresses, &rows, &user(1), &crowds, &|_| true, &none);
        assert!(found.iter().all(|own| own.block.is_some_and(|block| block.is_single())));
        let refused = |_: &CidrBlock, _: &Look<usize>| Some("it is the company's".to_owned());
        let found = judge_addresses(&addresses, &rows, &user(1), &crowds, &nobody, &refused);
        assert!(found.iter().all(|own| own.block.is_none() && own.reasons == ["it is the company's"]));
    }

    #[test]
    fn somebody_else_at_a_masked_address_may_be_at_any_of_its_range() {
        let rows = [row("a", 2, "45.83.1.XXX", 0), row("b", 3, "45.83.1.XXX", 50_126), row("c", 4, "PII", 0)];
        for (text, wanted) in [
            ("45.83.1.0/24", 1),
            ("45.83.0.0/16", 1),
            ("45.83.1.7", 1),
            ("45.83.2.0/24", 0),
            ("2a0b::/32", 0),
        ] {
            assert_eq!(count_others(&block(text), &rows, &user(1)), wanted, "{text}");
        }
    }

    #[test]
    fn others_are_told_by_successes_with_failures_apart() {
        let rows = [
            row("a", 2, "45.83.1.1", 0),
            row("b", 2, "45.83.1.2", 50_126),
            row("c", 3, "45.83.1.1", 50_126),
            row("d", 4, "45.83.1.9", 0),
            row("e", 1, "45.83.1.1", 0),
            row("f", 5, "45.83.1.XXX", 0),
            SignIn { session_id: Some("stolen".into()), ..row("g", 6, "45.83.1.77", 0) },
        ];
        let sessions = BTreeSet::from(["stolen"]);
        let found = judge_others(&ips(&["45.83.1.1", "45.83.1.2"]), &sessions, &rows, &user(1));
        let told: Vec<_> = found.iter().map(|own| (own.upn.as_str(), own.successes, own.failures)).collect();
        assert_eq!(
            told,
            [("user2@contoso.com", 1, 1), ("user6@contoso.com", 1, 0), ("user3@contoso.com", 0, 1)]
        );
    }
}
