//! Every way to come by a token, and what each is refused for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use mock_graph::Settings;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::wire::{Answer, LYNNE, TENANT, Wire, reference};

/// A key that guards nothing: ring makes no RSA keys.
const KEY: &str = include_str!("../../src/test-only-key.pem");
const APP: &str = "99999999-aaaa-4bbb-8ccc-00000000000a";
const ADMINISTRATOR: &str = "tenant.administrator@contoso.com";
const GRAPH_SCOPE: &str = "https%3A%2F%2Fgraph.microsoft.com%2F.default";
const ISSUER: &str = "https://issuer.fabrikam.com";
const SUBJECT: &str = "system:serviceaccount:security:stanch";

/// A certificate of the test key, good from one year to another.
fn certificate(from: i32, to: i32) -> String {
    let key = rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(KEY, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    params.self_signed(&key).unwrap().pem()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn thumbprint(pem: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &der(pem)))
}

fn signed(header: &Value, claims: &Value) -> String {
    let pair = RsaKeyPair::from_pkcs8(&der(KEY)).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    let random = SystemRandom::new();
    if header["alg"] == "PS256" {
        pair.sign(&RSA_PSS_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    } else {
        pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "aud": format!("http://127.0.0.1:1/{TENANT}/oauth2/v2.0/token"), "iss": APP, "sub": APP,
        "jti": "2f1c1f0e-0d1b-4b7e-9a5c-0c6a5d3b8f10", "nbf": now, "iat": now, "exp": now + 600
    })
}

/// The reference tenant with one more app.
fn tenant_with(app: Value) -> Value {
    let mut tenant = reference();
    let mut own = json!({ "appId": APP, "displayName": "probe", "roles": ["User.Read.All"] });
    let Value::Object(entries) = app else { panic!("no object") };
    for (key, value) in entries {
        own[key] = value;
    }
    tenant["applications"].as_array_mut().unwrap().push(own);
    tenant
}

fn wire_with(app: Value) -> Wire {
    Wire::of(&tenant_with(app), Settings::default())
}

fn person_app() -> Value {
    json!({
        "publicClient": true, "redirectUris": ["http://localhost"],
        "delegatedScopes": ["User.Read.All", "UserAuthenticationMethod.ReadWrite.All", "Policy.Read.All"]
    })
}

async fn by_assertion(wire: &Wire, assertion: &str) -> Answer {
    wire.token_answer(&format!(
        "grant_type=client_credentials&client_id={APP}&scope={GRAPH_SCOPE}&client_assertion={assertion}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    ))
    .await
}

fn number(answer: &Answer) -> u64 {
    answer.body["error_codes"][0].as_u64().unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test(start_paused = true)]
async fn a_certificate_signs_in_by_either_form_of_assertion() {
    let pem = certificate(2020, 2120);
    let wire = wire_with(json!({ "certificate": pem }));
    let sha1 = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der(&pem)));
    for header in [
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&pem) }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t": sha1 }),
    ] {
        let answer = by_assertion(&wire, &signed(&header, &claims())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.body["access_token"].as_str().unwrap();
        assert_eq!(wire.call_as(token, "GET", "/v1.0/users", Value::Null).await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_assertion_is_refused_for_each_thing_that_is_wrong_with_it() {
    let pem = certificate(2020, 2120);
    let wire = wire_with(json!({ "certificate": pem }));
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&pem) });
    let now = Timestamp::now().as_second();
    let with = |key: &str, value: Value| {
        let mut claims = claims();
        claims[key] = value;
        signed(&header, &claims)
    };
    let unknown = json!({ "alg": "PS256", "x5t#S256": thumbprint(&certificate(2021, 2120)) });
    // The old thumbprint does not go with the new algorithm.
    let mixed = json!({ "alg": "PS256", "x5t": URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der(&pem))) });
    let mut forged = signed(&header, &claims());
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    for (assertion, code) in [
        (signed(&unknown, &claims()), 700_027),
        (signed(&mixed, &claims()), 700_027),
        (forged, 700_027),
        (with("aud", json!("https://login.microsoftonline.com/common")), 700_023),
        (with("sub", json!("somebody-else")), 700_021),
        (with("jti", json!("")), 50027),
        (with("exp", json!(now - 1)), 700_024),
        (with("nbf", json!(now + 3600)), 700_024),
        ("not-a-jwt".to_owned(), 50027),
    ] {
        let answer = by_assertion(&wire, &assertion).await;
        assert_eq!((answer.status, number(&answer)), (401, code), "{answer:?}");
        assert_eq!(answer.body["error"], "invalid_client");
        for key in ["error_description", "timestamp", "trace_id", "correlation_id", "error_uri"] {
            assert!(answer.body[key].is_string(), "{key}: {answer:?}");
        }
    }
    let expired = certificate(2020, 2021);
    let wire = wire_with(json!({ "certificate": expired }));
    let header = json!({ "alg": "PS256", "x5t#S256": thumbprint(&expired) });
    assert_eq!(number(&by_assertion(&wire, &signed(&header, &claims())).await), 700_027);
}

