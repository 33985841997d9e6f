//! Plans that are kept: each under its id, once, with what a list shows of it.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::sqlite::{Unfound, damaged, failed, from_millis, millis, only_id, to_text};
use super::{StoreError, cases};
use crate::domain::{PlanDigest, PlanId, UserId};
use crate::plan::Plan;

/// A plan in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Id.
    pub plan: PlanId,
    /// Digest.
    pub digest: PlanDigest,
    /// Its subject.
    pub subject: UserId,
    /// UPN of the subject, for screens.
    pub subject_upn: String,
    /// Name of the playbook.
    pub playbook: String,
    /// Who asked for it.
    pub requested_by: String,
    /// The webhook whose alert it was made from, if it was.
    pub webhook: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it can no longer be applied.
    pub expires_at: Timestamp,
}

/// Keeps a plan within a transaction. The same plan twice is one; another one under its id is refused, or a run could
/// be read back with a plan that it never had.
pub(super) fn keep(connection: &Connection, plan: &Plan) -> Result<(), StoreError> {
    let doing = failed("keep the plan");
    connection
        .execute(
            "insert or ignore into plans
             (id, digest, created_at, body, expires_at, subject, subject_upn, playbook, requested_by, webhook)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                plan.id.as_str(),
                plan.digest.to_string(),
                millis(plan.created_at),
                to_text("a plan", plan)?,
                millis(plan.expires_at),
                plan.case.subject.id.as_str(),
                plan.case.subject.upn.as_str(),
                plan.playbook.name,
                plan.requested_by.name,
                plan.requested_by.webhook,
            ],
        )
        .map_err(&doing)?;
    let kept: String = connection
        .query_row("select digest from plans where id = ?1", params![plan.id.as_str()], |row| row.get(0))
        .map_err(&doing)?;
    let kept = kept.parse().map_err(damaged("a digest"))?;
    if kept == plan.digest {
        Ok(())
    } else {
        Err(StoreError::OtherPlan { plan: plan.id.clone(), kept, given: plan.digest })
    }
}

/// Finds a plan by its id or by the beginning of it, its digest checked.
pub(super) fn find(connection: &Connection, text: String) -> Result<Plan, StoreError> {
    let doing = failed("look for the plan");
    let sql = "select id from plans where substr(id, 1, length(?1)) = ?1 limit 3";
    let newest = "select id from plans order by created_at desc limit ?1";
    let only = match only_id(connection, sql, newest, &text).map_err(&doing)? {
        Ok(only) => only,
        Err(Unfound { matches: 0, near }) if !text.is_empty() => {
            let unplanned = cases::unplanned(connection, &text)?;
            return Err(unplanned.unwrap_or(StoreError::NoSuchPlan { matches: 0, near, text }));
        }
        Err(Unfound { matches, near }) => return Err(StoreError::NoSuchPlan { matches, near, text }),
    };
    let body: String = connection
        .query_row("select body from plans where id = ?1", params![only], |row| row.get(0))
        .map_err(&doing)?;
    Plan::from_json(&body).map_err(damaged("a plan"))
}

/// The plans that no run has applied and that expire later than this, newest first.
pub(super) fn waiting(connection: &Connection, after: Timestamp) -> Result<Vec<PlanRow>, StoreError> {
    let doing = failed("list the plans");
    let mut statement = connection
        .prepare(
            "select id, digest, subject, subject_upn, playbook, requested_by, webhook, created_at, expires_at
             from plans where expires_at > ?1 and not exists (select 1 from runs where runs.digest = plans.digest)
             order by created_at desc, id desc",
        )
        .map_err(&doing)?;
    let rows = statement
        .query_map(params![millis(after)], |row| {
            let texts: [String; 6] =
                [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            Ok((texts, row.get::<_, Option<String>>(6)?, row.get::<_, i64>(7)?, row.get::<_, i64>(8)?))
        })
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(&doing)?;
    rows.into_iter()
        .map(
            |(
                [id, digest, subject, subject_upn, playbook, requested_by],
                webhook,
                created_at,
                expires_at,
            )| {
                Ok(PlanRow {
                    plan: id.parse().map_err(damaged("a plan id"))?,
                    digest: digest.parse().map_err(damaged("a digest"))?,
                    subject: subject.parse().map_err(damaged("a user id"))?,
                    subject_upn,
                    playbook,
                    requested_by,
                    webhook,
                    created_at: from_millis(created_at)?,
                    expires_at: from_millis(expires_at)?,
                })
            },
        )
        .collect()
}
