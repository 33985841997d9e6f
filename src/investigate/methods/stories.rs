//! What the records tell of a method, story by story.

use serde_json::json;

use super::*;
use crate::case::Confidence;
use crate::case::ModifiedProperty;

const EVIL: &str = "89.187.164.135";
const OFFICE: &str = "203.0.113.1";
const ELSEWHERE: &str = "5.62.20.30";
const SINCE: &str = "2024-09-26T18:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn method(id: &str, kind: MethodKind, created: Option<&str>) -> AuthMethod {
    AuthMethod {
        id: id.parse().unwrap(),
        kind,
        name: "iPhone".to_owned(),
        device_tag: Some("SoftwareTokenActivated".to_owned()),
        app_version: Some("6.8.14".to_owned()),
        phone_type: None,
        created_at: created.map(at),
        last_used_at: None,
    }
}

fn record(when: &str, activity: &str, prose: &str, ip: Option<&str>) -> AuditRecord {
    AuditRecord {
        id: format!("{when} {activity} {prose} {ip:?}"),
        at: at(when),
        activity: activity.to_owned(),
        logged_by: "Authentication Methods".to_owned(),
        result_reason: prose.to_owned(),
        actor: AuditActor::User { id: None, upn: None, ip: ip.map(str::to_owned) },
        target: None,
        modified: vec![],
    }
}

fn registered(when: &str, prose: &str, ip: Option<&str>) -> AuditRecord {
    record(when, "User registered security info", prose, ip)
}

/// The ids before and after; a `…` at the end cuts the value off there.
fn change(when: &str, old: &str, new: &str) -> AuditRecord {
    let spell = |ids: &str| {
        let elements: Vec<_> = ids
            .split_whitespace()
            .filter(|id| *id != "…")
            .map(|id| json!({"Id": id, "DeviceName": "iPhone", "LastAuthenticatedTimestamp": "0001-01-01T00:00:00Z"}))
            .collect();
        let whole = json!(elements).to_string();
        Some(if ids.contains('…') { whole.trim_end_matches(']').to_owned() + ",{\"Dev" } else { whole })
    };
    AuditRecord {
        actor: AuditActor::App { name: "Azure MFA StrongAuthenticationService".to_owned() },
        modified: vec![ModifiedProperty {
            name: "StrongAuthenticationPhoneAppDetail".to_owned(),
            old_value: spell(old),
            new_value: spell(new),
        }],
        ..record(when, "Update user", "", None)
    }
}

fn sign_in(when: &str, ip: &str, app: &str, has_device: bool) -> SignIn {
    SignIn {
        ip: ip.into(),
        app: app.into(),
        client_app: "Browser".into(),
        device_id: has_device.then(|| "laptop".into()),
        compliant: has_device,
        ..SignIn::bare(&format!("{when} {ip} {app}"), at(when))
    }
}

struct Story {
    methods: Vec<AuthMethod>,
    audits: Vec<AuditRecord>,
    sign_ins: Vec<SignIn>,
    since: Option<&'static str>,
    window_from: &'static str,
}

impl Story {
    fn new(methods: Vec<AuthMethod>, audits: Vec<AuditRecord>) -> Self {
        let sign_ins = vec![sign_in("2024-09-20T08:00:00Z", OFFICE, "Outlook", true)];
        Self { methods, audits, sign_ins, since: Some(SINCE), window_from: "2024-09-05T00:00:00Z" }
    }

    fn judge(&self) -> Vec<JudgedMethod> {
        let indicators = [Indicator {
            kind: IndicatorKind::Address,
            value: EVIL.to_owned(),
            first_seen: None,
            last_seen: None,
            confidence: Confidence::High,
            reasons: vec![],
        }];
        let intruder: Vec<String> =
            self.sign_ins.iter().filter(|r| &*r.ip == EVIL).map(|r| r.id.clone()).collect();
        judge(
            self.methods.clone(),
            &Grounds {
                audits: &Look::Read(self.audits.clone()),
                sign_ins: &self.sign_ins,
                intruder: &intruder,
                indicators: &indicators,
                since: self.since.map(at),
                window: Window { from: at(self.window_from), to: at("2024-10-04T15:00:00Z") },
            },
        )
    }

    fn verdicts(&self) -> Vec<MethodVerdict> {
        self.judge().into_iter().map(|judged| judged.verdict).collect()
    }
}

use MethodVerdict::{Attacker, Owner, Unknown, UnknownOld};

