//! Conditional Access policies, and whether security defaults are on.

use serde_json::Value;

use super::fetch::{Reader, malformed, withheld};
use super::field::flag;
use crate::domain::PolicyId;
use crate::graph::error::GraphError;
use crate::policy::ConditionalAccessPolicy;

const POLICIES: &str = "/identity/conditionalAccess/policies";
/// v1.0 refuses to show a policy with preview features (policy-logs-auth.md 2.3).
const HAS_PREVIEW_FEATURES: u16 = 1037;

impl Reader {
    /// Reads all policies (v1.0, or beta where v1.0 refuses for a policy with preview features;
    /// [list](https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies)).
    ///
    /// # Errors
    /// When the call fails, or a policy makes no sense.
    pub async fn policies(&self) -> Result<Vec<ConditionalAccessPolicy>, GraphError> {
        let stable = format!("/v1.0{POLICIES}");
        let (target, rows) = match self.list(&stable, &[]).await {
            Err(error) if is_for_beta(&error) => {
                let beta = format!("/beta{POLICIES}");
                let rows = self.list(&beta, &[]).await?;
                (beta, rows)
            }
            outcome => (stable, outcome?),
        };
        rows.into_iter().map(|row| parse_policy(&target, row)).collect()
    }

    /// Reads one policy (v1.0, or beta as above;
    /// [get](https://learn.microsoft.com/graph/api/conditionalaccesspolicy-get)).
    ///
    /// # Errors
    /// When the call fails, or the policy makes no sense.
    pub async fn policy(&self, id: &PolicyId) -> Result<Option<ConditionalAccessPolicy>, GraphError> {
        let target = format!("/v1.0{POLICIES}/{id}");
        let found = match self.object_if_any(&target).await {
            Err(error) if is_for_beta(&error) => self.object_if_any(&format!("/beta{POLICIES}/{id}")).await?,
            outcome => outcome?,
        };
        found.map(|found| parse_policy(&target, Value::clone(&found))).transpose()
    }

    /// Tells whether security defaults are on (v1.0,
    /// [get](https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get)).
    ///
    /// # Errors
    /// When the call fails or does not say.
    pub async fn security_defaults_on(&self) -> Result<bool, GraphError> {
        let target = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";
        let found = self.object(target).await?;
        flag(&found, "/isEnabled").ok_or_else(|| withheld(target, "isEnabled"))
    }
}

fn is_for_beta(error: &GraphError) -> bool {
    error.number() == Some(HAS_PREVIEW_FEATURES)
        || error.answer().is_some_and(|answer| {
            answer.status == 400 && answer.message.to_ascii_lowercase().contains("preview features")
        })
}

fn parse_policy(target: &str, row: Value) -> Result<ConditionalAccessPolicy, GraphError> {
    ConditionalAccessPolicy::from_graph(row).map_err(|error| malformed(target, "no policy", Some(error)))
}
