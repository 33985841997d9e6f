//! Applications, user actions and authentication contexts: what a policy guards.

use serde_json::Value;

use super::context::Target;
use super::evaluation::{Answer, Reason, any_of, list, within};
use super::membership::text;

/// App ids behind `Office365`: its services that hold data, by their resource's app id.
const OFFICE_365: [&str; 8] = [
    "00000002-0000-0ff1-ce00-000000000000",
    "00000003-0000-0ff1-ce00-000000000000",
    "00000004-0000-0ff1-ce00-000000000000",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    "4765445b-32c6-49b0-83e6-1d93765276ca",
    "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3",
    "00000005-0000-0ff1-ce00-000000000000",
    "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87",
];

/// App ids behind `MicrosoftAdminPortals`.
const ADMIN_PORTALS: [&str; 5] = [
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "497effe9-df71-4043-a8bb-14cf78c4b63b",
    "00000006-0000-0ff1-ce00-000000000000",
    "80ccca67-54bd-44ab-8625-4b79c4dc7775",
    "618dd325-23f6-4b6f-8380-4df78026e39b",
];

fn is_application(entry: &str, app_id: &str) -> bool {
    match entry {
        "All" => true,
        "None" => false,
        "Office365" => OFFICE_365.iter().any(|known| known.eq_ignore_ascii_case(app_id)),
        "MicrosoftAdminPortals" => ADMIN_PORTALS.iter().any(|known| known.eq_ignore_ascii_case(app_id)),
        other => other.eq_ignore_ascii_case(app_id),
    }
}

/// Whether a policy is about what the sign-in is for, and the reason that says no.
pub(super) fn includes_target(conditions: &Value, target: &Target) -> (Answer, Reason) {
    let nothing = Value::Null;
    let applications = conditions.get("applications").unwrap_or(&nothing);
    let all = || list(applications, "includeApplications").any(|entry| entry == "All");
    match target {
        Target::Applications(apps) => {
            let filter = applications.get("applicationFilter").filter(|value| !value.is_null());
            let answer = any_of(apps.iter().map(|app| {
                let included =
                    list(applications, "includeApplications").any(|entry| is_application(entry, app));
                let excluded =
                    list(applications, "excludeApplications").any(|entry| is_application(entry, app));
                // A filter goes by custom security attributes, which are not in the tenant file.
                let included =
                    if included || filter.is_none_or(|filter| text(filter, "mode") != Some("include")) {
                        Some(included)
                    } else {
                        None
                    };
                let excluded =
                    if excluded || filter.is_none_or(|filter| text(filter, "mode") != Some("exclude")) {
                        Some(excluded)
                    } else {
                        None
                    };
                within(included, excluded)
            }));
            let reason = if list(applications, "includeUserActions").next().is_some() {
                Reason::UserActions
            } else if list(applications, "includeAuthenticationContextClassReferences").next().is_some() {
                Reason::AuthenticationContext
            } else {
                Reason::Application
            };
            (answer, reason)
        }
        // Policies on all applications come back beside those on the user action.
        Target::UserAction(action) => {
            let named = list(applications, "includeUserActions").any(|entry| entry == action);
            let reason = if list(applications, "includeUserActions").next().is_some() {
                Reason::UserActions
            } else {
                Reason::Application
            };
            (Some(named || all()), reason)
        }
        Target::AuthenticationContext(value) => {
            let property = "includeAuthenticationContextClassReferences";
            let named = list(applications, property).any(|entry| entry == value);
            (Some(named), Reason::AuthenticationContext)
        }
    }
}
