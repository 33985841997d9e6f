//! How long a plan will take: a reckoning from what waits for what, and from the slow bucket.

use std::collections::BTreeMap;

use crate::plan::{Action, Plan};

/// From and to, in seconds, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// When all goes well.
    pub from: u64,
    /// When reads lag and buckets throttle, as they do.
    pub to: u64,
    /// What it rests on.
    pub why: String,
}

/// Three calls for an action (look, send, read back) at a good and at a bad moment.
const QUICK: u64 = 1;
const SLOW: u64 = 15;

fn is_policy(action: &Action) -> bool {
    action.requests.iter().any(|request| request.path.contains("/identity/conditionalAccess/"))
}

/// Reckons how long a plan takes.
pub fn estimate(plan: &Plan) -> Estimate {
    let chain = longest_chain(&plan.actions);
    let policy = u64::try_from(plan.actions.iter().filter(|action| is_policy(action)).count()).unwrap_or(0);
    // Conditional Access takes one request a second for the whole tenant (policy-logs-auth.md 7.1): four for an action.
    let bucket = policy * 4;
    let why = if policy == 0 {
        format!("{chain} changes in a row")
    } else {
        format!(
            "{chain} changes in a row, {policy} of all in Conditional Access, which takes one request a second"
        )
    };
    Estimate { from: (chain * QUICK).max(1), to: (chain * SLOW).max(bucket) + 30, why }
}

fn longest_chain(actions: &[Action]) -> u64 {
    let mut depth: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in actions {
        for action in actions {
            let behind =
                action.needs.iter().filter_map(|need| depth.get(need.as_str())).max().copied().unwrap_or(0);
            let own = u64::from(action.cannot.is_none());
            depth.insert(action.id.as_str(), behind + own);
        }
    }
    depth.values().max().copied().unwrap_or(0)
}
