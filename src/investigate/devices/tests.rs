//! What the records tell of a device, story by story.

use super::*;
use crate::case::ActivityTarget;
use crate::investigate::whose::tests::{EVIL, HOME, at, case, sign_in};

const DEVICE: &str = "1e911b9b-2227-48c5-a02b-2a7b64cf522e";
const DEVICE_ID: &str = "e9ce62bd-8e55-4e37-b6c0-9891771c9954";

fn device(registered: &str) -> Device {
    Device {
        id: DEVICE.to_owned(),
        device_id: DEVICE_ID.to_owned(),
        name: "DESKTOP-7Q2".to_owned(),
        os: "Windows".to_owned(),
        compliant: Some(false),
        managed: Some(false),
        trust_type: Some("Workplace".to_owned()),
        ownership: None,
        enabled: Some(true),
        registered_at: Some(at(registered)),
    }
}

fn record(when: &str, logged_by: &str, ip: Option<&str>) -> Activity {
    Activity {
        id: when.to_owned(),
        at: at(when),
        name: "Register device".to_owned(),
        logged_by: logged_by.to_owned(),
        actor: AuditActor::User { id: None, upn: None, ip: ip.map(str::to_owned) },
        succeeded: true,
        targets: vec![ActivityTarget {
            id: Some(DEVICE.to_owned()),
            kind: "Device".to_owned(),
            name: String::new(),
            modified: vec![],
        }],
    }
}

fn judged(device: Device, rows: Vec<SignIn>, records: Vec<Activity>) -> Judged<Device> {
    let found = Devices {
        devices: Look::Read(vec![device.clone()]),
        activities: [(device.id.clone(), Look::Read(records))].into(),
        by_user: Look::Read(vec![]),
    };
    judge(&[device], &found, &case(rows)).remove(0)
}

const WHEN: &str = "2026-09-11T10:00:00Z";

#[test]
fn a_device_registered_from_the_intruders_address_is_the_intruders() {
    let record = record("2026-09-11T10:00:02Z", "Device Registration Service", Some(EVIL));
    let own = judged(device(WHEN), vec![], vec![record]);
    assert_eq!(own.verdict, MethodVerdict::Attacker, "{:?}", own.reasons);
}

#[test]
fn a_device_registered_in_the_intruders_session_or_used_in_it_is_the_intruders() {
    let near = vec![sign_in("2026-09-11T09:59:00Z", EVIL, "Mail", false)];
    assert_eq!(judged(device(WHEN), near, vec![]).verdict, MethodVerdict::Attacker);
    let mut used = sign_in("2026-09-12T09:59:00Z", EVIL, "Mail", false);
    used.device_id = Some(DEVICE_ID.to_uppercase().into());
    assert_eq!(judged(device(WHEN), vec![used], vec![]).verdict, MethodVerdict::Attacker);
}

#[test]
fn the_users_own_device_stays_also_when_it_came_in_the_window() {
    let near = vec![sign_in("2026-09-11T09:59:00Z", HOME, "Mail", true)];
    assert_eq!(judged(device(WHEN), near, vec![]).verdict, MethodVerdict::Owner);
    assert_eq!(judged(device("2026-08-25T10:00:00Z"), vec![], vec![]).verdict, MethodVerdict::UnknownOld);
}

#[test]
fn a_device_that_the_company_has_in_hand_is_never_acted_on_without_asking() {
    let near = vec![sign_in("2026-09-11T09:59:00Z", EVIL, "Mail", false)];
    let mut managed = device(WHEN);
    managed.managed = Some(true);
    assert_eq!(judged(managed.clone(), near, vec![]).verdict, MethodVerdict::Unknown);
    assert_eq!(judged(managed, vec![], vec![]).verdict, MethodVerdict::Owner);
}

#[test]
fn the_address_of_a_service_is_not_the_persons() {
    for (logged_by, ip) in [("Core Directory", EVIL), ("Device Registration Service", "40.96.0.9")] {
        let own = judged(device(WHEN), vec![], vec![record(WHEN, logged_by, Some(ip))]);
        assert_eq!(own.verdict, MethodVerdict::Unknown, "{logged_by} {ip}: {:?}", own.reasons);
    }
}

#[test]
fn what_tells_both_ways_is_asked_about() {
    let mut used = sign_in("2026-09-12T09:59:00Z", HOME, "Mail", false);
    used.compliant = true;
    used.device_id = Some(DEVICE_ID.into());
    let near = sign_in("2026-09-11T09:59:00Z", EVIL, "Mail", false);
    assert_eq!(judged(device(WHEN), vec![used, near], vec![]).verdict, MethodVerdict::Unknown);
}
