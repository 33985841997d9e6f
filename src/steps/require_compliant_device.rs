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
use super::planned::{Planned, Scope};
use super::policy_rollout::{self, Wanted, Words};
use super::target::{Rollout, Target};
use crate::case::{Case, Device, Hold, Look, SignIn};
use crate::domain::{GroupId, UserId};
use crate::graph::{self, GraphError, Licence, Reader, Reading, SignInQuery};
use crate::guard::{apply_overrides, lint_policy, refusal};
use crate::plan::Question;
use crate::policy::evaluate::device_policy_stops;
use crate::policy::{ConditionalAccessPolicy, PolicyState};

/// Exchange, which everybody uses: the app that What-If is asked about.
pub(super) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// Days of the sign-in log that are counted.
const DAYS: i64 = 7;

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

/// What is known of a group that a policy is for.
#[derive(Clone, Debug)]
pub struct GroupFacts {
    name: String,
    members: Vec<UserId>,
    sign_ins: Look<Vec<SignIn>>,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct DeviceFacts {
    pub(super) policies: Look<Vec<ConditionalAccessPolicy>>,
    pub(super) devices: Look<Vec<Device>>,
    pub(super) group: Option<GroupFacts>,
    pub(super) security_defaults: bool,
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
        look(&self.users, case, graph).await
    }

    fn reads(&self) -> Vec<Reading> {
        self.users.reads(Self::READS)
    }

    fn takes(&self) -> Vec<Hold> {
        if self.state == Rollout::Enabled { Self::TAKES.to_vec() } else { Vec::new() }
    }

