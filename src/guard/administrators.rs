//! `last_administrator`, `few_administrators`: whoever is contained, somebody must be left who can undo it.
//!
//! Emergency accounts count for the first and not for the second: they are there for the day on which nobody else is
//! left, and one should hear that this is the day.

use super::rules::{OtherAdministrators, SubjectFacts};
use super::verdict::refusal;
use crate::case::{Look, Subject};
use crate::plan::GuardRefusal;

/// How many regular ones are to be left.
const ENOUGH: usize = 2;

pub(super) fn judge(subject: &Subject, facts: &SubjectFacts) -> Option<GuardRefusal> {
    let few = |why: String| {
        refusal(
            "few_administrators",
            subject.upn.as_str(),
            why,
            "make sure that somebody who can undo this can sign in; then plan with `--override few_administrators`",
        )
    };
    match facts.other_administrators.as_ref()? {
        Look::Unread { why } => {
            Some(few(format!("it is a Global Administrator, and the others could not be read: {why}")))
        }
        Look::Read(OtherAdministrators { regular: 0, emergency: 0 }) => Some(refusal(
            "last_administrator",
            subject.upn.as_str(),
            "it is the only Global Administrator who can sign in: nobody could undo this, or anything else",
            "make another enabled account Global Administrator first",
        )),
        Look::Read(others) if others.regular < ENOUGH => Some(few(format!(
            "it is a Global Administrator; of the others {} and {} can sign in",
            count(others.regular, "regular one"),
            count(others.emergency, "emergency account"),
        ))),
        Look::Read(_) => None,
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
