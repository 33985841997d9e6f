//! In which order methods go: the default second factor last, and a mobile phone after the alternate one, since Graph
//! refuses it otherwise (identity.md 5.3).

use serde_json::{Value, json};

use super::{RemoveAuthMethods, left, named, projection};
use crate::case::{AuthMethod, Case, JudgedMethod, Look, MethodKind, MethodVerdict};
use crate::domain::ActionId;
use crate::graph::request;
use crate::plan::{Action, Object, Undo};
use crate::steps::Step as _;
use crate::steps::decision::Which;
use crate::steps::planned::{Draft, Planned, Scope};

const MOBILE: &str = "mobile";
const ALTERNATE: &str = "alternateMobile";

/// Plans the removals.
pub(super) fn plan(
    case: &Case,
    default: &Look<Option<String>>,
    (mut goes, methods): (Vec<&JudgedMethod>, &[JudgedMethod]),
    which: Which,
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let stays = |goes: &[&JudgedMethod]| -> Vec<&JudgedMethod> {
        let is_gone = |own: &JudgedMethod| goes.iter().any(|gone| gone.method.id == own.method.id);
        methods.iter().filter(|own| !is_gone(own)).collect()
    };
    // A number of the user's own takes the place of the intruder's where the one stands behind the other.
    let swap = swap_of(&goes, &stays(&goes), scope);
    if let Some(Swap::Own { mobile, .. } | Swap::Undecided { mobile, .. }) = &swap {
        goes.retain(|own| own.method.id != mobile.method.id);
    }
    match &swap {
        Some(Swap::Own { mobile, alternate }) => swap_numbers(case, mobile, alternate, scope, planned),
        Some(Swap::Undecided { mobile, alternate }) => {
            let why = format!(
                "Graph removes no mobile number while an alternate one is there, and whose {} is, is not known",
                named(&alternate.method)
            );
            let mut left = left(mobile, Some(why), true, scope);
            left.next = Some(format!(
                "ask the user about {}; then plan again with `--keep {id}` or `--remove {id}`",
                named(&alternate.method),
                id = alternate.method.id
            ));
            planned.left.push(left);
        }
        None => {}
    }
    let survivors = stays(&goes);
    let default = default.read().cloned().flatten();
    let is_default = |own: &JudgedMethod| default.as_deref().is_some_and(|kind| serves(&own.method, kind));
    let (mut last, mut first): (Vec<&JudgedMethod>, Vec<&JudgedMethod>) =
        goes.iter().copied().partition(|own| is_default(own));
    let mut cleared = match (&default, last.first()) {
        (Some(kind), Some(going)) => clear_default(case, kind, going, &survivors, scope, planned),
        _ => None,
    };
    // Graph tells the default's kind alone. Where all of several go, one of another kind takes its place, and goes last.
    if let (Which::All, None, Some(kind), true) = (which, &cleared, &default, last.len() > 1)
        && let Some(place) = first.iter().position(|own| preference_of(&own.method).is_some())
    {
        let heir = first.remove(place);
        cleared = preference_of(&heir.method).and_then(|own| set_default(case, kind, own, scope, planned));
        first.append(&mut last);
        last.push(heir);
    }
    let begun = planned.actions.len();
    let mut others = Vec::new();
    for (index, judged) in first.iter().chain(&last).enumerate() {
        let key = if index == 0 { String::new() } else { index.saturating_add(1).to_string() };
        let Some(mut action) = removal(case, judged, &key, (which, scope)) else { continue };
        if last.iter().any(|own| own.method.id == judged.method.id) {
            action.needs = others.iter().chain(&cleared).cloned().collect();
        } else {
            if is_default(judged) {
                action.needs = cleared.iter().cloned().collect();
            }
            others.push(action.id.clone());
        }
        planned.actions.push(action);
    }
    mobile_after_alternate(planned, begun, &goes);
    // Where every method is to go, that is the purpose.
    if which == Which::Unrecognized
        && !goes.is_empty()
        && survivors.iter().all(|own| !is_second_factor(&own.method))
    {
        planned.warnings.push(format!(
            "{} is left without a second factor: whoever knows the password may register one, unless a policy protects security info",
            case.subject.upn
        ));
    }
}

