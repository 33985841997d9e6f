//! What the logs tell without a hint: the addresses of the intruder's and no others, the session, and so whose each
//! method is.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use stanch::case::{Indicator, IndicatorKind, Investigation, Look, MethodVerdict};
use stanch::domain::CidrBlock;
use stanch::engine::{Investigator, Question};
use stanch::plan::Plan;
use stanch::run::Verdict;

use crate::world::World;

/// Plans without an address, a user agent or an alert.
pub async fn plan_unaided(world: &World, playbook: &str) -> Plan {
    let mut request = world.request(playbook);
    request.user_agents.clear();
    world.plan_for(request).await.unwrap()
}

fn certain(plan: &Plan, kind: IndicatorKind) -> BTreeSet<String> {
    let is_wanted = |own: &&Indicator| own.kind == kind && own.is_certain();
    plan.case.indicators.iter().filter(is_wanted).map(|own| own.value.clone()).collect()
}

fn words(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|own| own.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_address_of_the_intruders_is_found_without_a_hint_and_no_other() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        let world = World::case(case);
        let plan = plan_unaided(&world, "bec").await;
        assert_eq!(certain(&plan, IndicatorKind::Address), words(&world.truth["attackerIps"]), "{case}");
        assert_eq!(certain(&plan, IndicatorKind::Session), words(&world.truth["sessionIds"]), "{case}");
        assert_eq!(certain(&plan, IndicatorKind::UserAgent), words(&world.truth["userAgents"]), "{case}");
        assert_eq!(
            plan.case.since,
            world.truth["since"].as_str().map(|text| text.parse().unwrap()),
            "{case}"
        );
        let Look::Read(methods) = &plan.case.methods else { panic!("{case}: the methods were not read") };
        let rogue: BTreeSet<String> = methods
            .iter()
            .filter(|own| own.verdict == MethodVerdict::Attacker)
            .map(|own| own.method.id.to_string())
            .collect();
        assert_eq!(rogue, words(&world.truth["rogueMethods"]), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reference_case_is_contained_without_a_hint() {
    let world = World::case("bec-node-fetch");
    let plan = plan_unaided(&world, "bec").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let enabled = json!({ "assume": { "accountEnabled": true } });
    assert_eq!(world.attempt(enabled).await["in"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn colleagues_are_nobodys_intruder() {
    for case in ["bec-node-fetch", "aitm-travel"] {
        let world = World::case(case);
        let users = world.tenant["users"].as_array().unwrap();
        let upns = users.iter().filter_map(|user| user["userPrincipalName"].as_str());
        for upn in upns.filter(|upn| !world.victim().eq_ignore_ascii_case(upn)) {
            let mut request = world.request("evict");
            request.user_agents.clear();
            request.user = upn.to_owned();
            // Some may not be planned for at all: an emergency account, an administrator.
            let Ok(plan) = world.plan_for(request).await else { continue };
            assert!(
                plan.case.indicators.iter().all(|own| !own.is_certain()),
                "{case}: {upn}: {:#?}",
                plan.case.indicators
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_come_twice_out_of_order_late_and_with_words_that_are_new_change_nothing() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let rows = tenant["signIns"].as_array_mut().unwrap();
        let copies: Vec<Value> = rows.iter().step_by(3).cloned().collect();
        rows.extend(copies);
        rows.reverse();
        for row in rows.iter_mut().step_by(2) {
            row["incomingTokenType"] = json!("quantumToken");
            row["riskLevelDuringSignIn"] = json!("hidden");
            row["riskEventTypes_v2"] = json!(["somethingNew"]);
        }
    });
    let plan = plan_unaided(&world, "evict").await;
    assert_eq!(certain(&plan, IndicatorKind::Address), words(&world.truth["attackerIps"]));
}

/// Investigates the victim without a hint.
async fn investigate(world: &World) -> Investigation {
    let investigator = Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    };
    let question = Question { user: world.victim().to_owned(), ..Question::default() };
    investigator.investigate(&question).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_whole_look_tells_who_got_mail_who_else_is_there_and_what_may_be_blocked() {
    let before = World::case("bec-node-fetch");
    let colleague = before.user_id("henrietta.mueller@contoso.com");
    let world = World::case_with("bec-node-fetch", |tenant| {
        let rows = tenant["signIns"].as_array_mut().unwrap();
        let mut more = rows.iter().find(|row| row["ipAddress"] == "181.214.107.154").unwrap().clone();
        more["id"] = json!("00000000-0000-4000-8000-00000000a001");
        more["userId"] = json!(colleague);
        more["userPrincipalName"] = json!("henrietta.mueller@contoso.com");
        rows.push(more);
    });
    let digest = world.digest().await;
    let found = investigate(&world).await;
    assert!(world.writes().await.is_empty());
    assert_eq!(world.digest().await, digest);

    let Look::Read(mail) = &found.mail else { panic!("{:?}", found.mail) };
    let recipients: BTreeSet<String> = mail.iter().map(|own| own.recipient.clone()).collect();
    assert_eq!(recipients, words(&world.truth["recipients"]));
    assert!(mail.iter().all(|own| own.inside == Look::Read(true)));

    let Look::Read(others) = &found.others else { panic!("{:?}", found.others) };
    let told: Vec<_> = others.iter().map(|own| (own.upn.as_str(), own.successes, own.failures)).collect();
    assert_eq!(told, [("henrietta.mueller@contoso.com", 1, 0)]);

    // Four addresses of the first range and nobody else there; in the second a colleague is.
    let block = |text: &str| {
        let own = found.addresses.iter().find(|own| own.address.to_string() == format!("{text}/32")).unwrap();
        own.block.map(|block| block.to_string())
    };
    assert_eq!(block("89.187.164.77").as_deref(), Some("89.187.164.0/24"));
    assert_eq!(block("181.214.107.7").as_deref(), Some("181.214.107.7/32"));
    assert_eq!(block("181.214.107.154"), None, "a colleague signs in from there");
    assert_eq!(block("212.102.33.83").as_deref(), Some("212.102.33.83/32"));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_is_unread_and_never_empty() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| {
            !["ExchangeMessageTrace.Read.All", "UserAuthenticationMethod.Read.All"]
                .contains(&role.as_str().unwrap())
        });
    });
    let found = investigate(&world).await;
    assert!(
        found.mail.unread().is_some_and(|why| why.contains("ExchangeMessageTrace.Read.All")),
        "{:?}",
        found.mail
    );
    assert!(found.case.evidence.methods.unread().is_some());
    assert_eq!(found.addresses.len(), 11);

    let world = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "AuditLog.Read.All");
    });
    let found = investigate(&world).await;
    assert!(found.case.evidence.sign_ins.unread().is_some());
    assert!(found.case.indicators.is_empty() && found.addresses.is_empty());
    assert!(
        found.notes.iter().any(|note| note.contains("the sign-in log was not read")),
        "{:?}",
        found.notes
    );
    let Look::Read(methods) = &found.case.evidence.methods else { panic!() };
    assert!(methods.iter().all(|own| own.verdict != MethodVerdict::Attacker));
}

