//! SQLite: one writer, write-ahead log, every commit synced.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::cases::Queue;
use super::migrations::MIGRATIONS;
use super::{
    Begin, KeptInvestigation, LEASE, PlanRow, RunRow, Store, StoreError, check_chain, investigations, plans,
};
use crate::approval::ConsumedConsent;
use crate::domain::{
    ActionId, BoxFuture, CidrBlock, PlanDigest, PlanId, RunId, Sha256Digest, nearest_beginning,
};
use crate::plan::Plan;
use crate::run::{Entry, JournalLine};

/// A store in one file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
    queue: Arc<Queue>,
}

impl SqliteStore {
    /// Opens the file, making it and its folder where they are not there, readable by this user alone.
    ///
    /// # Errors
    /// When it cannot be opened, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            path: path.display().to_string(),
            source,
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| open_error(error.into()))?;
        }
        make_private(path).map_err(|error| open_error(error.into()))?;
        let connection = Connection::open(path).map_err(|error| open_error(error.into()))?;
        Self::prepare(connection, path)
    }

    fn prepare(mut connection: Connection, path: &Path) -> Result<Self, StoreError> {
        let failed = |source: rusqlite::Error| {
            let path = path.display().to_string();
            if source.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
                return StoreError::NotAStore { path };
            }
            StoreError::Open { path, source: Box::new(source) }
        };
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: i64 =
            transaction.query_row("pragma user_version", [], |row| row.get(0)).map_err(failed)?;
        if found > known {
            return Err(StoreError::Newer { path: path.display().to_string(), found, known });
        }
        let done = usize::try_from(found).unwrap_or(0);
        for batch in MIGRATIONS.iter().skip(done) {
            transaction.execute_batch(batch).map_err(failed)?;
        }
        // Written also where it stays the same: a store that cannot be written, as on a full disk, is told before the
        // tenant is read, and not when there is a plan to keep.
        transaction.pragma_update(None, "user_version", known).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), queue: Arc::default() })
    }

    /// The alerts that wait to be written.
    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    /// Runs one piece of work on the writer's connection, off the async threads.
    pub(super) fn work<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let connection = Arc::clone(&self.connection);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                work(&mut connection)
            })
            .await
            .map_err(|_| StoreError::Gone)?
        })
    }
}

/// Makes the file, if it is not there, so that no one else may read it.
fn make_private(path: &Path) -> std::io::Result<PathBuf> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| path.to_owned())
}

pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Failed { doing, source }
}

pub(super) fn damaged<E: std::error::Error + Send + Sync + 'static>(what: &str) -> impl Fn(E) -> StoreError {
    let what = what.to_owned();
    move |source| StoreError::Damaged { what: what.clone(), source: Box::new(source) }
}

/// The first column of the rows that a query with one parameter finds.
fn texts(connection: &Connection, sql: &str, parameter: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map(params![parameter], |row| row.get(0))?.collect()
}

/// An id that names none, or more than one.
pub(super) struct Unfound {
    /// How many it names.
    pub matches: usize,
    /// Those that may have been meant.
    pub near: Vec<String>,
}

/// The one id that is this text or begins with it; otherwise how many are and do, and what may have been meant: those
/// that begin so, or the one whose beginning is nearest among the newest thousand.
pub(super) fn only_id(
    connection: &Connection,
    sql: &str,
    newest: &str,
    text: &str,
) -> rusqlite::Result<Result<String, Unfound>> {
    // Every id begins with nothing, and nobody means them all by it.
    let ids = if text.is_empty() { Vec::new() } else { texts(connection, sql, text)? };
    match <[String; 1]>::try_from(ids) {
        Ok([only]) => Ok(Ok(only)),
        Err(ids) if ids.is_empty() => {
            let known = texts(connection, newest, "1000")?;
            let near = nearest_beginning(text, known.iter().map(String::as_str)).map(str::to_owned);
            Ok(Err(Unfound { matches: 0, near: near.into_iter().collect() }))
        }
        Err(ids) => Ok(Err(Unfound { matches: ids.len(), near: ids })),
    }
}

pub(super) fn to_text<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged(what))
}

pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

pub(super) fn from_millis(at: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at).map_err(damaged("a time"))
}