#[tokio::test(start_paused = true)]
async fn a_federated_statement_signs_in_where_issuer_subject_and_audience_fit() {
    let trust = json!({ "issuer": ISSUER, "subject": SUBJECT, "key": certificate(2020, 2120) });
    let wire = wire_with(json!({ "federatedCredentials": [trust] }));
    let now = Timestamp::now().as_second();
    let statement = |changes: Value| {
        let mut claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": ["api://AzureADTokenExchange"], "iat": now, "exp": now + 600
        });
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        signed(&json!({ "alg": "RS256", "kid": "1" }), &claims)
    };
    assert_eq!(by_assertion(&wire, &statement(json!({}))).await.status, 200);
    for (changes, code) in [
        (json!({ "iss": "https://other.fabrikam.com" }), 700_211),
        (json!({ "sub": "system:serviceaccount:security:other" }), 700_213),
        (json!({ "aud": "api://other" }), 700_212),
        (json!({ "exp": now - 1 }), 700_024),
    ] {
        let answer = by_assertion(&wire, &statement(changes)).await;
        assert_eq!((answer.status, number(&answer)), (401, code), "{answer:?}");
    }
    // A key set's form of the same key does as well.
    let pair = RsaKeyPair::from_pkcs8(&der(KEY)).unwrap();
    let parts = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
    let jwk =
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(parts.n), "e": URL_SAFE_NO_PAD.encode(parts.e) });
    let trust = json!({ "issuer": ISSUER, "subject": SUBJECT, "key": jwk });
    let wire = wire_with(json!({ "federatedCredentials": [trust] }));
    assert_eq!(by_assertion(&wire, &statement(json!({}))).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_has_expired_is_told_from_a_wrong_one() {
    let wire = wire_with(json!({ "clientSecret": "s", "clientSecretExpires": "2020-01-01T00:00:00Z" }));
    let form = |secret: &str| {
        format!("grant_type=client_credentials&client_id={APP}&client_secret={secret}&scope={GRAPH_SCOPE}")
    };
    assert_eq!(number(&wire.token_answer(&form("s")).await), 7_000_222);
    assert_eq!(number(&wire.token_answer(&form("x")).await), 7_000_215);
}

async fn device_code(wire: &Wire) -> Value {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("client_id={APP}&scope={GRAPH_SCOPE}%20openid%20offline_access");
    let answer = wire.raw("POST", &format!("/{TENANT}/oauth2/v2.0/devicecode"), &headers, form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn poll(wire: &Wire, begun: &Value) -> Answer {
    tokio::time::advance(Duration::from_secs(5)).await;
    poll_at_once(wire, begun).await
}

async fn poll_at_once(wire: &Wire, begun: &Value) -> Answer {
    let code = begun["device_code"].as_str().unwrap();
    wire.token_answer(&format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id={APP}&device_code={code}"
    ))
    .await
}

async fn complete(wire: &Wire, begun: &Value, body: Value) -> u16 {
    let code = begun["user_code"].as_str().unwrap();
    wire.control("POST", &format!("/_mock/device-codes/{code}"), body).await.status
}

async fn session_of(wire: &Wire, user: &str) -> Value {
    let begun = device_code(wire).await;
    assert_eq!(complete(wire, &begun, json!({ "user": user })).await, 204);
    let answer = poll(wire, &begun).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn refresh(wire: &Wire, session: &Value) -> Answer {
    let token = session["refresh_token"].as_str().unwrap();
    wire.token_answer(&format!("grant_type=refresh_token&client_id={APP}&refresh_token={token}")).await
}

#[tokio::test(start_paused = true)]
async fn a_device_code_is_polled_until_somebody_has_signed_in() {
    let wire = wire_with(person_app());
    let begun = device_code(&wire).await;
    let answer = poll(&wire, &begun).await;
    assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("authorization_pending")));
    assert_eq!(poll_at_once(&wire, &begun).await.body["error"], "slow_down");
    assert_eq!(complete(&wire, &begun, json!({ "user": ADMINISTRATOR })).await, 204);
    tokio::time::advance(Duration::from_secs(10)).await;
    let answer = poll_at_once(&wire, &begun).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for key in ["access_token", "refresh_token", "id_token", "scope"] {
        assert!(answer.body[key].is_string(), "{key}");
    }
    let token = answer.body["access_token"].as_str().unwrap();
    let me = wire.call_as(token, "GET", "/v1.0/me", Value::Null).await;
    assert_eq!(me.body["userPrincipalName"], ADMINISTRATOR, "{me:?}");
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(poll_at_once(&wire, &begun).await.body["error"], "bad_verification_code");
}

#[tokio::test(start_paused = true)]
async fn a_device_code_ends_by_a_no_by_time_and_by_policy() {
    let wire = wire_with(person_app());
    let begun = device_code(&wire).await;
    assert_eq!(complete(&wire, &begun, json!({})).await, 204);
    assert_eq!(poll(&wire, &begun).await.body["error"], "authorization_declined");
    let begun = device_code(&wire).await;
    tokio::time::advance(Duration::from_secs(901)).await;
    assert_eq!(poll_at_once(&wire, &begun).await.body["error"], "expired_token");
    assert_eq!(complete(&wire, &begun, json!({ "user": "nobody@contoso.com" })).await, 404);

    let mut tenant = tenant_with(person_app());
    tenant["conditionalAccessPolicies"].as_array_mut().unwrap().push(json!({
        "id": "99999999-0000-4000-8000-000000000001", "displayName": "No device codes", "state": "enabled",
        "conditions": { "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["All"] }, "authenticationFlows": { "transferMethods": "deviceCodeFlow" } },
        "grantControls": { "operator": "OR", "builtInControls": ["block"] }
    }));
    let wire = Wire::of(&tenant, Settings::default());
    let begun = device_code(&wire).await;
    assert_eq!(complete(&wire, &begun, json!({ "user": ADMINISTRATOR })).await, 204);
    assert_eq!(number(&poll(&wire, &begun).await), 53003);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_public_needs_its_own_credential_too() {
    let mut app = person_app();
    app["publicClient"] = json!(false);
    let wire = wire_with(app);
    let begun = device_code(&wire).await;
    assert_eq!(number(&poll(&wire, &begun).await), 7_000_218);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_ends_refresh_tokens_and_leaves_access_tokens() {
    let wire = wire_with(person_app());
    let session = session_of(&wire, "lynne.robbins@contoso.com").await;
    assert_eq!(refresh(&wire, &session).await.status, 200);
    tokio::time::advance(Duration::from_secs(2)).await;
    let path = format!("/v1.0/users/{LYNNE}/revokeSignInSessions");
    assert_eq!(wire.call("POST", &path, json!({})).await.status, 200);
    let refused = refresh(&wire, &session).await;
    assert_eq!((refused.status, number(&refused)), (400, 50173));
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(wire.call_as(token, "GET", "/v1.0/me", Value::Null).await.status, 200);
    // A disabled account is told apart.
    let session = session_of(&wire, "adele.vance@contoso.com").await;
    let disable = json!({ "accountEnabled": false });
    assert_eq!(wire.call("PATCH", "/v1.0/users/adele.vance@contoso.com", disable).await.status, 204);
    assert_eq!(number(&refresh(&wire, &session).await), 50057);
}

#[tokio::test(start_paused = true)]
async fn a_browser_signs_in_with_a_challenge_and_the_code_is_good_once() {
    let wire = wire_with(person_app());
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let redirect = "http%3A%2F%2Flocalhost%3A8400";
    let path = format!(
        "/{TENANT}/oauth2/v2.0/authorize?client_id={APP}&response_type=code&redirect_uri={redirect}\
         &scope={GRAPH_SCOPE}%20openid&state=s1&nonce=n1&code_challenge={challenge}&code_challenge_method=S256"
    );
    let page = wire.raw("GET", &path, &[], String::new()).await;
    assert_eq!(page.status, 200);
    assert!(page.body.as_str().unwrap().contains("<form"), "{page:?}");
    let wrong = wire.raw("POST", &path, &[], "login=adele.vance@contoso.com&passwd=wrong".to_owned()).await;
    assert!(wrong.body.as_str().unwrap().contains("AADSTS50126"), "{wrong:?}");
    let typed = "login=adele.vance@contoso.com&passwd=Correct-6ec9d286";
    let signed_in = wire.raw("POST", &path, &[], typed.to_owned()).await;
    assert_eq!(signed_in.status, 302, "{signed_in:?}");
    let location = signed_in.headers["location"].to_str().unwrap();
    assert!(
        location.starts_with("http://localhost:8400?code=") && location.ends_with("&state=s1"),
        "{location}"
    );
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let form = |verifier: &str| {
        format!(
            "grant_type=authorization_code&client_id={APP}&code={code}&redirect_uri={redirect}&code_verifier={verifier}"
        )
    };
    assert_eq!(number(&wire.token_answer(&form("wrong")).await), 501_481);
    assert_eq!(wire.token_answer(&form(verifier)).await.status, 200);
    assert_eq!(number(&wire.token_answer(&form(verifier)).await), 54005);
    let elsewhere = path.replace("localhost%3A8400", "evil.fabrikam.com");
    let refused = wire.raw("GET", &elsewhere, &[], String::new()).await;
    assert!(refused.status == 400 && refused.body.as_str().unwrap().contains("AADSTS50011"));
}

#[tokio::test(start_paused = true)]
async fn a_persons_token_does_what_scopes_and_roles_allow_together() {
    let wire = wire_with(person_app());
    let path = format!("/v1.0/users/{LYNNE}/authentication/methods");
    let policies = "/v1.0/identity/conditionalAccess/policies";
    for (user, methods, ca) in [("adele.vance@contoso.com", 403, 403), (ADMINISTRATOR, 200, 200)] {
        let session = session_of(&wire, user).await;
        let token = session["access_token"].as_str().unwrap();
        assert_eq!(wire.call_as(token, "GET", &path, Value::Null).await.status, methods, "{user}");
        assert_eq!(wire.call_as(token, "GET", policies, Value::Null).await.status, ca, "{user}");
        assert_eq!(wire.call_as(token, "GET", "/v1.0/users", Value::Null).await.status, 200, "{user}");
        // The scope is not there, whatever the role.
        let audits = wire.call_as(token, "GET", "/v1.0/auditLogs/directoryAudits", Value::Null).await;
        assert_eq!(audits.status, 403, "{user}");
    }
    let app = wire.token("11111111-aaaa-4bbb-8ccc-000000000001", "responder-secret").await;
    assert_eq!(wire.call_as(&app, "GET", "/v1.0/me", Value::Null).await.status, 400);
}

/// A tenant whose victim is mastered on-premises.
fn hybrid(writeback: &str) -> Value {
    let mut tenant = tenant_with(person_app());
    tenant["tenant"]["passwordWriteback"] = json!(writeback);
    let users = tenant["users"].as_array_mut().unwrap();
    users.iter_mut().find(|user| user["id"] == LYNNE).unwrap()["onPremisesSyncEnabled"] = json!(true);
    tenant
}

const RESET: &str = "/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword";
const NEW_PASSWORD: &str = "Long-enough-and-19-good";

/// Resets the victim's password as the administrator; gives the answer and the token.
async fn reset(wire: &Wire) -> (Answer, String) {
    let session = session_of(wire, ADMINISTRATOR).await;
    let token = session["access_token"].as_str().unwrap().to_owned();
    let body = json!({ "newPassword": NEW_PASSWORD });
    (wire.call_as(&token, "POST", &format!("/v1.0/users/{LYNNE}{RESET}"), body).await, token)
}

#[tokio::test(start_paused = true)]
async fn a_password_is_written_back_after_a_while_and_for_a_person_only() {
    let wire = Wire::of(&hybrid("on"), Settings::default());
    let body = json!({ "newPassword": NEW_PASSWORD });
    let by_app = wire.call("POST", &format!("/v1.0/users/{LYNNE}{RESET}"), body).await;
    assert_eq!((by_app.status, by_app.body["error"]["code"].as_str()), (403, Some("accessDenied")));

    let (accepted, token) = reset(&wire).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let location = accepted.headers["location"].to_str().unwrap();
    let path = location.strip_prefix("http://127.0.0.1:1").unwrap();
    let running = wire.call_as(&token, "GET", path, Value::Null).await;
    assert_eq!(running.body["status"], "running", "{running:?}");
    let bare = path.split('?').next().unwrap();
    assert_eq!(wire.call_as(&token, "GET", bare, Value::Null).await.status, 400);
    tokio::time::advance(Duration::from_secs(15)).await;
    let ended = wire.call_as(&token, "GET", path, Value::Null).await;
    assert_eq!(ended.body["status"], "succeeded", "{ended:?}");
    let state = wire.control("GET", "/_mock/state", Value::Null).await.body;
    assert_eq!(state["passwords"][LYNNE], NEW_PASSWORD);
    assert!(wire.lines().await.iter().all(|line| !line.to_string().contains(NEW_PASSWORD)));
}

#[tokio::test(start_paused = true)]
async fn a_writeback_that_fails_says_so_and_changes_nothing() {
    for (writeback, status) in [("policyRejects", "failed"), ("agentDown", "running")] {
        let wire = Wire::of(&hybrid(writeback), Settings::default());
        let (accepted, token) = reset(&wire).await;
        let location = accepted.headers["location"].to_str().unwrap();
        let path = location.strip_prefix("http://127.0.0.1:1").unwrap().to_owned();
        tokio::time::advance(Duration::from_mins(5)).await;
        let ended = wire.call_as(&token, "GET", &path, Value::Null).await;
        assert_eq!(ended.body["status"], status, "{ended:?}");
        assert_eq!(ended.body["statusDetail"].is_string(), status == "failed");
        let state = wire.control("GET", "/_mock/state", Value::Null).await.body;
        assert_ne!(state["passwords"][LYNNE], NEW_PASSWORD);
    }
    let wire = Wire::of(&hybrid("off"), Settings::default());
    assert_eq!(reset(&wire).await.0.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_managed_identity_has_its_token_from_either_endpoint() {
    let wire = wire_with(json!({ "managedIdentity": true }));
    let machine = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F";
    let service = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F";
    let answer = wire.raw("GET", machine, &[("metadata", "true")], String::new()).await;
    assert!(answer.body["expires_in"].is_string() && answer.body["expires_on"].is_string(), "{answer:?}");
    let token = answer.body["access_token"].as_str().unwrap();
    assert_eq!(wire.call_as(token, "GET", "/v1.0/users", Value::Null).await.status, 200);
    assert_eq!(wire.raw("GET", machine, &[], String::new()).await.status, 400);
    let unknown = format!("{machine}&client_id=99999999-aaaa-4bbb-8ccc-0000000000ff");
    assert_eq!(wire.raw("GET", &unknown, &[("metadata", "true")], String::new()).await.status, 400);
    let header = [("x-identity-header", "mock-identity-header")];
    let answer = wire.raw("GET", service, &header, String::new()).await;
    assert!(answer.status == 200 && answer.body["expires_in"].is_null(), "{answer:?}");
    assert_eq!(wire.raw("GET", service, &[("x-identity-header", "x")], String::new()).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_goes_to_clients_that_understand_it_alone() {
    let wire = wire_with(person_app());
    let begun = device_code(&wire).await;
    complete(&wire, &begun, json!({ "user": "adele.vance@contoso.com" })).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    let code = begun["device_code"].as_str().unwrap();
    let answer = wire
        .token_answer(&format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id={APP}&device_code={code}\
             &claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D"
        ))
        .await;
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(wire.call_as(&token, "GET", "/v1.0/me", Value::Null).await.status, 200);
    tokio::time::advance(Duration::from_secs(2)).await;
    wire.call("POST", "/v1.0/users/adele.vance@contoso.com/revokeSignInSessions", json!({})).await;
    let refused = wire.call_as(&token, "GET", "/v1.0/me", Value::Null).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("insufficient_claims"));
}

#[tokio::test(start_paused = true)]
async fn the_documents_of_discovery_say_where_everything_is() {
    let wire = Wire::new();
    let instance = "/common/discovery/instance?api-version=1.1&authorization_endpoint=http%3A%2F%2F127.0.0.1%3A1%2Fx%2Foauth2%2Fv2.0%2Fauthorize";
    let answer = wire.raw("GET", instance, &[], String::new()).await;
    assert_eq!(answer.body["metadata"][0]["aliases"], json!(["127.0.0.1:1"]), "{answer:?}");
    let found = answer.body["tenant_discovery_endpoint"].as_str().unwrap();
    let path = found.strip_prefix("http://127.0.0.1:1").unwrap();
    let configuration = wire.raw("GET", path, &[], String::new()).await.body;
    for key in
        ["token_endpoint", "authorization_endpoint", "device_authorization_endpoint", "jwks_uri", "issuer"]
    {
        assert!(configuration[key].as_str().unwrap().starts_with("http://127.0.0.1:1/"), "{key}");
    }
    let unknown = "/fabrikam.com/v2.0/.well-known/openid-configuration";
    let refused = wire.raw("GET", unknown, &[], String::new()).await;
    assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_tenant")));
}

#[tokio::test(start_paused = true)]
async fn a_token_lives_as_long_as_the_settings_say() {
    let settings = Settings { token_lifetime: Some(Duration::ZERO), ..Settings::default() };
    let wire = Wire::of(&reference(), settings);
    let token = wire.token("11111111-aaaa-4bbb-8ccc-000000000001", "responder-secret").await;
    // It ends with the second after the one that it was issued in.
    let body: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(body["exp"].as_i64().unwrap() - body["iat"].as_i64().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_changes_a_device_that_an_app_cannot() {
    let mut app = person_app();
    app["delegatedScopes"] = json!(["Directory.AccessAsUser.All"]);
    let wire = wire_with(app);
    let mac = reference()["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["operatingSystem"] == "MacOS")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1.0/devices/{mac}");
    let off = json!({ "accountEnabled": false });
    assert_eq!(wire.call("PATCH", &path, off.clone()).await.status, 400, "the app, for itself");
    let session = session_of(&wire, ADMINISTRATOR).await;
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(wire.call_as(token, "PATCH", &path, off).await.status, 204);
}
