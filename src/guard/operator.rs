//! `operator_is_subject`: nobody contains their own account by accident.

use super::rules::SubjectFacts;
use super::verdict::refusal;
use crate::case::Subject;
use crate::plan::GuardRefusal;

pub(super) fn judge(subject: &Subject, facts: &SubjectFacts) -> Option<GuardRefusal> {
    (facts.operator_id.as_ref() == Some(&subject.id)).then(|| {
        refusal(
            "operator_is_subject",
            subject.upn.as_str(),
            "it is the account of whoever asks",
            "let a colleague do it; or plan with `--override operator_is_subject`",
        )
    })
}
