//! The accounts and groups that the settings name: that they are there, and that the emergency accounts would let
//! somebody back in (identity.md 1.4).

use super::finding::Finding;
use crate::case::RoleSource;
use crate::config::Guards;
use crate::domain::{GroupId, inert, with_causes};
use crate::graph::{GraphError, GraphUser, Reader};
use crate::policy::evaluate::includes_account;
use crate::policy::{ConditionalAccessPolicy, PolicyState};

const EMERGENCY: &str = "emergency_accounts";
const GROUPS: &str = "protected_groups";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
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
            Err(error) => findings.push(unread(&format!("the emergency account `{}`", inert(name)), &error)),
        }
    }
    if let Err(error) = &policies {
        findings.push(unread("whether policies apply to the emergency accounts", error));
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

fn unread(what: &str, error: &GraphError) -> Finding {
    let fix = error.hint().unwrap_or_else(|| "try again".to_owned());
    Finding::warning(EMERGENCY, format!("{what}: not known: {}", with_causes(error)), fix)
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
    match &roles {
        Ok(roles) => {
            let is_active = roles
                .iter()
                .any(|role| role.template_id == GLOBAL_ADMINISTRATOR && role.source != RoleSource::Eligible);
            if !is_active {
                warn(
                    "is not Global Administrator for good: it cannot take a policy back",
                    "assign the role in the Entra admin centre, active and without an end",
                );
            }
        }
        Err(error) => warn(
            &format!("has roles that could not be read: {}", with_causes(error)),
            &error.hint().unwrap_or_else(|| "try again".to_owned()),
        ),
    }
    if let Ok(policies) = policies {
        let role_ids: Vec<String> = roles.iter().flatten().map(|role| role.template_id.clone()).collect();
        let groups = reader.groups_of(&user.id).await.unwrap_or_default();
        let applying: Vec<String> = policies
            .iter()
            .filter(|policy| policy.state == PolicyState::Enabled)
            .filter(|policy| includes_account(policy, &user.id, &groups, &role_ids))
            .map(|policy| format!("`{}`", inert(&policy.display_name)))
            .collect();
        if !applying.is_empty() {
            let list = applying.join(", ");
            warn(
                &format!("is in enforced policies: {list}"),
                "exclude it from each in the Entra admin centre, Conditional Access",
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            EMERGENCY,
            format!("the emergency account `{}` is there, enabled, and outside every policy", inert(name)),
        ));
    }
    findings
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
            Err(error) => Finding::warning(
                GROUPS,
                format!("whether the group `{shown}` is there is not known: {}", with_causes(&error)),
                error.hint().unwrap_or_else(|| "try again".to_owned()),
            ),
        });
    }
    findings
}
