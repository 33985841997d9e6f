//! What the steps that harden by a policy share: for whom it is, what they read, whom it would have stopped, and how it
//! is planned.

use serde_json::{Value, json};

use super::decision::unread;
use super::planned::{Planned, Scope};
use super::policy_rollout::{self, Wanted};
use super::target::Target;
use crate::case::{Case, Look, SignIn};
use crate::domain::{GroupId, UserId};
use crate::graph::{self, GraphError, Reader, SignInQuery};
use crate::guard::{apply_overrides, lint_policy, refusal};
use crate::plan::Question;
use crate::policy::ConditionalAccessPolicy;

/// Exchange, which everybody uses: the app that What-If is asked about.
pub(super) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// Days of the sign-in log that are counted.
const DAYS: i64 = 7;

/// What is known of a group that a policy is for.
#[derive(Clone, Debug)]
struct GroupFacts {
    name: String,
    members: Vec<UserId>,
    sign_ins: Look<Vec<SignIn>>,
}

/// What every one of them must know.
#[derive(Clone, Debug)]
pub struct PolicyFacts {
    policies: Look<Vec<ConditionalAccessPolicy>>,
    /// The group that it is for; `Read(None)` where it is for the subject, or the tenant has no such group.
    group: Look<Option<GroupFacts>>,
    security_defaults: bool,
}

impl PolicyFacts {
    fn group(&self) -> Option<&GroupFacts> {
        self.group.read()?.as_ref()
    }
}

/// The plan where the playbook names a group that is not there, or that could not be read.
pub(super) fn without_group(users: &Target, facts: &PolicyFacts) -> Option<Planned> {
    let Target::Group(id) = users else { return None };
    let refused = match &facts.group {
        Look::Read(Some(_)) => return None,
        Look::Read(None) => refusal(
            "policy_unknown_group",
            id.as_str(),
            "the tenant has no such group",
            "name a group by its object id, or `users: subject`",
        ),
        Look::Unread { why } => refusal(
            "policy_unread_group",
            id.as_str(),
            format!("whom a policy for it would stop could not be read: {why}"),
            "grant the app `GroupMember.Read.All`, then plan again; or name `users: subject`",
        ),
    };
    Some(Planned { refused: vec![refused], ..Planned::default() })
}

/// Reads what every one of them must know.
pub(super) async fn look(users: &Target, case: &Case, graph: &Reader) -> Result<PolicyFacts, GraphError> {
    let group = async {
        match users {
            Target::Subject => Ok(Look::Read(None)),
            Target::Group(id) => graph::look(read_group(id, case, graph).await),
        }
    };
    let (policies, group, security_defaults) =
        tokio::join!(graph.policies(), group, graph.security_defaults_on());
    Ok(PolicyFacts {
        policies: graph::look(policies)?,
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
    let is_members = |row: &SignIn| row.user_id.as_ref().is_some_and(|user| members.contains(user));
    let sign_ins = graph::look(log)?.map(|log| log.rows.into_iter().filter(is_members).collect());
    Ok(Some(GroupFacts { name: group.name, members, sign_ins }))
}

/// For whom a policy is, in words and as a policy says it; the emergency accounts are left out always.
pub(super) fn audience(
    users: &Target,
    case: &Case,
    facts: &PolicyFacts,
    scope: &Scope<'_>,
) -> (String, Value) {
    let excluded = &scope.rules.emergency_accounts;
    match users {
        Target::Subject => (
            case.subject.upn.to_string(),
            json!({ "includeUsers": [case.subject.id], "excludeUsers": excluded }),
        ),
        Target::Group(id) => (
            facts.group().map_or_else(|| id.to_string(), |group| group.name.clone()),
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
    facts: &PolicyFacts,
    scope: &Scope<'_>,
    client: &str,
    app: Option<&str>,
) -> Question {
    // A policy for a group is asked about with one of its members.
    let member = facts.group().and_then(|group| group.members.first());
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
    facts: &PolicyFacts,
    scope: &Scope<'_>,
    stops: impl Fn(&SignIn) -> bool,
) -> Vec<String> {
    let (rows, is_group) = match (users, facts.group()) {
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
    facts: &PolicyFacts,
    step: &str,
    scope: &Scope<'_>,
    mut planned: Planned,
) -> Planned {
    let policies = match &facts.policies {
        Look::Read(policies) => policies,
        Look::Unread { why } => {
            let look = format!("look at Protection > Conditional Access > Policies for `{}`", wanted.name());
            planned.left.push(unread("Conditional Access policy", why, &look, scope));
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
