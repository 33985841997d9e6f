//! Sign-in records: the rows that an attempted sign-in leaves in the log, in beta's shape.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::conditional_access::Country;
use crate::tenant::Tenant;

/// An address with what the log knows of it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The address.
    pub ip: IpAddr,
    /// Its country.
    pub country: Country,
    location: Value,
    network: Value,
}

/// Everything that the log knows of addresses, read once.
#[derive(Clone, Debug)]
pub struct Gazetteer<'a>(BTreeMap<IpAddr, &'a Value>);

impl<'a> Gazetteer<'a> {
    /// Reads the addresses of a tenant's sign-in log.
    #[must_use]
    pub fn read(tenant: &'a Tenant) -> Self {
        let mut places: BTreeMap<IpAddr, &Value> = BTreeMap::new();
        for row in tenant.sign_ins.iter() {
            if let Some(ip) = text(row, "ipAddress").parse::<IpAddr>().ok().map(|ip| ip.to_canonical()) {
                let place = places.entry(ip).or_insert(row);
                // A row of an attempt from an unknown address says nothing of where it lies.
                if country_of(place).is_none() {
                    *place = row;
                }
            }
        }
        Self(places)
    }

    /// Whether the log has seen the address.
    #[must_use]
    pub fn knows(&self, ip: IpAddr) -> bool {
        self.0.contains_key(&ip.to_canonical())
    }

    /// Where the address lies.
    #[must_use]
    pub fn find(&self, ip: IpAddr) -> Place {
        let ip = ip.to_canonical();
        let row = self.0.get(&ip);
        let country = row.and_then(|row| country_of(row));
        Place {
            ip,
            country: country.map_or(Country::Unlocated, |code| Country::Known(code.to_owned())),
            location: row.and_then(|row| row.get("location")).cloned().unwrap_or_else(
                || json!({"city": "", "state": "", "countryOrRegion": "", "geoCoordinates": {}}),
            ),
            network: row.and_then(|row| row.get("autonomousSystemNumber")).cloned().unwrap_or(Value::Null),
        }
    }
}

fn country_of(row: &Value) -> Option<&str> {
    let code = row.get("location")?.get("countryOrRegion")?.as_str()?;
    if code.is_empty() { None } else { Some(code) }
}

/// Who attempts, as the row tells it.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The user object, where it still exists.
    pub user: Option<&'a Value>,
    /// The user's object id.
    pub user_id: &'a str,
    /// The client's user agent.
    pub user_agent: &'a str,
}

/// One attempted sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The app that signs in: id and name.
    pub client: (String, String),
    /// What it asks for: id and name.
    pub resource: (String, String),
    /// Kind of client, as policies name it.
    pub client_app: String,
    /// Whether a person (or somebody like one) typed something.
    pub is_interactive: bool,
    /// `incomingTokenType`.
    pub incoming_token: &'static str,
    /// The session, where it is one that exists; else a new one.
    pub session_id: Option<String>,
    /// How the user proved to be the user: method and detail of each step.
    pub steps: Vec<(&'static str, &'static str)>,
    /// `status.errorCode`; 0 where it went through.
    pub error_code: u32,
    /// Whether Conditional Access was reached, and what each policy said.
    pub policies: Option<Vec<Value>>,
}

/// Makes the row. `salt` tells rows of one moment apart; the same salt at the same time gives the same ids.
#[must_use]
pub fn describe(
    tenant: &Tenant,
    actor: Actor<'_>,
    sign_in: &SignIn,
    place: &Place,
    now: Timestamp,
    salt: &str,
) -> Value {
    let nothing = Value::Null;
    let user = actor.user.unwrap_or(&nothing);
    let id = derive_id(&format!("id {salt} {now}"));
    let moment = format_time(now);
    let mut row = json!({
        "id": id,
        "createdDateTime": moment,
        "userId": actor.user_id,
        "userDisplayName": text(user, "displayName"),
        "userPrincipalName": text(user, "userPrincipalName").to_lowercase(),
        "userType": if text(user, "userType").eq_ignore_ascii_case("guest") { "guest" } else { "member" },
        "appId": sign_in.client.0,
        "appDisplayName": sign_in.client.1,
        "resourceId": sign_in.resource.0,
        "resourceDisplayName": sign_in.resource.1,
        "ipAddress": place.ip.to_string(),
        "ipAddressFromResourceProvider": null,
        "autonomousSystemNumber": place.network,
        "userAgent": actor.user_agent,
        "clientAppUsed": if sign_in.client_app == "browser" { "Browser" } else { "Mobile Apps and Desktop clients" },
        "isInteractive": sign_in.is_interactive,
        "signInEventTypes": [if sign_in.is_interactive { "interactiveUser" } else { "nonInteractiveUser" }],
        "correlationId": derive_id(&format!("correlation {salt} {now}")),
        "originalRequestId": id,
        "uniqueTokenIdentifier": URL_SAFE_NO_PAD.encode(digest(&format!("token {salt} {now}")).get(..16).unwrap_or_default()),
        "sessionId": sign_in.session_id.clone().unwrap_or_else(|| derive_id(&format!("session {salt} {now}"))),
        "authenticationProtocol": "none",
        "incomingTokenType": sign_in.incoming_token,
        "originalTransferMethod": "none",
    });
    if let (Value::Object(row), Value::Object(rest)) = (&mut row, judge(tenant, sign_in, place, &moment)) {
        row.extend(rest);
    }
    row
}

