//! Whose deed it was: what was done in the subject's name, judged by the address of its record and by who was signed in
//! around it. For deeds whose own record gives no usable address (policy-logs-auth.md 5.5) the sign-ins alone tell.

use std::collections::HashSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::case::{Case, Confidence, IndicatorKind, MethodVerdict, SignIn};
use crate::domain::{CidrBlock, shown};

/// Sign-ins this near to a deed belong to it (policy-logs-auth.md 5.4, step 4).
const NEAR: SignedDuration = SignedDuration::from_mins(15);
/// How far records and our reckoning of the compromise may be apart.
const SLACK: SignedDuration = SignedDuration::from_mins(15);
/// So many days on which the user came from an address make it the user's own.
const OWN_DAYS: usize = 3;

/// What was done.
pub(super) struct Deed<'a> {
    /// When.
    pub at: Timestamp,
    /// From which address, where its record gives one that is the person's.
    pub ip: Option<IpAddr>,
    /// Whether a sign-in is the deed's own, by its app or resource.
    pub fits: &'a dyn Fn(&SignIn) -> bool,
}

/// The subject's sign-ins, parted.
pub(super) struct SignIns<'a> {
    case: &'a Case,
    intruder: HashSet<&'a str>,
}

impl<'a> SignIns<'a> {
    /// Takes them from a case.
    pub fn of(case: &'a Case) -> Self {
        let intruder = case.evidence.intruder_sign_ins.iter().map(String::as_str).collect();
        Self { case, intruder }
    }

