//! Whose each Temporary Access Pass is: the intruder's, where it was issued from the intruder's address, or the intruder
//! signed in with it. Nobody issues one for themselves (identity.md 5.6), so who was signed in around it tells nothing; a
//! pass that works still and that nobody knows of is asked about, however old it is.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::methods::{self, Grounds, is_indicator};
use super::whose::SignIns;
use crate::case::{
    AuditActor, AuditRecord, AuthMethod, Case, Indicator, Judged, Look, MethodVerdict, SignIn,
};
use crate::domain::shown;
use crate::graph::Pass;

/// The record of an issue stands this near to the date on the pass.
const NEAR_RECORD: SignedDuration = SignedDuration::from_mins(5);
/// What the log calls a sign-in with a pass.
const IN_THE_LOG: &str = "temporary access pass";

/// Judges every pass. `ours` are the ids of those that a run of our own has issued; where that is not known, nothing
/// tells for a pass.
pub fn judge(passes: &[Pass], ours: &Look<Vec<String>>, case: &Case) -> Vec<Judged<Pass>> {
    let sign_ins = SignIns::of(case);
    passes
        .iter()
        .map(|pass| {
            let mut reasons = Vec::new();
            let verdict = judge_one(pass, ours, case, &sign_ins, &mut reasons);
            Judged { object: pass.clone(), verdict, reasons }
        })
        .collect()
}

fn judge_one(
    pass: &Pass,
    ours: &Look<Vec<String>>,
    case: &Case,
    sign_ins: &SignIns<'_>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    if let Some(at) = pass.created_at {
        reasons.push(format!("issued {}, by its own date", shown(at)));
    }
    if by_use(pass.created_at, sign_ins.intruders(), reasons) {
        return MethodVerdict::Attacker;
    }
    match ours {
        Look::Read(ids) if ids.iter().any(|id| id == pass.id.as_str()) => {
            reasons.push("a run of stanch issued it".to_owned());
            return MethodVerdict::Owner;
        }
        Look::Read(_) => {}
        Look::Unread { why } => {
            reasons.push(format!("whether a run of stanch issued it is not known: {why}"));
        }
    }
    match &case.evidence.audits {
        Look::Unread { why } => reasons.push(format!("the audit log was not read: {why}")),
        Look::Read(audits) => match record_of(pass.created_at, audits) {
            None => {
                reasons.push(format!("no record of its issue since {}", shown(case.evidence.window.from)));
            }
            Some(record) => {
                let doubt = |ip| sign_ins.doubt(ip, record.at);
                return by_issuer(record, &case.indicators, &doubt, reasons);
            }
        },
    }
    if pass.created_at.is_some_and(|at| sign_ins.is_before(at)) {
        reasons.push("it is older than the compromise, and lets somebody in still".to_owned());
    }
    MethodVerdict::Unknown
}

/// Judges a pass among a user's methods, where the record of its issue names somebody else than the user: who was signed
/// in around it tells nothing then.
pub(super) fn issued_by_another(
    pass: &AuthMethod,
    grounds: &Grounds<'_>,
    reasons: &mut Vec<String>,
) -> Option<MethodVerdict> {
    let record = record_of(pass.created_at, grounds.audits.read()?)?;
    let is_users_own = match (&record.actor, &record.target) {
        (AuditActor::User { id: Some(id), .. }, Some(user)) => id.eq_ignore_ascii_case(user.as_str()),
        (AuditActor::User { .. } | AuditActor::App { .. }, _) => false,
        (AuditActor::Unknown, _) => true,
    };
    if is_users_own {
        return None;
    }
    let intruders =
        grounds.sign_ins.iter().filter(|row| row.error_code == 0 && grounds.intruder.contains(&row.id));
    if by_use(pass.created_at, intruders, reasons) {
        return Some(MethodVerdict::Attacker);
    }
    let doubt = |ip| methods::doubt(ip, record.at, grounds);
    Some(by_issuer(record, grounds.indicators, &doubt, reasons))
}

