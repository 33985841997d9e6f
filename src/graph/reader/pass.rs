//! Temporary Access Passes: those of a user, and the policy that bounds them. A pass's code is never read: Graph shows
//! it once, to whoever makes it.

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{flag, moment, text};
use crate::domain::{GroupId, MethodId, UserId};
use crate::graph::error::GraphError;

/// A pass of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Its id as a method.
    pub id: MethodId,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether it signs in now.
    pub usable: bool,
    /// Why, or why not: `EnabledByPolicy`, `DisabledByPolicy`, `Expired`, `NotYetValid`, `OneTimeUsed`.
    pub reason: String,
}

/// What the tenant lets a pass be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPolicy {
    /// Whether passes sign in at all.
    pub enabled: bool,
    /// The shortest lifetime, in minutes.
    pub shortest: i64,
    /// The longest lifetime, in minutes.
    pub longest: i64,
    /// Groups whose members may use one; `None`: everybody may.
    pub groups: Option<Vec<GroupId>>,
}

impl Reader {
    /// Reads a user's passes: one at most (v1.0,
    /// [list](https://learn.microsoft.com/graph/api/authentication-list-temporaryaccesspassmethods)).
    ///
    /// # Errors
    /// When the call fails, or a pass makes no sense.
    pub async fn passes(&self, user: &UserId) -> Result<Vec<Pass>, GraphError> {
        let target = format!("/v1.0/users/{user}/authentication/temporaryAccessPassMethods");
        let rows = self.list(&target, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Pass {
                    id: text(row, "/id")
                        .parse()
                        .map_err(|_| malformed(&target, "a pass without an id", None))?,
                    created_at: moment(row, "/createdDateTime"),
                    usable: flag(row, "/isUsable").unwrap_or_default(),
                    reason: text(row, "/methodUsabilityReason"),
                })
            })
            .collect()
    }

    /// Reads what the tenant lets a pass be (v1.0,
    /// [policy](https://learn.microsoft.com/graph/api/temporaryaccesspassauthenticationmethodconfiguration-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn pass_policy(&self) -> Result<PassPolicy, GraphError> {
        const TARGET: &str = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass";
        let policy = self.object(TARGET).await?;
        let minutes = |key: &str| {
            policy
                .get(key)
                .and_then(Value::as_i64)
                .ok_or_else(|| malformed(TARGET, "a pass policy without its range of lifetimes", None))
        };
        let targets: Vec<String> = policy
            .get("includeTargets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|target| text(target, "/id"))
            .collect();
        let is_for_all = targets.iter().any(|id| id == "all_users");
        Ok(PassPolicy {
            enabled: text(&policy, "/state") == "enabled",
            shortest: minutes("minimumLifetimeInMinutes")?,
            longest: minutes("maximumLifetimeInMinutes")?,
            groups: (!is_for_all).then(|| targets.iter().filter_map(|id| id.parse().ok()).collect()),
        })
    }
}
