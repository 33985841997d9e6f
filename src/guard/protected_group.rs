//! `protected_group`: members of a protected group are not contained without a person's word.

use super::rules::{GuardRules, SubjectFacts};
use super::verdict::refusal;
use crate::case::{Look, Subject};
use crate::plan::GuardRefusal;

pub(super) fn judge(subject: &Subject, rules: &GuardRules, facts: &SubjectFacts) -> Option<GuardRefusal> {
    if rules.protected_groups.is_empty() {
        return None;
    }
    let why = match &facts.group_ids {
        Look::Read(groups) => {
            let group = groups.iter().find(|group| rules.protected_groups.contains(group))?;
            format!("it is a member of the protected group {group}")
        }
        Look::Unread { why } => format!("its groups could not be read, so it counts as protected: {why}"),
    };
    Some(refusal(
        "protected_group",
        subject.upn.as_str(),
        why,
        "ask the owner of the group; then plan with `--override protected_group`",
    ))
}
