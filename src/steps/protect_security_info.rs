//! `protect_security_info`: methods are registered for the account from a compliant device or a trusted place alone, so
//! that a live session cannot add one of its own. Graph rehearses no policy on a user action: it is created disabled,
//! then enforced (policy-logs-auth.md 2.4).
//!
//! ```yaml
//! - step: protect_security_info
//!   required: false
//!   with: { users: subject, allow: [compliant_device, trusted_location] }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{self, ByHand};
use super::hardening::{PolicyFacts, audience, look, question, roll_out, spared, without_group};
use super::planned::{Planned, Scope};
use super::policy_rollout::{Wanted, Words};
use super::target::Target;
use crate::case::{Case, Device, Hold, Look};
use crate::graph::{self, GraphError, Licence, Reader, Reading};
use crate::guard::{apply_overrides, refusal};
use crate::policy::{NamedLocation, PolicyState};

/// From where methods may be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// From a device that is compliant or hybrid-joined.
    CompliantDevice,
    /// From a named location that the tenant trusts.
    TrustedLocation,
}

fn both() -> Vec<Place> {
    vec![Place::CompliantDevice, Place::TrustedLocation]
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectSecurityInfo {
    /// For whom.
    #[serde(default)]
    pub users: Target,
    /// From where methods may be registered, any one of these; an empty list: from nowhere.
    #[serde(default = "both")]
    pub allow: Vec<Place>,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct RegistrationFacts {
    policy: PolicyFacts,
    devices: Look<Vec<Device>>,
    locations: Look<Vec<NamedLocation>>,
}

impl Step for ProtectSecurityInfo {
    const NAME: &'static str = "protect_security_info";
    const SUMMARY: &'static str =
        "lets methods be registered from compliant devices or trusted places alone, by a policy";
    const PERMISSIONS: &'static [&'static str] =
        &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"];
    const READS: &'static [Reading] =
        &[Reading::Policies, Reading::Devices, Reading::NamedLocations, Reading::WhatIf];
    const LICENCES: &'static [Licence] = &[Licence::EntraP1];
    const TAKES: &'static [Hold] = &[Hold::Registration];
    const IS_DOOR: bool = true;
    type Facts = RegistrationFacts;

    fn reads(&self) -> Vec<Reading> {
        self.users.reads(Self::READS)
    }

    async fn look(&self, case: &Case, graph: &Reader) -> Result<RegistrationFacts, GraphError> {
        let (policy, devices, locations) = tokio::join!(
            look(&self.users, case, graph),
            graph.devices_of(&case.subject.id),
            graph.named_locations()
        );
        Ok(RegistrationFacts {
            policy: policy?,
            devices: graph::look(devices)?,
            locations: graph::look(locations)?,
        })
    }

    fn plan(&self, case: &Case, facts: &RegistrationFacts, scope: &Scope<'_>) -> Planned {
        if let Some(refused) = without_group(&self.users, &facts.policy) {
            return refused;
        }
        let (whom, users) = audience(&self.users, case, &facts.policy, scope);
        let body = self.body(&whom, &users);
        let mut planned = Planned::default();
        let ways = self.ways(case, facts, &mut planned.warnings);
        if ways.is_empty() {
            let nowhere = refusal(
                "policy_no_registration",
                &whom,
                "there is neither a compliant device nor a trusted place to register from: nobody could register a method, the user neither",
                "enroll a device or mark a named location as trusted, or plan with `--override policy_no_registration`",
            );
            let (refused, overridden) = apply_overrides(vec![nowhere], scope.rules);
            planned.overridden.extend(overridden);
            if !refused.is_empty() {
                planned.refused = refused;
                return planned;
            }
        }
        if self.users == Target::Subject {
            planned.residual_risk.push(format!(
                "{} registers a new method {}; elsewhere a Temporary Access Pass signs in, and registers nothing.",
                case.subject.upn,
                self.words()
            ));
        }
        let mut asked = question(case, &facts.policy, scope, "browser", None);
        // From an address that no tenant trusts: the documentation's.
        asked.from = Some("192.0.2.1".to_owned());
        let wanted = Wanted {
            body,
            enforce: true,
            rehearsal: PolicyState::Disabled,
            question: asked,
            reason: "a session that is still alive could register a method of the intruder's, and that outlives it"
                .to_owned(),
            evidence: ways,
            words: Words {
                whom: spared(&whom, scope),
                when: "registering security info: methods for signing in and for reset".to_owned(),
                effect: self.effect(),
            },
        };
        roll_out(&wanted, &facts.policy, Self::NAME, scope, planned)
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let whom = self.users.named(user);
        let mut portal = vec![
            format!(
                "Protection > Conditional Access > Policies > New policy, `stanch: protect security info for {whom}`"
            ),
            format!(
                "Users: include {whom}, exclude the emergency accounts. Target resources: User actions, `Register security information`"
            ),
        ];
        if self.allows(Place::TrustedLocation) {
            portal.push(
                "Conditions, Locations: include any location, exclude all trusted locations".to_owned(),
            );
        }
        portal.push(if self.allows(Place::CompliantDevice) {
            "Grant: require a device marked as compliant, or a hybrid-joined one (one of them)".to_owned()
        } else {
            "Grant: block access".to_owned()
        });
        portal.push("Enable policy: On (there is no report-only for user actions), then Create".to_owned());
        by_hand::policy(&portal, &self.body(&whom, &by_hand::users_of(&self.users)), "enabled")
    }
}

impl ProtectSecurityInfo {
    fn allows(&self, place: Place) -> bool {
        self.allow.contains(&place)
    }

    /// The policy, state left out.
    fn body(&self, whom: &str, users: &Value) -> Value {
        let controls = if self.allows(Place::CompliantDevice) {
            json!(["compliantDevice", "domainJoinedDevice"])
        } else {
            json!(["block"])
        };
        let mut body = json!({
            "displayName": format!("stanch: protect security info for {whom}"),
            "conditions": {
                "clientAppTypes": ["all"],
                "applications": {
                    "includeApplications": [],
                    "includeUserActions": ["urn:user:registersecurityinfo"]
                },
                "users": users
            },
            "grantControls": { "operator": "OR", "builtInControls": controls },
            "sessionControls": null
        });
        if self.allows(Place::TrustedLocation)
            && let Some(conditions) = body.get_mut("conditions").and_then(Value::as_object_mut)
        {
            conditions.insert(
                "locations".to_owned(),
                json!({ "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] }),
            );
        }
        body
    }

    /// From where the user can register, each with why; what could not be read is warned of, and counts as a way.
    fn ways(&self, case: &Case, facts: &RegistrationFacts, warnings: &mut Vec<String>) -> Vec<String> {
        let mut ways = Vec::new();
        if self.allows(Place::CompliantDevice) {
            match &facts.devices {
                // Whether the members of a group have devices is theirs to know.
                _ if self.users != Target::Subject => ways.push("members with a compliant device".to_owned()),
                Look::Read(devices) => {
                    let count = devices.iter().filter(|own| own.compliant == Some(true)).count();
                    if count > 0 {
                        ways.push(format!(
                            "{} can register on {count} compliant device(s)",
                            case.subject.upn
                        ));
                    }
                }
                Look::Unread { why } => {
                    let unknown =
                        format!("whether {} has a compliant device is not known: {why}", case.subject.upn);
                    warnings.push(unknown.clone());
                    ways.push(unknown);
                }
            }
        }
        if self.allows(Place::TrustedLocation) {
            match &facts.locations {
                Look::Read(locations) => {
                    let trusted: Vec<String> = locations
                        .iter()
                        .filter(|own| own.is_trusted)
                        .map(|own| format!("`{}`", own.display_name))
                        .collect();
                    if !trusted.is_empty() {
                        ways.push(format!("trusted places: {}", trusted.join(", ")));
                    }
                }
                Look::Unread { why } => {
                    let unknown = format!("which places the tenant trusts is not known: {why}");
                    warnings.push(unknown.clone());
                    ways.push(unknown);
                }
            }
        }
        ways
    }

    fn words(&self) -> &'static str {
        match (self.allows(Place::CompliantDevice), self.allows(Place::TrustedLocation)) {
            (true, true) => "on a compliant device or at a trusted place alone",
            (true, false) => "on a compliant device alone",
            (false, true) => "at a trusted place alone",
            (false, false) => "nowhere, until the policy is lifted",
        }
    }

    fn effect(&self) -> &'static str {
        match (self.allows(Place::CompliantDevice), self.allows(Place::TrustedLocation)) {
            (true, true) => {
                "lets methods be registered on compliant and hybrid-joined devices and at trusted places alone"
            }
            (true, false) => "lets methods be registered on compliant and hybrid-joined devices alone",
            (false, true) => "lets methods be registered at trusted places alone",
            (false, false) => "lets no method be registered",
        }
    }
}
