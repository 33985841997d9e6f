//! Named locations: their two kinds, their ranges, and the whole-list replacement that makes lost updates.

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::error::WriteError;
use super::policy::{MOST, check_licence};
use crate::api::Call;
use crate::sign_in::format_time;
use crate::tenant::Tenant;

const MOST_RANGES: usize = 2000;
/// A prefix must be longer than this.
const WIDEST: u8 = 8;

const READ_ONLY: [&str; 4] = ["id", "createdDateTime", "modifiedDateTime", "deletedDateTime"];
const ADDRESSES: [&str; 3] = ["displayName", "isTrusted", "ipRanges"];
const COUNTRIES: [&str; 4] =
    ["displayName", "countriesAndRegions", "includeUnknownCountriesAndRegions", "countryLookupMethod"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Addresses,
    Countries,
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "#microsoft.graph.ipnamedlocation" => Some(Self::Addresses),
            "#microsoft.graph.countrynamedlocation" => Some(Self::Countries),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Addresses => "#microsoft.graph.ipNamedLocation",
            Self::Countries => "#microsoft.graph.countryNamedLocation",
        }
    }
}

/// Makes the location of a POST.
///
/// # Errors
/// [`WriteError`], as the service refuses.
pub fn create_location(tenant: &Tenant, call: &Call) -> Result<Value, WriteError> {
    check_licence(tenant)?;
    let (kind, body) = read(&call.body)?;
    if tenant.named_locations.len() >= MOST {
        return Err(WriteError::TooMany(MOST));
    }
    if text(&body, "displayName").is_empty() {
        return Err(refuse("displayName is required."));
    }
    let mut location = match kind {
        Kind::Addresses => json!({"@odata.type": kind.name(), "isTrusted": false, "ipRanges": []}),
        Kind::Countries => json!({
            "@odata.type": kind.name(), "countriesAndRegions": [], "includeUnknownCountriesAndRegions": false,
            "countryLookupMethod": "clientIpAddress",
        }),
    };
    let needed = match kind {
        Kind::Addresses => "ipRanges",
        Kind::Countries => "countriesAndRegions",
    };
    if body.get(needed).and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(refuse(&format!("{needed} needs at least one entry.")));
    }
    apply(&mut location, body);
    let moment = Value::from(format_time(call.now));
    if let Value::Object(location) = &mut location {
        location.insert("id".to_owned(), call.new_id.clone().into());
        location.insert("createdDateTime".to_owned(), moment.clone());
        location.insert("modifiedDateTime".to_owned(), moment);
    }
    Ok(location)
}

/// Makes what a PATCH leaves of a location: what is left out stays, and a list that is sent is the whole list.
///
/// # Errors
/// [`WriteError`], as the service refuses.
pub fn update_location(tenant: &Tenant, call: &Call, existing: &Value) -> Result<Value, WriteError> {
    check_licence(tenant)?;
    let (kind, body) = read(&call.body)?;
    let is_addresses = existing.get("ipRanges").is_some();
    if is_addresses != (kind == Kind::Addresses) {
        return Err(refuse("The type of a named location cannot be changed."));
    }
    if body.contains_key("displayName") && text(&body, "displayName").is_empty() {
        return Err(refuse("displayName cannot be empty."));
    }
    let mut location = existing.clone();
    apply(&mut location, body);
    if let Value::Object(location) = &mut location {
        location.insert("modifiedDateTime".to_owned(), format_time(call.now).into());
    }
    Ok(location)
}

fn refuse(message: &str) -> WriteError {
    WriteError::Rule(message.to_owned())
}

fn text<'a>(object: &'a Map<String, Value>, property: &str) -> &'a str {
    object.get(property).and_then(Value::as_str).unwrap_or_default()
}

fn apply(location: &mut Value, body: Map<String, Value>) {
    if let Value::Object(location) = location {
        location.extend(body);
    }
}

/// The kind and the properties that may be written, each of its type.
fn read(body: &Value) -> Result<(Kind, Map<String, Value>), WriteError> {
    let Value::Object(object) = body else { return Err(refuse("A JSON object is expected.")) };
    let kind = Kind::parse(text(object, "@odata.type"))
        .ok_or_else(|| refuse("The @odata.type of the named location is missing or unknown."))?;
    let known: &[&str] = match kind {
        Kind::Addresses => &ADDRESSES,
        Kind::Countries => &COUNTRIES,
    };
    let mut kept = Map::new();
    for (name, value) in object.iter().filter(|(name, _)| !name.contains('@')) {
        if READ_ONLY.contains(&name.as_str()) {
            continue;
        }
        if !known.contains(&name.as_str()) {
            let kind = kind.name().trim_start_matches('#');
            return Err(refuse(&format!("The property '{name}' does not exist on type '{kind}'.")));
        }
        check(name, value)?;
        kept.insert(name.clone(), value.clone());
    }
    Ok((kind, kept))
}

fn check(name: &str, value: &Value) -> Result<(), WriteError> {
    let fits = match (name, value) {
        ("displayName", Value::String(_))
        | ("isTrusted" | "includeUnknownCountriesAndRegions", Value::Bool(_)) => true,
        ("countryLookupMethod", Value::String(method)) => {
            matches!(method.as_str(), "clientIpAddress" | "authenticatorAppGps")
        }
        ("countriesAndRegions", Value::Array(codes)) => codes.iter().all(is_country),
        ("ipRanges", Value::Array(ranges)) => return check_ranges(ranges),
        _ => false,
    };
    if fits { Ok(()) } else { Err(refuse(&format!("The value of '{name}' is not valid."))) }
}

fn is_country(code: &Value) -> bool {
    code.as_str().is_some_and(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn check_ranges(ranges: &[Value]) -> Result<(), WriteError> {
    if ranges.len() > MOST_RANGES {
        return Err(WriteError::Rule(format!("A named location holds at most {MOST_RANGES} IP ranges.")));
    }
    for range in ranges {
        let Value::Object(range) = range else { return Err(refuse("An IP range is an object.")) };
        let kind = text(range, "@odata.type").to_ascii_lowercase();
        let wants_v4 = match kind.as_str() {
            "#microsoft.graph.ipv4cidrrange" => true,
            "#microsoft.graph.ipv6cidrrange" => false,
            _ => return Err(refuse("The @odata.type of an IP range is missing or unknown.")),
        };
        if let Some(name) = range.keys().find(|name| !name.contains('@') && *name != "cidrAddress") {
            return Err(refuse(&format!("The property '{name}' does not exist on an IP range.")));
        }
        let cidr = text(range, "cidrAddress");
        let network = cidr
            .parse::<IpNet>()
            .map_err(|_| WriteError::Rule(format!("'{cidr}' is not a valid CIDR address.")))?;
        if matches!(network, IpNet::V4(_)) != wants_v4 {
            return Err(WriteError::Rule(format!("'{cidr}' does not match the type of its range.")));
        }
        if network.prefix_len() <= WIDEST {
            return Err(WriteError::Rule(format!("The prefix of '{cidr}' must be longer than /{WIDEST}.")));
        }
    }
    Ok(())
}