    /// Those that went through.
    fn all(&self) -> impl Iterator<Item = &'a SignIn> {
        let rows = self.case.evidence.sign_ins.read().map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| row.error_code == 0)
    }

    /// The intruder's.
    pub fn intruders(&self) -> impl Iterator<Item = &'a SignIn> {
        self.all().filter(|row| self.intruder.contains(row.id.as_str()))
    }

    /// Everybody else's: the user's own, as far as anything is known.
    pub fn others(&self) -> impl Iterator<Item = &'a SignIn> {
        self.all().filter(|row| !self.intruder.contains(row.id.as_str()))
    }

    /// Why an address is the user's own: a compliant device of theirs was there, or they were, on several days before.
    pub fn own_address(&self, address: IpAddr, at: Timestamp) -> Option<String> {
        let mut days = HashSet::new();
        for row in self.others().filter(|row| row.ip.parse() == Ok(address)) {
            if row.has_compliant_device() {
                return Some(format!("{address} is where the user's own compliant device signs in"));
            }
            if row.at <= at {
                days.insert(row.at.as_second().div_euclid(86_400));
            }
        }
        (days.len() >= OWN_DAYS)
            .then(|| format!("the user signed in from {address} on {} days before", days.len()))
    }

    /// What speaks against a deed from the intruder's address being the intruder's.
    pub fn doubt(&self, address: IpAddr, at: Timestamp) -> Option<String> {
        self.own_address(address, at)
            .or_else(|| self.is_before(at).then(|| "it is older than the compromise".to_owned()))
    }

    /// Whether a moment lies before the compromise.
    pub fn is_before(&self, at: Timestamp) -> bool {
        self.case.since.is_some_and(|since| at.saturating_add(SLACK).is_ok_and(|later| later < since))
    }

    /// Judges a deed.
    pub fn whose(&self, deed: &Deed<'_>, reasons: &mut Vec<String>) -> MethodVerdict {
        if let Some(address) = deed.ip
            && let Some(verdict) = self.by_address(address, deed.at, reasons)
        {
            return verdict;
        }
        let near = |row: &&SignIn| row.at.duration_since(deed.at).abs() <= NEAR;
        let intruders: Vec<&SignIn> = self.intruders().filter(near).collect();
        let others: Vec<&SignIn> = self.others().filter(near).collect();
        let own = |rows: &[&'a SignIn]| -> Vec<&'a SignIn> {
            rows.iter().copied().filter(|row| (deed.fits)(row)).collect()
        };
        let (its_intruders, its_others) = (own(&intruders), own(&others));
        // The deed's own sign-ins tell more than those that merely stand near it.
        if its_intruders.is_empty() && its_others.is_empty() {
            self.by_company(&intruders, &others, deed.at, "around it", reasons)
        } else {
            self.by_company(&its_intruders, &its_others, deed.at, "to just that", reasons)
        }
    }

    fn by_address(&self, address: IpAddr, at: Timestamp, reasons: &mut Vec<String>) -> Option<MethodVerdict> {
        reasons.push(format!("its record says it was done {} from {address}", shown(at)));
        let named = self.case.indicators.iter().filter(|own| {
            matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range)
                && own.value.parse::<CidrBlock>().is_ok_and(|block| block.contains(address))
        });
        let surest = named.map(|own| own.confidence).max();
        let owns = self.own_address(address, at);
        Some(match (surest, owns) {
            (Some(Confidence::High), None) if self.is_before(at) => {
                reasons.push(format!(
                    "{address} counts as the intruder's, and yet it is older than the compromise"
                ));
                MethodVerdict::Unknown
            }
            (Some(Confidence::High), None) => {
                reasons.push(format!("{address} is the intruder's"));
                MethodVerdict::Attacker
            }
            (Some(_), Some(why)) => {
                reasons.push(format!("{address} counts as the intruder's, and yet {why}"));
                MethodVerdict::Unknown
            }
            (Some(_), None) => {
                reasons.push(format!("{address} may be the intruder's, which is not certain"));
                MethodVerdict::Unknown
            }
            (None, Some(why)) => {
                reasons.push(why);
                MethodVerdict::Owner
            }
            (None, None) => return None,
        })
    }

    fn by_company(
        &self,
        intruders: &[&SignIn],
        others: &[&SignIn],
        at: Timestamp,
        near: &str,
        reasons: &mut Vec<String>,
    ) -> MethodVerdict {
        match (intruders.first(), others.first()) {
            (Some(row), None) => {
                reasons.push(format!("only the intruder signed in {near} ({} at {})", row.ip, shown(row.at)));
                MethodVerdict::Attacker
            }
            (Some(_), Some(_)) => {
                reasons.push(format!("both the intruder and the user signed in {near}"));
                MethodVerdict::Unknown
            }
            (None, Some(_)) => {
                let known = others.iter().find_map(|row| {
                    if row.has_compliant_device() {
                        return Some(format!(
                            "the user signed in {near} on a compliant device ({} at {})",
                            row.ip,
                            shown(row.at)
                        ));
                    }
                    let why = self.own_address(row.ip.parse().ok()?, row.at)?;
                    Some(format!("the user signed in {near} ({} at {}): {why}", row.ip, shown(row.at)))
                });
                let Some(why) = known else { return self.by_time(at, reasons) };
                reasons.push(why);
                MethodVerdict::Owner
            }
            (None, None) => self.by_time(at, reasons),
        }
    }

    /// Judges what nothing but its moment speaks for.
    pub fn by_time(&self, at: Timestamp, reasons: &mut Vec<String>) -> MethodVerdict {
        if self.is_before(at) {
            reasons.push("it is older than the compromise".to_owned());
            MethodVerdict::UnknownOld
        } else {
            reasons.push("nothing tells who did it".to_owned());
            MethodVerdict::Unknown
        }
    }

    /// Judges what no record speaks of: older than the log, where that reaches back beyond the compromise.
    pub fn without_record(&self, reasons: &mut Vec<String>) -> MethodVerdict {
        let from = self.case.evidence.window.from;
        reasons.push(format!("no record of it since {}", shown(from)));
        match self.case.since {
            Some(since) if from < since => MethodVerdict::UnknownOld,
            Some(_) => {
                reasons.push("the log does not reach back to the compromise".to_owned());
                MethodVerdict::Unknown
            }
            None if self.all().next().is_none() => {
                reasons.push("no sign-in was read, so it is not known since when".to_owned());
                MethodVerdict::Unknown
            }
            None => MethodVerdict::UnknownOld,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::case::{Evidence, Indicator, Look, Subject, Window};
    use crate::investigate::sign_ins::tests::row;

    pub const EVIL: &str = "89.187.164.135";
    pub const HOME: &str = "188.250.61.14";

    pub fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A sign-in by the intruder or by the user, with or without a compliant device.
    pub fn sign_in(when: &str, ip: &str, app: &str, compliant: bool) -> SignIn {
        let mut row = row("", ip, "Mozilla/5.0", "s", compliant);
        row.id = format!("{when} {ip} {app}");
        row.at = at(when);
        row.app = app.into();
        row
    }

    /// A case in which every sign-in from [`EVIL`] is the intruder's, since the first of September.
    pub fn case(rows: Vec<SignIn>) -> Case {
        let intruder = rows.iter().filter(|row| &*row.ip == EVIL).map(|row| row.id.clone()).collect();
        Case {
            subject: Subject {
                id: "5f00aaaa-0000-4000-8000-000000000001".parse().unwrap(),
                upn: "maren.falk@fabrikam.com".parse().unwrap(),
                display_name: "Maren Falk".to_owned(),
                created_at: None,
                synced: false,
                guest: false,
                federated: Look::Read(false),
                enabled: true,
                restricted: false,
                roles: Look::Read(vec![]),
                in_role_assignable_group: Look::Read(false),
                password_changed_at: None,
                sessions_valid_from: None,
                last_sign_in: Look::Read(None),
            },
            indicators: vec![Indicator {
                kind: IndicatorKind::Address,
                value: EVIL.to_owned(),
                first_seen: None,
                last_seen: None,
                confidence: Confidence::High,
                reasons: vec![],
            }],
            since: Some(at("2026-09-10T00:00:00Z")),
            evidence: Evidence {
                window: Window { from: at("2026-08-20T00:00:00Z"), to: at("2026-09-15T00:00:00Z") },
                sign_ins: Look::Read(rows),
                audits: Look::Read(vec![]),
                methods: Look::Read(vec![]),
                intruder_sign_ins: intruder,
            },
        }
    }

    fn verdict(case: &Case, when: &str, ip: Option<&str>) -> MethodVerdict {
        let fits = |row: &SignIn| &*row.app == "Its App";
        let deed = Deed { at: at(when), ip: ip.map(|ip| ip.parse().unwrap()), fits: &fits };
        SignIns::of(case).whose(&deed, &mut Vec::new())
    }

    #[test]
    fn the_address_of_a_deed_decides_before_the_company_around_it() {
        let own = vec![
            sign_in("2026-09-11T10:00:00Z", HOME, "Mail", true),
            sign_in("2026-09-11T10:00:00Z", EVIL, "Mail", false),
        ];
        let case = case(own);
        for (ip, wanted) in [(EVIL, MethodVerdict::Attacker), (HOME, MethodVerdict::Owner)] {
            assert_eq!(verdict(&case, "2026-09-11T10:01:00Z", Some(ip)), wanted, "{ip}");
        }
        assert_eq!(verdict(&case, "2026-09-11T10:01:00Z", Some("5.62.20.30")), MethodVerdict::Unknown);
    }

    #[test]
    fn an_address_that_both_use_and_one_that_is_not_certain_decide_nothing() {
        let shared = case(vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Mail", true)]);
        let mut shared = shared;
        shared.evidence.intruder_sign_ins.clear();
        assert_eq!(verdict(&shared, "2026-09-12T10:00:00Z", Some(EVIL)), MethodVerdict::Unknown);
        let mut doubtful = case(vec![]);
        doubtful.indicators[0].confidence = Confidence::Medium;
        assert_eq!(verdict(&doubtful, "2026-09-12T10:00:00Z", Some(EVIL)), MethodVerdict::Unknown);
    }

    #[test]
    fn a_sign_in_to_just_that_tells_more_than_one_near_it() {
        let case = case(vec![
            sign_in("2026-09-11T10:00:00Z", HOME, "Mail", true),
            sign_in("2026-09-11T10:02:00Z", EVIL, "Its App", false),
        ]);
        assert_eq!(verdict(&case, "2026-09-11T10:03:00Z", None), MethodVerdict::Attacker);
    }

    #[test]
    fn where_nobody_is_near_the_moment_alone_decides() {
        let case = case(vec![]);
        assert_eq!(verdict(&case, "2026-09-01T10:00:00Z", None), MethodVerdict::UnknownOld);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", None), MethodVerdict::Unknown);
    }

    #[test]
    fn a_user_who_is_near_from_a_place_that_nobody_knows_is_no_proof_of_anything() {
        let strange = case(vec![sign_in("2026-09-11T10:00:00Z", "5.62.20.30", "Mail", false)]);
        assert_eq!(verdict(&strange, "2026-09-11T10:01:00Z", None), MethodVerdict::Unknown);
    }

    #[test]
    fn an_address_of_the_intruders_before_the_compromise_decides_nothing() {
        let case = case(vec![]);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", Some(EVIL)), MethodVerdict::Attacker);
        assert_eq!(verdict(&case, "2026-09-01T10:00:00Z", Some(EVIL)), MethodVerdict::Unknown);
    }

    #[test]
    fn without_a_record_a_thing_is_old_only_where_something_was_read_and_reaches_further_back() {
        let judged = |case: &Case| SignIns::of(case).without_record(&mut Vec::new());
        let mut case = case(vec![sign_in("2026-09-11T10:00:00Z", HOME, "Mail", true)]);
        assert_eq!(judged(&case), MethodVerdict::UnknownOld);
        case.since = Some(case.evidence.window.from);
        assert_eq!(judged(&case), MethodVerdict::Unknown);
        case.since = None;
        assert_eq!(judged(&case), MethodVerdict::UnknownOld);
        case.evidence.sign_ins = Look::Unread { why: "403".to_owned() };
        assert_eq!(judged(&case), MethodVerdict::Unknown);
    }
}
