//! What refuses a playbook: an order of its own steps that leaves a way back in, where another order of them leaves none.

use super::last_revocation::{self, OrderError};
use super::outlook::{is_kept, story};
use super::position::{Holds, Position};
use super::step::{OrderedStep, Part, deciding};
use super::story::Story;
use super::walk::Outcome;
use crate::case::Hold;

/// Why an order is refused, with the story where there is one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", told(.rule, .story.as_ref()))]
pub struct OrderFault {
    /// The rule that it breaks.
    pub rule: OrderError,
    /// How the intruder gets back in.
    pub story: Option<Story>,
}

impl OrderFault {
    /// The message for where the story is told apart. Where there is none, it says why the rule matters.
    pub fn without_story(&self) -> String {
        match self.story {
            Some(_) => self.rule.to_string(),
            None => told(&self.rule, None),
        }
    }
}

fn told(rule: &OrderError, story: Option<&Story>) -> String {
    match story {
        Some(story) => format!("{rule}: {story}"),
        None => format!("{rule}{}", rule.why()),
    }
}

/// Checks the order of a playbook's steps.
///
/// # Errors
/// When no revocation waits for every door; when somebody is let in too early; when the intruder is in at the end by what
/// the playbook takes, and would not be if the same steps ran one after the other in a better order.
pub fn check(steps: &[OrderedStep]) -> Result<(), OrderFault> {
    if let Err(rule) = last_revocation::check(steps) {
        let story = match rule {
            OrderError::WayInTooEarly { .. } => None,
            _ => story_of(steps),
        };
        return Err(OrderFault { rule, story });
    }
    let start = start_of(steps);
    // What cannot be walked is held to the rule alone.
    let Ok(Some(told)) = story(steps, Outcome::Required, start) else { return Ok(()) };
    let better = in_better_order(steps);
    match story(&better, Outcome::Required, start) {
        Ok(None) => Err(OrderFault {
            rule: OrderError::WayBackIn {
                first: culprit(steps, &better),
                better: better.into_iter().map(|step| step.id).collect(),
            },
            story: Some(told),
        }),
        _ => Ok(()),
    }
}

/// An intruder who holds what the playbook sets out to take, and nothing else: what it does not take is told, and no
/// fault of its order.
fn start_of(steps: &[OrderedStep]) -> Position {
    let taken = steps.iter().fold(Holds::default(), |all, step| all.union(deciding(&step.takes)));
    let worst = Position::worst();
    let is_held = |hold: &Hold| !is_kept(*hold) || *hold == Hold::Session || taken.contains(*hold);
    Position {
        holds: worst.holds.iter().filter(is_held).fold(Holds::default(), Holds::with),
        app_token: taken.contains(Hold::Consent),
        device_token: taken.contains(Hold::Device),
    }
}

/// The story behind a broken rule. Where the account is shut meanwhile there is none, unless shutting it fails.
fn story_of(steps: &[OrderedStep]) -> Option<Story> {
    let told = |steps: &[OrderedStep]| story(steps, Outcome::Required, start_of(steps)).ok().flatten();
    if let Some(story) = told(steps) {
        return Some(story);
    }
    let shuts =
        |step: &OrderedStep| step.takes.contains(&Hold::Account) || step.takes.contains(&Hold::Admission);
    let failing = steps.iter().find(|step| shuts(step))?;
    let mut open = steps.to_vec();
    for step in open.iter_mut().filter(|step| shuts(step)) {
        step.takes.clear();
    }
    let mut story = told(&open)?;
    story.lines.insert(0, format!("`{}` fails, or somebody takes it back", failing.id));
    Some(story)
}

/// The same steps one after the other: shut the account, keep methods from being added, take what signs in, then what it
/// left behind, end the sessions, and let somebody in at last.
fn in_better_order(steps: &[OrderedStep]) -> Vec<OrderedStep> {
    let rank = |step: &OrderedStep| -> u8 {
        let takes = |hold: Hold| step.takes.contains(&hold);
        if step.part == Part::WayIn || !step.gives.is_empty() {
            7
        } else if step.part == Part::Revocation {
            6
        } else if takes(Hold::Account) || takes(Hold::Admission) {
            0
        } else if takes(Hold::Registration) {
            1
        } else if takes(Hold::Method) || takes(Hold::Pass) {
            2
        } else if takes(Hold::Password) {
            3
        } else if !step.takes.is_empty() {
            4
        } else {
            5
        }
    };
    let mut better = steps.to_vec();
    better.sort_by_key(rank);
    let mut before: Option<String> = None;
    for step in &mut better {
        step.needs = before.replace(step.id.clone()).into_iter().collect();
    }
    better
}

/// The first step that stands elsewhere in the better order.
fn culprit(steps: &[OrderedStep], better: &[OrderedStep]) -> String {
    let moved = steps.iter().zip(better).find(|(own, other)| own.id != other.id);
    // Where only the needs differ, it is the first that waits for too little.
    moved.map(|(own, _)| own).or(steps.first()).map(|step| step.id.clone()).unwrap_or_default()
}
