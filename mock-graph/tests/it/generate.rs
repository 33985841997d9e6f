//! Generated cases: the same from the same seed, whole, and true to themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use mock_graph::attacker::{AttemptRequest, Door, attempt};
use mock_graph::generate::Twist;
use mock_graph::tenant::Tenant;
use mock_graph::{Kind, Settings, generate, layout};
use serde_json::Value;

use crate::wire::{RESPONDER, Wire};

/// So many seeds of each kind: 304 cases.
const SEEDS: u64 = 38;

/// A case as it would stand in a file.
struct Made {
    name: String,
    kind: Kind,
    text: String,
    truth: Value,
}

impl Made {
    fn tenant(&self) -> Tenant {
        Tenant::from_json(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// All of them, made once.
static CASES: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let seeds = Kind::ALL.into_iter().flat_map(|kind| (0..SEEDS).map(move |seed| (kind, seed)));
    seeds
        .map(|(kind, seed)| {
            let case = generate(kind, seed);
            Made { name: format!("{kind} {seed}"), kind, text: layout(&case.tenant), truth: case.truth }
        })
        .collect()
});

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("no {key}"))
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn column(rows: &[Value], key: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}

fn ids(list: &[Value]) -> BTreeSet<String> {
    column(list, "id")
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_another_case() {
    for kind in Kind::ALL {
        let (one, again, other) = (generate(kind, 7), generate(kind, 7), generate(kind, 8));
        assert_eq!(layout(&one.tenant), layout(&again.tenant));
        assert_eq!(layout(&one.truth), layout(&again.truth));
        assert_ne!(layout(&one.tenant), layout(&other.tenant));
    }
}

#[test]
fn the_layout_says_the_same_as_the_value() {
    let case = generate(Kind::Bec, 3);
    assert_eq!(serde_json::from_str::<Value>(&layout(&case.tenant)).unwrap(), case.tenant);
    assert_eq!(serde_json::from_str::<Value>(&layout(&case.truth)).unwrap(), case.truth);
}

#[test]
fn the_mock_takes_every_case_as_it_stands_and_its_intruder_is_in() {
    for made in CASES.iter() {
        let mut tenant = made.tenant();
        tenant.settle();
        assert_eq!(made.kind.has_intruder(), !tenant.attackers.is_empty(), "{}", made.name);
        for attacker in &tenant.attackers {
            let now = tenant.clock.unwrap();
            let outcome = attempt(&tenant, attacker, &AttemptRequest::default(), now).unwrap();
            // A password alone is no way in where a second factor is asked for, nor is one method of an administrator's.
            let closed: Vec<_> = outcome
                .paths
                .iter()
                .filter(|path| path.outcome == Door::Closed && path.path != "password_alone")
                .filter(|path| path.by.as_deref() != Some("administrators need two methods to reset"))
                .collect();
            assert!(outcome.is_in && closed.is_empty(), "{}: {closed:?}", made.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_made_case_is_served_as_any_other() {
    for kind in Kind::ALL {
        let case = generate(kind, 1);
        let id = case.tenant["tenant"]["id"].as_str().unwrap();
        let wire = Wire::of(&case.tenant, Settings::default());
        let user = case.tenant["users"][0]["id"].as_str().unwrap();
        let token = wire.token_in(id, RESPONDER, "responder-secret").await;
        let filter =
            "signInEventTypes/any(t:t%20eq%20'interactiveUser'%20or%20t%20eq%20'nonInteractiveUser')";
        for (path, least) in [
            (format!("/beta/auditLogs/signIns?$filter=userId%20eq%20'{user}'%20and%20{filter}"), 20),
            (format!("/beta/users/{user}/authentication/methods"), 2),
            (format!("/v1.0/users/{user}/mailFolders/inbox/messageRules"), 1),
            (format!("/v1.0/users/{user}/oauth2PermissionGrants"), 1),
            (format!("/v1.0/users/{user}/registeredDevices"), 1),
            ("/v1.0/auditLogs/directoryAudits".to_owned(), 0),
            ("/v1.0/identity/conditionalAccess/policies".to_owned(), 1),
        ] {
            let answer = wire.call_as(&token, "GET", &path, Value::Null).await;
            assert_eq!(answer.status, 200, "{kind} {path}: {answer:?}");
            let found = answer.body["value"].as_array().unwrap().len();
            assert!(found >= least, "{kind} {path}: {found}");
        }
    }
}

#[test]
fn the_truth_speaks_of_what_is_there() {
    for made in CASES.iter() {
        let (name, truth) = (&made.name, &made.truth);
        let tenant = made.tenant();
        let by_user = |lists: &BTreeMap<String, Vec<Value>>| {
            lists.values().flat_map(|list| ids(list)).collect::<BTreeSet<String>>()
        };
        let known: [(&[&str], BTreeSet<String>); 6] = [
            (&["rogueMethods", "keepMethods"], by_user(&tenant.authentication_methods)),
            (&["rogueRules", "keepRules"], by_user(&tenant.message_rules)),
            (&["rogueGrants", "keepGrants"], ids(&tenant.oauth2_permission_grants)),
            (&["rogueDevices", "keepDevices"], ids(&tenant.devices)),
            (&["rogueRoles"], ids(&tenant.role_assignments)),
            (&["rogueApps"], ids(&tenant.service_principals)),
        ];
        for (keys, there) in &known {
            for id in keys.iter().flat_map(|key| texts(truth, key)) {
                assert!(there.contains(id), "{name}: {id} is not there");
            }
        }
        let all: BTreeSet<&String> = known.iter().flat_map(|(_, there)| there).collect();
        let mut addresses = column(&tenant.sign_ins, "ipAddress");
        addresses.extend(column(&tenant.message_traces, "fromIP"));
        for ip in ["attackerIps", "benignIps", "triedIps"].iter().flat_map(|key| texts(truth, key)) {
            assert!(addresses.contains(ip), "{name}: nothing comes from {ip}");
        }
        for id in texts(truth, "askable") {
            assert!(addresses.contains(id) || all.contains(&id.to_owned()), "{name}: {id} is not there");
        }
        let there =
            |key: &str, column: &BTreeSet<String>| texts(truth, key).iter().all(|id| column.contains(*id));
        assert!(there("sessionIds", &column(&tenant.sign_ins, "sessionId")), "{name}");
        assert!(there("userAgents", &column(&tenant.sign_ins, "userAgent")), "{name}");
        assert!(there("recipients", &column(&tenant.message_traces, "recipientAddress")), "{name}");
        assert!(there("victims", &column(&tenant.users, "userPrincipalName")), "{name}");
    }
}

#[test]
fn nothing_is_both_the_intruders_and_somebody_elses() {
    for made in CASES.iter() {
        let (name, truth) = (&made.name, &made.truth);
        let askable = texts(truth, "askable");
        for (rogue, others) in [
            ("attackerIps", &["benignIps", "triedIps"][..]),
            ("triedIps", &["benignIps"]),
            ("rogueMethods", &["keepMethods"]),
            ("rogueRules", &["keepRules"]),
            ("rogueGrants", &["keepGrants"]),
            ("rogueDevices", &["keepDevices"]),
        ] {
            for id in texts(truth, rogue) {
                let kept = others.iter().any(|key| texts(truth, key).contains(&id));
                assert!(!kept && !askable.contains(&id), "{name}: {rogue} {id}");
            }
        }
        for kept in ["benignIps", "keepMethods", "keepRules", "keepGrants", "keepDevices"] {
            assert!(texts(truth, kept).iter().all(|id| !askable.contains(id)), "{name}: {kept}");
        }
    }
}

#[test]
fn an_intruders_address_is_public_and_not_microsofts() {
    for made in CASES.iter() {
        let name = &made.name;
        for ip in texts(&made.truth, "attackerIps") {
            let parsed: IpAddr = ip.parse().unwrap_or_else(|_| panic!("{name}: {ip}"));
            assert_eq!(parsed.to_string(), ip, "{name}: not the canonical text");
            if let IpAddr::V4(ip) = parsed {
                let first = ip.octets()[0];
                let odd = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
                assert!(
                    !odd && ![4, 13, 20, 40, 52, 100, 104].contains(&first) && first < 224,
                    "{name}: {ip}"
                );
            }
        }
    }
}

#[test]
fn an_intruder_shows_where_the_truth_says_so_and_nobody_else_is_blamed() {
    for made in CASES.iter() {
        let (name, kind) = (&made.name, made.kind);
        let found = texts(&made.truth, "attackerIps");
        assert_eq!(kind.has_intruder(), !found.is_empty(), "{name}");
        assert_eq!(kind.has_intruder(), made.truth["since"].is_string(), "{name}");
        if !kind.has_intruder() {
            for key in
                ["rogueMethods", "rogueRules", "rogueGrants", "rogueDevices", "rogueRoles", "sessionIds"]
            {
                assert!(texts(&made.truth, key).is_empty(), "{name}: {key}");
            }
        }
    }
}

#[test]
fn every_twist_and_every_finding_occurs() {
    let mut twists: BTreeSet<String> = BTreeSet::new();
    let mut findings: BTreeSet<&str> = BTreeSet::new();
    let keys = [
        "attackerIps",
        "sessionIds",
        "userAgents",
        "rogueMethods",
        "keepMethods",
        "rogueRules",
        "keepRules",
        "rogueGrants",
        "keepGrants",
        "rogueApps",
        "rogueDevices",
        "keepDevices",
        "rogueRoles",
        "recipients",
        "benignIps",
        "triedIps",
        "askable",
    ];
    for case in CASES.iter() {
        twists.extend(texts(&case.truth, "twists").into_iter().map(str::to_owned));
        findings.extend(keys.into_iter().filter(|key| !texts(&case.truth, key).is_empty()));
    }
    let missing: Vec<_> =
        Twist::ALL.iter().map(|twist| twist.name()).filter(|name| !twists.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(findings.len(), keys.len(), "{findings:?}");
}

#[test]
fn the_made_cases_in_the_repository_are_what_their_seeds_make() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    for kind in Kind::ALL {
        let folder = cases.join(format!("made-{kind}"));
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let readme = read("README.md");
        let command = readme.lines().find(|line| line.contains("mock-graph generate")).unwrap();
        let seed = command.split_whitespace().skip_while(|word| *word != "--seed").nth(1).unwrap();
        let case = generate(kind, seed.parse().unwrap());
        for (name, value) in [("tenant.json", &case.tenant), ("truth.json", &case.truth)] {
            // Not `assert_eq`: nobody reads hundreds of kilobytes.
            assert!(read(name) == layout(value), "{name} differs; make it again: {}", command.trim());
        }
    }
}
