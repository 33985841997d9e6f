//! The order table of `stanch playbook check`: what an intruder may hold, what each step does to it, how it ends.

use schemars::JsonSchema;
use serde::Serialize;

use crate::case::Hold;
use crate::engine::words_of;
use crate::order::{Cell, End, Outlook};
use crate::playbook::BoundStep;
use crate::report::block;

/// Lines are wrapped here.
const WIDTH: usize = 100;

/// What comes of a playbook, every order of its steps walked, the intruder acting between any two of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderTable {
    /// What an intruder may hold.
    rows: Vec<OrderRow>,
    /// How the intruder gets back in although every required step succeeds, one line each; null where they do not.
    way_in: Option<Vec<String>>,
    /// What comes of it where one required step fails; a step that is not listed leaves nothing.
    failing: Vec<OrderFailing>,
}

/// One thing that an intruder may hold.
#[derive(Debug, Serialize, JsonSchema)]
struct OrderRow {
    /// What it is.
    hold: Hold,
    /// The same in words.
    label: &'static str,
    /// The steps that take it, by their ids.
    taken_by: Vec<String>,
    /// The steps that give it back.
    given_by: Vec<String>,
    /// How it ends in the worst order.
    end: End,
}

/// What comes of it where one step fails.
#[derive(Debug, Serialize, JsonSchema)]
struct OrderFailing {
    /// The step's id.
    step: String,
    /// What stays with the intruder then.
    left: Vec<Hold>,
    /// How the intruder then gets back in, one line each; null where they do not.
    way_in: Option<Vec<String>>,
}

/// The table as JSON.
pub(super) fn document(steps: &[BoundStep], outlook: Outlook) -> OrderTable {
    let ids = |cells: &[Cell], wanted: Cell| -> Vec<String> {
        let with = steps.iter().zip(cells).filter(|(_, cell)| **cell == wanted);
        with.map(|(step, _)| step.id.clone()).collect()
    };
    let rows = outlook.rows.iter().map(|row| OrderRow {
        hold: row.hold,
        label: row.hold.label(),
        taken_by: ids(&row.cells, Cell::Takes),
        given_by: ids(&row.cells, Cell::Gives),
        end: row.end,
    });
    OrderTable {
        rows: rows.collect(),
        way_in: outlook.way_in.map(|story| story.lines),
        failing: outlook
            .failing
            .into_iter()
            .map(|own| OrderFailing {
                step: own.step,
                left: own.left,
                way_in: own.way_in.map(|story| story.lines),
            })
            .collect(),
    }
}

/// The table as text.
pub(super) fn text(steps: &[BoundStep], outlook: &Outlook) -> String {
    let mut out = String::new();
    for (index, step) in steps.iter().enumerate() {
        let optional = if step.required { "" } else { " (not required)" };
        out.push_str(&format!("{:>4}  {}{optional}\n", index + 1, step.id));
    }
    out.push('\n');
    let widest = outlook.rows.iter().map(|row| row.hold.label().len()).max().unwrap_or(0);
    let numbers: String = (1..=steps.len()).map(|number| format!("{number:>3}")).collect();
    out.push_str(&format!("{:widest$}{numbers}  at the end\n", "the intruder holds"));
    for row in &outlook.rows {
        let cells: String = row.cells.iter().map(|cell| format!("{:>3}", mark(*cell))).collect();
        let line = format!("{:widest$}{cells}  {}", row.hold.label(), ending(row.hold, row.end));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str("\nx: the step takes it; +: it gives it back. The worst of all orders, the intruder acting in between.\n");
    if let Some(story) = &outlook.way_in {
        out.push_str("\nA WAY BACK IN is left, even if every required step succeeds:\n");
        for (index, line) in story.lines.iter().enumerate() {
            block(&mut out, &format!("  {}. ", index + 1), line, WIDTH);
        }
        let shuts =
            outlook.rows.iter().any(|row| row.hold == Hold::Account && row.cells.contains(&Cell::Takes));
        if !shuts {
            block(
                &mut out,
                "  ",
                "With `disable_sign_in` as the first step, which every other waits for, none of it can be done.",
                WIDTH,
            );
        }
    }
    if !outlook.failing.is_empty() {
        out.push_str("\nIf one step fails:\n");
        for failing in &outlook.failing {
            block(&mut out, &format!("  {}: ", failing.step), &words_of(failing), WIDTH);
        }
    }
    out
}

fn mark(cell: Cell) -> &'static str {
    match cell {
        Cell::Nothing => ".",
        Cell::Takes => "x",
        Cell::Gives => "+",
    }
}

fn ending(hold: Hold, end: End) -> &'static str {
    match (hold, end) {
        (Hold::Network, End::Gone) => "the known ones are blocked; there are others",
        (_, End::Gone) => "gone",
        (_, End::GoneIfAll) => "gone, if the steps that are not required succeed",
        (_, End::WayIn) => "LEFT, and a way in",
        (_, End::OnceEnabled) => "LEFT for the day that sign-in is enabled",
        (_, End::Left) => "left",
        (_, End::Expires) => "ends by itself, within 2 hours",
    }
}
