//! `sync_account`: without the synchronization account no password and no user comes from the company's directory.

use super::verdict::refusal;
use crate::case::Subject;
use crate::plan::GuardRefusal;

/// Template id of the role Directory Synchronization Accounts.
const SYNC_ROLE: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";
const PREFIXES: [&str; 2] = ["sync_", "adtoaadsyncserviceaccount"];

pub(super) fn judge(subject: &Subject) -> Option<GuardRefusal> {
    let upn = subject.upn.as_str().to_lowercase();
    let by_role = subject
        .roles
        .read()
        .is_some_and(|roles| roles.iter().any(|role| role.template_id.eq_ignore_ascii_case(SYNC_ROLE)));
    (by_role || PREFIXES.iter().any(|prefix| upn.starts_with(prefix))).then(|| {
        refusal(
            "sync_account",
            subject.upn.as_str(),
            "it is the account that synchronizes the company's directory",
            "stop Entra Connect and change its account there: disabling it here stops all synchronization",
        )
    })
}
