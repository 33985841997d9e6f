//! What was read of an incident, kept beside its plan: logs expire, and what a run takes away is gone from the tenant.
//! The store keeps it as text: what stands in it is `report`'s to know.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::StoreError;
use super::sqlite::{damaged, failed, from_millis, millis};
use crate::domain::PlanId;

/// When it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// While the plan was made, before anything was changed.
    Planning,
    /// After the run, for its report.
    Afterwards,
}

impl Phase {
    /// Every phase, in its order.
    pub const ALL: [Self; 2] = [Self::Planning, Self::Afterwards];

    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Afterwards => "afterwards",
        }
    }
}

/// An investigation that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptInvestigation {
    /// The plan that it belongs to.
    pub plan: PlanId,
    /// When it was read, as against the run.
    pub phase: Phase,
    /// When it was read (the tenant's time).
    pub read_at: Timestamp,
    /// Its JSON.
    pub body: String,
}

/// Keeps one; a later one of the same phase takes its place.
pub(super) fn keep(connection: &Connection, kept: &KeptInvestigation) -> Result<(), StoreError> {
    connection
        .execute(
            "insert or replace into investigations (plan_id, phase, read_at, body) values (?1, ?2, ?3, ?4)",
            params![kept.plan.as_str(), kept.phase.as_str(), millis(kept.read_at), kept.body],
        )
        .map(drop)
        .map_err(failed("keep what was read of the incident"))
}

/// Those of a plan, the earlier phase first.
pub(super) fn of_plan(connection: &Connection, plan: &PlanId) -> Result<Vec<KeptInvestigation>, StoreError> {
    let doing = failed("read what is kept of the incident");
    let mut statement = connection
        .prepare("select phase, read_at, body from investigations where plan_id = ?1")
        .map_err(&doing)?;
    let rows = statement
        .query_map(params![plan.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
        })
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(&doing)?;
    let mut kept = Vec::with_capacity(rows.len());
    for (phase, read_at, body) in rows {
        let phase = Phase::ALL.into_iter().find(|own| own.as_str() == phase).ok_or_else(|| {
            damaged("an investigation")(std::io::Error::other(format!("`{phase}` is no phase")))
        })?;
        kept.push(KeptInvestigation { plan: plan.clone(), phase, read_at: from_millis(read_at)?, body });
    }
    kept.sort_by_key(|own| own.phase);
    Ok(kept)
}

/// When the first alert came in that a plan was made from (our clock).
pub(super) fn alerted_at(connection: &Connection, plan: &PlanId) -> Result<Option<Timestamp>, StoreError> {
    let first: Option<i64> = connection
        .query_row(
            "select min(received_at) from alerts join case_alerts on case_alerts.alert_id = alerts.id
             where case_alerts.case_id = ?1",
            params![plan.as_str()],
            |row| row.get(0),
        )
        .map_err(failed("look for the plan's alerts"))?;
    first.map(from_millis).transpose()
}
