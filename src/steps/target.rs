//! For whom a policy is: the subject, or a group.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::GroupId;

/// For whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The compromised user.
    #[default]
    Subject,
    /// The members of a group, by object id.
    Group(#[schemars(with = "String")] GroupId),
}

/// How far a policy of ours goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// Evaluated and logged, not enforced.
    #[default]
    ReportOnly,
    /// Created report-only, asked about by What-If, then enforced.
    Enabled,
}
