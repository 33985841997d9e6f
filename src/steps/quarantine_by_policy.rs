//! `quarantine_by_policy`: one group, and one policy that blocks whoever is in it, for every app and from everywhere. A
//! synchronized account stays blocked by it when the company's own directory enables it again, and in a mass incident the
//! policy is made once. The emergency accounts are left out; undo takes the user out of the group again, and leaves group
//! and policy, since others may be in quarantine by then (policy-logs-auth.md 2.8, 2.9).
//!
//! ```yaml
//! - step: quarantine_by_policy
//!   with: { group: stanch quarantine, state: enabled }
//! ```

mod body;
mod see;

pub(super) use see::see;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{self, ByHand, quoted};
use super::decision::unread;
use super::hardening::{EXCHANGE, spared};
use super::planned::{Draft, Planned, Scope};
use super::policy_rollout::{self, Wanted, Words};
use super::target::Rollout;
use crate::case::{Case, Group, Hold, Look};
use crate::domain::{ActionId, GroupId, UserId};
use crate::graph::{self, GraphError, Licence, Reader, Reading, request};
use crate::guard::{apply_overrides, judge_group, judge_members, lint_policy, refusal};
use crate::plan::{Action, GuardRefusal, Object, Question, Undo};
use crate::policy::evaluate::{Account, blocks_everything, includes_account};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

fn default_group() -> String {
    "stanch quarantine".to_owned()
}

