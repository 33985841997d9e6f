//! What the records tell of a consent, story by story.

use super::*;
use crate::case::{ActivityTarget, AppUse, AuditActor, ModifiedProperty};
use crate::investigate::whose::tests::{EVIL, HOME, at, case, sign_in};

const APP: &str = "aa6db6ab-6c0f-4e90-8b1d-6ae2f7d1c3a0";
const WHEN: &str = "2026-09-11T10:00:00Z";

fn grant() -> AppGrant {
    AppGrant {
        id: "q7Zt1m".to_owned(),
        client_id: APP.to_owned(),
        resource_id: "4d90f1c2-73ab-4e58-9f20-b1c6d8e7a954".to_owned(),
        tenant_wide: false,
        scopes: vec!["Mail.Read".to_owned(), "offline_access".to_owned()],
        app: Look::Read(AppBrief {
            id: APP.to_owned(),
            app_id: "11110000-0000-4000-8000-000000000011".to_owned(),
            name: "eM Client".to_owned(),
            publisher: String::new(),
            verified_publisher: None,
            owner_tenant: Some("7c1f0000-1111-4222-8333-444455556666".to_owned()),
            enabled: Some(true),
            created_at: Some(at("2026-09-11T09:59:00Z")),
        }),
        used_by: Look::Read(AppUse::default()),
    }
}

fn consent(when: &str) -> Activity {
    Activity {
        id: when.to_owned(),
        at: at(when),
        name: "Consent to application".to_owned(),
        logged_by: "Core Directory".to_owned(),
        // Microsoft's own, not the person's.
        actor: AuditActor::User { id: None, upn: None, ip: Some("4.231.10.7".to_owned()) },
        succeeded: true,
        targets: vec![ActivityTarget {
            id: Some(APP.to_owned()),
            kind: "ServicePrincipal".to_owned(),
            name: "eM Client".to_owned(),
            modified: vec![],
        }],
    }
}

fn judged(rows: Vec<crate::case::SignIn>, records: Vec<Activity>) -> Judged<AppGrant> {
    let consents = Consents { grants: Look::Read(vec![grant()]), activities: Look::Read(records) };
    judge(&[grant()], &consents, &case(rows)).remove(0)
}

#[test]
fn a_consent_in_the_intruders_session_is_the_intruders() {
    let own = judged(vec![sign_in("2026-09-11T09:58:00Z", EVIL, "eM Client", false)], vec![consent(WHEN)]);
    assert_eq!(own.verdict, MethodVerdict::Attacker, "{:?}", own.reasons);
    assert!(own.reasons.iter().any(|why| why == "it may Mail.Read"), "{:?}", own.reasons);
    assert!(own.reasons.iter().any(|why| why.contains("not verified")), "{:?}", own.reasons);
}

/// Judges a grant that is not quite the usual one.
fn judged_as(change: impl FnOnce(&mut AppGrant), case: &Case, records: Vec<Activity>) -> Judged<AppGrant> {
    let mut own = grant();
    change(&mut own);
    let consents = Consents { grants: Look::Read(vec![own.clone()]), activities: Look::Read(records) };
    judge(&[own], &consents, case).remove(0)
}

fn app_of(grant: &mut AppGrant) -> &mut AppBrief {
    let Look::Read(app) = &mut grant.app else { unreachable!() };
    app
}

#[test]
fn a_users_own_consent_to_an_app_that_nobody_knows_is_asked_about() {
    let rows = || vec![sign_in("2026-09-11T09:58:00Z", HOME, "eM Client", true)];
    let own = judged(rows(), vec![consent(WHEN)]);
    assert_eq!(own.verdict, MethodVerdict::Unknown, "{:?}", own.reasons);
    assert!(own.reasons.iter().any(|why| why.contains("as whoever is led to it does")), "{:?}", own.reasons);
    let known: [fn(&mut AppGrant); 4] = [
        |own| app_of(own).verified_publisher = Some("Woodgrove".to_owned()),
        |own| app_of(own).created_at = Some(at("2025-01-11T09:59:00Z")),
        |own| own.used_by = Look::Read(AppUse { tenant_wide: false, others: vec!["another".to_owned()] }),
        |own| own.scopes = vec!["User.Read".to_owned()],
    ];
    for (place, change) in known.into_iter().enumerate() {
        let own = judged_as(change, &case(rows()), vec![consent(WHEN)]);
        assert_eq!(own.verdict, MethodVerdict::Owner, "{place}: {:?}", own.reasons);
    }
}

