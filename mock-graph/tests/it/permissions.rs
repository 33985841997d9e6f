//! Generated from the route table: every route without its permission is refused in the words of its service.

use mock_graph::Settings;
use mock_graph::routes::{Permissions, Route, Service, all};
use serde_json::json;

use crate::wire::{LYNNE, Wire, reference};

const PROBE: &str = "99999999-aaaa-4bbb-8ccc-000000000009";

fn path_of(route: &Route, version: &str) -> String {
    let mut path = format!("/{version}");
    for (index, part) in route.path.split('/').filter(|part| !part.is_empty()).enumerate() {
        path.push('/');
        match (part, index) {
            ("{}", 1) => path.push_str(LYNNE),
            ("{}", 3) => path.push_str("microsoftAuthenticatorMethods"),
            ("{}", _) => path.push_str("3ebebe3e-1790-40da-9891-0052cebcc1ba"),
            (literal, _) => path.push_str(literal),
        }
    }
    path
}

/// Status and code of a missing permission, as the services word it.
fn refusal_of(route: &Route) -> (u16, &'static str) {
    match route.service {
        Service::Directory => (403, "Authorization_RequestDenied"),
        Service::AuthenticationMethods => (403, "accessDenied"),
        Service::ConditionalAccess => (403, "AccessDenied"),
        Service::IdentityProtection | Service::Hunting | Service::AuditSearch => (403, "Forbidden"),
        Service::Reports => (403, "Authentication_MSGraphPermissionMissing"),
        Service::Exchange | Service::MessageTrace => (403, "ErrorAccessDenied"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_route_without_its_permission_is_refused_with_its_services_code() {
    let wire = Wire::with_app(&[]);
    let token = wire.token(PROBE, "probe-secret").await;
    for route in all() {
        let body = if matches!(route.permissions, Permissions::ByBody) {
            json!({ "accountEnabled": false })
        } else if route.method == "GET" || route.method == "DELETE" {
            json!(null)
        } else {
            json!({})
        };
        let path = path_of(route, "beta");
        let answer = wire.call_as(&token, route.method, &path, body).await;
        let (status, code) = refusal_of(route);
        assert_eq!(answer.status, status, "{} {path}: {}", route.method, answer.body);
        assert_eq!(answer.body["error"]["code"], code, "{} {path}", route.method);
    }
}

#[tokio::test(start_paused = true)]
async fn every_least_set_opens_its_route() {
    let cases: Vec<_> = all()
        .filter_map(|route| match route.permissions {
            Permissions::AnyOf(sets) => Some(sets.iter().map(move |set| (route, *set))),
            _ => None,
        })
        .flatten()
        .collect();
    // One tenant with an app for each set: reading the file takes longer than all the requests.
    let mut tenant = reference();
    tenant["signIns"] = json!([]);
    let apps = tenant["applications"].as_array_mut().unwrap();
    for (number, (_, set)) in cases.iter().enumerate() {
        apps.push(json!({ "appId": format!("set-{number}"), "displayName": "probe", "clientSecret": "s", "roles": set }));
    }
    let wire = Wire::of(&tenant, Settings::default());
    for (number, (route, set)) in cases.into_iter().enumerate() {
        let token = wire.token(&format!("set-{number}"), "s").await;
        let body = if route.method == "GET" || route.method == "DELETE" { json!(null) } else { json!({}) };
        let answer = wire.call_as(&token, route.method, &path_of(route, "beta"), body).await;
        assert_ne!(answer.status, 403, "{} {} with {set:?}: {}", route.method, route.path, answer.body);
    }
}

#[tokio::test(start_paused = true)]
async fn every_route_is_journalled_as_known_and_by_whether_it_writes() {
    let wire = Wire::with_app(&[]);
    let token = wire.token(PROBE, "probe-secret").await;
    for route in all() {
        wire.call_as(&token, route.method, &path_of(route, "beta"), json!(null)).await;
    }
    let lines: Vec<_> = wire.lines().await.into_iter().skip(1).collect();
    assert_eq!(lines.len(), all().count());
    for (line, route) in lines.iter().zip(all()) {
        let only_reads = route.method == "GET"
            || ["/identity/conditionalAccess/evaluate", "/security/runHuntingQuery"].contains(&route.path);
        assert_eq!((&line["known"], &line["write"]), (&json!(true), &json!(!only_reads)), "{line}");
        assert_eq!(line["app_id"], PROBE, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permission_to_write_a_policy_reads_none() {
    let wire = Wire::with_app(&["Policy.ReadWrite.ConditionalAccess", "Application.Read.All"]);
    let token = wire.token(PROBE, "probe-secret").await;
    for path in
        ["/v1.0/identity/conditionalAccess/policies", "/v1.0/identity/conditionalAccess/namedLocations"]
    {
        let answer = wire.call_as(&token, "GET", path, json!(null)).await;
        assert_eq!(
            (answer.status, answer.body["error"]["code"].as_str()),
            (403, Some("AccessDenied")),
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_general_permission_covers_the_password_and_nothing_is_done_by_halves() {
    let wire = Wire::with_app(&["User.ReadWrite.All", "Directory.ReadWrite.All", "User.Read.All"]);
    let token = wire.token(PROBE, "probe-secret").await;
    let path = format!("/v1.0/users/{LYNNE}");
    let body = json!({ "accountEnabled": false, "passwordProfile": { "password": "Xk3!aaaaaaaa9" } });
    assert_eq!(wire.call_as(&token, "PATCH", &path, body).await.status, 403);
    let read = format!("{path}?$select=accountEnabled,lastPasswordChangeDateTime");
    let user = wire.call("GET", &read, json!(null)).await;
    assert_eq!(user.body["accountEnabled"], true);
}

#[tokio::test(start_paused = true)]
async fn a_per_kind_permission_opens_its_own_collection_only() {
    let wire = Wire::with_app(&["UserAuthMethod-MicrosoftAuthApp.ReadWrite.All"]);
    let token = wire.token(PROBE, "probe-secret").await;
    let get = async |tail: &str| {
        wire.call_as(&token, "GET", &format!("/v1.0/users/{LYNNE}/authentication/{tail}"), json!(null))
            .await
            .status
    };
    assert_eq!(get("microsoftAuthenticatorMethods").await, 200);
    assert_eq!(get("phoneMethods").await, 403);
    assert_eq!(get("methods").await, 403);
}
