//! A step as the order sees it.

use std::collections::BTreeMap;

use super::position::Holds;
use crate::case::Hold;

/// Which part a step plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It shuts a door that a live session could have come back through.
    Door,
    /// It ends sessions.
    Revocation,
    /// It lets somebody in.
    WayIn,
    /// None of these.
    Other,
}

/// A step as the order sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderedStep {
    /// Id within the playbook.
    pub id: String,
    /// Its kind.
    pub name: String,
    /// Ids of the steps that it waits for.
    pub needs: Vec<String>,
    /// What it takes from an intruder.
    pub takes: Vec<Hold>,
    /// What it gives back.
    pub gives: Vec<Hold>,
    /// Whether its failure keeps the run from being contained.
    pub required: bool,
    /// Which part it plays.
    pub part: Part,
}

/// For each step, by its place, the places of the steps that have certainly ended before it starts.
pub(super) fn everything_before(steps: &[OrderedStep]) -> Vec<Vec<usize>> {
    let places: BTreeMap<&str, usize> =
        steps.iter().enumerate().map(|(place, step)| (step.id.as_str(), place)).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    // Needs may name later steps: as many passes as steps reach every one.
    for _ in steps {
        for (place, step) in steps.iter().enumerate() {
            let needs: Vec<usize> =
                step.needs.iter().filter_map(|need| places.get(need.as_str()).copied()).collect();
            let far = needs.iter().filter_map(|need| before.get(*need)).flatten().copied();
            let mut waited: Vec<usize> = needs.iter().copied().chain(far).collect();
            waited.sort_unstable();
            waited.dedup();
            if let Some(slot) = before.get_mut(place) {
                *slot = waited;
            }
        }
    }
    before
}

/// What decides nothing in a walk: whoever is blocked at one address comes from another, and an access token ends by
/// itself.
pub(super) fn decides(hold: Hold) -> bool {
    !matches!(hold, Hold::Network | Hold::AccessToken)
}

/// The deciding part of a list.
pub(super) fn deciding(holds: &[Hold]) -> Holds {
    holds.iter().filter(|hold| decides(**hold)).fold(Holds::default(), |set, hold| set.with(*hold))
}