/// A mobile number that goes while the alternate one stays.
enum Swap<'a> {
    /// The alternate is the user's own: it becomes the mobile one.
    Own { mobile: &'a JudgedMethod, alternate: &'a JudgedMethod },
    /// Nobody knows whose the alternate is: nothing can be done yet.
    Undecided { mobile: &'a JudgedMethod, alternate: &'a JudgedMethod },
}

fn swap_of<'a>(goes: &[&'a JudgedMethod], stays: &[&'a JudgedMethod], scope: &Scope<'_>) -> Option<Swap<'a>> {
    let of = |list: &[&'a JudgedMethod], phone_type: &str| -> Option<&'a JudgedMethod> {
        list.iter().copied().find(|own| is_phone(own, phone_type))
    };
    let (mobile, alternate) = (of(goes, MOBILE)?, of(stays, ALTERNATE)?);
    Some(if is_trusted(alternate, scope) && request::is_whole_number(&alternate.method.name) {
        Swap::Own { mobile, alternate }
    } else {
        Swap::Undecided { mobile, alternate }
    })
}

fn is_phone(judged: &JudgedMethod, phone_type: &str) -> bool {
    judged.method.kind == MethodKind::Phone && judged.method.phone_type.as_deref() == Some(phone_type)
}

/// Whether a method is known to be the user's, by the evidence or by a person's word. Of unknown origin is not enough
/// to hand it anything.
fn is_trusted(judged: &JudgedMethod, scope: &Scope<'_>) -> bool {
    matches!(judged.verdict, MethodVerdict::Owner | MethodVerdict::UnknownOld)
        || scope.keep.contains(&judged.method.id)
}

fn method_object(method: &AuthMethod) -> Object {
    Object {
        kind: "authentication method".to_owned(),
        id: Some(method.id.to_string()),
        name: method.name.clone(),
    }
}

/// Plans the user's alternate number into the place of the intruder's, then takes it from where it stood.
fn swap_numbers(
    case: &Case,
    mobile: &JudgedMethod,
    alternate: &JudgedMethod,
    scope: &Scope<'_>,
    planned: &mut Planned,
) {
    let number = alternate.method.name.as_str();
    let mut after = projection(&mobile.method);
    if let Some(entries) = after.as_object_mut() {
        entries.insert("name".to_owned(), number.into());
    }
    let change = Draft {
        key: "mobile",
        summary: format!(
            "Replace the mobile number `{}` by the user's alternate one, `{number}`",
            mobile.method.name
        ),
        object: method_object(&mobile.method),
        before: projection(&mobile.method),
        after,
        undo: Undo::Impossible { why: "the intruder's number is not put back".to_owned() },
        reason: "Graph removes no mobile number while an alternate one is there".to_owned(),
        evidence: mobile.reasons.clone(),
        requests: vec![request::change_phone(&case.subject.id, &mobile.method.id, number, MOBILE)],
    };
    let Some(change) = change.into_action(RemoveAuthMethods::NAME, scope) else {
        return planned.push(None, scope);
    };
    let tidied = removal(case, alternate, "alternate", (Which::Unrecognized, scope)).map(|mut action| {
        action.summary = format!("Remove the alternate number `{number}`, which is the mobile one by then");
        "the user keeps the number, in one place".clone_into(&mut action.reason);
        action.needs = vec![change.id.clone()];
        // The intruder's number is gone without it.
        action.required = false;
        action
    });
    planned.actions.push(change);
    planned.push(tidied, scope);
}

