//! The shape of a policy as data: which properties there are, of which type, and which of them only beta has.

use serde_json::{Map, Value, json};

use super::error::WriteError;

/// The type of a property. Null is always allowed: it clears.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Flag,
    Number,
    Texts,
    Member(&'static [&'static str]),
    Members(&'static [&'static str]),
    /// Members joined by commas, as flags are.
    Flags(&'static [&'static str]),
    Object(&'static [(&'static str, Shape)]),
    /// What is taken as it is.
    Anything,
    /// What only beta has.
    Preview,
}

const RISK: &[&str] = &["low", "medium", "high", "hidden", "none"];
const PLATFORMS: &[&str] = &["android", "iOS", "windows", "windowsPhone", "macOS", "linux", "all"];
const FILTER: Shape =
    Shape::Object(&[("mode", Shape::Member(&["include", "exclude"])), ("rule", Shape::Text)]);
const GUESTS: Shape = Shape::Object(&[
    (
        "guestOrExternalUserTypes",
        Shape::Flags(&[
            "none",
            "internalGuest",
            "b2bCollaborationGuest",
            "b2bCollaborationMember",
            "b2bDirectConnectUser",
            "otherExternalUser",
            "serviceProvider",
        ]),
    ),
    ("externalTenants", Shape::Anything),
]);
const CONDITIONS: Shape = Shape::Object(&[
    (
        "clientAppTypes",
        Shape::Members(&[
            "all",
            "browser",
            "mobileAppsAndDesktopClients",
            "exchangeActiveSync",
            "easSupported",
            "other",
        ]),
    ),
    ("userRiskLevels", Shape::Members(RISK)),
    ("signInRiskLevels", Shape::Members(RISK)),
    ("servicePrincipalRiskLevels", Shape::Members(RISK)),
    ("insiderRiskLevels", Shape::Flags(&["minor", "moderate", "elevated"])),
    (
        "authenticationFlows",
        Shape::Object(&[(
            "transferMethods",
            Shape::Flags(&["none", "deviceCodeFlow", "authenticationTransfer"]),
        )]),
    ),
    (
        "clientApplications",
        Shape::Object(&[
            ("includeServicePrincipals", Shape::Texts),
            ("excludeServicePrincipals", Shape::Texts),
            ("servicePrincipalFilter", FILTER),
        ]),
    ),
    (
        "devices",
        Shape::Object(&[
            ("deviceFilter", FILTER),
            ("includeDevices", Shape::Preview),
            ("excludeDevices", Shape::Preview),
            ("includeDeviceStates", Shape::Preview),
            ("excludeDeviceStates", Shape::Preview),
        ]),
    ),
    ("deviceStates", Shape::Preview),
    ("times", Shape::Preview),
    (
        "platforms",
        Shape::Object(&[
            ("includePlatforms", Shape::Members(PLATFORMS)),
            ("excludePlatforms", Shape::Members(PLATFORMS)),
        ]),
    ),
    (
        "applications",
        Shape::Object(&[
            ("includeApplications", Shape::Texts),
            ("excludeApplications", Shape::Texts),
            (
                "includeUserActions",
                Shape::Members(&["urn:user:registersecurityinfo", "urn:user:registerdevice"]),
            ),
            ("includeAuthenticationContextClassReferences", Shape::Texts),
            ("applicationFilter", FILTER),
            ("networkAccess", Shape::Preview),
            ("globalSecureAccess", Shape::Preview),
        ]),
    ),
    (
        "users",
        Shape::Object(&[
            ("includeUsers", Shape::Texts),
            ("excludeUsers", Shape::Texts),
            ("includeGroups", Shape::Texts),
            ("excludeGroups", Shape::Texts),
            ("includeRoles", Shape::Texts),
            ("excludeRoles", Shape::Texts),
            ("includeGuestsOrExternalUsers", GUESTS),
            ("excludeGuestsOrExternalUsers", GUESTS),
        ]),
    ),
    ("locations", Shape::Object(&[("includeLocations", Shape::Texts), ("excludeLocations", Shape::Texts)])),
]);
const GRANT: Shape = Shape::Object(&[
    ("operator", Shape::Member(&["AND", "OR"])),
    (
        "builtInControls",
        Shape::Members(&[
            "block",
            "mfa",
            "compliantDevice",
            "domainJoinedDevice",
            "approvedApplication",
            "compliantApplication",
            "passwordChange",
            "riskRemediation",
        ]),
    ),
    ("customAuthenticationFactors", Shape::Texts),
    ("termsOfUse", Shape::Texts),
    ("authenticationStrength", Shape::Anything),
]);
const SWITCH: Shape = Shape::Object(&[("isEnabled", Shape::Flag)]);
const SESSION: Shape = Shape::Object(&[
    ("applicationEnforcedRestrictions", SWITCH),
    (
        "cloudAppSecurity",
        Shape::Object(&[
            ("isEnabled", Shape::Flag),
            ("cloudAppSecurityType", Shape::Member(&["mcasConfigured", "monitorOnly", "blockDownloads"])),
        ]),
    ),
    ("disableResilienceDefaults", Shape::Flag),
    (
        "persistentBrowser",
        Shape::Object(&[("isEnabled", Shape::Flag), ("mode", Shape::Member(&["always", "never"]))]),
    ),
    ("secureSignInSession", SWITCH),
    (
        "signInFrequency",
        Shape::Object(&[
            ("isEnabled", Shape::Flag),
            ("value", Shape::Number),
            ("type", Shape::Member(&["days", "hours"])),
            (
                "authenticationType",
                Shape::Member(&["primaryAndSecondaryAuthentication", "secondaryAuthentication"]),
            ),
            ("frequencyInterval", Shape::Member(&["timeBased", "everyTime"])),
        ]),
    ),
    ("continuousAccessEvaluation", Shape::Preview),
    ("globalSecureAccessFilteringProfile", Shape::Preview),
    ("networkAccessSecurity", Shape::Preview),
]);

