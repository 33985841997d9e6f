//! A policy of ours on its way: created report-only (or disabled, where Graph rehearses nothing), asked about by
//! What-If, then enforced. What-If can only evaluate policies that exist (policy-logs-auth.md 3.1), so it stands between
//! the two.

use serde_json::{Value, json};

use super::observe::{Attempt, Seen};
use super::planned::{Draft, Planned, Scope};
use crate::domain::{ActionId, PolicyId, UserId};
use crate::graph::{GraphError, Reader, SignInFor, WhatIf, request};
use crate::guard::refusal;
use crate::plan::{Action, Object, Question, Undo, made_objects_of};
use crate::policy::evaluate::{is_blank, is_note};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

/// A policy that a step wants.
pub(super) struct Wanted {
    /// The body as it is created, state left out.
    pub body: Value,
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

impl Wanted {
    /// Its name: ours are found again by it.
    pub fn name(&self) -> &str {
        self.body.get("displayName").and_then(Value::as_str).unwrap_or_default()
    }
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
        existing.iter().filter(|policy| policy.display_name == wanted.name()).collect();
    match ours.as_slice() {
        [] => {
            create(wanted, behind, step, scope, planned);
            None
        }
        [own] => adopt(wanted, own, behind, step, scope, planned),
        _ => {
            planned.refused.push(refusal(
                "policy_ambiguous",
                wanted.name(),
                format!("{} policies are called so: none is touched", ours.len()),
                "delete all but one, then plan again",
            ));
            Some(format!("more than one policy is called `{}`", wanted.name()))
        }
    }
}

fn with_state(body: &Value, state: &PolicyState) -> Value {
    let mut body = body.clone();
    set(&mut body, "state", state.as_graph().into());
    body
}

fn create(wanted: &Wanted, behind: &[ActionId], step: &str, scope: &Scope<'_>, planned: &mut Planned) {
    // A step whose only action is the policy gives it its own id.
    let key = if behind.is_empty() { "" } else { "policy" };
    let Some(id) = scope.action_id(key) else { return planned.push(None, scope) };
    let placeholder = format!("${{actions.{id}.id}}");
    let draft = Draft {
        key: "",
        summary: format!("Create the policy `{}`, {}", wanted.name(), words_for(&wanted.rehearsal)),
        object: Object { kind: "policy".to_owned(), id: None, name: wanted.name().to_owned() },
        before: Value::Null,
        after: json!({ "state": wanted.rehearsal.as_graph(), "for": wanted.words.whom, "when": wanted.words.when, "effect": wanted.words.effect }),
        undo: Undo::Requests(vec![request::delete_policy(&placeholder)]),
        reason: wanted.reason.clone(),
        evidence: wanted.evidence.clone(),
        requests: vec![request::create_policy(with_state(&wanted.body, &wanted.rehearsal))],
    };
    let mut action = draft.with_id(id.clone(), step, scope);
    action.needs = behind.to_vec();
    action.asks = (!wanted.enforce).then(|| wanted.question.clone());
    planned.actions.push(action);
    if wanted.enforce {
        enforce(wanted, &placeholder, None, vec![id], step, scope, planned);
    }
}

/// Plans a policy into force: one that was made before in this plan, or one of ours that is there.
fn enforce(
    wanted: &Wanted,
    policy: &str,
    own: Option<&ConditionalAccessPolicy>,
    needs: Vec<ActionId>,
    step: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let change = own.and_then(|own| platforms_to_change(wanted, own));
    // One that is enforced already has no rehearsal to go through.
    let is_in_force = own.is_some_and(|own| own.state == PolicyState::Enabled);
    let from = if is_in_force { &PolicyState::Enabled } else { &wanted.rehearsal };
    let (mut before, mut after) = (state(from), state(&PolicyState::Enabled));
    let (request, back) = match &change {
        None => (
            request::set_policy_state(policy, &PolicyState::Enabled),
            request::set_policy_state(policy, from),
        ),
        Some((now, then)) => {
            set(&mut before, "platforms", now.clone());
            set(&mut after, "platforms", if then.is_null() { json!("any") } else { then.clone() });
            let to = |platforms: &Value, state: &PolicyState| {
                // Conditions are sent whole: Graph may take what is left out for taken away.
                let mut conditions = wanted.body.get("conditions").cloned().unwrap_or(Value::Null);
                set(&mut conditions, "platforms", platforms.clone());
                let body = json!({ "conditions": conditions, "state": state.as_graph() });
                request::change_policy(policy, body)
            };
            (to(then, &PolicyState::Enabled), to(now, from))
        }
    };
    let draft = Draft {
        key: "enforce",
        summary: if is_in_force {
            format!("Widen the enforced policy `{}`", wanted.name())
        } else {
            format!("Enforce the policy `{}`", wanted.name())
        },
        object: Object {
            kind: "policy".to_owned(),
            id: own.map(|own| own.id.to_string()),
            name: wanted.name().to_owned(),
        },
        before,
        after,
        undo: Undo::Requests(vec![back]),
        reason: match from {
            PolicyState::Enabled => "it leaves out platforms that it has to be for; What-If is asked right after",
            PolicyState::Disabled => "a policy that is not enforced stops nobody; what Graph cannot rehearse, What-If is asked about right after",
            _ => "a policy that is not enforced stops nobody; What-If is asked first",
        }
        .to_owned(),
        evidence: if own.is_some() { wanted.evidence.clone() } else { Vec::new() },
        requests: vec![request],
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
    let is_whole = reaches(&platforms(&own.raw), &platforms(&wanted.body));
    // What is enforced in the end takes its platforms then; what is not would be left narrower than it says.
    if !is_ours(&without_platforms(&wanted.body), &without_platforms(&own.raw))
        || !(is_whole || wanted.enforce)
    {
        planned.refused.push(refusal(
            "policy_changed",
            wanted.name(),
            "it is there and was changed since: it is not touched",
            "delete or rename it to have a new one made, then plan again",
        ));
        return Some(format!("the policy `{}` was changed by somebody", wanted.name()));
    }
    let told = |how: &str| Some(format!("our policy `{}` is {how} already", wanted.name()));
    match (&own.state, wanted.enforce) {
        (PolicyState::Enabled, _) if is_whole => told("enforced"),
        (PolicyState::ReportOnly, false) => told("report-only"),
        (_, false) => {
            let id = scope.action_id(if behind.is_empty() { "" } else { "policy" });
            rehearse(wanted, own, id, behind, step, scope, planned);
            None
        }
        (state, true) => {
            let mut needs = behind.to_vec();
            // What-If says nothing of a disabled policy: the rehearsal stands between.
            if *state != wanted.rehearsal && *state != PolicyState::Enabled {
                let id = scope.action_id("report_only");
                rehearse(wanted, own, id.clone(), behind, step, scope, planned);
                needs = id.into_iter().collect();
            }
            enforce(wanted, own.id.as_str(), Some(own), needs, step, scope, planned);
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
        summary: format!("Set the policy `{}` to {}", wanted.name(), words_for(&wanted.rehearsal)),
        object: Object {
            kind: "policy".to_owned(),
            id: Some(own.id.to_string()),
            name: wanted.name().to_owned(),
        },
        before: state(&own.state),
        after: state(&wanted.rehearsal),
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

/// A state as a plan keeps it.
fn state(state: &PolicyState) -> Value {
    json!({ "state": state.as_graph() })
}

fn set(body: &mut Value, key: &str, value: Value) {
    if let Some(entries) = body.as_object_mut() {
        entries.insert(key.to_owned(), value);
    }
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

/// Whether the platforms that are held cover all that are wanted.
fn reaches(held: &Value, wanted: &Value) -> bool {
    let list = |platforms: &Value, key: &str| -> Vec<Value> {
        platforms.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    if is_blank(held) {
        return true;
    }
    let (included, excluded) = (list(held, "includePlatforms"), list(held, "excludePlatforms"));
    let is_all = included.contains(&json!("all"));
    if is_blank(wanted) {
        return is_all && excluded.is_empty();
    }
    (is_all || list(wanted, "includePlatforms").iter().all(|own| included.contains(own)))
        && excluded.iter().all(|own| list(wanted, "excludePlatforms").contains(own))
}

/// The platforms that a policy of ours is for now and should be for, where they differ. A rehearsal leaves out some that
/// the enforced policy is for as well: enforcing takes them in.
fn platforms_to_change(wanted: &Wanted, own: &ConditionalAccessPolicy) -> Option<(Value, Value)> {
    let (now, then) = (platforms(&own.raw), platforms(&wanted.body));
    (!is_like(&then, &now)).then_some((now, then))
}

/// Whether a policy in the tenant is still what we would create: what our body says stands in it, and inside that
/// nothing that would narrow it.
fn is_ours(body: &Value, raw: &Value) -> bool {
    let mut said = body.as_object().into_iter().flatten();
    said.all(|(key, value)| is_like(value, raw.get(key).unwrap_or(&Value::Null)))
}

/// Whether two values say the same; an entry that says nothing may be there or not.
fn is_like(body: &Value, raw: &Value) -> bool {
    match (body, raw) {
        (Value::Object(said), Value::Object(there)) => {
            let mut added = there.iter().filter(|(key, _)| !said.contains_key(*key));
            is_ours(body, raw) && added.all(|(key, value)| is_note(key) || is_blank(value))
        }
        (Value::Array(said), Value::Array(there)) => {
            said.len() == there.len() && said.iter().all(|item| there.contains(item))
        }
        (body, raw) => body == raw || (is_blank(body) && is_blank(raw)),
    }
}

/// Reads a policy action's object.
pub(super) async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
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
    let state_in = |side: &Value| side.get("state").and_then(Value::as_str).map(PolicyState::from_graph);
    let (wanted, before) = (state_in(&action.after), state_in(&action.before));
    let now = platforms(&policy.raw);
    let takes_platforms = action
        .after
        .get("platforms")
        .is_none_or(|wanted| if now.is_null() { wanted == "any" } else { is_like(wanted, &now) });
    // Nothing could be asked before about a policy that did nothing; of one that left platforms out, the answer would
    // have been about the others.
    let is_asked_after = matches!(before, Some(PolicyState::Disabled | PolicyState::Enabled));
    if Some(&policy.state) == wanted.as_ref() && takes_platforms {
        // A rehearsal is asked about once it is there.
        let is_asked = wanted == Some(PolicyState::ReportOnly) || is_asked_after;
        let wrong = if sent.is_some() && is_asked { ask(action, &id, graph).await? } else { None };
        return Ok(wrong.map_or(Seen::AsAfter, |what| Seen::Differs { what }));
    }
    if sent.is_some() {
        // Its read-back runs beside the action that enforces it, and may come after: then it is further, not back.
        let is_on_its_way = wanted != Some(PolicyState::Enabled) && action.asks.is_none();
        let is_further = is_on_its_way && policy.state == PolicyState::Enabled;
        return Ok(if is_further { Seen::AsAfter } else { Seen::AsBefore });
    }
    if Some(&policy.state) != before.as_ref() {
        return Ok(Seen::Differs { what: format!("its state is now `{}`", policy.state.as_graph()) });
    }
    if action.before.get("platforms").is_some_and(|planned| !is_like(planned, &now)) {
        return Ok(Seen::Differs { what: "its platforms were changed".to_owned() });
    }
    if is_asked_after {
        return Ok(Seen::AsBefore);
    }
    // It is about to be enforced: the last moment to ask whom it would hit.
    match ask(action, &id, graph).await? {
        None => Ok(Seen::AsBefore),
        Some(what) => Ok(Seen::Differs { what }),
    }
}

/// The policy that an action is about: its own, the one that it made, or the one that its sibling made.
pub(super) fn policy_id(action: &Action, sent: Option<&Attempt>, made: &Attempt) -> Option<PolicyId> {
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