/// Graph keeps the default while another second factor is there: first a method that is known to be the user's becomes
/// the default. Returns the action that clears the way.
fn clear_default(
    case: &Case,
    kind: &str,
    going: &JudgedMethod,
    survivors: &[&JudgedMethod],
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Option<ActionId> {
    let trusted = |own: &&&JudgedMethod| is_trusted(own, scope);
    // The user keeps their own kind where one of it survives. Set anew, it is no longer this registration.
    let wanted = survivors
        .iter()
        .filter(trusted)
        .find_map(|own| preference_of(&own.method).filter(|own| *own == kind))
        .or_else(|| survivors.iter().filter(trusted).find_map(|own| preference_of(&own.method)));
    let Some(wanted) = wanted else {
        if let Some(other) = survivors.iter().find(|own| is_second_factor(&own.method)) {
            planned.warnings.push(format!(
                "{} is the default second factor, and no method that is known to be the user's can take its place: Graph may refuse to remove it while {} is there. If that one is the user's, say `--keep {}`",
                named(&going.method),
                named(&other.method),
                other.method.id
            ));
        }
        return None;
    };
    set_default(case, kind, wanted, scope, planned)
}

/// Makes another kind the default. Returns the action that does.
fn set_default(
    case: &Case,
    kind: &str,
    wanted: &str,
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Option<ActionId> {
    let subject = &case.subject;
    let draft = Draft {
        key: "default",
        summary: format!(
            "Set the default second factor of {} to `{wanted}`, so that it is none that goes",
            subject.upn
        ),
        object: Object {
            kind: "sign-in preferences".to_owned(),
            id: Some(subject.id.to_string()),
            name: subject.upn.to_string(),
        },
        before: json!({ "userPreferredMethodForSecondaryAuthentication": kind }),
        after: json!({ "userPreferredMethodForSecondaryAuthentication": wanted }),
        undo: Undo::Impossible { why: "the former default is removed".to_owned() },
        reason: "Graph does not delete the default method while another one is there".to_owned(),
        evidence: Vec::new(),
        requests: vec![request::set_default_method(&subject.id, wanted)],
    };
    let mut action = draft.into_action(RemoveAuthMethods::NAME, scope)?;
    // It only clears the way: where it fails, the removal is tried all the same.
    action.required = false;
    let id = action.id.clone();
    planned.actions.push(action);
    Some(id)
}

/// Makes the removal of a mobile number wait for that of the alternate one, and not the other way round.
fn mobile_after_alternate(planned: &mut Planned, begun: usize, goes: &[&JudgedMethod]) {
    let action_of = |planned: &Planned, phone_type: &str| -> Option<ActionId> {
        let method = goes.iter().find(|own| is_phone(own, phone_type))?;
        let own = planned.actions.iter().skip(begun).find(|action| {
            action.object.id.as_deref() == Some(method.method.id.as_str()) && action.after.is_null()
        })?;
        Some(own.id.clone())
    };
    let (Some(mobile), Some(alternate)) = (action_of(planned, MOBILE), action_of(planned, ALTERNATE)) else {
        return;
    };
    for action in &mut planned.actions {
        if action.id == alternate {
            action.needs.retain(|need| *need != mobile);
        }
        if action.id == mobile && !action.needs.contains(&alternate) {
            action.needs.push(alternate.clone());
        }
    }
}

/// Whether a method is a second factor: e-mail serves self-service reset alone, a pass is for getting in once.
fn is_second_factor(method: &AuthMethod) -> bool {
    !matches!(
        method.kind,
        MethodKind::Password | MethodKind::Email | MethodKind::TemporaryAccessPass | MethodKind::QrCode
    )
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

fn removal(
    case: &Case,
    judged: &JudgedMethod,
    key: &str,
    (which, scope): (Which, &Scope<'_>),
) -> Option<Action> {
    let method = &judged.method;
    let user = &case.subject.id;
    let request = request::delete_method(user, &method.kind, &method.id)?;
    let id = scope.action_id(key)?;
    let is_asked = scope.remove.contains(&method.id) && judged.verdict != MethodVerdict::Attacker;
    let undo = match request::register_again(user, method) {
        Some(again) => Undo::Requests(vec![again]),
        None => Undo::Impossible {
            why: "a registration cannot be restored; its owner registers it again".to_owned(),
        },
    };
    let draft = Draft {
        key: "",
        summary: format!("Remove {}", named(method)),
        object: method_object(method),
        before: projection(method),
        after: Value::Null,
        undo,
        reason: if is_asked {
            format!("asked for with --remove; the evidence says {}", judged.verdict.label())
        } else if which == Which::All {
            "every method goes: one that stays resets the password by self-service, once the account is open"
                .to_owned()
        } else {
            "a method that the intruder holds signs in after the session and the password are gone".to_owned()
        },
        evidence: judged.reasons.clone(),
        requests: vec![request],
    };
    Some(draft.with_id(id, RemoveAuthMethods::NAME, scope))
}
