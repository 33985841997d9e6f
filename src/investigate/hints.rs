//! What an alert says, held against the sign-in log. An alert is written from what the intruder sent: what the log does
//! not bear out is told to a person, and nothing is done about it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::agent;
use crate::alert::Hints;
use crate::case::{Confidence, Indicator, IndicatorKind, SignIn};
use crate::domain::CidrBlock;

/// What was in use for so long before the alert is more likely the user's own: intruders are told of sooner.
const FAMILIAR: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A time of an alert that lies further back says nothing about this incident.
const OLDEST: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Clocks differ: so far in the future a time is still taken for now.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A sign-in that an alert names and the log bears out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borne {
    /// Why, behind "the sign-in ".
    pub reason: String,
    /// Whether that alone makes it the intruder's. A session is the user's own until it is stolen, and a browser's name
    /// is that of many: those ask for a sign of the sign-in's own.
    pub is_certain: bool,
}

/// What the log bears out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// The sign-ins, by their place in the log, each with why it is the intruder's.
    pub rows: BTreeMap<usize, Borne>,
    /// User agents that were confirmed.
    pub indicators: Vec<Indicator>,
    /// When it happened, as far as that can be.
    pub time: Option<Timestamp>,
    /// What is to be said, about what was not borne out above all.
    pub notes: Vec<String>,
}

/// One thing that an alert says.
struct Hint<'h> {
    kind: IndicatorKind,
    text: String,
    fits: &'h dyn Fn(&SignIn) -> bool,
    /// What a person would type to insist; none where there is nothing to type.
    insist: Option<String>,
}

/// Holds an alert's hints against the subject's own sign-ins.
pub fn confirm(rows: &[SignIn], hints: &Hints, now: Timestamp) -> Confirmed {
    let mut confirmed = Confirmed::default();
    confirmed.time = plausible(hints.time, now, &mut confirmed.notes);
    for block in &hints.addresses {
        let fits = |row: &SignIn| row.ip.parse::<IpAddr>().is_ok_and(|address| block.contains(address));
        let (kind, text) = named(block);
        let insist = Some(format!("--ip {block}"));
        confirm_one(rows, &Hint { kind, text, fits: &fits, insist }, now, &mut confirmed);
    }
    for agent in &hints.user_agents {
        // To the letter: a `*` in an alert is whatever the intruder sent, and stands for nothing.
        let fits = |row: &SignIn| row.user_agent.trim() == agent;
        let hint = Hint { kind: IndicatorKind::UserAgent, text: agent.clone(), fits: &fits, insist: None };
        confirm_one(rows, &hint, now, &mut confirmed);
    }
    for session in &hints.sessions {
        let fits = |row: &SignIn| row.session_id.as_deref() == Some(session);
        let hint = Hint { kind: IndicatorKind::Session, text: session.clone(), fits: &fits, insist: None };
        confirm_one(rows, &hint, now, &mut confirmed);
    }
    confirmed
}

/// What a block is as an indicator: a single address, or a range.
pub(super) fn named(block: &CidrBlock) -> (IndicatorKind, String) {
    if block.is_single() {
        (IndicatorKind::Address, block.network().to_string())
    } else {
        (IndicatorKind::Range, block.to_string())
    }
}

/// Whether an alert's time can be that of this incident.
pub fn is_plausible(time: Timestamp, now: Timestamp) -> bool {
    (-SKEW..=OLDEST).contains(&now.duration_since(time))
}

fn plausible(time: Option<Timestamp>, now: Timestamp, notes: &mut Vec<String>) -> Option<Timestamp> {
    let time = time?;
    if is_plausible(time, now) {
        return Some(time.min(now));
    }
    if time > now {
        notes.push(format!("the alert's time {time} is in the future: it is not taken for the beginning"));
    } else {
        notes.push(format!(
            "the alert's time {time} is more than 90 days ago: it is not taken for the beginning"
        ));
    }
    None
}