fn app(id: &str) -> AuthMethod {
    method(id, MethodKind::Authenticator, None)
}

const AUTHENTICATOR: &str = "User registered Authenticator App with Notification and Code";

#[test]
fn an_app_goes_by_where_its_record_was_made_from() {
    for (ip, verdict) in [
        (Some(EVIL), Attacker),
        (Some(OFFICE), Owner),
        (Some(ELSEWHERE), Unknown),
        (Some("89.187.164.XXX"), Unknown),
        (None, Unknown),
    ] {
        let story = Story::new(
            vec![app("b")],
            vec![
                registered("2024-09-26T18:32:35Z", AUTHENTICATOR, ip),
                change("2024-09-26T18:31:12Z", "a", "a b"),
            ],
        );
        assert_eq!(story.verdicts(), [verdict], "{ip:?} {:?}", story.judge());
    }
}

#[test]
fn where_the_record_has_no_address_the_sign_ins_around_it_decide() {
    for (rows, verdict) in [
        (vec![sign_in("2024-09-26T18:30:00Z", EVIL, "My Signins", false)], Attacker),
        (vec![sign_in("2024-09-26T18:30:00Z", OFFICE, "My Signins", false)], Unknown),
        (vec![sign_in("2024-09-26T18:30:00Z", ELSEWHERE, "My Signins", true)], Owner),
        (vec![sign_in("2024-09-26T18:30:00Z", ELSEWHERE, "My Signins", false)], Unknown),
        (
            vec![
                sign_in("2024-09-26T18:30:00Z", EVIL, "Outlook", false),
                sign_in("2024-09-26T18:29:00Z", OFFICE, "Outlook", true),
            ],
            Unknown,
        ),
        (vec![sign_in("2024-09-26T18:50:00Z", EVIL, "My Signins", false)], Unknown),
    ] {
        let mut story = Story::new(vec![app("b")], vec![change("2024-09-26T18:31:12Z", "a", "a b")]);
        story.sign_ins.extend(rows.clone());
        assert_eq!(story.verdicts(), [verdict], "{rows:?} {:?}", story.judge());
    }
}

#[test]
fn two_records_at_once_from_both_leave_it_open() {
    let story = Story::new(
        vec![app("b")],
        vec![
            registered("2024-09-26T18:32:35Z", AUTHENTICATOR, Some(EVIL)),
            registered("2024-09-26T18:33:35Z", AUTHENTICATOR, Some(OFFICE)),
            change("2024-09-26T18:31:12Z", "a", "a b"),
        ],
    );
    assert_eq!(story.verdicts(), [Unknown]);
}

#[test]
fn a_record_of_another_kind_says_nothing_about_an_app() {
    let story = Story::new(
        vec![app("b")],
        vec![
            registered("2024-09-26T18:32:35Z", "User registered Phone", Some(EVIL)),
            registered("2024-09-26T18:31:35Z", AUTHENTICATOR, Some(OFFICE)),
            change("2024-09-26T18:31:12Z", "a", "a b"),
        ],
    );
    assert_eq!(story.verdicts(), [Owner]);
}

#[test]
fn a_refresh_is_no_registration_and_what_stood_before_is_older() {
    let story = Story::new(vec![app("a")], vec![change("2024-09-10T08:00:00Z", "a", "a")]);
    assert_eq!(story.verdicts(), [UnknownOld]);
    // The log's first record of it is from after the compromise, and the log goes back to before.
    let late = Story::new(vec![app("a")], vec![change("2024-09-28T08:00:00Z", "a", "a")]);
    assert_eq!(late.verdicts(), [UnknownOld]);
    let short = Story { window_from: SINCE, ..late };
    assert_eq!(short.verdicts(), [Unknown]);
}

#[test]
fn a_cut_off_value_proves_nothing_by_itself() {
    // `b` may have stood behind the cut.
    let cut = Story::new(vec![app("b")], vec![change("2024-09-26T18:31:12Z", "a …", "b a")]);
    assert_eq!(cut.verdicts(), [Unknown]);
    let recorded = Story::new(
        vec![app("b")],
        vec![
            registered("2024-09-26T18:32:35Z", AUTHENTICATOR, Some(EVIL)),
            change("2024-09-26T18:31:12Z", "a …", "b a"),
        ],
    );
    assert_eq!(recorded.verdicts(), [Attacker]);
    // An app that no whole element shows may have come with the record that is cut off behind the change.
    let hidden = Story::new(vec![app("c")], vec![change("2024-09-26T18:31:12Z", "a", "b a …")]);
    assert_eq!(hidden.verdicts(), [Unknown]);
}

