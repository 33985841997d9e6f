//! Which sign-ins are the intruder's: those that match what is known, widened over their sessions until nothing new
//! comes. Only the subject's own rows are given here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::case::{Confidence, Indicator, IndicatorKind, SignIn};
use crate::domain::CidrBlock;
use crate::domain::glob::fits;

/// Result codes that are no failure: success, and interruptions on the way to it (policy-logs-auth.md 4.6).
const NO_FAILURE: [i64; 3] = [0, 50_140, 50_199];

/// Whether a result code is no failure.
pub(super) fn is_no_failure(code: i64) -> bool {
    NO_FAILURE.contains(&code)
}

/// What the finder found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntruderSignIns {
    /// Ids of the rows.
    pub rows: Vec<String>,
    /// Addresses, sessions and user agents, each with why.
    pub indicators: Vec<Indicator>,
    /// What is to be said about the search.
    pub notes: Vec<String>,
    /// The first of the rows.
    pub first: Option<Timestamp>,
}

/// Finds the intruder's sign-ins by addresses and user agents, beside those that are known by their place already, and
/// widens over session ids.
pub fn find_intruder(
    rows: &[SignIn],
    ips: &[CidrBlock],
    user_agents: &[String],
    known: BTreeMap<usize, String>,
) -> IntruderSignIns {
    let own = own_sessions(rows);
    let mut reasons = known;
    for (index, row) in rows.iter().enumerate() {
        if let Some(reason) = matches(row, ips, user_agents) {
            reasons.insert(index, reason);
        }
    }
    let mut found = IntruderSignIns::default();
    let mut sessions: BTreeSet<&str> = BTreeSet::new();
    let mut spared: BTreeSet<&str> = BTreeSet::new();
    loop {
        let new: BTreeSet<&str> = reasons
            .keys()
            .filter_map(|index| rows.get(*index)?.session_id.as_deref())
            .filter(|session| !sessions.contains(session) && !spared.contains(session))
            .collect();
        if new.is_empty() {
            break;
        }
        for session in new {
            if own.contains(session) {
                spared.insert(session);
                found.notes.push(format!(
                    "the session {session} is also used by a compliant device of the user's, so other sign-ins in it are not counted as the intruder's"
                ));
                continue;
            }
            sessions.insert(session);
            for (index, row) in rows.iter().enumerate() {
                if row.session_id.as_deref() == Some(session) && is_no_failure(row.error_code) {
                    reasons.entry(index).or_insert_with(|| format!("is in the intruder's session {session}"));
                }
            }
        }
    }
    describe(rows, &reasons, &sessions, user_agents, &mut found);
    found
}

/// Sessions in which the user's own registered, compliant device was seen.
fn own_sessions(rows: &[SignIn]) -> BTreeSet<&str> {
    rows.iter()
        .filter(|row| row.compliant && row.device_id.is_some())
        .filter_map(|row| row.session_id.as_deref())
        .collect()
}

/// Why a row is the intruder's by itself, if it is.
fn matches(row: &SignIn, ips: &[CidrBlock], user_agents: &[String]) -> Option<String> {
    if !is_no_failure(row.error_code) {
        return None;
    }
    if let Some(glob) = user_agents.iter().find(|glob| fits(glob, &row.user_agent)) {
        return Some(format!("has a user agent like `{glob}`"));
    }
    let address: IpAddr = row.ip.parse().ok()?;
    let block = ips.iter().find(|block| block.contains(address))?;
    Some(format!("came from {block}, which was given"))
}

struct Seen {
    first: Timestamp,
    last: Timestamp,
    count: usize,
    place: String,
    reasons: BTreeSet<String>,
}