/// Refuses a run whose subject a later run has taken: a computer that slept through its lease wakes up in the middle
/// of a run, and must send nothing beside the other.
fn check_not_taken_over(connection: &Connection, run: &RunId) -> Result<(), StoreError> {
    // Rows are in the order in which runs began, whatever the clocks said.
    let sql = "select later.id from runs own join runs later on later.subject = own.subject and later.rowid > own.rowid
               where own.id = ?1 order by later.rowid desc limit 1";
    let later: Option<String> = connection
        .query_row(sql, params![run.as_str()], |row| row.get(0))
        .optional()
        .map_err(failed("look for a later run"))?;
    match later {
        None => Ok(()),
        Some(by) => {
            Err(StoreError::TakenOver { run: run.clone(), by: by.parse().map_err(damaged("a run id"))? })
        }
    }
}

/// Refuses a person's word about a run that has not ended, and a second one about the same action: of two who confirm at
/// once the first stands.
fn check_may_be_confirmed(connection: &Connection, run: &RunId, action: &ActionId) -> Result<(), StoreError> {
    let doing = failed("look at what was confirmed");
    let has_ended: Option<bool> = connection
        .query_row("select ended_at is not null from runs where id = ?1", params![run.as_str()], |row| {
            row.get(0)
        })
        .optional()
        .map_err(&doing)?;
    if has_ended != Some(true) {
        return Err(StoreError::StillUnderWay { run: run.clone() });
    }
    let sql = "select entry from journal where run = ?1 and entry like '{\"confirmed\"%' order by seq";
    for text in texts(connection, sql, run.as_str()).map_err(&doing)? {
        let earlier: Entry = serde_json::from_str(&text).map_err(damaged("an entry"))?;
        if let Entry::Confirmed { action: own, by, .. } = earlier
            && own == *action
        {
            return Err(StoreError::AlreadyConfirmed { run: run.clone(), action: own, by });
        }
    }
    Ok(())
}

