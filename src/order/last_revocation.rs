//! The rule that follows from what an intruder may hold: the last revocation comes after the last door.

use super::step::{OrderedStep, Part, everything_before};

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
    #[error("`{door}` may run after `{revocation}`, the last revocation")]
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
    /// The intruder is in at the end, and would not be in another order.
    #[error("this order leaves a way back in")]
    WayBackIn {
        /// The first step that stands elsewhere in the better order.
        first: String,
        /// The better order.
        better: Vec<String>,
    },
}

impl OrderError {
    /// The id of the step that stands in the wrong place: a door, or a way in.
    pub fn step(&self) -> &str {
        match self {
            Self::NoRevocation { door } | Self::DoorAfterRevocation { door, .. } => door,
            Self::WayInTooEarly { way_in, .. } => way_in,
            Self::WayBackIn { first, .. } => first,
        }
    }

    /// Why it matters, behind the message, where no story tells it.
    pub(super) fn why(&self) -> &'static str {
        match self {
            Self::DoorAfterRevocation { .. } => {
                ": until then whoever holds what it takes signs in anew, and that session outlives the run"
            }
            _ => "",
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
            Self::WayBackIn { better, .. } => {
                format!("one after the other in this order they leave none: `{}`", better.join("`, `"))
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
    for (way_in, waited) in
        steps.iter().zip(everything_before(steps)).filter(|(step, _)| step.part == Part::WayIn)
    {
        let missed = steps.iter().enumerate().find(|(place, step)| {
            matches!(step.part, Part::Door | Part::Revocation) && !waited.contains(place)
        });
        if let Some((_, missed)) = missed {
            return Err(OrderError::WayInTooEarly { way_in: way_in.id.clone(), before: missed.id.clone() });
        }
    }
    Ok(())
}

fn check_revocation(steps: &[OrderedStep]) -> Result<(), OrderError> {
    let Some(first_door) = steps.iter().find(|step| step.part == Part::Door) else { return Ok(()) };
    let best = steps
        .iter()
        .zip(everything_before(steps))
        .filter(|(step, _)| step.part == Part::Revocation)
        .map(|(revocation, waited)| {
            let missed: Vec<&OrderedStep> = steps
                .iter()
                .enumerate()
                .filter(|(place, step)| step.part == Part::Door && !waited.contains(place))
                .map(|(_, step)| step)
                .collect();
            (revocation, missed)
        })
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
            part: match id {
                "reset" | "methods" | "policy" => Part::Door,
                "enable" | "pass" => Part::WayIn,
                id if id.starts_with("revoke") => Part::Revocation,
                _ => Part::Other,
            },
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