    fn plan(&self, case: &Case, facts: &DeviceFacts, scope: &Scope<'_>) -> Planned {
        let enforce = self.state == Rollout::Enabled;
        let (whom, users) = audience(&self.users, case, facts, scope);
        let body = self.body(&whom, &users);
        if let Some(refused) = unknown_group(&self.users, facts) {
            return refused;
        }
        let mut planned = Planned::default();
        let mut evidence = counted(&self.users, case, facts, scope, device_policy_stops);
        if self.users == Target::Subject {
            match &facts.devices {
                Look::Read(devices) if devices.iter().any(|own| own.compliant == Some(true)) => {
                    let count = devices.iter().filter(|own| own.compliant == Some(true)).count();
                    let devices = if count == 1 {
                        "1 compliant device".to_owned()
                    } else {
                        format!("{count} compliant devices")
                    };
                    evidence.push(format!("{} has {devices}", case.subject.upn));
                }
                Look::Read(_) => {
                    let words = "it has no compliant device: enforced, this is a full lock-out";
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
                Look::Unread { why } => {
                    planned.warnings.push(format!(
                        "whether {} has a compliant device is not known: {why}",
                        case.subject.upn
                    ));
                }
            }
        }
        roll_out(
            &Wanted {
                name: name_of(&body),
                body,
                enforce,
                rehearsal: PolicyState::ReportOnly,
                question: question(case, facts, scope, "browser", Some(EXCHANGE)),
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
            facts,
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
        by_hand::policy(&portal, &self.body(&whom, &by_hand::users_of(&self.users)), self.state.as_graph())
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

/// The plan where the playbook names a group that is not there.
pub(super) fn unknown_group(users: &Target, facts: &DeviceFacts) -> Option<Planned> {
    let (Target::Group(id), None) = (users, &facts.group) else { return None };
    Some(Planned {
        refused: vec![refusal(
            "policy_unknown_group",
            id.as_str(),
            "the tenant has no such group",
            "name a group by its object id, or `users: subject`",
        )],
        ..Planned::default()
    })
}

/// The name in a policy's body.
pub(super) fn name_of(body: &Value) -> String {
    body.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What both hardening steps must know.
pub(super) async fn look(users: &Target, case: &Case, graph: &Reader) -> Result<DeviceFacts, GraphError> {
    let group = async {
        match users {
            Target::Subject => Ok(None),
            Target::Group(id) => read_group(id, case, graph).await,
        }
    };
    let (policies, devices, group, security_defaults) = tokio::join!(
        graph.policies(),
        graph.devices_of(&case.subject.id),
        group,
        graph.security_defaults_on()
    );
    Ok(DeviceFacts {
        policies: graph::look(policies)?,
        devices: graph::look(devices)?,
        group: group?,
        security_defaults: graph::look(security_defaults)?.read().copied().unwrap_or(false),
    })
}

/// Reads a group, its members, and their sign-ins of the last days.
async fn read_group(id: &GroupId, case: &Case, graph: &Reader) -> Result<Option<GroupFacts>, GraphError> {
    let Some(group) = graph.group(id).await? else { return Ok(None) };
    let now = case.evidence.window.to;
    let from = now.saturating_sub(jiff::SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
    let query = SignInQuery { user: None, ip: None, from, to: None };
    let (members, log) = tokio::join!(graph.group_members(id), graph.sign_ins(&query));
    let members = members?;
    let sign_ins = match graph::look(log)? {
        Look::Read(log) => Look::Read(
            log.rows
                .into_iter()
                .filter(|row| row.user_id.as_ref().is_some_and(|user| members.contains(user)))
                .collect(),
        ),
        Look::Unread { why } => Look::Unread { why },
    };
    Ok(Some(GroupFacts { name: group.name, members, sign_ins }))
}

/// For whom a policy is, in words and as a policy says it; the emergency accounts are left out always.
pub(super) fn audience(
    users: &Target,
    case: &Case,
    facts: &DeviceFacts,
    scope: &Scope<'_>,
) -> (String, Value) {
    let excluded = &scope.rules.emergency_accounts;
    match users {
        Target::Subject => (
            case.subject.upn.to_string(),
            json!({ "includeUsers": [case.subject.id], "excludeUsers": excluded }),
        ),
        Target::Group(id) => (
            facts.group.as_ref().map_or_else(|| id.to_string(), |group| group.name.clone()),
            json!({ "includeUsers": [], "includeGroups": [id], "excludeUsers": excluded }),
        ),
    }
}

/// For whom, with the emergency accounts that are left out.
pub(super) fn spared(whom: &str, scope: &Scope<'_>) -> String {
    match scope.rules.emergency_accounts.len() {
        0 => whom.to_owned(),
        1 => format!("{whom}, but not the emergency account"),
        count => format!("{whom}, but not the {count} emergency accounts"),
    }
}

/// The question for What-If: the subject is hit, the emergency accounts are not.
pub(super) fn question(
    case: &Case,
    facts: &DeviceFacts,
    scope: &Scope<'_>,
    client: &str,
    app: Option<&str>,
) -> Question {
    // A policy for a group is asked about with one of its members.
    let member = facts.group.as_ref().and_then(|group| group.members.first());
    Question {
        applies_to: member.unwrap_or(&case.subject.id).clone(),
        spares: scope.rules.emergency_accounts.clone(),
        from: None,
        app: app.map(str::to_owned),
        client: client.to_owned(),
    }
}

/// How many sign-ins of the last days a policy would have stopped: the subject's, the intruder's apart, or those of the
/// group's members, with whose they are.
pub(super) fn counted(
    users: &Target,
    case: &Case,
    facts: &DeviceFacts,
    scope: &Scope<'_>,
    stops: impl Fn(&SignIn) -> bool,
) -> Vec<String> {
    let (rows, is_group) = match (users, &facts.group) {
        (Target::Group(_), Some(group)) => (&group.sign_ins, true),
        (Target::Group(_), None) => return Vec::new(),
        (Target::Subject, _) => (&case.evidence.sign_ins, false),
    };
    let rows = match rows {
        Look::Unread { why } => return vec![format!("whom it would have stopped is not known: {why}")],
        Look::Read(rows) => rows,
    };
    let since = scope.now.saturating_sub(jiff::SignedDuration::from_hours(24 * DAYS)).unwrap_or(scope.now);
    let recent = rows.iter().filter(|row| row.at >= since && row.error_code == 0);
    let (intruders, own): (Vec<_>, Vec<_>) =
        recent.partition(|row| case.evidence.intruder_sign_ins.contains(&row.id));
    let stopped = |rows: &[&SignIn]| rows.iter().filter(|row| stops(row)).count();
    let whose = if is_group { "the members' own" } else { "the user's own" };
    let mut lines = vec![format!(
        "in the last {DAYS} days it would have stopped {} of {} sign-ins of the intruder's and {} of {} of {whose}",
        stopped(&intruders),
        intruders.len(),
        stopped(&own),
        own.len()
    )];
    if is_group {
        let mut names: Vec<&str> = own.iter().filter(|row| stops(row)).map(|row| &*row.upn).collect();
        names.sort_unstable();
        names.dedup();
        lines.extend((!names.is_empty()).then(|| format!("stopped would have been: {}", names.join(", "))));
    }
    lines
}

/// Lints a policy and plans it.
pub(super) fn roll_out(
    wanted: &Wanted,
    facts: &DeviceFacts,
    step: &str,
    scope: &Scope<'_>,
    mut planned: Planned,
) -> Planned {
    let policies = match &facts.policies {
        Look::Read(policies) => policies,
        Look::Unread { why } => {
            planned.warnings.push(format!(
                "the tenant's policies could not be read, so `{}` is not planned: {why}",
                wanted.name
            ));
            planned.unchanged = Some(format!("the policies could not be read: {why}"));
            return planned;
        }
    };
    let (refused, overridden) = apply_overrides(lint_policy(&wanted.body, scope.rules), scope.rules);
    planned.overridden.extend(overridden);
    if !refused.is_empty() {
        planned.refused.extend(refused);
        return planned;
    }
    if wanted.enforce && facts.security_defaults {
        planned.warnings.push(
            "security defaults are on: Graph refuses enforced policies until they are off, which is not stanch's to do".to_owned(),
        );
    }
    planned.unchanged = policy_rollout::plan(wanted, policies, &[], step, scope, &mut planned);
    planned
}
