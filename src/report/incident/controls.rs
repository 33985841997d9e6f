//! The tenant's policies, as far as they bear on an intrusion by a stolen token: what stood in the way, and what did not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Subject;
use crate::domain::NamedLocationId;
use crate::policy::evaluate::{blocks_location, is_blank};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

/// What a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// A second factor.
    SecondFactor,
    /// That the sign-in is repeated every so often.
    SignInFrequency,
    /// A compliant or hybrid-joined device.
    CompliantDevice,
    /// A token that is bound to its device.
    TokenProtection,
    /// Something of whoever registers security info.
    SecurityInfo,
    /// That nobody signs in from a list of addresses.
    BlockedPlaces,
}

/// Whom a policy is for, as far as its list of users says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The user is among them.
    TheUser,
    /// The user is not among them.
    Others,
    /// It hangs on groups, on roles, or on what else narrows the policy: risk, platform, place, kind of client.
    Unknown,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What it asks for.
    pub kind: ControlKind,
    /// Id of the policy.
    pub id: String,
    /// Its name: show it inert.
    pub policy: String,
    /// Its state, in Graph's word.
    pub state: String,
    /// Whom it is for.
    pub reach: Reach,
    /// Whether it is for every app.
    pub all_apps: bool,
    /// Ids of the lists that it blocks sign-ins from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
}

impl Control {
    /// Whether it is enforced for the user.
    pub fn is_enforced(&self) -> bool {
        self.state == PolicyState::Enabled.as_graph() && self.reach == Reach::TheUser
    }

    /// Whether it is enforced, and for the user perhaps.
    pub fn may_be_enforced(&self) -> bool {
        self.state == PolicyState::Enabled.as_graph() && self.reach == Reach::Unknown
    }

    /// Whether it blocks sign-ins from a list, as far as is known: what an earlier version kept does not say which one.
    pub fn may_block(&self, list: &str) -> bool {
        self.kind == ControlKind::BlockedPlaces
            && (self.blocks.is_empty() || self.blocks.iter().any(|id| id == list))
    }

    /// Whether it is logged and not enforced for the user.
    pub fn is_rehearsed(&self) -> bool {
        self.state == PolicyState::ReportOnly.as_graph() && self.reach == Reach::TheUser
    }
}

/// Tells of each policy what it asks for.
pub fn controls(policies: &[ConditionalAccessPolicy], subject: &Subject) -> Vec<Control> {
    let of = |policy: &ConditionalAccessPolicy| {
        let reach = reach(policy, subject);
        let apps = &policy.conditions.applications;
        let all_apps =
            apps.include_applications.iter().any(|app| app == "All") && apps.exclude_applications.is_empty();
        let blocks = blocked_lists(policy);
        let control = |kind| Control {
            kind,
            id: policy.id.to_string(),
            policy: policy.display_name.clone(),
            state: policy.state.as_graph().to_owned(),
            reach: if reach == Reach::TheUser && is_narrowed(policy, kind) { Reach::Unknown } else { reach },
            all_apps,
            blocks: if kind == ControlKind::BlockedPlaces { blocks.clone() } else { Vec::new() },
        };
        kinds(policy).into_iter().map(control).collect::<Vec<_>>()
    };
    policies.iter().flat_map(of).collect()
}

fn kinds(policy: &ConditionalAccessPolicy) -> Vec<ControlKind> {
    let registers = policy
        .conditions
        .applications
        .include_user_actions
        .iter()
        .any(|own| own == "urn:user:registersecurityinfo");
    if registers {
        return vec![ControlKind::SecurityInfo];
    }
    let frequency = policy
        .session_controls
        .as_ref()
        .and_then(|own| own.pointer("/signInFrequency/isEnabled"))
        .and_then(serde_json::Value::as_bool)
        .unwrap_or(false);
    [
        (asks(policy, &["mfa", STRENGTH]), ControlKind::SecondFactor),
        (frequency, ControlKind::SignInFrequency),
        (asks(policy, &["compliantDevice", "domainJoinedDevice"]), ControlKind::CompliantDevice),
        (policy.protects_tokens(), ControlKind::TokenProtection),
        (!blocked_lists(policy).is_empty(), ControlKind::BlockedPlaces),
    ]
    .into_iter()
    .filter_map(|(is_so, kind)| is_so.then_some(kind))
    .collect()
}

