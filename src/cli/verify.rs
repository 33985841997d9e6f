//! `stanch runs verify`: a run looked at again, once or for a while.

use std::time::Duration;

use super::args::{Format, VerifyArgs};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::session::Session;
use super::stop::on_interrupt;
use super::terminal;
use crate::config::parse_duration;
use crate::domain::{RunId, Timestamp, inert, shown};
use crate::engine::{Verifier, Vigil, VigilNotice, keep_watch};
use crate::report;
use crate::run::{LaterRun, Verification};
use crate::store::Store;

/// A look takes a handful of requests to the logs, which let five through in ten seconds: more often than this it would
/// keep others from them.
const LEAST_PAUSE: Duration = Duration::from_mins(1);

/// Looks at a run again, and prints what was seen.
///
/// # Errors
/// When there is no such run, or the tenant cannot be read.
pub async fn verify(session: &Session, args: &VerifyArgs) -> Result<u8, Failure> {
    let watch = args.watch.as_ref().map(|lasts| spans(lasts, &args.every)).transpose()?;
    let store = session.store()?;
    let id = store.find_run(&args.run).await?;
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    let verifier = session.verifier()?;
    let verification = match watch {
        None => look(store.as_ref(), &verifier, &id).await?,
        Some((lasts, every)) => {
            let (_listening, stop) = on_interrupt();
            let vigil = Vigil { lasts, every, stop };
            let again = async || look(store.as_ref(), &verifier, &id).await;
            keep_watch(session.clock.as_ref(), &vigil, again, |notice| tell(session, notice)).await?
        }
    };
    let (plan, _) = store.load(&id).await?;
    match session.format {
        Format::Json => print_json(&verification)?,
        Format::Markdown => print_text(&report::verification_markdown(&plan, &verification))?,
        Format::Text | Format::Html => {
            print_text(&report::verification_text(&plan, &verification, terminal::prints_to_terminal()))?;
        }
    }
    Ok(verification.exit_status())
}

/// How long to watch, and how often to look.
fn spans(lasts: &str, every: &str) -> Result<(Duration, Duration), Failure> {
    let refuse = |flag: &str, why: &str| {
        let hint = "write it as in `--watch 24h --every 5m`";
        Failure::new(2, "bad_duration", format!("{flag}: {why}"), Some(hint.to_owned()))
    };
    let lasts = parse_duration(lasts).map_err(|why| refuse("`--watch`", &why))?;
    let every = parse_duration(every).map_err(|why| refuse("`--every`", &why))?;
    if every < LEAST_PAUSE {
        return Err(refuse("`--every`", "at least one minute: the logs let few requests through"));
    }
    Ok((lasts, every))
}

/// Looks once. The journal and later runs are read each time: both may have grown.
async fn look(store: &dyn Store, verifier: &Verifier, id: &RunId) -> Result<Verification, Failure> {
    let (plan, journal) = store.load(id).await?;
    let began = journal.first().map(|line| line.at);
    let mut later_runs: Vec<LaterRun> = store
        .runs()
        .await?
        .into_iter()
        .filter(|row| row.subject == plan.case.subject.id && row.run != *id && Some(row.started_at) >= began)
        .map(|row| LaterRun { run: row.run, playbook: row.playbook, started_at: row.started_at })
        .collect();
    later_runs.reverse();
    Ok(verifier.verify(id.clone(), &plan, &journal, later_runs).await?)
}

/// Tells a look on standard error: what is new, and when the next one comes.
fn tell(session: &Session, notice: &VigilNotice<'_, Failure>) {
    if session.quiet {
        return;
    }
    let next = |at: &Option<Timestamp>| at.map(|at| format!("; next look {}", shown(at))).unwrap_or_default();
    match notice {
        VigilNotice::Looked { verification, new, next_at } => {
            for drift in *new {
                anstream::eprintln!("DRIFT {}: {}", inert(&drift.what), inert(&drift.seen));
            }
            let state = if verification.eviction.evicted {
                "evicted"
            } else if verification.holds {
                "everything holds"
            } else {
                "not everything holds"
            };
            anstream::eprintln!("looked {}: {state}{}", shown(verification.checked_at), next(next_at));
        }
        VigilNotice::Failed { error, next_at } => {
            anstream::eprintln!("the look failed: {}{}", inert(&error.message), next(next_at));
        }
    }
}
