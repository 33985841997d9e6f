//! One page of the sign-in log, read straight into rows: the page itself, three kilobytes for each row, is forgotten.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Flag, List, Number, Object, Text, Whole, Words};
use crate::case::{Position, Risk, SecondFactor, SignIn};

/// What a page gave.
#[derive(Debug, Default)]
pub(super) struct SignInPage {
    /// The rows, in the page's order.
    pub(super) rows: Vec<SignIn>,
    /// How many rows have no id, no moment or no result.
    pub(super) unreadable: usize,
    /// Where the next page is.
    pub(super) next: Option<String>,
}

/// Reads a page.
///
/// # Errors
/// When it is no page.
pub(super) fn read_page(body: &[u8], words: &mut Words) -> Result<SignInPage, serde_json::Error> {
    let page: Page<'_> = serde_json::from_slice(body)?;
    let mut read =
        SignInPage { next: page.next.0.map(std::borrow::Cow::into_owned), ..SignInPage::default() };
    read.rows.reserve_exact(page.value.len());
    for Object(row) in &page.value {
        match sign_in(row, words) {
            Some(row) => read.rows.push(row),
            None => read.unreadable += 1,
        }
    }
    Ok(read)
}

/// Reads rows from a page that did not come from Graph: a file's. Gives how many rows have no id, no moment or no result.
///
/// # Errors
/// When it is no page.
pub fn sign_ins_of_page(body: &[u8]) -> Result<(Vec<SignIn>, usize), serde_json::Error> {
    read_page(body, &mut Words::default()).map(|page| (page.rows, page.unreadable))
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    value: Vec<Object<Row<'a>>>,
    #[serde(borrow, default, rename = "@odata.nextLink")]
    next: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    created_date_time: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    user_principal_name: Text<'a>,
    #[serde(borrow)]
    ip_address: Text<'a>,
    #[serde(borrow)]
    user_agent: Text<'a>,
    #[serde(borrow)]
    session_id: Text<'a>,
    #[serde(borrow)]
    sign_in_event_types: List<Text<'a>>,
    is_interactive: Flag,
    #[serde(borrow)]
    status: Object<Status<'a>>,
    #[serde(borrow)]
    app_id: Text<'a>,
    #[serde(borrow)]
    app_display_name: Text<'a>,
    #[serde(borrow)]
    app_owner_tenant_id: Text<'a>,
    #[serde(borrow)]
    resource_id: Text<'a>,
    #[serde(borrow)]
    resource_display_name: Text<'a>,
    #[serde(borrow)]
    client_app_used: Text<'a>,
    #[serde(borrow)]
    device_detail: Object<DeviceDetail<'a>>,
    #[serde(borrow)]
    location: Object<Location<'a>>,
    #[serde(borrow)]
    authentication_requirement: Text<'a>,
    #[serde(borrow)]
    authentication_details: List<Object<StepDetail<'a>>>,
    #[serde(borrow)]
    mfa_detail: Object<MfaDetail<'a>>,
    #[serde(borrow)]
    incoming_token_type: Text<'a>,
    #[serde(borrow)]
    original_transfer_method: Text<'a>,
    #[serde(borrow)]
    authentication_protocol: Text<'a>,
    #[serde(borrow)]
    token_protection_status_details: Object<TokenProtection<'a>>,
    autonomous_system_number: Whole,
    #[serde(borrow)]
    risk_level_during_sign_in: Text<'a>,
    #[serde(borrow)]
    risk_state: Text<'a>,
    #[serde(borrow, rename = "riskEventTypes_v2")]
    risk_event_types_v2: List<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    error_code: Whole,
    #[serde(borrow)]
    additional_details: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeviceDetail<'a> {
    #[serde(borrow)]
    device_id: Text<'a>,
    #[serde(borrow)]
    display_name: Text<'a>,
    #[serde(borrow)]
    operating_system: Text<'a>,
    #[serde(borrow)]
    browser: Text<'a>,
    is_compliant: Flag,
    is_managed: Flag,
    #[serde(borrow)]
    trust_type: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Location<'a> {
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    country_or_region: Text<'a>,
    geo_coordinates: Object<Coordinates>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Coordinates {
    latitude: Number,
    longitude: Number,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StepDetail<'a> {
    #[serde(borrow)]
    authentication_method: Text<'a>,
    #[serde(borrow)]
    authentication_step_requirement: Text<'a>,
    #[serde(borrow)]
    authentication_step_result_detail: Text<'a>,
    succeeded: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MfaDetail<'a> {
    #[serde(borrow)]
    auth_method: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TokenProtection<'a> {
    #[serde(borrow)]
    sign_in_session_status: Text<'a>,
}

fn sign_in(row: &Row<'_>, words: &mut Words) -> Option<SignIn> {
    let id = row.id.0.as_deref()?.to_owned();
    let at = moment(row.created_date_time.0.as_deref()?)?;
    let error_code = row.status.0.error_code.0?;
    let interactive = if row.sign_in_event_types.0.is_empty() {
        row.is_interactive.0.unwrap_or(true)
    } else {
        row.sign_in_event_types.0.iter().any(|kind| kind.as_str() == "interactiveUser")
    };
    let (device, location) = (&row.device_detail.0, &row.location.0);
    let place = match (location.city.as_str(), location.country_or_region.as_str()) {
        ("", country) => words.keep(country),
        (city, "") => words.keep(city),
        (city, country) => words.keep(&format!("{city}, {country}")),
    };
    Some(SignIn {
        id,
        at,
        user_id: row.user_id.0.as_deref().and_then(|id| id.parse().ok()),
        upn: words.keep(row.user_principal_name.as_str()),
        ip: words.keep(row.ip_address.as_str()),
        place,
        country: words.keep(location.country_or_region.as_str()),
        position: position(&location.geo_coordinates.0),
        user_agent: words.keep(row.user_agent.as_str()),
        session_id: words.keep_if_any(&row.session_id),
        interactive,
        error_code,
        app: words.keep(row.app_display_name.as_str()),
        app_id: words.keep_if_any(&row.app_id),
        app_owner: words.keep_if_any(&row.app_owner_tenant_id),
        resource_id: words.keep_if_any(&row.resource_id),
        resource: words.keep(row.resource_display_name.as_str()),
        client_app: words.keep(row.client_app_used.as_str()),
        device_id: words.keep_if_any(&device.device_id),
        device_name: words.keep(device.display_name.as_str()),
        operating_system: words.keep(device.operating_system.as_str()),
        browser: words.keep(device.browser.as_str()),
        compliant: device.is_compliant.0.unwrap_or(false),
        managed: device.is_managed.0.unwrap_or(false),
        trust_type: words.keep(device.trust_type.as_str()),
        mfa_detail: words.keep(second_factor_words(row)),
        second_factor: second_factor(row),
        incoming_token: words.keep(row.incoming_token_type.as_str()),
        transfer_method: words.keep(transfer_method(row)),
        token_protection: words.keep_if_any(&row.token_protection_status_details.0.sign_in_session_status),
        asn: row.autonomous_system_number.0,
        risk: Risk {
            level: words.keep(row.risk_level_during_sign_in.as_str()),
            state: words.keep(row.risk_state.as_str()),
            events: row.risk_event_types_v2.0.iter().filter_map(|event| words.keep_if_any(event)).collect(),
        },
    })
}

/// A moment (UTC), or nothing where it is the service's "never".
fn moment(text: &str) -> Option<Timestamp> {
    if text.starts_with("0001-01-01") {
        return None;
    }
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

/// Where the address is; nought and nought mean that nobody knows.
fn position(coordinates: &Coordinates) -> Option<Position> {
    let (latitude, longitude) = (coordinates.latitude.0?, coordinates.longitude.0?);
    let is_on_globe = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    if !is_on_globe || (latitude == 0.0 && longitude == 0.0) {
        return None;
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "it is on the globe")]
    let thousandths = |degrees: f64| (degrees * 1000.0).round() as i32;
    Some(Position { latitude: thousandths(latitude), longitude: thousandths(longitude) })
}

fn transfer_method<'row>(row: &'row Row<'_>) -> &'row str {
    match row.original_transfer_method.as_str() {
        "" | "none" if row.authentication_protocol.as_str().eq_ignore_ascii_case("deviceCode") => {
            "deviceCodeFlow"
        }
        method => method,
    }
}

/// How the second factor was satisfied, in the log's words: the step that was one, else what the status adds.
fn second_factor_words<'row>(row: &'row Row<'_>) -> &'row str {
    let is_second = |step: &&Object<StepDetail<'_>>| {
        step.0.authentication_step_requirement.as_str().starts_with("Multifactor")
    };
    let step = row.authentication_details.0.iter().rev().find(is_second);
    [
        step.map(|step| step.0.authentication_method.as_str()).unwrap_or_default(),
        row.mfa_detail.0.auth_method.as_str(),
    ]
    .into_iter()
    .find(|words| !words.is_empty())
    .unwrap_or_else(|| row.status.0.additional_details.as_str())
}

