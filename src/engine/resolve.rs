//! From a name to the subject, and from settings to guard rules: each account resolved to its object id once.

use std::collections::BTreeSet;

use tokio::try_join;

use super::plan_error::PlanError;
use crate::alert::{Account, NamedUser};
use crate::approval::{People, Person};
use crate::case::{Look, Subject};
use crate::config::Guards;
use crate::domain::{CidrBlock, GroupId, Upn, UserId};
use crate::graph::{GraphError, GraphUser, Reader, UserBrief, look};
use crate::guard::{GuardRules, OtherAdministrators, SubjectFacts};

/// The role whose holders can undo everything: its template id (identity.md 1.3).
pub(super) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// Members of a group that are looked at: among so many administrators two are enabled, or something else is wrong.
const MOST_MEMBERS: usize = 20;

/// Finds the user and reads all that a plan must know about the account.
pub(super) async fn subject(reader: &Reader, id_or_upn: &str) -> Result<Subject, PlanError> {
    // An empty name would ask Graph for the list of all users.
    if id_or_upn.trim().is_empty() {
        return Err(PlanError::NoUser);
    }
    let Some(user) = reader.user(id_or_upn).await? else {
        return Err(not_found(reader, id_or_upn).await);
    };
    describe(reader, user).await
}

/// Finds the one user that an alert names: by object id, by name or address, by the name in the company's own directory.
/// All that is said must come to one and the same user.
pub(super) async fn named_user(reader: &Reader, named: &NamedUser) -> Result<UserId, PlanError> {
    if named.accounts.is_empty() {
        return Err(PlanError::NobodyNamed { written: named.unusable.clone() });
    }
    let mut found: Vec<(UserId, String)> = Vec::new();
    for account in &named.accounts {
        let these = match account {
            Account::Id(id) => match reader.user(id.as_str()).await? {
                Some(user) => vec![(user.id, user.upn.to_string())],
                // A name beside the id may belong to somebody else by now: the id is what was meant.
                None => return Err(not_found(reader, id.as_str()).await),
            },
            Account::Upn(upn) => match reader.user(upn.as_str()).await? {
                Some(user) => vec![(user.id, user.upn.to_string())],
                None => brief(reader.users_with_address(upn.as_str()).await?),
            },
            Account::Sam { domain, name } => in_domain(reader.users_with_account(name).await?, domain),
        };
        for user in these {
            if !found.iter().any(|(id, _)| *id == user.0) {
                found.push(user);
            }
        }
    }
    match found.as_slice() {
        [(id, _)] => Ok(id.clone()),
        [] => Err(not_found(reader, &named.shown()).await),
        several => Err(PlanError::SeveralUsers {
            named: named.shown(),
            found: several.iter().map(|(_, upn)| upn.clone()).collect(),
        }),
    }
}

fn brief(users: Vec<UserBrief>) -> Vec<(UserId, String)> {
    users.into_iter().map(|user| (user.id, user.upn)).collect()
}

/// Those of the domain where any are: a log has the short name of a domain, the directory the whole one.
fn in_domain(users: Vec<(UserBrief, String)>, domain: &str) -> Vec<(UserId, String)> {
    let is_of = |own: &str| {
        let short = own.split('.').next().unwrap_or_default();
        own.eq_ignore_ascii_case(domain) || short.eq_ignore_ascii_case(domain)
    };
    let (of, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|(_, own)| is_of(own));
    let chosen = if of.is_empty() { others } else { of };
    brief(chosen.into_iter().map(|(user, _)| user).collect())
}

async fn describe(reader: &Reader, user: GraphUser) -> Result<Subject, PlanError> {
    let domain = user.upn.domain();
    let (roles, group, federated) = tokio::join!(
        reader.roles_of(&user.id),
        reader.in_role_assignable_group(&user.id),
        reader.domain_is_federated(&domain)
    );
    Ok(Subject {
        roles: look(roles)?,
        in_role_assignable_group: look(group)?,
        federated: look(federated)?,
        synced: user.synced,
        guest: user.guest,
        enabled: user.enabled,
        restricted: user.restricted,
        display_name: user.display_name,
        created_at: user.created_at,
        password_changed_at: user.password_changed_at,
        sessions_valid_from: user.sessions_valid_from,
        last_sign_in: Look::Unread { why: "the sign-in log was not read".to_owned() },
        id: user.id,
        upn: user.upn,
    })
}

async fn not_found(reader: &Reader, text: &str) -> PlanError {
    if let Ok(Some(deleted)) = reader.deleted_user(text).await {
        return PlanError::DeletedUser { text: text.to_owned(), id: deleted.id.to_string() };
    }
    let near = reader.users_near(text).await.unwrap_or_default();
    let by_this_name: Vec<String> =
        near.iter().filter(|user| user.goes_by(text)).map(|user| user.upn.clone()).collect();
    if by_this_name.len() > 1 {
        return PlanError::AmbiguousUser { text: text.to_owned(), candidates: by_this_name };
    }
    PlanError::UnknownUser { text: text.to_owned(), near: near.into_iter().map(|user| user.upn).collect() }
}

