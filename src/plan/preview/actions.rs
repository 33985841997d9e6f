//! The changes of a plan, entry by entry: what, why, from what to what, by which requests, and whether it can be undone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{Action, ApprovalMode, Cannot, Plan, PlannedRequest, Undo, is_command};
use super::document::{Block, Piece, Run, Sent, Tone, bullet, count, line, name, say};
use super::state_change::compare;
use super::style::Detail;
use crate::domain::{ActionId, inert_whole};
use crate::playbook::Aim;

/// Longest body that is shown without being asked for, in characters.
const LONGEST_BODY: usize = 240;

/// Whether a change stands for good once it is made.
pub(super) fn is_final(action: &Action) -> bool {
    action.is_change() && (!action.reversible || matches!(action.undo, Undo::Impossible { .. }))
}

/// Sets out the actions, numbered in the plan's order.
pub(super) fn entries(plan: &Plan, detail: Detail) -> Vec<Block> {
    let numbers: BTreeMap<&ActionId, usize> = plan
        .actions
        .iter()
        .enumerate()
        .map(|(index, action)| (&action.id, index.saturating_add(1)))
        .collect();
    plan.actions
        .iter()
        .enumerate()
        .map(|(index, action)| Block::Entry {
            number: Some(index.saturating_add(1)),
            head: vec![say(&action.summary).toned(Tone::Strong)],
            body: body(action, &numbers, detail, plan.playbook.aim),
        })
        .collect()
}

/// Sets out one action, but for its summary.
pub(super) fn body(
    action: &Action,
    numbers: &BTreeMap<&ActionId, usize>,
    detail: Detail,
    aim: Aim,
) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(object(action))];
    if let Some(cannot) = &action.cannot {
        let mark = if action.required {
            say("CANNOT be done from here: ").toned(Tone::Danger)
        } else {
            say("For a person: ").toned(Tone::Caution)
        };
        blocks.push(Block::Paragraph(vec![mark, say(&cannot.why)]));
    }
    // What comes of a person's work is not known: that it would be nothing is not said.
    if action.cannot.is_none() || !action.after.is_null() {
        blocks.push(Block::Changes(compare(&action.before, &action.after)));
    }
    if !action.reason.is_empty() {
        blocks.push(Block::Paragraph(line(&format!("Why: {}", action.reason))));
    }
    blocks.extend(action.evidence.iter().map(|fact| bullet(line(fact), Vec::new())));
    if let Some(cannot) = &action.cannot {
        blocks.extend(instead(cannot));
    }
    if let Some(run) = undo(action) {
        blocks.push(Block::Paragraph(run));
    }
    blocks.push(Block::Paragraph(terms(action, numbers, aim)));
    if !action.requests.is_empty() {
        blocks.push(Block::Requests(
            action.requests.iter().map(|request| sent("", request, &action.after)).collect(),
        ));
    }
    if let (Detail::Full, Undo::Requests(requests)) = (detail, &action.undo)
        && !requests.is_empty()
    {
        blocks.push(Block::Requests(
            requests.iter().map(|request| sent("undo: ", request, &action.before)).collect(),
        ));
    }
    blocks
}

fn object(action: &Action) -> Run {
    let object = &action.object;
    let mut run = vec![say(&object.kind), say(" "), name(&object.name)];
    match &object.id {
        Some(id) if *id != object.name => run.push(say(&format!(" {id}")).toned(Tone::Faint)),
        Some(_) => {}
        None => run.push(say(" (is made)").toned(Tone::Faint)),
    }
    run
}

/// What a person does instead: sentences as such, and commands apart from them, to be copied.
fn instead(cannot: &Cannot) -> Vec<Block> {
    let mut blocks = Vec::new();
    if cannot.lines().next().is_some() {
        blocks.push(Block::Paragraph(vec![say("Instead, by hand:").toned(Tone::Strong)]));
    }
    for lines in cannot.instead.chunk_by(|one, other| is_command(one) && is_command(other)) {
        if lines.iter().all(|text| is_command(text)) {
            blocks.push(Block::Commands(lines.iter().map(|text| inert_whole(text)).collect()));
        } else {
            blocks.extend(lines.iter().map(|text| bullet(line(text), Vec::new())));
        }
    }
    if !cannot.commands.is_empty() {
        blocks.push(Block::Script(cannot.commands.iter().map(|text| inert_whole(text)).collect()));
    }
    blocks
}

fn undo(action: &Action) -> Option<Run> {
    if !action.is_change() {
        return None;
    }
    match &action.undo {
        Undo::Impossible { why } => Some(vec![say("Cannot be undone: ").toned(Tone::Caution), say(why)]),
        Undo::Requests(_) if !action.reversible => Some(vec![say("Cannot be undone.").toned(Tone::Caution)]),
        Undo::Requests(requests) => Some(vec![
            say(&format!("Can be undone, by {}.", count(requests.len(), "request", "requests")))
                .toned(Tone::Faint),
        ]),
    }
}

/// What the change waits for, and what its outcome means for the run.
fn terms(action: &Action, numbers: &BTreeMap<&ActionId, usize>, aim: Aim) -> Run {
    let mut terms = Vec::new();
    let waits: Vec<String> = action
        .needs
        .iter()
        .map(|need| numbers.get(need).map_or_else(|| need.to_string(), ToString::to_string))
        .collect();
    terms.push(if action.cannot.is_some() {
        "Done by a person".to_owned()
    } else if waits.is_empty() {
        "Starts at once".to_owned()
    } else {
        format!("Starts after {}", waits.join(", "))
    });
    terms.push(match (action.required, aim) {
        (true, Aim::Contain) => "required for containment".to_owned(),
        (true, Aim::Close) => "required".to_owned(),
        (false, aim) => format!("not required: its failure leaves the account {}", aim.reached()),
    });
    if action.approval == ApprovalMode::Auto && action.cannot.is_none() {
        terms.push("may run without a person's yes".to_owned());
    }
    let mut run: Vec<Piece> = vec![say(&terms.join("; ")).toned(Tone::Faint)];
    run.push(say(".").toned(Tone::Faint));
    run
}

/// Sets out one request behind a mark; what `told` says already is not said again.
pub(super) fn sent(prefix: &str, request: &PlannedRequest, told: &Value) -> Sent {
    let body = match &request.body {
        Value::Null => Vec::new(),
        body => format!("{body:#}").lines().map(inert_whole).collect(),
    };
    let mut known = Vec::new();
    collect_leaves("", told, &mut known);
    let mut spelt = Vec::new();
    collect_leaves("", &request.body, &mut spelt);
    let says_more = spelt.iter().any(|leaf| !known.contains(leaf));
    let besides = says_more.then(|| {
        let short = request.body.to_string();
        if short.chars().count() > LONGEST_BODY {
            format!("a body of {}, shown with -v", count(body.len(), "line", "lines"))
        } else {
            inert_whole(&short)
        }
    });
    Sent { verb: format!("{prefix}{}", request.method), path: inert_whole(&request.path), besides, body }
}

/// Collects the values of a JSON document, each with the key that it stands under. The type of a range and the
/// placeholder for what a list holds already say nothing of their own.
fn collect_leaves<'value>(
    key: &'value str,
    value: &'value Value,
    leaves: &mut Vec<(&'value str, &'value Value)>,
) {
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| collect_leaves(key, value, leaves));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_leaves(key, item, leaves)),
        Value::String(text) if key == "@odata.type" || text == "${current.ipRanges}" => {}
        leaf => leaves.push((key, leaf)),
    }
}
