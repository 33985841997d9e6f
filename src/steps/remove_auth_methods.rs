//! `remove_auth_methods`: removes the methods that the intruder registered, and those alone. A removal cannot be
//! undone, so what is not certain is shown to a person.
//!
//! ```yaml
//! - step: remove_auth_methods
//!   with: { kinds: [authenticator, code_app, phone], which: unrecognized, undecided: ask }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope, user_of};
use crate::case::{AuthMethod, Case, Hold, JudgedMethod, Look, MethodKind, MethodVerdict};
use crate::domain::UserId;
use crate::graph::{self, GraphError, Licence, Reader, Reading, request};
use crate::plan::{Action, LeftObject, Object, Undo};

/// A kind of method that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Microsoft Authenticator.
    Authenticator,
    /// A code app.
    CodeApp,
    /// A phone number.
    Phone,
}

/// Which methods are removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those that the evidence gives to the intruder.
    #[default]
    Unrecognized,
}

/// What becomes of a method that the evidence gives to nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undecided {
    /// It is left, listed, and holds back `contained` where it may have come since the compromise.
    #[default]
    Ask,
    /// It is kept: the playbook decides so.
    Keep,
}

fn all_kinds() -> Vec<Kind> {
    vec![Kind::Authenticator, Kind::CodeApp, Kind::Phone]
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAuthMethods {
    /// Kinds that are looked at.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<Kind>,
    /// Which are removed.
    #[serde(default)]
    pub which: Which,
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

impl Step for RemoveAuthMethods {
    const NAME: &'static str = "remove_auth_methods";
    const SUMMARY: &'static str = "removes authentication methods that the intruder registered";
    const PERMISSIONS: &'static [&'static str] = &["UserAuthenticationMethod.ReadWrite.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Method];
    const IS_DOOR: bool = true;
    /// The default second factor, as `signInPreferences` names it.
    type Facts = Look<Option<String>>;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Self::Facts, GraphError> {
        graph::look(graph.default_method(&case.subject.id).await)
    }

    fn plan(&self, case: &Case, facts: &Self::Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let methods = match &case.evidence.methods {
            Look::Read(methods) => methods,
            Look::Unread { why } => {
                planned.left.push(LeftObject {
                    step: scope.step_id.to_owned(),
                    object: "every authentication method".to_owned(),
                    why: vec![format!("the methods could not be read: {why}")],
                    holds_back: true,
                });
                return planned;
            }
        };
        let mut goes: Vec<&JudgedMethod> = Vec::new();
        for judged in methods.iter().filter(|own| own.method.kind != MethodKind::Password) {
            match self.decide(judged, scope) {
                Decision::Remove => goes.push(judged),
                Decision::Leave { why, holds_back } => planned.left.push(LeftObject {
                    step: scope.step_id.to_owned(),
                    object: named(&judged.method),
                    why,
                    holds_back,
                }),
            }
        }
        for (asked, flag) in [(scope.keep, "--keep"), (scope.remove, "--remove")] {
            for id in asked.iter().filter(|id| !methods.iter().any(|own| own.method.id == **id)) {
                planned.warnings.push(format!("{flag} {id}: the user has no such method"));
            }
        }
        if goes.is_empty() {
            planned.unchanged = Some("no method is the intruder's by the evidence".to_owned());
            return planned;
        }
        remove(case, facts, &goes, methods, scope, &mut planned);
        planned
    }
}

enum Decision {
    Remove,
    Leave { why: Vec<String>, holds_back: bool },
}

impl RemoveAuthMethods {
    fn looks_at(&self, kind: &MethodKind) -> bool {
        self.kinds.iter().any(|own| match own {
            Kind::Authenticator => *kind == MethodKind::Authenticator,
            Kind::CodeApp => *kind == MethodKind::CodeApp,
            Kind::Phone => *kind == MethodKind::Phone,
        })
    }

    fn decide(&self, judged: &JudgedMethod, scope: &Scope<'_>) -> Decision {
        let Which::Unrecognized = self.which;
        let mut why = vec![format!("{}: {}", judged.verdict.label(), judged.reasons.join("; "))];
        if scope.keep.contains(&judged.method.id) {
            why.push("kept by --keep".to_owned());
            return Decision::Leave { why, holds_back: false };
        }
        let is_asked = scope.remove.contains(&judged.method.id);
        let can_be_removed = judged.method.kind.collection().is_some();
        if is_asked || (judged.verdict == MethodVerdict::Attacker && self.looks_at(&judged.method.kind)) {
            if can_be_removed {
                return Decision::Remove;
            }
            why.push("Graph has no way to remove a method of this kind".to_owned());
            return Decision::Leave { why, holds_back: true };
        }
        let holds_back = match judged.verdict {
            MethodVerdict::Owner | MethodVerdict::UnknownOld => false,
            MethodVerdict::Attacker => {
                why.push("the playbook does not look at this kind of method".to_owned());
                true
            }
            MethodVerdict::Unknown => match self.undecided {
                Undecided::Ask => {
                    why.push(format!("say `--keep {id}` or `--remove {id}`", id = judged.method.id));
                    true
                }
                Undecided::Keep => {
                    why.push("kept, as the playbook says of the undecided".to_owned());
                    false
                }
            },
        };
        Decision::Leave { why, holds_back }
    }
}

/// Plans the removals, the default method last.
fn remove(
    case: &Case,
    default: &Look<Option<String>>,
    goes: &[&JudgedMethod],
    methods: &[JudgedMethod],
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let subject = &case.subject;
    let default = default.read().cloned().flatten();
    let is_default = |method: &AuthMethod| default.as_deref().is_some_and(|kind| serves(method, kind));
    let survivors: Vec<&AuthMethod> = methods
        .iter()
        .filter(|own| !goes.iter().any(|gone| gone.method.id == own.method.id))
        .filter(|own| own.verdict != MethodVerdict::Attacker)
        .map(|own| &own.method)
        .collect();
    // Graph keeps the default while another second factor is there: first make a trusted one the default
    // (identity.md 5.3). The kind is set, not the registration, so a survivor of the same kind will do.
    let defaults_go: Vec<_> = goes.iter().filter(|own| is_default(&own.method)).collect();
    let mut before_default = Vec::new();
    if let (Some(kind), false) = (&default, defaults_go.is_empty()) {
        // The user keeps their own kind where one of it survives. Set anew, it is no longer this registration.
        let trusted = survivors
            .iter()
            .find_map(|method| preference_of(method).filter(|own| own == kind))
            .or_else(|| survivors.iter().find_map(|method| preference_of(method)));
        if let Some(trusted) = trusted {
            let draft = Draft {
                key: "default",
                summary: format!(
                    "Set the default second factor of {} to `{trusted}`, so that it is none that goes",
                    subject.upn
                ),
                object: Object {
                    kind: "sign-in preferences".to_owned(),
                    id: Some(subject.id.to_string()),
                    name: subject.upn.to_string(),
                },
                before: json!({ "userPreferredMethodForSecondaryAuthentication": kind }),
                after: json!({ "userPreferredMethodForSecondaryAuthentication": trusted }),
                undo: Undo::Impossible { why: "the former default is removed".to_owned() },
                reason: "Graph does not delete the default method while another one is there".to_owned(),
                evidence: Vec::new(),
                requests: vec![request::set_default_method(&subject.id, trusted)],
            };
            // It only clears the way: where it fails, the removal is tried all the same.
            if let Some(mut action) = draft.into_action(RemoveAuthMethods::NAME, scope) {
                action.required = false;
                before_default.push(action.id.clone());
                planned.actions.push(action);
            }
        }
    }
    let mut others = Vec::new();
    let (last, first): (Vec<&&JudgedMethod>, Vec<&&JudgedMethod>) =
        goes.iter().partition(|own| is_default(&own.method));
    for (index, judged) in first.iter().chain(&last).enumerate() {
        let is_last = index >= first.len();
        let key = if index == 0 { String::new() } else { (index + 1).to_string() };
        let Some(mut action) = removal(case, judged, &key, scope) else { continue };
        if is_last {
            action.needs = others.iter().chain(&before_default).cloned().collect();
        } else {
            others.push(action.id.clone());
        }
        planned.actions.push(action);
    }
    if survivors.iter().all(|method| preference_of(method).is_none()) {
        planned.warnings.push(format!(
            "{} is left without a second factor: whoever knows the password may register one, unless a policy protects security info",
            subject.upn
        ));
    }
}

fn named(method: &AuthMethod) -> String {
    if method.name.is_empty() {
        format!("{} ({})", method.kind.label(), method.id)
    } else {
        format!("{} `{}` ({})", method.kind.label(), method.name, method.id)
    }
}

/// The word of `signInPreferences` for a method, where it can be a default.
fn preference_of(method: &AuthMethod) -> Option<&'static str> {
    Some(match method.kind {
        MethodKind::Authenticator => "push",
        MethodKind::CodeApp | MethodKind::HardwareToken => "oath",
        MethodKind::Phone => match method.phone_type.as_deref() {
            Some("alternateMobile") => "voiceAlternateMobile",
            Some("office") => "voiceOffice",
            _ => "sms",
        },
        _ => return None,
    })
}

fn serves(method: &AuthMethod, preference: &str) -> bool {
    preference_of(method)
        .is_some_and(|own| own == preference || (own == "sms" && preference == "voiceMobile"))
}

/// What the plan shows of a method: what drift is told by.
fn projection(method: &AuthMethod) -> Value {
    json!({ "id": method.id, "kind": method.kind.label(), "name": method.name })
}

fn removal(case: &Case, judged: &JudgedMethod, key: &str, scope: &Scope<'_>) -> Option<Action> {
    let method = &judged.method;
    let request = request::delete_method(&case.subject.id, &method.kind, &method.id)?;
    let id = scope.action_id(key)?;
    let is_asked = scope.remove.contains(&method.id) && judged.verdict != MethodVerdict::Attacker;
    let draft = Draft {
        key: "",
        summary: format!("Remove {}", named(method)),
        object: Object {
            kind: "authentication method".to_owned(),
            id: Some(method.id.to_string()),
            name: method.name.clone(),
        },
        before: projection(method),
        after: Value::Null,
        undo: Undo::Impossible {
            why: "a registration cannot be restored; its owner registers it again".to_owned(),
        },
        reason: if is_asked {
            format!("asked for with --remove; the evidence says {}", judged.verdict.label())
        } else {
            "a method that the intruder holds signs in after the session and the password are gone".to_owned()
        },
        evidence: judged.reasons.clone(),
        requests: vec![request],
    };
    Some(draft.with_id(id, RemoveAuthMethods::NAME, scope))
}

/// Reads an action's object: the method, or the default.
pub(super) async fn see(
    action: &Action,
    is_sent: bool,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    const PREFERENCE: &str = "userPreferredMethodForSecondaryAuthentication";
    if let Some(wanted) = action.after.get(PREFERENCE).and_then(Value::as_str) {
        let user = user_of(action).unwrap_or_else(|| subject.clone());
        let now = graph.default_method(&user).await?;
        let before = action.before.get(PREFERENCE).and_then(Value::as_str);
        return Ok(match now.as_deref() {
            // Setting the kind that is set already takes the name off one registration: it is sent.
            Some(own) if own == wanted && (is_sent || before != Some(wanted)) => Seen::AsAfter,
            now if now == before => Seen::AsBefore,
            Some(other) => Seen::Differs { what: format!("the default is now `{other}`") },
            None => Seen::Differs { what: "there is no default any more".to_owned() },
        });
    }
    let methods = graph.methods(subject).await?;
    let now = methods.iter().find(|own| action.object.id.as_deref() == Some(own.id.as_str()));
    Ok(match now {
        None => Seen::AsAfter,
        Some(method) if projection(method) == action.before => Seen::AsBefore,
        Some(method) => Seen::Differs { what: format!("it is now {}", named(method)) },
    })
}
