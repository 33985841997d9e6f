//! Stories of sign-ins: a month of the user's own past, and what came then.

use jiff::{SignedDuration, Timestamp};

use super::tests::addresses;
use super::{Clues, IntruderSignIns, Tried, find_intruder};
use crate::case::{AuditActor, AuditRecord, Position, SecondFactor, SignIn};

const HOME: &str = "84.180.12.7";
const OFFICE: &str = "62.96.10.4";
const CARRIER: &str = "109.43.112.7";
const ELSEWHERE: &str = "93.206.44.9";
const HOSTED: &str = "45.155.204.11";
const LAPTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36";
const HOME_PC: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36";
const PROGRAM: &str = "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)";
const OUTLOOK: &str = "9199bf20-a13f-4107-85dc-02114787ef48";
const BERLIN: Position = Position { latitude: 52_520, longitude: 13_400 };
const LISBON: Position = Position { latitude: 38_720, longitude: -9_140 };

fn day(number: i64, hour: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    begin + SignedDuration::from_hours(number * 24 + hour)
}

struct Log {
    rows: Vec<SignIn>,
    audits: Vec<AuditRecord>,
}

/// A sign-in of a deviceless client, its second factor satisfied by a claim.
fn row(at: Timestamp, ip: &str, agent: &str, session: &str) -> SignIn {
    SignIn {
        ip: ip.into(),
        user_agent: agent.into(),
        session_id: Some(session.into()),
        interactive: false,
        place: "Berlin, DE".into(),
        country: "DE".into(),
        position: Some(BERLIN),
        app: "One Outlook Web".into(),
        app_id: Some(OUTLOOK.into()),
        second_factor: SecondFactor::ByClaim,
        ..SignIn::bare(&format!("{at} {ip} {session} {}", agent.len()), at)
    }
}

fn on_laptop(row: SignIn) -> SignIn {
    SignIn { device_id: Some("laptop".into()), compliant: true, ..row }
}

fn fresh(row: SignIn) -> SignIn {
    SignIn { interactive: true, second_factor: SecondFactor::Fresh, ..row }
}

fn failed(row: SignIn, code: i64) -> SignIn {
    SignIn { error_code: code, ..row }
}

fn abroad(row: SignIn) -> SignIn {
    SignIn { place: "Lisboa, PT".into(), country: "PT".into(), position: Some(LISBON), ..row }
}

impl Log {
    /// Some days of the laptop at home and in the office, and of the phone.
    fn of_days(days: std::ops::Range<i64>) -> Self {
        let mut rows = Vec::new();
        for number in days {
            let week = format!("laptop-{}", number / 7);
            rows.push(on_laptop(row(day(number, 7), HOME, LAPTOP, &week)));
            rows.push(on_laptop(row(day(number, 10), OFFICE, LAPTOP, &week)));
            if number % 3 == 0 {
                rows.push(fresh(row(day(number, 18), CARRIER, PHONE, &format!("phone-{}", number / 9))));
            }
        }
        Self { rows, audits: Vec::new() }
    }

    fn month() -> Self {
        Self::of_days(0..30)
    }

    fn with(mut self, rows: impl IntoIterator<Item = SignIn>) -> Self {
        self.rows.extend(rows);
        self
    }

    fn registered(mut self, at: Timestamp, ip: &str) -> Self {
        self.audits.push(AuditRecord {
            id: format!("{at}"),
            at,
            activity: "User registered security info".to_owned(),
            logged_by: "Authentication Methods".to_owned(),
            result_reason: "User registered Authenticator App with Notification and Code".to_owned(),
            actor: AuditActor::User { id: None, upn: None, ip: Some(ip.to_owned()) },
            target: None,
            modified: Vec::new(),
        });
        self
    }

    fn find(&self) -> IntruderSignIns {
        find_intruder(&self.rows, &Clues { audits: &self.audits, ..Clues::default() })
    }

    /// The finder must say the same whatever the order of the rows.
    fn found(&self) -> Vec<String> {
        let found = self.find();
        let mut turned = self.rows.clone();
        turned.reverse();
        let again = find_intruder(&turned, &Clues { audits: &self.audits, ..Clues::default() });
        assert_eq!(found.indicators, again.indicators);
        addresses(&found).into_iter().map(str::to_owned).collect()
    }
}

#[test]
fn a_month_of_the_users_own_is_nothing() {
    let found = Log::month().find();
    assert_eq!(found, IntruderSignIns::default());
}

