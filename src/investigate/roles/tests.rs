use super::*;
use crate::case::ActivityTarget;
use crate::investigate::whose::tests::{EVIL, HOME, at, case, sign_in};

const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GROUP: &str = "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e";
const ADMIN: &str = "5f00aaaa-0000-4000-8000-000000000009";

fn role(via: RoleVia) -> RoleAssignment {
    RoleAssignment {
        id: "lAPpYvVpN0KRkAEhdxReEJVj-1".to_owned(),
        role_id: USER_ADMINISTRATOR.to_owned(),
        template_id: USER_ADMINISTRATOR.to_owned(),
        name: "User Administrator".to_owned(),
        scope: "/".to_owned(),
        via,
    }
}

fn person(id: &str, ip: Option<&str>) -> AuditActor {
    AuditActor::User { id: Some(id.to_owned()), upn: None, ip: ip.map(str::to_owned) }
}

fn record(name: &str, when: &str, actor: AuditActor, target: (&str, &str)) -> Activity {
    Activity {
        id: format!("{name} {when} {actor:?}"),
        at: at(when),
        name: name.to_owned(),
        logged_by: "Core Directory".to_owned(),
        actor,
        succeeded: true,
        targets: vec![ActivityTarget {
            id: Some(target.1.to_owned()),
            kind: target.0.to_owned(),
            name: String::new(),
            modified: Vec::new(),
        }],
    }
}

fn given(when: &str, actor: AuditActor) -> Activity {
    record("Add member to role", when, actor, ("Role", USER_ADMINISTRATOR))
}

fn roles(held: Vec<RoleAssignment>, activities: Look<Vec<Activity>>) -> Roles {
    Roles { held: Look::Read(held), activities, givers: BTreeMap::new(), groups: BTreeMap::new() }
}

/// The verdict over a role that is held so, with these sign-ins and records.
fn verdict(via: RoleVia, rows: Vec<SignIn>, activities: Vec<Activity>) -> MethodVerdict {
    let case = case(rows);
    let found = roles(vec![role(via)], Look::Read(activities));
    judge(found.held.read().unwrap(), &found, &case)[0].verdict
}

fn subject() -> String {
    case(vec![]).subject.id.to_string()
}

#[test]
fn a_role_that_the_account_gave_itself_is_whose_session_it_was() {
    let when = "2026-09-11T10:02:00Z";
    for (ip, wanted) in [(EVIL, MethodVerdict::Attacker), (HOME, MethodVerdict::Owner)] {
        let rows = vec![sign_in("2026-09-11T10:00:00Z", ip, "Azure Portal", ip == HOME)];
        // The record's own address is Microsoft's, and says nothing.
        let own = given(when, person(&subject(), Some("20.190.160.14")));
        assert_eq!(verdict(RoleVia::Assignment, rows, vec![own]), wanted, "{ip}");
    }
    let nobody = given(when, person(&subject(), None));
    assert_eq!(verdict(RoleVia::Assignment, vec![], vec![nobody]), MethodVerdict::Unknown);
}

#[test]
fn a_role_that_another_gave_from_the_intruders_address_is_the_intruders() {
    let from = |ip| vec![given("2026-09-11T10:02:00Z", person(ADMIN, Some(ip)))];
    assert_eq!(verdict(RoleVia::Assignment, vec![], from(EVIL)), MethodVerdict::Attacker);
    // Any other administrator is asked.
    assert_eq!(verdict(RoleVia::Assignment, vec![], from(HOME)), MethodVerdict::Unknown);
}

#[test]
fn a_role_from_an_address_that_the_giver_or_the_user_shares_is_asked_about() {
    let record = given("2026-09-11T10:02:00Z", person(ADMIN, Some(EVIL)));
    let judged = |case: &Case, compliant: bool| {
        let mut found = roles(vec![role(RoleVia::Assignment)], Look::Read(vec![record.clone()]));
        let row = sign_in("2026-09-11T10:01:20Z", EVIL, "Azure Portal", compliant);
        found.givers.insert(record.id.clone(), Look::Read(vec![row]));
        judge(found.held.read().unwrap(), &found, case)[0].verdict
    };
    assert_eq!(judged(&case(vec![]), false), MethodVerdict::Attacker);
    assert_eq!(judged(&case(vec![]), true), MethodVerdict::Unknown);
    let mut shared = case(vec![sign_in("2026-09-11T09:00:00Z", EVIL, "Mail", true)]);
    shared.evidence.intruder_sign_ins.clear();
    assert_eq!(judged(&shared, false), MethodVerdict::Unknown);
}