fn enabled() -> Rollout {
    Rollout::Enabled
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineByPolicy {
    /// Name of the group; one that is not there is made.
    #[serde(default = "default_group")]
    pub group: String,
    /// How far the policy goes.
    #[serde(default = "enabled")]
    pub state: Rollout,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The groups of that very name.
    groups: Look<Vec<Group>>,
    /// Who belongs to the first of them.
    members: Look<Vec<UserId>>,
    /// The groups that the subject belongs to.
    own: Look<Vec<GroupId>>,
    policies: Look<Vec<ConditionalAccessPolicy>>,
    security_defaults: Look<bool>,
    graph_base: String,
}

impl Step for QuarantineByPolicy {
    const NAME: &'static str = "quarantine_by_policy";
    const SUMMARY: &'static str = "puts the account into a group that a policy blocks";
    const PERMISSIONS: &'static [&'static str] = &[
        "Policy.Read.All",
        "Policy.ReadWrite.ConditionalAccess",
        "Application.Read.All",
        "Group.Create",
        "GroupMember.ReadWrite.All",
    ];
    const READS: &'static [Reading] = &[Reading::Policies, Reading::Groups, Reading::WhatIf];
    const LICENCES: &'static [Licence] = &[Licence::EntraP1];
    const TAKES: &'static [Hold] = &[Hold::Admission];
    const IS_DOOR: bool = true;
    type Facts = Facts;

    fn takes(&self) -> Vec<Hold> {
        match self.state {
            Rollout::Enabled => Self::TAKES.to_vec(),
            Rollout::ReportOnly => Vec::new(),
        }
    }

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Facts, GraphError> {
        let (groups, own, policies, security_defaults) = tokio::join!(
            graph.groups_named(&self.group),
            graph.groups_of(&case.subject.id),
            graph.policies(),
            graph.security_defaults_on()
        );
        let groups = graph::look(groups)?;
        let members = match groups.read().and_then(|groups| groups.first()) {
            Some(group) => graph::look(graph.group_members(&group.id).await)?,
            None => Look::Read(Vec::new()),
        };
        Ok(Facts {
            groups,
            members,
            own: graph::look(own)?,
            policies: graph::look(policies)?,
            security_defaults: graph::look(security_defaults)?,
            graph_base: graph.graph_base().to_owned(),
        })
    }

    fn plan(&self, case: &Case, facts: &Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let (groups, policies) = match (&facts.groups, &facts.policies) {
            (Look::Read(groups), Look::Read(policies)) => (groups, policies),
            (Look::Unread { why }, _) | (_, Look::Unread { why }) => {
                let look = format!("block {} by a policy of your own", case.subject.upn);
                planned.left.push(unread("group or policy of the quarantine", why, &look, scope));
                return planned;
            }
        };
        let group = match groups.as_slice() {
            [] => None,
            [own] => Some(own),
            several => {
                planned.refused.push(refusal(
                    "group_ambiguous",
                    &self.group,
                    format!("{} groups are called so", several.len()),
                    "delete or rename all but one, or name another with `group`",
                ));
                return planned;
            }
        };
        if !self.is_allowed(case, facts, group, policies, scope, &mut planned) {
            return planned;
        }
        planned.warnings.extend(group.into_iter().flat_map(|group| left_out_by(group, policies)));
        self.plan_all(case, facts, group, policies, scope, &mut planned);
        if !planned.refused.is_empty() {
            // Half a quarantine blocks nobody.
            planned.actions.clear();
            return planned;
        }
        if planned.actions.is_empty() {
            planned.unchanged.get_or_insert_with(|| "the account is in quarantine already".to_owned());
        }
        planned.residual_risk.push(format!(
            "Where continuous access evaluation does not reach, the block of `{}` is met at the next token, within an hour or so; a change of who belongs to a group may take up to a day by itself, which the revocation that follows brings forward.",
            self.group
        ));
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let name = quoted(&self.group);
        let users =
            json!({ "includeUsers": [], "includeGroups": ["$group.Id"], "excludeUsers": ["$emergency"] });
        let state = self.state.state();
        let portal = [
            format!(
                "Groups > All groups > `{}` (new: security, assigned, no roles): add {user} as a member",
                self.group
            ),
            format!(
                "Protection > Conditional Access > Policies > `{}`, where it is not there yet: include the group, exclude the emergency accounts; all resources; Grant: block access; Enable policy: {}",
                body::name_of(&self.group),
                self.state.in_portal()
            ),
        ];
        let policy = by_hand::policy(&portal, &body::policy(&self.group, &users), state.as_graph());
        let mut lines = vec![
            format!(
                "$group = Get-MgGroup -All -Filter {}",
                quoted(&format!("displayName eq '{}'", self.group.replace('\'', "''")))
            ),
            format!(
                "if (-not $group) {{ $group = New-MgGroup -DisplayName {name} -MailEnabled:$false -MailNickname 'quarantine' -SecurityEnabled }}"
            ),
            "New-MgGroupMember -GroupId $group.Id -DirectoryObjectId $id".to_owned(),
            "# Where that policy is not there yet:".to_owned(),
        ];
        lines.extend(policy.powershell);
        ByHand { portal: policy.portal, powershell: lines }
    }
}

impl QuarantineByPolicy {
    /// Asks the guards about the group and about the policy; what they refuse is told.
    fn is_allowed(
        &self,
        case: &Case,
        facts: &Facts,
        group: Option<&Group>,
        policies: &[ConditionalAccessPolicy],
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) -> bool {
        let mut refusals: Vec<GuardRefusal> = Vec::new();
        if let Some(group) = group {
            refusals.extend(judge_group(group).err());
            let begins = !is_blocked(Some(group), policies, case, facts) && self.state == Rollout::Enabled;
            let spared = &scope.rules.emergency_accounts;
            refusals.extend(
                begins.then(|| judge_members(group, &facts.members, &case.subject.id, spared)).flatten(),
            );
        }
        if !is_blocked(group, policies, case, facts) {
            let reference = group.map_or_else(|| "a new group".to_owned(), |own| own.id.to_string());
            refusals.extend(lint_policy(&self.policy(&reference, scope), scope.rules));
        }
        let (refused, overridden) = apply_overrides(refusals, scope.rules);
        planned.overridden.extend(overridden);
        planned.refused.extend(refused);
        planned.refused.is_empty()
    }

