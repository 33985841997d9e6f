//! What an attempt plays in: the victim, the attacker's hands, and the questions that every way asks of them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::holdings::{Holdings, is_second_factor, text};
use crate::conditional_access::{Identity, Outcome, SignInContext, Strength, Target, decide};
use crate::handlers::risky_users;
use crate::odata::parse_time;
use crate::sign_in::Place;
use crate::tenant::{Attacker, Tenant};

/// Why a way is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// What stopped it.
    pub(super) by: String,
    /// The error code, where a sign-in would get one.
    pub(super) code: Option<u32>,
}

impl Closed {
    pub(super) fn new(by: impl Into<String>, code: u32) -> Self {
        Self { by: by.into(), code: Some(code) }
    }

    pub(super) fn silent(by: impl Into<String>) -> Self {
        Self { by: by.into(), code: None }
    }
}

/// How a sign-in comes along, for Conditional Access.
#[derive(Clone, Debug)]
pub(super) struct Approach {
    pub(super) client_app: &'static str,
    pub(super) strength: Strength,
    pub(super) authenticated_at: Option<Timestamp>,
    pub(super) device: Map<String, Value>,
    pub(super) token_bound: bool,
}

/// What Conditional Access said.
pub(super) struct Admission {
    pub(super) closed: Option<Closed>,
    pub(super) client_app: &'static str,
    pub(super) policies: Vec<Value>,
}

pub(super) const NATIVE: &str = "mobileAppsAndDesktopClients";
pub(super) const BROWSER: &str = "browser";
pub(super) const GRAPH: (&str, &str) = ("00000003-0000-0000-c000-000000000000", "Microsoft Graph");
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

/// The stage.
pub(super) struct Scene<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) attacker: &'a Attacker,
    pub(super) user: Option<&'a Value>,
    pub(super) held: Holdings,
    pub(super) now: Timestamp,
}

impl<'a> Scene<'a> {
    pub(super) fn set(tenant: &'a Tenant, attacker: &'a Attacker, now: Timestamp) -> Self {
        let user = tenant.user(&attacker.user_id);
        let held = attacker.holdings.clone().unwrap_or_else(|| Holdings::note(tenant, attacker));
        Self { tenant, attacker, user, held, now }
    }