#[test]
fn a_role_that_nobody_named_gave_is_the_intruders_only_where_the_account_could_give_it() {
    let case = case(vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)]);
    let service = || AuditActor::App { name: "MS-PIM".to_owned() };
    let other = |template: &str, via| RoleAssignment {
        id: "other".to_owned(),
        role_id: template.to_owned(),
        template_id: template.to_owned(),
        ..role(via)
    };
    let judged = |via: RoleVia, others: Vec<RoleAssignment>, actor: AuditActor| {
        let mut held = vec![role(via)];
        held.extend(others);
        let found = roles(held, Look::Read(vec![given("2026-09-11T10:02:00Z", actor)]));
        judge(found.held.read().unwrap(), &found, &case)[0].verdict
    };
    let global = "62e90394-69f5-4237-9190-012177145e10";
    let reader = "4a5d8f65-41da-4de4-8968-e035b65339cf";
    for actor in [service(), AuditActor::Unknown] {
        assert_eq!(judged(RoleVia::Assignment, vec![], actor.clone()), MethodVerdict::Unknown);
        let held = vec![other(reader, RoleVia::Assignment)];
        assert_eq!(judged(RoleVia::Assignment, held, actor.clone()), MethodVerdict::Unknown);
        let held = vec![other(global, RoleVia::Assignment)];
        assert_eq!(judged(RoleVia::Assignment, held, actor), MethodVerdict::Attacker);
    }
    // Whoever may activate a role does so by themselves.
    let held = vec![other(USER_ADMINISTRATOR, RoleVia::Eligibility)];
    assert_eq!(judged(RoleVia::Activation, held, service()), MethodVerdict::Attacker);
}

#[test]
fn a_role_that_the_group_was_given_since_the_compromise_is_asked_about() {
    let via = RoleVia::Group { id: GROUP.to_owned(), name: "Operators".to_owned() };
    let case = case(vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)]);
    let judged = |about: Look<Vec<Activity>>| {
        let mut found = roles(vec![role(via.clone())], Look::Read(vec![]));
        found.groups.insert(GROUP.to_owned(), about);
        judge(found.held.read().unwrap(), &found, &case)[0].verdict
    };
    let at = |when| Look::Read(vec![given(when, person(ADMIN, None))]);
    assert_eq!(judged(at("2026-09-11T10:02:00Z")), MethodVerdict::Unknown);
    assert_eq!(judged(at("2026-09-01T10:02:00Z")), MethodVerdict::UnknownOld);
    assert_eq!(judged(Look::Read(vec![])), MethodVerdict::UnknownOld);
    assert_eq!(judged(Look::Unread { why: "403".to_owned() }), MethodVerdict::Unknown);
}

#[test]
fn a_role_that_was_given_by_whom_the_intruder_was_signed_in_as_is_the_intruders() {
    let case = case(vec![]);
    let record = given("2026-09-11T10:02:00Z", person(ADMIN, Some("20.190.160.14")));
    let judged = |rows: Look<Vec<SignIn>>| {
        let mut found = roles(vec![role(RoleVia::Assignment)], Look::Read(vec![record.clone()]));
        found.givers.insert(record.id.clone(), rows);
        judge(found.held.read().unwrap(), &found, &case)[0].verdict
    };
    let at_page = |ip| {
        let mut row = sign_in("2026-09-11T10:01:20Z", ip, "Azure Portal", ip == HOME);
        row.app_id = Some("c44b4083-3bb0-49c1-b47d-974e53cbdf3c".into());
        row
    };
    let mail = sign_in("2026-09-11T10:03:00Z", HOME, "Mail", true);
    assert_eq!(judged(Look::Read(vec![at_page(EVIL)])), MethodVerdict::Attacker);
    assert_eq!(judged(Look::Read(vec![at_page(EVIL), mail])), MethodVerdict::Attacker);
    assert_eq!(judged(Look::Read(vec![at_page(EVIL), at_page(HOME)])), MethodVerdict::Unknown);
    assert_eq!(judged(Look::Read(vec![at_page(HOME)])), MethodVerdict::Unknown);
    assert_eq!(judged(Look::Unread { why: "403".to_owned() }), MethodVerdict::Unknown);
}

