//! Reading back: what an action's object looks like now, before sending and after.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    block_ips, cancel_temporary_access_passes, confirm_compromised, disable_devices, disable_inbox_rules,
    disable_service_principal, issue_temporary_access_pass, policy_rollout, quarantine_by_policy,
    remove_auth_methods, revoke_app_consents, strip_roles, watch_new_method,
};
use crate::domain::UserId;
use crate::graph::{GraphError, Reader};
use crate::plan::Action;

/// Graph's watermarks may be this much behind the `Date` of the answer (identity.md 2.1).
pub(super) const WATERMARK_SLACK: SignedDuration = SignedDuration::from_secs(5);

/// A request that was sent, as far as reading back needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Graph's time when the request left.
    pub intent_at: Timestamp,
    /// Graph's time of the answer, where one came.
    pub answered_at: Option<Timestamp>,
    /// Id of the object that it made, where it made one.
    pub made_id: Option<String>,
    /// Ids of the objects that other actions of the run made, by action id.
    pub made: BTreeMap<String, String>,
}

/// What an object looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// As the plan saw it.
    AsBefore,
    /// As it should be.
    AsAfter,
    /// As neither.
    Differs {
        /// What differs.
        what: String,
    },
}

/// Looks at an action's object before anything is sent.
///
/// # Errors
/// When it cannot be read.
pub async fn look_again(
    action: &Action,
    made: &Attempt,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    see(action, None, made, subject, graph).await
}

/// Looks at an action's object after its request was sent.
///
/// # Errors
/// When it cannot be read.
pub async fn observe(
    action: &Action,
    attempt: Option<&Attempt>,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    match attempt {
        Some(attempt) => see(action, Some(attempt), attempt, subject, graph).await,
        None => Ok(Seen::AsBefore),
    }
}

/// Whether Graph shows if an action was done: of what it does not show, a person's word is all there is.
pub fn is_read_back(action: &Action) -> bool {
    match action.step.as_str() {
        "manual" | "check_exchange" => false,
        "disable_inbox_rules" => !disable_inbox_rules::is_a_look(action),
        _ => true,
    }
}

async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    match action.step.as_str() {
        "disable_sign_in" | "enable_sign_in" => enabled(action, subject, graph).await,
        "reset_password" => password(action, sent, subject, graph).await,
        "revoke_sessions" => sessions(action, sent, subject, graph).await,
        "remove_auth_methods" => remove_auth_methods::see(action, sent.is_some(), subject, graph).await,
        "cancel_temporary_access_passes" => cancel_temporary_access_passes::see(action, subject, graph).await,
        "revoke_app_consents" => revoke_app_consents::see(action, subject, graph).await,
        "disable_service_principal" => disable_service_principal::see(action, graph).await,
        "disable_devices" => disable_devices::see(action, graph).await,
        "disable_inbox_rules" => disable_inbox_rules::see(action, subject, graph).await,
        "strip_roles" => strip_roles::see(action, subject, graph).await,
        "block_ips" => block_ips::see(action, sent, made, graph).await,
        "quarantine_by_policy" => quarantine_by_policy::see(action, sent, made, subject, graph).await,
        "issue_temporary_access_pass" => issue_temporary_access_pass::see(action, sent, subject, graph).await,
        "watch_new_method" => watch_new_method::see(action, subject, graph).await,
        "confirm_compromised" => confirm_compromised::see(action, sent.is_some(), subject, graph).await,
        // A person's work, which Graph shows nothing of.
        "manual" | "check_exchange" => Ok(Seen::AsBefore),
        "require_compliant_device" | "require_token_protection" | "protect_security_info" => {
            policy_rollout::see(action, sent, made, graph).await
        }
        other => Ok(Seen::Differs { what: format!("this version knows no step `{other}`") }),
    }
}

fn gone() -> Seen {
    Seen::Differs { what: "the account is gone".to_owned() }
}

async fn enabled(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let Some(user) = graph.user(subject.as_str()).await? else { return Ok(gone()) };
    let wanted = action.after.get("accountEnabled").and_then(Value::as_bool);
    Ok(if Some(user.enabled) == wanted { Seen::AsAfter } else { Seen::AsBefore })
}

fn planned_time(action: &Action, key: &str) -> Option<Timestamp> {
    action.before.get(key).and_then(Value::as_str).and_then(|text| text.parse().ok())
}

/// Whether a watermark has moved by a request: later than before, and not before the request left. Watermarks are in
/// whole seconds.
fn has_moved(now: Option<Timestamp>, before: Option<Timestamp>, sent: &Attempt) -> bool {
    let Some(now) = now else { return false };
    let left = sent.intent_at.saturating_sub(WATERMARK_SLACK).unwrap_or(Timestamp::MIN);
    before.is_none_or(|before| now > before) && now >= left
}

/// Whether a date in whole seconds is that of the second in which a request was sent and accepted. Two changes within one
/// second show the same date: then that is all that there is to be seen of the later one, and Graph has said that it is
/// done. Where no answer came it proves nothing.
fn is_of_its_second(now: Option<Timestamp>, sent: &Attempt) -> bool {
    let (Some(now), Some(answered)) = (now, sent.answered_at) else { return false };
    let second = now.as_second();
    second >= sent.intent_at.as_second() && second <= answered.as_second()
}

async fn password(
    action: &Action,
    sent: Option<&Attempt>,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    const KEY: &str = "lastPasswordChangeDateTime";
    let Some(user) = graph.user(subject.as_str()).await? else { return Ok(gone()) };
    let before = planned_time(action, KEY);
    let now = user.password_changed_at;
    Ok(match sent {
        Some(sent) if has_moved(now, before, sent) || is_of_its_second(now, sent) => Seen::AsAfter,
        Some(_) => Seen::AsBefore,
        None if now == before => Seen::AsBefore,
        None => Seen::Differs {
            what: match now {
                Some(at) => format!("the password was changed at {at}"),
                None => format!("Graph does not show `{KEY}`"),
            },
        },
    })
}

async fn sessions(
    action: &Action,
    sent: Option<&Attempt>,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    // Before sending there is nothing to compare: a revocation by somebody else is no drift, and ours must come last.
    let Some(sent) = sent else { return Ok(Seen::AsBefore) };
    let Some(user) = graph.user(subject.as_str()).await? else { return Ok(gone()) };
    let before = planned_time(action, "signInSessionsValidFromDateTime");
    let now = user.sessions_valid_from;
    // A watermark of the very second of the request covers it, whether or not it stood so before.
    let covers = now.is_some_and(|now| now.as_second() >= sent.intent_at.as_second());
    Ok(if covers || has_moved(now, before, sent) { Seen::AsAfter } else { Seen::AsBefore })
}
