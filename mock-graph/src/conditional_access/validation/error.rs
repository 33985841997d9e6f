//! Refusals, and where in the envelope each puts its text.

use crate::api::Fail;

/// Why a named location or a policy cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A body of the wrong shape. The service says this one level deeper.
    #[error(
        "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of ConditionalAccessPolicy type. {0}"
    )]
    Schema(String),
    /// Not exactly one of applications, user actions and authentication contexts.
    #[error(
        "1011: Policy must specify exactly one of includeApplications, includeUserActions or includeAuthenticationContextClassReferences."
    )]
    Target,
    /// A control that does not go with the conditions or with other controls.
    #[error("1032: ConditionalActionPolicy validation failed due to {0}.")]
    Control(&'static str),
    /// A rule that is missing or wrong without a number that is known.
    #[error("{0}")]
    Rule(String),
    /// Fields that only beta has.
    #[error(
        "1038: Policy contains preview features. Use the Canary endpoint to create or update this policy. ({0})"
    )]
    Preview(String),
    /// Risk without P2.
    #[error(
        "1039: Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and try again."
    )]
    PremiumP2,
    /// No such named location.
    #[error("1040: NamedLocation with id {0} does not exist in the directory.")]
    Location(String),
    /// No P1, or no workload identities premium.
    #[error("Your tenant is not licensed for this feature. Please upgrade your subscription to access it.")]
    Unlicensed,
    /// Security defaults are on.
    #[error(
        "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy."
    )]
    SecurityDefaults,
    /// One too many.
    #[error("The tenant holds the maximum of {0} objects of this kind.")]
    TooMany(usize),
}

const MALFORMED: &str = "The server could not process the request because it is malformed or incorrect.";

impl From<WriteError> for Fail {
    fn from(error: WriteError) -> Self {
        let text = error.to_string();
        match error {
            WriteError::Unlicensed => Self::new(403, "AccessDenied", text),
            // Newer replies carry the numbered text in the outer message.
            WriteError::Location(_)
            | WriteError::PremiumP2
            | WriteError::Preview(_)
            | WriteError::SecurityDefaults
            | WriteError::TooMany(_) => Self::new(400, "BadRequest", text),
            WriteError::Schema(_) | WriteError::Target | WriteError::Control(_) | WriteError::Rule(_) => {
                Self::new(400, "BadRequest", MALFORMED).with_inner(text)
            }
        }
    }
}