#[tokio::test(start_paused = true)]
async fn a_user_without_a_single_sign_in_has_no_intruder_and_no_past() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["signIns"]
            .as_array_mut()
            .unwrap()
            .retain(|row| row["userPrincipalName"] != "lynne.robbins@contoso.com");
    });
    let found = investigate(&world).await;
    assert_eq!(found.case.evidence.sign_ins, Look::Read(Vec::new()));
    assert!(found.case.indicators.is_empty());
    assert_eq!(found.mail, Look::Read(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_masked_address_a_cut_off_record_and_hostile_words_break_nothing() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let rows = tenant["signIns"].as_array_mut().unwrap();
        for row in rows.iter_mut().filter(|row| row["ipAddress"] == "181.214.107.154") {
            row["ipAddress"] = json!("181.214.107.XXX");
            row["deviceDetail"]["displayName"] = json!("\u{1b}[2J\u{202e}=cmd|x<script>");
        }
        for audit in tenant["directoryAudits"].as_array_mut().unwrap() {
            for target in audit["targetResources"].as_array_mut().unwrap() {
                for property in target["modifiedProperties"].as_array_mut().unwrap() {
                    if let Some(text) = property["oldValue"].as_str().map(str::to_owned) {
                        property["oldValue"] = json!(text.chars().take(200).collect::<String>());
                    }
                }
            }
        }
    });
    let found = investigate(&world).await;
    let mut wanted = words(&world.truth["attackerIps"]);
    wanted.remove("181.214.107.154");
    let told: BTreeSet<String> =
        found.addresses.iter().map(|own| own.address.network().to_string()).collect();
    assert_eq!(told, wanted);
    assert!(found.notes.iter().any(|note| note.contains("181.214.107.XXX")), "{:?}", found.notes);
}

