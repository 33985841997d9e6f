//! Whose the change of a password was: by its records in the audit log, which stand near the moment that the account
//! shows. One change writes several; whatever names a person counts before what a service says of itself.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::methods::is_indicator;
use super::whose::{Deed, SignIns};
use crate::case::{AuditActor, AuditRecord, Case, Look, MethodVerdict};
use crate::domain::{inert, shown};

/// Records of a change stand this near to the date on the account.
const NEAR: SignedDuration = SignedDuration::from_mins(2);

/// Whose a change is, in words too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChange {
    /// Whose it is: the owner's also where somebody else of the company's did it.
    pub verdict: MethodVerdict,
    /// Why.
    pub reasons: Vec<String>,
}

/// Judges the change of the subject's password at a moment; `Read(None)` where no record tells of it.
pub fn judge_password_change(case: &Case, changed: Timestamp) -> Look<Option<PasswordChange>> {
    case.evidence.audits.as_ref().map(|records| {
        let near = |record: &&AuditRecord| record.at.duration_since(changed).abs() <= NEAR;
        let found: Vec<&AuditRecord> =
            records.iter().filter(|record| is_change(record)).filter(near).collect();
        let (services, persons): (Vec<&AuditRecord>, Vec<&AuditRecord>) =
            found.into_iter().partition(|record| matches!(record.actor, AuditActor::App { .. }));
        let count = if persons.is_empty() { services } else { persons };
        count.into_iter().map(|record| judge_one(record, case)).max_by_key(|change| rank(change.verdict))
    })
}

/// The names are not fixed (policy-logs-auth.md 5.6): `Reset user password`, `Change password (self-service)`.
fn is_change(record: &AuditRecord) -> bool {
    let name = record.activity.to_lowercase();
    name.contains("password") && (name.starts_with("reset") || name.starts_with("change"))
}

/// The worst of several records counts.
fn rank(verdict: MethodVerdict) -> u8 {
    match verdict {
        MethodVerdict::Owner => 0,
        MethodVerdict::UnknownOld => 1,
        MethodVerdict::Unknown => 2,
        MethodVerdict::Attacker => 3,
    }
}

fn judge_one(record: &AuditRecord, case: &Case) -> PasswordChange {
    let subject = &case.subject;
    let by = |verdict, who: String| PasswordChange {
        verdict,
        reasons: vec![format!("`{}` {} by {who}", record.activity, shown(record.at))],
    };
    match &record.actor {
        // The record tells an app by its name alone, which whoever registers one chooses.
        AuditActor::App { name } => by(MethodVerdict::Unknown, format!("the app {}", inert(name))),
        AuditActor::Unknown | AuditActor::User { id: None, upn: None, .. } => {
            by(MethodVerdict::Unknown, "whom the record does not say".to_owned())
        }
        AuditActor::User { id, upn, ip } => {
            let is_subjects = id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(subject.id.as_str()))
                || upn.as_deref().is_some_and(|upn| upn.eq_ignore_ascii_case(subject.upn.as_str()));
            if !is_subjects {
                let who = upn.clone().or_else(|| id.clone()).unwrap_or_default();
                // An administrator's account may be the intruder's as well.
                let address = ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
                return match address.filter(|own| is_indicator(*own, &case.indicators)) {
                    Some(own) => {
                        by(MethodVerdict::Attacker, format!("{who} from {own}, which is the intruder's"))
                    }
                    None => by(MethodVerdict::Owner, who),
                };
            }
            let mut change = by(MethodVerdict::Unknown, "the account itself".to_owned());
            // What Core Directory logs is the address of a service (policy-logs-auth.md 5.5).
            let ip: Option<IpAddr> =
                ip.as_ref().filter(|_| record.logged_by != "Core Directory").and_then(|ip| ip.parse().ok());
            let deed = Deed { at: record.at, ip, fits: &|_| false };
            change.verdict = SignIns::of(case).whose(&deed, &mut change.reasons);
            change
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::investigate::whose::tests::{EVIL, HOME, at, case, sign_in};

    const CHANGED: &str = "2026-09-11T10:00:30Z";

    fn record(actor: AuditActor, when: &str, activity: &str) -> AuditRecord {
        AuditRecord {
            id: format!("{when} {activity}"),
            at: at(when),
            activity: activity.to_owned(),
            logged_by: "Self-service Password Management".to_owned(),
            result_reason: String::new(),
            actor,
            target: None,
            modified: vec![],
        }
    }

    fn from(ip: &str) -> AuditActor {
        AuditActor::User {
            id: Some("5f00aaaa-0000-4000-8000-000000000001".to_owned()),
            upn: None,
            ip: Some(ip.to_owned()),
        }
    }

    fn verdict(records: Vec<AuditRecord>) -> Option<MethodVerdict> {
        let mut case = case(vec![sign_in("2026-09-11T09:58:00Z", HOME, "Mail", true)]);
        case.evidence.audits = Look::Read(records);
        let Look::Read(change) = judge_password_change(&case, at(CHANGED)) else { panic!("unread") };
        change.map(|own| own.verdict)
    }

    #[test]
    fn another_users_change_from_the_intruders_address_is_the_intruders() {
        let by = |ip: &str| AuditActor::User {
            id: None,
            upn: Some("tenant.administrator@contoso.com".to_owned()),
            ip: Some(ip.to_owned()),
        };
        let reset = "Reset user password";
        assert_eq!(verdict(vec![record(by(EVIL), CHANGED, reset)]), Some(MethodVerdict::Attacker));
        assert_eq!(verdict(vec![record(by(HOME), CHANGED, reset)]), Some(MethodVerdict::Owner));
    }

    #[test]
    fn the_intruders_own_reset_is_the_intruders_whatever_a_service_says_beside_it() {
        let service = AuditActor::App { name: "Microsoft password reset service".to_owned() };
        let records = vec![
            record(service.clone(), CHANGED, "Reset user password"),
            record(from(EVIL), "2026-09-11T10:00:29Z", "Reset password (self-service)"),
        ];
        assert_eq!(verdict(records), Some(MethodVerdict::Attacker));
        // A name is all that the record tells of an app.
        assert_eq!(
            verdict(vec![record(service.clone(), CHANGED, "Reset user password")]),
            Some(MethodVerdict::Unknown)
        );
        let own = record(from(HOME), CHANGED, "Change password (self-service)");
        assert_eq!(
            verdict(vec![record(service, CHANGED, "Reset user password"), own]),
            Some(MethodVerdict::Owner)
        );
    }

    #[test]
    fn the_users_own_change_is_theirs_and_one_from_nowhere_is_nobodys() {
        let change = "Change password (self-service)";
        assert_eq!(verdict(vec![record(from(HOME), CHANGED, change)]), Some(MethodVerdict::Owner));
        // The user is near, from a place of their own, and the address in the record is unknown.
        assert_eq!(verdict(vec![record(AuditActor::Unknown, CHANGED, change)]), Some(MethodVerdict::Unknown));
    }

    #[test]
    fn a_record_of_another_time_or_of_something_else_tells_nothing() {
        assert_eq!(verdict(vec![record(from(EVIL), "2026-09-11T08:00:00Z", "Change user password")]), None);
        assert_eq!(
            verdict(vec![record(from(EVIL), CHANGED, "Self-service password reset flow activity")]),
            None
        );
    }
}
