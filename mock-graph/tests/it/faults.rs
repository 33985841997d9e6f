//! Every kind of fault fires, and does what README.md says it does.

use std::time::Duration;

use mock_graph::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::{Answer, LYNNE, RESPONDER, TENANT, Wire, reference};

const LOCATIONS: &str = "/v1.0/identity/conditionalAccess/namedLocations";

fn user() -> String {
    format!("/v1.0/users/{LYNNE}")
}

/// A mock without logs, with one rule in force.
async fn with(rule: Value) -> Wire {
    let mut tenant = reference();
    tenant["signIns"] = json!([]);
    tenant["directoryAudits"] = json!([]);
    let wire = Wire::of(&tenant, Settings::default());
    set(&wire, rule).await;
    wire
}

async fn set(wire: &Wire, rule: Value) {
    let answer = wire.control("PUT", "/_mock/faults", json!({ "rules": [rule] })).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

fn on_patch(fault: &Value) -> Value {
    json!({ "method": "PATCH", "path": "/v1.0/users/*", "fault": fault })
}

fn on_get(path: &str, fault: &Value) -> Value {
    json!({ "method": "GET", "path": path, "fault": fault })
}

async fn disable(wire: &Wire) -> Answer {
    wire.call("PATCH", &user(), json!({ "accountEnabled": false })).await
}

async fn is_enabled(wire: &Wire) -> bool {
    let path = format!("{}?$select=accountEnabled", user());
    wire.call("GET", &path, json!(null)).await.body["accountEnabled"].as_bool().unwrap()
}

/// The same as a list shows it.
async fn is_enabled_in_list(wire: &Wire) -> bool {
    let path = format!("/v1.0/users?$filter=id%20eq%20'{LYNNE}'&$select=id,accountEnabled");
    wire.call("GET", &path, json!(null)).await.body["value"][0]["accountEnabled"].as_bool().unwrap()
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn throttle_says_whatever_it_is_told_to() {
    for (wait, header) in [
        (json!(2), Some("2")),
        (json!(2.128), Some("2.128")),
        (json!(-1), Some("-1")),
        (json!("Wed, 21 Oct 2026 07:28:00 GMT"), Some("Wed, 21 Oct 2026 07:28:00 GMT")),
        (json!("soon"), Some("soon")),
        (json!(null), None),
    ] {
        let wire = with(on_patch(&json!({ "kind": "throttle", "retryAfter": wait }))).await;
        let answer = disable(&wire).await;
        assert_eq!(code(&answer), (429, "TooManyRequests"));
        assert_eq!(answer.headers.get("retry-after").map(|value| value.to_str().unwrap()), header);
        assert!(is_enabled(&wire).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_of_a_batch_is_throttled_alone_and_takes_what_depends_on_it_along() {
    let wire = with(on_get("/v1.0/organization", &json!({ "kind": "throttle", "retryAfter": 3 }))).await;
    let get = |id: &str, url: &str, after: &[&str]| json!({ "id": id, "method": "GET", "url": url, "dependsOn": after });
    let batch = json!({ "requests": [
        get("1", "/domains", &[]), get("2", "/organization", &[]), get("3", "/subscribedSkus", &["2"])
    ] });
    let answer = wire.call("POST", "/v1.0/$batch", batch).await;
    let part = |id: &str| {
        answer.body["responses"].as_array().unwrap().iter().find(|own| own["id"] == id).unwrap().clone()
    };
    assert_eq!(answer.status, 200);
    assert_eq!([&part("1")["status"], &part("2")["status"], &part("3")["status"]], [200, 429, 424]);
    assert_eq!(part("2")["headers"]["retry-after"], "3");
}

#[tokio::test(start_paused = true)]
async fn a_status_is_given_before_or_after_the_effect_and_with_any_body() {
    for (committed, enabled) in [(false, true), (true, false)] {
        for status in [500, 502, 503, 504] {
            let fault =
                json!({ "kind": "status", "status": status, "committed": committed, "retryAfter": 5 });
            let wire = with(on_patch(&fault)).await;
            let answer = disable(&wire).await;
            assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (status, "5"));
            assert_eq!(is_enabled(&wire).await, enabled, "committed: {committed}");
            assert!(wire.lines().await.iter().any(|line| line["status"] == status));
        }
    }
    for (status, usual) in [(409, "Conflict"), (412, "PreconditionFailed")] {
        let wire = with(on_patch(&json!({ "kind": "status", "status": status }))).await;
        assert_eq!(code(&disable(&wire).await), (status, usual));
    }
    let fault = json!({ "kind": "status", "status": 400, "code": "BadRequest", "message": "1040: NamedLocation with id x does not exist in the directory." });
    let wire = with(on_patch(&fault)).await;
    assert!(disable(&wire).await.body["error"]["message"].as_str().unwrap().starts_with("1040:"));
    for (body, seen, content_type) in [("html", "<html>", "text/html"), ("empty", "", "application/json")] {
        let wire = with(on_patch(&json!({ "kind": "status", "status": 502, "body": body }))).await;
        let answer = disable(&wire).await;
        assert!(answer.body.as_str().unwrap().starts_with(seen), "{body}");
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(content_type));
    }
}

#[tokio::test(start_paused = true)]
async fn another_status_than_the_documented_one_is_a_success_all_the_same() {
    let revoke = json!({ "method": "POST", "path": "*/revokeSignInSessions", "fault": { "kind": "other_status", "status": 204 } });
    let wire = with(revoke).await;
    let answer = wire.call("POST", &format!("{}/revokeSignInSessions", user()), json!({})).await;
    assert_eq!((answer.status, &answer.body), (204, &json!("")));
    let read = format!("{}?$select=signInSessionsValidFromDateTime", user());
    let seen = wire.call("GET", &read, json!(null)).await.body["signInSessionsValidFromDateTime"].clone();
    assert!(seen.as_str().unwrap().starts_with("2024-10-04"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_reset_before_or_after_the_effect_and_at_any_point_of_the_answer() {
    let wire = with(on_patch(&json!({ "kind": "reset_before_commit" }))).await;
    assert!(disable(&wire).await.is_reset);
    assert!(is_enabled(&wire).await);
    let wire = with(on_patch(&json!({ "kind": "reset_after_commit" }))).await;
    assert!(disable(&wire).await.is_reset);
    assert!(!is_enabled(&wire).await);
    assert!(wire.lines().await.iter().any(|line| line["method"] == "PATCH" && line["status"] == 0));
    for at in ["after_headers", "mid_body"] {
        let wire =
            with(on_get("/v1.0/organization", &json!({ "kind": "reset_after_commit", "at": at }))).await;
        let answer = wire.call("GET", "/v1.0/organization", json!(null)).await;
        assert!(!answer.is_reset && answer.breaks_off, "{at}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_never_answers_committed_or_not() {
    for (committed, enabled) in [(false, true), (true, false)] {
        let wire = with(on_patch(&json!({ "kind": "timeout", "committed": committed }))).await;
        let patience = Duration::from_hours(1);
        assert!(tokio::time::timeout(patience, disable(&wire)).await.is_err(), "it answered");
        assert_eq!(is_enabled(&wire).await, enabled);
        assert!(wire.lines().await.iter().any(|line| line["method"] == "PATCH" && line["status"] == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn headers_or_the_body_come_late() {
    let wire = with(on_get("/v1.0/organization", &json!({ "kind": "delay", "ms": 2500 }))).await;
    let token = wire.token(RESPONDER, "responder-secret").await;
    let start = tokio::time::Instant::now();
    wire.call_as(&token, "GET", "/v1.0/organization", json!(null)).await;
    assert_eq!(start.elapsed(), Duration::from_millis(2500));
    set(&wire, on_get("/v1.0/organization", &json!({ "kind": "slow_body", "bytesPerSecond": 50 }))).await;
    let start = tokio::time::Instant::now();
    let answer = wire.call_as(&token, "GET", "/v1.0/organization", json!(null)).await;
    let length = u64::try_from(answer.body.to_string().len()).unwrap();
    assert_eq!(start.elapsed().as_secs(), length.div_ceil(50) - 1);
    assert_eq!(answer.body["value"][0]["displayName"], "Contoso", "all of it came");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_cut_off_emptied_or_of_another_kind() {
    let path = "/v1.0/organization";
    let get = async |fault: Value| with(on_get(path, &fault)).await.call("GET", path, json!(null)).await;
    let cut = get(json!({ "kind": "truncate", "bytes": 10 })).await;
    assert_eq!(cut.body, json!("{\"@odata.c"));
    let page = get(json!({ "kind": "wrong_content_type" })).await;
    assert_eq!((page.status, page.headers["content-type"].to_str().unwrap()), (200, "text/html"));
    let empty = get(json!({ "kind": "empty_body" })).await;
    assert_eq!((empty.status, &empty.body), (200, &json!("")));
    let marked = get(json!({ "kind": "byte_order_mark" })).await;
    assert!(marked.body.as_str().unwrap().starts_with('\u{feff}'));
    let long = get(json!({ "kind": "wrong_content_length", "by": 100 })).await;
    let short = get(json!({ "kind": "wrong_content_length", "by": -20 })).await;
    let length =
        |answer: &Answer| answer.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap();
    assert_eq!(length(&long) - length(&short), 120);
    let committed = with(on_patch(&json!({ "kind": "wrong_content_type" }))).await;
    disable(&committed).await;
    assert!(!is_enabled(&committed).await, "what was asked for was done");
}

#[tokio::test(start_paused = true)]
async fn json_drifts_from_its_schema_property_by_property() {
    let path = "/v1.0/users";
    for (fault, pointer, seen) in [
        (json!({ "kind": "drift", "field": "displayName", "to": 5 }), "/value/0/displayName", Some(json!(5))),
        (
            json!({ "kind": "drift", "field": "brandNew", "to": { "a": 1 } }),
            "/value/1/brandNew/a",
            Some(json!(1)),
        ),
        (json!({ "kind": "drift", "field": "id" }), "/value/0/id", None),
        (json!({ "kind": "drift", "field": "mail", "to": null }), "/value/0/mail", Some(json!(null))),
        (json!({ "kind": "drift", "field": "value", "to": null }), "/value", Some(json!(null))),
    ] {
        let wire = with(on_get(path, &fault.clone())).await;
        let answer = wire.call("GET", path, json!(null)).await;
        assert_eq!(answer.body.pointer(pointer).cloned(), seen, "{fault}");
    }
    // A long-running operation's state, or any single object's, is a property like others.
    let wire =
        with(on_get(&user(), &json!({ "kind": "drift", "field": "userType", "to": "unknownFutureValue" })))
            .await;
    assert_eq!(wire.call("GET", &user(), json!(null)).await.body["userType"], "unknownFutureValue");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_huge_in_bytes_or_in_elements() {
    let wire = with(on_get("/v1.0/users", &json!({ "kind": "huge_response", "items": 5000 }))).await;
    let answer = wire.call("GET", "/v1.0/users", json!(null)).await;
    let ids: std::collections::BTreeSet<_> =
        answer.body["value"].as_array().unwrap().iter().map(|own| own["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 5000, "each of its own id");
    set(&wire, on_get("/v1.0/users", &json!({ "kind": "huge_response", "bytes": 1_000_000 }))).await;
    let answer = wire.call("GET", "/v1.0/users", json!(null)).await;
    assert_eq!(answer.bytes, 1_000_000);
    assert!(answer.body["value"].is_array(), "it is JSON still");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_said_to_be_expired_or_challenged() {
    let wire = with(on_patch(&json!({ "kind": "expire_token" }))).await;
    assert_eq!(code(&disable(&wire).await), (401, "InvalidAuthenticationToken"));
    let wire = with(on_patch(&json!({ "kind": "claims_challenge" }))).await;
    let answer = disable(&wire).await;
    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("insufficient_claims"));
}

#[tokio::test(start_paused = true)]
async fn reads_trail_a_write_wholly_in_turn_in_lists_or_in_items() {
    let mut seen = Vec::new();
    for kind in ["stale_reads", "flapping_reads", "stale_lists", "stale_items"] {
        let wire = with(on_patch(&json!({ "kind": kind, "seconds": 30 }))).await;
        assert_eq!(disable(&wire).await.status, 204);
        let items = [is_enabled(&wire).await, is_enabled(&wire).await];
        let lists = [is_enabled_in_list(&wire).await, is_enabled_in_list(&wire).await];
        seen.push((kind, items, lists));
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(!is_enabled(&wire).await && !is_enabled_in_list(&wire).await, "{kind} has an end");
    }
    assert_eq!(
        seen,
        [
            ("stale_reads", [true, true], [true, true]),
            ("flapping_reads", [false, true], [false, true]),
            ("stale_lists", [false, false], [true, true]),
            ("stale_items", [true, true], [false, false]),
        ]
    );
}

fn location() -> Value {
    json!({ "@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "new", "isTrusted": false,
            "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24" }] })
}

#[tokio::test(start_paused = true)]
async fn what_was_just_made_is_not_found_yet_though_a_list_shows_it() {
    let rule =
        json!({ "method": "POST", "path": LOCATIONS, "fault": { "kind": "not_found_yet", "seconds": 10 } });
    let wire = with(rule).await;
    let made = wire.call("POST", LOCATIONS, location()).await;
    let path = format!("{LOCATIONS}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(code(&wire.call("GET", &path, json!(null)).await), (404, "ResourceNotFound"));
    let listed = wire.call("GET", LOCATIONS, json!(null)).await;
    assert!(listed.body["value"].as_array().unwrap().iter().any(|own| own["id"] == made.body["id"]));
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(wire.call("GET", &path, json!(null)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_taken_back_later_and_nothing_else_with_it() {
    let wire = with(on_patch(&json!({ "kind": "revert_later", "seconds": 60 }))).await;
    assert_eq!(disable(&wire).await.status, 204);
    assert!(!is_enabled(&wire).await);
    let made = wire.call("POST", LOCATIONS, location()).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(is_enabled(&wire).await, "the sync has enabled the account again");
    let path = format!("{LOCATIONS}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(wire.call("GET", &path, json!(null)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_object_of_the_directory_is_taken_back_as_well() {
    let wire = Wire::with_app(&["Policy.ReadWrite.AuthenticationMethod", "MailboxSettings.ReadWrite"]);
    let token = wire.token("99999999-aaaa-4bbb-8ccc-000000000009", "probe-secret").await;
    let requirements = format!("/beta/users/{LYNNE}/authentication/requirements");
    let settings = format!("{}/mailboxSettings", user());
    for (path, body) in [
        (&requirements, json!({ "perUserMfaState": "enforced" })),
        (&settings, json!({ "automaticRepliesSetting": { "status": "alwaysEnabled" } })),
    ] {
        let kept = wire.control("GET", "/_mock/state/digest", json!(null)).await.body;
        let rule =
            json!({ "method": "PATCH", "path": path, "fault": { "kind": "revert_later", "seconds": 60 } });
        set(&wire, rule).await;
        let answer = wire.call_as(&token, "PATCH", path, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.body);
        assert_ne!(wire.control("GET", "/_mock/state/digest", json!(null)).await.body, kept, "{path}");
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(wire.control("GET", "/_mock/state/digest", json!(null)).await.body, kept, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_later_in_the_same_object_stays_when_a_write_is_taken_back() {
    let wire = with(on_patch(&json!({ "kind": "revert_later", "seconds": 60 }))).await;
    assert_eq!(disable(&wire).await.status, 204);
    assert_eq!(wire.call("PATCH", &user(), json!({ "jobTitle": "Auditor" })).await.status, 204);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(is_enabled(&wire).await);
    let path = format!("{}?$select=jobTitle", user());
    assert_eq!(wire.call("GET", &path, json!(null)).await.body["jobTitle"], "Auditor");
    // An attacker's holdings, which no tenant file spells, have outlived it.
    let attempt = wire.control("POST", "/_mock/attackers/invoice/attempt", json!({})).await;
    assert_eq!((attempt.status, &attempt.body["in"]), (200, &json!(true)), "{}", attempt.body);
}

#[tokio::test(start_paused = true)]
async fn somebody_else_changes_an_object_between_a_read_and_a_write() {
    let wire = with(json!({ "fault": { "kind": "delay", "ms": 0 } })).await;
    let made = wire.call("POST", LOCATIONS, location()).await;
    let id = made.body["id"].as_str().unwrap();
    let path = format!("{LOCATIONS}/{id}");
    let foreign = json!({ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.7/32" });
    let edit = json!({ "kind": "foreign_edit", "list": "namedLocations", "id": id, "when": "after",
                       "append": { "ipRanges": [foreign] }, "set": { "displayName": "theirs" } });
    set(&wire, on_get(&path, &edit)).await;
    let read = wire.call("GET", &path, json!(null)).await;
    assert_eq!(read.body["ipRanges"].as_array().unwrap().len(), 1);
    let read = wire.call("GET", &path, json!(null)).await;
    assert_eq!(
        (read.body["ipRanges"].as_array().unwrap().len(), &read.body["displayName"]),
        (2, &json!("theirs"))
    );
    // A method registered while a step is under way, and one that is gone before it is deleted.
    let methods = format!("{}/authentication/methods", user());
    let planted = json!({ "kind": "foreign_edit", "list": "authenticationMethods", "user": LYNNE, "id": "planted",
                          "set": { "@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod" } });
    set(&wire, on_get(&methods, &planted)).await;
    let listed = wire.call("GET", &methods, json!(null)).await;
    assert!(listed.body.to_string().contains("planted"));
    let removed = json!({ "kind": "foreign_edit", "list": "authenticationMethods", "user": LYNNE, "id": "planted", "remove": true });
    set(&wire, json!({ "method": "DELETE", "fault": removed })).await;
    let path = format!("{}/authentication/softwareOathMethods/planted", user());
    assert_eq!(wire.call("DELETE", &path, json!(null)).await.status, 404);
}

/// Follows next links from a path, at most so many, and tells the ids seen on each page.
async fn pages(wire: &Wire, path: &str, most: usize) -> Vec<Vec<String>> {
    let mut seen = Vec::new();
    let mut next = path.to_owned();
    while seen.len() < most {
        let answer = wire.call("GET", &next, json!(null)).await;
        assert_eq!(answer.status, 200, "{next}: {}", answer.body);
        let ids = answer.body["value"].as_array().unwrap().iter();
        seen.push(ids.map(|own| own["id"].as_str().unwrap().to_owned()).collect());
        match answer.body["@odata.nextLink"].as_str() {
            Some(link) => next = link.strip_prefix("http://127.0.0.1:1").unwrap().to_owned(),
            None => break,
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn pages_repeat_loop_overlap_skip_turn_round_or_come_empty() {
    let path = "/v1.0/users?$top=10&$select=id";
    let wire = with(json!({ "fault": { "kind": "delay", "ms": 0 } })).await;
    let whole = pages(&wire, path, 9).await;
    assert_eq!(whole.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 4]);
    let run = async |kind: &str| {
        set(&wire, on_get("/v1.0/users", &json!({ "kind": kind }))).await;
        pages(&wire, path, 9).await
    };
    let repeated = run("repeat_page").await;
    assert_eq!((repeated.len(), &repeated[0], &repeated[2]), (4, &repeated[1], &whole[1]));
    assert_eq!(run("loop_next_link").await.len(), 9, "it never ends");
    let overlapping = run("overlap_pages").await;
    assert_eq!(overlapping[1][0], whole[0][9]);
    let skipping = run("skip_item").await;
    assert_eq!(skipping[1][0], whole[1][1]);
    let turned = run("reorder_page").await;
    assert_eq!((&turned[0][0], &turned[1]), (&whole[0][9], &whole[1]));
    let empty = run("empty_page").await;
    assert_eq!((empty[0].len(), &empty[1], empty.len()), (0, &whole[0], 4));
}

#[tokio::test(start_paused = true)]
async fn next_links_lead_astray() {
    let path = "/v1.0/users?$top=10&$select=id";
    let link = async |fault: Value| {
        let wire = with(on_get("/v1.0/users", &fault)).await;
        let link =
            wire.call("GET", path, json!(null)).await.body["@odata.nextLink"].as_str().unwrap().to_owned();
        (wire, link)
    };
    let (_, foreign) = link(json!({ "kind": "foreign_next_link", "host": "evil.example" })).await;
    assert!(foreign.starts_with("https://evil.example/v1.0/users"), "{foreign}");
    let (_, other) = link(json!({ "kind": "other_version_next_link" })).await;
    assert!(other.starts_with("http://127.0.0.1:1/beta/users?$top=10"), "{other}");
    let (wire, expired) = link(json!({ "kind": "expired_skip_token" })).await;
    let answer = wire.call("GET", expired.strip_prefix("http://127.0.0.1:1").unwrap(), json!(null)).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_date_is_skewed_or_absent() {
    let path = "/v1.0/organization";
    let wire = with(on_get(path, &json!({ "kind": "date_skew", "seconds": -300 }))).await;
    assert_eq!(wire.call("GET", path, json!(null)).await.headers["date"], "Fri, 04 Oct 2024 14:55:00 GMT");
    let wire = with(on_get(path, &json!({ "kind": "date_absent" }))).await;
    assert!(!wire.call("GET", path, json!(null)).await.headers.contains_key("date"));
}

#[tokio::test(start_paused = true)]
async fn the_token_endpoint_fails_in_its_own_words_or_issues_a_wrong_token() {
    let form = format!(
        "grant_type=client_credentials&client_id={RESPONDER}&client_secret=responder-secret&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
    );
    let token = |fault: Value| json!({ "path": format!("/{TENANT}/oauth2/v2.0/token"), "fault": fault });
    let wire = with(token(json!({ "kind": "status", "status": 400, "code": "invalid_client", "message": "AADSTS7000222: expired" }))).await;
    let answer = wire.token_answer(&form).await;
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_client")));
    assert!(answer.body["error_description"].as_str().unwrap().starts_with("AADSTS7000222"));
    set(&wire, token(json!({ "kind": "throttle", "retryAfter": 1 }))).await;
    assert_eq!(wire.token_answer(&form).await.body["error"], "temporarily_unavailable");
    for (claim, value, status) in [
        ("tid", json!("00000000-0000-0000-0000-000000000000"), 401),
        ("aud", json!("https://vault.azure.net"), 401),
        ("exp", json!(1), 401),
        ("roles", json!(null), 403),
    ] {
        set(&wire, token(json!({ "kind": "token_claims", "set": { claim: value } }))).await;
        assert_eq!(wire.call("GET", "/v1.0/organization", json!(null)).await.status, status, "{claim}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failover_refuses_writes_and_shows_the_past() {
    let wire = with(json!({ "method": "GET", "path": "/v1.0/organization", "fault": { "kind": "failover", "seconds": 120 } })).await;
    assert_eq!(disable(&wire).await.status, 204);
    wire.call("GET", "/v1.0/organization", json!(null)).await;
    assert!(is_enabled(&wire).await, "reads show what was before the last write");
    assert_eq!(code(&disable(&wire).await), (503, "serviceNotAvailable"));
    tokio::time::advance(Duration::from_secs(121)).await;
    assert!(!is_enabled(&wire).await);
    assert_eq!(disable(&wire).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_principal_gets_no_token_and_its_own_end_or_do_not() {
    for (ends, status) in [(true, 401), (false, 204)] {
        let wire = with(json!({ "method": "GET", "path": "/v1.0/organization",
                                "fault": { "kind": "disable_principal", "endsTokens": ends } }))
        .await;
        let token = wire.token(RESPONDER, "responder-secret").await;
        wire.call_as(&token, "GET", "/v1.0/organization", json!(null)).await;
        let body = json!({ "accountEnabled": false });
        assert_eq!(wire.call_as(&token, "PATCH", &user(), body).await.status, status);
        let form = format!(
            "grant_type=client_credentials&client_id={RESPONDER}&client_secret=responder-secret&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        assert_eq!(wire.token_answer(&form).await.body["error_codes"], json!([7_000_112]));
    }
}

/// Sends one request over a socket and tells every byte that came back, or why none did.
async fn over_a_socket(fault: Value) -> Result<String, std::io::Error> {
    let mut tenant = reference();
    tenant["signIns"] = json!([]);
    let mock = mock_graph::MockGraph::from_json(&tenant.to_string()).unwrap();
    mock.set_faults(&json!({ "rules": [{ "fault": fault }] }).to_string()).unwrap();
    let running = mock.start().await.unwrap();
    let address = running.base_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /{TENANT}/v2.0/.well-known/openid-configuration HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn over_a_socket_a_reset_is_no_answer_a_break_is_half_of_one_and_the_date_is_the_tenants() {
    let silent = over_a_socket(json!({ "kind": "reset_before_commit" })).await;
    assert!(silent.as_ref().map_or(true, String::is_empty), "{silent:?}");
    let half = over_a_socket(json!({ "kind": "reset_after_commit", "at": "mid_body" })).await.unwrap();
    let (headers, body) = half.split_once("\r\n\r\n").unwrap();
    let length: usize =
        headers.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2, "{half}");
    let long = over_a_socket(json!({ "kind": "wrong_content_length", "by": 10 })).await.unwrap();
    let (headers, body) = long.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains(&format!("content-length: {}", body.len() + 10)), "{long}");
    let absent = over_a_socket(json!({ "kind": "date_absent" })).await.unwrap();
    assert!(absent.starts_with("HTTP/1.1 200") && !absent.contains("\r\ndate:"), "{absent}");
    let present = over_a_socket(json!({ "kind": "delay", "ms": 0 })).await.unwrap();
    assert!(present.contains("\r\ndate: Fri, 04 Oct 2024"), "{present}");
}

#[test]
fn every_kind_is_documented_and_has_a_test_here() {
    let mock = mock_graph::MockGraph::from_json(&json!({
        "format": "mock-graph/1", "tenant": { "id": "t", "displayName": "t", "defaultDomain": "contoso.com" }
    }).to_string()).unwrap();
    let unknown = json!({ "rules": [{ "fault": { "kind": "?" } }] }).to_string();
    let told = mock.set_faults(&unknown).unwrap_err().to_string();
    let listed = told.split_once("expected one of ").unwrap().1;
    let kinds: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    assert!(kinds.len() > 30, "{told}");
    let (manual, tests) = (include_str!("../../README.md"), include_str!("faults.rs"));
    for kind in kinds {
        assert!(manual.contains(&format!("| `{kind}` |")), "README.md does not tell of {kind}");
        assert!(tests.contains(&format!("\"{kind}\"")), "no test of {kind}");
    }
}
