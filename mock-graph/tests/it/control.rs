//! The control surface, faults, lag, batches, the tenant file.

use std::time::Duration;

use mock_graph::{MockGraph, Settings};
use serde_json::{Value, json};

use crate::wire::{LYNNE, Wire, reference};

#[tokio::test(start_paused = true)]
async fn the_digest_sees_every_write_and_no_read() {
    let wire = Wire::new();
    let digest = async || wire.control("GET", "/_mock/state/digest", json!(null)).await.body;
    let before = digest().await;
    wire.call("GET", "/beta/auditLogs/signIns", json!(null)).await;
    wire.control("POST", "/_mock/attackers/invoice/attempt", json!({})).await;
    assert_eq!(digest().await, before);
    wire.call("PATCH", &format!("/v1.0/users/{LYNNE}"), json!({ "accountEnabled": false })).await;
    let after = digest().await;
    assert_ne!(after, before);
    assert_eq!(wire.control("POST", "/_mock/reset", json!(null)).await.status, 204);
    assert_eq!(digest().await, before);
}

#[tokio::test(start_paused = true)]
async fn the_journal_redacts_secrets_and_tells_writes() {
    let wire = Wire::new();
    let body = json!({ "passwordProfile": { "password": "Xk3!canary-in-the-body" } });
    wire.call("PATCH", &format!("/v1.0/users/{LYNNE}"), body).await;
    let lines = wire.lines().await;
    let text = serde_json::to_string(&lines).unwrap();
    assert!(!text.contains("canary") && !text.contains("responder-secret"), "{text}");
    let writes: Vec<_> = lines.iter().filter(|line| line["write"] == true).collect();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0]["status"], 204);
}

#[tokio::test(start_paused = true)]
async fn faults_hit_what_they_name_and_no_more() {
    let wire = Wire::new();
    let path = format!("/v1.0/users/{LYNNE}");
    let rules = json!({ "rules": [
        { "method": "PATCH", "path": "/v1.0/users/*", "nth": 1, "fault": { "kind": "throttle", "retryAfter": 2 } },
        { "method": "PATCH", "path": "/v1.0/users/*", "nth": 2, "fault": { "kind": "reset_before_commit" } },
        { "method": "PATCH", "path": "/v1.0/users/*", "nth": 3, "fault": { "kind": "reset_after_commit" } }
    ] });
    assert_eq!(wire.control("PUT", "/_mock/faults", rules).await.status, 204);
    let disable = async || wire.call("PATCH", &path, json!({ "accountEnabled": false })).await;
    let enabled = async || {
        wire.call("GET", &format!("{path}?$select=accountEnabled"), json!(null)).await.body["accountEnabled"]
            .clone()
    };
    let first = disable().await;
    assert_eq!((first.status, first.headers["retry-after"].to_str().unwrap()), (429, "2"));
    assert!(disable().await.is_reset);
    assert_eq!(enabled().await, true, "a reset before the commit did something");
    assert!(disable().await.is_reset);
    assert_eq!(enabled().await, false, "a reset after the commit did nothing");
    assert_eq!(disable().await.status, 204);
    let wrong =
        wire.control("PUT", "/_mock/faults", json!({ "rules": [{ "fault": { "kind": "throtle" } }] })).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.to_string().contains("throtle"));
}

#[tokio::test(start_paused = true)]
async fn lagging_reads_see_the_past_for_so_long_and_then_the_present() {
    let settings = Settings { lag: Duration::from_secs(20), seed: 3, ..Settings::default() };
    let wire = Wire::of(&reference(), settings);
    let path = format!("/v1.0/users/{LYNNE}");
    tokio::time::advance(Duration::from_mins(1)).await;
    wire.call("PATCH", &path, json!({ "accountEnabled": false })).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        let read = wire.call("GET", &format!("{path}?$select=accountEnabled"), json!(null)).await;
        seen.push(read.body["accountEnabled"].as_bool().unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
    assert!(seen.windows(2).any(|pair| pair == [false, true]), "it never flapped: {seen:?}");
    tokio::time::advance(Duration::from_secs(5)).await;
    let read = wire.call("GET", &format!("{path}?$select=accountEnabled"), json!(null)).await;
    assert_eq!(read.body["accountEnabled"], false);
}

#[tokio::test(start_paused = true)]
async fn a_batch_answers_200_whatever_its_parts_did_and_journals_each() {
    let wire = Wire::new();
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{LYNNE}") },
        { "id": "2", "method": "GET", "url": "/users/nobody@contoso.com" },
        { "id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"] }
    ] });
    let answer = wire.call("POST", "/v1.0/$batch", batch).await;
    // One depends, the others do not: neither all parallel nor all serial, but all on the same one.
    assert_eq!(answer.status, 200, "{}", answer.body);
    let status = |id: &str| {
        answer.body["responses"].as_array().unwrap().iter().find(|own| own["id"] == id).unwrap()["status"]
            .clone()
    };
    assert_eq!([status("1"), status("2"), status("3")], [json!(200), json!(404), json!(424)]);
    let inner = wire.lines().await.into_iter().filter(|line| line["batch_id"].is_string()).count();
    assert_eq!(inner, 2);
}

#[tokio::test(start_paused = true)]
async fn the_clock_moves_when_told() {
    let wire = Wire::new();
    let answer = wire.control("POST", "/_mock/clock", json!({ "advance": "90s" })).await;
    assert_eq!(answer.status, 200);
    let date = wire.call("GET", "/v1.0/organization", json!(null)).await.headers["date"].clone();
    assert_eq!(date, "Fri, 04 Oct 2024 15:01:30 GMT");
}

#[test]
fn an_unknown_key_of_the_tenant_file_names_itself() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut tenant = reference();
        change(&mut tenant);
        match MockGraph::from_json(&tenant.to_string()) {
            Ok(_) => panic!("it was taken"),
            Err(error) => error.to_string(),
        }
    };
    assert!(refused(&|tenant| tenant["signins"] = json!([])).contains("signins"));
    assert!(refused(&|tenant| tenant["tenant"]["licenses"] = json!([])).contains("licenses"));
    assert!(refused(&|tenant| tenant["attackers"][0]["userid"] = json!("x")).contains("userid"));
    assert!(refused(&|tenant| tenant["format"] = json!("mock-graph/2")).contains("mock-graph/2"));
    assert!(refused(&|tenant| tenant["users"][0]["id"] = json!(7)).contains("users[0]"));
}

#[test]
fn every_key_of_the_tenant_file_is_documented() {
    let manual = include_str!("../../README.md");
    for (change, list) in [(json!({ "?": 1 }), "the file"), (json!({ "tenant": { "?": 1 } }), "`tenant`")] {
        let mut tenant = json!({ "format": "mock-graph/1" });
        for (key, value) in change.as_object().unwrap() {
            tenant[key] = value.clone();
        }
        let told = match MockGraph::from_json(&tenant.to_string()) {
            Ok(_) => panic!("it was taken"),
            Err(error) => error.to_string(),
        };
        let listed = told.split_once("expected one of ").unwrap().1;
        for key in listed.split('`').skip(1).step_by(2) {
            let graphs_own = ["format", "id", "displayName"].contains(&key);
            assert!(
                graphs_own || manual.contains(&format!("`{key}`")),
                "README.md does not tell of {list}'s `{key}`"
            );
        }
    }
}
