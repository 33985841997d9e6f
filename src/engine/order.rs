//! A playbook held against the order of its steps: before anything is read, and again when it is known which steps can do
//! what they are for.

use super::plan_error::PlanError;
use crate::case::Hold;
use crate::order::{self, End, Failing, OrderedStep, Outlook, Part, Row, TooWide};
use crate::plan::PlannedStep;
use crate::playbook::{Aim, BoundPlaybook, BoundStep};
use crate::steps::{AnyStep, Planned};

/// Refuses a playbook whose order leaves a way back in.
///
/// # Errors
/// When it does.
pub fn check_order(playbook: &BoundPlaybook) -> Result<(), PlanError> {
    Ok(order::check(&ordered(playbook))?)
}

/// Reckons what comes of a playbook. `None` for one that takes nothing from an intruder.
///
/// # Errors
/// [`TooWide`] for one whose steps may run in more orders than are walked.
pub fn outlook_of(playbook: &BoundPlaybook) -> Result<Option<Outlook>, TooWide> {
    order::outlook(&ordered(playbook))
}

fn ordered(playbook: &BoundPlaybook) -> Vec<OrderedStep> {
    playbook.steps.iter().map(ordered_step).collect()
}

fn ordered_step(step: &BoundStep) -> OrderedStep {
    let kind = step.step.as_str();
    OrderedStep {
        id: step.id.clone(),
        name: step.step.clone(),
        needs: step.needs.clone(),
        takes: AnyStep::takes(kind, &step.with),
        gives: AnyStep::gives(kind).to_vec(),
        required: step.required,
        part: part_of(kind),
    }
}

fn part_of(kind: &str) -> Part {
    if AnyStep::is_way_in(kind) {
        Part::WayIn
    } else if AnyStep::is_revocation(kind) {
        Part::Revocation
    } else if AnyStep::is_door(kind) {
        Part::Door
    } else {
        Part::Other
    }
}

/// A step as the plan keeps it: one that a guard refuses, that nobody can do from here, or that leaves what holds a run
/// back, takes nothing.
pub(super) fn planned_step(step: &BoundStep, planned: &Planned) -> PlannedStep {
    let takes = if does_its_work(planned) { AnyStep::takes(&step.step, &step.with) } else { Vec::new() };
    PlannedStep {
        id: step.id.clone(),
        kind: step.step.clone(),
        needs: step.needs.clone(),
        required: step.required,
        takes,
        gives: AnyStep::gives(&step.step).to_vec(),
        known: planned.known.clone(),
    }
}

/// A planned step as the order sees it.
pub(super) fn ordered_again(step: &PlannedStep) -> OrderedStep {
    OrderedStep {
        id: step.id.clone(),
        name: step.kind.clone(),
        needs: step.needs.clone(),
        takes: step.takes.clone(),
        gives: step.gives.clone(),
        required: step.required,
        part: part_of(&step.kind),
    }
}

/// What stays open when a plan's steps have done what they can.
pub(super) fn what_stays(planned: &[(BoundStep, Planned)], aim: Aim) -> Vec<String> {
    let steps: Vec<OrderedStep> =
        planned.iter().map(|(step, planned)| ordered_again(&planned_step(step, planned))).collect();
    match order::outlook(&steps) {
        Ok(Some(outlook)) => risks(&outlook, aim),
        Ok(None) => Vec::new(),
        Err(TooWide) => vec![too_wide()],
    }
}

/// What is said of a playbook that is not walked.
pub fn too_wide() -> String {
    "The steps may run in more orders than are walked: whether the intruder gets back in between them is not known."
        .to_owned()
}

fn does_its_work(planned: &Planned) -> bool {
    planned.refused.is_empty()
        && planned.actions.iter().all(|action| action.cannot.is_none())
        && planned.left.iter().all(|left| !left.holds_back)
}

fn risks(outlook: &Outlook, aim: Aim) -> Vec<String> {
    // Where nobody broke in, it is whoever holds what the account has.
    let (who, whose) = match aim {
        Aim::Contain => ("the intruder", "what the intruder left of these stays"),
        Aim::Close => ("whoever holds it", "what there is of these stays"),
    };
    let mut risks = Vec::new();
    if let Some(story) = &outlook.way_in {
        risks.push(match aim {
            Aim::Contain => {
                format!("The intruder has a way back in, even if all that is required succeeds: {story}.")
            }
            Aim::Close => format!(
                "A way back in is left to the former user, whom this calls the intruder, even if all that is required succeeds: {story}."
            ),
        });
    }
    let ended = |end: End| -> Vec<&Row> { outlook.rows.iter().filter(|row| row.end == end).collect() };
    let later = ended(End::OnceEnabled);
    if !later.is_empty() {
        risks.push(format!(
            "Nothing here takes {} for good: with that {who} gets in once sign-in is enabled again.",
            listed(later.iter().map(|row| row.hold), "or")
        ));
    }
    let kept: Vec<&Row> =
        ended(End::Left).into_iter().filter(|row| LEFT_BEHIND.contains(&row.hold)).collect();
    if !kept.is_empty() {
        risks.push(format!(
            "Nothing here looks for {}: {whose}.",
            listed(kept.iter().map(|row| row.hold), "or")
        ));
    }
    risks
}

/// What an intruder may have left that signs nobody in by itself.
const LEFT_BEHIND: [Hold; 4] = [Hold::Consent, Hold::Device, Hold::Rule, Hold::Role];

/// What a failing step leaves, in words.
pub fn words_of(failing: &Failing) -> String {
    let left = listed(failing.left.iter().copied(), "and");
    match (&failing.way_in, failing.left.is_empty()) {
        (Some(story), _) => format!("the intruder has a way back in: {story}"),
        (None, false) if failing.left.len() > 1 => format!("{left} stay with the intruder"),
        (None, false) => format!("{left} stays with the intruder"),
        (None, true) => "nothing more stays with the intruder".to_owned(),
    }
}

fn listed(holds: impl Iterator<Item = Hold>, word: &str) -> String {
    let labels: Vec<&str> = holds.map(Hold::label).collect();
    match labels.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}