/// Whether the intruder signed in with a pass.
fn by_use<'a>(
    created: Option<Timestamp>,
    intruders: impl Iterator<Item = &'a SignIn>,
    reasons: &mut Vec<String>,
) -> bool {
    let mut used = intruders.filter(|row| {
        row.mfa_detail.to_lowercase().contains(IN_THE_LOG) && created.is_none_or(|at| row.at >= at)
    });
    let Some(row) = used.next() else { return false };
    reasons.push(format!("the intruder signed in with it ({} at {})", row.ip, shown(row.at)));
    true
}

/// The record next to the date on a pass that speaks of one; where there is none, of a method without saying which.
fn record_of(created: Option<Timestamp>, audits: &[AuditRecord]) -> Option<&AuditRecord> {
    let created = created?;
    let speaks_of_it = |record: &&AuditRecord| {
        let words = record.result_reason.to_lowercase();
        record.activity.to_lowercase().contains("registered security info")
            && (!names_its_method(record) || words.contains(IN_THE_LOG))
            && record.at.duration_since(created).abs() <= NEAR_RECORD
    };
    let near = audits.iter().filter(speaks_of_it);
    near.min_by_key(|record| (!names_its_method(record), record.at.duration_since(created).abs()))
}

fn names_its_method(record: &AuditRecord) -> bool {
    !record.result_reason.trim().is_empty()
}

