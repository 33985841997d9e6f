//! The inbox in SQLite. Alerts that come at once are committed at once: one sync for all of them.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::inbox::{
    Accepted, AlertRow, CaseRow, CaseState, ClaimedCase, Held, Inbox, KNOWN_FOR, NewAlert, NewCase, Outcome,
    Subject,
};
use super::sqlite::{SqliteStore, damaged, failed, from_millis, millis};
use super::{StoreError, plans};
use crate::alert::Trigger;
use crate::domain::{BoxFuture, PlanId, UserId};
use crate::plan::Plan;

/// So many alerts in one transaction: the last of them waits for the first no longer than a sync takes.
const MOST_AT_ONCE: usize = 256;
/// As many rows are listed.
const MOST_ROWS: usize = 500;

type Answer = Result<Accepted, StoreError>;

/// Alerts on their way into the next transaction.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<(NewAlert, oneshot::Sender<Answer>)>>,
    /// Whose turn it is to write what waits: everybody's, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(NewAlert, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an alert in.
    fn put(&self, alert: NewAlert) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.lock().push((alert, sender));
        receiver
    }

    /// Takes what is to be written next.
    fn take(&self) -> Vec<(NewAlert, oneshot::Sender<Answer>)> {
        let mut waiting = self.lock();
        let count = waiting.len().min(MOST_AT_ONCE);
        waiting.drain(..count).collect()
    }
}

fn write(connection: &mut Connection, batch: Vec<(NewAlert, oneshot::Sender<Answer>)>) {
    let (alerts, senders): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let answers = match accept_all(connection, &alerts) {
        Ok(answers) => answers.into_iter().map(Ok).collect::<Vec<Answer>>(),
        // One that cannot be written must not take the others along, and each is told of its own fault.
        Err(_) => alerts
            .iter()
            .map(|alert| accept_all(connection, std::slice::from_ref(alert)))
            .map(|one| one.and_then(|mut one| one.pop().ok_or(StoreError::Gone)))
            .collect(),
    };
    for (sender, answer) in senders.into_iter().zip(answers) {
        if sender.send(answer).is_err() {
            tracing::debug!("whoever sent the alert has gone; it is taken in all the same");
        }
    }
}

fn accept_all(connection: &mut Connection, alerts: &[NewAlert]) -> Result<Vec<Accepted>, StoreError> {
    let doing = failed("take the alert in");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
    let answers =
        alerts.iter().map(|alert| accept(&transaction, alert)).collect::<Result<Vec<_>, StoreError>>()?;
    transaction.commit().map_err(&doing)?;
    Ok(answers)
}

fn accept(connection: &Connection, alert: &NewAlert) -> Result<Accepted, StoreError> {
    let doing = failed("take the alert in");
    let known: Option<(String, i64)> = connection
        .prepare_cached("select id, received_at from alerts where webhook = ?1 and delivery = ?2")
        .and_then(|mut found| {
            found
                .query_row(params![alert.webhook, alert.delivery], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(&doing)?;
    if let Some((id, received_at)) = known {
        let forgotten = alert.received_at.saturating_sub(KNOWN_FOR).unwrap_or(Timestamp::MIN);
        if received_at > millis(forgotten) {
            return Ok(Accepted { plans: plans_of(connection, &id)?, alert: parse(&id)? });
        }
        connection
            .execute("update alerts set delivery = delivery || ' ' || id where id = ?1", params![id])
            .map_err(&doing)?;
    }
    let users: Vec<String> = alert.trigger.users.iter().map(crate::alert::NamedUser::shown).collect();
    connection
        .prepare_cached(
            "insert into alerts (id, webhook, delivery, received_at, outcome, title, severity, users, body)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                alert.id.as_str(),
                alert.webhook,
                alert.delivery,
                millis(alert.received_at),
                alert.outcome.as_str(),
                alert.trigger.title,
                alert.trigger.severity.as_str(),
                serde_json::json!(users).to_string(),
                serde_json::json!(alert.trigger).to_string(),
            ])
        })
        .map_err(&doing)?;
    for (place, case) in (0i64..).zip(&alert.cases) {
        let id = open(connection, alert, case)?;
        connection
            .prepare_cached(
                "insert or ignore into case_alerts (case_id, alert_id, place) values (?1, ?2, ?3)",
            )
            .and_then(|mut insert| insert.execute(params![id, alert.id.as_str(), place]))
            .map_err(&doing)?;
    }
    Ok(Accepted { plans: plans_of(connection, alert.id.as_str())?, alert: alert.id.clone() })
}

