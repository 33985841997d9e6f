//! The accounts and groups that the settings name: that they are there, and that the emergency accounts would let
//! somebody back in (identity.md 1.4).

use super::finding::Finding;
use crate::case::{RoleHeld, RoleSource};
use crate::config::Guards;
use crate::domain::{GroupId, inert};
use crate::engine::resolve::GLOBAL_ADMINISTRATOR;
use crate::graph::{GraphError, GraphUser, Reader};
use crate::policy::evaluate::{Account, includes_account};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

const EMERGENCY: &str = "emergency_accounts";
const GROUPS: &str = "protected_groups";
/// Microsoft asks for two: one may be lost.
const WANTED: usize = 2;

/// Looks at the emergency accounts. `policy_steps` are the steps that create policies: without emergency accounts they
/// are refused.
pub(super) async fn judge_emergency(
    reader: &Reader,
    guards: &Guards,
    policy_steps: &[String],
) -> Vec<Finding> {
    let names = &guards.emergency_accounts;
    if names.is_empty() {
        return vec![no_accounts(guards, policy_steps)];
    }
    let policies = reader.policies().await;
    let mut findings = Vec::new();
    if names.len() < WANTED {
        findings.push(Finding::warning(
            EMERGENCY,
            "one emergency account is named, and one may be lost",
            "make a second one, and add it to `guards.emergency_accounts` in stanch.toml",
        ));
    }
    for name in names {
        match reader.user(name).await {
            Ok(Some(user)) => findings.extend(judge_account(reader, name, &user, &policies).await),
            Ok(None) => findings.push(Finding::missing(
                EMERGENCY,
                format!("the emergency account `{}` is not there", inert(name)),
                "correct `guards.emergency_accounts` in stanch.toml",
            )),
            Err(error) => {
                let what = format!("whether the emergency account `{}` is there", inert(name));
                findings.push(Finding::unread(EMERGENCY, &what, &error));
            }
        }
    }
    if let Err(error) = &policies {
        findings.push(Finding::unread(EMERGENCY, "whether policies apply to the emergency accounts", error));
    }
    findings
}

fn no_accounts(guards: &Guards, policy_steps: &[String]) -> Finding {
    let fix = "make two cloud-only accounts, Global Administrators for good, with FIDO2 keys in a safe, and name them in `guards.emergency_accounts` in stanch.toml";
    if guards.no_emergency_accounts {
        return Finding::warning(
            EMERGENCY,
            "the settings say that there are none: a policy that locks people out locks out everyone",
            fix,
        );
    }
    if policy_steps.is_empty() {
        return Finding::warning(EMERGENCY, "no emergency account is named", fix);
    }
    Finding::missing(EMERGENCY, "no emergency account is named, so no policy is created", fix)
        .for_steps(policy_steps.to_vec())
}

