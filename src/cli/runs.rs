//! `stanch runs`: what waits and what was done.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Format, RunsCommand};
use super::confirm::confirm;
use super::failure::Failure;
use super::incident;
use super::output::{print_json, print_text};
use super::runs_cases::{self, ListedAlert, ListedCase};
use super::session::Session;
use super::terminal;
use super::verify::verify;
use crate::domain::{PlanDigest, PlanId, RunId, UserId, inert, shown};
use crate::plan::Plan;
use crate::report::{self, Extent};
use crate::run::{Run, Verdict};
use crate::store::{Store, load_run};

/// How long a plan that expired unapplied is still listed: somebody may have meant to apply it.
const EXPIRED_SHOWN: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// How long alerts and their cases are listed.
const ALERTS_SHOWN: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Whose account it is.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedSubject {
    /// Object id.
    id: UserId,
    /// User principal name when the plan was made: show it inert.
    upn: String,
}

/// A run in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedRun {
    /// Id.
    id: RunId,
    /// Its plan.
    plan: PlanId,
    /// Digest of its plan.
    digest: PlanDigest,
    /// How it ended; before its end, how it would if it stopped now.
    verdict: Verdict,
    /// Whose account it is.
    subject: ListedSubject,
    /// Playbook.
    playbook: String,
    /// When it began.
    #[schemars(with = "crate::domain::Moment")]
    started_at: Timestamp,
    /// When it ended; null while it runs, or after it was killed.
    #[schemars(with = "Option<crate::domain::Moment>")]
    ended_at: Option<Timestamp>,
}

/// Whether a plan can still be applied.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PlanState {
    /// It can.
    Waiting,
    /// It was not applied in time.
    Expired,
}

impl PlanState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Expired => "expired",
        }
    }
}

/// A plan that no run has applied.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedPlan {
    /// Id.
    id: PlanId,
    /// Digest.
    digest: PlanDigest,
    /// Whether it can still be applied.
    state: PlanState,
    /// Whose account it is.
    subject: ListedSubject,
    /// Playbook.
    playbook: String,
    /// Who asked for it.
    requested_by: String,
    /// The webhook that it came by; null for one that a person asked for.
    webhook: Option<String>,
    /// When it was made.
    #[schemars(with = "crate::domain::Moment")]
    created_at: Timestamp,
    /// From when on it can no longer be applied.
    #[schemars(with = "crate::domain::Moment")]
    expires_at: Timestamp,
}

/// `stanch runs list`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunList {
    /// Runs, newest first.
    items: Vec<ListedRun>,
    /// Plans that no run has applied.
    plans: Vec<ListedPlan>,
    /// Cases of alerts that have no plan: it is being made, or a person is asked.
    cases: Vec<ListedCase>,
    /// Alerts of the last week, newest first.
    alerts: Vec<ListedAlert>,
    /// Where the list goes on; null, as it is whole.
    next: Option<String>,
}

/// Lists plans and runs, shows a run, looks at what it did again, or writes its report.
///
/// # Errors
/// When the store cannot be read, or there is no such run.
pub async fn runs(session: &Session, command: &RunsCommand) -> Result<u8, Failure> {
    match command {
        RunsCommand::List => list(session).await,
        RunsCommand::Show { run } => show(session, run).await,
        RunsCommand::Verify(args) => verify(session, args).await,
        RunsCommand::Confirm(args) => confirm(session, args).await,
        RunsCommand::Report(args) => incident::report(session, args).await,
    }
}

async fn list(session: &Session) -> Result<u8, Failure> {
    let store = session.store()?;
    let since = session.clock.now().saturating_sub(ALERTS_SHOWN).unwrap_or(Timestamp::MIN);
    let (cases, mut lines) = runs_cases::cases(store.as_ref(), since).await?;
    let (alerts, recorded) = runs_cases::alerts(store.as_ref(), since).await?;
    lines.push_str(&recorded);
    let (plans, waiting) = waiting(session, store.as_ref()).await?;
    lines.push_str(&waiting);
    let mut items = Vec::new();
    for row in store.runs().await? {
        let (_, run) = load_run(store.as_ref(), &row.run).await?;
        let state = if run.ended_at.is_some() { run.verdict.as_str() } else { "unfinished" };
        lines.push_str(&format!(
            "{}  {}  {:20}  {:12}  {}\n",
            row.run,
            shown(row.started_at),
            state,
            inert(&row.playbook),
            inert(&row.subject_upn)
        ));
        items.push(ListedRun {
            id: row.run,
            plan: row.plan,
            digest: row.digest,
            verdict: run.verdict,
            subject: ListedSubject { id: row.subject, upn: row.subject_upn },
            playbook: row.playbook,
            started_at: run.started_at,
            ended_at: run.ended_at,
        });
    }
    match session.format {
        Format::Json => print_json(&RunList { items, plans, cases, alerts, next: None })?,
        Format::Text | Format::Markdown | Format::Html if lines.is_empty() => {
            print_text("no runs yet; `stanch run bec --user UPN --dry-run` shows what one would do\n")?;
        }
        Format::Text | Format::Markdown | Format::Html => print_text(&lines)?,
    }
    Ok(0)
}

/// The plans that no run has applied, for JSON and as lines.
async fn waiting(session: &Session, store: &dyn Store) -> Result<(Vec<ListedPlan>, String), Failure> {
    let now = session.clock.now();
    let since = now.saturating_sub(EXPIRED_SHOWN).unwrap_or(Timestamp::MIN);
    let (mut items, mut lines) = (Vec::new(), String::new());
    for row in store.waiting_plans(since).await? {
        let state = if row.expires_at > now { PlanState::Waiting } else { PlanState::Expired };
        let by =
            row.webhook.as_ref().map_or_else(|| row.requested_by.clone(), |name| format!("webhook {name}"));
        lines.push_str(&format!(
            "{}  {}  {:20}  {:12}  {}  by {}, {} {}\n",
            row.plan,
            shown(row.created_at),
            format!("plan {}", state.as_str()),
            inert(&row.playbook),
            inert(&row.subject_upn),
            inert(&by),
            if row.expires_at > now { "expires" } else { "expired" },
            shown(row.expires_at),
        ));
        items.push(ListedPlan {
            id: row.plan,
            digest: row.digest,
            state,
            subject: ListedSubject { id: row.subject, upn: row.subject_upn },
            playbook: row.playbook,
            requested_by: row.requested_by,
            webhook: row.webhook,
            created_at: row.created_at,
            expires_at: row.expires_at,
        });
    }
    Ok((items, lines))
}

async fn show(session: &Session, text: &str) -> Result<u8, Failure> {
    let store = session.store()?;
    let id = store.find_run(text).await?;
    let (plan, run) = load_run(store.as_ref(), &id).await?;
    print(session, &plan, &run, Extent::Whole)?;
    Ok(0)
}

/// Prints a run in the format asked for.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(session: &Session, plan: &Plan, run: &Run, extent: Extent) -> Result<(), Failure> {
    match session.format {
        Format::Json => print_json(run),
        Format::Markdown => print_text(&report::markdown(plan, run)),
        Format::Text | Format::Html => {
            print_text(&report::text_of(plan, run, extent, terminal::prints_to_terminal()))
        }
    }
}
