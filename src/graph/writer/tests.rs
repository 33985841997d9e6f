use serde_json::json;

use super::*;
use crate::approval::{ApprovedPlan, Consent, Signers, Yes, approve};
use crate::domain::{SecretString, Sha256Digest};
use crate::graph::double::{Double, EPOCH, Reply, TENANT, USER, answer, answer_with, raw, refusal};
use crate::graph::error::{FailureKind, Retry};
use crate::graph::request;
use crate::plan::{Plan, PlannedRequest};

const PASSWORD: &str = "STANCHCANARYPASSWORD";
const ID: &str = "66666666-7777-4888-9999-000000000000";

/// An approved plan of this one request.
fn approved(request: &PlannedRequest) -> ApprovedPlan {
    let zero = Sha256Digest::of_bytes(b"").to_string();
    let plan: Plan = serde_json::from_value(json!({
        "format": "stanch/plan/v1", "id": "p", "digest": zero, "created_at": EPOCH, "expires_at": "2026-03-02T11:00:00Z",
        "engine": "0", "tenant": {"id": TENANT, "name": "Contoso"}, "playbook": {"name": "bec", "digest": zero},
        "guards": {"digest": zero, "refused": [], "overridden": []},
        "case": {"subject": {"id": USER, "upn": "jo.reed@contoso.com", "display_name": "Jo Reed", "created_at": null,
            "synced": false, "guest": false, "federated": {"read": false}, "enabled": true, "restricted": false,
            "roles": {"read": []}, "in_role_assignable_group": {"read": false}, "password_changed_at": null,
            "sessions_valid_from": null, "last_sign_in": {"read": null}}, "indicators": [], "since": null, "methods": {"read": []}},
        "actions": [{"id": "a", "step": "s", "summary": "x", "object": {"kind": "user", "id": null, "name": "x"},
            "before": null, "after": null, "needs": [], "required": true, "approval": "always", "reversible": false,
            "undo": {"impossible": {"why": "x"}}, "reason": "x", "evidence": [], "requests": [request]}],
        "unchanged": [], "left": [], "warnings": [], "residual_risk": [], "permissions": [],
        "requested_by": {"name": "x", "resolved": false}
    }))
    .unwrap();
    let plan = plan.sealed().unwrap();
    let consent = Consent::Flag(Yes {
        digest: plan.digest,
        by: "x".to_owned(),
        at: EPOCH.parse().unwrap(),
        expires_at: "2026-03-02T11:00:00Z".parse().unwrap(),
    });
    approve(plan, &consent, &Signers::default(), EPOCH.parse().unwrap()).unwrap().0
}

async fn send(
    double: &std::sync::Arc<Double>,
    request: &PlannedRequest,
    bindings: &Bindings,
) -> Result<Sent, GraphError> {
    let plan = approved(request);
    let approved = plan.requests(&plan.plan().actions[0])[0];
    double.connect().writer().send(approved, bindings, ID.parse().unwrap()).await
}

fn bindings() -> Bindings {
    Bindings {
        secrets: [("password".to_owned(), SecretString::from(PASSWORD))].into(),
        ..Bindings::default()
    }
}