async fn judge_account(
    reader: &Reader,
    name: &str,
    user: &GraphUser,
    policies: &Result<Vec<ConditionalAccessPolicy>, GraphError>,
) -> Vec<Finding> {
    let shown = inert(user.upn.as_str());
    if !user.enabled {
        return vec![Finding::missing(
            EMERGENCY,
            format!("the emergency account `{shown}` is disabled: nobody gets back in with it"),
            format!("az ad user update --id {} --account-enabled true", user.id),
        )];
    }
    let mut findings = Vec::new();
    let mut warn = |what: &str, fix: &str| {
        findings.push(Finding::warning(EMERGENCY, format!("the emergency account `{shown}` {what}"), fix));
    };
    if user.synced {
        warn(
            "is synced: an intruder in the company's own directory holds it too",
            "make a cloud-only account instead",
        );
    }
    if !user.upn.domain().to_ascii_lowercase().ends_with(".onmicrosoft.com") {
        warn(
            "is not of a `.onmicrosoft.com` domain: it hangs on a domain that may be federated or lost",
            "rename it to the tenant's `.onmicrosoft.com` domain",
        );
    }
    if !user.restricted {
        warn(
            "is in no restricted management administrative unit: an app with tenant-wide permissions can change it",
            "put it into a restricted management administrative unit in the Entra admin centre",
        );
    }
    let roles = reader.roles_of(&user.id).await;
    let is_for_good =
        |role: &RoleHeld| role.template_id == GLOBAL_ADMINISTRATOR && role.source != RoleSource::Eligible;
    if roles.as_ref().is_ok_and(|roles| !roles.iter().any(is_for_good)) {
        warn(
            "is not Global Administrator for good: it cannot take a policy back",
            "assign the role in the Entra admin centre, active and without an end",
        );
    }
    let outside = match policies {
        // That they are unread is told once, for all accounts.
        Err(_) => ", and enabled",
        Ok(policies) => {
            let groups = groups_for(reader, user, policies).await;
            let applying = match (&roles, &groups) {
                (Ok(roles), Ok(groups)) => applying(policies, user, groups, roles),
                _ => Vec::new(),
            };
            if !applying.is_empty() {
                warn(
                    &format!("is in enforced policies: {}", applying.join(", ")),
                    "exclude it from each in the Entra admin centre, Conditional Access",
                );
            }
            if let Err(error) = &groups {
                let what =
                    format!("in which groups the emergency account `{shown}` is, and so in which policies,");
                findings.push(Finding::unread(EMERGENCY, &what, error));
            }
            ", enabled, and outside every policy"
        }
    };
    if let Err(error) = &roles {
        let what =
            format!("which roles the emergency account `{shown}` has, and so which policies apply to it,");
        findings.push(Finding::unread(EMERGENCY, &what, error));
    }
    if findings.is_empty() {
        let what = format!("the emergency account `{}` is there{outside}", inert(name));
        findings.push(Finding::ok(EMERGENCY, what));
    }
    findings
}

/// The groups of an account, where an enforced policy asks for groups: what nobody asks for needs no permission.
async fn groups_for(
    reader: &Reader,
    user: &GraphUser,
    policies: &[ConditionalAccessPolicy],
) -> Result<Vec<GroupId>, GraphError> {
    let asks = enforced(policies).any(|policy| {
        let users = &policy.conditions.users;
        !users.include_groups.is_empty() || !users.exclude_groups.is_empty()
    });
    if asks { reader.groups_of(&user.id).await } else { Ok(Vec::new()) }
}

/// The enforced policies that an account is in.
fn applying(
    policies: &[ConditionalAccessPolicy],
    user: &GraphUser,
    groups: &[GroupId],
    roles: &[RoleHeld],
) -> Vec<String> {
    let role_ids: Vec<String> = roles.iter().map(|role| role.template_id.clone()).collect();
    let account = Account { user: &user.id, groups, roles: &role_ids };
    enforced(policies)
        .filter(|policy| includes_account(policy, &account))
        .map(|policy| format!("`{}`", inert(&policy.display_name)))
        .collect()
}

fn enforced(policies: &[ConditionalAccessPolicy]) -> impl Iterator<Item = &ConditionalAccessPolicy> {
    policies.iter().filter(|policy| policy.state == PolicyState::Enabled)
}

/// Looks the protected groups up.
pub(super) async fn judge_groups(reader: &Reader, guards: &Guards) -> Vec<Finding> {
    let fix = "name groups by their object ids in `guards.protected_groups` in stanch.toml";
    let mut findings = Vec::new();
    for text in &guards.protected_groups {
        let shown = inert(text);
        let Ok(id) = text.parse::<GroupId>() else {
            findings.push(Finding::missing(GROUPS, format!("`{shown}` is no object id of a group"), fix));
            continue;
        };
        findings.push(match reader.group(&id).await {
            Ok(Some(group)) => {
                Finding::ok(GROUPS, format!("the protected group `{}` is there", inert(&group.name)))
            }
            Ok(None) => Finding::missing(GROUPS, format!("there is no group `{shown}`"), fix),
            Err(error) => Finding::unread(GROUPS, &format!("whether the group `{shown}` is there"), &error),
        });
    }
    findings
}
