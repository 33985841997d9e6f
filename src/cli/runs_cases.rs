//! The part of `stanch runs list` that alerts have: cases without a plan, and alerts that were only written down.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::failure::Failure;
use crate::domain::{AlertId, PlanId, inert, shown};
use crate::store::{AlertRow, CaseRow, CaseState, Outcome, Store};

/// How far a case is.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Its plan is being made.
    Planning,
    /// It waits for a person.
    Waiting,
}

/// A case of an alert that has no plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedCase {
    /// The id that its plan will have.
    id: PlanId,
    /// How far it is.
    state: State,
    /// The webhook that opened it.
    webhook: String,
    /// Playbook.
    playbook: String,
    /// Whom it is about, as the alert has it: show it inert.
    user: String,
    /// Why it waits, or is tried again: show it inert.
    why: Option<String>,
    /// What to do next.
    next: Option<String>,
    /// How many alerts it has.
    alerts: u32,
    /// When it was opened.
    #[schemars(with = "crate::domain::Moment")]
    opened_at: Timestamp,
}

/// An alert.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedAlert {
    /// Our id of it.
    id: AlertId,
    /// The webhook that it came by.
    webhook: String,
    /// What became of it: `cases`, `recorded`, `ignored`, `resolved`.
    outcome: &'static str,
    /// Its title: show it inert.
    title: String,
    /// How bad the sender says it is.
    severity: &'static str,
    /// Whom it names: show it inert.
    users: Vec<String>,
    /// When it came.
    #[schemars(with = "crate::domain::Moment")]
    received_at: Timestamp,
}

/// The cases without a plan, and as lines.
///
/// # Errors
/// When the store cannot be read.
pub async fn cases(store: &dyn Store, since: Timestamp) -> Result<(Vec<ListedCase>, String), Failure> {
    let (mut items, mut lines) = (Vec::new(), String::new());
    for row in store.cases(since).await? {
        let state = match row.state {
            CaseState::Ready | CaseState::Running => State::Planning,
            CaseState::Held => State::Waiting,
            CaseState::Planned | CaseState::Joined => continue,
        };
        lines.push_str(&case_line(&row, state));
        items.push(ListedCase {
            id: row.id,
            state,
            webhook: row.webhook,
            playbook: row.playbook,
            user: row.named.shown(),
            why: row.why,
            next: row.next,
            alerts: row.alerts,
            opened_at: row.opened_at,
        });
    }
    Ok((items, lines))
}

fn case_line(row: &CaseRow, state: State) -> String {
    let word = match state {
        State::Planning => "alert: planning",
        State::Waiting => "alert: waits",
    };
    let user = row.named.shown();
    let user = if user.is_empty() { "nobody named".to_owned() } else { inert(&user) };
    let mut line = format!(
        "{}  {}  {word:20}  {:12}  {user}  by webhook {}",
        row.id,
        shown(row.opened_at),
        inert(&row.playbook),
        inert(&row.webhook)
    );
    if row.alerts > 1 {
        line.push_str(&format!(", {} alerts", row.alerts));
    }
    line.push('\n');
    for (label, text) in [("why", &row.why), ("next", &row.next)] {
        if let Some(text) = text {
            line.push_str(&format!("    {label}: {}\n", inert(text)));
        }
    }
    line
}

/// The alerts, and those that were only written down as lines.
///
/// # Errors
/// When the store cannot be read.
pub async fn alerts(store: &dyn Store, since: Timestamp) -> Result<(Vec<ListedAlert>, String), Failure> {
    let rows = store.alerts(since).await?;
    let lines = rows.iter().filter(|row| row.outcome == Outcome::Recorded).map(alert_line).collect();
    let items = rows
        .into_iter()
        .map(|row| ListedAlert {
            id: row.id,
            webhook: row.webhook,
            outcome: row.outcome.as_str(),
            title: row.title,
            severity: row.severity.as_str(),
            users: row.users,
            received_at: row.received_at,
        })
        .collect();
    Ok((items, lines))
}

fn alert_line(row: &AlertRow) -> String {
    format!(
        "{}  {}  {:20}  {:12}  {}  by webhook {}: {}\n",
        row.id,
        shown(row.received_at),
        "alert: recorded",
        row.severity.as_str(),
        if row.users.is_empty() { "nobody named".to_owned() } else { inert(&row.users.join(", ")) },
        inert(&row.webhook),
        inert(&row.title)
    )
}