/// How the second factor was satisfied. What a claim stood for is not what a person did.
fn second_factor(row: &Row<'_>) -> SecondFactor {
    let claims = |text: &str| {
        let text = text.to_lowercase();
        text.contains("claim in the token") || text.contains("previously satisfied")
    };
    let mut found = SecondFactor::Unknown;
    for Object(step) in &row.authentication_details.0 {
        if step.succeeded.0 == Some(false) {
            continue;
        }
        let (method, detail) =
            (step.authentication_method.as_str(), step.authentication_step_result_detail.as_str());
        let is_claim = claims(method) || claims(detail);
        if is_claim {
            if !detail.to_lowercase().starts_with("first factor") {
                found = SecondFactor::ByClaim;
            }
        } else if is_second_factor(method, detail) {
            return SecondFactor::Fresh;
        }
    }
    if found != SecondFactor::Unknown {
        return found;
    }
    if !row.mfa_detail.0.auth_method.as_str().is_empty() {
        return SecondFactor::Fresh;
    }
    let status = row.status.0.additional_details.as_str();
    if claims(status) {
        return SecondFactor::ByClaim;
    }
    if status.to_lowercase().starts_with("mfa completed") {
        return SecondFactor::Fresh;
    }
    match row.authentication_requirement.as_str() {
        "singleFactorAuthentication" => SecondFactor::NotAsked,
        _ => SecondFactor::Unknown,
    }
}

