//! Users, passwords, methods, tokens: Graph's own rules.

use mock_graph::Settings;
use serde_json::{Value, json};

use crate::wire::{LYNNE, RESPONDER, Wire, reference};

fn with_user(change: impl FnOnce(&mut Value)) -> Wire {
    let mut tenant = reference();
    let users = tenant["users"].as_array_mut().unwrap();
    change(users.iter_mut().find(|user| user["id"] == LYNNE).unwrap());
    Wire::of(&tenant, Settings::default())
}

#[tokio::test(start_paused = true)]
async fn token_errors_have_entras_status_error_and_number() {
    let wire = Wire::new();
    let scope = "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    for (form, status, error, code) in [
        (
            format!("grant_type=client_credentials&client_id={RESPONDER}&client_secret=x&{scope}"),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            format!("grant_type=client_credentials&client_id={RESPONDER}&{scope}"),
            401,
            "invalid_client",
            7_000_218,
        ),
        (
            format!("grant_type=client_credentials&client_id=nobody&client_secret=x&{scope}"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            format!("grant_type=client_credentials&client_id={RESPONDER}&client_secret=responder-secret"),
            400,
            "invalid_request",
            900_144,
        ),
        (
            format!(
                "grant_type=client_credentials&client_id={RESPONDER}&client_secret=responder-secret&scope=User.Read"
            ),
            400,
            "invalid_scope",
            1_002_012,
        ),
        (format!("client_id={RESPONDER}&{scope}"), 400, "invalid_request", 900_144),
    ] {
        let answer = wire.token_answer(&form).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{form}");
        assert_eq!(answer.body["error_codes"], json!([code]), "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_none_is_401() {
    let wire = Wire::new();
    for token in ["", "nonsense", "a.b.c"] {
        let answer = wire.call_as(token, "GET", "/v1.0/users", json!(null)).await;
        assert_eq!(
            (answer.status, answer.body["error"]["code"].as_str()),
            (401, Some("InvalidAuthenticationToken"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_select_a_user_shows_eleven_properties() {
    let wire = Wire::new();
    let answer = wire.call("GET", "/v1.0/users/lynne.robbins%40contoso.com", json!(null)).await;
    let shown = answer.body.as_object().unwrap();
    assert!(shown.contains_key("userPrincipalName") && !shown.contains_key("accountEnabled"), "{shown:?}");
    assert_eq!(
        wire.call("GET", "/v1.0/users/nobody@contoso.com", json!(null)).await.body["error"]["code"],
        "Request_ResourceNotFound"
    );
}

#[tokio::test(start_paused = true)]
async fn synced_federated_and_guest_users_refuse_a_password() {
    let reset = json!({ "passwordProfile": { "password": "Xk3!aaaaaaaa9-long" } });
    let path = format!("/v1.0/users/{LYNNE}");
    let synced = with_user(|user| user["onPremisesSyncEnabled"] = json!(true));
    let answer = synced.call("PATCH", &path, reset.clone()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("on-premises mastered"));
    let guest = with_user(|user| user["userType"] = json!("Guest"));
    assert_eq!(guest.call("PATCH", &path, reset.clone()).await.status, 400);
    let mut tenant = reference();
    tenant["domains"] =
        json!([{ "id": "contoso.com", "authenticationType": "Federated", "isVerified": true }]);
    let federated = Wire::of(&tenant, Settings::default());
    assert_eq!(federated.call("PATCH", &path, reset).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_weak_password_and_an_unknown_property_are_400() {
    let wire = Wire::new();
    let path = format!("/v1.0/users/{LYNNE}");
    for body in [
        json!({ "passwordProfile": { "password": "short" } }),
        json!({ "passwordProfile": { "password": "lynne.robbins-A1" } }),
        json!({ "acountEnabled": false }),
    ] {
        assert_eq!(wire.call("PATCH", &path, body.clone()).await.status, 400, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restricted_unit_refuses_every_app() {
    let wire = with_user(|user| user["isManagementRestricted"] = json!(true));
    let path = format!("/v1.0/users/{LYNNE}");
    assert_eq!(wire.call("PATCH", &path, json!({ "accountEnabled": false })).await.status, 403);
    assert_eq!(wire.call("POST", &format!("{path}/revokeSignInSessions"), json!({})).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn revoking_moves_the_watermark_and_does_nothing_for_guests() {
    let read = format!("/v1.0/users/{LYNNE}?$select=signInSessionsValidFromDateTime");
    let revoke = format!("/v1.0/users/{LYNNE}/revokeSignInSessions");
    for (wire, moves) in [(Wire::new(), true), (with_user(|user| user["userType"] = json!("Guest")), false)] {
        let before =
            wire.call("GET", &read, json!(null)).await.body["signInSessionsValidFromDateTime"].clone();
        let answer = wire.call("POST", &revoke, json!({})).await;
        assert_eq!((answer.status, &answer.body["value"]), (200, &json!(true)));
        let after =
            wire.call("GET", &read, json!(null)).await.body["signInSessionsValidFromDateTime"].clone();
        assert_eq!(before != after, moves);
    }
}

const ROGUE: &str = "3ebebe3e-1790-40da-9891-0052cebcc1ba";

fn with_default(default: Value, methods: impl FnOnce(&mut Vec<Value>)) -> Wire {
    let mut tenant = reference();
    tenant["defaultMethods"][LYNNE] = default;
    methods(tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap());
    Wire::of(&tenant, Settings::default())
}

async fn delete_rogue(wire: &Wire) -> u16 {
    let path = format!("/v1.0/users/{LYNNE}/authentication/microsoftAuthenticatorMethods/{ROGUE}");
    wire.call("DELETE", &path, json!(null)).await.status
}

#[tokio::test(start_paused = true)]
async fn the_default_method_goes_last() {
    let keep_rogue_and_phone = |methods: &mut Vec<Value>| {
        methods.retain(|own| own["id"] == ROGUE || own["@odata.type"].as_str().unwrap().contains("password"));
        methods.push(json!({ "@odata.type": "#microsoft.graph.phoneAuthenticationMethod",
                             "id": "3179e48a-750b-4051-897c-87b9720928f7", "phoneNumber": "+1 4255550142", "phoneType": "mobile" }));
    };
    // The last of the default's kind, another second factor remains.
    assert_eq!(delete_rogue(&with_default(json!("push"), keep_rogue_and_phone)).await, 400);
    // Another of the same kind remains: any may go, but a named one goes last of all.
    assert_eq!(delete_rogue(&with_default(json!("push"), |_| {})).await, 204);
    let named = with_default(json!({ "kind": "push", "id": ROGUE }), |_| {});
    assert_eq!(delete_rogue(&named).await, 400);
    let preferences = format!("/beta/users/{LYNNE}/authentication/signInPreferences");
    let body = json!({ "userPreferredMethodForSecondaryAuthentication": "push" });
    assert_eq!(named.call("PATCH", &preferences, body).await.status, 204);
    assert_eq!(delete_rogue(&named).await, 204);
    // The only second factor may go.
    let alone = with_default(json!("push"), |methods| {
        methods.retain(|own| own["id"] == ROGUE || own["@odata.type"].as_str().unwrap().contains("password"));
    });
    assert_eq!(delete_rogue(&alone).await, 204);
    assert_eq!(delete_rogue(&alone).await, 404);
}

#[tokio::test(start_paused = true)]
async fn unknown_paths_are_404_and_the_journal_knows_them() {
    let wire = Wire::new();
    assert_eq!(wire.call("GET", "/v1.0/nonsense", json!(null)).await.status, 404);
    assert_eq!(wire.call("PUT", &format!("/v1.0/users/{LYNNE}"), json!({})).await.status, 405);
    let preferences = format!("/v1.0/users/{LYNNE}/authentication/signInPreferences");
    assert_eq!(wire.call("GET", &preferences, json!(null)).await.status, 404, "beta only");
    let lines = wire.lines().await;
    let unknown: Vec<_> = lines.iter().filter(|line| line["known"] == false).collect();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn eligible_roles_need_their_licence_and_transitive_ones_their_header() {
    let mut tenant = reference();
    tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]);
    let wire = Wire::of(&tenant, Settings::default());
    let path = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";
    assert_eq!(wire.call("GET", path, json!(null)).await.body["error"]["code"], "AadPremiumLicenseRequired");
    let path = format!(
        "/beta/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId%20eq%20'{LYNNE}'"
    );
    assert_eq!(wire.call("GET", &path, json!(null)).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_name_in_the_companys_own_directory_is_an_advanced_query_even_for_eq() {
    let wire = with_user(|user| user["onPremisesSamAccountName"] = json!("l.robbins"));
    let query = "/v1.0/users?$filter=onPremisesSamAccountName%20eq%20'l.robbins'&$select=id";
    let plain = wire.call("GET", query, Value::Null).await;
    assert_eq!((plain.status, &plain.body["error"]["code"]), (400, &json!("Request_UnsupportedQuery")));
    let counted = wire.call("GET", &format!("{query}&$count=true"), Value::Null).await;
    assert_eq!(counted.status, 400);
}