fn confirm_one(rows: &[SignIn], hint: &Hint<'_>, now: Timestamp, confirmed: &mut Confirmed) {
    let label = hint.kind.label();
    let text = &hint.text;
    let found: Vec<(usize, &SignIn)> =
        rows.iter().enumerate().filter(|(_, row)| row.is_no_failure() && (hint.fits)(row)).collect();
    let insist = hint.insist.as_ref().map_or_else(String::new, |flag| {
        format!("; if it is the intruder's all the same, plan with `{flag}`")
    });
    let doubt = if found.is_empty() {
        Some("the sign-in log has no sign-in of the user with it".to_owned())
    } else if found.iter().any(|(_, row)| row.compliant && row.device_id.is_some()) {
        Some("a compliant device of the user's has it, too".to_owned())
    } else {
        let first = found.iter().map(|(_, row)| row.at).min();
        let is_old = |first: &Timestamp| {
            hint.kind != IndicatorKind::Session
                && confirmed.time.unwrap_or(now).duration_since(*first) > FAMILIAR
        };
        first
            .filter(is_old)
            .map(|first| format!("the user's sign-ins had it long before the alert, since {first}"))
    };
    if let Some(doubt) = doubt {
        confirmed.notes.push(format!(
            "the alert names the {label} `{text}`: {doubt}. It is shown, and not acted on{insist}"
        ));
        return;
    }
    let is_certain = match hint.kind {
        IndicatorKind::UserAgent => agent::program(text).is_some(),
        kind => kind != IndicatorKind::Session,
    };
    if hint.kind == IndicatorKind::UserAgent {
        confirmed.indicators.push(Indicator {
            kind: IndicatorKind::UserAgent,
            value: text.clone(),
            first_seen: found.iter().map(|(_, row)| row.at).min(),
            last_seen: found.iter().map(|(_, row)| row.at).max(),
            confidence: if is_certain { Confidence::High } else { Confidence::Medium },
            reasons: vec!["the alert names it, and the sign-in log has it".to_owned()],
        });
    }
    for (place, _) in found {
        let reason = format!("has the {label} `{text}`, which the alert names");
        let own = confirmed.rows.entry(place).or_insert(Borne { reason, is_certain });
        own.is_certain |= is_certain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::investigate::sign_ins::{Clues, find_intruder, tests::row};

    fn hints(addresses: &[&str], agents: &[&str]) -> Hints {
        Hints {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            user_agents: agents.iter().map(|text| (*text).to_owned()).collect(),
            sessions: Vec::new(),
            time: Some("2026-09-14T00:00:00Z".parse().unwrap()),
        }
    }

    fn now() -> Timestamp {
        "2026-09-20T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_the_log_bears_out_counts_and_widens_over_its_session() {
        let rows = [
            row("a", "194.26.135.71", "axios/1.7", "s1", false),
            row("bb", "2a0b:f4c2:1::1a", "Mozilla/5.0", "s1", false),
            row("ccc", "188.250.61.14", "Mozilla/5.0", "s2", true),
        ];
        let confirmed = confirm(&rows, &hints(&["194.26.135.0/24"], &["axios/1.7"]), now());
        assert!(confirmed.notes.is_empty(), "{:?}", confirmed.notes);
        assert_eq!(confirmed.indicators.len(), 1);
        let found = find_intruder(&rows, &Clues { known: confirmed.rows, ..Clues::default() });
        assert_eq!(found.rows, ["a", "bb"]);
    }

    #[test]
    fn a_session_or_a_browsers_name_alone_makes_nothing_the_intruders() {
        let rows = [row("a", "194.26.135.71", "Mozilla/5.0", "s1", false)];
        let mut alert = hints(&[], &["Mozilla/5.0"]);
        alert.sessions = vec!["s1".to_owned()];
        let confirmed = confirm(&rows, &alert, now());
        assert!(!confirmed.rows[&0].is_certain);
        let found = find_intruder(&rows, &Clues { known: confirmed.rows, ..Clues::default() });
        assert!(found.rows.is_empty(), "{found:?}");
    }

    #[test]
    fn what_was_long_in_use_is_the_users_also_where_the_alert_has_no_time() {
        let mut old = row("a", "188.250.61.15", "Opera", "s2", false);
        old.at = "2026-08-25T10:00:00Z".parse().unwrap();
        let alert = Hints { time: None, ..hints(&["188.250.61.15"], &[]) };
        assert!(confirm(&[old], &alert, now()).rows.is_empty());
    }

    #[test]
    fn an_address_that_nobody_came_from_is_told_and_nothing_else() {
        let rows = [row("a", "194.26.135.71", "axios/1.7", "s1", false)];
        let confirmed = confirm(&rows, &hints(&["45.83.220.7"], &[]), now());
        assert!(confirmed.rows.is_empty());
        assert!(confirmed.notes[0].contains("`45.83.220.7`"), "{:?}", confirmed.notes);
        assert!(confirmed.notes[0].contains("--ip 45.83.220.7/32"), "{:?}", confirmed.notes);
    }

    #[test]
    fn the_users_own_is_not_taken_for_the_intruders() {
        let own = row("a", "188.250.61.14", "Mozilla/5.0", "s1", true);
        let mut old = row("b", "188.250.61.15", "Opera", "s2", false);
        old.at = "2026-08-25T10:00:00Z".parse().unwrap();
        let newer = row("cc", "188.250.61.15", "Opera", "s3", false);
        let rows = [own, old, newer];
        let confirmed =
            confirm(&rows, &hints(&["188.250.61.14", "188.250.61.15"], &["Mozilla/5.0", "Opera"]), now());
        assert!(confirmed.rows.is_empty(), "{:?}", confirmed.rows);
        assert_eq!(confirmed.notes.len(), 4);
    }

    #[test]
    fn a_star_in_an_alert_is_a_star_and_a_failed_sign_in_confirms_nothing() {
        let mut failed = row("a", "194.26.135.71", "axios/1.7", "s1", false);
        failed.error_code = 50_126;
        let rows = [failed, row("bb", "8.8.8.8", "Mozilla/5.0", "s2", false)];
        let confirmed = confirm(&rows, &hints(&["194.26.135.71"], &["*", "Mozilla*", "axios/1.7"]), now());
        assert!(confirmed.rows.is_empty(), "{:?}", confirmed.rows);
    }

    #[test]
    fn a_time_in_the_future_or_long_ago_is_no_beginning() {
        for (time, taken) in [
            ("2026-09-20T00:04:00Z", Some("2026-09-20T00:00:00Z")),
            ("2026-09-20T00:06:00Z", None),
            ("2026-06-01T00:00:00Z", None),
            ("2026-09-01T00:00:00Z", Some("2026-09-01T00:00:00Z")),
        ] {
            let hints = Hints { time: Some(time.parse().unwrap()), ..Hints::default() };
            let confirmed = confirm(&[], &hints, now());
            assert_eq!(confirmed.time, taken.map(|taken| taken.parse().unwrap()), "{time}");
            assert_eq!(confirmed.notes.is_empty(), taken.is_some(), "{time}");
        }
    }
}
