//! What the doctor finds: what it is, how it stands, for which steps, and how to mend it.

use serde::Serialize;

use crate::domain::with_causes;
use crate::graph::{GRAPH_APP_ID, GraphError, app_role};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// As it should be.
    Ok,
    /// It works, and could be better or safer.
    Warning,
    /// What the chosen playbooks need is not there.
    Missing,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// What was looked at: `permissions`, `clock`, …
    pub check: &'static str,
    /// How it stands.
    pub state: FindingState,
    /// What was found, in a sentence.
    pub what: String,
    /// The steps that it concerns; empty: all of them.
    pub steps: Vec<String>,
    /// What to do about it: a command where one does it.
    pub fix: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: FindingState::Ok, what: what.into(), steps: Vec::new(), fix: None }
    }

    /// It works, and could be better or safer.
    pub fn warning(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            state: FindingState::Warning,
            what: what.into(),
            steps: Vec::new(),
            fix: Some(fix.into()),
        }
    }

    /// What is needed is not there.
    pub fn missing(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: FindingState::Missing, ..Self::warning(check, what, fix) }
    }

    /// It could not be looked at: `what` is not known.
    pub fn unread(check: &'static str, what: &str, error: &GraphError) -> Self {
        Self::warning(check, format!("{what} is not known: {}", with_causes(error)), fix_of(error))
    }

    /// The same, for these steps alone.
    #[must_use]
    pub fn for_steps(mut self, steps: Vec<String>) -> Self {
        self.steps = steps;
        self
    }
}

/// What to do about a read that failed.
pub(super) fn fix_of(error: &GraphError) -> String {
    error.hint().unwrap_or_else(|| "try again".to_owned())
}

/// The commands that grant an app a permission, with an administrator's consent.
pub fn grant_line(client_id: &str, permission: &str) -> Option<String> {
    app_role(permission).map(|role| {
        format!(
            "az ad app permission add --id {client_id} --api {GRAPH_APP_ID} --api-permissions {}=Role && az ad app permission admin-consent --id {client_id}",
            role.id
        )
    })
}