/// Stands for an authentication strength among the controls that a policy asks for.
const STRENGTH: &str = "authenticationStrength";

/// Whether nobody gets by a policy without one of these: of controls that are joined by OR, another one does as well.
fn asks(policy: &ConditionalAccessPolicy, names: &[&str]) -> bool {
    let Some(grants) = policy.grant_controls.as_ref() else { return false };
    let is_set = |key: &str| policy.raw.pointer(key).is_some_and(|own| !is_blank(own));
    let strength = grants.authentication_strength.as_ref().is_some_and(|own| !own.is_null());
    let others = ["termsOfUse", "customAuthenticationFactors"];
    let mut all = grants
        .built_in_controls
        .iter()
        .map(String::as_str)
        .chain(strength.then_some(STRENGTH))
        .chain(others.into_iter().filter(|own| is_set(&format!("/grantControls/{own}"))))
        .peekable();
    if grants.operator.eq_ignore_ascii_case("AND") {
        all.any(|own| names.contains(&own))
    } else {
        all.peek().is_some() && all.all(|own| names.contains(&own))
    }
}

/// Whether a policy is for some of the user's sign-ins alone, beyond what makes it one of its kind.
fn is_narrowed(policy: &ConditionalAccessPolicy, kind: ControlKind) -> bool {
    let own = &policy.conditions;
    let is_set = |value: &Option<serde_json::Value>| value.as_ref().is_some_and(|own| !is_blank(own));
    let by_risk = !own.user_risk_levels.is_empty()
        || !own.sign_in_risk_levels.is_empty()
        || is_set(&own.insider_risk_levels);
    let by_way = is_set(&own.devices) || is_set(&own.authentication_flows);
    let by_place = own.locations.as_ref().is_some_and(|own| {
        !own.exclude_locations.is_empty() || !own.include_locations.iter().any(|id| id == "All")
    });
    let by_platform = own.platforms.as_ref().is_some_and(|own| {
        !own.exclude_platforms.is_empty() || !own.include_platforms.iter().any(|name| name == "all")
    });
    let has = |name: &str| own.client_app_types.iter().any(|own| own == name);
    let is_any_client = own.client_app_types.is_empty()
        || has("all")
        || (has("browser") && has("mobileAppsAndDesktopClients"));
    by_risk
        || match kind {
            // It holds native clients on Windows alone.
            ControlKind::TokenProtection => by_way || by_place,
            // A trusted place stands for the device.
            ControlKind::SecurityInfo => by_platform,
            // Being for a place is what it is; whatever else narrows it makes it none.
            ControlKind::BlockedPlaces => false,
            ControlKind::SecondFactor | ControlKind::SignInFrequency | ControlKind::CompliantDevice => {
                by_way || by_place || by_platform || !is_any_client
            }
        }
}

/// The lists that a policy names and blocks sign-ins from.
fn blocked_lists(policy: &ConditionalAccessPolicy) -> Vec<String> {
    let places = policy.conditions.locations.as_ref().map(|own| own.include_locations.as_slice());
    places
        .unwrap_or_default()
        .iter()
        .filter_map(|id| id.parse::<NamedLocationId>().ok())
        .filter(|id| blocks_location(policy, id))
        .map(|id| id.to_string())
        .collect()
}