/// Opens a case, or finds the one that is there about the same subject.
fn open(connection: &Connection, alert: &NewAlert, case: &NewCase) -> Result<String, StoreError> {
    let doing = failed("open the case");
    let key = case.named.key();
    let now = alert.received_at;
    let mut held = case.held.clone();
    if let Some(key) = key.as_ref().filter(|_| held.is_none()) {
        let cooled = now.saturating_sub(alert.limits.cool_down).unwrap_or(Timestamp::MIN);
        let there: Option<String> = connection
            .prepare_cached(
                "select id from cases where subject_key = ?1 and playbook = ?2 and opened_at > ?3
                 and state in ('ready', 'running', 'planned') order by opened_at desc limit 1",
            )
            .and_then(|mut found| {
                found.query_row(params![key, case.playbook, millis(cooled)], |row| row.get(0)).optional()
            })
            .map_err(&doing)?;
        if let Some(there) = there {
            return Ok(there);
        }
        let an_hour_ago = now.saturating_sub(jiff::SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
        let lately: u32 = connection
            .prepare_cached(
                "select count(*) from (select distinct subject_key from cases
                 where opened_at > ?1 and state <> 'held' and subject_key <> ?2 limit ?3)",
            )
            .and_then(|mut count| {
                let most = alert.limits.subjects_per_hour;
                count.query_row(params![millis(an_hour_ago), key, most], |row| row.get(0))
            })
            .map_err(&doing)?;
        if lately >= alert.limits.subjects_per_hour {
            held = Some(Held {
                why: format!("alerts have named more than {lately} users within an hour"),
                next: "find out whether that is one incident or a fault of the sender, then plan by hand; \
                       `guards.max_subjects_per_hour` is the limit"
                    .to_owned(),
            });
        }
    }
    let state = if held.is_some() { CaseState::Held } else { CaseState::Ready };
    connection
        .prepare_cached(
            "insert into cases (id, webhook, playbook, subject_key, named, state, why, next, opened_at, run_at, attempts)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 0)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                case.id.as_str(),
                alert.webhook,
                case.playbook,
                key,
                serde_json::json!(case.named).to_string(),
                state.as_str(),
                held.as_ref().map(|held| held.why.as_str()),
                held.as_ref().map(|held| held.next.as_str()),
                millis(now),
            ])
        })
        .map_err(&doing)?;
    Ok(case.id.to_string())
}

fn plans_of(connection: &Connection, alert: &str) -> Result<Vec<PlanId>, StoreError> {
    let ids: Vec<String> = connection
        .prepare_cached("select case_id from case_alerts where alert_id = ?1 order by place")
        .and_then(|mut found| found.query_map(params![alert], |row| row.get(0))?.collect())
        .map_err(failed("read the cases of an alert"))?;
    ids.iter().map(|id| parse(id)).collect()
}

fn parse<T: std::str::FromStr<Err = crate::domain::IdError>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(damaged("an id"))
}

fn triggers_of(connection: &Connection, case: &str) -> Result<Vec<Trigger>, StoreError> {
    let bodies: Vec<String> = connection
        .prepare(
            "select body from alerts join case_alerts on case_alerts.alert_id = alerts.id
             where case_alerts.case_id = ?1 order by alerts.received_at, alerts.rowid limit 100",
        )
        .and_then(|mut found| found.query_map(params![case], |row| row.get(0))?.collect())
        .map_err(failed("read the alerts of a case"))?;
    bodies.iter().map(|body| serde_json::from_str(body).map_err(damaged("an alert"))).collect()
}

