//! `restricted_unit`: Graph refuses an app's writes to such an account whatever its permissions (identity.md 1.4).

use super::verdict::refusal;
use crate::case::Subject;
use crate::plan::GuardRefusal;

pub(super) fn judge(subject: &Subject) -> Option<GuardRefusal> {
    subject.restricted.then(|| {
        refusal(
            "restricted_unit",
            subject.upn.as_str(),
            "it lies in a restricted management administrative unit: Graph refuses an app's changes to it",
            "an administrator of that unit acts in the portal, or gives the responder app a role at the unit's scope",
        )
    })
}
