//! What differs between two plans: what whoever has looked at the one must still look at in the other.
//!
//! It is taken over the plans' JSON, not over a list of fields: nothing that a plan holds can be left out of it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::action::Action;
use super::sealed::Plan;
use crate::domain::{DigestError, PlanDigest, PlanId, Timestamp, Upn, json_of};

/// What tells two makings of the same plan apart: an approver does not decide on it.
const OF_ITS_OWN: [&str; 4] = ["id", "digest", "created_at", "expires_at"];

/// Which plan it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PlanBrief {
    /// Id.
    pub id: PlanId,
    /// Digest.
    pub digest: PlanDigest,
    /// Playbook.
    pub playbook: String,
    /// UPN of the subject.
    pub user: Upn,
    /// When it was made.
    #[schemars(with = "crate::domain::Moment")]
    pub created_at: Timestamp,
    /// From when on it can no longer be applied.
    #[schemars(with = "crate::domain::Moment")]
    pub expires_at: Timestamp,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// The way to it, with dots: `tenant.name`.
    pub path: String,
    /// In the first plan; null where it is not there.
    pub before: Value,
    /// In the second plan; null where it is not there.
    pub after: Value,
}

/// A list whose entries differ. Order is no difference, but for requests: those are sent in order.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ListChange {
    /// The way to it, with dots: `guards.refused`.
    pub path: String,
    /// Entries that the second plan alone has.
    pub added: Vec<Value>,
    /// Entries that the first plan alone has.
    pub removed: Vec<Value>,
    /// How many entries both have, whether or not they are the same within.
    pub kept: usize,
}

/// An action that both plans have, and that is not the same in both.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ActionChange {
    /// Its id.
    pub id: String,
    /// Its summary in the second plan.
    pub summary: String,
    /// Values that differ.
    pub fields: Vec<FieldChange>,
    /// Lists that differ: its requests among them.
    pub lists: Vec<ListChange>,
}

/// How the actions differ.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ActionDifference {
    /// Actions that the second plan alone has.
    pub added: Vec<Action>,
    /// Actions that the first plan alone has.
    pub removed: Vec<Action>,
    /// Actions of both that are not the same.
    pub changed: Vec<ActionChange>,
    /// How many actions are the same in both.
    pub same: usize,
}

/// What differs between two plans.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlanDifference {
    /// Whether they say the same: all that differs is when they were made, until when they hold, and so their ids.
    pub same: bool,
    /// The first plan.
    pub before: PlanBrief,
    /// The second plan.
    pub after: PlanBrief,
    /// How the actions differ.
    pub actions: ActionDifference,
    /// What else differs, value by value.
    pub fields: Vec<FieldChange>,
    /// What else differs, list by list.
    pub lists: Vec<ListChange>,
}

impl PlanDifference {
    /// Compares two plans.
    ///
    /// # Errors
    /// When a plan has no JSON form.
    pub fn between(before: &Plan, after: &Plan) -> Result<Self, DigestError> {
        let actions = compare_actions(&before.actions, &after.actions)?;
        let mut found = Found::default();
        found.values("", &rest_of(before)?, &rest_of(after)?);
        let same = actions.added.is_empty()
            && actions.removed.is_empty()
            && actions.changed.is_empty()
            && found.fields.is_empty()
            && found.lists.is_empty();
        Ok(Self {
            same,
            before: brief(before),
            after: brief(after),
            actions,
            fields: found.fields,
            lists: found.lists,
        })
    }
}

fn brief(plan: &Plan) -> PlanBrief {
    PlanBrief {
        id: plan.id.clone(),
        digest: plan.digest,
        playbook: plan.playbook.name.clone(),
        user: plan.case.subject.upn.clone(),
        created_at: plan.created_at,
        expires_at: plan.expires_at,
    }
}

/// A plan's JSON without its actions and without what is its own.
fn rest_of(plan: &Plan) -> Result<Value, DigestError> {
    let mut value = json_of(plan)?;
    if let Some(entries) = value.as_object_mut() {
        entries.retain(|key, _| key != "actions" && !OF_ITS_OWN.contains(&key.as_str()));
    }
    Ok(value)
}

fn compare_actions(before: &[Action], after: &[Action]) -> Result<ActionDifference, DigestError> {
    let mut difference =
        ActionDifference { added: Vec::new(), removed: Vec::new(), changed: Vec::new(), same: 0 };
    for action in after {
        let Some(earlier) = before.iter().find(|earlier| earlier.id == action.id) else {
            difference.added.push(action.clone());
            continue;
        };
        let mut found = Found::default();
        found.values("", &json_of(earlier)?, &json_of(action)?);
        if found.fields.is_empty() && found.lists.is_empty() {
            difference.same += 1;
        } else {
            difference.changed.push(ActionChange {
                id: action.id.to_string(),
                summary: action.summary.clone(),
                fields: found.fields,
                lists: found.lists,
            });
        }
    }
    let is_gone = |action: &&Action| !after.iter().any(|later| later.id == action.id);
    difference.removed = before.iter().filter(is_gone).cloned().collect();
    Ok(difference)
}

