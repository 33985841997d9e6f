//! The tenant's policies, as far as they bear on an intrusion by a stolen token: what stood in the way, and what did not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Subject;
use crate::domain::NamedLocationId;
use crate::policy::evaluate::blocks_location;
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
    /// It hangs on groups or roles.
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
}

impl Control {
    /// Whether it is enforced for the user.
    pub fn is_enforced(&self) -> bool {
        self.state == PolicyState::Enabled.as_graph() && self.reach == Reach::TheUser
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
        let all_apps = policy.conditions.applications.include_applications.iter().any(|app| app == "All");
        let control = move |kind| Control {
            kind,
            id: policy.id.to_string(),
            policy: policy.display_name.clone(),
            state: policy.state.as_graph().to_owned(),
            reach,
            all_apps,
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
    let grants = policy.grant_controls.as_ref();
    let asks = |names: &[&str]| {
        grants.is_some_and(|own| own.built_in_controls.iter().any(|name| names.contains(&name.as_str())))
    };
    let strength =
        grants.is_some_and(|own| own.authentication_strength.as_ref().is_some_and(|own| !own.is_null()));
    let frequency = policy
        .session_controls
        .as_ref()
        .and_then(|own| own.pointer("/signInFrequency/isEnabled"))
        .and_then(serde_json::Value::as_bool)
        .unwrap_or(false);
    [
        (asks(&["mfa"]) || strength, ControlKind::SecondFactor),
        (frequency, ControlKind::SignInFrequency),
        (asks(&["compliantDevice", "domainJoinedDevice"]), ControlKind::CompliantDevice),
        (policy.protects_tokens(), ControlKind::TokenProtection),
        (blocks_a_list(policy), ControlKind::BlockedPlaces),
    ]
    .into_iter()
    .filter_map(|(is_so, kind)| is_so.then_some(kind))
    .collect()
}

/// Whether a policy blocks sign-ins from lists that it names.
fn blocks_a_list(policy: &ConditionalAccessPolicy) -> bool {
    let places = policy.conditions.locations.as_ref().map(|own| own.include_locations.as_slice());
    places
        .unwrap_or_default()
        .iter()
        .filter_map(|id| id.parse::<NamedLocationId>().ok())
        .any(|id| blocks_location(policy, &id))
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
}