#[test]
fn a_role_that_was_held_before_is_never_taken_for_the_intruders() {
    let evil = || vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)];
    let old = given("2026-09-01T10:00:00Z", person(&subject(), None));
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![old]), MethodVerdict::UnknownOld);
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![]), MethodVerdict::UnknownOld);
    // Taken away and given again while the intruder was there: it had been held.
    let again = given("2026-09-11T10:02:00Z", person(&subject(), None));
    let taken = record(
        "Remove member from role",
        "2026-09-11T10:01:00Z",
        person(&subject(), None),
        ("Role", USER_ADMINISTRATOR),
    );
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![again.clone(), taken]), MethodVerdict::Unknown);
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![again]), MethodVerdict::Attacker);
}

#[test]
fn a_record_of_another_role_or_of_another_way_of_holding_it_tells_nothing() {
    let evil = || vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)];
    let when = "2026-09-11T10:02:00Z";
    let other = record(
        "Add member to role",
        when,
        person(&subject(), None),
        ("Role", "729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    );
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![other]), MethodVerdict::UnknownOld);
    let eligible = || {
        record(
            "Add eligible member to role in PIM completed (permanent)",
            when,
            person(&subject(), None),
            ("Role", USER_ADMINISTRATOR),
        )
    };
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![eligible()]), MethodVerdict::UnknownOld);
    assert_eq!(verdict(RoleVia::Eligibility, evil(), vec![eligible()]), MethodVerdict::Attacker);
    let mut failed = given(when, person(&subject(), None));
    failed.succeeded = false;
    assert_eq!(verdict(RoleVia::Assignment, evil(), vec![failed]), MethodVerdict::UnknownOld);
}

#[test]
fn of_the_two_records_of_one_change_the_persons_tells() {
    let service = AuditActor::App { name: "MS-PIM".to_owned() };
    let rows = vec![sign_in("2026-09-11T10:00:00Z", HOME, "Azure Portal", true)];
    let both = vec![
        given("2026-09-11T10:02:04Z", service),
        given("2026-09-11T10:02:00Z", person(ADMIN, Some(EVIL))),
    ];
    assert_eq!(verdict(RoleVia::Activation, rows, both), MethodVerdict::Attacker);
    let app = given("2026-09-11T10:02:00Z", AuditActor::App { name: "Provisioning".to_owned() });
    assert_eq!(verdict(RoleVia::Assignment, vec![], vec![app]), MethodVerdict::Unknown);
}

#[test]
fn a_role_through_a_group_is_judged_by_how_the_account_came_into_the_group() {
    let via = || RoleVia::Group { id: GROUP.to_owned(), name: "Operators".to_owned() };
    let rows = || vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)];
    let joined =
        record("Add member to group", "2026-09-11T10:02:00Z", person(&subject(), None), ("Group", GROUP));
    assert_eq!(verdict(via(), rows(), vec![joined]), MethodVerdict::Attacker);
    assert_eq!(verdict(via(), rows(), vec![]), MethodVerdict::UnknownOld);
}

#[test]
fn where_the_log_was_not_read_nothing_is_told() {
    let case = case(vec![]);
    let found = roles(vec![role(RoleVia::Assignment)], Look::Unread { why: "403".to_owned() });
    let judged = judge(found.held.read().unwrap(), &found, &case);
    assert_eq!(judged[0].verdict, MethodVerdict::Unknown);
    assert_eq!(judged[0].reasons, ["the audit log was not read: 403"]);
}

#[test]
fn a_role_that_is_held_twice_is_a_persons_to_tell_apart() {
    let case = case(vec![sign_in("2026-09-11T10:00:00Z", EVIL, "Azure Portal", false)]);
    let unit = RoleAssignment { scope: "/administrativeUnits/x".to_owned(), ..role(RoleVia::Assignment) };
    let held = vec![role(RoleVia::Assignment), unit];
    let record = given("2026-09-11T10:02:00Z", person(&subject(), None));
    let found = roles(held.clone(), Look::Read(vec![record]));
    assert!(judge(&held, &found, &case).iter().all(|own| own.verdict == MethodVerdict::Unknown));
}
