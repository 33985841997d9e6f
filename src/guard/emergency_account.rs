//! `emergency_account`: the accounts that a company gets back in with are never contained.

use super::rules::GuardRules;
use super::verdict::refusal;
use crate::case::Subject;
use crate::plan::GuardRefusal;

pub(super) fn judge(subject: &Subject, rules: &GuardRules) -> Option<GuardRefusal> {
    let is_named = rules.unresolved_emergency.iter().any(|text| {
        text.eq_ignore_ascii_case(subject.upn.as_str()) || text.eq_ignore_ascii_case(subject.id.as_str())
    });
    (rules.emergency_accounts.contains(&subject.id) || is_named).then(|| {
        refusal(
            "emergency_account",
            subject.upn.as_str(),
            "it is an emergency-access account of this tenant",
            "if it is really compromised, two administrators act in the portal together; take it out of `guards.emergency_accounts` only then",
        )
    })
}
