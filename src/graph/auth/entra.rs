//! Entra's error body at the token endpoint, with what the standard's leaves out (policy-logs-auth.md 8.8).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the token endpoint said. The description is not kept: it can echo identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntraRefusal {
    /// The standard's word: `invalid_client`.
    #[serde(default)]
    pub error: String,
    /// Entra's numbers.
    #[serde(default)]
    pub error_codes: Vec<u64>,
    /// Id of the trace, for Microsoft's support.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// Id of the correlation.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// Finer word, for interactive failures.
    #[serde(default)]
    pub suberror: Option<String>,
    /// What a policy asks for, as JSON text.
    #[serde(default)]
    pub claims: Option<String>,
}

impl EntraRefusal {
    /// Whether one of the numbers is this.
    pub(super) fn has(&self, code: u64) -> bool {
        self.error_codes.contains(&code)
    }
}

impl fmt::Display for EntraRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Entra answered `{}`", crate::domain::inert(&self.error))?;
        for code in &self.error_codes {
            write!(formatter, ", AADSTS{code}")?;
        }
        if let Some(trace) = &self.trace_id {
            write!(formatter, ", trace {}", crate::domain::inert(trace))?;
        }
        if let Some(correlation) = &self.correlation_id {
            write!(formatter, ", correlation {}", crate::domain::inert(correlation))?;
        }
        Ok(())
    }
}

impl std::error::Error for EntraRefusal {}

impl oauth2::ErrorResponse for EntraRefusal {}