/// A policy.
pub(super) const POLICY: Shape = Shape::Object(&[
    ("id", Shape::Anything),
    ("templateId", Shape::Anything),
    ("createdDateTime", Shape::Anything),
    ("modifiedDateTime", Shape::Anything),
    ("deletedDateTime", Shape::Anything),
    ("partialEnablementStrategy", Shape::Preview),
    ("displayName", Shape::Text),
    ("description", Shape::Text),
    ("state", Shape::Member(&["enabled", "disabled", "enabledForReportingButNotEnforced"])),
    ("conditions", CONDITIONS),
    ("grantControls", GRANT),
    ("sessionControls", SESSION),
]);

/// What the service sets itself and takes from nobody.
pub(super) const READ_ONLY: [&str; 5] =
    ["id", "templateId", "createdDateTime", "modifiedDateTime", "deletedDateTime"];

/// Checks a value against a shape; `preview` says whether beta's own fields are allowed.
pub(super) fn check(value: &Value, shape: Shape, path: &str, preview: bool) -> Result<(), WriteError> {
    let wrong = || Err(WriteError::Schema(format!("The value of '{path}' is not valid.")));
    if value.is_null() {
        return Ok(());
    }
    match (shape, value) {
        (Shape::Anything, _) | (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => Ok(()),
        (Shape::Number, Value::Number(number)) if number.is_i64() => Ok(()),
        (Shape::Preview, _) if preview => Ok(()),
        (Shape::Preview, _) => Err(WriteError::Preview(path.to_owned())),
        (Shape::Texts, Value::Array(entries)) if entries.iter().all(Value::is_string) => Ok(()),
        (Shape::Member(known), Value::String(text)) if known.contains(&text.as_str()) => Ok(()),
        (Shape::Members(known), Value::Array(entries))
            if entries.iter().all(|entry| entry.as_str().is_some_and(|entry| known.contains(&entry))) =>
        {
            Ok(())
        }
        (Shape::Flags(known), Value::String(text))
            if text.split(',').all(|flag| known.contains(&flag.trim())) =>
        {
            Ok(())
        }
        (Shape::Object(known), Value::Object(properties)) => {
            for (name, value) in properties.iter().filter(|(name, _)| !name.contains('@')) {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.iter().find(|(known, _)| known == name) {
                    Some((_, shape)) => check(value, *shape, &inner, preview)?,
                    None => {
                        return Err(WriteError::Schema(format!("The property '{inner}' does not exist.")));
                    }
                }
            }
            Ok(())
        }
        _ => wrong(),
    }
}

/// Everything that a policy has, with the values that the service gives to what was left out.
pub(super) fn blank() -> Value {
    json!({
        "id": null, "displayName": null, "description": null, "templateId": null, "createdDateTime": null,
        "modifiedDateTime": null, "deletedDateTime": null, "state": null,
        "conditions": {
            "clientAppTypes": [], "userRiskLevels": [], "signInRiskLevels": [], "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": null, "authenticationFlows": null, "clientApplications": null, "devices": null, "platforms": null,
            "applications": null, "users": null, "locations": null,
        },
        "grantControls": null, "sessionControls": null,
    })
}

/// Collections that are given as empty rather than left out, once their object is there.
const COLLECTIONS: [(&str, &[&str]); 6] = [
    (
        "/conditions/applications",
        &[
            "includeApplications",
            "excludeApplications",
            "includeUserActions",
            "includeAuthenticationContextClassReferences",
        ],
    ),
    (
        "/conditions/users",
        &["includeUsers", "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles"],
    ),
    ("/conditions/locations", &["includeLocations", "excludeLocations"]),
    ("/conditions/platforms", &["includePlatforms", "excludePlatforms"]),
    ("/conditions/clientApplications", &["includeServicePrincipals", "excludeServicePrincipals"]),
    ("/grantControls", &["builtInControls", "customAuthenticationFactors", "termsOfUse"]),
];

const SINGLES: [(&str, &[&str]); 4] = [
    ("/conditions/applications", &["applicationFilter"]),
    ("/conditions/users", &["includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"]),
    ("/grantControls", &["operator", "authenticationStrength"]),
    (
        "/sessionControls",
        &[
            "applicationEnforcedRestrictions",
            "cloudAppSecurity",
            "disableResilienceDefaults",
            "persistentBrowser",
            "secureSignInSession",
            "signInFrequency",
        ],
    ),
];

/// Gives what was left out its empty value, so that a policy is served whole.
pub(super) fn complete(policy: &mut Value) {
    for (names, empty) in [(&COLLECTIONS[..], json!([])), (&SINGLES[..], Value::Null)] {
        for (pointer, properties) in names {
            let Some(Value::Object(object)) = policy.pointer_mut(pointer) else { continue };
            for property in *properties {
                let entry = object.entry(*property).or_insert(Value::Null);
                if entry.is_null() {
                    *entry = empty.clone();
                }
            }
        }
    }
    let risks = ["userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels"];
    if let Some(Value::Object(conditions)) = policy.get_mut("conditions") {
        for name in risks {
            let entry = conditions.entry(name).or_insert(Value::Null);
            if entry.is_null() {
                *entry = json!([]);
            }
        }
    }
}

/// Merges a patch: objects merge, arrays replace, null clears; annotations stay out, save the type of an object.
pub(super) fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else { return };
    for (name, value) in patch.iter().filter(|(name, _)| !name.contains('@') || *name == "@odata.type") {
        match value {
            Value::Object(inner) if name == "authenticationStrength" => {
                object.insert(name.clone(), Value::Object(inner.clone()));
            }
            Value::Object(inner) => merge(object.entry(name.clone()).or_insert(Value::Null), inner),
            other => {
                object.insert(name.clone(), other.clone());
            }
        }
    }
}

/// Whether a value holds what only beta has, and with `strip` takes it out.
pub(super) fn find_preview(value: &mut Value, shape: Shape, strip: bool) -> bool {
    let (Shape::Object(known), Value::Object(properties)) = (shape, value) else { return false };
    let mut found = false;
    for (name, shape) in known {
        if matches!(shape, Shape::Preview) {
            found |= properties.get(*name).is_some_and(|value| !value.is_null());
            if strip {
                properties.remove(*name);
            }
        } else if let Some(inner) = properties.get_mut(*name) {
            found |= find_preview(inner, *shape, strip);
        }
    }
    found
}
