//! The preview as text for a terminal: no line is wider than asked for, commands excepted, which stay whole for copying.

use super::super::{Plan, PlanDifference};
use super::compose::{can_be_applied, compose, is_subject_refused};
use super::difference::compose as compose_difference;
use super::document::{Block, Change, Document, Fact, Piece, Run, Sent, Tone, count, say};
use super::layout::{Page, width_of};
use super::style::{Detail, Style};
use crate::domain::shell_path;

/// Columns for the labels of facts.
const LABELS: usize = 15;
/// Deepest indent within a body: what lies deeper stands as deep as this.
const DEEPEST: usize = 12;
/// Indent of what belongs to a section.
const INDENT: usize = 2;

/// Renders a plan as text, newline at the end.
pub fn text(plan: &Plan, style: &Style) -> String {
    let mut page = page_of(compose(plan, style.detail), style);
    page.skip();
    put_next(&mut page, plan, style);
    page.finish()
}

/// Renders what differs between two plans as text, newline at the end.
pub fn difference_text(difference: &PlanDifference, style: &Style) -> String {
    page_of(compose_difference(difference, style.detail), style).finish()
}

/// Lays a document out.
fn page_of(document: Document, style: &Style) -> Page {
    let mut page = Page::new(style.width.max(Style::NARROWEST), style.colour);
    let title: Run = document.title.into_iter().map(|piece| piece.toned(Tone::Strong)).collect();
    page.put(0, "", &title);
    for run in &document.identity {
        page.put(0, "", run);
    }
    page.skip();
    page.put(0, "", &document.summary);
    for section in &document.sections {
        page.skip();
        page.put(0, "", &[say(&section.title.to_uppercase()).toned(section.tone)]);
        let is_spaced =
            section.blocks.iter().any(|block| matches!(block, Block::Entry { number: Some(_), .. }));
        for (index, block) in section.blocks.iter().enumerate() {
            if is_spaced && index > 0 {
                page.skip();
            }
            put_block(&mut page, INDENT, block, style.detail);
        }
    }
    page
}

fn put_next(page: &mut Page, plan: &Plan, style: &Style) {
    if is_subject_refused(plan) {
        page.put(
            0,
            "",
            &[say("This plan cannot be applied: see \"Refused by a guard\".").toned(Tone::Danger)],
        );
    } else if !can_be_applied(plan) {
        page.put(0, "", &[say("There is nothing to apply.")]);
    } else if let (Some(file), true) = (&style.file, style.needs_approval) {
        let approve = "Nothing has been changed yet. A second person approves exactly this:";
        page.put(0, "", &[say(approve)]);
        page.put_uncut(INDENT, &format!("stanch approve {} --key KEY --reason TEXT", shell_path(file)));
        page.put(0, "", &[say("Then, with the file that this writes:")]);
        page.put_uncut(INDENT, &format!("stanch apply {} --approval FILE", shell_path(file)));
    } else if let Some(file) = &style.file {
        page.put(0, "", &[say("Nothing has been changed yet. To do exactly this:")]);
        page.put_uncut(INDENT, &format!("stanch apply {}", shell_path(file)));
    } else {
        page.put(0, "", &[say("Nothing has been changed yet.")]);
    }
}

fn put_block(page: &mut Page, indent: usize, block: &Block, detail: Detail) {
    match block {
        Block::Paragraph(run) if indent > INDENT => page.put_hanging(indent, "", INDENT, run),
        Block::Paragraph(run) => page.put(indent, "", run),
        Block::Facts(facts) => facts.iter().for_each(|fact| put_fact(page, indent, fact)),
        Block::Entry { number, head, body } => {
            let mark = number.map_or_else(|| "· ".to_owned(), |number| format!("{number:>2}  "));
            page.put(indent, &mark, head);
            let inner = indent.saturating_add(width_of(&mark));
            for block in body {
                put_block(page, inner, block, detail);
            }
        }
        Block::Changes(changes) => {
            for change in changes {
                page.put_hanging(indent, "", INDENT, &change_run(change));
            }
        }
        Block::Requests(requests) => requests.iter().for_each(|sent| put_request(page, indent, sent, detail)),
        Block::Script(lines) if detail == Detail::Usual => {
            let (one, many) = ("line of PowerShell", "lines of PowerShell");
            let told =
                format!("{}: shown with -v, in Markdown, and by `runs show`", count(lines.len(), one, many));
            page.put_hanging(indent, "", INDENT, &[say(&told)]);
        }
        // A command stays on one line: a break in it would be copied too.
        Block::Commands(lines) | Block::Script(lines) => {
            for line in lines {
                page.put_uncut(indent.saturating_add(INDENT), line);
            }
        }
    }
}

fn put_fact(page: &mut Page, indent: usize, fact: &Fact) {
    let mut label = fact.label;
    for run in &fact.lines {
        page.put(indent, &format!("{label:LABELS$}"), run);
        label = "";
    }
}

fn put_request(page: &mut Page, indent: usize, sent: &Sent, detail: Detail) {
    let path = match detail {
        Detail::Usual => shorten_ids(&sent.path),
        Detail::Full => sent.path.clone(),
    };
    page.put(indent, &format!("{} ", sent.verb), &[say(&path)]);
    match (detail, &sent.besides) {
        (Detail::Usual, None) => {}
        (Detail::Usual, Some(besides)) => page.put(indent.saturating_add(INDENT), "with ", &[say(besides)]),
        (Detail::Full, _) => {
            for line in &sent.body {
                let depth = line.len().saturating_sub(line.trim_start_matches(' ').len());
                let inner = indent.saturating_add(INDENT).saturating_add(depth.min(DEEPEST));
                page.put(inner, "", &[say(line)]);
            }
        }
    }
}

/// Shortens GUIDs within a path to their first eight digits: who wants them whole asks for detail.
fn shorten_ids(path: &str) -> String {
    let shortened: Vec<String> = path
        .split('/')
        .map(|part| match part.get(..8) {
            Some(head) if part.len() == 36 && uuid::Uuid::try_parse(part).is_ok() => format!("{head}…"),
            _ => part.to_owned(),
        })
        .collect();
    shortened.join("/")
}

fn change_run(change: &Change) -> Run {
    match change {
        Change::Note(run) => run.clone(),
        Change::Value { field, before, after } => {
            let mut run = field_run(field);
            run.extend([before.clone(), say(" → "), after.clone().toned(Tone::Good)]);
            run
        }
        Change::Set { field, value } => {
            let mut run = field_run(field);
            run.push(value.clone().toned(Tone::Good));
            run
        }
        Change::List { field, kept, added, removed } => {
            let mut run = field_run(field);
            run.extend(list_run(*kept, signed("+", added, Tone::Good), signed("−", removed, Tone::Caution)));
            run
        }
    }
}

/// What becomes of a list. That none stays is not said: where only our own entries are counted, others' do stay.
pub(super) fn list_run(kept: usize, added: Run, removed: Run) -> Run {
    let stay = (kept > 0).then(|| say(&format!("{kept} stay")));
    let separator = usize::from(stay.is_none());
    stay.into_iter().chain(added.into_iter().chain(removed).skip(separator)).collect()
}

/// Entries of a list that come or go, each with its sign and a comma before it.
pub(super) fn signed(sign: &str, entries: &[Piece], tone: Tone) -> Run {
    entries.iter().flat_map(|entry| [say(", "), say(sign).toned(tone), entry.clone().toned(tone)]).collect()
}

/// The field's name with its colon, or nothing where the whole state is one value.
fn field_run(field: &str) -> Run {
    if field.is_empty() { Vec::new() } else { vec![say(&format!("{field}: "))] }
}
