//! A policy of ours on its way: created report-only (or disabled, where Graph rehearses nothing), asked about by What-If, then enforced. What-If can only evaluate
//! policies that exist (policy-logs-auth.md 3.1), so it stands between the two.

use serde_json::{Value, json};

use super::observe::{Attempt, Seen};
use super::planned::{Draft, Planned, Scope};
use crate::domain::{ActionId, PolicyId, UserId};
use crate::graph::{GraphError, Reader, SignInFor, WhatIf, request};
use crate::guard::refusal;
use crate::plan::{Action, Object, Question, Undo, made_objects_of};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

/// A policy that a step wants.
pub(super) struct Wanted {
    /// The body as it is created, state left out.
    pub body: Value,
    /// Its name: ours are found again by it.
    pub name: String,
    /// Whether it is enforced in the end.
    pub enforce: bool,
    /// The state that it begins in: report-only, or, where Graph rehearses nothing, disabled. What-If says nothing of a
    /// disabled policy: then it is asked once the policy is enforced.
    pub rehearsal: PolicyState,
    /// A sign-in that it must apply to, and users whom it must spare.
    pub question: Question,
    /// Why.
    pub reason: String,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What it does, in words.
    pub words: Words,
}

/// What a policy does, in words.
pub(super) struct Words {
    /// For whom.
    pub whom: String,
    /// On which sign-ins.
    pub when: String,
    /// What it does to them.
    pub effect: &'static str,
}

const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";
const ENABLED: &str = "enabled";
const DISABLED: &str = "disabled";