fn describe(
    rows: &[SignIn],
    reasons: &BTreeMap<usize, String>,
    sessions: &BTreeSet<&str>,
    user_agents: &[String],
    found: &mut IntruderSignIns,
) {
    let mut addresses: BTreeMap<CidrBlock, Seen> = BTreeMap::new();
    let mut masked: BTreeSet<&str> = BTreeSet::new();
    for (index, reason) in reasons {
        let Some(row) = rows.get(*index) else { continue };
        found.rows.push(row.id.clone());
        found.first = Some(found.first.map_or(row.at, |first| first.min(row.at)));
        let Ok(address) = row.ip.parse::<IpAddr>() else {
            if !row.ip.is_empty() {
                masked.insert(&row.ip);
            }
            continue;
        };
        let seen = addresses.entry(CidrBlock::single(address)).or_insert_with(|| Seen {
            first: row.at,
            last: row.at,
            count: 0,
            place: row.place.to_string(),
            reasons: BTreeSet::new(),
        });
        seen.first = seen.first.min(row.at);
        seen.last = seen.last.max(row.at);
        seen.count += 1;
        seen.reasons.insert(reason.clone());
    }
    for text in masked {
        found.notes.push(format!("the log masks the address `{text}`: it cannot be blocked"));
    }
    for (block, seen) in addresses {
        let mut reasons = vec![format!(
            "{} sign-in{} of the user from {}",
            seen.count,
            if seen.count == 1 { "" } else { "s" },
            if seen.place.is_empty() { "an unknown place" } else { &seen.place }
        )];
        reasons.extend(seen.reasons.into_iter().map(|reason| format!("the sign-in {reason}")));
        found.indicators.push(Indicator {
            kind: IndicatorKind::Address,
            value: block.network().to_string(),
            first_seen: Some(seen.first),
            last_seen: Some(seen.last),
            confidence: Confidence::High,
            reasons,
        });
    }
    let span = |wanted: &dyn Fn(&SignIn) -> bool| {
        let times = || {
            reasons.keys().filter_map(|index| rows.get(*index)).filter(|row| wanted(row)).map(|row| row.at)
        };
        (times().min(), times().max())
    };
    for session in sessions {
        let (first_seen, last_seen) = span(&|row| row.session_id.as_deref() == Some(session));
        found.indicators.push(Indicator {
            kind: IndicatorKind::Session,
            value: (*session).to_owned(),
            first_seen,
            last_seen,
            confidence: Confidence::High,
            reasons: vec!["the intruder's sign-ins are in it".to_owned()],
        });
    }
    for glob in user_agents {
        let (first_seen, last_seen) = span(&|row| fits(glob, &row.user_agent));
        found.indicators.push(Indicator {
            kind: IndicatorKind::UserAgent,
            value: glob.clone(),
            first_seen,
            last_seen,
            confidence: Confidence::High,
            reasons: vec!["it was given".to_owned()],
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

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

    fn addresses(found: &IntruderSignIns) -> Vec<&str> {
        found
            .indicators
            .iter()
            .filter(|own| own.kind == IndicatorKind::Address)
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
        let found = find_intruder(&rows, &[], &["axios*".to_owned()], BTreeMap::new());
        assert_eq!(addresses(&found), ["194.26.135.71", "2a0b:f4c2:1::1a"]);
        assert_eq!(found.rows, ["a", "bb"]);
    }

    #[test]
    fn a_session_of_the_users_own_device_is_not_widened_over() {
        let rows = [
            row("a", "194.26.135.71", "axios/1.7", "s1", false),
            row("bb", "188.250.61.14", "Mozilla/5.0", "s1", true),
        ];
        let found = find_intruder(&rows, &[], &["axios*".to_owned()], BTreeMap::new());
        assert_eq!(addresses(&found), ["194.26.135.71"]);
        assert_eq!(found.notes.len(), 1);
    }

    #[test]
    fn failures_and_masked_addresses_are_no_addresses_to_block() {
        let mut failed = row("a", "194.26.135.71", "axios/1.7", "s1", false);
        failed.error_code = 50_126;
        let masked = row("bb", "203.0.113.XXX", "axios/1.7", "s2", false);
        let found = find_intruder(&[failed, masked], &[], &["axios*".to_owned()], BTreeMap::new());
        assert!(addresses(&found).is_empty());
        assert!(found.notes.iter().any(|note| note.contains("203.0.113.XXX")));
    }

    #[test]
    fn a_given_range_finds_its_sign_ins() {
        let rows = [row("a", "89.187.164.77", "x", "s1", false), row("bb", "8.8.8.8", "x", "s2", false)];
        let found = find_intruder(&rows, &["89.187.164.0/24".parse().unwrap()], &[], BTreeMap::new());
        assert_eq!(addresses(&found), ["89.187.164.77"]);
    }
}
