//! The sign-in log: both kinds of sign-in in one question, and in smaller ones where Graph does not manage it
//! (policy-logs-auth.md 4.2, 4.4).

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::{Reader, UNKNOWN_MEMBERS};
use super::field::{flag, moment, spell_moment, text, text_if_any, texts};
use crate::case::SignIn;
use crate::domain::UserId;
use crate::graph::call::Purpose;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

/// Tries of a heavy question before a smaller one is asked.
const TRIES: Purpose = Purpose::Read { tries: 2, list: true };
/// The spans that a question is cut into, one after the other.
const SPANS: [Duration; 3] = [Duration::from_hours(72), Duration::from_hours(24), Duration::from_hours(6)];
const BETA: &str = "/beta/auditLogs/signIns";
const STABLE: &str = "/v1.0/auditLogs/signIns";

/// What to read of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInQuery {
    /// Of which user.
    pub user: Option<UserId>,
    /// From which address.
    pub ip: Option<String>,
    /// From when on.
    pub from: Timestamp,
    /// Until when; left out: until now.
    pub to: Option<Timestamp>,
}

/// What was read of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInLog {
    /// The rows, each once, newest first.
    pub rows: Vec<SignIn>,
    /// What was not read as asked, and why.
    pub notes: Vec<String>,
    /// From when on the log was really read.
    pub from: Timestamp,
    /// Whether sign-ins without a person were read too; where not, a stolen token does not show.
    pub has_non_interactive: bool,
}

/// The two kinds of sign-in of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Interactive,
    NonInteractive,
}

impl Kind {
    fn as_graph(self) -> &'static str {
        match self {
            Self::Interactive => "interactiveUser",
            Self::NonInteractive => "nonInteractiveUser",
        }
    }
}

/// A stretch of the log; without an end it lasts until now.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Timestamp,
    to: Option<Timestamp>,
}

impl Reader {
    /// Reads sign-ins, interactive and not (beta, which alone has the latter; v1.0 where beta does not answer;
    /// [signIn: list](https://learn.microsoft.com/graph/api/signin-list)).
    ///
    /// # Errors
    /// When not even the newest part can be read.
    pub async fn sign_ins(&self, query: &SignInQuery) -> Result<SignInLog, GraphError> {
        let whole = Stretch { from: query.from, to: query.to };
        let both = [Kind::Interactive, Kind::NonInteractive];
        let mut notes = Vec::new();
        match self.sign_in_rows(BETA, query, &both, whole).await {
            Ok(rows) => return Ok(finish(&rows, notes, query.from, true)),
            Err(error) if is_too_heavy(&error) => {
                tracing::debug!(code = error.code(), "the sign-in log is asked in parts");
            }
            Err(error) => return Err(error),
        }
        let (mut rows, mut from) = match self.kind_rows(query, Kind::Interactive, whole, &mut notes).await {
            Ok(read) => read,
            Err(error) if is_too_heavy(&error) => {
                notes.push("beta did not answer: sign-ins are as v1.0 has them".to_owned());
                (self.sign_in_rows(STABLE, query, &[], whole).await?, query.from)
            }
            Err(error) => return Err(error),
        };
        let has_non_interactive = match self.kind_rows(query, Kind::NonInteractive, whole, &mut notes).await {
            Ok((more, from_then)) => {
                rows.extend(more);
                from = from.max(from_then);
                true
            }
            Err(error) => {
                notes.push(format!("sign-ins without a person were not read: {error}"));
                false
            }
        };
        Ok(finish(&rows, notes, from, has_non_interactive))
    }

    /// Reads one kind: whole, else in ever smaller stretches, newest first. Gives from when on it was read.
    async fn kind_rows(
        &self,
        query: &SignInQuery,
        kind: Kind,
        whole: Stretch,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<Value>, Timestamp), GraphError> {
        let mut rows = Vec::new();
        let mut covered = None;
        // The newest stretch is on top; each with the size that it is cut into next.
        let mut waiting = vec![(whole, 0usize)];
        while let Some((stretch, cut)) = waiting.pop() {
            let error = match self.sign_in_rows(BETA, query, &[kind], stretch).await {
                Ok(more) => {
                    rows.extend(more);
                    covered = Some(stretch.from);
                    continue;
                }
                Err(error) => error,
            };
            let smaller = SPANS.get(cut).filter(|_| is_too_heavy(&error) && error.status() != Some(400));
            match (smaller, covered) {
                (Some(span), _) => {
                    waiting.extend(self.cut(stretch, *span).into_iter().map(|part| (part, cut + 1)));
                }
                (None, Some(from)) => {
                    notes.push(format!(
                        "{} sign-ins before {} were not read: {error}",
                        kind.as_graph(),
                        spell_moment(from)
                    ));
                    return Ok((rows, from));
                }
                (None, None) => return Err(error),
            }
        }
        Ok((rows, covered.unwrap_or(query.from)))
    }

