//! Consent: a yes, bound to a plan's digest, and the only way from a plan to an approved one. A signed yes is an SSH
//! signature over a statement; who may give one, an `allowed_signers` file says.

mod allowed_signers;
mod approved;
mod certificate;
mod consent;
mod error;
mod key;
mod pattern;
mod sign;
mod signature;
mod signer_line;
mod signers;
mod statement;
mod wire;

pub use allowed_signers::{AllowedSigners, AllowedSignersError, Unlisted};
pub use approved::{
    ApprovedPlan, ApprovedRequest, approve, check_approval, heed_rejections, names_to_resolve,
};
pub use certificate::{Certificate, CertificateFault};
pub use consent::{AutoYes, Consent, ConsentKind, ConsumedConsent, Given, Yes};
pub use error::ApprovalError;
pub use key::KeyFault;
pub use sign::{can_sign, sign};
pub use signature::{NAMESPACE, SignatureError, SignedBy, verify};
pub use signer_line::LineFault;
pub use signers::{People, Person, Signers, Uncounted, WhyUncounted};
pub use statement::{
    Approval, ApprovalFileError, Decision, LONGEST_APPROVAL, Nonce, NonceError, STATEMENT_FORMAT, Statement,
};
