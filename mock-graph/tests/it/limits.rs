//! The published limits over the router: what counts together, what is told, and each part of a batch on its own.

use std::time::Duration;

use mock_graph::Settings;
use serde_json::{Value, json};

use crate::wire::{LYNNE, RESPONDER, Wire, reference};

async fn limited(latency: Duration) -> (Wire, String) {
    let settings = Settings { enforce_throttling: true, latency, ..Settings::default() };
    let wire = Wire::of(&reference(), settings);
    let token = wire.token(RESPONDER, "responder-secret").await;
    (wire, token)
}

#[tokio::test(start_paused = true)]
async fn conditional_access_is_one_a_second_for_all_apps_together() {
    let (wire, token) = limited(Duration::ZERO).await;
    let observer = wire.token("11111111-aaaa-4bbb-8ccc-000000000002", "observer-secret").await;
    let path = "/v1.0/identity/conditionalAccess/policies";
    assert_eq!(wire.call_as(&token, "GET", path, json!(null)).await.status, 200);
    let other = "/v1.0/identity/conditionalAccess/namedLocations";
    let second = wire.call_as(&observer, "GET", other, json!(null)).await;
    assert_eq!(second.status, 429);
    assert!(!second.headers.contains_key("retry-after"), "Conditional Access tells no time");
    tokio::time::advance(Duration::from_millis(1100)).await;
    assert_eq!(wire.call_as(&token, "GET", path, json!(null)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn logs_and_authentication_methods_share_five_in_ten_seconds() {
    let (wire, token) = limited(Duration::ZERO).await;
    let methods = format!("/v1.0/users/{LYNNE}/authentication/methods");
    let paths = ["/v1.0/auditLogs/signIns?$top=1", methods.as_str()];
    for turn in 0..5 {
        assert_eq!(wire.call_as(&token, "GET", paths[turn % 2], json!(null)).await.status, 200);
    }
    tokio::time::advance(Duration::from_secs(3)).await;
    let sixth = wire.call_as(&token, "GET", &methods, json!(null)).await;
    assert_eq!((sixth.status, sixth.headers["retry-after"].to_str().unwrap()), (429, "7"));
    let observer = wire.token("11111111-aaaa-4bbb-8ccc-000000000002", "observer-secret").await;
    assert_eq!(
        wire.call_as(&observer, "GET", &methods, json!(null)).await.status,
        200,
        "another app is free"
    );
}

#[tokio::test(start_paused = true)]
async fn a_directory_reply_tells_its_cost() {
    let wire = Wire::new();
    let answer = wire.call("GET", "/v1.0/users", json!(null)).await;
    assert_eq!(answer.headers["x-ms-resource-unit"], "2");
    let answer = wire.call("GET", "/v1.0/users?$select=id&$top=5", json!(null)).await;
    assert_eq!(answer.headers["x-ms-resource-unit"], "1");
}

#[tokio::test(start_paused = true)]
async fn four_requests_of_an_app_are_open_at_mailboxes_and_the_fifth_is_refused() {
    let (wire, token) = limited(Duration::from_millis(80)).await;
    let path = format!("/v1.0/users/{LYNNE}/mailFolders/inbox/messageRules");
    let read = || wire.call_as(&token, "GET", &path, Value::Null);
    let (one, two, three, four, five) = tokio::join!(read(), read(), read(), read(), read());
    let statuses = [one.status, two.status, three.status, four.status, five.status];
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert_eq!(five.body["error"]["code"], "ApplicationThrottled");
    assert_eq!(read().await.status, 200, "they are closed again");
}

#[tokio::test(start_paused = true)]
async fn each_request_of_a_batch_counts_by_itself() {
    let (wire, token) = limited(Duration::ZERO).await;
    let get = |id: &str, after: &[&str]| json!({ "id": id, "method": "GET", "url": "/identity/conditionalAccess/policies", "dependsOn": after });
    let batch = json!({ "requests": [get("1", &[]), get("2", &["1"]), get("3", &["2"])] });
    let answer = wire.call_as(&token, "POST", "/v1.0/$batch", batch).await;
    assert_eq!(answer.status, 200);
    let status = |id: &str| {
        answer.body["responses"].as_array().unwrap().iter().find(|own| own["id"] == id).unwrap()["status"]
            .clone()
    };
    assert_eq!([status("1"), status("2"), status("3")], [json!(200), json!(429), json!(424)]);
}
