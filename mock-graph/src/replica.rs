//! What reads see of writes: the present, or for a while something else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::{Call, Fail, Reply};
use crate::faults::Fault;
use crate::tenant::Tenant;

/// Longer than any test: an end that never comes.
const FOR_EVER: Duration = Duration::from_hours(10 * 365 * 24);

/// Which reads see the state before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// All of them.
    Everything,
    /// Every other one, the first of them none.
    EveryOther,
    /// Lists.
    Lists,
    /// Single objects.
    Items,
}

/// What follows on a write, beside its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// Reads see the state before, for so long.
    Stale(Shows, Duration),
    /// It is taken back after so long.
    Reverts(Duration),
}

impl Aftermath {
    /// What a fault has follow on the write that it matched.
    #[must_use]
    pub fn of(fault: Option<&Fault>) -> Option<Self> {
        Some(match fault? {
            Fault::StaleReads { seconds } => Self::Stale(Shows::Everything, span(*seconds)),
            Fault::FlappingReads { seconds } => Self::Stale(Shows::EveryOther, span(*seconds)),
            Fault::StaleLists { seconds } => Self::Stale(Shows::Lists, span(*seconds)),
            Fault::StaleItems { seconds } => Self::Stale(Shows::Items, span(*seconds)),
            Fault::RevertLater { seconds } => Self::Reverts(span(*seconds)),
            _ => return None,
        })
    }
}

/// A span of a fault.
#[must_use]
pub fn span(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(FOR_EVER)
}

/// What one read sees.
pub struct View {
    fresh: Arc<Tenant>,
    stale: Option<(Shows, Arc<Tenant>)>,
}

impl View {
    /// One state for every read.
    #[must_use]
    pub fn of(tenant: Arc<Tenant>) -> Self {
        Self { fresh: tenant, stale: None }
    }

    /// Runs a read over what it sees. Whether it is of a list shows in its answer alone.
    ///
    /// # Errors
    /// What the read answers.
    pub fn read(&self, read: fn(&Tenant, &Call) -> Result<Reply, Fail>, call: &Call) -> Result<Reply, Fail> {
        let fresh = read(&self.fresh, call);
        let Some((shows, stale)) = &self.stale else { return fresh };
        let is_list = fresh.as_ref().is_ok_and(|reply| {
            reply.body.as_ref().and_then(|body| body.get("value")).is_some_and(serde_json::Value::is_array)
        });
        match shows {
            Shows::Lists if !is_list => fresh,
            Shows::Items if is_list => fresh,
            _ => read(stale, call),
        }
    }
}

/// A state before, and until when it is seen.
#[derive(Debug)]
struct Stale {
    shows: Shows,
    until: Instant,
    state: Arc<Tenant>,
    reads: u64,
}

/// A write that is taken back.
#[derive(Debug)]
pub struct Revert {
    at: Instant,
    /// The state before the write.
    pub before: Arc<Tenant>,
    /// The state after it.
    pub after: Arc<Tenant>,
}

/// Everything that hides the present from reads.
#[derive(Debug, Default)]
pub struct Replica {
    stale: Option<Stale>,
    hidden: Vec<(String, Instant)>,
    failover: Option<(Instant, Arc<Tenant>)>,
    reverts: Vec<Revert>,
}

impl Replica {
    /// Notes what follows on a write.
    pub fn follow(&mut self, aftermath: Aftermath, before: Arc<Tenant>, after: &Arc<Tenant>) {
        let now = Instant::now();
        match aftermath {
            Aftermath::Stale(shows, span) => {
                self.stale = Some(Stale { shows, until: now + span, state: before, reads: 0 });
            }
            Aftermath::Reverts(span) => {
                self.reverts.push(Revert { at: now + span, before, after: Arc::clone(after) });
            }
        }
    }

    /// What a read sees, where it is not the present.
    pub fn view(&mut self, present: &Arc<Tenant>) -> Option<View> {
        let now = Instant::now();
        if let Some((until, state)) = &self.failover
            && now < *until
        {
            return Some(View::of(Arc::clone(state)));
        }
        let stale = self.stale.as_mut().filter(|stale| now < stale.until)?;
        stale.reads += 1;
        match stale.shows {
            Shows::EveryOther if stale.reads % 2 == 1 => Some(View::of(Arc::clone(present))),
            Shows::Everything | Shows::EveryOther => Some(View::of(Arc::clone(&stale.state))),
            shows => {
                Some(View { fresh: Arc::clone(present), stale: Some((shows, Arc::clone(&stale.state))) })
            }
        }
    }

    /// Hides an object by its path without version, for so long.
    pub fn hide(&mut self, path: String, span: Duration) {
        self.hidden.push((path, Instant::now() + span));
    }

    /// Whether an object is hidden.
    #[must_use]
    pub fn hides(&self, path: &str) -> bool {
        let now = Instant::now();
        self.hidden.iter().any(|(own, until)| now < *until && own.eq_ignore_ascii_case(path))
    }

    /// From here on writes are refused for so long, and reads see this state.
    pub fn fail_over(&mut self, span: Duration, seen: Arc<Tenant>) {
        self.failover = Some((Instant::now() + span, seen));
    }

    /// Whether writes are refused.
    #[must_use]
    pub fn is_failing_over(&self) -> bool {
        self.failover.as_ref().is_some_and(|(until, _)| Instant::now() < *until)
    }

    /// The writes that are due to be taken back.
    pub fn due(&mut self) -> Vec<Revert> {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.reverts).into_iter().partition(|own| own.at <= now);
        self.reverts = later;
        due
    }
}
