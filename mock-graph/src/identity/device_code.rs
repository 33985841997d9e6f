//! The device code flow: a code for a person to type elsewhere, and the polling until they have (policy-logs-auth.md 8.6).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client;
use super::form::{Asked, serves_people};
use super::person::{self, Origin};
use super::refusal::Refusal;
use super::scope;
use super::sessions::{DeviceFlow, DeviceState, Session};
use crate::state::World;
use crate::tenant::Application;

/// The grant type.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Seconds that a code is good for.
const LIFETIME: u64 = 900;
/// Seconds between two polls.
const INTERVAL: u64 = 5;
const PAGE: &str = "https://microsoft.com/devicelogin";
/// Letters that are not taken for one another.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Gives out a code.
pub(super) fn begin(world: &World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let tenant = world.present();
    if !serves_people(&tenant, asked.tenant) {
        return Err(Refusal::no_tenant(asked.tenant));
    }
    let application = client::named(&tenant, asked)?;
    let granted = scope::of_person(application, asked.need("scope")?, asked.base)?;
    let device_code = format!("{}{}", world.new_id().replace('-', ""), world.new_id().replace('-', ""));
    let user_code: String = device_code
        .bytes()
        .take(9)
        .map(|byte| char::from(LETTERS.get(usize::from(byte) % LETTERS.len()).copied().unwrap_or(b'A')))
        .collect();
    let flow = DeviceFlow {
        user_code: user_code.clone(),
        client_id: application.app_id.clone(),
        granted,
        expires_at: Instant::now() + Duration::from_secs(LIFETIME),
        last_poll: None,
        interval: INTERVAL,
        state: DeviceState::Pending,
    };
    world.sessions().device_codes.insert(device_code.clone(), flow);
    Ok(json!({
        "user_code": user_code, "device_code": device_code, "verification_uri": PAGE, "expires_in": LIFETIME,
        "interval": INTERVAL,
        "message": format!("To sign in, use a web browser to open the page {PAGE} and enter the code {user_code} to authenticate.")
    }))
}

/// Answers a poll: the session, once somebody has signed in.
pub(super) fn redeem(
    world: &World,
    application: &Application,
    asked: &Asked<'_>,
) -> Result<Session, Refusal> {
    let code = asked.need("device_code")?;
    let mut sessions = world.sessions();
    let bad = || Refusal::word("bad_verification_code", "The device_code is not recognized.");
    let flow = sessions
        .device_codes
        .get_mut(code)
        .filter(|own| own.client_id == application.app_id)
        .ok_or_else(bad)?;
    let now = Instant::now();
    if flow.expires_at <= now {
        let text = "The code has expired. Begin again.";
        return Err(Refusal { code: Some(70019), ..Refusal::word("expired_token", text) });
    }
    let is_early = flow.last_poll.is_some_and(|last| now.duration_since(last).as_secs() < flow.interval);
    flow.last_poll = Some(now);
    if is_early {
        flow.interval += INTERVAL;
        return Err(Refusal::word("slow_down", "Polled too often."));
    }
    match &flow.state {
        DeviceState::Pending => {
            let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
            Err(Refusal { code: Some(70016), ..Refusal::word("authorization_pending", text) })
        }
        DeviceState::Declined => {
            Err(Refusal::word("authorization_declined", "The end user denied the authorization request."))
        }
        DeviceState::Refused(refusal) => Err(refusal.clone()),
        DeviceState::Used => Err(Refusal { code: Some(70018), ..bad() }),
        DeviceState::Granted(session) => {
            let session = session.clone();
            flow.state = DeviceState::Used;
            Ok(session)
        }
    }
}

/// What a person does with a code: signs in as somebody, or declines.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Completion {
    /// Who signs in: UPN or object id; left out: the sign-in is declined.
    #[serde(default)]
    pub user: Option<String>,
    /// From which address.
    #[serde(default)]
    pub from: Option<IpAddr>,
    /// Whether on a compliant device.
    #[serde(default)]
    pub compliant: bool,
}

/// Plays the person who types a code; `Err` says why there is nothing to complete.
///
/// # Errors
/// When no such code is out, or nobody goes by that name.
pub fn complete(world: &World, user_code: &str, completion: &Completion) -> Result<(), String> {
    let tenant = world.present();
    let open = |flow: &&DeviceFlow| {
        flow.user_code.eq_ignore_ascii_case(user_code) && matches!(flow.state, DeviceState::Pending)
    };
    let found = world.sessions().device_codes.values().find(open).cloned();
    let flow = found.ok_or_else(|| format!("no device code `{user_code}` waits for anybody"))?;
    let state = match &completion.user {
        None => DeviceState::Declined,
        Some(name) => {
            let user = tenant.user(name).ok_or_else(|| format!("nobody here goes by `{name}`"))?.clone();
            let application = client::find(&tenant, &flow.client_id).map_err(|refusal| refusal.text)?;
            let from = Origin {
                ip: completion.from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                is_compliant: completion.compliant,
                flow: "deviceCodeFlow",
                client_app: "mobileAppsAndDesktopClients",
            };
            match person::sign_in(world, application, &user, from) {
                Ok(()) => DeviceState::Granted(Session {
                    client_id: flow.client_id.clone(),
                    user_id: user.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    granted: flow.granted.clone(),
                    signed_in_at: world.clock.now(),
                    nonce: None,
                }),
                Err(refusal) => DeviceState::Refused(refusal),
            }
        }
    };
    let mut sessions = world.sessions();
    if let Some(own) = sessions.device_codes.values_mut().find(|own| own.user_code == flow.user_code) {
        own.state = state;
    }
    Ok(())
}
