//! One concrete change to one object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::PlannedRequest;
use crate::domain::{ActionId, UserId};

/// The object that an action changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What it is: `user`, `authentication method`, `named location`, `policy`.
    pub kind: String,
    /// Its id in the tenant; absent for one that the action makes.
    pub id: Option<String>,
    /// Its name: show it inert.
    pub name: String,
}

/// Whether a step may run without a person's yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// A person says yes.
    #[default]
    Always,
    /// It may run unattended from a webhook.
    Auto,
}

/// How an action is taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Undo {
    /// By these requests.
    Requests(Vec<PlannedRequest>),
    /// It cannot be taken back.
    Impossible {
        /// Why, in plain words.
        why: String,
    },
}

/// Why an action cannot be done by us at all, and what a person does instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cannot {
    /// Why.
    pub why: String,
    /// What to do instead, one line or command each, filled in.
    pub instead: Vec<String>,
    /// Commands for it in `PowerShell`, one line each, filled in; a short preview only counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Whether it shuts a way in, so that sessions have to be revoked once more when a person has done it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub then_revoke: bool,
}

impl Cannot {
    /// What a person does, line by line, the commands last.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.instead.iter().chain(&self.commands).map(String::as_str)
    }
}

/// What is asked of What-If before a policy is enforced: whom it must hit, and whom it must spare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The user whom it must apply to.
    pub applies_to: UserId,
    /// The emergency accounts that it must not apply to.
    pub spares: Vec<UserId>,
    /// The address that they come from, where that matters.
    pub from: Option<String>,
    /// The app that they sign in to; absent where they register security info.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The kind of client.
    pub client: String,
}

/// Where a secret that an action makes goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// To nobody: scramble and forget.
    Nobody,
    /// Shown once, on the terminal of whoever applies.
    Terminal,
    /// Sealed, so that these alone can open it.
    Sealed {
        /// Public keys of age or SSH.
        recipients: Vec<String>,
    },
}

/// What an action waits to see: somebody else's doing. It sends nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// For how long, in seconds; what has not come by then is told as open.
    pub within_seconds: u64,
}

/// One change, as INTERFACE.md lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Id within the plan.
    pub id: ActionId,
    /// Name of the step's kind: `revoke_sessions`.
    pub step: String,
    /// What it does, in one line.
    pub summary: String,
    /// What it changes.
    pub object: Object,
    /// The state it expects before: what the step's look projects.
    pub before: Value,
    /// The state it must see after.
    pub after: Value,
    /// Actions that must have ended first.
    pub needs: Vec<ActionId>,
    /// Whether a run is contained only when this is verified.
    pub required: bool,
    /// Whether it may run unattended.
    pub approval: ApprovalMode,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// How.
    pub undo: Undo,
    /// Why it is planned.
    pub reason: String,
    /// What it rests on, one fact each.
    pub evidence: Vec<String>,
    /// What it sends, in order.
    pub requests: Vec<PlannedRequest>,
    /// Set where it cannot be done by us: then nothing is sent, and a person does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot: Option<Cannot>,
    /// What is asked of What-If right before it is sent; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Question>,
    /// Where the secret that it makes goes; absent where it makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Delivery>,
    /// What it waits to see; absent where it changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

impl Action {
    /// The id of its step in the playbook: what stands before the first dot of its own.
    pub fn step_id(&self) -> &str {
        self.id.as_str().split('.').next().unwrap_or_default()
    }

    /// Whether it changes something: what only watches does not, nor what a person has to do.
    pub fn is_change(&self) -> bool {
        self.cannot.is_none() && self.watch.is_none()
    }
}