fn append_line(connection: &Connection, run: &RunId, entry: Entry, now: Timestamp) -> Result<(), StoreError> {
    match &entry {
        Entry::Intent { .. } => check_not_taken_over(connection, run)?,
        Entry::Confirmed { action, .. } => check_may_be_confirmed(connection, run, action)?,
        _ => {}
    }
    let doing = failed("write the journal");
    // The journal keeps milliseconds: the chain is over what is kept.
    let now = from_millis(millis(now))?;
    let last: Option<(i64, String)> = connection
        .query_row(
            "select seq, hash from journal where run = ?1 order by seq desc limit 1",
            params![run.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(&doing)?;
    let (seq, previous) = match last {
        Some((seq, hash)) => {
            (u64::try_from(seq).unwrap_or(0) + 1, hash.parse::<Sha256Digest>().map_err(damaged("a digest"))?)
        }
        None => (1, Sha256Digest::of_bytes(run.as_str().as_bytes())),
    };
    let line = JournalLine::chain(seq, now, entry, previous)?;
    connection
        .execute(
            "insert into journal (run, seq, at, entry, previous, hash) values (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                run.as_str(),
                i64::try_from(seq).unwrap_or(i64::MAX),
                millis(now),
                to_text("an entry", &line.entry)?,
                line.previous.to_string(),
                line.hash.to_string(),
            ],
        )
        .map_err(&doing)?;
    let is_end = matches!(line.entry, Entry::Finished { .. });
    connection
        .execute(
            "update runs set alive_until = ?2, ended_at = case when ?3 then ?4 else ended_at end where id = ?1",
            params![run.as_str(), alive_until(now), is_end, millis(now)],
        )
        .map_err(&doing)?;
    Ok(())
}

/// An hour, in milliseconds.
const HOUR: i64 = 3_600_000;

fn alive_until(now: Timestamp) -> i64 {
    millis(now).saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

impl Store for SqliteStore {
    fn begin<'a>(
        &'a self,
        run: &'a RunId,
        plan: &'a Plan,
        consent: &'a ConsumedConsent,
        first: Entry,
        now: Timestamp,
        most_subjects: u32,
    ) -> BoxFuture<'a, Result<Begin, StoreError>> {
        let (run, plan, consent) = (run.clone(), plan.clone(), consent.clone());
        self.work(move |connection| {
            let doing = failed("begin the run");
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
            let find = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<Option<RunId>, StoreError> {
                let id: Option<String> =
                    transaction.query_row(sql, values, |row| row.get(0)).optional().map_err(&doing)?;
                id.map(|id| id.parse().map_err(damaged("a run id"))).transpose()
            };
            if let Some(earlier) =
                find("select id from runs where digest = ?1", &[&consent.digest.to_string()])?
            {
                return Ok(Begin::AlreadyApplied(earlier));
            }
            for nonce in consent.nonces() {
                if let Some(earlier) =
                    find("select run from used_approvals where nonce = ?1", &[&nonce.as_str()])?
                {
                    return Ok(Begin::ConsentUsed(earlier));
                }
            }
            let subject = plan.case.subject.id.as_str();
            if let Some(other) = find(
                "select id from runs where subject = ?1 and ended_at is null and alive_until > ?2",
                &[&subject, &millis(now)],
            )? {
                return Ok(Begin::SubjectBusy(other));
            }
            let others: u32 = transaction
                .query_row(
                    "select count(distinct subject) from runs where started_at > ?1 and subject <> ?2",
                    params![millis(now).saturating_sub(HOUR), subject],
                    |row| row.get(0),
                )
                .map_err(&doing)?;
            if others >= most_subjects {
                return Ok(Begin::TooManySubjects { within_an_hour: others });
            }
            plans::keep(&transaction, &plan)?;
            transaction
                .execute(
                    "insert into runs (id, plan_id, digest, subject, subject_upn, playbook, started_at, alive_until)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        run.as_str(),
                        plan.id.as_str(),
                        plan.digest.to_string(),
                        subject,
                        plan.case.subject.upn.as_str(),
                        plan.playbook.name,
                        millis(now),
                        alive_until(now),
                    ],
                )
                .map_err(&doing)?;
            for nonce in consent.nonces() {
                transaction
                    .execute(
                        "insert into used_approvals (nonce, run, used_at) values (?1, ?2, ?3)",
                        params![nonce.as_str(), run.as_str(), millis(now)],
                    )
                    .map_err(&doing)?;
            }
            append_line(&transaction, &run, first, now)?;
            transaction.commit().map_err(&doing)?;
            Ok(Begin::Begun)
        })
    }

    fn keep_plan<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), StoreError>> {
        let plan = plan.clone();
        self.work(move |connection| {
            let doing = failed("keep the plan");
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
            plans::keep(&transaction, &plan)?;
            transaction.commit().map_err(&doing)
        })
    }

    fn find_plan<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Plan, StoreError>> {
        let text = text.to_owned();
        self.work(move |connection| plans::find(connection, text))
    }

    fn waiting_plans(&self, expiring_after: Timestamp) -> BoxFuture<'_, Result<Vec<PlanRow>, StoreError>> {
        self.work(move |connection| plans::waiting(connection, expiring_after))
    }

    fn keep_investigation<'a>(
        &'a self,
        kept: &'a KeptInvestigation,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let kept = kept.clone();
        self.work(move |connection| investigations::keep(connection, &kept))
    }

    fn investigations<'a>(
        &'a self,
        plan: &'a PlanId,
    ) -> BoxFuture<'a, Result<Vec<KeptInvestigation>, StoreError>> {
        let plan = plan.clone();
        self.work(move |connection| investigations::of_plan(connection, &plan))
    }

    fn alerted_at<'a>(&'a self, plan: &'a PlanId) -> BoxFuture<'a, Result<Option<Timestamp>, StoreError>> {
        let plan = plan.clone();
        self.work(move |connection| investigations::alerted_at(connection, &plan))
    }

    fn keep_alive<'a>(&'a self, run: &'a RunId, now: Timestamp) -> BoxFuture<'a, Result<(), StoreError>> {
        let run = run.clone();
        self.work(move |connection| {
            connection
                .execute(
                    "update runs set alive_until = ?2 where id = ?1 and ended_at is null",
                    params![run.as_str(), alive_until(now)],
                )
                .map(drop)
                .map_err(failed("renew the run's lease"))
        })
    }

    fn append<'a>(
        &'a self,
        run: &'a RunId,
        entry: Entry,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let run = run.clone();
        self.work(move |connection| {
            let doing = failed("write the journal");
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
            append_line(&transaction, &run, entry, now)?;
            transaction.commit().map_err(&doing)
        })
    }

    fn run_of_plan(&self, digest: PlanDigest) -> BoxFuture<'_, Result<Option<RunId>, StoreError>> {
        self.work(move |connection| {
            let id: Option<String> = connection
                .query_row("select id from runs where digest = ?1", params![digest.to_string()], |row| {
                    row.get(0)
                })
                .optional()
                .map_err(failed("look for the run"))?;
            id.map(|id| id.parse().map_err(damaged("a run id"))).transpose()
        })
    }

    fn find_run<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<RunId, StoreError>> {
        let text = text.to_owned();
        self.work(move |connection| {
            let doing = failed("look for the run");
            let sql = "select id from runs where substr(id, 1, length(?1)) = ?1 limit 3";
            let newest = "select id from runs order by started_at desc limit ?1";
            match only_id(connection, sql, newest, &text).map_err(&doing)? {
                Ok(id) => id.parse().map_err(damaged("a run id")),
                Err(Unfound { matches, near }) => Err(StoreError::NoSuchRun { matches, near, text }),
            }
        })
    }

    fn load<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<(Plan, Vec<JournalLine>), StoreError>> {
        let run = run.clone();
        self.work(move |connection| {
            let doing = failed("read the run");
            let body: Option<String> = connection
                .query_row(
                    "select body from plans join runs on runs.plan_id = plans.id where runs.id = ?1",
                    params![run.as_str()],
                    |row| row.get(0),
                )
                .optional()
                .map_err(&doing)?;
            let body = body.ok_or_else(|| StoreError::NoSuchRun {
                text: run.to_string(),
                matches: 0,
                near: Vec::new(),
            })?;
            let plan = Plan::from_json(&body).map_err(damaged("a plan"))?;
            let mut statement = connection
                .prepare("select seq, at, entry, previous, hash from journal where run = ?1 order by seq")
                .map_err(&doing)?;
            let rows = statement
                .query_map(params![run.as_str()], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get::<_, String>(2)?,
                        row.get::<_, String>(3)?,
                        row.get::<_, String>(4)?,
                    ))
                })
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(&doing)?;
            let mut journal = Vec::with_capacity(rows.len());
            for (seq, at, entry, previous, hash) in rows {
                journal.push(JournalLine {
                    seq: u64::try_from(seq).unwrap_or(0),
                    at: from_millis(at)?,
                    entry: serde_json::from_str(&entry).map_err(damaged("an entry"))?,
                    previous: previous.parse().map_err(damaged("a digest"))?,
                    hash: hash.parse().map_err(damaged("a digest"))?,
                });
            }
            check_chain(&run, &journal)?;
            Ok((plan, journal))
        })
    }

    fn runs(&self) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        self.work(|connection| {
            let doing = failed("list the runs");
            let mut statement = connection
                .prepare(
                    "select id, plan_id, digest, subject, subject_upn, playbook, started_at from runs
                     order by started_at desc, id desc",
                )
                .map_err(&doing)?;
            let rows = statement
                .query_map([], |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, String>(2)?,
                        row.get::<_, String>(3)?,
                        row.get::<_, String>(4)?,
                        row.get::<_, String>(5)?,
                        row.get::<_, i64>(6)?,
                    ))
                })
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(&doing)?;
            rows.into_iter()
                .map(|(run, plan, digest, subject, subject_upn, playbook, started_at)| {
                    Ok(RunRow {
                        run: run.parse().map_err(damaged("a run id"))?,
                        plan: plan.parse().map_err(damaged("a plan id"))?,
                        digest: digest.parse().map_err(damaged("a digest"))?,
                        subject: subject.parse().map_err(damaged("a user id"))?,
                        subject_upn,
                        playbook,
                        started_at: from_millis(started_at)?,
                    })
                })
                .collect()
        })
    }

    fn note_ranges<'a>(
        &'a self,
        location: &'a str,
        ranges: &'a [CidrBlock],
        run: &'a RunId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (location, ranges, run) = (location.to_owned(), ranges.to_vec(), run.clone());
        self.work(move |connection| {
            let doing = failed("note our ranges");
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
            for range in ranges {
                transaction
                    .execute(
                        "insert or ignore into ledger (location, range, run, added_at) values (?1, ?2, ?3, ?4)",
                        params![location, range.to_string(), run.as_str(), millis(now)],
                    )
                    .map_err(&doing)?;
            }
            transaction.commit().map_err(&doing)
        })
    }

    fn own_ranges<'a>(&'a self, location: &'a str) -> BoxFuture<'a, Result<Vec<CidrBlock>, StoreError>> {
        let location = location.to_owned();
        self.work(move |connection| {
            let doing = failed("read our ranges");
            let sql = "select range from ledger where location = ?1 order by range";
            let ranges = texts(connection, sql, &location).map_err(&doing)?;
            ranges.iter().map(|range| range.parse().map_err(damaged("a range"))).collect()
        })
    }
}
