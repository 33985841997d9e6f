//! What Identity Protection holds a user for.

use super::fetch::Reader;
use super::field::{flag, text};
use crate::domain::UserId;
use crate::graph::error::GraphError;

/// A user's risk, in Graph's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskyUser {
    /// `riskLevel`: low, medium, high, hidden, none.
    pub level: String,
    /// `riskState`: none, confirmedSafe, remediated, dismissed, atRisk, confirmedCompromised.
    pub state: String,
    /// Whether something that was asked for is not done yet.
    pub processing: bool,
}

impl RiskyUser {
    /// Whether an administrator's word stands: the user counts as compromised, and the service is done with it.
    pub fn is_confirmed(&self) -> bool {
        self.state == "confirmedCompromised" && self.level == "high" && !self.processing
    }
}

impl Reader {
    /// Reads a user's risk; `None` for one who never had any (v1.0,
    /// [riskyUser: get](https://learn.microsoft.com/graph/api/riskyuser-get)).
    ///
    /// # Errors
    /// When the call fails: without Entra ID P2 it is refused.
    pub async fn risky_user(&self, user: &UserId) -> Result<Option<RiskyUser>, GraphError> {
        let found = self.object_if_any(&format!("/v1.0/identityProtection/riskyUsers/{user}")).await?;
        Ok(found.map(|row| RiskyUser {
            level: text(&row, "/riskLevel"),
            state: text(&row, "/riskState"),
            processing: flag(&row, "/isProcessing").unwrap_or_default(),
        }))
    }
}
