//! Which sign-ins fit what ties to the intruder: after a containment none may go through any more. Only what is certain
//! counts: a guess would call the user's own next sign-in the intruder's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::case::{Indicator, IndicatorKind, SignIn};
use crate::domain::CidrBlock;
use crate::domain::glob::fits;
use crate::run::{RefusedSignIns, SeenSignIn};

/// What was seen of the intruder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenAgain {
    /// Sign-ins that went through, newest first.
    pub successes: Vec<SeenSignIn>,
    /// Sign-ins that were refused, by result code.
    pub refused: Vec<RefusedSignIns>,
}

/// Finds the sign-ins after a moment that fit what ties to the intruder, or that the finder calls the intruder's, by the
/// ids of their rows.
pub fn seen_again(
    rows: &[SignIn],
    indicators: &[Indicator],
    intruders: &[String],
    after: Timestamp,
) -> SeenAgain {
    let certain: Vec<&Indicator> = indicators.iter().filter(|own| own.is_certain()).collect();
    let mut seen = SeenAgain::default();
    let mut refused: BTreeMap<i64, (usize, Timestamp)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.at > after) {
        let indicator = certain.iter().find(|own| ties(own, row));
        if indicator.is_none() && !intruders.contains(&row.id) {
            continue;
        }
        if row.is_no_failure() {
            seen.successes.push(SeenSignIn {
                at: row.at,
                ip: row.ip.to_string(),
                app: row.app.to_string(),
                user_agent: row.user_agent.to_string(),
                by: indicator.map_or_else(
                    || "what is unusual about it".to_owned(),
                    |own| format!("{} {}", own.kind.label(), own.value),
                ),
            });
        } else {
            let own = refused.entry(row.error_code).or_insert((0, row.at));
            *own = (own.0.saturating_add(1), own.1.max(row.at));
        }
    }
    seen.successes.sort_by_key(|own| std::cmp::Reverse(own.at));
    seen.refused = refused
        .into_iter()
        .map(|(code, (count, last_seen))| RefusedSignIns {
            code,
            meaning: meaning(code).to_owned(),
            count,
            last_seen,
        })
        .collect();
    seen
}

fn ties(indicator: &Indicator, row: &SignIn) -> bool {
    let is = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(&indicator.value));
    match indicator.kind {
        IndicatorKind::Session => is(row.session_id.as_deref()),
        IndicatorKind::Device => is(row.device_id.as_deref()),
        // From a device of the company's, an address or a program may be the intruder's and the user's alike.
        _ if row.has_compliant_device() => false,
        IndicatorKind::Address | IndicatorKind::Range => row.ip.parse::<IpAddr>().is_ok_and(|address| {
            indicator.value.parse::<CidrBlock>().is_ok_and(|block| block.contains(address))
        }),
        IndicatorKind::UserAgent => fits(&indicator.value, &row.user_agent),
        IndicatorKind::Method => false,
    }
}

/// What a result code says of an intruder who is shut out (policy-logs-auth.md 4.6).
fn meaning(code: i64) -> &'static str {
    match code {
        50_173 => "the session was revoked",
        50_132 | 50_133 => "the session is no longer valid",
        50_126 => "wrong password",
        50_055 => "the password has expired",
        50_057 => "the account is disabled",
        50_053 => "the account is locked, or the address is known for attacks",
        53_003 => "blocked by Conditional Access",
        53_000 | 53_001 => "blocked: no compliant device",
        50_072 | 50_074 | 50_076 | 50_079 => "stopped by the second factor alone",
        70_043 | 700_082 => "the session has run out",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Confidence;

    fn indicator(kind: IndicatorKind, value: &str, confidence: Confidence) -> Indicator {
        Indicator {
            kind,
            value: value.to_owned(),
            first_seen: None,
            last_seen: None,
            confidence,
            reasons: Vec::new(),
        }
    }

    fn row(id: &str, at: &str, ip: &str, code: i64) -> SignIn {
        SignIn { ip: ip.into(), error_code: code, ..SignIn::bare(id, at.parse().unwrap()) }
    }

    #[test]
    fn what_the_finder_calls_the_intruders_counts_though_no_indicator_fits_it() {
        let after: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let rows = [row("new", "2026-03-02T11:00:00Z", "198.51.100.200", 0)];
        assert!(seen_again(&rows, &[], &[], after).successes.is_empty());
        let seen = seen_again(&rows, &[], &["new".to_owned()], after);
        assert_eq!(seen.successes.len(), 1);
    }

    #[test]
    fn only_what_is_certain_and_came_after_counts_and_refusals_are_told_by_their_codes() {
        let after: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let marks = [
            indicator(IndicatorKind::Range, "203.0.113.0/24", Confidence::High),
            indicator(IndicatorKind::Address, "198.51.100.9", Confidence::Medium),
            indicator(IndicatorKind::UserAgent, "node-fetch/*", Confidence::High),
            indicator(IndicatorKind::Session, "AA-11", Confidence::High),
        ];
        let own_device = SignIn {
            compliant: true,
            device_id: Some("d".into()),
            ..row("own", "2026-03-02T11:00:00Z", "203.0.113.7", 0)
        };
        let in_session =
            SignIn { session_id: Some("aa-11".into()), ..row("s", "2026-03-02T11:05:00Z", "192.0.2.1", 0) };
        let by_agent = SignIn {
            user_agent: "node-fetch/1.0".into(),
            ..row("a", "2026-03-02T11:06:00Z", "192.0.2.1", 50_140)
        };
        let rows = [
            row("before", "2026-03-02T10:00:00Z", "203.0.113.7", 0),
            row("guess", "2026-03-02T11:00:00Z", "198.51.100.9", 0),
            row("refused", "2026-03-02T11:01:00Z", "203.0.113.7", 50_173),
            row("again", "2026-03-02T11:02:00Z", "203.0.113.7", 50_173),
            row("masked", "2026-03-02T11:02:00Z", "203.0.113.XXX", 0),
            own_device,
            in_session,
            by_agent,
        ];
        let seen = seen_again(&rows, &marks, &[], after);
        let by: Vec<&str> = seen.successes.iter().map(|own| own.by.as_str()).collect();
        assert_eq!(by, ["user agent node-fetch/*", "session AA-11"]);
        let refused: Vec<_> = seen.refused.iter().map(|own| (own.code, own.count)).collect();
        assert_eq!(refused, [(50_173, 2)]);
        assert_eq!(seen.refused[0].last_seen, "2026-03-02T11:02:00Z".parse().unwrap());
    }
}
