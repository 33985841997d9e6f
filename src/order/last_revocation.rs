//! The rule that follows from what an intruder may hold: the last revocation comes after the last door.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Hold;

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
    /// Whether it shuts a door that a live session could have come back through.
    pub is_door: bool,
    /// Whether it ends sessions.
    pub is_revocation: bool,
    /// Whether it lets somebody in.
    pub is_way_in: bool,
}

/// Why an order leaves a way back in.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OrderError {
    /// Doors are shut and nothing ends the sessions.
    #[error("nothing ends the sessions: `{door}` shuts a door, and whoever is inside stays inside")]
    NoRevocation {
        /// The first door.
        door: String,
    },
    /// A door may be shut after the last revocation.
    #[error(
        "`{door}` may run after `{revocation}`, the last revocation: until then whoever holds what it takes signs in anew, and that session outlives the run"
    )]
    DoorAfterRevocation {
        /// The door.
        door: String,
        /// The revocation that comes closest to being the last.
        revocation: String,
    },
    /// Somebody may be let in before a door is shut, or before the sessions end.
    #[error("`{way_in}` may run before `{before}`: it lets somebody in while that is still open")]
    WayInTooEarly {
        /// What lets somebody in.
        way_in: String,
        /// The door or revocation that it does not wait for.
        before: String,
    },
}

impl OrderError {
    /// The id of the step that shuts the door.
    pub fn door(&self) -> &str {
        match self {
            Self::NoRevocation { door } | Self::DoorAfterRevocation { door, .. } => door,
            Self::WayInTooEarly { way_in, .. } => way_in,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRevocation { .. } => "add `- step: revoke_sessions` at the end".to_owned(),
            Self::DoorAfterRevocation { door, revocation } => format!(
                "add `{door}` to the `needs` of `{revocation}`, or a `revoke_sessions` at the end that needs every step"
            ),
            Self::WayInTooEarly { way_in, before } => {
                format!(
                    "add `{before}` to the `needs` of `{way_in}`, or leave `{way_in}` to a playbook of its own, such as `restore`"
                )
            }
        })
    }
}

/// Checks that some revocation waits for every door, and every way in for both, however the steps are interleaved.
///
/// # Errors
/// When none does: with the door that it misses. When somebody is let in too early.
pub fn check(steps: &[OrderedStep]) -> Result<(), OrderError> {
    check_ways_in(steps)?;
    check_revocation(steps)
}

/// What lets somebody in waits for every door and every revocation that the playbook has.
fn check_ways_in(steps: &[OrderedStep]) -> Result<(), OrderError> {
    let before = everything_before(steps);
    for way_in in steps.iter().filter(|step| step.is_way_in) {
        let waited = before.get(way_in.id.as_str());
        let missed = steps.iter().find(|step| {
            (step.is_door || step.is_revocation)
                && !waited.is_some_and(|waited| waited.contains(step.id.as_str()))
        });
        if let Some(missed) = missed {
            return Err(OrderError::WayInTooEarly { way_in: way_in.id.clone(), before: missed.id.clone() });
        }
    }
    Ok(())
}

fn check_revocation(steps: &[OrderedStep]) -> Result<(), OrderError> {
    let Some(first_door) = steps.iter().find(|step| step.is_door) else { return Ok(()) };
    let before = everything_before(steps);
    let missed = |revocation: &OrderedStep| -> Vec<&OrderedStep> {
        let waited = before.get(revocation.id.as_str());
        steps
            .iter()
            .filter(|step| step.is_door && !waited.is_some_and(|waited| waited.contains(step.id.as_str())))
            .collect()
    };
    let best = steps
        .iter()
        .filter(|step| step.is_revocation)
        .map(|revocation| (revocation, missed(revocation)))
        .min_by_key(|(_, missed)| missed.len());
    match best {
        None => Err(OrderError::NoRevocation { door: first_door.id.clone() }),
        Some((revocation, missed)) => match missed.first() {
            None => Ok(()),
            Some(door) => Err(OrderError::DoorAfterRevocation {
                door: door.id.clone(),
                revocation: revocation.id.clone(),
            }),
        },
    }
}

/// For each step, the steps that have certainly ended before it starts.
fn everything_before(steps: &[OrderedStep]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    // Needs may name later steps: as many passes as steps reach every one.
    for _ in steps {
        for step in steps {
            let mut waited: BTreeSet<&str> = step.needs.iter().map(String::as_str).collect();
            for need in &step.needs {
                waited.extend(before.get(need.as_str()).into_iter().flatten().copied());
            }
            before.insert(&step.id, waited);
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, needs: &[&str]) -> OrderedStep {
        OrderedStep {
            id: id.to_owned(),
            name: id.to_owned(),
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
            takes: Vec::new(),
            gives: Vec::new(),
            required: true,
            is_door: matches!(id, "reset" | "methods" | "policy"),
            is_revocation: id.starts_with("revoke"),
            is_way_in: matches!(id, "enable" | "pass"),
        }
    }

    #[test]
    fn a_revocation_that_waits_for_every_door_is_sound() {
        let steps = [step("reset", &[]), step("methods", &["reset"]), step("revoke", &["methods"])];
        assert_eq!(check(&steps), Ok(()));
        assert_eq!(check(&[step("enable", &[])]), Ok(()));
    }

    #[test]
    fn a_door_behind_or_beside_the_last_revocation_is_named() {
        let behind = [step("revoke", &[]), step("reset", &["revoke"])];
        assert_eq!(
            check(&behind),
            Err(OrderError::DoorAfterRevocation {
                door: "reset".to_owned(),
                revocation: "revoke".to_owned()
            })
        );
        let beside = [step("reset", &[]), step("policy", &[]), step("revoke", &["reset"])];
        assert_eq!(
            check(&beside),
            Err(OrderError::DoorAfterRevocation {
                door: "policy".to_owned(),
                revocation: "revoke".to_owned()
            })
        );
        assert_eq!(check(&[step("reset", &[])]), Err(OrderError::NoRevocation { door: "reset".to_owned() }));
    }

    #[test]
    fn an_early_revocation_beside_a_last_one_is_sound() {
        let steps = [step("revoke_first", &[]), step("reset", &["revoke_first"]), step("revoke", &["reset"])];
        assert_eq!(check(&steps), Ok(()));
    }

    #[test]
    fn nobody_is_let_in_before_every_door_is_shut_and_every_session_ended() {
        let early =
            |needs: &[&str]| check(&[step("reset", &[]), step("revoke", &["reset"]), step("pass", needs)]);
        assert_eq!(early(&["revoke"]), Ok(()));
        for (needs, missed) in [(&["reset"][..], "revoke"), (&[][..], "reset")] {
            assert_eq!(
                early(needs),
                Err(OrderError::WayInTooEarly { way_in: "pass".to_owned(), before: missed.to_owned() })
            );
        }
        assert_eq!(check(&[step("enable", &[]), step("pass", &["enable"])]), Ok(()), "a playbook of its own");
    }
}
