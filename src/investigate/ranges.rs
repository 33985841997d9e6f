//! Which ranges the evidence carries: several of the intruder's addresses in one /24 or /48, and no sign-in of anybody
//! else from there.

use std::collections::{BTreeMap, HashSet};

use super::strand::network_of;
use crate::case::{Evidence, Indicator, IndicatorKind};
use crate::domain::CidrBlock;

/// So many of the intruder's addresses in one range make the range the intruder's, where nobody else is in it.
const SEVERAL: usize = 3;

/// Several of the intruder's addresses in one range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// The range.
    pub range: CidrBlock,
    /// How many of them.
    pub count: usize,
}

impl Crowd {
    /// Why the whole range is proposed, where nobody else is in it.
    pub fn reason(&self) -> String {
        format!(
            "{} of the intruder's addresses lie in {}, and nobody else signs in from there",
            self.count, self.range
        )
    }
}

/// The ranges in which several of the intruder's addresses lie. What a person gave and the log has not says nothing of
/// its neighbours.
pub fn crowds(indicators: &[Indicator]) -> Vec<Crowd> {
    let seen = indicators
        .iter()
        .filter(|own| own.is_certain() && own.kind == IndicatorKind::Address && own.first_seen.is_some())
        .filter_map(|own| own.value.parse().ok());
    let mut counts: BTreeMap<CidrBlock, usize> = BTreeMap::new();
    for network in seen.filter_map(network_of) {
        *counts.entry(network).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count >= SEVERAL)
        .map(|(range, count)| Crowd { range, count })
        .collect()
}

/// Whether the user signed in from a range as well, or may have: what is not certainly the intruder's may be the user's.
pub fn is_users_too(range: &CidrBlock, evidence: &Evidence) -> bool {
    let intruder: HashSet<&str> = evidence.intruder_sign_ins.iter().map(String::as_str).collect();
    evidence.sign_ins.read().is_none_or(|rows| {
        rows.iter()
            .filter(|row| row.is_no_failure())
            .filter(|row| CidrBlock::of_log(&row.ip).is_some_and(|own| own.overlaps(range)))
            .any(|row| !intruder.contains(row.id.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Confidence, Look, SignIn};
    use crate::investigate::whose::tests::case;

    #[test]
    fn three_addresses_in_one_range_are_several_and_two_are_not() {
        let own = |value: &str, is_seen: bool| Indicator {
            kind: IndicatorKind::Address,
            value: value.to_owned(),
            first_seen: is_seen.then(|| "2026-03-01T00:00:00Z".parse().unwrap()),
            last_seen: None,
            confidence: Confidence::High,
            reasons: Vec::new(),
        };
        let found = crowds(&[
            own("45.83.1.1", true),
            own("45.83.1.2", true),
            own("45.83.1.3", true),
            own("45.83.2.1", true),
            own("45.83.2.2", true),
            // Given, and not in the log.
            own("45.83.2.3", false),
            own("2a0b:f4c2:1::1", true),
        ]);
        assert_eq!(found, [Crowd { range: "45.83.1.0/24".parse().unwrap(), count: 3 }]);
    }

    #[test]
    fn a_range_that_the_user_signs_in_from_is_never_the_intruders() {
        let range: CidrBlock = "45.83.1.0/24".parse().unwrap();
        let row = |id: &str, ip: &str, error_code: i64| SignIn {
            ip: ip.into(),
            error_code,
            ..SignIn::bare(id, "2026-09-11T10:00:00Z".parse().unwrap())
        };
        let mut case = case(vec![row("evil", "45.83.1.1", 0), row("own", "45.83.2.9", 0)]);
        case.evidence.intruder_sign_ins = vec!["evil".to_owned()];
        assert!(!is_users_too(&range, &case.evidence));
        case.evidence.sign_ins =
            Look::Read(vec![row("evil", "45.83.1.1", 0), row("failed", "45.83.1.9", 50_126)]);
        assert!(!is_users_too(&range, &case.evidence));
        case.evidence.sign_ins = Look::Read(vec![row("own", "45.83.1.9", 0)]);
        assert!(is_users_too(&range, &case.evidence));
        case.evidence.sign_ins = Look::Read(vec![row("own", "45.83.1.XXX", 0)]);
        assert!(is_users_too(&range, &case.evidence));
        case.evidence.sign_ins = Look::Unread { why: "403".to_owned() };
        assert!(is_users_too(&range, &case.evidence));
    }
}