/// Plans the policy behind other actions of the step: created, or one of ours that is there already taken up.
/// Returns why there is nothing to do, where there is nothing.
pub(super) fn plan(
    wanted: &Wanted,
    existing: &[ConditionalAccessPolicy],
    behind: &[ActionId],
    step: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Option<String> {
    let ours: Vec<&ConditionalAccessPolicy> =
        existing.iter().filter(|policy| policy.display_name == wanted.name).collect();
    match ours.as_slice() {
        [] => {
            create(wanted, behind, step, scope, planned);
            None
        }
        [own] => adopt(wanted, own, behind, step, scope, planned),
        _ => {
            planned.refused.push(refusal(
                "policy_ambiguous",
                &wanted.name,
                format!("{} policies are called so: none is touched", ours.len()),
                "delete all but one, then plan again",
            ));
            Some(format!("more than one policy is called `{}`", wanted.name))
        }
    }
}

fn with_state(body: &Value, state: &str) -> Value {
    let mut body = body.clone();
    if let Some(entries) = body.as_object_mut() {
        entries.insert("state".to_owned(), state.into());
    }
    body
}

fn create(wanted: &Wanted, behind: &[ActionId], step: &str, scope: &Scope<'_>, planned: &mut Planned) {
    // A step whose only action is the policy gives it its own id.
    let key = if behind.is_empty() { "" } else { "policy" };
    let Some(id) = scope.action_id(key) else { return planned.push(None, scope) };
    let placeholder = format!("${{actions.{id}.id}}");
    let draft = Draft {
        key: "",
        summary: format!("Create the policy `{}`, {}", wanted.name, words_for(&wanted.rehearsal)),
        object: Object { kind: "policy".to_owned(), id: None, name: wanted.name.clone() },
        before: Value::Null,
        after: json!({ "state": wanted.rehearsal.as_graph(), "for": wanted.words.whom, "when": wanted.words.when, "effect": wanted.words.effect }),
        undo: Undo::Requests(vec![request::delete_policy(&placeholder)]),
        reason: wanted.reason.clone(),
        evidence: wanted.evidence.clone(),
        requests: vec![request::create_policy(with_state(&wanted.body, wanted.rehearsal.as_graph()))],
    };
    let mut action = draft.with_id(id.clone(), step, scope);
    action.needs = behind.to_vec();
    action.asks = (!wanted.enforce).then(|| wanted.question.clone());
    planned.actions.push(action);
    if wanted.enforce {
        enforce(wanted, &placeholder, None, vec![id], step, scope, planned);
    }
}

fn enforce(
    wanted: &Wanted,
    policy: &str,
    known: Option<&PolicyId>,
    needs: Vec<ActionId>,
    step: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let draft = Draft {
        key: "enforce",
        summary: format!("Enforce the policy `{}`", wanted.name),
        object: Object {
            kind: "policy".to_owned(),
            id: known.map(ToString::to_string),
            name: wanted.name.clone(),
        },
        before: json!({ "state": wanted.rehearsal.as_graph() }),
        after: json!({ "state": ENABLED }),
        undo: Undo::Requests(vec![request::set_policy_state(policy, &wanted.rehearsal)]),
        reason: if wanted.rehearsal == PolicyState::Disabled {
            "a policy that is not enforced stops nobody; what Graph cannot rehearse, What-If is asked about right after"
        } else {
            "a policy that is not enforced stops nobody; What-If is asked first"
        }
        .to_owned(),
        evidence: Vec::new(),
        requests: vec![request::set_policy_state(policy, &PolicyState::Enabled)],
    };
    let Some(mut action) = draft.into_action(step, scope) else { return planned.push(None, scope) };
    action.needs = needs;
    action.asks = Some(wanted.question.clone());
    planned.actions.push(action);
}

/// Takes up a policy of ours that is there already, instead of making a second one.
fn adopt(
    wanted: &Wanted,
    own: &ConditionalAccessPolicy,
    behind: &[ActionId],
    step: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Option<String> {
    if !is_like(&without_platforms(&wanted.body), &own.raw) {
        planned.refused.push(refusal(
            "policy_changed",
            &wanted.name,
            "it is there and was changed since: it is not touched",
            "delete or rename it to have a new one made, then plan again",
        ));
        return Some(format!("the policy `{}` was changed by somebody", wanted.name));
    }
    match (&own.state, wanted.enforce) {
        (PolicyState::Enabled, _) => Some(format!("our policy `{}` is enforced already", wanted.name)),
        (PolicyState::ReportOnly, false) => {
            Some(format!("our policy `{}` is report-only already", wanted.name))
        }
        (state, true) if *state == wanted.rehearsal => {
            let place = planned.actions.len();
            enforce(wanted, own.id.as_str(), Some(&own.id), behind.to_vec(), step, scope, planned);
            if let Some(action) = planned.actions.get_mut(place) {
                widen(wanted, own, action);
            }
            None
        }
        // What-If says nothing of a disabled policy: the rehearsal stands between.
        (_, true) => {
            let id = scope.action_id("report_only");
            rehearse(wanted, own, id.clone(), behind, step, scope, planned);
            let place = planned.actions.len();
            enforce(wanted, own.id.as_str(), Some(&own.id), id.into_iter().collect(), step, scope, planned);
            if let Some(action) = planned.actions.get_mut(place) {
                widen(wanted, own, action);
            }
            None
        }
        (_, false) => {
            let id = scope.action_id(if behind.is_empty() { "" } else { "policy" });
            rehearse(wanted, own, id, behind, step, scope, planned);
            None
        }
    }
}

fn words_for(state: &PolicyState) -> &str {
    match state {
        PolicyState::ReportOnly => "report-only",
        PolicyState::Disabled => "disabled",
        PolicyState::Enabled => "enforced",
        PolicyState::Unknown(other) => other,
    }
}

/// Plans a policy of ours into the state that it begins in.
fn rehearse(
    wanted: &Wanted,
    own: &ConditionalAccessPolicy,
    id: Option<ActionId>,
    behind: &[ActionId],
    step: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let draft = Draft {
        key: "",
        summary: format!("Set the policy `{}` to {}", wanted.name, words_for(&wanted.rehearsal)),
        object: Object { kind: "policy".to_owned(), id: Some(own.id.to_string()), name: wanted.name.clone() },
        before: json!({ "state": own.state.as_graph() }),
        after: json!({ "state": wanted.rehearsal.as_graph() }),
        undo: Undo::Requests(vec![request::set_policy_state(own.id.as_str(), &own.state)]),
        reason: wanted.reason.clone(),
        evidence: wanted.evidence.clone(),
        requests: vec![request::set_policy_state(own.id.as_str(), &wanted.rehearsal)],
    };
    let Some(id) = id else { return planned.push(None, scope) };
    let mut action = draft.with_id(id, step, scope);
    action.needs = behind.to_vec();
    action.asks = (!wanted.enforce).then(|| wanted.question.clone());
    planned.actions.push(action);
}

/// The platforms of a policy; absent and null mean any.
fn platforms(body: &Value) -> Value {
    body.pointer("/conditions/platforms").cloned().unwrap_or(Value::Null)
}

/// A body without its platforms: they differ between our own rehearsal and the enforced policy.
fn without_platforms(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(conditions) = body.get_mut("conditions").and_then(Value::as_object_mut) {
        conditions.remove("platforms");
    }
    body
}

/// A rehearsal leaves platforms out that the enforced policy is for as well: enforcing takes them in.
fn widen(wanted: &Wanted, own: &ConditionalAccessPolicy, action: &mut Action) {
    action.evidence.clone_from(&wanted.evidence);
    let (now, then) = (platforms(&own.raw), platforms(&wanted.body));
    let is_same = match (&now, &then) {
        (Value::Null, Value::Null) => true,
        (_, Value::Null) | (Value::Null, _) => false,
        _ => is_like(&then, &now),
    };
    if is_same {
        return;
    }
    let mut conditions = wanted.body.get("conditions").cloned().unwrap_or(Value::Null);
    if let Some(entries) = conditions.as_object_mut() {
        entries.insert("platforms".to_owned(), then.clone());
    }
    action.before = json!({ "state": REPORT_ONLY, "platforms": now });
    action.after = json!({ "state": ENABLED, "platforms": if then.is_null() { json!("any") } else { then } });
    action.requests =
        vec![request::change_policy(own.id.as_str(), json!({ "conditions": conditions, "state": ENABLED }))];
    action.undo = Undo::Requests(vec![request::change_policy(
        own.id.as_str(),
        json!({ "conditions": { "platforms": platforms(&own.raw) }, "state": own.state.as_graph() }),
    )]);
}

/// Whether a policy in the tenant is still what we would create: all that our body says stands in it.
fn is_like(body: &Value, raw: &Value) -> bool {
    match (body, raw) {
        (Value::Object(body), _) => body.iter().filter(|(key, _)| *key != "state").all(|(key, value)| {
            let there = raw.get(key).unwrap_or(&Value::Null);
            is_like(value, there)
        }),
        (Value::Array(body), Value::Array(raw)) => {
            body.len() == raw.len() && body.iter().all(|item| raw.contains(item))
        }
        (Value::Array(body), Value::Null) => body.is_empty(),
        (body, raw) => body == raw,
    }
}

/// Reads a policy action's object.
pub(super) async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    _: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    let is_creation = action.before.is_null();
    let id = policy_id(action, sent, made);
    let Some(id) = id else {
        // Nothing was made yet: somebody else's policy of this name would make two.
        let twin = graph.policies().await?.into_iter().find(|own| own.display_name == action.object.name);
        return Ok(match twin {
            None => Seen::AsBefore,
            Some(_) => Seen::Differs { what: format!("there is a policy `{}` now", action.object.name) },
        });
    };
    let Some(policy) = graph.policy(&id).await? else {
        let what = "the policy is not there".to_owned();
        return Ok(if sent.is_some() && is_creation { Seen::AsBefore } else { Seen::Differs { what } });
    };
    let wanted = action.after.get("state").and_then(Value::as_str);
    let before = action.before.get("state").and_then(Value::as_str);
    let state = policy.state.as_graph();
    let takes_platforms = action.after.get("platforms").is_none_or(|wanted| match platforms(&policy.raw) {
        Value::Null => wanted == "any",
        now => is_like(wanted, &now),
    });
    if Some(state) == wanted && takes_platforms {
        // A rehearsal is asked about once it is there; what is enforced was asked about before, unless there was
        // nothing to ask.
        let is_asked = wanted == Some(REPORT_ONLY) || before == Some(DISABLED);
        let wrong = if sent.is_some() && is_asked { ask(action, &id, graph).await? } else { None };
        return Ok(wrong.map_or(Seen::AsAfter, |what| Seen::Differs { what }));
    }
    if sent.is_some() {
        // Its read-back runs beside the action that enforces it, and may come after: then it is further, not back.
        let is_on_its_way = wanted != Some(ENABLED) && action.asks.is_none();
        let is_further = is_on_its_way && policy.state == PolicyState::Enabled;
        return Ok(if is_further { Seen::AsAfter } else { Seen::AsBefore });
    }
    if Some(state) != before {
        return Ok(Seen::Differs { what: format!("its state is now `{state}`") });
    }
    if before == Some(DISABLED) {
        return Ok(Seen::AsBefore);
    }
    // It is about to be enforced: the last moment to ask whom it would hit.
    match ask(action, &id, graph).await? {
        None => Ok(Seen::AsBefore),
        Some(what) => Ok(Seen::Differs { what }),
    }
}

/// The policy that an action is about: its own, the one that it made, or the one that its sibling made.
fn policy_id(action: &Action, sent: Option<&Attempt>, made: &Attempt) -> Option<PolicyId> {
    if let Some(id) = action.object.id.as_deref().and_then(|id| id.parse().ok()) {
        return Some(id);
    }
    if action.before.is_null() {
        return sent.and_then(|sent| sent.made_id.as_deref()).and_then(|id| id.parse().ok());
    }
    action
        .requests
        .iter()
        .find_map(|request| made_objects_of(request).into_iter().next())
        .and_then(|sibling| made.made.get(&sibling))
        .and_then(|id| id.parse().ok())
}

/// Asks What-If whether the policy hits whom it should and spares whom it must. `Some` says what is wrong.
async fn ask(action: &Action, id: &PolicyId, graph: &Reader) -> Result<Option<String>, GraphError> {
    let Some(question) = &action.asks else { return Ok(None) };
    let user = &question.applies_to;
    let about = |user: &UserId| WhatIf {
        user: user.clone(),
        purpose: question.app.clone().map_or(SignInFor::RegisteringSecurityInfo, SignInFor::App),
        ip: question.from.clone(),
        country: Some("US".to_owned()),
        platform: Some("windows".to_owned()),
        client_app_type: Some(question.client.clone()),
        compliant: Some(false),
    };
    if !applies(&about(user), id, graph).await? {
        return Ok(Some(format!("What-If says that it would not apply to {user}: it would do nothing")));
    }
    for account in &question.spares {
        if applies(&about(account), id, graph).await? {
            return Ok(Some(format!("What-If says that it would hit the emergency account {account}")));
        }
    }
    Ok(None)
}

async fn applies(question: &WhatIf, id: &PolicyId, graph: &Reader) -> Result<bool, GraphError> {
    let answers = graph.what_if(question).await?;
    Ok(answers.iter().any(|answer| answer.policy_id == *id && answer.applies))
}
