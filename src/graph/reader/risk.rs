//! What Identity Protection holds a user for.

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::Reader;
use super::field::{flag, moment, spell_moment, text, text_if_any};
use crate::case::RiskDetection;
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

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

    /// Reads what was detected about a user from a moment on, each once, oldest first (v1.0,
    /// [riskDetection: list](https://learn.microsoft.com/graph/api/riskdetection-list)). P1 shows most of them as
    /// `generic`.
    ///
    /// # Errors
    /// When the call fails: without Entra ID P1 or P2 it is refused.
    pub async fn risk_detections(
        &self,
        user: &UserId,
        from: Timestamp,
    ) -> Result<Vec<RiskDetection>, GraphError> {
        let filter =
            format!("userId eq {} and detectedDateTime ge {}", quote(user.as_str()), spell_moment(from));
        let target = with_query("/v1.0/identityProtection/riskDetections", &[("$filter", &filter)]);
        let rows = self.list(&target, &[]).await?;
        let mut found: Vec<RiskDetection> = rows.iter().filter_map(parse_detection).collect();
        found.sort_by(|left, right| (left.at, &left.id).cmp(&(right.at, &right.id)));
        found.dedup_by(|left, right| left.id == right.id);
        Ok(found)
    }
}

/// One that has neither an id nor a moment can be told from no other.
fn parse_detection(row: &Value) -> Option<RiskDetection> {
    Some(RiskDetection {
        id: text_if_any(row, "/id")?,
        at: moment(row, "/activityDateTime").or_else(|| moment(row, "/detectedDateTime"))?,
        kind: text(row, "/riskEventType"),
        level: text(row, "/riskLevel"),
        state: text(row, "/riskState"),
        address: text_if_any(row, "/ipAddress"),
        sign_in: text_if_any(row, "/requestId"),
    })
}
