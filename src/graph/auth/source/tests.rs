use std::time::Duration;

use serde_json::json;

use crate::config::ManagedIdentity;
use crate::domain::SecretString;
use crate::graph::Credential;
use crate::graph::double::{
    Double, Reply, SECRET, TENANT, USER, answer, answer_with, list, raw, token, user_row,
};

fn refused(status: u16, code: u64, error: &str) -> Reply {
    answer(
        status,
        &json!({"error": error, "error_description": format!("AADSTS{code}: SECRETDESCRIPTION"), "error_codes": [code],
            "trace_id": "trace-1", "correlation_id": "correlation-1"}),
    )
}

#[tokio::test(start_paused = true)]
async fn each_refusal_says_what_to_do_next() {
    for (status, code, error, wanted, hint) in [
        (401, 7_000_215, "invalid_client", "sign_in_wrong_secret", "not the secret ID"),
        (401, 7_000_222, "invalid_client", "sign_in_expired_secret", "new client secret"),
        (401, 7_000_218, "invalid_client", "sign_in_missing_credential", "AZURE_CLIENT_CERTIFICATE_PATH"),
        (401, 700_024, "invalid_client", "sign_in_clock", "clock"),
        (401, 700_027, "invalid_client", "sign_in_wrong_certificate", "certificate"),
        (400, 700_213, "invalid_request", "sign_in_not_federated", "issuer, subject and audience"),
        (400, 700_016, "unauthorized_client", "sign_in_app_not_found", "AZURE_TENANT_ID"),
        (400, 7_000_112, "unauthorized_client", "sign_in_app_disabled", "who disabled it"),
        (400, 90_002, "invalid_request", "sign_in_tenant_not_found", "AZURE_TENANT_ID"),
        (400, 90_038, "invalid_request", "sign_in_other_cloud", "`cloud`"),
        (400, 500_011, "invalid_resource", "sign_in_wrong_scope", "STANCH_GRAPH_URL"),
        (400, 53_003, "invalid_grant", "sign_in_blocked_by_policy", "policy"),
        (400, 999_999, "invalid_grant", "sign_in_refused", ""),
    ] {
        let double = Double::with_tokens(|_, _| list(&[]), move |_, _| refused(status, code, error));
        let failure = double.connect().reader().policies().await.unwrap_err();
        assert_eq!(failure.code(), wanted);
        assert!(failure.hint().unwrap_or_default().contains(hint), "{failure:?}");
        let source = std::error::Error::source(&failure).unwrap().to_string();
        assert_eq!(
            source,
            format!("Entra answered `{error}`, AADSTS{code}, trace trace-1, correlation correlation-1")
        );
        assert!(!format!("{failure:?}").contains("SECRETDESCRIPTION"));
        assert_eq!((double.token_calls().len(), double.calls().len()), (1, 0), "{wanted} is final");
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_token_endpoint_is_waited_for() {
    let double = Double::with_tokens(
        |_, _| list(&[]),
        |before, _| match before {
            0 => answer_with(429, &json!({"error": "temporarily_unavailable"}), &[("retry-after", "7")]),
            1 => Reply::NotSent,
            2 => raw(200, "text/html", b"<html></html>", &[]),
            _ => token(before, 3_600),
        },
    );
    double.connect().reader().policies().await.unwrap();
    let seconds: Vec<u64> = double.token_calls().iter().map(|seen| seen.at.as_secs()).collect();
    assert_eq!(seconds, [0, 7, 9, 13]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_at_four_fifths_of_its_life_and_kept_when_that_fails() {
    let double = Double::with_tokens(
        |_, _| answer(200, &user_row()),
        |before, _| match before {
            0 => token(0, 1_000),
            1..=5 => raw(503, "text/plain", b"busy", &[]),
            _ => token(6, 1_000),
        },
    );
    let reader = double.connect().reader();
    reader.user(USER).await.unwrap();
    tokio::time::advance(Duration::from_secs(790)).await;
    reader.user(USER).await.unwrap();
    assert_eq!(double.token_calls().len(), 1);
    tokio::time::advance(Duration::from_secs(20)).await;
    // Renewal fails five times; the token still holds, and is not renewed again for a minute.
    reader.user(USER).await.unwrap();
    reader.user(USER).await.unwrap();
    assert_eq!(double.token_calls().len(), 6);
    tokio::time::advance(Duration::from_secs(61)).await;
    reader.user(USER).await.unwrap();
    assert_eq!(double.token_calls().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn the_secret_goes_in_the_body_to_our_own_tenant() {
    let double = Double::new(|_, _| list(&[]));
    double.connect().reader().policies().await.unwrap();
    let asked = &double.token_calls()[0];
    assert_eq!(asked.target, format!("/{TENANT}/oauth2/v2.0/token"));
    assert!(asked.body.contains("grant_type=client_credentials"), "{}", asked.body);
    assert!(asked.body.contains(&format!("client_secret={SECRET}")), "{}", asked.body);
    assert!(asked.body.contains("scope=https%3A%2F%2Fgraph.example.com%2F.default"), "{}", asked.body);
    assert!(asked.headers.get("authorization").is_none());
    assert!(asked.headers.contains_key("client-request-id"));
}

#[tokio::test(start_paused = true)]
async fn a_federated_token_is_read_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one.one.one\n").unwrap();
    let double = Double::with_tokens(|_, _| answer(200, &user_row()), |before, _| token(before, 1_000));
    let reader = double.connect_by(Credential::FederatedToken(path.clone())).reader();
    reader.user(USER).await.unwrap();
    std::fs::write(&path, "two.two.two").unwrap();
    tokio::time::advance(Duration::from_mins(15)).await;
    reader.user(USER).await.unwrap();
    let bodies: Vec<String> = double.token_calls().iter().map(|seen| seen.body.clone()).collect();
    assert_eq!(bodies.len(), 2);
    for (body, assertion) in bodies.iter().zip(["one.one.one", "two.two.two"]) {
        assert!(body.contains(&format!("client_assertion={assertion}")), "{body}");
        assert!(body.contains("client_assertion_type=urn") && !body.contains("client_secret"), "{body}");
    }
    std::fs::write(&path, "not a token").unwrap();
    tokio::time::advance(Duration::from_secs(2_000)).await;
    let error = reader.user(USER).await.unwrap_err();
    assert_eq!(error.code(), "sign_in_federated_token");
    assert!(error.hint().unwrap().contains("AZURE_FEDERATED_TOKEN_FILE"));
}

#[tokio::test(start_paused = true)]
async fn a_managed_identity_asks_its_platform_and_not_entra() {
    let identity = ManagedIdentity {
        endpoint: "http://login.example.com/msi/token".to_owned(),
        header: Some(SecretString::from("platform-header")),
        client_id: None,
    };
    let double = Double::with_tokens(
        |_, _| answer(200, &user_row()),
        |_, request| {
            assert_eq!(request.headers()["x-identity-header"], "platform-header");
            answer(200, &json!({ "access_token": "e30.e30.e30", "expires_in": "3600" }))
        },
    );
    let connection = double.connect_by(Credential::ManagedIdentity(identity));
    connection.reader().user(USER).await.unwrap();
    let [asked] = double.token_calls().try_into().unwrap();
    assert!(asked.body.is_empty() && asked.target.starts_with("/msi/token?api-version="), "{}", asked.target);
    assert!(!format!("{connection:?}").contains("platform-header"));
}
