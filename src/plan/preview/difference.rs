//! What differs between two plans, set out with the preview's own blocks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{
    Action, ActionChange, FieldChange, ListChange, PlanBrief, PlanDifference, PlannedRequest,
};
use super::actions::{body, sent};
use super::document::{
    Block, Change, Document, Piece, Run, Section, Tone, bullet, count, line, moment, name, say, value_cut,
    value_whole,
};
use super::style::Detail;
use crate::domain::inert_whole;
use crate::playbook::Aim;

/// The parts of a plan beside its actions, in the order in which they are shown.
const PARTS: [(&str, &str); 11] = [
    ("case", "The case"),
    ("left", "Left alone"),
    ("unchanged", "Nothing to do"),
    ("guards", "Guards"),
    ("warnings", "Warnings"),
    ("residual_risk", "What stays open"),
    ("permissions", "Permissions"),
    ("tenant", "Tenant"),
    ("playbook", "Playbook"),
    ("requested_by", "Who asked"),
    ("engine", "Made with"),
];

/// Sets out what differs.
pub(super) fn compose(difference: &PlanDifference, detail: Detail) -> Document {
    let actions = &difference.actions;
    let mut sections = vec![
        Section::new("Actions added", Tone::Good, whole_actions(&actions.added, "+ ", detail)),
        Section::new("Actions removed", Tone::Caution, whole_actions(&actions.removed, "− ", detail)),
        Section::new("Actions changed", Tone::Strong, actions.changed.iter().map(changed_action).collect()),
    ];
    let is_part = |path: &str, part: &str| {
        path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
    };
    for (part, title) in PARTS {
        let fields = difference.fields.iter().filter(|field| is_part(&field.path, part));
        let lists = difference.lists.iter().filter(|list| is_part(&list.path, part));
        sections.push(Section::new(title, Tone::Strong, changes(fields, lists)));
    }
    let is_other = |path: &str| !PARTS.iter().any(|(part, _)| is_part(path, part));
    let fields = difference.fields.iter().filter(|field| is_other(&field.path));
    let lists = difference.lists.iter().filter(|list| is_other(&list.path));
    sections.push(Section::new("Besides", Tone::Strong, changes(fields, lists)));
    Document {
        title: line("What differs between two plans"),
        identity: vec![
            plan_line("First plan", &difference.before),
            plan_line("Second plan", &difference.after),
        ],
        summary: summary(difference),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

fn plan_line(label: &str, plan: &PlanBrief) -> Run {
    vec![
        say(&format!("{label}: {} for {}", plan.playbook, plan.user)).toned(Tone::Strong),
        say(&format!(
            ", made {}, expires {}, digest {}",
            moment(plan.created_at),
            moment(plan.expires_at),
            plan.digest.short()
        )),
    ]
}

fn summary(difference: &PlanDifference) -> Run {
    if difference.before.digest == difference.after.digest {
        return line("They are one and the same plan.");
    }
    if difference.same {
        return vec![
            say("They would do the same, for the same reasons.").toned(Tone::Good),
            say(
                " Only when they were made and until when they hold differs; an approval of one is none of the other.",
            ),
        ];
    }
    let actions = &difference.actions;
    let mut told = Vec::new();
    for (number, what) in [
        (actions.added.len(), "added"),
        (actions.removed.len(), "removed"),
        (actions.changed.len(), "changed"),
    ] {
        if number > 0 {
            told.push(format!("{} {what}", count(number, "action", "actions")));
        }
    }
    let stays = format!("{} the same", count(actions.same, "action stays", "actions stay"));
    if told.is_empty() {
        return vec![
            say("They send the same requests.").toned(Tone::Good),
            say(&format!(" {stays}; what they rest on or leave open differs.")),
        ];
    }
    vec![say(&format!("{}.", told.join(", "))).toned(Tone::Caution), say(&format!(" {stays}."))]
}

/// Actions that only one of the plans has, as a preview shows them.
fn whole_actions(actions: &[Action], mark: &str, detail: Detail) -> Vec<Block> {
    actions
        .iter()
        .map(|action| {
            let head = vec![say(&format!("{mark}{}", action.summary)).toned(Tone::Strong)];
            bullet(head, body(action, &BTreeMap::new(), detail, Aim::Contain))
        })
        .collect()
}

fn changed_action(change: &ActionChange) -> Block {
    let head =
        vec![say(&change.summary).toned(Tone::Strong), say(&format!(" ({})", change.id)).toned(Tone::Faint)];
    bullet(head, changes(change.fields.iter(), change.lists.iter()))
}

fn changes<'c>(
    fields: impl Iterator<Item = &'c FieldChange>,
    lists: impl Iterator<Item = &'c ListChange>,
) -> Vec<Block> {
    let told: Vec<Change> = fields
        .map(|field| Change::Value {
            field: inert_whole(&field.path),
            before: value_cut(&field.before),
            after: value_whole(&field.after),
        })
        .collect();
    let mut blocks = Vec::new();
    if !told.is_empty() {
        blocks.push(Block::Changes(told));
    }
    for list in lists {
        blocks.extend(list_change(list));
    }
    blocks
}

/// Entries that come and go. Requests are shown as requests: they are what is sent.
fn list_change(list: &ListChange) -> Vec<Block> {
    let requests = |entries: &[Value], mark: &str| {
        entries
            .iter()
            .map(|entry| serde_json::from_value::<PlannedRequest>(entry.clone()))
            .map(|request| request.map(|request| sent(mark, &request, &Value::Null)))
            .collect::<Result<Vec<_>, _>>()
    };
    if let (Ok(removed), Ok(added)) = (requests(&list.removed, "− "), requests(&list.added, "+ ")) {
        let sent: Vec<_> = removed.into_iter().chain(added).collect();
        return vec![Block::Paragraph(line(&format!("{}:", list.path))), Block::Requests(sent)];
    }
    let mut head = line(&format!("{}:", list.path));
    if list.kept > 0 {
        head.push(say(&format!(" {} in both", list.kept)).toned(Tone::Faint));
    }
    let entries = |entries: &[Value], mark: &str, tone: Tone| -> Vec<Block> {
        entries
            .iter()
            .map(|entry| {
                let mut run = vec![say(mark).toned(tone)];
                run.extend(words(entry));
                bullet(run, Vec::new())
            })
            .collect()
    };
    let mut blocks = vec![Block::Paragraph(head)];
    blocks.extend(entries(&list.removed, "− ", Tone::Caution));
    blocks.extend(entries(&list.added, "+ ", Tone::Good));
    blocks
}

/// An entry of a list, in words where its shape is known.
fn words(entry: &Value) -> Run {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let reasons = |pointer: &str| -> String {
        let rows = entry.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        rows.filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    };
    let told = |head: Vec<Piece>, why: &str| -> Run {
        let mut run = head;
        if !why.is_empty() {
            run.push(say(&format!(": {why}")));
        }
        run
    };
    if let Value::String(text) = entry {
        return line(text);
    }
    if let (Some(kind), Some(method)) = (text("/method/kind"), text("/method/id")) {
        let head = vec![
            say(&format!("{} ", kind.replace('_', " "))),
            name(text("/method/name").unwrap_or_default()),
            say(&format!(" ({method}), {}", text("/verdict").unwrap_or("not judged").replace('_', " "))),
        ];
        return told(head, &reasons("/reasons"));
    }
    if let (Some(kind), Some(value)) = (text("/kind"), text("/value")) {
        return told(vec![say(&format!("{} ", kind.replace('_', " "))), name(value)], &reasons("/reasons"));
    }
    if let (Some(guard), Some(object)) = (text("/guard"), text("/object")) {
        return told(vec![name(object), say(&format!(" by {guard}"))], text("/why").unwrap_or_default());
    }
    if let Some(object) = text("/object") {
        return told(vec![name(object)], &reasons("/why"));
    }
    if let (Some(step), Some(why)) = (text("/step"), text("/why")) {
        return told(vec![say(step)], why);
    }
    vec![value_whole(entry)]
}
