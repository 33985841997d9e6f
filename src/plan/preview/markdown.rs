//! The preview as Markdown for tickets and chats: the same document, and no text in it can become markup.
//!
//! Two means, and no others. What could become markup is escaped, by backslash or entity. What a reader's program
//! might turn into a link or a mention (anything with `@`, `#`, `://`, two colons, or a dot within a word) stands in a code span, where
//! nothing is turned into anything; and what could end a code span never stands in one.

use super::super::{Plan, PlanDifference};
use super::compose::{can_be_applied, compose, is_subject_refused};
use super::difference::compose as compose_difference;
use super::document::{Block, Change, Document, Piece, Tone, say};
use super::style::Detail;
use super::text::{list_run, signed};

/// Renders a plan as Markdown, newline at the end.
pub fn markdown(plan: &Plan) -> String {
    let mut page = page_of(&compose(plan, Detail::Usual));
    page.push('\n');
    push_line(
        &mut page,
        0,
        if is_subject_refused(plan) {
            "This plan cannot be applied: a guard refuses the account itself."
        } else if can_be_applied(plan) {
            "Nothing has been changed yet."
        } else {
            "There is nothing to apply."
        },
    );
    page
}

/// Renders what differs between two plans as Markdown, newline at the end.
pub fn difference_markdown(difference: &PlanDifference) -> String {
    page_of(&compose_difference(difference, Detail::Usual))
}

/// Lays a document out.
fn page_of(document: &Document) -> String {
    let mut page = String::new();
    push_line(&mut page, 0, &format!("# {}", at_start(&document.title)));
    page.push('\n');
    for run in &document.identity {
        push_line(&mut page, 0, &format!("- {}", at_start(run)));
    }
    page.push('\n');
    push_line(&mut page, 0, &at_start(&document.summary));
    for section in &document.sections {
        page.push('\n');
        push_line(&mut page, 0, &format!("## {}", section.title));
        page.push('\n');
        put_blocks(&mut page, 0, &section.blocks);
    }
    page
}

fn push_line(page: &mut String, indent: usize, line: &str) {
    page.push_str(&" ".repeat(indent));
    page.push_str(line);
    page.push('\n');
}

/// Blocks with a free line between them, but for bullets that are one line each.
fn put_blocks(page: &mut String, indent: usize, blocks: &[Block]) {
    let is_bullet =
        |block: &Block| matches!(block, Block::Entry { number: None, body, .. } if body.is_empty());
    let mut before: Option<&Block> = None;
    for block in blocks {
        if before.is_some_and(|before| !(is_bullet(before) && is_bullet(block))) {
            page.push('\n');
        }
        put_block(page, indent, block);
        before = Some(block);
    }
}

fn put_block(page: &mut String, indent: usize, block: &Block) {
    match block {
        Block::Paragraph(run) => push_line(page, indent, &at_start(run)),
        Block::Facts(facts) => {
            let rows = facts.iter().map(|fact| {
                let lines: Vec<String> = fact.lines.iter().map(|run| inline(run)).collect();
                vec![fact.label.to_owned(), lines.join("; ")]
            });
            put_table(page, indent, &["", ""], rows);
        }
        Block::Entry { number, head, body } => {
            let mark = number.map_or_else(|| "- ".to_owned(), |number| format!("{number}. "));
            push_line(page, indent, &format!("{mark}{}", at_start(head)));
            if !body.is_empty() {
                page.push('\n');
            }
            let inner = indent.saturating_add(mark.len());
            put_blocks(page, inner, body);
        }
        Block::Changes(changes) => put_changes(page, indent, changes),
        Block::Requests(requests) => {
            for sent in requests {
                push_line(page, indent, &format!("- {} {}", sent.verb, inline(&[say(&sent.path)])));
                if sent.besides.is_some() {
                    page.push('\n');
                    put_fenced(page, indent.saturating_add(2), &sent.body);
                }
            }
        }
        Block::Commands(lines) | Block::Script(lines) => put_fenced(page, indent, lines),
    }
}