fn user() -> crate::domain::UserId {
    USER.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn exactly_the_approved_request_is_sent_with_its_placeholders_filled() {
    let double =
        Double::new(|_, _| raw(204, "text/plain", b"", &[("date", "Mon, 02 Mar 2026 10:00:03 GMT")]));
    let sent = send(&double, &request::reset_password(&user()), &bindings()).await.unwrap();
    let call = &double.calls()[0];
    assert_eq!((call.method.as_str(), call.target.as_str()), ("PATCH", &*format!("/v1.0/users/{USER}")));
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.headers["client-request-id"], ID);
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(
        body,
        json!({"passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": true, "forceChangePasswordNextSignInWithMfa": false}})
    );
    assert_eq!((sent.status, sent.client_request_id.as_str(), sent.made_id), (204, ID, None));
    assert_eq!(sent.server_time.unwrap().to_string(), "2026-03-02T10:00:03Z");
    assert!(sent.request_id.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_delete_has_no_body_and_a_revocation_an_empty_object() {
    let double = Double::new(|_, _| raw(204, "text/plain", b"", &[]));
    send(&double, &request::delete_policy("b7d0"), &Bindings::default()).await.unwrap();
    send(&double, &request::revoke_sessions(&user()), &Bindings::default()).await.unwrap();
    let calls = double.calls();
    assert_eq!((calls[0].body.as_str(), calls[0].headers.contains_key("content-type")), ("", false));
    assert_eq!(calls[1].body, "{}");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_only_where_it_certainly_did_nothing() {
    let create = request::create_location("IP Blacklist", &[]);
    let double = Double::new(|before, _| match before {
        0 => Reply::NotSent,
        1 => answer_with(429, &json!({}), &[("retry-after", "2")]),
        2 => refusal(401, "InvalidAuthenticationToken", "expired"),
        _ => answer(201, &json!({"id": "0a6c1d2e-1111-4a4a-9c9c-5b2f00000001"})),
    });
    let sent = send(&double, &create, &Bindings::default()).await.unwrap();
    assert_eq!(sent.made_id.as_deref(), Some("0a6c1d2e-1111-4a4a-9c9c-5b2f00000001"));
    let ids: Vec<_> = double.calls().iter().map(|call| call.headers["client-request-id"].clone()).collect();
    assert_eq!(ids, [ID; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_outcome_is_unknown_is_sent_once_and_said_to_be_so() {
    let unclear: [fn() -> Reply; 9] = [
        || Reply::NoAnswer,
        || Reply::Silence,
        || refusal(500, "generalException", ""),
        || refusal(502, "", ""),
        || answer_with(503, &json!({}), &[("retry-after", "1")]),
        || refusal(504, "GatewayTimeout", ""),
        || refusal(408, "", ""),
        || refusal(418, "", ""),
        || raw(302, "text/html", b"", &[("location", "https://elsewhere.example.com/")]),
    ];
    for reply in unclear {
        let double = Double::new(move |_, _| reply());
        let error =
            send(&double, &request::disable_sign_in(&user()), &Bindings::default()).await.unwrap_err();
        assert!(error.may_have_happened(), "{error:?}");
        assert_eq!((error.retry(), error.kind()), (Retry::ReadBackFirst, FailureKind::Ambiguous));
        assert_eq!(double.calls().len(), 1, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_did_nothing_and_is_not_repeated() {
    for status in [400, 403, 404, 405, 409, 412, 415] {
        let double = Double::new(move |_, _| refusal(status, "Authorization_RequestDenied", "no"));
        let error = send(&double, &request::reset_password(&user()), &bindings()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (FailureKind::Definite, Some(status)));
        assert_eq!(double.calls().len(), 1);
        assert_eq!(
            error.hint().is_some_and(|hint| hint.contains("User-PasswordProfile.ReadWrite.All")),
            status == 403
        );
        assert!(!format!("{error:?}").contains(PASSWORD));
    }
}

#[tokio::test(start_paused = true)]
async fn a_created_object_without_an_id_is_an_unknown_outcome() {
    let create = request::create_policy(json!({"displayName": "x"}));
    for body in [&b"{\"id\": \"trunc"[..], b"{}", b"<html>"] {
        let double = Double::new(move |_, _| raw(201, "application/json", body, &[]));
        let error = send(&double, &create, &Bindings::default()).await.unwrap_err();
        assert!(error.may_have_happened(), "{error:?}");
        assert_eq!(double.calls().len(), 1);
    }
    // Where nothing is made, what the answer holds does not matter.
    let double = Double::new(|_, _| raw(200, "text/html", b"<html>", &[]));
    send(&double, &request::revoke_sessions(&user()), &Bindings::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_a_placeholder_is_empty_or_a_path_leaves_graph() {
    let double = Double::new(|_, _| answer(200, &json!({})));
    let error = send(&double, &request::reset_password(&user()), &Bindings::default()).await.unwrap_err();
    assert!(matches!(error, GraphError::Placeholder(_)), "{error:?}");
    let made = |id: &str| Bindings { made: [("a".to_owned(), id.to_owned())].into(), ..Bindings::default() };
    for id in ["../../users/x", "x?y=z", "x#y", "%2e%2E", "", "x y"] {
        let error = send(&double, &request::delete_policy("${actions.a.id}"), &made(id)).await.unwrap_err();
        assert!(matches!(error, GraphError::Unsendable { .. }), "{id}: {error:?}");
    }
    let elsewhere = PlannedRequest {
        method: Verb::Delete,
        path: "@evil.example.com/v1.0/x".to_owned(),
        body: Value::Null,
    };
    let error = send(&double, &elsewhere, &Bindings::default()).await.unwrap_err();
    assert!(matches!(error, GraphError::Unsendable { .. }), "{error:?}");
    assert!(double.calls().is_empty() && double.token_calls().is_empty());
}

#[test]
fn a_body_is_wiped_text_by_text() {
    let mut body = json!({"passwordProfile": {"password": PASSWORD, "list": [PASSWORD]}, "n": 1});
    wipe(&mut body);
    assert!(!body.to_string().contains(PASSWORD));
}