/// What the blocklist of a plan takes in.
fn blocked(plan: &Plan) -> Vec<CidrBlock> {
    let own = plan.actions.iter().find(|own| own.step == "block_ips" && own.after.get("contains").is_some());
    let list = own.unwrap().after["contains"].as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap().parse().unwrap()).collect()
}

fn texts(blocks: &[CidrBlock]) -> Vec<String> {
    blocks.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_range_is_blocked_where_several_of_the_intruders_addresses_and_nobody_else_are_in_it() {
    let world = World::case("bec-node-fetch");
    let plan = plan_unaided(&world, "bec").await;
    let blocks = blocked(&plan);
    assert_eq!(
        texts(&blocks),
        ["89.187.164.0/24", "181.214.107.0/24", "212.102.33.83/32", "212.102.40.2/32", "212.102.40.23/32"]
    );
    for address in words(&world.truth["attackerIps"]) {
        let address = address.parse().unwrap();
        assert!(blocks.iter().any(|own| own.contains(address)), "{address} is not blocked");
    }
    let action = plan.actions.iter().find(|own| own.id.as_str() == "block_ips").unwrap();
    assert!(action.summary.contains("2 ranges and 3 addresses"), "{}", action.summary);
    let told = action.evidence.join("\n");
    assert!(told.contains("89.187.164.0/24: 4 of the intruder's addresses lie in"), "{told}");
    assert!(told.contains("89.187.164.135: "), "each address keeps its own reason: {told}");
    // The same as the investigation proposes.
    let proposed: BTreeSet<String> =
        investigate(&world).await.addresses.iter().map(|own| own.block.unwrap().to_string()).collect();
    assert_eq!(proposed, texts(&blocks).into_iter().collect());
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn no_range_is_blocked_that_a_colleague_the_user_or_a_guard_has_a_part_in() {
    let single = |plan: &Plan, prefix: &str| {
        let blocks = blocked(plan);
        let own: Vec<&CidrBlock> = blocks.iter().filter(|own| own.to_string().starts_with(prefix)).collect();
        assert!(own.iter().all(|own| own.is_single()), "{blocks:?}");
        assert_eq!(own.len(), 4, "{blocks:?}");
    };
    // Somebody was there for once, from where they else are.
    let by = |upn: &'static str, from: &'static str| {
        World::case_with("bec-node-fetch", move |tenant| {
            let rows = tenant["signIns"].as_array_mut().unwrap();
            let is_own = |row: &&Value| row["userPrincipalName"] == upn && row["ipAddress"] == from;
            let mut more = rows.iter().find(is_own).unwrap().clone();
            more["id"] = json!("66ea54eb-0000-4ee5-be62-ff5a00009999");
            more["ipAddress"] = json!("89.187.164.9");
            more["createdDateTime"] = json!("2024-10-04T14:40:00Z");
            rows.push(more);
        })
    };
    for world in [
        by("henrietta.mueller@contoso.com", "203.0.113.1"),
        // The user's phone.
        by("lynne.robbins@contoso.com", "86.206.248.236"),
    ] {
        single(&plan_unaided(&world, "bec").await, "89.187.164.");
    }
    let mut narrow = World::case("bec-node-fetch");
    narrow.guards.widest_block.ipv4 = 28;
    single(&plan_unaided(&narrow, "bec").await, "89.187.164.");
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.user_agents.clear();
    request.playbook =
        crate::world::book("  - step: block_ips\n    with: { ranges: never }\n  - step: revoke_sessions\n");
    let plan = world.plan_for(request).await.unwrap();
    assert_eq!(blocked(&plan).len(), 11);
    single(&plan, "181.214.107.");
}