fn put_changes(page: &mut String, indent: usize, changes: &[Change]) {
    let mut rows = Vec::new();
    for change in changes {
        match change {
            Change::Note(run) => {
                push_line(page, indent, &at_start(run));
                if changes.len() > 1 {
                    page.push('\n');
                }
            }
            Change::Value { field, before, after } => {
                rows.push(vec![
                    escape(field),
                    inline(std::slice::from_ref(before)),
                    inline(std::slice::from_ref(after)),
                ]);
            }
            Change::Set { field, value } => {
                rows.push(vec![escape(field), String::new(), inline(std::slice::from_ref(value))]);
            }
            Change::List { field, kept, added, removed } => {
                let after =
                    list_run(*kept, signed("+", added, Tone::Plain), signed("−", removed, Tone::Plain));
                let before = match kept.saturating_add(removed.len()) {
                    0 => "none of these".to_owned(),
                    before => format!("{before} in the list"),
                };
                rows.push(vec![escape(field), before, inline(&after)]);
            }
        }
    }
    if !rows.is_empty() {
        put_table(page, indent, &["Field", "Before", "After"], rows.into_iter());
    }
}

fn put_table(page: &mut String, indent: usize, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    push_line(page, indent, &format!("| {} |", heads.join(" | ")));
    push_line(page, indent, &format!("|{}", " --- |".repeat(heads.len())));
    for row in rows {
        push_line(page, indent, &format!("| {} |", row.join(" | ")));
    }
}

/// Lines to copy, in a fence that is longer than any row of backticks in them.
fn put_fenced(page: &mut String, indent: usize, lines: &[String]) {
    let longest =
        lines.iter().flat_map(|line| line.split(|letter| letter != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1).max(3));
    push_line(page, indent, &format!("{fence}text"));
    for line in lines {
        push_line(page, indent, line);
    }
    push_line(page, indent, &fence);
}

/// Pieces within a line.
fn inline(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| {
            let text = escape(piece.text());
            let inner = text.trim();
            match piece.tone() {
                Tone::Strong | Tone::Danger | Tone::Caution if !inner.is_empty() => {
                    text.replacen(inner, &format!("**{inner}**"), 1)
                }
                _ => text,
            }
        })
        .collect()
}

/// Pieces at the start of a line or of a list item, where a few letters more would be markup.
fn at_start(pieces: &[Piece]) -> String {
    let line = inline(pieces);
    let line = line.trim();
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    match line.split_at_checked(digits) {
        Some((number, rest)) if digits > 0 && rest.starts_with(['.', ')']) => format!("{number}\\{rest}"),
        _ if line.starts_with(['#', '+', '-', '=', ':']) => format!("\\{line}"),
        _ => line.to_owned(),
    }
}

/// Escapes one text. What remains of raw markup in it is ours: code spans around what might become a link.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_whitespace() {
            flush(&mut word, &mut escaped);
            escaped.push(' ');
        } else if let Some(spelt) = breaking(letter) {
            flush(&mut word, &mut escaped);
            escaped.push_str(spelt);
        } else {
            word.push(letter);
        }
    }
    flush(&mut word, &mut escaped);
    escaped
}

/// Letters that never stand in a code span of ours, and how they are spelt outside of one.
fn breaking(letter: char) -> Option<&'static str> {
    Some(match letter {
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        '`' => "&#96;",
        '|' => "\\|",
        '\\' => "\\\\",
        '[' => "\\[",
        ']' => "\\]",
        '"' => "\"",
        '(' => "(",
        ')' => ")",
        ',' => ",",
        ';' => ";",
        _ => return None,
    })
}

fn flush(word: &mut String, escaped: &mut String) {
    let taken = std::mem::take(word);
    let core = taken.trim_end_matches(['.', '!', '?']);
    if is_linkable(core) {
        escaped.push('`');
        escaped.push_str(core);
        escaped.push('`');
        escaped.push_str(taken.get(core.len()..).unwrap_or_default());
        return;
    }
    for letter in taken.chars() {
        if matches!(letter, '*' | '_' | '~' | '$' | '{' | '}') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
}

/// Whether some program may make a link or a mention of a word.
fn is_linkable(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let has_inner_dot = letters.windows(3).any(
        |three| matches!(three, [before, '.', after] if before.is_alphanumeric() && after.is_alphanumeric()),
    );
    let is_shortcode = word.matches(':').count() > 1;
    has_inner_dot
        || is_shortcode
        || word.contains(['@', '#'])
        || word.contains("://")
        || word.to_ascii_lowercase().starts_with("www.")
}
