//! Group guards: whoever is put into quarantine gets nothing by it, and nobody else is shut out by it.

use super::verdict::refusal;
use crate::case::{Group, Look};
use crate::domain::UserId;
use crate::plan::GuardRefusal;

/// Members that are named one by one.
const MOST_NAMED: usize = 5;

/// Asks whether a user may be put into a group: a plain security group of the tenant's own, and nothing more.
///
/// # Errors
/// When it is anything more, or Graph does not tell.
pub fn judge_group(group: &Group) -> Result<(), GuardRefusal> {
    let has_kind = |kind: &str| group.kinds.iter().flatten().any(|own| own == kind);
    let why = if has_kind("DynamicMembership") {
        "it is dynamic: a rule decides who belongs to it"
    } else if group.role_assignable == Some(true) {
        "roles can be assigned to it: whoever is put into it may get one"
    } else if group.synced == Some(true) {
        "it is mastered in the company's own directory: nobody is put into it from here"
    } else if has_kind("Unified") || group.mail == Some(true) {
        "it has a mailbox: whoever is put into it may read what is there"
    } else if group.kinds.is_none() || group.security != Some(true) {
        "Graph does not show it for a plain security group"
    } else {
        return Ok(());
    };
    Err(refusal(
        "group_not_plain",
        &format!("{} ({})", group.name, group.id),
        why,
        "rename it, and a plain one of that name is made; or name another with `group`",
    ))
}

/// Asks whether a group may begin to be blocked: others in it would be shut out whom nobody has put in quarantine.
pub fn judge_members(
    group: &Group,
    members: &Look<Vec<UserId>>,
    subject: &UserId,
    spared: &[UserId],
) -> Option<GuardRefusal> {
    let why = match members {
        Look::Unread { why } => format!("who else belongs to it could not be read: {why}"),
        Look::Read(members) => {
            let others: Vec<&str> = members
                .iter()
                .filter(|own| *own != subject && !spared.contains(own))
                .map(UserId::as_str)
                .collect();
            let count = others.len();
            let named = others.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join(", ");
            match count {
                0 => return None,
                1 => format!("another user belongs to it already, and would be shut out: {named}"),
                _ => format!("{count} other users belong to it already, and would be shut out: {named}"),
            }
        }
    };
    Some(refusal(
        "group_holds_others",
        &format!("{} ({})", group.name, group.id),
        why,
        "take out whoever does not belong there; if all are to be blocked, plan again with `--override group_holds_others`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "5f00aaaa-0000-4000-8000-000000000001";
    const OTHER: &str = "5f00aaaa-0000-4000-8000-000000000002";

    fn group() -> Group {
        Group {
            id: "7b0f3c11-9d52-4a7e-8c33-2f1a5b6c7d8e".parse().unwrap(),
            name: "stanch quarantine".to_owned(),
            kinds: Some(vec![]),
            security: Some(true),
            mail: Some(false),
            role_assignable: None,
            synced: None,
        }
    }

    #[test]
    fn only_a_plain_security_group_of_the_tenants_own_is_taken() {
        assert_eq!(judge_group(&group()), Ok(()));
        let kinds = |kind: &str| Some(vec![kind.to_owned()]);
        for (wrong, says) in [
            (Group { kinds: kinds("DynamicMembership"), ..group() }, "dynamic"),
            (Group { kinds: kinds("Unified"), ..group() }, "mailbox"),
            (Group { mail: Some(true), ..group() }, "mailbox"),
            (Group { role_assignable: Some(true), ..group() }, "roles"),
            (Group { synced: Some(true), ..group() }, "own directory"),
            (Group { security: None, ..group() }, "does not show"),
            (Group { kinds: None, ..group() }, "does not show"),
        ] {
            let refusal = judge_group(&wrong).unwrap_err();
            assert!(refusal.guard == "group_not_plain" && refusal.why.contains(says), "{}", refusal.why);
        }
    }

    #[test]
    fn nobody_else_is_shut_out_unasked() {
        let id = |text: &str| text.parse::<UserId>().unwrap();
        let judge = |members: Look<Vec<UserId>>, spared: &[UserId]| {
            judge_members(&group(), &members, &id(SUBJECT), spared).map(|own| own.guard)
        };
        assert_eq!(judge(Look::Read(vec![id(SUBJECT)]), &[]), None);
        assert_eq!(judge(Look::Read(vec![id(OTHER)]), &[id(OTHER)]), None);
        assert_eq!(judge(Look::Read(vec![id(OTHER)]), &[]).as_deref(), Some("group_holds_others"));
        let unread = Look::Unread { why: "403".to_owned() };
        assert_eq!(judge(unread, &[]).as_deref(), Some("group_holds_others"));
    }
}