#[test]
fn an_app_that_nobody_knows_is_the_intruders_where_a_place_that_it_acts_from_is_certainly_so() {
    let rows = vec![
        sign_in("2026-09-11T09:58:00Z", HOME, "eM Client", true),
        sign_in("2026-09-11T14:00:00Z", EVIL, "eM Client", false),
    ];
    let mut suspicious = case(rows);
    suspicious.evidence.intruder_sign_ins.clear();
    for (confidence, wanted) in [
        (crate::case::Confidence::High, MethodVerdict::Attacker),
        (crate::case::Confidence::Medium, MethodVerdict::Unknown),
        (crate::case::Confidence::Low, MethodVerdict::Unknown),
    ] {
        suspicious.indicators[0].confidence = confidence;
        let own = judged_as(|_| {}, &suspicious, vec![consent(WHEN)]);
        assert_eq!(own.verdict, wanted, "{:?}", own.reasons);
    }
    suspicious.indicators[0].confidence = crate::case::Confidence::High;
    // What it also does from elsewhere speaks for the user.
    let Look::Read(rows) = &mut suspicious.evidence.sign_ins else { unreachable!() };
    rows.push(sign_in("2026-09-12T14:00:00Z", HOME, "eM Client", true));
    let own = judged_as(|_| {}, &suspicious, vec![consent(WHEN)]);
    assert_eq!(own.verdict, MethodVerdict::Owner, "{:?}", own.reasons);
}

#[test]
fn an_app_that_the_user_was_led_to_and_that_acts_from_the_intruders_place_is_the_intruders() {
    let rows = vec![
        sign_in("2026-09-11T09:58:00Z", HOME, "eM Client", true),
        sign_in("2026-09-11T14:00:00Z", EVIL, "eM Client", false),
    ];
    assert_eq!(judged(rows.clone(), vec![consent(WHEN)]).verdict, MethodVerdict::Attacker);
    // One that the user goes on using is another thing.
    let mut used = rows;
    used.push(sign_in("2026-09-12T09:00:00Z", HOME, "eM Client", true));
    assert_eq!(judged(used, vec![consent(WHEN)]).verdict, MethodVerdict::Owner);
}

#[test]
fn a_consent_older_than_the_log_or_the_compromise_is_kept_as_such() {
    assert_eq!(judged(vec![], vec![]).verdict, MethodVerdict::UnknownOld);
    assert_eq!(judged(vec![], vec![consent("2026-09-01T10:00:00Z")]).verdict, MethodVerdict::UnknownOld);
}

#[test]
fn a_consent_with_nobody_near_it_is_asked_about() {
    assert_eq!(judged(vec![], vec![consent(WHEN)]).verdict, MethodVerdict::Unknown);
}

#[test]
fn a_grant_is_dated_also_by_the_record_of_what_it_opens() {
    let mut record = consent(WHEN);
    "Add delegated permission grant".clone_into(&mut record.name);
    record.targets[0].id = Some("4d90f1c2-73ab-4e58-9f20-b1c6d8e7a954".to_owned());
    record.targets[0].modified = vec![ModifiedProperty {
        name: "ServicePrincipal.ObjectID".to_owned(),
        old_value: None,
        new_value: Some(format!("\"{APP}\"")),
    }];
    let rows = vec![sign_in("2026-09-11T09:58:00Z", EVIL, "Mail", false)];
    assert_eq!(judged(rows, vec![record]).verdict, MethodVerdict::Attacker);
}

#[test]
fn an_app_of_microsofts_is_taken_for_nobodys_by_what_it_may_do() {
    let mut own = grant();
    let Look::Read(app) = &mut own.app else { panic!() };
    app.owner_tenant = Some("F8CDEF31-A31E-4B4A-93E4-5F571E91255A".to_owned());
    let consents =
        Consents { grants: Look::Read(vec![own.clone()]), activities: Look::Read(vec![consent(WHEN)]) };
    assert_eq!(judge(&[own], &consents, &case(vec![])).remove(0).verdict, MethodVerdict::UnknownOld);
}

#[test]
fn without_the_audit_log_nothing_is_concluded() {
    let consents =
        Consents { grants: Look::Read(vec![grant()]), activities: Look::Unread { why: "403".to_owned() } };
    let own = judge(&[grant()], &consents, &case(vec![])).remove(0);
    assert_eq!(own.verdict, MethodVerdict::Unknown);
    assert!(own.reasons[0].contains("not read"), "{:?}", own.reasons);
}
