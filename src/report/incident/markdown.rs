//! The report in Markdown, for the ticket.

use super::document::IncidentReport;
use super::page::{Block, Cell, Page};
use super::sections::page;
use crate::report::markup::markdown_whole;

/// Tells an incident in Markdown.
pub fn incident_markdown(report: &IncidentReport) -> String {
    let Page { title, verdict, sections, .. } = page(report);
    let mut out = format!("# {}: {}\n", text(&title), text(&verdict));
    for section in sections {
        out.push_str(&format!("\n## {}\n", text(section.title)));
        for block in section.blocks {
            out.push_str(&told(&block));
        }
    }
    out
}

fn told(block: &Block) -> String {
    match block {
        Block::Text(paragraph) => format!("\n{}\n", text(paragraph)),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("- {}\n", text(item))).collect();
            format!("\n{items}")
        }
        Block::Table { caption, head, rows } => {
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            let mut out = format!("\n{}:\n\n", text(caption));
            out.push_str(&line(head.iter().map(|name| text(name)).collect()));
            out.push_str(&line(head.iter().map(|_| "---".to_owned()).collect()));
            for row in rows {
                out.push_str(&line(row.iter().map(cell).collect()));
            }
            out
        }
        Block::Drawing(_) => String::new(),
    }
}

fn cell(cell: &Cell) -> String {
    cell.lines.iter().map(|line| text(line)).collect::<Vec<_>>().join("<br>")
}

/// A text that stands as itself, however long it is.
fn text(text: &str) -> String {
    markdown_whole(text)
}