#[test]
fn a_phone_goes_by_the_persons_record_alone() {
    let phone = |id| method(id, MethodKind::Phone, None);
    let by = |ip| registered("2024-09-26T18:40:00Z", "User registered Phone", Some(ip));
    assert_eq!(Story::new(vec![phone("p")], vec![by(EVIL)]).verdicts(), [Attacker]);
    assert_eq!(Story::new(vec![phone("p")], vec![by(OFFICE)]).verdicts(), [Owner]);
    assert_eq!(Story::new(vec![phone("p")], vec![]).verdicts(), [UnknownOld]);
    // Which of two it was cannot be told.
    assert_eq!(Story::new(vec![phone("p"), phone("q")], vec![by(EVIL)]).verdicts(), [Unknown, Unknown]);
    // What the intruder registered may be gone again.
    let gone = record("2024-09-26T19:00:00Z", "User deleted security info", "User deleted Phone", Some(EVIL));
    assert_eq!(Story::new(vec![phone("p")], vec![by(EVIL), gone]).verdicts(), [Unknown]);
}

#[test]
fn a_date_that_graph_gives_counts_and_the_record_near_it_decides() {
    let key = |created| method("k", MethodKind::Passkey, Some(created));
    let by = registered("2024-09-27T10:01:00Z", "User registered Fido2 security key", Some(EVIL));
    assert_eq!(Story::new(vec![key("2024-09-27T10:00:00Z")], vec![by.clone()]).verdicts(), [Attacker]);
    assert_eq!(Story::new(vec![key("2024-09-27T11:00:00Z")], vec![by.clone()]).verdicts(), [Unknown]);
    assert_eq!(Story::new(vec![key("2023-01-01T00:00:00Z")], vec![by]).verdicts(), [UnknownOld]);
}

#[test]
fn an_address_of_the_intruders_is_not_asked_alone() {
    let registered = |when: &str| vec![registered(when, AUTHENTICATOR, Some(EVIL)), change(when, "a", "a b")];
    let mut shared = Story::new(vec![app("b")], registered("2024-09-26T18:32:35Z"));
    assert_eq!(shared.verdicts(), [Attacker]);
    // The laptop was there too, if on another day.
    shared.sign_ins.push(sign_in("2024-09-12T08:00:00Z", EVIL, "Outlook", true));
    assert_eq!(shared.verdicts(), [Unknown]);
    let early = Story::new(vec![app("b")], registered("2024-09-20T18:32:35Z"));
    assert_eq!(early.verdicts(), [Unknown]);
    assert!(early.judge()[0].reasons.iter().any(|own| own.contains("older than the compromise")));
}

#[test]
fn a_cut_off_list_and_an_intruder_nearby_leave_it_open() {
    let mut story = Story::new(vec![app("b")], vec![change("2024-09-26T18:31:12Z", "a …", "b a")]);
    story.sign_ins.push(sign_in("2024-09-26T18:30:00Z", EVIL, "Outlook", false));
    assert_eq!(story.verdicts(), [Unknown]);
}

#[test]
fn an_address_that_the_users_own_device_shares_leaves_it_open() {
    let mut story = Story::new(
        vec![app("b")],
        vec![
            registered("2024-09-26T18:32:35Z", AUTHENTICATOR, Some(EVIL)),
            change("2024-09-26T18:31:12Z", "a", "a b"),
        ],
    );
    story.sign_ins.push(sign_in("2024-09-26T18:30:00Z", EVIL, "Outlook", true));
    assert_eq!(story.verdicts(), [Unknown]);
}

#[test]
fn an_app_behind_the_cut_is_not_taken_for_an_old_one() {
    let story = Story::new(
        vec![app("a"), app("c")],
        vec![
            change("2024-09-26T18:31:12Z", "a", "b a …"),
            registered("2024-09-26T18:32:35Z", AUTHENTICATOR, Some(EVIL)),
        ],
    );
    assert_eq!(story.verdicts(), [UnknownOld, Unknown]);
}

#[test]
fn an_app_whose_list_is_late_is_not_taken_for_an_old_one() {
    let story =
        Story::new(vec![app("c")], vec![registered("2024-09-26T18:32:35Z", AUTHENTICATOR, Some(EVIL))]);
    assert_eq!(story.verdicts(), [Unknown]);
}
