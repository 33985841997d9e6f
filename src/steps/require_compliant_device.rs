//! `require_compliant_device`: only from a compliant or hybrid-joined device. Report-only first, with whom it would
//! have stopped (policy-logs-auth.md 2.7).
//!
//! ```yaml
//! - step: require_compliant_device
//!   required: false
//!   with: { users: subject, state: report_only }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{self, ByHand};
use super::hardening::{
    self, EXCHANGE, PolicyFacts, audience, counted, question, roll_out, spared, without_group,
};
use super::planned::{Planned, Scope};
use super::policy_rollout::{Wanted, Words};
use super::target::{Rollout, Target};
use crate::case::{Case, Device, Hold, Look};
use crate::graph::{self, GraphError, Licence, Reader, Reading};
use crate::guard::{apply_overrides, refusal};
use crate::policy::PolicyState;
use crate::policy::evaluate::device_policy_stops;

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequireCompliantDevice {
    /// For whom.
    #[serde(default)]
    pub users: Target,
    /// How far it goes.
    #[serde(default)]
    pub state: Rollout,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct DeviceFacts {
    policy: PolicyFacts,
    devices: Look<Vec<Device>>,
}

impl Step for RequireCompliantDevice {
    const NAME: &'static str = "require_compliant_device";
    const SUMMARY: &'static str =
        "lets the user in from compliant or hybrid-joined devices alone, by a policy";
    const PERMISSIONS: &'static [&'static str] =
        &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"];
    const READS: &'static [Reading] = &[Reading::Policies, Reading::Devices];
    const LICENCES: &'static [Licence] = &[Licence::EntraP1, Licence::Intune];
    const TAKES: &'static [Hold] = &[Hold::AnyDevice];
    const IS_DOOR: bool = true;
    type Facts = DeviceFacts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<DeviceFacts, GraphError> {
        let (policy, devices) =
            tokio::join!(hardening::look(&self.users, case, graph), graph.devices_of(&case.subject.id));
        Ok(DeviceFacts { policy: policy?, devices: graph::look(devices)? })
    }

    fn reads(&self) -> Vec<Reading> {
        self.users.reads(Self::READS)
    }

    fn takes(&self) -> Vec<Hold> {
        if self.state == Rollout::Enabled { Self::TAKES.to_vec() } else { Vec::new() }
    }

    fn plan(&self, case: &Case, facts: &DeviceFacts, scope: &Scope<'_>) -> Planned {
        let enforce = self.state == Rollout::Enabled;
        let (whom, users) = audience(&self.users, case, &facts.policy, scope);
        let body = self.body(&whom, &users);
        if let Some(refused) = without_group(&self.users, &facts.policy) {
            return refused;
        }
        let mut planned = Planned::default();
        let mut evidence = counted(&self.users, case, &facts.policy, scope, device_policy_stops);
        if self.users == Target::Subject {
            let lock_out = match &facts.devices {
                Look::Read(devices) => {
                    let count = devices.iter().filter(|own| own.compliant == Some(true)).count();
                    match count {
                        0 => Some("it has no compliant device: enforced, this is a full lock-out".to_owned()),
                        1 => {
                            evidence.push(format!("{} has 1 compliant device", case.subject.upn));
                            None
                        }
                        _ => {
                            evidence.push(format!("{} has {count} compliant devices", case.subject.upn));
                            None
                        }
                    }
                }
                // What was not read may be none.
                Look::Unread { why } => {
                    Some(format!("whether it has a compliant device is not known: {why}"))
                }
            };
            if let Some(words) = lock_out {
                planned.warnings.push(format!("{}: {words}", case.subject.upn));
                if enforce {
                    let no_device = refusal(
                        "policy_no_device",
                        &whom,
                        words,
                        "enroll a device first, or plan with `state: report_only`, or with `--override policy_no_device`",
                    );
                    let (refused, overridden) = apply_overrides(vec![no_device], scope.rules);
                    planned.overridden.extend(overridden);
                    if !refused.is_empty() {
                        planned.refused = refused;
                        return planned;
                    }
                }
            }
        }
        roll_out(
            &Wanted {
                body,
                enforce,
                rehearsal: PolicyState::ReportOnly,
                question: question(case, &facts.policy, scope, "browser", Some(EXCHANGE)),
                reason: "a token that is stolen next time is worthless from another machine".to_owned(),
                evidence,
                words: Words {
                    whom: spared(&whom, scope),
                    when: if enforce {
                        "every sign-in to every app".to_owned()
                    } else {
                        "every sign-in to every app, but from Android, iOS and macOS".to_owned()
                    },
                    effect: "lets in compliant and hybrid-joined devices alone",
                },
            },
            &facts.policy,
            Self::NAME,
            scope,
            planned,
        )
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let whom = self.users.named(user);
        let portal = [
            format!(
                "Protection > Conditional Access > Policies > New policy, `stanch: require compliant device for {whom}`"
            ),
            format!("Users: include {whom}, exclude the emergency accounts. Target resources: all resources"),
            "Grant: require a device marked as compliant, or a hybrid-joined one (one of them)".to_owned(),
            format!("Enable policy: {}, then Create", self.state.in_portal()),
        ];
        by_hand::policy(
            &portal,
            &self.body(&whom, &by_hand::users_of(&self.users)),
            self.state.state().as_graph(),
        )
    }
}

impl RequireCompliantDevice {
    /// The policy, state left out.
    fn body(&self, whom: &str, users: &Value) -> Value {
        let mut body = json!({
            "displayName": format!("stanch: require compliant device for {whom}"),
            "conditions": {
                "clientAppTypes": ["all"],
                "applications": { "includeApplications": ["All"] },
                "users": users
            },
            "grantControls": { "operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"] },
            "sessionControls": null
        });
        if self.state == Rollout::ReportOnly
            && let Some(conditions) = body.get_mut("conditions").and_then(Value::as_object_mut)
        {
            // In report-only it still asks phones and Macs for a certificate (policy-logs-auth.md 2.7).
            conditions.insert(
                "platforms".to_owned(),
                json!({ "includePlatforms": ["all"], "excludePlatforms": ["android", "iOS", "macOS"] }),
            );
        }
        body
    }
}
