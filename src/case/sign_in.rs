//! A row of the sign-in log, as far as we reason about it (policy-logs-auth.md 4.3).

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::UserId;

/// How the second factor of a sign-in was satisfied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// The log does not say, or not yet: it may take two hours.
    #[default]
    Unknown,
    /// None was asked for.
    NotAsked,
    /// A person gave one, then and there.
    Fresh,
    /// A claim in the token that was brought along stood for it.
    ByClaim,
}

/// A place on the globe, in thousandths of a degree: so it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Latitude.
    pub latitude: i32,
    /// Longitude.
    pub longitude: i32,
}

/// What Identity Protection makes of a sign-in, in Graph's own words: without a P2 licence they are `hidden`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// `riskLevelDuringSignIn`: none, low, medium, high, hidden, or a word that is new.
    pub level: Arc<str>,
    /// `riskState`: none, atRisk, dismissed, remediated, confirmedSafe, confirmedCompromised, …
    pub state: Arc<str>,
    /// `riskEventTypes_v2`: unfamiliarFeatures, anonymizedIPAddress, …
    pub events: Vec<Arc<str>>,
}

/// One sign-in. Texts are as the log has them: show them inert. They are shared between rows that say the same: a log of
/// a hundred thousand rows says few different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Id of the row; the log repeats rows, so they are told apart by it.
    pub id: String,
    /// When (UTC).
    pub at: Timestamp,
    /// Whose; absent for what is no user's.
    pub user_id: Option<UserId>,
    /// UPN as logged.
    pub upn: Arc<str>,
    /// Address as logged; may be masked or empty.
    pub ip: Arc<str>,
    /// City and country as logged, `Dallas, US`.
    pub place: Arc<str>,
    /// Country as logged, two letters.
    pub country: Arc<str>,
    /// Where the address is thought to be.
    pub position: Option<Position>,
    /// User agent.
    pub user_agent: Arc<str>,
    /// Session id (beta only).
    pub session_id: Option<Arc<str>>,
    /// Whether a person was there.
    pub interactive: bool,
    /// Result code; 0 is success.
    pub error_code: i64,
    /// Name of the app.
    pub app: Arc<str>,
    /// App id.
    pub app_id: Option<Arc<str>>,
    /// Tenant that the app is of (beta only).
    pub app_owner: Option<Arc<str>>,
    /// App id of the resource.
    pub resource_id: Option<Arc<str>>,
    /// Name of the resource.
    pub resource: Arc<str>,
    /// Kind of client: Browser, Mobile Apps and Desktop clients, …
    pub client_app: Arc<str>,
    /// Device id, where the device is registered.
    pub device_id: Option<Arc<str>>,
    /// Name of the device.
    pub device_name: Arc<str>,
    /// Operating system.
    pub operating_system: Arc<str>,
    /// Browser.
    pub browser: Arc<str>,
    /// Whether the device was compliant.
    pub compliant: bool,
    /// Whether the device was managed.
    pub managed: bool,
    /// Trust type of the device: Azure AD joined, Hybrid Azure AD joined, …; empty where there is none.
    pub trust_type: Arc<str>,
    /// How the second factor was satisfied, as the log words it.
    pub mfa_detail: Arc<str>,
    /// How the second factor was satisfied.
    pub second_factor: SecondFactor,
    /// `incomingTokenType`: none, primaryRefreshToken, refreshToken, … (beta only).
    pub incoming_token: Arc<str>,
    /// `originalTransferMethod`: none, deviceCodeFlow, authenticationTransfer (beta only).
    pub transfer_method: Arc<str>,
    /// Token protection: bound, unbound or none (beta only).
    pub token_protection: Option<Arc<str>>,
    /// Autonomous system of the address (beta only).
    pub asn: Option<i64>,
    /// What Identity Protection makes of it.
    pub risk: Risk,
}

impl SignIn {
    /// A row of which nothing but its id and its moment is known; it counts as a success of a person's.
    pub fn bare(id: &str, at: Timestamp) -> Self {
        let empty: Arc<str> = Arc::from("");
        let text = || Arc::clone(&empty);
        Self {
            id: id.to_owned(),
            at,
            user_id: None,
            upn: text(),
            ip: text(),
            place: text(),
            country: text(),
            position: None,
            user_agent: text(),
            session_id: None,
            interactive: true,
            error_code: 0,
            app: text(),
            app_id: None,
            app_owner: None,
            resource_id: None,
            resource: text(),
            client_app: text(),
            device_id: None,
            device_name: text(),
            operating_system: text(),
            browser: text(),
            compliant: false,
            managed: false,
            trust_type: text(),
            mfa_detail: text(),
            second_factor: SecondFactor::Unknown,
            incoming_token: text(),
            transfer_method: text(),
            token_protection: None,
            asn: None,
            risk: Risk { level: text(), state: text(), events: Vec::new() },
        }
    }

    /// Whether it is a success, or an interruption on the way to one (policy-logs-auth.md 4.6).
    pub fn is_no_failure(&self) -> bool {
        [0, 50_140, 50_199].contains(&self.error_code)
    }

    /// Whether it came from a device that the company knows and holds for compliant.
    pub fn has_compliant_device(&self) -> bool {
        self.compliant && self.device_id.is_some()
    }
}
