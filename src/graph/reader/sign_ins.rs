//! The sign-in log: both kinds of sign-in in one question, and in smaller ones where Graph does not manage it
//! (policy-logs-auth.md 4.2, 4.4).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::fetch::{Reader, UNKNOWN_MEMBERS};
use super::field::spell_moment;
use super::lenient::Words;
use super::sign_in_row::{SignInPage, read_page};
use crate::case::SignIn;
use crate::domain::UserId;
use crate::graph::call::Purpose;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

/// Tries of a heavy question before a smaller one is asked.
const TRIES: Purpose = Purpose::Read { tries: 2, list: true };
/// Rows of one log at most: some 600 MB of them.
const MOST_ROWS: usize = 1_000_000;
/// The spans that a question is cut into, one after the other.
const SPANS: [Duration; 3] = [Duration::from_hours(72), Duration::from_hours(24), Duration::from_hours(6)];
const BETA: &str = "/beta/auditLogs/signIns";
const STABLE: &str = "/v1.0/auditLogs/signIns";

/// What to read of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInQuery {
    /// Of which user.
    pub user: Option<UserId>,
    /// From which address; where it ends in `.` or `:`, from all that begin so.
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
        match self.recall_log(query, || self.read_sign_ins(query)).await {
            Ok(log) => Ok(Arc::unwrap_or_clone(log)),
            Err(error) => Err(error),
        }
    }

    async fn read_sign_ins(&self, query: &SignInQuery) -> Result<SignInLog, GraphError> {
        let whole = Stretch { from: query.from, to: query.to };
        let both = [Kind::Interactive, Kind::NonInteractive];
        let mut notes = Vec::new();
        let mut rows = Gathered::default();
        match self.sign_in_rows(BETA, query, &both, whole, &mut rows).await {
            Ok(()) => return Ok(rows.finish(notes, query.from, true)),
            Err(error) if is_too_heavy(&error) => {
                tracing::debug!(code = error.code(), "the sign-in log is asked in parts");
            }
            Err(error) => return Err(error),
        }
        let mut from = match self.kind_rows(query, Kind::Interactive, whole, &mut rows, &mut notes).await {
            Ok(from) => from,
            Err(error) if is_too_heavy(&error) => {
                notes.push("beta did not answer: sign-ins are as v1.0 has them".to_owned());
                self.sign_in_rows(STABLE, query, &[], whole, &mut rows).await?;
                query.from
            }
            Err(error) => return Err(error),
        };
        let has_non_interactive =
            match self.kind_rows(query, Kind::NonInteractive, whole, &mut rows, &mut notes).await {
                Ok(from_then) => {
                    from = from.max(from_then);
                    true
                }
                Err(error) => {
                    notes.push(format!("sign-ins without a person were not read: {error}"));
                    false
                }
            };
        Ok(rows.finish(notes, from, has_non_interactive))
    }

    /// Reads one kind: whole, else in ever smaller stretches, newest first. Gives from when on it was read.
    async fn kind_rows(
        &self,
        query: &SignInQuery,
        kind: Kind,
        whole: Stretch,
        rows: &mut Gathered,
        notes: &mut Vec<String>,
    ) -> Result<Timestamp, GraphError> {
        let mut covered = None;
        // The newest stretch is on top; each with the size that it is cut into next.
        let mut waiting = vec![(whole, 0usize)];
        while let Some((stretch, cut)) = waiting.pop() {
            let error = match self.sign_in_rows(BETA, query, &[kind], stretch, rows).await {
                Ok(()) => {
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
                    return Ok(from);
                }
                (None, None) => return Err(error),
            }
        }
        Ok(covered.unwrap_or(query.from))
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
        rows: &mut Gathered,
    ) -> Result<(), GraphError> {
        let mut filter = Vec::new();
        if let Some(user) = &query.user {
            filter.push(format!("userId eq {}", quote(user.as_str())));
        }
        if let Some(ip) = &query.ip {
            filter.push(if ip.ends_with(['.', ':']) {
                format!("startsWith(ipAddress,{})", quote(ip))
            } else {
                format!("ipAddress eq {}", quote(ip))
            });
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
        // Behind a lock as the call may be sent again, and its page be read again: the last one counts.
        let gathered = Mutex::new(rows);
        let page = Mutex::new(SignInPage::default());
        let read = |body: &[u8]| {
            let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
            let new = read_page(body, &mut gathered.words)?;
            *page.lock().unwrap_or_else(PoisonError::into_inner) = new;
            Ok(())
        };
        let take = || {
            let new = std::mem::take(&mut *page.lock().unwrap_or_else(PoisonError::into_inner));
            let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.unreadable += new.unreadable;
            gathered.take(new.rows);
            (new.next, gathered.rows.len())
        };
        self.pages(&target, UNKNOWN_MEMBERS, TRIES, MOST_ROWS, &read, &take).await
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

/// The rows that were read, each once.
#[derive(Debug, Default)]
struct Gathered {
    words: Words,
    rows: Vec<SignIn>,
    /// Where the row of an id stands, by the hash of the id.
    places: HashMap<u64, usize>,
    unreadable: usize,
}

impl Gathered {
    fn take(&mut self, page: Vec<SignIn>) {
        for row in page {
            let mut hasher = DefaultHasher::new();
            row.id.hash(&mut hasher);
            let hash = hasher.finish();
            let known = self.places.get(&hash).and_then(|place| self.rows.get_mut(*place));
            match known {
                // The log repeats rows as they ripen: the later copy counts.
                Some(known) if known.id == row.id => *known = row,
                _ => {
                    self.places.insert(hash, self.rows.len());
                    self.rows.push(row);
                }
            }
        }
    }

    fn finish(mut self, mut notes: Vec<String>, from: Timestamp, has_non_interactive: bool) -> SignInLog {
        if self.unreadable > 0 {
            notes.push(format!(
                "{} rows of the sign-in log have no id or no time, and were left out",
                self.unreadable
            ));
        }
        self.rows.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
        SignInLog { rows: self.rows, notes, from, has_non_interactive }
    }
}