    /// Cuts a stretch, oldest first.
    fn cut(&self, stretch: Stretch, span: Duration) -> Vec<Stretch> {
        let end = stretch.to.unwrap_or_else(|| self.now());
        let mut parts = Vec::new();
        let mut from = stretch.from;
        while let Ok(to) = from.checked_add(span)
            && to < end
        {
            parts.push(Stretch { from, to: Some(to) });
            from = to;
        }
        parts.push(Stretch { from, to: stretch.to });
        parts
    }

    async fn sign_in_rows(
        &self,
        resource: &str,
        query: &SignInQuery,
        kinds: &[Kind],
        stretch: Stretch,
    ) -> Result<Vec<Value>, GraphError> {
        let mut filter = Vec::new();
        if let Some(user) = &query.user {
            filter.push(format!("userId eq {}", quote(user.as_str())));
        }
        if let Some(ip) = &query.ip {
            filter.push(format!("ipAddress eq {}", quote(ip)));
        }
        filter.push(format!("createdDateTime ge {}", spell_moment(stretch.from)));
        if let Some(to) = stretch.to {
            // The filter is exact to the second: the one that has begun counts.
            let to = to.checked_add(Duration::from_millis(999)).unwrap_or(to);
            filter.push(format!("createdDateTime le {}", spell_moment(to)));
        }
        if !kinds.is_empty() {
            let any: Vec<String> =
                kinds.iter().map(|kind| format!("t eq {}", quote(kind.as_graph()))).collect();
            filter.push(format!("signInEventTypes/any(t: {})", any.join(" or ")));
        }
        let target = with_query(resource, &[("$filter", &filter.join(" and ")), ("$top", "500")]);
        self.list_within(&target, UNKNOWN_MEMBERS, TRIES).await
    }
}

/// Whether a smaller question, or one to v1.0, may be answered where this was not.
fn is_too_heavy(error: &GraphError) -> bool {
    match error {
        GraphError::Refused { answer, .. } => matches!(answer.status, 400 | 404),
        GraphError::Unavailable { .. }
        | GraphError::NoAnswer { .. }
        | GraphError::Throttled { .. }
        | GraphError::Malformed { .. }
        | GraphError::TooManyPages { .. }
        | GraphError::RepeatedLink { .. } => true,
        _ => false,
    }
}

fn finish(rows: &[Value], mut notes: Vec<String>, from: Timestamp, has_non_interactive: bool) -> SignInLog {
    let mut by_id: HashMap<String, SignIn> = HashMap::new();
    let mut unread = 0usize;
    for row in rows {
        match parse_sign_in(row) {
            // The log repeats rows as they ripen: the later copy counts.
            Some(sign_in) => drop(by_id.insert(sign_in.id.clone(), sign_in)),
            None => unread += 1,
        }
    }
    if unread > 0 {
        notes.push(format!("{unread} rows of the sign-in log have no id or no time, and were left out"));
    }
    let mut rows: Vec<SignIn> = by_id.into_values().collect();
    rows.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
    SignInLog { rows, notes, from, has_non_interactive }
}

fn parse_sign_in(row: &Value) -> Option<SignIn> {
    let kinds = texts(row, "/signInEventTypes");
    let interactive = if kinds.is_empty() {
        flag(row, "/isInteractive").unwrap_or(true)
    } else {
        kinds.iter().any(|kind| kind == Kind::Interactive.as_graph())
    };
    Some(SignIn {
        id: text_if_any(row, "/id")?,
        at: moment(row, "/createdDateTime")?,
        user_id: text_if_any(row, "/userId").and_then(|id| id.parse().ok()),
        upn: text(row, "/userPrincipalName"),
        ip: text(row, "/ipAddress"),
        place: place_of(row),
        user_agent: text(row, "/userAgent"),
        session_id: text_if_any(row, "/sessionId"),
        interactive,
        error_code: row.pointer("/status/errorCode").and_then(Value::as_i64)?,
        app: text(row, "/appDisplayName"),
        resource_id: text_if_any(row, "/resourceId"),
        resource: text(row, "/resourceDisplayName"),
        client_app: text(row, "/clientAppUsed"),
        device_id: text_if_any(row, "/deviceDetail/deviceId"),
        operating_system: text(row, "/deviceDetail/operatingSystem"),
        compliant: flag(row, "/deviceDetail/isCompliant").unwrap_or(false),
        trust_type: text(row, "/deviceDetail/trustType"),
        mfa_detail: mfa_of(row),
        token_protection: text_if_any(row, "/tokenProtectionStatusDetails/signInSessionStatus"),
        asn: row.get("autonomousSystemNumber").and_then(Value::as_i64),
    })
}

fn place_of(row: &Value) -> String {
    let parts = [text_if_any(row, "/location/city"), text_if_any(row, "/location/countryOrRegion")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How the second factor was satisfied: the step that was one, else what the status adds.
fn mfa_of(row: &Value) -> String {
    let mut steps = row.get("authenticationDetails").and_then(Value::as_array).into_iter().flatten().rev();
    let second = steps.find(|step| text(step, "/authenticationStepRequirement").starts_with("Multifactor"));
    second
        .and_then(|step| text_if_any(step, "/authenticationMethod"))
        .or_else(|| text_if_any(row, "/mfaDetail/authMethod"))
        .unwrap_or_else(|| text(row, "/status/additionalDetails"))
}