fn claim(
    connection: &mut Connection,
    owner: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<ClaimedCase>, StoreError> {
    let doing = failed("claim a case");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
    let claimed: Option<(String, String, String, u32)> = transaction
        .query_row(
            "update cases set state = 'running', lease_owner = ?1, lease_until = ?2, attempts = attempts + 1
             where id = (select id from cases
                where (state = 'ready' and run_at <= ?3) or (state = 'running' and lease_until < ?3)
                order by run_at, rowid limit 1)
             returning id, webhook, named, attempts",
            params![owner, millis(lease_until), millis(now)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()
        .map_err(&doing)?;
    let Some((id, webhook, named, attempts)) = claimed else { return Ok(None) };
    let triggers = triggers_of(&transaction, &id)?;
    transaction.commit().map_err(&doing)?;
    Ok(Some(ClaimedCase {
        id: parse(&id)?,
        webhook,
        named: serde_json::from_str(&named).map_err(damaged("a case"))?,
        triggers,
        attempts,
    }))
}

fn name_subject(
    connection: &mut Connection,
    case: &PlanId,
    owner: &str,
    subject: &UserId,
    since: Timestamp,
) -> Result<Subject, StoreError> {
    let doing = failed("note the subject of a case");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
    let other: Option<String> = transaction
        .query_row(
            "select other.id from cases as own join cases as other
                on other.subject = ?3 and other.playbook = own.playbook and other.id <> own.id
             where own.id = ?1 and own.lease_owner = ?2 and own.state = 'running'
                and other.state in ('ready', 'running', 'planned') and other.opened_at > ?4
             order by other.opened_at limit 1",
            params![case.as_str(), owner, subject.as_str(), millis(since)],
            |row| row.get(0),
        )
        .optional()
        .map_err(&doing)?;
    let changed = transaction
        .execute(
            "update cases set subject = ?3, joined_to = ?4, state = case when ?4 is null then state else 'joined' end
             where id = ?1 and lease_owner = ?2 and state = 'running'",
            params![case.as_str(), owner, subject.as_str(), other],
        )
        .map_err(&doing)?;
    transaction.commit().map_err(&doing)?;
    match (changed, other) {
        (0, _) => Ok(Subject::Lost),
        (_, Some(other)) => Ok(Subject::Joined(parse(&other)?)),
        (_, None) => Ok(Subject::Own),
    }
}

/// Changes a case that whoever asks works on; says whether it was still theirs.
fn update_own(
    connection: &Connection,
    doing: &'static str,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<bool, StoreError> {
    connection.execute(sql, parameters).map(|changed| changed > 0).map_err(failed(doing))
}

fn plan_case(connection: &mut Connection, owner: &str, plan: &Plan) -> Result<bool, StoreError> {
    let doing = failed("keep the plan of a case");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
    let changed = transaction
        .execute(
            "update cases set state = 'planned', why = null, next = null
             where id = ?1 and lease_owner = ?2 and state = 'running'",
            params![plan.id.as_str(), owner],
        )
        .map_err(&doing)?;
    if changed == 0 {
        return Ok(false);
    }
    plans::keep(&transaction, plan)?;
    transaction.commit().map_err(&doing)?;
    Ok(true)
}

/// The case that is called so, where it has no plan: for whoever asks for the plan.
pub(super) fn unplanned(connection: &Connection, text: &str) -> Result<Option<StoreError>, StoreError> {
    let sql = format!("{CASES} where substr(cases.id, 1, length(?1)) = ?1 and state <> 'planned' limit 2");
    let rows = rows_of(connection, &sql, params![text])?;
    let [row] = rows.as_slice() else { return Ok(None) };
    let why = match row.state {
        CaseState::Ready | CaseState::Running | CaseState::Planned => match &row.why {
            Some(why) => format!("it could not be made yet and is tried again: {why}"),
            None => "it is being made by `stanch serve`".to_owned(),
        },
        CaseState::Held => {
            format!("the case waits for a person: {}", row.why.as_deref().unwrap_or("nobody said why"))
        }
        CaseState::Joined => "the case belongs to another about the same user".to_owned(),
    };
    let next = match (&row.joined_to, &row.next) {
        (Some(other), _) => format!("its plan is `{other}`"),
        (None, Some(next)) => next.clone(),
        (None, None) => "ask for it again in a moment; `stanch serve` has to be running".to_owned(),
    };
    Ok(Some(StoreError::NoPlanYet { plan: row.id.clone(), why, next }))
}

const CASES: &str = "select id, webhook, playbook, named, state, why, next, joined_to, opened_at,
    (select count(*) from case_alerts where case_alerts.case_id = cases.id) from cases";

type RawCase = ([String; 5], [Option<String>; 3], i64, u32);

fn case_row(row: &Row<'_>) -> rusqlite::Result<RawCase> {
    Ok((
        [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
        [row.get(5)?, row.get(6)?, row.get(7)?],
        row.get(8)?,
        row.get(9)?,
    ))
}

fn rows_of(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<CaseRow>, StoreError> {
    let raw: Vec<RawCase> = connection
        .prepare(sql)
        .and_then(|mut found| found.query_map(parameters, case_row)?.collect())
        .map_err(failed("list the cases"))?;
    raw.into_iter()
        .map(|([id, webhook, playbook, named, state], [why, next, joined_to], opened_at, alerts)| {
            Ok(CaseRow {
                id: parse(&id)?,
                webhook,
                playbook,
                named: serde_json::from_str(&named).map_err(damaged("a case"))?,
                state: CaseState::ALL
                    .into_iter()
                    .find(|known| known.as_str() == state)
                    .unwrap_or(CaseState::Held),
                why,
                next,
                joined_to: joined_to.as_deref().map(parse).transpose()?,
                opened_at: from_millis(opened_at)?,
                alerts,
            })
        })
        .collect()
}

fn alert_rows(connection: &Connection, since: Timestamp) -> Result<Vec<AlertRow>, StoreError> {
    let raw: Vec<([String; 5], i64, String)> = connection
        .prepare(&format!(
            "select id, webhook, outcome, title, severity, received_at, users from alerts
             where received_at > ?1 order by received_at desc, rowid desc limit {MOST_ROWS}"
        ))
        .and_then(|mut found| {
            found
                .query_map(params![millis(since)], |row| {
                    let texts = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
                    Ok((texts, row.get(5)?, row.get(6)?))
                })?
                .collect()
        })
        .map_err(failed("list the alerts"))?;
    raw.into_iter()
        .map(|([id, webhook, outcome, title, severity], received_at, users)| {
            Ok(AlertRow {
                id: parse(&id)?,
                webhook,
                received_at: from_millis(received_at)?,
                outcome: Outcome::ALL
                    .into_iter()
                    .find(|known| known.as_str() == outcome)
                    .unwrap_or(Outcome::Recorded),
                title,
                severity: crate::alert::Severity::read(&severity),
                users: serde_json::from_str(&users).map_err(damaged("an alert"))?,
            })
        })
        .collect()
}

impl Inbox for SqliteStore {
    fn accept(&self, alert: NewAlert) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        Box::pin(async move {
            let queue = self.queue();
            let mut answer = queue.put(alert);
            let _turn = tokio::select! {
                biased;
                answered = &mut answer => return answered.map_err(|_| StoreError::Gone)?,
                turn = queue.turn.lock() => turn,
            };
            // Whoever has the turn writes until their own is written, and no longer: others wait with what came after.
            loop {
                match answer.try_recv() {
                    Ok(answered) => return answered,
                    Err(oneshot::error::TryRecvError::Closed) => return Err(StoreError::Gone),
                    Err(oneshot::error::TryRecvError::Empty) => {}
                }
                let batch = queue.take();
                self.work(move |connection| {
                    write(connection, batch);
                    Ok(())
                })
                .await?;
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.work(|connection| {
            connection
                .query_row("select count(*) from pragma_user_version", [], |_| Ok(()))
                .map_err(failed("be read"))
        })
    }

    fn claim<'a>(
        &'a self,
        owner: &'a str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<Option<ClaimedCase>, StoreError>> {
        let owner = owner.to_owned();
        self.work(move |connection| claim(connection, &owner, now, lease_until))
    }

    fn renew<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        lease_until: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (case, owner) = (case.clone(), owner.to_owned());
        self.work(move |connection| {
            update_own(
                connection,
                "keep a case",
                "update cases set lease_until = ?3 where id = ?1 and lease_owner = ?2 and state = 'running'",
                params![case.as_str(), owner, millis(lease_until)],
            )
        })
    }

    fn name_subject<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        subject: &'a UserId,
        since: Timestamp,
    ) -> BoxFuture<'a, Result<Subject, StoreError>> {
        let (case, owner, subject) = (case.clone(), owner.to_owned(), subject.clone());
        self.work(move |connection| name_subject(connection, &case, &owner, &subject, since))
    }

    fn plan_case<'a>(&'a self, owner: &'a str, plan: &'a Plan) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (owner, plan) = (owner.to_owned(), plan.clone());
        self.work(move |connection| plan_case(connection, &owner, &plan))
    }

    fn hold<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        held: Held,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (case, owner) = (case.clone(), owner.to_owned());
        self.work(move |connection| {
            update_own(
                connection,
                "leave a case to a person",
                "update cases set state = 'held', why = ?3, next = ?4
                 where id = ?1 and lease_owner = ?2 and state = 'running'",
                params![case.as_str(), owner, held.why, held.next],
            )
        })
    }

    fn put_back<'a>(
        &'a self,
        case: &'a PlanId,
        owner: &'a str,
        run_at: Timestamp,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (case, owner, why) = (case.clone(), owner.to_owned(), why.to_owned());
        self.work(move |connection| {
            update_own(
                connection,
                "give a case back",
                "update cases set state = 'ready', run_at = ?3, why = ?4, lease_owner = null
                 where id = ?1 and lease_owner = ?2 and state = 'running'",
                params![case.as_str(), owner, millis(run_at), why],
            )
        })
    }

    fn cases(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<CaseRow>, StoreError>> {
        self.work(move |connection| {
            let sql =
                format!("{CASES} where opened_at > ?1 order by opened_at desc, rowid desc limit {MOST_ROWS}");
            rows_of(connection, &sql, params![millis(since)])
        })
    }

    fn alerts(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<AlertRow>, StoreError>> {
        self.work(move |connection| alert_rows(connection, since))
    }
}
