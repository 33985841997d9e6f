//! Guessing at passwords: many wrong ones for the user, or the same place trying many accounts. One wrong password is
//! anybody's slip, so what else was tried from there is read before it is held against a sign-in.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::neighbourhood::text_prefix;
use super::strand::{Strand, strands};
use crate::case::{Look, SecondFactor, SignIn};
use crate::domain::{CidrBlock, UserId};
use crate::graph::{Reader, SignInQuery, settled};

/// Wrong passwords this near before the right one belong to it.
pub(super) const WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Whoever mistyped gets in within so long after it.
const IN_AFTER: SignedDuration = SignedDuration::from_hours(6);
/// So many wrong passwords for one account are no slip.
pub(super) const MANY_GUESSES: usize = 5;
/// So many other accounts that were tried in vain make it a spray.
pub(super) const MANY_ACCOUNTS: usize = 3;
/// Places that are asked about at most, the newest first: each is a question to the log.
const MOST_PLACES: usize = 5;

/// How many other accounts were tried in vain from a network, before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The network.
    pub network: CidrBlock,
    /// Before when.
    pub before: Timestamp,
    /// Other accounts with wrong passwords from there, and with no sign-in that went through.
    pub accounts: usize,
}

/// Whether a result code is that of a wrong password (policy-logs-auth.md 4.6).
pub(super) fn is_wrong_password(row: &SignIn) -> bool {
    [50_126, 50_053, 50_056].contains(&row.error_code)
}

/// Whether a strand may be the end of guessing: a password was given there, and no second factor by a person.
pub(super) fn may_be_guessed(strand: &Strand<'_>) -> bool {
    strand.is_interactive && strand.second_factor != SecondFactor::Fresh
}

/// The networks from which the user's password was wrong shortly before it was right, each with the moment when it was.
pub(super) fn suspects(rows: &[SignIn]) -> Vec<(CidrBlock, Timestamp)> {
    let wrong: Vec<&SignIn> = rows.iter().filter(|row| is_wrong_password(row)).collect();
    if wrong.is_empty() {
        return Vec::new();
    }
    let strands = strands(rows);
    let own: HashSet<CidrBlock> =
        strands.iter().filter(|strand| strand.is_own_device).filter_map(|strand| strand.network).collect();
    let mut found: Vec<(CidrBlock, Timestamp)> = strands
        .iter()
        .filter(|strand| !strand.is_own_device && may_be_guessed(strand))
        .filter_map(|strand| Some((strand.network.filter(|network| !own.contains(network))?, strand.first)))
        .filter(|(network, first)| wrong.iter().any(|row| is_just_before(row, *network, *first)))
        .collect();
    found.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    let mut known = HashSet::new();
    found.retain(|(network, _)| known.insert(*network));
    found.truncate(MOST_PLACES);
    found
}

/// Whether a row is from a network, shortly before a moment.
pub(super) fn is_just_before(row: &SignIn, network: CidrBlock, moment: Timestamp) -> bool {
    is_from_before(row, network, moment, WITHIN)
}

fn is_from_before(row: &SignIn, network: CidrBlock, moment: Timestamp, within: SignedDuration) -> bool {
    let gap = moment.duration_since(row.at);
    gap > SignedDuration::ZERO
        && gap <= within
        && row.ip.trim().parse().is_ok_and(|address| network.contains(address))
}

fn some_after(moment: Timestamp) -> Timestamp {
    moment.saturating_add(IN_AFTER).unwrap_or(moment)
}

/// Counts the other accounts that were tried in vain from a network before a moment.
pub(super) fn count_tried(
    rows: &[SignIn],
    subject: &UserId,
    (network, before): (CidrBlock, Timestamp),
) -> Tried {
    let near = |until: Timestamp| {
        let span = until.duration_since(before) + WITHIN;
        let rows = rows.iter().filter(move |row| is_from_before(row, network, until, span));
        rows.filter_map(|row| Some((row.user_id.as_ref().filter(|user| *user != subject)?, row)))
    };
    // Colleagues at a hotel mistype as well, and then get in.
    let inside: HashSet<&UserId> =
        near(some_after(before)).filter(|(_, row)| row.is_no_failure()).map(|(user, _)| user).collect();
    let tried: HashSet<&UserId> = near(before)
        .filter(|(user, row)| is_wrong_password(row) && !inside.contains(user))
        .map(|(user, _)| user)
        .collect();
    Tried { network, before, accounts: tried.len() }
}

