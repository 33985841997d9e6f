//! The embedded mock tenant behind `stanch demo`: the one file that names `mock_graph`.

use std::sync::Arc;

use mock_graph::{MockGraph, Running};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::transport::{SocketTransport, Transport};

/// The reference case: token theft, then business email compromise.
const REFERENCE_TENANT: &str = include_str!("../../mock-graph/cases/bec-node-fetch/tenant.json");
/// Its victim.
pub const REFERENCE_USER: &str = "lynne.robbins@contoso.com";

/// What the demo must know of a tenant file to set itself up.
#[derive(Debug)]
pub struct TenantFile {
    /// The file's text.
    pub text: String,
    /// Tenant id.
    pub tenant_id: String,
    /// The app that may write: client id and secret.
    pub responder: (String, String),
    /// The app that may only read, where there is one.
    pub observer: Option<(String, String)>,
    /// Emergency accounts, by their documented shape (identity.md 1.4): cloud-only, `*.onmicrosoft.com`, Global
    /// Administrator for good.
    pub emergency_accounts: Vec<String>,
    /// Names of the attackers, with the ids of the users that they hold.
    pub attackers: Vec<(String, String)>,
    /// UPN to object id.
    pub users: Vec<(String, String)>,
}

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    tenant: WireTenant,
    #[serde(default)]
    applications: Vec<WireApplication>,
    #[serde(default)]
    users: Vec<WireUser>,
    #[serde(default)]
    role_assignments: Vec<WireRole>,
    #[serde(default)]
    attackers: Vec<WireAttacker>,
}

#[derive(Deserialize)]
struct WireTenant {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireApplication {
    app_id: String,
    client_secret: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUser {
    id: String,
    user_principal_name: String,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRole {
    principal_id: String,
    role_definition_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAttacker {
    name: String,
    user_id: String,
}

impl TenantFile {
    /// The reference case's.
    ///
    /// # Errors
    /// When it cannot be read: a fault of ours.
    pub fn reference() -> Result<Self, Failure> {
        Self::parse(REFERENCE_TENANT.to_owned(), "the reference case")
    }

    /// Another, from a file's text.
    ///
    /// # Errors
    /// When it is no tenant file, or has no app that may write.
    pub fn parse(text: String, name: &str) -> Result<Self, Failure> {
        let wire: Wire = serde_json::from_str(&text).map_err(|error| {
            Failure::of(2, "tenant_file", &error, Some("see mock-graph/README.md for the format".to_owned()))
                .about(&format!("{name} is no tenant file"))
        })?;
        let pick = |may_write: bool| {
            wire.applications.iter().find_map(|app| {
                let writes = app.roles.iter().any(|role| role == "User-PasswordProfile.ReadWrite.All");
                let secret = app.client_secret.clone()?;
                (writes == may_write).then(|| (app.app_id.clone(), secret))
            })
        };
        let responder = pick(true).ok_or_else(|| {
            Failure::new(
                2,
                "tenant_file",
                format!(
                    "{name} has no application with a client secret and `User-PasswordProfile.ReadWrite.All`"
                ),
                Some("add one under `applications`".to_owned()),
            )
        })?;
        let emergency_accounts = wire
            .users
            .iter()
            .filter(|user| {
                user.user_principal_name.to_lowercase().ends_with(".onmicrosoft.com")
                    && user.on_premises_sync_enabled != Some(true)
                    && wire.role_assignments.iter().any(|role| {
                        role.principal_id == user.id && role.role_definition_id == GLOBAL_ADMINISTRATOR
                    })
            })
            .map(|user| user.user_principal_name.clone())
            .collect();
        Ok(Self {
            tenant_id: wire.tenant.id.clone(),
            responder,
            observer: pick(false),
            emergency_accounts,
            attackers: wire.attackers.iter().map(|one| (one.name.clone(), one.user_id.clone())).collect(),
            users: wire
                .users
                .iter()
                .map(|user| (user.user_principal_name.clone(), user.id.clone()))
                .collect(),
            text,
        })
    }

    /// The attackers who hold this user's account.
    pub fn attackers_of(&self, user: &str) -> Vec<String> {
        let id = self
            .users
            .iter()
            .find(|(upn, id)| upn.eq_ignore_ascii_case(user) || id == user)
            .map_or(user, |(_, id)| id.as_str());
        self.attackers.iter().filter(|(_, held)| held == id).map(|(name, _)| name.clone()).collect()
    }
}

/// One way in, as the attacker tried it.
#[derive(Clone, Debug, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WayIn {
    /// Which way.
    pub path: String,
    /// From which address.
    pub from: String,
    /// `open` or `closed`.
    pub outcome: String,
    /// What stopped it.
    #[serde(default)]
    pub by: Option<String>,
    /// Entra's error code.
    #[serde(default)]
    pub error_code: Option<i64>,
}

/// What came of an attacker's attempt.
#[derive(Clone, Debug, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempted {
    /// Whether any way is open.
    #[serde(rename = "in")]
    pub is_in: bool,
    /// Every way from every address.
    pub paths: Vec<WayIn>,
    /// Access tokens that live on.
    #[serde(default)]
    pub access_tokens: Vec<Value>,
}

/// The embedded mock, listening on a loopback port of its own.
pub struct Embedded {
    running: Running,
    transport: Arc<dyn Transport>,
}

impl Embedded {
    /// Starts it on a tenant.
    ///
    /// # Errors
    /// When the tenant file is refused, or no port can be had.
    pub async fn start(tenant: &TenantFile) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::of(2, "embedded_mock", error, Some("see mock-graph/README.md for the format".to_owned()))
        };
        let mock = MockGraph::from_json(&tenant.text).map_err(|error| failed(&error))?;
        let running = mock.start().await.map_err(|error| failed(&error))?;
        let transport = SocketTransport::new().map_err(|error| failed(&error))?;
        Ok(Self { running, transport: Arc::new(transport) })
    }

    /// Its address.
    pub fn base_url(&self) -> String {
        self.running.base_url()
    }

    /// Lets an attacker try every way in that it holds; with `assume` in a copy of the tenant so changed.
    ///
    /// # Errors
    /// When the mock does not answer.
    pub async fn attempt(&self, attacker: &str, assume: Option<Value>) -> Result<Attempted, Failure> {
        let mut body = json!({});
        if let (Some(assume), Some(entries)) = (assume, body.as_object_mut()) {
            entries.insert("assume".to_owned(), assume);
        }
        let failed = |what: String| Failure::new(1, "embedded_mock", what, None);
        let request = http::Request::post(format!("{}/_mock/attackers/{attacker}/attempt", self.base_url()))
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let answer = self.transport.send(request).await.map_err(|error| failed(error.to_string()))?;
        if answer.status() != http::StatusCode::OK {
            return Err(failed(format!("the mock answered {} to the attacker's attempt", answer.status())));
        }
        serde_json::from_slice(answer.body()).map_err(|error| Failure::of(1, "embedded_mock", &error, None))
    }
}
