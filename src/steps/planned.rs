//! What a step plans, and what it plans under.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::case::{Case, Look, Subject};
use crate::domain::{ActionId, CidrBlock, MethodId, shell_word};
use crate::guard::GuardRules;
use crate::plan::{
    Action, ApprovalMode, Cannot, Delivery, GuardOverride, GuardRefusal, KnownThing, LeftObject, Object,
    PlannedRequest, Undo,
};
use crate::seal::Recipient;

/// What a step plans under.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Id of the step in its playbook.
    pub step_id: &'a str,
    /// Whether a run is contained only with it.
    pub required: bool,
    /// Whether it may run unattended.
    pub approval: ApprovalMode,
    /// The guards' settings.
    pub rules: &'a GuardRules,
    /// Methods to keep, whatever the evidence says.
    pub keep: &'a [MethodId],
    /// Methods to remove, whatever the evidence says.
    pub remove: &'a [MethodId],
    /// Addresses and ranges that were given.
    pub ips_given: &'a [CidrBlock],
    /// Who may open a secret.
    pub recipients: &'a [Recipient],
    /// When a run on record here last contained the account; `Read(None)` where none did.
    pub contained_at: &'a Look<Option<Timestamp>>,
    /// Ids of the Temporary Access Passes that runs on record here have issued for the account.
    pub own_passes: &'a Look<Vec<String>>,
    /// The tenant's present moment.
    pub now: Timestamp,
}

impl Scope<'_> {
    /// The id of one of the step's actions: the step's own, or behind a dot what tells it from its siblings.
    pub fn action_id(&self, key: &str) -> Option<ActionId> {
        let text = if key.is_empty() { self.step_id.to_owned() } else { format!("{}.{key}", self.step_id) };
        text.parse().ok()
    }
}

/// What a step plans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// Changes.
    pub actions: Vec<Action>,
    /// Why there is nothing to change, where there is not.
    pub unchanged: Option<String>,
    /// What was found and is left.
    pub left: Vec<LeftObject>,
    /// What the approver should know.
    pub warnings: Vec<String>,
    /// What stays open even so.
    pub residual_risk: Vec<String>,
    /// What guards refused.
    pub refused: Vec<GuardRefusal>,
    /// What was set aside.
    pub overridden: Vec<GuardOverride>,
    /// Ids of the things that it looked at: what a person may say to keep or to remove.
    pub knows: Vec<String>,
    /// The things of its kind that are there: what comes later is told by them. `None` where it read no list.
    pub known: Option<Vec<KnownThing>>,
}

impl Planned {
    /// Nothing to do.
    pub fn unchanged(why: impl Into<String>) -> Self {
        Self { unchanged: Some(why.into()), ..Self::default() }
    }

    /// Adds an action; one whose id cannot be made is a fault of the playbook reader, and is told.
    pub fn push(&mut self, action: Option<Action>, scope: &Scope<'_>) {
        match action {
            Some(action) => self.actions.push(action),
            None => self
                .warnings
                .push(format!("the step id `{}` makes no action id; the step plans nothing", scope.step_id)),
        }
    }
}

/// An action in the making; what is not said is the default.
pub(super) struct Draft {
    pub key: &'static str,
    pub summary: String,
    pub object: Object,
    pub before: Value,
    pub after: Value,
    pub undo: Undo,
    pub reason: String,
    pub evidence: Vec<String>,
    pub requests: Vec<PlannedRequest>,
}

impl Draft {
    /// Makes the action of a step kind.
    pub fn into_action(self, step: &str, scope: &Scope<'_>) -> Option<Action> {
        let id = scope.action_id(self.key)?;
        Some(self.with_id(id, step, scope))
    }

    /// The same with an id that was made elsewhere.
    pub fn with_id(self, id: ActionId, step: &str, scope: &Scope<'_>) -> Action {
        Action {
            id,
            step: step.to_owned(),
            summary: self.summary,
            object: self.object,
            before: self.before,
            after: self.after,
            needs: Vec::new(),
            required: scope.required,
            approval: scope.approval,
            reversible: matches!(self.undo, Undo::Requests(_)),
            undo: self.undo,
            reason: self.reason,
            evidence: self.evidence,
            requests: self.requests,
            cannot: None,
            asks: None,
            deliver: None,
            watch: None,
        }
    }
}

/// The subject as an action's object.
pub(super) fn user_object(subject: &Subject) -> Object {
    Object { kind: "user".to_owned(), id: Some(subject.id.to_string()), name: subject.upn.to_string() }
}

/// An action that nobody can do from here, with what a person does instead.
pub(super) fn cannot(
    scope: &Scope<'_>,
    step: &str,
    subject: &Subject,
    summary: String,
    why: &str,
    instead: Vec<String>,
) -> Option<Action> {
    let draft = Draft {
        key: "",
        summary,
        object: user_object(subject),
        before: Value::Null,
        after: Value::Null,
        undo: Undo::Impossible { why: "nothing is done from here".to_owned() },
        reason: why.to_owned(),
        evidence: Vec::new(),
        requests: Vec::new(),
    };
    let mut action = draft.into_action(step, scope)?;
    action.cannot = Some(Cannot { why: why.to_owned(), instead, ..Cannot::default() });
    Some(action)
}

/// Marks where a secret goes.
pub(super) fn delivering(action: Option<Action>, delivery: Delivery) -> Option<Action> {
    action.map(|mut action| {
        action.deliver = Some(delivery);
        action
    })
}

/// A time as the plan keeps it.
pub(super) fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

/// What the approver should know where no run on record here contained the account.
pub(super) fn not_contained(case: &Case, scope: &Scope<'_>) -> Option<String> {
    let why = match scope.contained_at {
        Look::Read(Some(_)) => return None,
        Look::Read(None) => "no run in this store ended contained for the account".to_owned(),
        Look::Unread { why } => format!("whether a run contained the account is not known: {why}"),
    };
    Some(format!(
        "{why}: be sure that {} is contained before somebody is let in (`stanch run evict --user {}`)",
        case.subject.upn,
        shell_word(case.subject.upn.as_str())
    ))
}
