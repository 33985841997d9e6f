//! All guards over one subject or one plan, and what a person set aside.

use serde_json::Value;

use super::rules::{GuardRules, SubjectFacts, is_overridable};
use super::{
    administrators, emergency_account, network, operator, policy_lint, privileged_subject, protected_group,
    restricted_unit, sync_account,
};
use crate::case::Subject;
use crate::domain::CidrBlock;
use crate::plan::{GuardOverride, GuardRefusal, Plan, Verb};

/// Asks every guard about the subject.
pub fn judge_subject(subject: &Subject, rules: &GuardRules, facts: &SubjectFacts) -> Vec<GuardRefusal> {
    [
        emergency_account::judge(subject, rules),
        sync_account::judge(subject),
        restricted_unit::judge(subject),
        privileged_subject::judge(subject),
        administrators::judge(subject, facts),
        operator::judge(subject, facts),
        protected_group::judge(subject, rules, facts),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Asks the guards about what a plan would send, by its bodies alone: the last look before anything leaves.
pub fn judge_requests(plan: &Plan, rules: &GuardRules) -> Vec<GuardRefusal> {
    let mut refused = Vec::new();
    for request in plan.actions.iter().flat_map(|action| &action.requests) {
        let ranges = request.body.get("ipRanges").and_then(Value::as_array).into_iter().flatten();
        for text in ranges.filter_map(|range| range.get("cidrAddress").and_then(Value::as_str)) {
            match CidrBlock::parse_masking(text) {
                Ok((block, _)) => refused.extend(network::judge_alone(&block, rules)),
                Err(error) => {
                    refused.push(refusal(
                        "special_purpose_range",
                        text,
                        error.to_string(),
                        "make a new plan",
                    ));
                }
            }
        }
        if request.method == Verb::Post && request.path.ends_with("/conditionalAccess/policies") {
            refused.extend(policy_lint::lint_policy(&request.body, rules));
        }
    }
    refused
}

/// Parts refusals into those that stand and those that a person set aside, on the record.
pub fn apply_overrides(
    refusals: Vec<GuardRefusal>,
    rules: &GuardRules,
) -> (Vec<GuardRefusal>, Vec<GuardOverride>) {
    let is_aside =
        |refusal: &GuardRefusal| is_overridable(&refusal.guard) && rules.overrides.contains(&refusal.guard);
    let (aside, standing): (Vec<_>, Vec<_>) = refusals.into_iter().partition(is_aside);
    let overridden = aside
        .into_iter()
        .map(|refusal| GuardOverride { guard: refusal.guard, object: refusal.object, why: refusal.why })
        .collect();
    (standing, overridden)
}

/// Makes a refusal; which step wanted it is the planner's to say.
pub fn refusal(guard: &str, object: &str, why: impl Into<String>, next: impl Into<String>) -> GuardRefusal {
    GuardRefusal {
        guard: guard.to_owned(),
        object: object.to_owned(),
        why: why.into(),
        next: next.into(),
        step: None,
        holds_back: false,
    }
}