/// Judges by who issued it. `doubt` tells what speaks against the issuer's address being the intruder's then.
fn by_issuer(
    record: &AuditRecord,
    indicators: &[Indicator],
    doubt: &dyn Fn(IpAddr) -> Option<String>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    let (by, ip) = match &record.actor {
        AuditActor::User { id, upn, ip } => {
            let who = upn.clone().or_else(|| id.clone()).unwrap_or_else(|| "somebody".to_owned());
            (who, ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok()))
        }
        AuditActor::App { name } => (format!("the app `{name}`"), None),
        AuditActor::Unknown => ("somebody whom the record does not name".to_owned(), None),
    };
    let from = ip.map_or_else(String::new, |ip| format!(" from {ip}"));
    reasons.push(format!("issued by {by}{from}, says the record of {}", shown(record.at)));
    if let Some(ip) = ip.filter(|ip| is_indicator(*ip, indicators)) {
        if let Some(why) = doubt(ip) {
            reasons.push(format!("{ip} counts as the intruder's, and yet {why}"));
        } else if names_its_method(record) {
            reasons.push(format!("{ip} is the intruder's"));
            return MethodVerdict::Attacker;
        } else {
            reasons.push(format!(
                "{ip} is the intruder's, and yet the record does not say that it was a pass that was issued"
            ));
        }
    }
    reasons.push("ask them for whom it was".to_owned());
    MethodVerdict::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::investigate::whose::tests::{EVIL, HOME, at, case, sign_in};

    const PASS: &str = "d4a7c9e1-5b62-4f0d-8e39-2c1f6ab07d58";
    const ADMIN: &str = "5f00aaaa-0000-4000-8000-000000000009";

    fn pass(created: &str) -> Pass {
        Pass {
            id: PASS.parse().unwrap(),
            created_at: Some(at(created)),
            usable: true,
            reason: "EnabledByPolicy".to_owned(),
        }
    }

    fn issued(when: &str, ip: &str) -> AuditRecord {
        AuditRecord {
            id: when.to_owned(),
            at: at(when),
            activity: "Admin registered security info".to_owned(),
            logged_by: "Authentication Methods".to_owned(),
            result_reason: "Admin registered temporary access pass method for user".to_owned(),
            actor: AuditActor::User {
                id: Some(ADMIN.to_owned()),
                upn: Some("admin@fabrikam.com".to_owned()),
                ip: Some(ip.to_owned()),
            },
            target: None,
            modified: Vec::new(),
        }
    }

    fn verdict(case: &Case, created: &str, ours: &[&str]) -> MethodVerdict {
        let ours = Look::Read(ours.iter().map(|&id| id.to_owned()).collect());
        judge(&[pass(created)], &ours, case)[0].verdict
    }

    #[test]
    fn a_pass_is_its_issuers_whose_address_the_log_knows() {
        for (ip, wanted) in [(EVIL, MethodVerdict::Attacker), (HOME, MethodVerdict::Unknown)] {
            let mut case = case(vec![]);
            case.evidence.audits = Look::Read(vec![issued("2026-09-11T10:00:04Z", ip)]);
            assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", &[]), wanted, "{ip}");
        }
    }

    #[test]
    fn a_pass_from_an_address_that_the_user_shares_or_from_before_the_compromise_is_asked_about() {
        let mut shared = case(vec![sign_in("2026-09-11T09:00:00Z", EVIL, "Mail", true)]);
        shared.evidence.intruder_sign_ins.clear();
        let mut early = case(vec![]);
        for (case, when) in [(&mut shared, "2026-09-11T10:00:04Z"), (&mut early, "2026-09-01T10:00:04Z")] {
            case.evidence.audits = Look::Read(vec![issued(when, EVIL)]);
            assert_eq!(verdict(case, when, &[]), MethodVerdict::Unknown, "{when}");
        }
    }

    #[test]
    fn a_record_that_names_a_pass_is_taken_before_a_nearer_one_that_names_nothing() {
        let bare = |ip| AuditRecord { result_reason: String::new(), ..issued("2026-09-11T10:00:01Z", ip) };
        let mut case = case(vec![]);
        case.evidence.audits = Look::Read(vec![bare(HOME), issued("2026-09-11T10:00:09Z", EVIL)]);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", &[]), MethodVerdict::Attacker);
        case.evidence.audits = Look::Read(vec![bare(EVIL), issued("2026-09-11T10:00:09Z", HOME)]);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", &[]), MethodVerdict::Unknown);
        case.evidence.audits = Look::Read(vec![bare(EVIL)]);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", &[]), MethodVerdict::Unknown);
    }

    #[test]
    fn a_pass_that_an_administrator_issued_before_is_asked_about_and_one_of_our_own_is_kept() {
        let mut case = case(vec![]);
        case.evidence.audits = Look::Read(vec![issued("2026-09-01T10:00:04Z", HOME)]);
        assert_eq!(verdict(&case, "2026-09-01T10:00:00Z", &[]), MethodVerdict::Unknown);
        assert_eq!(verdict(&case, "2026-09-01T10:00:00Z", &[PASS]), MethodVerdict::Owner);
        assert_eq!(verdict(&case, "2026-09-03T10:00:00Z", &[]), MethodVerdict::Unknown);
    }

    #[test]
    fn a_pass_that_the_intruder_signs_in_with_is_theirs_whoever_issued_it() {
        let mut row = sign_in("2026-09-11T10:05:00Z", EVIL, "Mail", false);
        row.mfa_detail = "Temporary Access Pass".into();
        let case = case(vec![row]);
        assert_eq!(verdict(&case, "2026-09-11T10:00:00Z", &[PASS]), MethodVerdict::Attacker);
        // One that was issued later is another.
        assert_eq!(verdict(&case, "2026-09-11T11:00:00Z", &[]), MethodVerdict::Unknown);
    }

    #[test]
    fn where_nobody_was_asked_nothing_is_told() {
        let mut case = case(vec![]);
        case.evidence.audits = Look::Unread { why: "403".to_owned() };
        let unknown = Look::Unread { why: "no record".to_owned() };
        let judged = judge(&[pass("2026-09-11T10:00:00Z")], &unknown, &case);
        assert_eq!(judged[0].verdict, MethodVerdict::Unknown);
        assert_eq!(judged[0].reasons.len(), 3, "{:?}", judged[0].reasons);
    }
}
