//! Ids that a person keeps or removes and that no step found: told with the nearest one, never taken for it. A playbook
//! looks at some kinds of things and at others not, and what could not be read may hold them all the same.

use super::traces::TraceKind;
use crate::domain::{MethodId, nearest};
use crate::playbook::BoundStep;
use crate::steps::Planned;

/// Says which of the ids no step found, and who would look for them.
pub(super) fn unknown_ids(
    asked: [(&Vec<MethodId>, &'static str); 2],
    planned: &[(BoundStep, Planned)],
) -> Vec<String> {
    let known: Vec<&str> =
        planned.iter().flat_map(|(_, planned)| &planned.knows).map(String::as_str).collect();
    let all = asked.into_iter().flat_map(|(ids, flag)| ids.iter().map(move |id| (id.as_str(), flag)));
    all.filter(|(id, _)| !known.contains(id))
        .map(|(id, flag)| match nearest(id, known.iter().copied()) {
            Some(near) => format!("{flag} {id}: no step found anything with that id; did you mean `{near}`?"),
            None => format!("{flag} {id}: {}", why(planned)),
        })
        .collect()
}

/// Why nothing has such an id: there is none, or nobody looked.
fn why(planned: &[(BoundStep, Planned)]) -> String {
    let (mut seen, mut unread, mut not_asked) = (Vec::new(), Vec::new(), Vec::new());
    for kind in TraceKind::ALL {
        let own: Vec<&Planned> =
            planned.iter().filter(|(step, _)| step.step == kind.step()).map(|(_, planned)| planned).collect();
        let is_read = |planned: &&Planned| !planned.knows.is_empty() || planned.unchanged.is_some();
        if own.is_empty() {
            not_asked.push(kind);
        } else if own.iter().any(is_read) {
            seen.push(kind.many());
        } else {
            unread.push(kind.many());
        }
    }
    if unread.is_empty() && not_asked.is_empty() {
        return "the user has nothing with that id".to_owned();
    }
    let mut parts = Vec::new();
    if !seen.is_empty() {
        parts.push(format!("none of the user's {} has that id", seen.join(", ")));
    }
    if !unread.is_empty() {
        parts.push(format!("{} could not be read", unread.join(", ")));
    }
    if !not_asked.is_empty() {
        let others: Vec<String> =
            not_asked.iter().map(|kind| format!("{} by `{}`", kind.many(), kind.step())).collect();
        parts.push(format!(
            "what this playbook does not look at is looked at by other steps: {}",
            others.join(", ")
        ));
    }
    parts.join("; ")
}