/// Whether a step is more than a password.
fn is_second_factor(method: &str, detail: &str) -> bool {
    let method = method.to_lowercase();
    let is_first = ["", "password", "previously satisfied"].contains(&method.as_str());
    detail.to_lowercase().starts_with("mfa completed") || !is_first
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(row: &Value) -> SignIn {
        let body = json!({ "value": [row] }).to_string();
        read_page(body.as_bytes(), &mut Words::default()).unwrap().rows.remove(0)
    }

    fn with(more: &Value) -> SignIn {
        let mut row = json!({ "id": "a", "createdDateTime": "2026-03-01T23:41:09.1234567Z", "status": { "errorCode": 0 } });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(&row)
    }

    #[test]
    fn a_claim_that_stood_for_the_second_factor_is_told_from_a_person_who_gave_one() {
        let step = |method: &str, detail: &str| json!({ "authenticationMethod": method, "authenticationStepResultDetail": detail, "succeeded": true });
        let mfa_claim = step("Previously satisfied", "MFA requirement satisfied by claim in the token");
        let first_claim =
            step("Previously satisfied", "First factor requirement satisfied by claim in the token");
        for (steps, wanted) in [
            (json!([first_claim, mfa_claim]), SecondFactor::ByClaim),
            (
                json!([first_claim, step("Mobile app notification", "MFA completed in Azure AD")]),
                SecondFactor::Fresh,
            ),
            (json!([step("Password", "Correct password")]), SecondFactor::Unknown),
            (json!([step("Password", "Correct password"), mfa_claim]), SecondFactor::ByClaim),
            (json!([step("Passkey (device-bound)", "")]), SecondFactor::Fresh),
            (json!([{ "authenticationMethod": "Text message", "succeeded": false }]), SecondFactor::Unknown),
            (json!("cut off"), SecondFactor::Unknown),
        ] {
            assert_eq!(with(&json!({ "authenticationDetails": steps })).second_factor, wanted, "{steps}");
        }
        let single = json!({ "authenticationRequirement": "singleFactorAuthentication" });
        assert_eq!(with(&single).second_factor, SecondFactor::NotAsked);
        let told = json!({ "status": { "errorCode": 0, "additionalDetails": "MFA requirement satisfied by claim in the token" } });
        assert_eq!(with(&told).second_factor, SecondFactor::ByClaim);
    }

    #[test]
    fn a_place_at_nought_and_nought_is_nowhere() {
        let at = |latitude: f64, longitude: f64| {
            with(&json!({ "location": { "city": "Reno", "countryOrRegion": "US",
                "geoCoordinates": { "latitude": latitude, "longitude": longitude } } }))
            .position
        };
        assert_eq!(at(39.53, -119.81), Some(Position { latitude: 39_530, longitude: -119_810 }));
        assert_eq!(at(0.0, 0.0), None);
        assert_eq!(at(200.0, 1.0), None);
    }

    #[test]
    fn words_that_are_new_stay_as_they_are() {
        let row = with(
            &json!({ "incomingTokenType": "quantumToken", "riskLevelDuringSignIn": "purple", "riskEventTypes_v2": ["newEvent", 7, null] }),
        );
        assert_eq!((&*row.incoming_token, &*row.risk.level), ("quantumToken", "purple"));
        assert_eq!(row.risk.events.len(), 1);
    }

    #[test]
    fn rows_without_an_id_or_a_result_are_counted_and_left_out() {
        let body =
            json!({ "value": [{ "id": "a" }, null, "x", { "createdDateTime": "2026-03-01T23:41:09Z" }] });
        let page = read_page(body.to_string().as_bytes(), &mut Words::default()).unwrap();
        assert_eq!((page.rows.len(), page.unreadable), (0, 4));
        assert!(read_page(b"{}", &mut Words::default()).is_err());
        assert!(read_page(b"{\"value\":[{\"id\":", &mut Words::default()).is_err());
    }
}
