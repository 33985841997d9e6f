//! Guards: rules that refuse. One file each, all pure: evidence and plan in, refusals out. What may be set aside at
//! all is said here, once; nothing is set aside silently.

mod administrators;
mod app;
mod emergency_account;
mod group;
mod location;
mod microsoft_range;
mod network;
mod operator;
mod policy_lint;
mod privileged_subject;
mod protected_group;
mod restricted_unit;
mod rules;
mod special_range;
mod sync_account;
mod verdict;

pub use app::{judge_app, judge_own_app};
pub use group::{judge_group, judge_members};
pub use location::judge_location;
pub use microsoft_range::is_microsofts;
pub use network::{RangeFacts, judge_earlier, judge_range};
pub use policy_lint::lint_policy;
pub use rules::{
    GUARDS, GuardError, GuardInfo, GuardRules, OtherAdministrators, SubjectFacts, check_overrides,
    is_overridable,
};
pub use verdict::{apply_overrides, judge_requests, judge_subject, refusal};
