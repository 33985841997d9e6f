//! A mock on the reference tenant, and requests to its router.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use mock_graph::{ConnectionReset, MockGraph, Settings};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub const RESPONDER: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub const LYNNE: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
pub const TENANT: &str = "cd613e30-d8f1-4adf-91b7-584a2265b1f5";

/// The reference tenant: two megabytes, so it is parsed once for all tests.
pub fn reference() -> Value {
    static PARSED: LazyLock<Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../cases/bec-node-fetch/tenant.json")).unwrap()
    });
    PARSED.clone()
}

pub struct Wire {
    router: axum::Router,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: axum::http::HeaderMap,
    pub is_reset: bool,
    /// Whether the body broke off.
    pub breaks_off: bool,
    /// How long the body was.
    pub bytes: usize,
}

impl Wire {
    pub fn new() -> Self {
        Self::of(&reference(), Settings::default())
    }

    pub fn of(tenant: &Value, settings: Settings) -> Self {
        Self::over(MockGraph::from_value(tenant.clone(), settings).unwrap().router())
    }

    pub fn over(router: axum::Router) -> Self {
        Self { router }
    }

    /// A tenant with an app of exactly these permissions beside its own.
    pub fn with_app(roles: &[&str]) -> Self {
        let mut tenant = reference();
        tenant["applications"].as_array_mut().unwrap().push(json!({
            "appId": "99999999-aaaa-4bbb-8ccc-000000000009", "displayName": "probe", "clientSecret": "probe-secret",
            "roles": roles
        }));
        Self::of(&tenant, Settings::default())
    }

    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://127.0.0.1:1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let is_reset = response.extensions().get::<ConnectionReset>().is_some();
        let read = axum::body::to_bytes(response.into_body(), 64 << 20).await;
        let breaks_off = read.is_err();
        let bytes = read.unwrap_or_default();
        let length = bytes.len();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, body, headers, is_reset, breaks_off, bytes: length }
    }

    pub async fn token_answer(&self, form: &str) -> Answer {
        self.token_answer_in(TENANT, form).await
    }

    async fn token_answer_in(&self, tenant: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.raw("POST", &format!("/{tenant}/oauth2/v2.0/token"), &headers, form.to_owned()).await
    }

    pub async fn token(&self, app: &str, secret: &str) -> String {
        self.token_in(TENANT, app, secret).await
    }

    /// A token of an app in another tenant than the reference one.
    pub async fn token_in(&self, tenant: &str, app: &str, secret: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={app}&client_secret={secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        let answer = self.token_answer_in(tenant, &form).await;
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(method, path, &headers, body).await
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let token = self.token(RESPONDER, "responder-secret").await;
        self.call_as(&token, method, path, body).await
    }

    pub async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(method, path, &[("content-type", "application/json")], body).await
    }

    pub async fn lines(&self) -> Vec<Value> {
        let answer = self.control("GET", "/_mock/requests", Value::Null).await;
        match answer.body {
            Value::String(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            one => vec![one],
        }
    }
}
