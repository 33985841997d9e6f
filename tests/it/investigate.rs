//! `stanch investigate`: every finding of the reference case, in every form; nothing written; what is not read is said.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stanch::engine::{Investigator, Question};
use stanch::report::{InvestigationReport, investigation_markdown, investigation_text, stix_bundle};

use crate::processes::{Mock, program, stanch};
use crate::schemas::fits;
use crate::world::{World, case_tenant};

fn investigator(world: &World) -> Investigator {
    Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: std::sync::Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    }
}

async fn report(world: &World) -> InvestigationReport {
    let request = Question { user: world.victim().to_owned(), ..Question::default() };
    investigator(world).report(&request).await.unwrap()
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// The document that a case's investigation prints.
async fn document(world: &World) -> Value {
    serde_json::to_value(report(world).await).unwrap()
}

fn values<'v>(report: &'v Value, kind: &str) -> BTreeSet<&'v str> {
    let all = report["indicators"].as_array().unwrap().iter();
    all.filter(|own| own["kind"] == kind && own["confidence"] == "high")
        .map(|own| own["value"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn on_the_reference_case_every_finding_comes_out_and_nothing_is_written() {
    let world = World::case("bec-node-fetch");
    let before = world.digest().await;
    let found = document(&world).await;
    assert_eq!(values(&found, "address"), texts(&world.truth["attackerIps"]));
    assert_eq!(values(&found, "session"), texts(&world.truth["sessionIds"]));
    assert_eq!(values(&found, "user_agent"), texts(&world.truth["userAgents"]));
    assert_eq!(found["since"], world.truth["since"]);
    let verdict = |id: &Value| {
        let methods = found["methods"].as_array().unwrap();
        methods.iter().find(|own| own["id"] == *id).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    for id in world.truth["rogueMethods"].as_array().unwrap() {
        assert_eq!(verdict(id), "attacker");
    }
    for id in world.truth["keepMethods"].as_array().unwrap() {
        assert_ne!(verdict(id), "attacker");
    }
    let recipients: BTreeSet<&str> =
        found["recipients"].as_array().unwrap().iter().map(|own| own["address"].as_str().unwrap()).collect();
    assert_eq!(recipients, texts(&world.truth["recipients"]));
    let told = found["timeline"].to_string();
    for subject in ["1099 contractor", "1099 contractors", "Re: 1099 contractors", "AR Report"] {
        assert!(told.contains(&format!("mail \\\"{subject}\\\"")), "{subject}: {told}");
    }
    assert!(found["unread"].to_string().contains("app passwords"), "{}", found["unread"]);
    assert!(world.writes().await.is_empty());
    assert_eq!(world.digest().await, before);
    let unknown: Vec<Value> =
        world.requests().await.into_iter().filter(|line| line["known"] == false).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    fits("investigation", &found);
}

#[tokio::test(start_paused = true)]
async fn the_text_begins_with_what_it_comes_to_and_ends_with_what_to_type() {
    let world = World::case("bec-node-fetch");
    let report = report(&world).await;
    let text = investigation_text(&report, None, false);
    assert!(
        text.starts_with("INTRUDER: 11 addresses, 1 session, 1 method, since 2024-09-26 18:03:36Z."),
        "{text}"
    );
    assert!(
        text.trim_end().ends_with("stanch plan bec --user lynne.robbins@contoso.com -o plan.json"),
        "{text}"
    );
    insta::assert_snapshot!("reference_text", text);
    let markdown = investigation_markdown(&report);
    for address in texts(&world.truth["attackerIps"]) {
        assert!(markdown.contains(address), "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn local_time_stands_beside_utc_where_it_is_asked_for() {
    let world = World::case("bec-node-fetch");
    let zone = jiff::tz::TimeZone::get("America/Chicago").unwrap();
    let text = investigation_text(&report(&world).await, Some(&zone), false);
    assert!(text.contains("2024-09-26 18:03:36Z (13:03:36 -05:00)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_stix_bundle_holds_each_address_and_is_the_same_twice() {
    let world = World::case("bec-node-fetch");
    let report = report(&world).await;
    let bundle = stix_bundle(&report);
    assert_eq!(bundle, stix_bundle(&report));
    let patterns: Vec<&str> =
        bundle["objects"].as_array().unwrap().iter().filter_map(|own| own["pattern"].as_str()).collect();
    for address in texts(&world.truth["attackerIps"]) {
        assert!(patterns.contains(&format!("[ipv4-addr:value = '{address}']").as_str()), "{patterns:?}");
    }
    for own in bundle["objects"].as_array().unwrap() {
        assert!(own["id"].as_str().unwrap().starts_with(&format!("{}--", own["type"].as_str().unwrap())));
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unread_and_the_rest_is_found() {
    let mut world = World::case("bec-node-fetch");
    world
        .change_tenant(|tenant| {
            for app in tenant["applications"].as_array_mut().unwrap() {
                let roles = app["roles"].as_array_mut().unwrap();
                roles.retain(|role| {
                    [
                        "User.Read.All",
                        "AuditLog.Read.All",
                        "Organization.Read.All",
                        "RoleManagement.Read.Directory",
                    ]
                    .iter()
                    .any(|kept| role == kept)
                });
            }
        })
        .await;
    let found = document(&world).await;
    assert_eq!(values(&found, "address").len(), 11);
    let unread = found["unread"].to_string();
    for what in ["authentication methods", "inbox rules", "mail that was sent", "what apps the user lets in"]
    {
        assert!(unread.contains(what), "{what}: {unread}");
    }
    assert_eq!(found["methods"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn without_a_licence_for_the_log_nothing_is_called_clean() {
    let mut world = World::case("bec-node-fetch");
    world
        .change_tenant(|tenant| {
            let licences = tenant["tenant"]["licences"].as_array_mut().unwrap();
            licences.retain(|own| !own.as_str().unwrap().starts_with("AAD_PREMIUM"));
        })
        .await;
    let report = report(&world).await;
    assert!(report.unread.iter().any(|own| own.what == "the sign-in log"), "{:?}", report.unread);
    let text = investigation_text(&report, None, false);
    assert!(!text.contains("No sign of an intruder in what was read.\n\n"), "{text}");
    assert!(text.contains("the sign-in log: "), "{text}");
}

const VICTIM: &str = "lynne.robbins@contoso.com";

#[tokio::test]
async fn a_file_stands_in_for_the_tenant_without_credentials_and_the_rest_is_unread() {
    let world = World::case("bec-node-fetch");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("NonInteractiveSignIns.json");
    std::fs::write(&file, case_tenant("bec-node-fetch")["signIns"].to_string()).unwrap();
    let (stix, csv) = (folder.path().join("out.json"), folder.path().join("out.csv"));
    let output = program(folder.path())
        .args(["--format", "json", "investigate", "--user", VICTIM, "--sign-ins"])
        .arg(&file)
        .arg("--stix")
        .arg(&stix)
        .arg("--csv")
        .arg(&csv)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    fits("investigation", &found);
    assert_eq!(values(&found, "address"), texts(&world.truth["attackerIps"]));
    assert!(found["unread"].to_string().contains("a file stood in for the tenant"), "{}", found["unread"]);
    let csv = std::fs::read_to_string(csv).unwrap();
    assert_eq!(csv.lines().next(), Some("kind,value,first_seen,last_seen,confidence,reasons"));
    assert!(csv.contains("89.187.164.82"), "{csv}");
    assert!(
        serde_json::from_str::<Value>(&std::fs::read_to_string(stix).unwrap()).unwrap()["objects"].is_array()
    );
}

#[test]
fn a_file_without_the_user_or_that_is_none_names_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, wanted) in [
        ("empty.json", "[]", "no sign-in of `lynne.robbins@contoso.com`"),
        ("wrong.csv", "a,b\n1,2\n", "there is no column `Date (UTC)`"),
        ("broken.json", "[{]", "line 1, column 3"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let output = program(folder.path())
            .args(["investigate", "--user", VICTIM, "--sign-ins"])
            .arg(&file)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {told}");
        assert!(told.contains(wanted), "{name}: {told}");
    }
    let output = program(folder.path())
        .args(["investigate", "--user", VICTIM, "--sign-ins", "nowhere.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.json"));
}

#[test]
fn the_command_reads_the_tenant_over_sockets_and_writes_nothing() {
    let mock = Mock::case("aitm-travel");
    let folder = tempfile::tempdir().unwrap();
    let output = stanch(&mock, folder.path())
        .args(["--format", "json", "investigate", "--user", mock.victim()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(values(&found, "address"), texts(&mock.tenant["attackers"][0]["ips"]));
    assert_eq!(mock.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_many_addresses_the_users_own_are_asked_about_first_and_the_rest_is_named() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let lynne =
            users.iter_mut().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com").unwrap();
        let aliases: Vec<String> = (10..24).map(|number| format!("smtp:a{number}@contoso.com")).collect();
        lynne["proxyAddresses"] = json!(aliases);
    });
    let found = document(&world).await;
    let recipients: BTreeSet<&str> =
        found["recipients"].as_array().unwrap().iter().map(|own| own["address"].as_str().unwrap()).collect();
    assert_eq!(recipients, texts(&world.truth["recipients"]));
    let notes = texts(&found["notes"]);
    let note = notes.iter().find(|own| own.contains("was not asked for")).unwrap();
    assert!(note.contains("a23@contoso.com") && !note.contains("a18@contoso.com"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_logs_reach_is_said_and_nothing_is_called_older_than_the_compromise_by_it() {
    let keep = |world: &World| world.truth["keepMethods"][0].as_str().unwrap().to_owned();
    for (licences, days) in [(None, 40), (Some(json!(["EXCHANGE_S_ENTERPRISE"])), 10)] {
        let world = World::case_with("bec-node-fetch", |tenant| {
            if let Some(licences) = &licences {
                tenant["tenant"]["licences"] = licences.clone();
            }
            tenant["directoryAudits"] = json!([]);
            let methods = tenant["authenticationMethods"].as_object_mut().unwrap().values_mut();
            for method in methods.flat_map(|own| own.as_array_mut().unwrap()) {
                method["createdDateTime"] = Value::Null;
            }
        });
        let since = world.clock.now() - std::time::Duration::from_hours(24 * days);
        let request = Question { user: world.victim().to_owned(), since: Some(since), ..Question::default() };
        let report = investigator(&world).report(&request).await.unwrap();
        assert!(report.notes.iter().any(|own| own.contains("the logs reach back to")), "{:?}", report.notes);
        assert!(report.window.from > since, "{:?}", report.window);
        let own = report.methods.iter().find(|own| own.id == keep(&world)).unwrap();
        assert_eq!(own.verdict, stanch::case::MethodVerdict::Unknown, "{own:?}");
    }
}

/// The reference case with an inbox rule that hides invoices, and what Identity Protection says.
fn told_on(roles: &[&str], change: impl FnOnce(&mut Value)) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array().unwrap();
        let lynne = users.iter().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com").unwrap();
        let id = lynne["id"].as_str().unwrap().to_owned();
        let own = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        own.extend(roles.iter().map(|role| json!(role)));
        tenant["messageRules"] = json!({ &id: [{
            "id": "AQAAAKx3Tq8=", "displayName": "Invoices", "sequence": 1, "isEnabled": true,
            "conditions": { "subjectContains": ["invoice"] },
            "actions": { "moveToFolder": "AAMkRSS=", "markAsRead": true }
        }, {
            "id": "AQAAAKx3Tq9=", "displayName": "Copies", "sequence": 2, "isEnabled": true,
            "conditions": {}, "actions": { "copyToFolder": "AAMkX=" }
        }] });
        tenant["mailboxes"] = json!({ &id: { "mailFolders": [
            { "id": "AAMkRSS=", "displayName": "RSS Feeds" },
            { "id": "AAMkX=", "displayName": "<script>\u{202e}\u{1b}[2J" }
        ] } });
        let row =
            tenant["signIns"].as_array().unwrap().iter().find(|row| row["ipAddress"] == "212.102.33.83");
        let row = row.unwrap().clone();
        tenant["riskDetections"] = json!([
            { "id": "r1", "userId": id, "riskEventType": "anomalousToken", "riskLevel": "high", "riskState": "atRisk",
              "activity": "signin", "ipAddress": "212.102.33.83", "requestId": row["id"],
              "activityDateTime": row["createdDateTime"], "detectedDateTime": row["createdDateTime"] },
            { "id": "r2", "userId": id, "riskEventType": "leakedCredentials\u{1b}[2J", "riskLevel": "medium",
              "riskState": "atRisk", "activity": "user", "ipAddress": null, "requestId": null,
              "activityDateTime": row["createdDateTime"], "detectedDateTime": row["createdDateTime"] }
        ]);
        tenant["riskyUsers"] =
            json!([{ "id": id, "riskLevel": "high", "riskState": "atRisk", "isProcessing": false }]);
        change(tenant);
    })
}

#[tokio::test(start_paused = true)]
async fn what_identity_protection_says_is_a_sign_of_its_sign_in_and_a_line_of_its_own() {
    let world = told_on(&["IdentityRiskEvent.Read.All"], |_| {});
    let report = report(&world).await;
    let own = report.indicators.iter().find(|own| own.value == "212.102.33.83").unwrap();
    assert!(own.reasons.iter().any(|reason| reason.contains("anomalousToken")), "{:?}", own.reasons);
    let text = investigation_text(&report, None, false);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "the user: risk high, atRisk",
        "a sign-in from 212.102.33.83: anomalousToken, risk high, atRisk",
        "the user: leakedCredentials",
    ] {
        assert!(flat.contains(wanted), "{wanted}: {flat}");
    }
    assert!(!text.contains('\u{1b}') && !investigation_markdown(&report).contains('\u{1b}'));
    fits("investigation", &serde_json::to_value(&report).unwrap());
}

#[tokio::test(start_paused = true)]
async fn risk_that_nobody_may_read_or_that_is_not_licensed_is_unread_with_what_opens_it() {
    let unread = async |world: &World| {
        let found = report(world).await;
        assert!(found.detections.is_empty());
        let own = found.unread.iter().find(|own| own.what == "what Identity Protection has detected");
        own.unwrap().why.clone()
    };
    let why = unread(&told_on(&[], |_| {})).await;
    assert!(why.contains("`IdentityRiskEvent.Read.All`"), "{why}");
    let free = told_on(&["IdentityRiskEvent.Read.All"], |tenant| {
        tenant["tenant"]["licences"] = json!(["EXCHANGE_S_ENTERPRISE"]);
    });
    let why = unread(&free).await;
    assert!(why.contains("the tenant needs Entra ID P1 or P2"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn where_a_rule_moves_mail_is_told_by_the_folders_name_and_by_its_id_where_that_is_unread() {
    let of = async |roles: &[&str]| {
        let report = report(&told_on(roles, |_| {})).await;
        let rule = report.persistence.iter().find(|own| own.name == "Invoices").unwrap().clone();
        (report, rule)
    };
    let (named, rule) = of(&["Mail.ReadBasic.All"]).await;
    assert_eq!(rule.verdict, stanch::case::MethodVerdict::Attacker, "{rule:?}");
    let text = investigation_text(&named, None, false);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("moves to the folder `RSS Feeds`"), "{flat}");
    assert!(flat.contains("copies to the folder `<script>"), "{flat}");
    for shown in [text, investigation_markdown(&named)] {
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
    let (by_id, rule) = of(&[]).await;
    assert_eq!(rule.verdict, stanch::case::MethodVerdict::Unknown, "{rule:?}");
    assert!(rule.does.contains("AAMkRSS= (an id"), "{}", rule.does);
    let unread = by_id.unread.iter().find(|own| own.what.contains("folders are called")).unwrap();
    assert!(unread.why.contains("`Mail.ReadBasic.All`"), "{}", unread.why);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_not_answered_is_unread_and_the_rest_is_found_all_the_same() {
    let world = World::case("bec-node-fetch");
    let down = |path: &str| json!({ "path": path, "times": null, "fault": { "kind": "status", "status": 503, "code": "ServiceUnavailable" } });
    world
        .faults(json!([
            down("/v1.0/admin/exchange/tracing/messageTraces"),
            down("/v1.0/identity/conditionalAccess/*"),
            down("/v1.0/identityProtection/*"),
            down("/v1.0/domains")
        ]))
        .await;
    let found = document(&world).await;
    assert_eq!(values(&found, "address"), texts(&world.truth["attackerIps"]));
    let unread: Vec<&str> =
        found["unread"].as_array().unwrap().iter().filter_map(|own| own["what"].as_str()).collect();
    for wanted in ["mail that was sent", "for what Identity Protection holds the user"] {
        assert!(unread.contains(&wanted), "{wanted}: {unread:?}");
    }
}
