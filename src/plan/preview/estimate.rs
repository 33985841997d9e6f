//! How long a plan takes to apply: from what waits for what, and from the bucket that all apps of a tenant share.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::super::{Action, Plan};
use super::document::count;
use crate::domain::ActionId;

/// What Graph takes to answer on a good day, and on a bad one.
const ANSWER: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How long a read may trail our own write: no time at all, up to half a minute.
const READ_LAG: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(30));
/// What the Conditional Access bucket takes for one request, for all apps of the tenant together.
const BUCKET: Duration = Duration::from_secs(1);
/// Besides its writes an action reads twice: it looks again before, and reads back after.
const READS: u32 = 2;

/// How long a plan takes, as a range, with what makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// When all goes as fast as it can.
    pub least: Duration,
    /// When reads lag and Graph is slow; faults and throttling can make it longer.
    pub most: Duration,
    /// What it is made of, one sentence each.
    pub reasons: Vec<String>,
}

/// Estimates how long applying the plan takes. What a person has to do by hand is not in it.
pub fn estimate(plan: &Plan) -> Estimate {
    let sending: Vec<&Action> = plan.actions.iter().filter(|action| action.is_change()).collect();
    if sending.is_empty() {
        return Estimate {
            least: Duration::ZERO,
            most: Duration::ZERO,
            reasons: vec!["Nothing is sent.".to_owned()],
        };
    }
    let in_bucket: u32 =
        sending.iter().filter(|action| uses_bucket(action)).map(|action| requests(action)).sum();
    let bucket = BUCKET.saturating_mul(in_bucket);
    let (least, most, chain) = longest_chain(&sending);
    let mut reasons = vec![format!(
        "The longest chain has {}: each is looked at again and sent before the next starts.",
        count(chain, "change", "changes that wait for one another")
    )];
    reasons.push(format!(
        "What Graph shows may trail what was written, by up to {} a change.",
        spell(READ_LAG.1)
    ));
    if in_bucket > 0 {
        reasons.push(format!(
            "Graph takes one request a second for Conditional Access, for all apps of the tenant: {in_bucket} of ours."
        ));
    }
    let watch = plan.actions.iter().filter_map(|action| action.watch.as_ref()?.within_seconds.into()).max();
    if let Some(seconds) = watch {
        reasons.push(format!(
            "What is watched for comes on top: up to {}.",
            spell(Duration::from_secs(seconds))
        ));
    }
    if plan.actions.iter().any(|action| action.cannot.is_some()) {
        reasons.push("What a person has to do by hand comes on top.".to_owned());
    }
    Estimate { least: least.max(bucket), most: most.saturating_add(bucket), reasons }
}

fn uses_bucket(action: &Action) -> bool {
    action.requests.iter().any(|request| {
        let path = request.path.to_ascii_lowercase();
        path.contains("/identity/conditionalaccess/") || path.contains("/identityprotection/")
    })
}

fn requests(action: &Action) -> u32 {
    u32::try_from(action.requests.len()).unwrap_or(u32::MAX).saturating_add(READS)
}

/// How long a chain of changes takes at least and at most, and how many changes it has.
type Chain = (Duration, Duration, usize);

/// The longest of all chains. A circle cannot run, so its rounds end at the number of actions.
fn longest_chain(actions: &[&Action]) -> Chain {
    let mut ends: BTreeMap<&ActionId, Chain> = BTreeMap::new();
    for _ in actions {
        let mut is_settled = true;
        for action in actions {
            let start = longest(action.needs.iter().filter_map(|need| ends.get(need)));
            let own = requests(action);
            let end = (
                start.0.saturating_add(ANSWER.0.saturating_mul(own)).saturating_add(READ_LAG.0),
                start.1.saturating_add(ANSWER.1.saturating_mul(own)).saturating_add(READ_LAG.1),
                start.2.saturating_add(1),
            );
            is_settled &= ends.insert(&action.id, end) == Some(end);
        }
        if is_settled {
            break;
        }
    }
    longest(ends.values())
}

/// The longest of each, as the chain with most changes need not be the one with most requests.
fn longest<'chain>(chains: impl Iterator<Item = &'chain Chain>) -> Chain {
    chains.fold((Duration::ZERO, Duration::ZERO, 0), |longest, chain| {
        (longest.0.max(chain.0), longest.1.max(chain.1), longest.2.max(chain.2))
    })
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.most.is_zero() {
            return formatter.write_str("no time");
        }
        write!(formatter, "{} to {}", spell(self.least), spell(self.most))
    }
}

/// Spells a duration as coarsely as it is known: seconds, then tens of seconds, then minutes.
fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    match seconds {
        0..=10 => format!("{} s", seconds.max(1)),
        11..=90 => format!("{} s", seconds.div_ceil(10) * 10),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}
