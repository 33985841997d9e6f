//! What the mock's tokens say: of an app, of a person with an app, and of a person to the app.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::Proof;
use super::scope::GRAPH;
use super::sessions::Session;
use crate::handlers::roles::role_named;
use crate::state::World;
use crate::tenant::{Application, Tenant};

/// Seconds that an access token lives.
pub(super) const LIFETIME: i64 = 3599;
/// Seconds that a managed identity's lives.
pub(super) const MANAGED_LIFETIME: i64 = 86_399;

/// The default role of a principal without any (`wids` is never empty in real tokens).
const NO_ROLE: &str = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
/// What every member is.
const MEMBER: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";

/// What a token is issued under.
pub(super) struct Issue<'a> {
    pub(super) world: &'a World,
    pub(super) tenant: &'a Tenant,
    pub(super) base: &'a str,
    /// Real time: tokens are issued and checked by it.
    pub(super) now: Timestamp,
    pub(super) proof: Proof,
    /// Whether the client said that it understands challenges (`xms_cc`).
    pub(super) takes_challenges: bool,
}

impl Issue<'_> {
    /// How long an access token lives, in seconds: as asked by the settings, or as usual.
    pub(super) fn lifetime(&self, usual: i64) -> i64 {
        let set = self.world.settings.token_lifetime;
        set.and_then(|span| i64::try_from(span.as_secs()).ok()).unwrap_or(usual)
    }

    fn shared(&self, lifetime: i64) -> Value {
        let issued = self.now.as_second();
        let mut claims = json!({
            "aud": GRAPH, "iss": format!("https://sts.windows.net/{}/", self.tenant.tenant.id),
            "iat": issued, "nbf": issued, "exp": issued + lifetime + 1, "tid": self.tenant.tenant.id, "ver": "1.0",
            "appidacr": match self.proof { Proof::Public => "0", Proof::Secret => "1", Proof::Assertion => "2" },
            "uti": self.world.new_id().replace('-', ""),
        });
        if self.takes_challenges {
            set(&mut claims, "xms_cc", json!(["CP1"]));
        }
        claims
    }

    /// The claims of an app's own token.
    pub(super) fn of_app(&self, application: &Application, lifetime: i64) -> Value {
        let wids: Vec<&str> =
            application.directory_roles.iter().filter_map(|name| role_named(name)).chain([NO_ROLE]).collect();
        let mut claims = self.shared(lifetime);
        set(&mut claims, "appid", application.app_id.clone().into());
        set(&mut claims, "app_displayname", application.display_name.clone().into());
        set(&mut claims, "idtyp", "app".into());
        set(
            &mut claims,
            "oid",
            crate::handlers::applications::principal_id(self.tenant, &application.app_id).into(),
        );
        // An app without permissions has no such claim at all.
        if !application.roles.is_empty() {
            set(&mut claims, "roles", json!(application.roles));
        }
        set(&mut claims, "wids", json!(wids));
        claims
    }

    /// The claims of a person's token for an app.
    pub(super) fn of_person(&self, application: &Application, session: &Session, lifetime: i64) -> Value {
        let user = self.tenant.user(&session.user_id);
        let upn = user.and_then(|user| user.get("userPrincipalName")).cloned().unwrap_or(Value::Null);
        let name = user.and_then(|user| user.get("displayName")).cloned().unwrap_or(Value::Null);
        let mut wids = crate::handlers::privilege::roles_of(self.tenant, &session.user_id);
        wids.push(MEMBER.to_owned());
        let mut claims = self.shared(lifetime);
        for (key, value) in [
            ("appid", application.app_id.clone().into()),
            ("app_displayname", application.display_name.clone().into()),
            ("idtyp", "user".into()),
            ("oid", session.user_id.clone().into()),
            ("upn", upn.clone()),
            ("unique_name", upn),
            ("name", name),
            ("scp", session.granted.permissions.join(" ").into()),
            ("wids", json!(wids)),
            ("amr", json!(["pwd", "mfa"])),
            ("acr", "1".into()),
            // The tenant's time, for what is compared with the tenant's watermarks.
            ("mock_signed_in_at", session.signed_in_at.to_string().into()),
        ] {
            set(&mut claims, key, value);
        }
        claims
    }

    /// The claims of an `id_token`.
    pub(super) fn of_sign_in(&self, session: &Session) -> Value {
        let user = self.tenant.user(&session.user_id);
        let issued = self.now.as_second();
        let mut claims = json!({
            "aud": session.client_id, "iss": format!("{}/{}/v2.0", self.base, self.tenant.tenant.id),
            "iat": issued, "nbf": issued, "exp": issued + LIFETIME + 1, "tid": self.tenant.tenant.id, "ver": "2.0",
            "oid": session.user_id, "sub": crate::sign_in::derive_id(&format!("sub {}", session.user_id)),
            "preferred_username": user.and_then(|user| user.get("userPrincipalName")),
            "name": user.and_then(|user| user.get("displayName")),
        });
        if let Some(nonce) = &session.nonce {
            set(&mut claims, "nonce", nonce.clone().into());
        }
        claims
    }
}

fn set(claims: &mut Value, key: &str, value: Value) {
    if let Some(entries) = claims.as_object_mut() {
        entries.insert(key.to_owned(), value);
    }
}