/// Counts them in a log that has everybody's sign-ins, parted into the user's own and the others'.
pub fn tried_among(own: &[SignIn], others: &[SignIn], subject: &UserId) -> Vec<Tried> {
    suspects(own).into_iter().map(|place| count_tried(others, subject, place)).collect()
}

/// Reads whose passwords else were tried from where the user's was wrong before it was right.
pub(super) async fn read_tried(
    reader: &Reader,
    rows: &[SignIn],
    subject: &UserId,
    notes: &mut Vec<String>,
) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (network, before) in suspects(rows) {
        let query = SignInQuery {
            user: None,
            ip: Some(text_prefix(&network)).filter(|prefix| !prefix.is_empty()),
            from: before.saturating_sub(WITHIN).unwrap_or(before),
            to: Some(some_after(before)),
        };
        match settled(reader.sign_ins(&query).await) {
            Look::Read(log) => tried.push(count_tried(&log.rows, subject, (network, before))),
            Look::Unread { why } => {
                notes.push(format!(
                    "whether other accounts' passwords were tried from {network}, too, was not read: {why}"
                ));
            }
        }
    }
    tried
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "45.155.204.11";

    fn user(number: u8) -> UserId {
        format!("00000000-0000-4000-8000-0000000000{number:02}").parse().unwrap()
    }

    fn row(number: u8, at: &str, ip: &str, code: i64) -> SignIn {
        SignIn {
            user_id: Some(user(number)),
            ip: ip.into(),
            error_code: code,
            ..SignIn::bare(&format!("{number} {at} {ip} {code}"), at.parse().unwrap())
        }
    }

    #[test]
    fn accounts_that_were_tried_in_vain_count_and_colleagues_who_mistyped_do_not() {
        let network: CidrBlock = "45.155.204.0/24".parse().unwrap();
        let before: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let rows = [
            row(1, "2026-03-02T09:00:00Z", PLACE, 50_126),
            row(2, "2026-03-02T09:01:00Z", "45.155.204.90", 50_126),
            row(2, "2026-03-02T09:02:00Z", PLACE, 50_126),
            row(3, "2026-03-02T09:02:00Z", PLACE, 50_053),
            row(4, "2026-03-02T09:02:00Z", PLACE, 50_126),
            row(4, "2026-03-02T09:03:00Z", PLACE, 0),
            row(5, "2026-03-02T09:02:00Z", "45.155.205.1", 50_126),
            row(6, "2026-03-02T10:00:00Z", PLACE, 50_126),
            row(7, "2026-02-28T10:00:00Z", PLACE, 50_126),
            row(8, "2026-03-02T09:30:00Z", "45.155.204.XXX", 50_126),
            row(9, "2026-03-02T09:30:00Z", PLACE, 50_074),
            // They get in after the user, or much too late.
            row(10, "2026-03-02T09:50:00Z", PLACE, 50_126),
            row(10, "2026-03-02T12:00:00Z", PLACE, 0),
            row(11, "2026-03-02T09:50:00Z", PLACE, 50_126),
            row(11, "2026-03-02T19:00:00Z", PLACE, 0),
        ];
        assert_eq!(count_tried(&rows, &user(1), (network, before)).accounts, 3);
    }

    #[test]
    fn only_where_a_wrong_password_came_before_the_right_one_is_anything_asked() {
        let right = row(1, "2026-03-02T10:00:00Z", PLACE, 0);
        assert!(suspects(std::slice::from_ref(&right)).is_empty());
        assert!(suspects(&[right.clone(), row(1, "2026-03-02T11:00:00Z", PLACE, 50_126)]).is_empty());
        let found = suspects(&[right.clone(), row(1, "2026-03-02T09:00:00Z", PLACE, 50_126)]);
        assert_eq!(found, [("45.155.204.0/24".parse().unwrap(), right.at)]);
        let own = SignIn { compliant: true, device_id: Some("d".into()), ..right };
        assert!(suspects(&[own, row(1, "2026-03-02T09:00:00Z", PLACE, 50_126)]).is_empty());
    }
}
