//! Consent: a person's yes, bound to a plan's digest, and the only way from a plan to an approved one.

mod approved;
mod consent;

pub use approved::{ApprovalError, ApprovedPlan, ApprovedRequest, approve};
pub use consent::{Consent, ConsentKind, ConsumedConsent};