/// The second half of a row: what came of it.
fn judge(tenant: &Tenant, sign_in: &SignIn, place: &Place, moment: &str) -> Value {
    let succeeded = sign_in.error_code == 0;
    let previously = !sign_in.is_interactive;
    let details: Vec<Value> = sign_in
        .steps
        .iter()
        .map(|(method, detail)| {
            json!({
                "authenticationStepDateTime": moment, "authenticationMethod": method, "authenticationMethodDetail": null,
                "succeeded": succeeded, "authenticationStepResultDetail": detail, "authenticationStepRequirement": "",
            })
        })
        .collect();
    let reached = sign_in.policies.as_deref().unwrap_or_default();
    let status = if sign_in.policies.is_some() && is_refusal(sign_in.error_code) {
        "failure"
    } else if reached.iter().any(|policy| text(policy, "result") == "success") {
        "success"
    } else {
        "notApplied"
    };
    let multifactor = sign_in.steps.len() > 1 || sign_in.incoming_token != "none";
    json!({
        "homeTenantId": tenant.tenant.id,
        "homeTenantName": "",
        "resourceTenantId": tenant.tenant.id,
        "crossTenantAccessType": "none",
        "tokenIssuerType": "AzureAD",
        "isTenantRestricted": false,
        "flaggedForReview": false,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "tokenProtectionStatusDetails": if sign_in.incoming_token == "primaryRefreshToken" {
            json!({"signInSessionStatus": "bound", "signInSessionStatusCode": null})
        } else {
            json!({"signInSessionStatus": "unbound", "signInSessionStatusCode": 1002})
        },
        "status": {
            "errorCode": sign_in.error_code,
            "failureReason": failure_reason(sign_in.error_code),
            "additionalDetails": if succeeded && previously { "MFA requirement satisfied by claim in the token" } else { "" },
        },
        "authenticationRequirement": if multifactor { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
        "authenticationDetails": details,
        "deviceDetail": {
            "deviceId": "", "displayName": "", "operatingSystem": "", "browser": "", "isCompliant": false, "isManaged": false,
            "trustType": "",
        },
        "networkLocationDetails": network_locations(tenant, place.ip),
        "location": place.location,
        "conditionalAccessStatus": status,
        "appliedConditionalAccessPolicies": sign_in.policies.clone().unwrap_or_default(),
        "authenticationRequirementPolicies": if multifactor && sign_in.policies.is_some() {
            json!([{"requirementProvider": "multiConditionalAccess", "detail": "Conditional Access"}])
        } else {
            json!([])
        },
    })
}

fn network_locations(tenant: &Tenant, ip: IpAddr) -> Value {
    let named = tenant
        .named_locations
        .iter()
        .filter(|location| crate::conditional_access::evaluation::ranges_contain(location, ip));
    let details: Vec<Value> = named
        .map(|location| {
            let trusted = location.get("isTrusted") == Some(&Value::Bool(true));
            json!({
                "networkType": if trusted { "trustedNamedLocation" } else { "namedNetwork" },
                "networkNames": [location.get("displayName")],
            })
        })
        .collect();
    Value::Array(details)
}

fn is_refusal(code: u32) -> bool {
    matches!(code, 50055 | 50074 | 50076 | 50079 | 53000 | 53001 | 53003 | 70043)
}

/// The words of an error code.
#[must_use]
pub fn failure_reason(code: u32) -> &'static str {
    match code {
        50034 => "The user account does not exist in the directory.",
        50055 => "The password is expired.",
        50057 => "The user account is disabled.",
        50074 => "Strong Authentication is required.",
        50076 => {
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."
        }
        50079 => "User needs to enroll for two-step verification.",
        50097 => "Device Authentication Required.",
        50126 => "Error validating credentials due to invalid username or password.",
        50133 => "Session is invalid due to expiration or recent password change.",
        50173 => "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        53000 => "Device is not in required device state: compliant.",
        53001 => "Device is not in required device state: domain joined.",
        53003 => "Access has been blocked by Conditional Access policies.",
        65001 => "The user or administrator has not consented to use the application.",
        70043 => {
            "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."
        }
        7_000_112 => "Application is disabled.",
        _ => "Other.",
    }
}

/// A time as Graph writes it.
#[must_use]
pub fn format_time(time: Timestamp) -> String {
    time.to_string()
}

/// A GUID that follows from a text, so that runs repeat.
#[must_use]
pub fn derive_id(seed: &str) -> String {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest(seed)).for_each(|(byte, from)| *byte = from);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn digest(seed: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, seed.as_bytes()).as_ref().to_vec()
}

fn text<'a>(value: &'a Value, property: &str) -> &'a str {
    value.get(property).and_then(Value::as_str).unwrap_or_default()
}
