//! Registering methods, Temporary Access Passes and their policy, risky users: Graph's own rules.

use mock_graph::Settings;
use serde_json::{Value, json};

use crate::wire::{LYNNE, Wire, reference};

fn with(change: impl FnOnce(&mut Value)) -> Wire {
    let mut tenant = reference();
    change(&mut tenant);
    Wire::of(&tenant, Settings::default())
}

fn methods(tail: &str) -> String {
    format!("/v1.0/users/{LYNNE}/authentication/{tail}")
}

const MOBILE: &str = "3179e48a-750b-4051-897c-87b9720928f7";

#[tokio::test(start_paused = true)]
async fn a_phone_is_registered_in_graphs_own_format_and_one_of_each_type() {
    let wire = Wire::new();
    for wrong in ["4255550142", "+14255550142", "+1 425 555 0142", "", "+1 425555014x"] {
        let body = json!({ "phoneNumber": wrong, "phoneType": "mobile" });
        let answer = wire.call("POST", &methods("phoneMethods"), body).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("badRequest")), "{wrong}");
    }
    let body = json!({ "phoneNumber": "+1 4255550142x12", "phoneType": "mobile" });
    let made = wire.call("POST", &methods("phoneMethods"), body.clone()).await;
    assert_eq!((made.status, &made.body["id"]), (201, &json!(MOBILE)));
    assert_eq!(wire.call("POST", &methods("phoneMethods"), body).await.status, 400, "one of each type");
    let unknown = json!({ "phoneNumber": "+1 4255550142", "phoneType": "fax" });
    assert_eq!(wire.call("POST", &methods("phoneMethods"), unknown).await.status, 400);
    let path = methods(&format!("phoneMethods/{MOBILE}"));
    let change = json!({ "phoneNumber": "+1 4255550199" });
    assert_eq!(wire.call("PATCH", &path, change).await.status, 204);
    let now = wire.call("GET", &path, json!(null)).await;
    assert_eq!(
        (&now.body["phoneNumber"], &now.body["phoneType"]),
        (&json!("+1 4255550199"), &json!("mobile"))
    );
    let other = methods("phoneMethods/e37fc753-ff3b-4958-9484-eaa9425c82bc");
    assert_eq!(wire.call("PATCH", &other, json!({ "phoneNumber": "+1 4255550199" })).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn an_address_for_reset_is_one_and_other_kinds_are_not_registered_for_others() {
    let wire = Wire::new();
    let address = |text: &str| json!({ "emailAddress": text });
    assert_eq!(wire.call("POST", &methods("emailMethods"), address("nobody")).await.status, 400);
    assert_eq!(wire.call("POST", &methods("emailMethods"), address("a@fabrikam.com")).await.status, 201);
    assert_eq!(wire.call("POST", &methods("emailMethods"), address("b@fabrikam.com")).await.status, 400);
    assert_eq!(wire.call("POST", &methods("softwareOathMethods"), json!({})).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn a_pass_is_shown_once_and_ends_the_one_before() {
    let wire = Wire::new();
    let path = methods("temporaryAccessPassMethods");
    let body = json!({ "lifetimeInMinutes": 60, "isUsableOnce": true });
    let first = wire.call("POST", &path, body.clone()).await;
    assert_eq!((first.status, &first.body["isUsable"]), (201, &json!(true)));
    let code = first.body["temporaryAccessPass"].as_str().unwrap().to_owned();
    assert_eq!(code.chars().count(), 8);
    let listed = wire.call("GET", &path, json!(null)).await;
    assert_eq!(listed.body["value"][0]["temporaryAccessPass"], Value::Null, "shown once");
    let all = wire.call("GET", &methods("methods"), json!(null)).await;
    assert!(!all.body.to_string().contains(&code));
    assert!(!wire.lines().await.iter().any(|line| line.to_string().contains(&code)), "not in the journal");
    let second = wire.call("POST", &path, body).await;
    let listed = wire.call("GET", &path, json!(null)).await;
    assert_eq!(listed.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(listed.body["value"][0]["id"], second.body["id"]);
    assert_ne!(first.body["temporaryAccessPass"], second.body["temporaryAccessPass"]);
    // It ends by itself.
    wire.control("POST", "/_mock/clock", json!({ "advance": "61m" })).await;
    let listed = wire.call("GET", &path, json!(null)).await;
    assert_eq!(
        (&listed.body["value"][0]["isUsable"], &listed.body["value"][0]["methodUsabilityReason"]),
        (&json!(false), &json!("Expired"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_pass_keeps_to_the_tenants_policy() {
    let wire = with(|tenant| {
        tenant["temporaryAccessPassPolicy"] = json!({ "minimumLifetimeInMinutes": 10, "maximumLifetimeInMinutes": 30, "defaultLifetimeInMinutes": 15,
                    "defaultLength": 12, "isUsableOnce": true });
    });
    let path = methods("temporaryAccessPassMethods");
    let answer = wire.call("POST", &path, json!({ "lifetimeInMinutes": 60 })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body["error"]["message"],
        "Invalid LifetimeInMinutes specified. The valid range between 10 and 30."
    );
    assert_eq!(wire.call("POST", &path, json!({ "minutes": 15 })).await.status, 400);
    let made = wire.call("POST", &path, json!({})).await;
    assert_eq!(made.body["lifetimeInMinutes"], 15);
    assert_eq!(made.body["isUsableOnce"], true, "the policy leaves no choice");
    assert_eq!(made.body["temporaryAccessPass"].as_str().unwrap().len(), 12);
    let policy =
        "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass";
    assert_eq!(wire.call("GET", policy, json!(null)).await.body["maximumLifetimeInMinutes"], 30);
    let off = with(|tenant| tenant["temporaryAccessPassPolicy"] = json!({ "state": "disabled" }));
    let made = off.call("POST", &path, json!({})).await;
    assert_eq!((made.status, &made.body["methodUsabilityReason"]), (201, &json!("DisabledByPolicy")));
}

const RISKY: &str = "/v1.0/identityProtection/riskyUsers";

#[tokio::test(start_paused = true)]
async fn a_confirmed_user_shows_once_it_is_processed() {
    let wire = with(|tenant| tenant["tenant"]["riskProcessingSeconds"] = json!(120));
    let one = format!("{RISKY}/{LYNNE}");
    assert_eq!(wire.call("GET", &one, json!(null)).await.status, 404, "never at risk");
    let confirm = format!("{RISKY}/confirmCompromised");
    let upn = json!({ "userIds": ["lynne.robbins@contoso.com"] });
    assert_eq!(wire.call("POST", &confirm, upn).await.status, 400, "object ids alone");
    assert_eq!(wire.call("POST", &confirm, json!({ "userIds": [LYNNE] })).await.status, 204);
    let queued = wire.call("GET", &one, json!(null)).await;
    assert_eq!((&queued.body["isProcessing"], &queued.body["riskState"]), (&json!(true), &json!("none")));
    wire.control("POST", "/_mock/clock", json!({ "advance": "121s" })).await;
    let done = wire.call("GET", &one, json!(null)).await;
    assert_eq!(
        (&done.body["isProcessing"], &done.body["riskState"], &done.body["riskLevel"]),
        (&json!(false), &json!("confirmedCompromised"), &json!("high"))
    );
    assert_eq!(
        wire.call("POST", &format!("{RISKY}/dismiss"), json!({ "userIds": [LYNNE] })).await.status,
        204
    );
    wire.control("POST", "/_mock/clock", json!({ "advance": "121s" })).await;
    let dismissed = wire.call("GET", RISKY, json!(null)).await;
    assert_eq!(dismissed.body["value"][0]["riskState"], "dismissed");
}

#[tokio::test(start_paused = true)]
async fn without_p2_there_are_no_risky_users() {
    let wire = with(|tenant| tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]));
    let answer =
        wire.call("POST", &format!("{RISKY}/confirmCompromised"), json!({ "userIds": [LYNNE] })).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (403, &json!("Forbidden")));
    assert_eq!(answer.body["error"]["message"], "Your tenant is not licensed for this feature.");
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_risk_sets_off_the_policies_on_user_risk() {
    let wire = with(|tenant| {
        tenant["tenant"]["riskProcessingSeconds"] = json!(60);
        let mut policy = tenant["conditionalAccessPolicies"][0].clone();
        policy["id"] = json!("b7d00000-0000-4000-8000-000000000077");
        policy["displayName"] = json!("Block high risk");
        policy["conditions"]["userRiskLevels"] = json!(["high"]);
        policy["grantControls"]["builtInControls"] = json!(["block"]);
        tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(policy);
    });
    let get_in = async || {
        let answer = wire.control("POST", "/_mock/attackers/invoice/attempt", json!({})).await;
        answer.body["in"].clone()
    };
    let confirm = format!("{RISKY}/confirmCompromised");
    assert_eq!(wire.call("POST", &confirm, json!({ "userIds": [LYNNE] })).await.status, 204);
    assert_eq!(get_in().await, true, "it is not processed yet");
    wire.control("POST", "/_mock/clock", json!({ "advance": "61s" })).await;
    assert_eq!(get_in().await, false);
}
