//! Looking at a run again and again, for a while: each drift is told as it is found, and the watch goes on.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;

use super::context::StopSignal;
use crate::domain::Clock;
use crate::run::{Verification, Watched, WatchedDrift};

/// How long and how often.
#[derive(Clone, Debug)]
pub struct Vigil {
    /// How long it lasts.
    pub lasts: Duration,
    /// From the end of one look to the beginning of the next.
    pub every: Duration,
    /// Ends it before its time.
    pub stop: StopSignal,
}

/// What is told meanwhile.
#[derive(Debug)]
pub enum VigilNotice<'a, E> {
    /// A look is over.
    Looked {
        /// What it saw.
        verification: &'a Verification,
        /// Drift that no look before it saw.
        new: &'a [WatchedDrift],
        /// When the next one comes; none does where it is absent.
        next_at: Option<Timestamp>,
    },
    /// A look failed; the next one may not.
    Failed {
        /// Why.
        error: &'a E,
        /// When the next one comes; none does where it is absent.
        next_at: Option<Timestamp>,
    },
}

/// Looks until the time is over. Where the last look fails, what the looks before it saw is told, and that it failed.
///
/// # Errors
/// Those of the first look.
pub async fn keep_watch<E: Display>(
    clock: &dyn Clock,
    vigil: &Vigil,
    mut look: impl AsyncFnMut() -> Result<Verification, E>,
    mut tell: impl FnMut(&VigilNotice<'_, E>),
) -> Result<Verification, E> {
    let from = clock.now();
    let ends = from.saturating_add(vigil.lasts).unwrap_or(Timestamp::MAX);
    let mut watched = Watched {
        from,
        until: from,
        looks: 0,
        failed_looks: 0,
        interrupted: false,
        last_look_failed: None,
        drifts: Vec::new(),
    };
    let mut stop = vigil.stop.clone();
    let mut last: Option<Verification> = None;
    loop {
        let seen = look().await;
        let now = clock.now();
        let wait = Duration::try_from(ends.duration_since(now)).unwrap_or_default().min(vigil.every);
        let is_last = wait.is_zero() || stop.is_given();
        let next_at = if is_last { None } else { now.checked_add(wait).ok() };
        watched.until = now;
        match seen {
            Ok(verification) => {
                watched.looks = watched.looks.saturating_add(1);
                watched.last_look_failed = None;
                let new = new_drifts(&verification, &watched.drifts);
                tell(&VigilNotice::Looked { verification: &verification, new: &new, next_at });
                watched.drifts.extend(new);
                last = Some(verification);
            }
            // What is wrong from the start will not mend itself.
            Err(error) if last.is_none() => return Err(error),
            Err(error) => {
                watched.failed_looks = watched.failed_looks.saturating_add(1);
                watched.last_look_failed = Some(error.to_string());
                tell(&VigilNotice::Failed { error: &error, next_at });
            }
        }
        if !is_last {
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = stop.given() => {}
            }
        }
        let is_stopped = stop.is_given();
        if (is_last || is_stopped)
            && let Some(verification) = last
        {
            watched.interrupted = is_stopped;
            // What a look before saw is no longer known to be so.
            let holds = verification.holds && watched.last_look_failed.is_none();
            return Ok(Verification { holds, watched: Some(watched), ..verification });
        }
    }
}

/// Drift that was not seen before: a second sign-in of the intruder's is told like the first.
fn new_drifts(verification: &Verification, known: &[WatchedDrift]) -> Vec<WatchedDrift> {
    verification
        .drifted()
        .filter(|check| known.iter().all(|own| (&own.what, &own.seen) != (&check.what, &check.seen)))
        .map(|check| WatchedDrift {
            seen_at: verification.checked_at,
            what: check.what.clone(),
            seen: check.seen.clone(),
        })
        .collect()
}
