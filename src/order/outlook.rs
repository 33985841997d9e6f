//! What comes of a playbook: the table of what each step takes, what is left at the end, and how an intruder gets back
//! in, if they do.

use schemars::JsonSchema;
use serde::Serialize;

use super::position::{Holds, Position, Terrain};
use super::step::{OrderedStep, Part, deciding};
use super::story::{Story, tell};
use super::walk::{Outcome, TooWide, Walk};
use crate::case::Hold;

/// What a step does to one row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// It takes it.
    Takes,
    /// It gives it back.
    Gives,
}

/// How a row ends, in the worst order and with the intruder at their best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It is gone.
    Gone,
    /// It is gone if the steps that are not required succeed too.
    GoneIfAll,
    /// It is left, and the intruder gets in by it.
    WayIn,
    /// It is left, and worth something again once sign-in is enabled.
    OnceEnabled,
    /// It is left, and signs nobody in by itself.
    Left,
    /// It ends by itself.
    Expires,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub hold: Hold,
    /// What each step does to it, in the order of the playbook.
    pub cells: Vec<Cell>,
    /// How it ends.
    pub end: End,
}

/// What comes of it where one step fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The step.
    pub step: String,
    /// What is left beside what is left anyway.
    pub left: Vec<Hold>,
    /// How the intruder then gets back in, where they do.
    pub way_in: Option<Story>,
}

/// What comes of a playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The table.
    pub rows: Vec<Row>,
    /// How the intruder is in at the end, though every required step succeeds.
    pub way_in: Option<Story>,
    /// What comes of it where one of the required steps fails.
    pub failing: Vec<Failing>,
}

/// Reckons what comes of a playbook that takes something from an intruder. `None` for one that takes nothing: it says
/// nothing about being contained.
///
/// # Errors
/// [`TooWide`] for one whose steps may run in more orders than are walked.
pub fn outlook(steps: &[OrderedStep]) -> Result<Option<Outlook>, TooWide> {
    if !steps.iter().any(|step| matches!(step.part, Part::Door | Part::Revocation)) {
        return Ok(None);
    }
    let start = Position::worst();
    let worst = left(steps, Outcome::Required, start)?;
    let best = left(steps, Outcome::All, start)?;
    let rows = rows(steps, &worst, &best);
    let mut failing = Vec::new();
    for (place, step) in steps.iter().enumerate().filter(|(_, step)| step.required) {
        if deciding(&step.takes).is_empty() {
            continue;
        }
        let without = left(steps, Outcome::Without(place), start)?;
        let more: Vec<Hold> =
            without.holds.iter().filter(|hold| !worst.holds.contains(*hold) && is_kept(*hold)).collect();
        let way_in = if worst.is_way_in { None } else { story(steps, Outcome::Without(place), start)? };
        if !more.is_empty() || way_in.is_some() {
            failing.push(Failing { step: step.id.clone(), left: more, way_in });
        }
    }
    Ok(Some(Outlook { rows, way_in: story(steps, Outcome::Required, start)?, failing }))
}

/// How an intruder at their worst is in at the end, though every required step does what it is for.
///
/// # Errors
/// [`TooWide`] for more orders than are walked.
pub fn way_in_if_required_succeed(steps: &[OrderedStep]) -> Result<Option<Story>, TooWide> {
    story(steps, Outcome::Required, Position::worst())
}

/// The same where every step does what it is for.
///
/// # Errors
/// [`TooWide`] for more orders than are walked.
pub fn way_in_if_all_succeed(steps: &[OrderedStep]) -> Result<Option<Story>, TooWide> {
    story(steps, Outcome::All, Position::worst())
}

/// How an intruder who starts here is in at the end, where they are.
pub(super) fn story(
    steps: &[OrderedStep],
    outcome: Outcome,
    start: Position,
) -> Result<Option<Story>, TooWide> {
    let walk = Walk::new(steps, outcome, Terrain::WORST)?;
    if !walk.ends(start)?.iter().any(|end| end.is_way_in(Terrain::WORST)) {
        return Ok(None);
    }
    Ok(walk.shortest_way_in(start).map(|events| tell(steps, &events, start, Terrain::WORST)))
}

/// What is left at the end, over every order.
struct Left {
    holds: Holds,
    is_way_in: bool,
}

fn left(steps: &[OrderedStep], outcome: Outcome, start: Position) -> Result<Left, TooWide> {
    let ends = Walk::new(steps, outcome, Terrain::WORST)?.ends(start)?;
    Ok(Left {
        holds: ends.iter().fold(Holds::default(), |all, end| all.union(end.holds)),
        is_way_in: ends.iter().any(|end| end.is_way_in(Terrain::WORST)),
    })
}

/// What an intruder has in hand, as against what of the account lets them use it.
pub(super) fn is_kept(hold: Hold) -> bool {
    !matches!(
        hold,
        Hold::Account
            | Hold::Admission
            | Hold::Registration
            | Hold::Network
            | Hold::AnyDevice
            | Hold::AccessToken
    )
}

/// What somebody signs in with, or stays signed in by.
fn opens(hold: Hold) -> bool {
    matches!(hold, Hold::Session | Hold::Password | Hold::Method | Hold::Pass)
}

fn rows(steps: &[OrderedStep], worst: &Left, best: &Left) -> Vec<Row> {
    let mut rows = Vec::new();
    for hold in Hold::ALL {
        let cells: Vec<Cell> = steps
            .iter()
            .map(|step| {
                if step.gives.contains(&hold) {
                    Cell::Gives
                } else if step.takes.contains(&hold) {
                    Cell::Takes
                } else {
                    Cell::Nothing
                }
            })
            .collect();
        let is_touched = cells.iter().any(|cell| *cell != Cell::Nothing);
        if !is_touched && !is_kept(hold) && hold != Hold::AccessToken {
            continue;
        }
        let is_gone_at_best = match hold {
            // It decides nothing, so the walk does not follow it.
            Hold::Network => true,
            _ => !best.holds.contains(hold),
        };
        let is_gone = match hold {
            Hold::Network => steps.iter().any(|step| step.required && step.takes.contains(&hold)),
            _ => !worst.holds.contains(hold),
        };
        let end = if hold == Hold::AccessToken {
            End::Expires
        } else if is_gone {
            End::Gone
        } else if is_gone_at_best {
            End::GoneIfAll
        } else if opens(hold) && worst.is_way_in {
            End::WayIn
        } else if opens(hold) {
            End::OnceEnabled
        } else {
            End::Left
        };
        rows.push(Row { hold, cells, end });
    }
    rows
}
