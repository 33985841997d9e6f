//! What is known of a sign-in when policies are looked at. What is `None` was not told, which is not the same as "no".

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user, by object id.
    User(String),
    /// A service principal, by object id.
    ServicePrincipal(String),
}

/// What the sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Resources by app id; a policy on any of them applies.
    Applications(Vec<String>),
    /// A user action such as `urn:user:registersecurityinfo`.
    UserAction(String),
    /// An authentication context such as `c1`.
    AuthenticationContext(String),
}

/// Where an address lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Country {
    /// A two-letter code.
    Known(String),
    /// Nobody knows; the policies' "unknown countries".
    Unlocated,
    /// Not told.
    NotGiven,
}

/// How strongly the user has proven to be the user; the stronger includes the weaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// A password, or less.
    SingleFactor,
    /// Two factors, or a token that carries the claim.
    Multifactor,
    /// Two factors without a password.
    Passwordless,
    /// FIDO2, Windows Hello or a certificate.
    PhishingResistant,
}

/// A sign-in as Conditional Access sees it.
#[derive(Clone, Debug)]
pub struct SignInContext {
    /// Who.
    pub identity: Identity,
    /// For what.
    pub target: Target,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// From which country.
    pub country: Country,
    /// With which kind of client: `browser`, `mobileAppsAndDesktopClients`, `exchangeActiveSync`, `other`.
    pub client_app: Option<String>,
    /// On which platform, as policies name them.
    pub platform: Option<String>,
    /// Properties of the device as device filters name them (`isCompliant`, `trustType`); a property that is missing
    /// was not told, one that is null has no value.
    pub device: Option<Map<String, Value>>,
    /// Whether the tokens are bound to the device.
    pub token_bound: bool,
    /// What the user has proven.
    pub strength: Strength,
    /// When the user last proved it; sign-in frequency counts from here.
    pub authenticated_at: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
    /// Risk of the user.
    pub user_risk: Option<String>,
    /// Risk of the sign-in.
    pub sign_in_risk: Option<String>,
    /// Risk of the service principal.
    pub service_principal_risk: Option<String>,
    /// Insider risk.
    pub insider_risk: Option<String>,
    /// `none`, `deviceCodeFlow` or `authenticationTransfer`.
    pub authentication_flow: Option<String>,
}

impl SignInContext {
    /// A sign-in of which nothing else is told.
    #[must_use]
    pub fn new(identity: Identity, target: Target, now: Timestamp) -> Self {
        Self {
            identity,
            target,
            ip: None,
            country: Country::NotGiven,
            client_app: None,
            platform: None,
            device: None,
            token_bound: false,
            strength: Strength::SingleFactor,
            authenticated_at: None,
            now,
            user_risk: None,
            sign_in_risk: None,
            service_principal_risk: None,
            insider_risk: None,
            authentication_flow: None,
        }
    }

    /// Whether the device has a property that is true.
    #[must_use]
    pub fn device_says(&self, property: &str) -> bool {
        self.device.as_ref().and_then(|device| device.get(property)) == Some(&Value::Bool(true))
    }
}