    /// The policy, state left out, the group given by id or by placeholder.
    fn policy(&self, group: &str, scope: &Scope<'_>) -> Value {
        let users = json!({
            "includeUsers": [], "includeGroups": [group], "excludeUsers": scope.rules.emergency_accounts
        });
        body::policy(&self.group, &users)
    }

    /// Plans what is missing of group, membership and policy.
    fn plan_all(
        &self,
        case: &Case,
        facts: &Facts,
        group: Option<&Group>,
        policies: &[ConditionalAccessPolicy],
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) {
        let is_blocked = is_blocked(group, policies, case, facts);
        let (reference, made) = if let Some(group) = group {
            (group.id.to_string(), None)
        } else {
            let Some(id) = scope.action_id("group") else { return planned.push(None, scope) };
            let reference = format!("${{actions.{id}.id}}");
            planned.actions.push(self.creation(id.clone(), scope));
            (reference, Some(id))
        };
        let is_member = group.is_some_and(|group| {
            facts.own.read().is_some_and(|own| own.contains(&group.id))
                || facts.members.read().is_some_and(|members| members.contains(&case.subject.id))
        });
        let mut behind: Vec<ActionId> = Vec::new();
        if !is_member {
            let action =
                self.membership(case, facts, group, &reference, is_blocked, scope).map(|mut action| {
                    action.needs.extend(made);
                    action
                });
            behind.extend(action.as_ref().map(|action| action.id.clone()));
            planned.push(action, scope);
        }
        if is_blocked {
            planned.unchanged =
                is_member.then(|| format!("`{}` holds the account already, and is blocked", self.group));
            return;
        }
        let enforce = self.state == Rollout::Enabled;
        if enforce {
            planned.warnings.extend(warn_of(&facts.security_defaults));
        }
        let wanted = Wanted {
            body: self.policy(&reference, scope),
            enforce,
            rehearsal: PolicyState::ReportOnly,
            question: Question {
                applies_to: case.subject.id.clone(),
                spares: scope.rules.emergency_accounts.clone(),
                from: None,
                app: Some(EXCHANGE.to_owned()),
                client: "browser".to_owned(),
            },
            reason: "a group blocks nobody by itself".to_owned(),
            evidence: Vec::new(),
            words: Words {
                whom: spared(&format!("whoever is in the group `{}`", self.group), scope),
                when: "every sign-in to every app, from everywhere".to_owned(),
                effect: "blocks the sign-in",
            },
        };
        let first = planned.actions.len();
        let nothing = policy_rollout::plan(&wanted, policies, &behind, Self::NAME, scope, planned);
        planned.unchanged = nothing.filter(|_| planned.actions.is_empty());
        for action in planned.actions.iter_mut().skip(first) {
            action.undo = Undo::Impossible { why: LEFT.to_owned() };
            action.reversible = false;
            // What a look afterwards goes by: whom the policy is to block, and whom alone it leaves out.
            if let Some(entries) = action.after.as_object_mut() {
                entries.insert("group".to_owned(), reference.clone().into());
                entries.insert("spares".to_owned(), json!(scope.rules.emergency_accounts));
            }
        }
    }

    fn creation(&self, id: ActionId, scope: &Scope<'_>) -> Action {
        let draft = Draft {
            key: "",
            summary: format!("Create the group `{}`", self.group),
            object: Object { kind: "group".to_owned(), id: None, name: self.group.clone() },
            before: Value::Null,
            after: json!({ "securityEnabled": true, "members": "none yet" }),
            undo: Undo::Impossible { why: LEFT.to_owned() },
            reason: "the policy blocks whoever is in it".to_owned(),
            evidence: Vec::new(),
            requests: vec![request::create_group(
                &self.group,
                "Accounts in quarantine: a policy blocks whoever is in it. Made by stanch.",
            )],
        };
        draft.with_id(id, Self::NAME, scope)
    }