fn reach(policy: &ConditionalAccessPolicy, subject: &Subject) -> Reach {
    let users = &policy.conditions.users;
    let id = subject.id.as_str();
    if users.exclude_users.iter().any(|own| own == id) {
        return Reach::Others;
    }
    let is_sure = users.exclude_groups.is_empty() && users.exclude_roles.is_empty();
    let is_named = users.include_users.iter().any(|own| own == id || own == "All");
    let may_be_named = !users.include_groups.is_empty() || !users.include_roles.is_empty();
    match (is_named, is_sure) {
        (true, true) => Reach::TheUser,
        (true, false) => Reach::Unknown,
        (false, _) if may_be_named => Reach::Unknown,
        (false, _) => Reach::Others,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(body: &Value) -> Vec<(ControlKind, Reach)> {
        let mut whole = json!({
            "id": "e91553a9-8ba5-4d34-a445-2ecf34ecf2ed", "displayName": "x", "state": "enabled",
            "conditions": { "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
                "users": { "includeUsers": ["All"] } },
            "grantControls": null, "sessionControls": null
        });
        for (key, value) in body.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let policy = ConditionalAccessPolicy::from_graph(whole).unwrap();
        let plan = crate::run::tests_support::plan(Vec::new());
        controls(&[policy], &plan.case.subject).into_iter().map(|own| (own.kind, own.reach)).collect()
    }

    #[test]
    fn a_policy_is_known_by_what_it_asks_for_and_whom_it_is_for() {
        let mfa = json!({ "operator": "OR", "builtInControls": ["mfa"] });
        assert_eq!(of(&json!({ "grantControls": mfa })), [(ControlKind::SecondFactor, Reach::TheUser)]);
        let frequency = json!({ "signInFrequency": { "isEnabled": true, "value": 1, "type": "hours" } });
        assert_eq!(
            of(&json!({ "grantControls": mfa, "sessionControls": frequency })),
            [(ControlKind::SecondFactor, Reach::TheUser), (ControlKind::SignInFrequency, Reach::TheUser)]
        );
        let registers = json!({ "users": { "includeGroups": ["3f9a6b0e-6a3e-4d0c-8f57-6f0f2b1c7a11"] },
            "applications": { "includeUserActions": ["urn:user:registersecurityinfo"] } });
        assert_eq!(
            of(&json!({ "conditions": registers, "grantControls": mfa })),
            [(ControlKind::SecurityInfo, Reach::Unknown)]
        );
        let block = json!({ "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["All"], "excludeUsers": ["6ed5d1bf-e585-452f-ac95-4ab592c9357d"] },
            "locations": { "includeLocations": ["3d541753-3960-46ea-a6f5-89f192aa7313"] } });
        assert_eq!(
            of(
                &json!({ "conditions": block, "grantControls": { "operator": "OR", "builtInControls": ["block"] } })
            ),
            [(ControlKind::BlockedPlaces, Reach::Others)]
        );
    }

    #[test]
    fn a_policy_asks_only_for_what_nobody_gets_by_without() {
        let asking = |operator: &str, controls: &[&str]| {
            let grants = json!({ "operator": operator, "builtInControls": controls });
            of(&json!({ "grantControls": grants })).into_iter().map(|own| own.0).collect::<Vec<_>>()
        };
        assert_eq!(asking("OR", &["mfa", "compliantDevice"]), []);
        assert_eq!(
            asking("AND", &["mfa", "compliantDevice"]),
            [ControlKind::SecondFactor, ControlKind::CompliantDevice]
        );
        assert_eq!(asking("OR", &["compliantDevice", "domainJoinedDevice"]), [ControlKind::CompliantDevice]);
    }

    #[test]
    fn a_policy_that_its_conditions_narrow_is_not_for_certain_for_the_user() {
        for (key, narrow) in [
            ("userRiskLevels", json!(["high"])),
            ("platforms", json!({ "includePlatforms": ["iOS"] })),
            ("locations", json!({ "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] })),
            ("clientAppTypes", json!(["exchangeActiveSync"])),
        ] {
            let mut conditions = json!({ "clientAppTypes": ["all"],
                "applications": { "includeApplications": ["All"] }, "users": { "includeUsers": ["All"] } });
            conditions[key] = narrow;
            let grants = json!({ "operator": "OR", "builtInControls": ["mfa"] });
            assert_eq!(
                of(&json!({ "conditions": conditions, "grantControls": grants })),
                [(ControlKind::SecondFactor, Reach::Unknown)],
                "{key}"
            );
        }
    }
}