#[test]
fn a_program_with_a_claim_in_outlook_is_the_intruder_and_so_is_all_that_it_is_tied_to() {
    let log = Log::month().with([
        row(day(25, 3), HOSTED, PROGRAM, "stolen"),
        row(day(25, 4), "45.155.204.200", PROGRAM, "stolen"),
        row(day(26, 4), ELSEWHERE, CHROME, "stolen"),
        row(day(27, 4), "194.26.135.71", PROGRAM, "another"),
    ]);
    assert_eq!(log.found(), ["45.155.204.11", "45.155.204.200", "93.206.44.9", "194.26.135.71"]);
    let found = log.find();
    assert_eq!(found.first, Some(day(25, 3)));
    assert_eq!(found.rows.len(), 4);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

#[test]
fn a_plain_browser_on_a_neighbours_line_in_the_laptops_own_session_is_the_intruder() {
    let log = Log::month().with([
        row(day(25, 8), ELSEWHERE, CHROME, "laptop-3"),
        row(day(25, 9), ELSEWHERE, CHROME, "laptop-3"),
    ]);
    assert_eq!(log.found(), [ELSEWHERE]);
    assert!(log.find().notes[0].contains("also used by a compliant device"), "{:?}", log.find().notes);
}

#[test]
fn a_phished_session_from_which_a_method_was_registered_is_the_intruders() {
    let log = Log::month()
        .with([
            abroad(fresh(row(day(25, 8), HOSTED, CHROME, "phished"))),
            abroad(row(day(25, 20), ELSEWHERE, CHROME, "phished")),
        ])
        .registered(day(25, 8), HOSTED);
    assert_eq!(log.found(), [HOSTED, ELSEWHERE]);
}

#[test]
fn who_travels_with_the_own_laptop_and_phone_is_the_user() {
    let hotel = "188.250.61.14";
    let log = Log::of_days(0..25).with([
        abroad(on_laptop(row(day(26, 9), hotel, LAPTOP, "laptop-3"))),
        abroad(fresh(row(day(26, 10), hotel, PHONE, "phone-hotel"))),
        // In the street, while the laptop at the hotel goes on.
        abroad(row(day(26, 12), "188.81.4.4", PHONE, "phone-hotel")),
    ]);
    assert_eq!(log.find().indicators, []);
}

#[test]
fn a_phone_that_travels_without_the_laptop_is_never_acted_on() {
    let log = Log::month().with([
        abroad(fresh(row(day(26, 8), "188.81.4.4", PHONE, "phone-abroad"))),
        abroad(row(day(26, 12), "188.81.9.9", PHONE, "phone-abroad")),
    ]);
    assert!(log.found().is_empty());
}

#[test]
fn a_new_phone_is_the_users_also_where_it_registers_its_app_on_the_street() {
    let new = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
    let log = Log::month()
        .with([
            fresh(row(day(25, 18), HOME, new, "new-phone")),
            row(day(26, 18), "80.187.3.3", new, "new-phone"),
            fresh(row(day(27, 18), "89.204.1.1", new, "new-phone-2")),
        ])
        .registered(day(25, 18), HOME)
        .registered(day(27, 18), "89.204.1.1");
    assert!(log.found().is_empty());
}

#[test]
fn a_friends_computer_with_a_fresh_second_factor_is_asked_about_at_most() {
    let log = Log::month().with([fresh(row(day(25, 20), ELSEWHERE, CHROME, "friend"))]);
    assert!(log.found().is_empty());
}

#[test]
fn the_home_computer_that_nobody_registered_is_not_the_intruders_though_its_session_was_stolen() {
    let own = (2..24).map(|number| row(day(number, 20), ELSEWHERE, HOME_PC, "home"));
    let begin = fresh(row(day(1, 20), ELSEWHERE, HOME_PC, "home"));
    let log = Log::month()
        .with([begin])
        .with(own)
        .with([row(day(24, 3), HOSTED, PROGRAM, "home"), row(day(24, 20), ELSEWHERE, HOME_PC, "home")]);
    assert_eq!(log.found(), [HOSTED]);
    assert!(log.find().notes.iter().any(|note| note.contains("from where they are known")));
}

#[test]
fn a_log_that_begins_after_the_theft_still_tells_the_program_and_its_session() {
    let log = Log::of_days(20..30)
        .with([row(day(20, 3), HOSTED, PROGRAM, "stolen"), row(day(22, 3), ELSEWHERE, CHROME, "stolen")]);
    assert_eq!(log.found(), [HOSTED, ELSEWHERE]);
}

#[test]
fn an_app_that_uses_its_grant_from_its_own_server_is_not_the_intruder() {
    let server = |number, ip| SignIn {
        app: "Calendar sync".into(),
        app_id: Some("0c7f2d5e-63a1-4d6b-9a41-8a1f0de0a001".into()),
        ..row(day(number, 2), ip, "python-requests/2.32.3", "grant")
    };
    let log = Log::month().with([server(20, "3.120.4.4"), server(21, "3.120.9.9"), server(22, "18.184.1.1")]);
    assert_eq!(log.find().indicators, []);
}

#[test]
fn failed_sign_ins_make_nothing_the_intruders_and_the_office_least_of_all() {
    let tries = (0..40).map(|minute| {
        let row = row(day(25, 10) + SignedDuration::from_mins(minute), OFFICE, PROGRAM, "spray");
        SignIn { session_id: None, ..failed(row, 50_126) }
    });
    let others = (0..9).map(|minute| {
        failed(row(day(25, 10) + SignedDuration::from_mins(minute), HOSTED, PROGRAM, "x"), 50_053)
    });
    assert_eq!(Log::month().with(tries).with(others).find(), IntruderSignIns::default());
}

#[test]
fn the_right_password_after_many_wrong_ones_without_a_second_factor_is_the_intruder() {
    let tries = (0..6).map(|minute| {
        failed(abroad(row(day(25, 1) + SignedDuration::from_mins(minute), HOSTED, CHROME, "x")), 50_126)
    });
    let hit = SignIn {
        second_factor: SecondFactor::NotAsked,
        interactive: true,
        ..abroad(row(day(25, 2), HOSTED, CHROME, "hit"))
    };
    assert_eq!(Log::month().with(tries).with([hit]).found(), [HOSTED]);
}

/// The right password from a new place, with no second factor asked for.
fn let_in_by_password(at: Timestamp) -> SignIn {
    SignIn {
        second_factor: SecondFactor::NotAsked,
        interactive: true,
        ..abroad(row(at, HOSTED, CHROME, "hit"))
    }
}

#[test]
fn a_slip_before_the_right_password_and_wrong_ones_after_it_are_no_guessing() {
    let wrong = |at: Timestamp| failed(abroad(row(at, HOSTED, CHROME, "x")), 50_126);
    let slips = (0..3).map(|minute| wrong(day(25, 1) + SignedDuration::from_mins(minute)));
    let later = (0..20).map(|minute| wrong(day(25, 3) + SignedDuration::from_mins(minute)));
    let log = Log::month()
        .with(slips)
        .with([let_in_by_password(day(25, 2)), let_in_by_password(day(25, 6))])
        .with(later);
    assert!(log.found().is_empty(), "{:?}", log.find().indicators);
}

#[test]
fn one_wrong_password_is_guessing_where_many_accounts_were_tried_from_there() {
    let wrong = failed(abroad(row(day(25, 1), HOSTED, CHROME, "x")), 50_126);
    let log = Log::month().with([wrong, let_in_by_password(day(25, 2))]);
    for (accounts, wanted) in [(2, &[][..]), (3, &[HOSTED])] {
        let tried = [Tried { network: "45.155.204.0/24".parse().unwrap(), before: day(25, 2), accounts }];
        let found = find_intruder(&log.rows, &Clues { tried: &tried, ..Clues::default() });
        assert_eq!(addresses(&found), wanted, "{accounts}");
    }
}

#[test]
fn an_hour_at_which_the_user_never_signs_in_is_told_and_makes_nothing_certain_by_itself() {
    let told = |hour: i64| {
        let found = Log::month().with([row(day(25, hour), ELSEWHERE, CHROME, "odd")]).find();
        assert!(addresses(&found).is_empty(), "{:?}", found.indicators);
        found.indicators.iter().flat_map(|own| &own.reasons).any(|reason| reason.contains("hours of the day"))
    };
    assert!(told(2));
    assert!(!told(11), "an hour beside the usual one");
}

#[test]
fn a_prompt_that_was_accepted_after_many_refusals_let_the_intruder_in() {
    let tries = (0..8).map(|minute| {
        failed(row(day(25, 1) + SignedDuration::from_mins(minute), HOSTED, CHROME, "x"), 500_121)
    });
    let hit = fresh(row(day(25, 1) + SignedDuration::from_mins(20), HOSTED, CHROME, "hit"));
    assert_eq!(Log::month().with(tries).with([hit]).found(), [HOSTED]);
}

#[test]
fn an_exit_that_the_users_own_laptop_uses_too_is_no_address_of_the_intruders() {
    let tunnel = "185.213.155.7";
    let log = Log::month().with([
        on_laptop(row(day(12, 9), tunnel, LAPTOP, "laptop-1")),
        row(day(25, 3), tunnel, PROGRAM, "stolen"),
        row(day(25, 4), HOSTED, PROGRAM, "stolen"),
    ]);
    assert_eq!(log.found(), [HOSTED]);
}

#[test]
fn masked_and_empty_addresses_hostile_words_and_no_rows_at_all_are_borne() {
    assert_eq!(Log { rows: Vec::new(), audits: Vec::new() }.find(), IntruderSignIns::default());
    let hostile = "node-fetch/\u{202e}1.0\u{1b}[2J <script>=1+1";
    let log = Log::month().with([
        row(day(25, 3), "203.0.113.XXX", PROGRAM, "stolen"),
        row(day(25, 4), "", PROGRAM, "stolen"),
        row(day(25, 5), HOSTED, hostile, "stolen"),
    ]);
    assert_eq!(log.found(), [HOSTED]);
    assert!(log.find().notes.iter().any(|note| note.contains("203.0.113.XXX")));
}