/// Finds out who the names of approvers and requesters are.
pub(super) async fn people(reader: &Reader, names: Vec<String>) -> Result<People, GraphError> {
    let mut people = Vec::new();
    for name in names {
        let person = person(reader, &name).await?;
        people.push((name, person));
    }
    Ok(people.into_iter().collect())
}

/// Finds out who one of them is.
pub(super) async fn person(reader: &Reader, name: &str) -> Result<Person, GraphError> {
    // A name that is no UPN is the operating system's, and no question to the tenant.
    if name.parse::<Upn>().is_err() {
        return Ok(Person::Unknown);
    }
    Ok(match look(reader.user(name).await)? {
        Look::Read(None) => Person::Unknown,
        Look::Read(Some(user)) if user.guest => Person::Guest(user.id),
        Look::Read(Some(user)) if !user.enabled => Person::Disabled(user.id),
        Look::Read(Some(user)) => Person::Member(user.id),
        Look::Unread { why } => Person::Unread { why },
    })
}

/// Resolves the accounts that the guards' settings name.
pub(super) async fn guard_rules(
    reader: &Reader,
    settings: &Guards,
    overrides: &[String],
) -> Result<GuardRules, PlanError> {
    let mut emergency_accounts = Vec::new();
    let mut unresolved_emergency = Vec::new();
    for text in &settings.emergency_accounts {
        match reader.user(text).await? {
            Some(user) if user.enabled => emergency_accounts.push(user.id),
            _ => unresolved_emergency.push(text.clone()),
        }
    }
    let protected_groups = settings
        .protected_groups
        .iter()
        .map(|text| {
            text.parse::<GroupId>()
                .map_err(|_| PlanError::BadSetting { key: "guards.protected_groups", text: text.clone() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let company_ranges = settings
        .company_ranges
        .iter()
        .map(|range| {
            CidrBlock::parse_masking(&range.to_string())
                .map(|(block, _)| block)
                .map_err(|_| PlanError::BadSetting { key: "guards.company_ranges", text: range.to_string() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(GuardRules {
        emergency_accounts,
        unresolved_emergency,
        no_emergency_accounts: settings.no_emergency_accounts,
        protected_groups,
        company_ranges,
        accepted_permissions: settings.accepted_permissions.clone(),
        widest_ipv4: settings.widest_block.ipv4,
        widest_ipv6: settings.widest_block.ipv6,
        overrides: overrides.to_vec(),
        own_apps: settings.own_apps.iter().cloned().chain([reader.client_id().to_owned()]).collect(),
    })
}

/// Reads what the subject guards need beyond the subject: who operates, the subject's groups where some are protected,
/// and, where an administrator is to be contained, who else is one.
pub(super) async fn subject_facts(
    reader: &Reader,
    subject: &Subject,
    operator: Option<&str>,
    rules: &GuardRules,
    takes_away: bool,
) -> Result<SubjectFacts, PlanError> {
    let operator_read = async {
        match operator {
            Some(text) if text.contains('@') => Ok(reader.user(text).await?.map(|user| user.id)),
            _ => Ok::<_, GraphError>(None),
        }
    };
    let groups_read = async {
        if rules.protected_groups.is_empty() {
            return Ok(Look::Read(Vec::new()));
        }
        look(reader.groups_of(&subject.id).await)
    };
    let administrators_read = async {
        let is_administrator = subject
            .roles
            .read()
            .is_some_and(|roles| roles.iter().any(|role| role.template_id == GLOBAL_ADMINISTRATOR));
        if !(takes_away && is_administrator) {
            return Ok(None);
        }
        look(other_administrators(reader, &subject.id, rules).await).map(Some)
    };
    let (operator_id, group_ids, other_administrators) =
        try_join!(operator_read, groups_read, administrators_read)?;
    Ok(SubjectFacts { operator_id, group_ids, other_administrators })
}

/// Counts the other Global Administrators who can sign in. Two regular ones are enough: it looks no further.
async fn other_administrators(
    reader: &Reader,
    subject: &UserId,
    rules: &GuardRules,
) -> Result<OtherAdministrators, GraphError> {
    let mut others = OtherAdministrators::default();
    let mut seen = BTreeSet::from([subject.clone()]);
    for holder in reader.holders_of(GLOBAL_ADMINISTRATOR).await? {
        let users = match reader.user(&holder).await? {
            Some(user) => vec![user],
            // A group, or an app: an app is nobody who signs in.
            None => members(reader, &holder).await?,
        };
        for user in users.into_iter().filter(|user| user.enabled) {
            if !seen.insert(user.id.clone()) {
                continue;
            }
            if rules.emergency_accounts.contains(&user.id) {
                others.emergency += 1;
            } else {
                others.regular += 1;
            }
            if others.regular >= 2 {
                return Ok(others);
            }
        }
    }
    Ok(others)
}

/// The users in a group; none where it is no group.
async fn members(reader: &Reader, id: &str) -> Result<Vec<GraphUser>, GraphError> {
    let Ok(group) = id.parse::<GroupId>() else { return Ok(Vec::new()) };
    if reader.group(&group).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut users = Vec::new();
    for member in reader.group_members(&group).await?.into_iter().take(MOST_MEMBERS) {
        users.extend(reader.user(member.as_str()).await?);
    }
    Ok(users)
}