    /// The victim's account, where it may sign in.
    pub(super) fn account(&self) -> Result<&'a Value, Closed> {
        let user = self.user.ok_or_else(|| Closed::new("account deleted", 50034))?;
        if user.get("accountEnabled") == Some(&Value::Bool(false)) {
            return Err(Closed::new("account disabled", 50057));
        }
        Ok(user)
    }

    /// Whether the password in hand is still the account's.
    pub(super) fn password(&self) -> Result<(), Closed> {
        let current = self.tenant.passwords.get(&self.attacker.user_id);
        let set = self.user.map(|user| text(user, "lastPasswordChangeDateTime").to_owned());
        let known = match (&self.held.password, current) {
            (Some(held), Some(current)) => held == current,
            (None, None) => self.held.password_set == set,
            _ => false,
        };
        if known { Ok(()) } else { Err(Closed::new("password changed", 50126)) }
    }

    /// The victim's registered methods.
    pub(super) fn registered(&self) -> &'a [Value] {
        self.tenant.authentication_methods.get(&self.attacker.user_id).map_or(&[], Vec::as_slice)
    }

    /// Registered methods in the attacker's hands that are good for something.
    pub(super) fn own(&self, good: fn(&Value) -> bool) -> Vec<&'a Value> {
        let ids = &self.attacker.method_ids;
        let held = self.registered().iter().filter(|method| ids.iter().any(|id| id == text(method, "id")));
        held.filter(|method| good(method)).collect()
    }

    pub(super) fn second_factor(&self) -> Result<&'a Value, Closed> {
        let own = self.own(is_second_factor);
        own.first().copied().ok_or_else(|| Closed::new("method removed", 50074))
    }

    /// Whether a token that was issued then still counts.
    pub(super) fn token(&self, issued: Timestamp, ends_with_password: bool) -> Result<(), Closed> {
        let moment = |property: &str| self.user.and_then(|user| parse_time(text(user, property)));
        if moment("signInSessionsValidFromDateTime").is_some_and(|watermark| issued < watermark) {
            return Err(Closed::new("session revoked", 50173));
        }
        if ends_with_password && moment("lastPasswordChangeDateTime").is_some_and(|changed| issued < changed)
        {
            return Err(Closed::new("password changed", 50133));
        }
        Ok(())
    }

    /// How the attacker comes along with a fresh sign-in.
    pub(super) fn fresh(&self, strength: Strength) -> Approach {
        Approach {
            client_app: NATIVE,
            strength,
            authenticated_at: Some(self.now),
            device: self.device(),
            token_bound: self.attacker.device.is_registered,
        }
    }

    /// The attacker's device, as a device filter sees it: an unregistered one has no values at all.
    pub(super) fn device(&self) -> Map<String, Value> {
        let device = &self.attacker.device;
        let mut seen = blank_device();
        if device.is_registered || device.is_compliant {
            seen.insert("isCompliant".to_owned(), device.is_compliant.into());
        }
        if device.is_registered {
            seen.insert("trustType".to_owned(), "Workplace".into());
        }
        seen
    }

    /// Asks Conditional Access. The attacker is after mail: Graph answers for Exchange, so policies on either apply.
    pub(super) fn admit(&self, place: &Place, approach: &Approach) -> Admission {
        let apps = vec![GRAPH.0.to_owned(), EXCHANGE.to_owned()];
        self.ask(place, approach, Target::Applications(apps))
    }

    /// The same for a sign-in whose client the attacker picks: a native one, else a browser.
    pub(super) fn admit_by_any_client(&self, place: &Place, approach: &Approach) -> Admission {
        let native = self.admit(place, approach);
        if native.closed.is_none() {
            return native;
        }
        let browser = self.admit(place, &Approach { client_app: BROWSER, ..approach.clone() });
        if browser.closed.is_none() { browser } else { native }
    }

    pub(super) fn ask(&self, place: &Place, approach: &Approach, target: Target) -> Admission {
        let verdict = decide(self.tenant, &self.context(place, approach, target));
        let closed = match verdict.outcome {
            Outcome::Granted => None,
            Outcome::Refused { policy, need } => {
                let by =
                    policy.map_or_else(|| "security defaults".to_owned(), |name| format!("policy {name}"));
                Some(Closed::new(by, need.error_code()))
            }
        };
        Admission { closed, client_app: approach.client_app, policies: verdict.applied }
    }

    pub(super) fn context(&self, place: &Place, approach: &Approach, target: Target) -> SignInContext {
        let identity = Identity::User(self.attacker.user_id.clone());
        SignInContext {
            ip: Some(place.ip),
            country: place.country.clone(),
            client_app: Some(approach.client_app.to_owned()),
            platform: Some(self.attacker.device.platform.clone()),
            device: Some(approach.device.clone()),
            token_bound: approach.token_bound,
            strength: approach.strength,
            authenticated_at: approach.authenticated_at,
            user_risk: Some(self.user_risk()),
            sign_in_risk: Some("none".to_owned()),
            insider_risk: Some("none".to_owned()),
            authentication_flow: Some("none".to_owned()),
            ..SignInContext::new(identity, target, self.now)
        }
    }

    fn user_risk(&self) -> String {
        let risky = self.tenant.risky_users.iter().find(|risky| text(risky, "id") == self.attacker.user_id);
        let now = risky.map(|row| risky_users::current(row, self.tenant, self.now)).unwrap_or_default();
        match (text(&now, "riskState"), text(&now, "riskLevel")) {
            ("atRisk" | "confirmedCompromised", level) if !level.is_empty() => level.to_owned(),
            _ => "none".to_owned(),
        }
    }
}

/// A device without values.
pub(super) fn blank_device() -> Map<String, Value> {
    let names = [
        "deviceId",
        "displayName",
        "deviceOwnership",
        "enrollmentProfileName",
        "isCompliant",
        "manufacturer",
        "mdmAppId",
        "model",
        "operatingSystem",
        "operatingSystemVersion",
        "physicalIds",
        "profileType",
        "systemLabels",
        "trustType",
    ];
    let plain = names.iter().map(|name| (*name).to_owned());
    let extensions = (1..=15).map(|number| format!("extensionAttribute{number}"));
    plain.chain(extensions).map(|name| (name, json!(null))).collect()
}