/// The differences found so far.
#[derive(Default)]
struct Found {
    fields: Vec<FieldChange>,
    lists: Vec<ListChange>,
}

impl Found {
    fn values(&mut self, path: &str, before: &Value, after: &Value) {
        match (before, after) {
            _ if before == after => {}
            (Value::Object(was), Value::Object(is)) => self.objects(path, was, is),
            (Value::Array(was), Value::Array(is)) => self.lists(path, was, is),
            _ => self.fields.push(FieldChange {
                path: path.to_owned(),
                before: before.clone(),
                after: after.clone(),
            }),
        }
    }

    fn objects(&mut self, path: &str, was: &Map<String, Value>, is: &Map<String, Value>) {
        let way = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for (key, after) in is {
            self.values(&way(key), was.get(key).unwrap_or(&Value::Null), after);
        }
        for (key, before) in was.iter().filter(|(key, _)| !is.contains_key(*key)) {
            self.values(&way(key), before, &Value::Null);
        }
    }

    fn lists(&mut self, path: &str, was: &[Value], is: &[Value]) {
        let (mut gone, new) = difference_of_bags(was, is);
        let mut added: Vec<Value> = Vec::new();
        for entry in new {
            let twin = identity(entry).and_then(|own| {
                let place = gone.iter().position(|earlier| identity(earlier).as_ref() == Some(&own))?;
                Some((place, own))
            });
            match twin {
                Some((place, own)) => {
                    let earlier = gone.remove(place);
                    self.values(&format!("{path}[{own}]"), earlier, entry);
                }
                None => added.push(entry.clone()),
            }
        }
        let removed: Vec<Value> = gone.into_iter().cloned().collect();
        let is_ordered = path == "requests" || path.ends_with(".requests");
        if !added.is_empty() || !removed.is_empty() {
            let kept = is.len().saturating_sub(added.len());
            self.lists.push(ListChange { path: path.to_owned(), added, removed, kept });
        } else if is_ordered {
            self.fields.push(FieldChange {
                path: format!("{path} (their order)"),
                before: Value::from(was.to_vec()),
                after: Value::from(is.to_vec()),
            });
        }
    }
}

/// What only the one list holds, and what only the other, each in its order: order is no difference, number is.
pub(super) fn difference_of_bags<'v>(was: &'v [Value], is: &'v [Value]) -> (Vec<&'v Value>, Vec<&'v Value>) {
    let mut gone: Vec<&Value> = was.iter().collect();
    let mut new: Vec<&Value> = Vec::new();
    for entry in is {
        match gone.iter().position(|earlier| *earlier == entry) {
            Some(place) => {
                gone.remove(place);
            }
            None => new.push(entry),
        }
    }
    (gone, new)
}

/// What an entry of a list goes by, so that one that is there twice, a little different, is one that has changed.
fn identity(entry: &Value) -> Option<String> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    if let Some(method) = text("/method/id") {
        return Some(method.to_owned());
    }
    for (kind, own) in [("/kind", "/value"), ("/guard", "/object"), ("/step", "/object")] {
        if let (Some(kind), Some(own)) = (text(kind), text(own)) {
            return Some(format!("{kind} {own}"));
        }
    }
    text("/step").or_else(|| text("/id")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(before: &Value, after: &Value) -> Found {
        let mut found = Found::default();
        found.values("", before, after);
        found
    }

    #[test]
    fn an_entry_that_is_in_both_a_little_different_is_told_as_one_change() {
        let method = |verdict: &str| json!({ "method": { "id": "m1" }, "verdict": verdict });
        let found =
            found(&json!({ "methods": [method("owner")] }), &json!({ "methods": [method("unknown")] }));
        assert!(found.lists.is_empty());
        assert_eq!(
            found.fields,
            [FieldChange {
                path: "methods[m1].verdict".to_owned(),
                before: json!("owner"),
                after: json!("unknown"),
            }]
        );
    }

    #[test]
    fn lists_are_bags_and_requests_are_rows() {
        let found_warnings = found(&json!({ "warnings": ["a", "b"] }), &json!({ "warnings": ["b", "a"] }));
        assert!(found_warnings.fields.is_empty() && found_warnings.lists.is_empty());
        let found_requests = found(&json!({ "requests": [1, 2] }), &json!({ "requests": [2, 1] }));
        assert_eq!(found_requests.fields.len(), 1);
        let doubled = found(&json!({ "warnings": ["a"] }), &json!({ "warnings": ["a", "a"] }));
        assert_eq!(
            doubled.lists,
            [ListChange {
                path: "warnings".to_owned(),
                added: vec![json!("a")],
                removed: Vec::new(),
                kept: 1,
            }]
        );
    }

    #[test]
    fn what_only_one_has_is_told() {
        let found = found(&json!({ "a": 1, "b": { "c": 2 } }), &json!({ "b": { "d": 3 } }));
        let paths: Vec<_> = found.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["b.d", "b.c", "a"]);
    }
}
