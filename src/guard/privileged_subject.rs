//! `privileged_subject`: an administrator's account is contained by people, unless one says otherwise. What could not
//! be read counts as privileged.

use super::verdict::refusal;
use crate::case::{RoleSource, Subject};
use crate::plan::GuardRefusal;

/// Roles that reset nothing and grant nothing (identity.md 3.2, the first rows): template ids.
const HARMLESS: [&str; 5] = [
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", // Directory Readers
    "95e79109-95c0-4d8e-aee3-d01accf2d47b", // Guest Inviter
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", // Message Center Reader
    "4a5d8f65-41da-4de4-8968-e035b65339cf", // Reports Reader
    "75934031-6c7e-415a-99d7-48dbd49e875e", // Usage Summary Reports Reader
];
/// Refused by the guard of its own.
const SYNC_ROLE: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";

pub(super) fn judge(subject: &Subject) -> Option<GuardRefusal> {
    let why = match (&subject.roles, &subject.in_role_assignable_group) {
        (crate::case::Look::Unread { why }, _) => {
            format!("its roles could not be read, so it counts as privileged: {why}")
        }
        (_, crate::case::Look::Unread { why }) => {
            format!("its groups could not be read, so it counts as privileged: {why}")
        }
        (crate::case::Look::Read(roles), crate::case::Look::Read(in_group)) => {
            let held: Vec<String> = roles
                .iter()
                .filter(|role| {
                    !HARMLESS.contains(&role.template_id.as_str()) && role.template_id != SYNC_ROLE
                })
                .map(|role| match role.source {
                    RoleSource::Active => role.name.clone(),
                    RoleSource::Eligible => format!("{} (eligible)", role.name),
                    RoleSource::Group => format!("{} (through a group)", role.name),
                })
                .collect();
            match (held.is_empty(), *in_group) {
                (true, false) => return None,
                (true, true) => "it belongs to a group that roles can be assigned to".to_owned(),
                (false, _) => format!("it holds {}", held.join(", ")),
            }
        }
    };
    Some(refusal(
        "privileged_subject",
        subject.upn.as_str(),
        why,
        "a second administrator decides: then plan with `--override privileged_subject`; the responder app needs a directory role that outranks the account",
    ))
}
