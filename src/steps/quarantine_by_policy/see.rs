//! The quarantine read back: the group, who is in it, and whether the policy still blocks anybody.

use super::holds_group;
use crate::domain::{GroupId, UserId};
use crate::graph::{GraphError, Reader};
use crate::guard::judge_group;
use crate::plan::{Action, made_objects_of};
use crate::policy::evaluate::blocks_everything;
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
    let is_relied_on = action.after.get("blocked").is_some();
    if is_relied_on && !graph.policies().await?.iter().any(|policy| holds_group(policy, &id)) {
        return Ok(Seen::Differs { what: "no enforced policy blocks the group any more".to_owned() });
    }
    let is_member = graph.groups_of(subject).await?.contains(&id);
    Ok(if is_member { Seen::AsAfter } else { Seen::AsBefore })
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
    let all = graph.policies().await?;
    let own = all.iter().find(|own| own.display_name == action.object.name);
    let is_hollow = own.is_some_and(|own| {
        let users = &own.conditions.users;
        !blocks_everything(own) || users.include_groups.is_empty() || !users.exclude_groups.is_empty()
    });
    Ok(if is_hollow {
        Seen::Differs { what: "the policy does not block the group any more".to_owned() }
    } else {
        seen
    })
}