    fn membership(
        &self,
        case: &Case,
        facts: &Facts,
        group: Option<&Group>,
        reference: &str,
        is_blocked: bool,
        scope: &Scope<'_>,
    ) -> Option<Action> {
        let subject = &case.subject;
        let mut after = json!({ "member": true });
        if let (true, Some(entries)) = (is_blocked, after.as_object_mut()) {
            entries.insert("blocked".to_owned(), true.into());
        }
        let draft = Draft {
            key: "",
            summary: format!("Put {} into the group `{}`", subject.upn, self.group),
            object: Object {
                kind: "group membership".to_owned(),
                id: group.map(|own| own.id.to_string()),
                name: self.group.clone(),
            },
            before: json!({ "member": false }),
            after,
            undo: Undo::Requests(vec![request::remove_member(reference, &subject.id)]),
            reason: if is_blocked {
                "an enforced policy blocks whoever is in it".to_owned()
            } else {
                "the policy that follows blocks whoever is in it".to_owned()
            },
            evidence: Vec::new(),
            requests: vec![request::add_member(reference, &subject.id, &facts.graph_base)],
        };
        draft.into_action(Self::NAME, scope)
    }
}

/// Why group and policy stay.
const LEFT: &str = "others may be in quarantine by it since; with nobody in the group it blocks nobody";

/// What stands in the way of a policy that is to be enforced.
fn warn_of(security_defaults: &Look<bool>) -> Option<String> {
    let refuses = "Graph refuses enforced policies until they are off, which is not stanch's to do";
    match security_defaults {
        Look::Read(false) => None,
        Look::Read(true) => Some(format!("security defaults are on: {refuses}")),
        Look::Unread { why } => {
            Some(format!("whether security defaults are on was not read ({why}): if so, {refuses}"))
        }
    }
}

/// The policies that leave the group out: what they ask of others they do not ask of whoever is in it.
fn left_out_by(group: &Group, policies: &[ConditionalAccessPolicy]) -> Vec<String> {
    let leaves_out = |policy: &&ConditionalAccessPolicy| {
        policy.conditions.users.exclude_groups.iter().any(|id| id == group.id.as_str())
    };
    policies
        .iter()
        .filter(leaves_out)
        .map(|policy| {
            format!("the policy `{}` leaves out whoever is in `{}`", policy.display_name, group.name)
        })
        .collect()
}

/// Whether an enforced policy blocks whoever is in the group, the subject among them. One that may leave the subject out,
/// by a group or role that is not known of, does not count.
fn is_blocked(
    group: Option<&Group>,
    policies: &[ConditionalAccessPolicy],
    case: &Case,
    facts: &Facts,
) -> bool {
    let Some(group) = group else { return false };
    let roles = case.subject.active_roles();
    let mut groups = facts.own.read().cloned().unwrap_or_default();
    groups.push(group.id.clone());
    let account = Account {
        user: &case.subject.id,
        groups: &groups,
        roles: roles.read().map(Vec::as_slice).unwrap_or_default(),
    };
    policies.iter().any(|policy| {
        let users = &policy.conditions.users;
        let is_known = |unread: Option<&str>, excluded: &[String]| unread.is_none() || excluded.is_empty();
        holds_group(policy, &group.id)
            && includes_account(policy, &account)
            && is_known(facts.own.unread(), &users.exclude_groups)
            && is_known(roles.unread(), &users.exclude_roles)
    })
}

/// Whether an enforced policy blocks a group, whoever is in it.
fn holds_group(policy: &ConditionalAccessPolicy, group: &GroupId) -> bool {
    let users = &policy.conditions.users;
    let names = |ids: &[String]| ids.iter().any(|id| id == group.as_str());
    policy.state == PolicyState::Enabled
        && blocks_everything(policy)
        && names(&users.include_groups)
        && !names(&users.exclude_groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_defaults_that_were_not_read_are_warned_of() {
        assert_eq!(warn_of(&Look::Read(false)), None);
        assert!(warn_of(&Look::Read(true)).unwrap().starts_with("security defaults are on"));
        let unread = warn_of(&Look::Unread { why: "403".to_owned() }).unwrap();
        assert!(unread.starts_with("whether security defaults are on was not read (403)"), "{unread}");
    }
}
