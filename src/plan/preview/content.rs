//! The words that both forms of the preview share.

use serde_json::Value;

use crate::case::{IndicatorKind, Look, RoleSource, Subject};
use crate::domain::{inert, shown};
use crate::plan::{Action, Plan, Undo};

/// A value of `before` or `after` in words.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => inert(text),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        other => inert(&other.to_string()),
    }
}

/// What changes, one line each: `accountEnabled: true -> false`.
pub(super) fn changes(action: &Action) -> Vec<String> {
    match (&action.before, &action.after) {
        (Value::Null, Value::Null) => Vec::new(),
        (before, Value::Null) => vec![format!("{} -> gone", whole(before))],
        (before, Value::Object(after)) => after
            .iter()
            .filter(|(key, _)| key.as_str() != "what_if")
            .map(|(key, now)| match (key.as_str(), before.get(key)) {
                ("contains", _) => format!("added: {}", value(now)),
                (_, Some(was)) => format!("{key}: {} -> {}", value(was), value(now)),
                (_, None) => format!("{key}: {}", value(now)),
            })
            .collect(),
        (before, after) => vec![format!("{} -> {}", whole(before), whole(after))],
    }
}

fn whole(state: &Value) -> String {
    match state {
        Value::Object(entries) => {
            entries.iter().map(|(key, own)| format!("{key} {}", value(own))).collect::<Vec<_>>().join(", ")
        }
        other => value(other),
    }
}

/// Who it is, one line each.
pub(super) fn who(subject: &Subject) -> Vec<(&'static str, String)> {
    let roles = match &subject.roles {
        Look::Read(roles) if roles.is_empty() => "none".to_owned(),
        Look::Read(roles) => roles
            .iter()
            .map(|role| match role.source {
                RoleSource::Active => inert(&role.name),
                RoleSource::Eligible => format!("{} (eligible)", inert(&role.name)),
                RoleSource::Group => format!("{} (through a group)", inert(&role.name)),
            })
            .collect::<Vec<_>>()
            .join(", "),
        Look::Unread { why } => format!("NOT READ: {}", inert(why)),
    };
    let mastered = match (subject.guest, subject.synced) {
        (true, _) => "a guest, who signs in at another tenant",
        (false, true) => "synced from an on-premises directory",
        (false, false) => "in the cloud",
    };
    let last = match &subject.last_sign_in {
        Look::Read(Some(at)) => shown(*at),
        Look::Read(None) => "none in the log".to_owned(),
        Look::Unread { why } => format!("NOT READ: {}", inert(why)),
    };
    vec![
        ("user", format!("{} <{}>", inert(&subject.display_name), inert(subject.upn.as_str()))),
        ("object id", subject.id.to_string()),
        ("mastered", mastered.to_owned()),
        ("sign-in", if subject.enabled { "enabled" } else { "disabled" }.to_owned()),
        ("roles", roles),
        ("last sign-in", last),
    ]
}

/// Why, one line for each kind of indicator.
pub(super) fn why(plan: &Plan) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(since) = plan.case.since {
        lines.push(("since", shown(since)));
    }
    for (kind, label) in [
        (IndicatorKind::Address, "addresses"),
        (IndicatorKind::Range, "ranges"),
        (IndicatorKind::UserAgent, "user agents"),
        (IndicatorKind::Session, "sessions"),
        (IndicatorKind::Device, "devices"),
        (IndicatorKind::Method, "methods"),
    ] {
        let values: Vec<String> =
            plan.case.indicators.iter().filter(|own| own.kind == kind).map(|own| inert(&own.value)).collect();
        if !values.is_empty() {
            lines.push((label, values.join(", ")));
        }
    }
    if lines.is_empty() {
        lines.push(("nothing", "no indicator was given: it rests on your word".to_owned()));
    }
    lines
}

/// Whether an action cannot be undone, and why.
pub(super) fn irreversible(action: &Action) -> Option<&str> {
    match &action.undo {
        Undo::Impossible { why } if action.cannot.is_none() => Some(why),
        Undo::Impossible { .. } | Undo::Requests(_) => None,
    }
}

/// The plan in two sentences.
pub(super) fn summary(plan: &Plan) -> String {
    let done = plan.actions.iter().filter(|action| action.cannot.is_none()).count();
    let cannot = plan.actions.len() - done;
    let gone = plan.actions.iter().filter(|action| irreversible(action).is_some()).count();
    let mut text = match done {
        0 => "Nothing will be changed.".to_owned(),
        1 => "1 change.".to_owned(),
        _ => format!("{done} changes."),
    };
    if gone > 0 {
        text.push_str(&format!(" {gone} of them cannot be undone."));
    }
    if cannot > 0 {
        text.push_str(&format!(
            " {cannot} cannot be done from here: a person does it, or the account stays open."
        ));
    }
    let refused = plan.guards.refused.len();
    if refused > 0 {
        text.push_str(&format!(" A guard refused {refused} more."));
    }
    let undecided = plan.left.iter().filter(|left| left.holds_back).count();
    if undecided > 0 {
        text.push_str(&format!(" {undecided} found and left, which a person must decide."));
    }
    text.push_str(" Nothing has been changed so far.");
    text
}

/// A span in words.
pub(super) fn span(seconds: u64) -> String {
    if seconds < 90 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}
