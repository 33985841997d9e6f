//! For whom a policy is: the subject, or a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::GroupId;
use crate::graph::Reading;
use crate::policy::PolicyState;

/// For whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The compromised user.
    #[default]
    Subject,
    /// The members of a group, by object id.
    Group(#[schemars(with = "String")] GroupId),
}

impl Target {
    /// Whom it means, by the name that was given.
    pub(super) fn named(&self, user: &str) -> String {
        match self {
            Self::Subject => user.to_owned(),
            Self::Group(id) => format!("group {id}"),
        }
    }

    /// What a step for it reads: a group is looked up too, with its members.
    pub(super) fn reads(&self, usual: &[Reading]) -> Vec<Reading> {
        let group = matches!(self, Self::Group(_)).then_some(Reading::Groups);
        usual.iter().copied().chain(group).collect()
    }
}

/// How far a policy of ours goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// Evaluated and logged, not enforced.
    #[default]
    ReportOnly,
    /// Created report-only, asked about by What-If, then enforced.
    Enabled,
}

impl Rollout {
    /// The state that it ends in.
    pub(super) fn state(self) -> PolicyState {
        match self {
            Self::ReportOnly => PolicyState::ReportOnly,
            Self::Enabled => PolicyState::Enabled,
        }
    }

    /// The state in the portal's words.
    pub(super) fn in_portal(self) -> &'static str {
        match self {
            Self::ReportOnly => "Report-only",
            Self::Enabled => "On",
        }
    }
}
