//! The quarantine read back: the group, who is in it, and whether the policy still blocks anybody.

use serde_json::Value;

use super::holds_group;
use crate::case::RoleVia;
use crate::domain::{GroupId, UserId};
use crate::graph::{GraphError, Reader};
use crate::guard::judge_group;
use crate::plan::{Action, made_objects_of};
use crate::policy::ConditionalAccessPolicy;
use crate::policy::evaluate::{Account, blocks_everything, includes_account, is_blank};
use crate::steps::observe::{Attempt, Seen};
use crate::steps::policy_rollout;

/// Reads an action's object: the group, who is in it, or the policy.
pub(in crate::steps) async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    match action.object.kind.as_str() {
        "group" => see_group(action, sent, graph).await,
        "policy" => see_policy(action, sent, made, graph).await,
        _ => see_membership(action, sent, made, subject, graph).await,
    }
}

async fn see_group(action: &Action, sent: Option<&Attempt>, graph: &Reader) -> Result<Seen, GraphError> {
    let made: Option<GroupId> = sent.and_then(|sent| sent.made_id.as_deref()).and_then(|id| id.parse().ok());
    Ok(match made {
        Some(id) => match graph.group(&id).await? {
            Some(_) => Seen::AsAfter,
            None => Seen::AsBefore,
        },
        // Nothing was made yet: a second one of the name would make both useless.
        None if graph.groups_named(&action.object.name).await?.is_empty() => Seen::AsBefore,
        None => Seen::Differs { what: format!("there is a group `{}` now", action.object.name) },
    })
}

async fn see_membership(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    let planned = action.object.id.as_deref();
    let sibling = || action.requests.iter().find_map(|request| made_objects_of(request).into_iter().next());
    let id = match planned {
        Some(id) => Some(id.to_owned()),
        None => sibling().and_then(|sibling| made.made.get(&sibling).cloned()),
    };
    let Some(id) = id.and_then(|id| id.parse::<GroupId>().ok()) else { return Ok(Seen::AsBefore) };
    if planned.is_some() {
        let groups = graph.groups_named(&action.object.name).await?;
        let Some(group) = groups.iter().find(|own| own.id == id) else {
            return Ok(Seen::Differs { what: "the group is gone, or has another name".to_owned() });
        };
        // Before sending: into what it has become, nobody is put.
        if let (None, Err(refusal)) = (sent, judge_group(group)) {
            return Ok(Seen::Differs { what: refusal.why });
        }
    }
    let mut groups = graph.groups_of(subject).await?;
    let is_member = groups.contains(&id);
    if action.after.get("blocked").is_some() {
        let mut policies = graph.policies().await?;
        policies.retain(|policy| holds_group(policy, &id));
        if policies.is_empty() {
            return Ok(Seen::Differs { what: "no enforced policy blocks the group any more".to_owned() });
        }
        groups.push(id);
        if !blocks_subject(&policies, &groups, subject, graph).await? {
            return Ok(Seen::Differs {
                what: "the policy that blocks the group leaves the account out".to_owned(),
            });
        }
    }
    Ok(if is_member { Seen::AsAfter } else { Seen::AsBefore })
}

/// Whether one of these policies is for the subject, who belongs to these groups.
async fn blocks_subject(
    policies: &[ConditionalAccessPolicy],
    groups: &[GroupId],
    subject: &UserId,
    graph: &Reader,
) -> Result<bool, GraphError> {
    let by_role = policies.iter().any(|policy| !policy.conditions.users.exclude_roles.is_empty());
    let held = if by_role { graph.role_assignments_of(subject).await? } else { Vec::new() };
    let roles: Vec<String> = held
        .into_iter()
        .filter(|role| role.via != RoleVia::Eligibility)
        .map(|role| role.template_id)
        .collect();
    let account = Account { user: subject, groups, roles: &roles };
    Ok(policies.iter().any(|policy| includes_account(policy, &account)))
}

async fn see_policy(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    let seen = policy_rollout::see(action, sent, made, graph).await?;
    if sent.is_none() || seen != Seen::AsAfter {
        return Ok(seen);
    }
    // Its state alone does not tell whether it still blocks anybody.
    let Some(id) = policy_rollout::policy_id(action, sent, made) else { return Ok(seen) };
    let own = graph.policy(&id).await?;
    let is_hollow = own.is_some_and(|own| !blocks_as_planned(&own, action, made));
    Ok(if is_hollow {
        Seen::Differs { what: "the policy does not block the group any more".to_owned() }
    } else {
        seen
    })
}

/// Whether a policy blocks the group that the plan says, and leaves out nobody but whom the plan says.
fn blocks_as_planned(policy: &ConditionalAccessPolicy, action: &Action, made: &Attempt) -> bool {
    let users = &policy.conditions.users;
    // The group is told by its id, or by the action that makes it.
    let group = action.after.get("group").and_then(Value::as_str).map(|reference| {
        let own = made.made.iter().find(|(action, _)| format!("${{actions.{action}.id}}") == reference);
        own.map_or(reference, |(_, id)| id.as_str())
    });
    // Plans of earlier versions do not say it.
    let has_group = match group {
        Some(group) => users.include_groups.iter().any(|id| id == group),
        None => !users.include_groups.is_empty(),
    };
    let spares_no_more = match action.after.get("spares").and_then(Value::as_array) {
        Some(spared) => users.exclude_users.iter().all(|user| spared.iter().any(|own| own == user.as_str())),
        None => true,
    };
    blocks_everything(policy)
        && has_group
        && spares_no_more
        && users.exclude_groups.is_empty()
        && users.exclude_roles.is_empty()
        && users.exclude_guests_or_external_users.as_ref().is_none_or(is_blank)
}
