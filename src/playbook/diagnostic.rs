//! Diagnostics: what is wrong in a file, where, and what was probably meant; drawn as rustc draws them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// More than this many are counted, not drawn: the first ones usually explain the rest.
const MOST_DRAWN: usize = 30;

/// The text that a playbook was read from, and the name under which messages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

/// A second place that a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The bytes it covers.
    pub span: Range<usize>,
    /// What stands there.
    pub label: String,
}

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// The bytes that are wrong; none when the file as a whole is.
    pub span: Option<Range<usize>>,
    /// What to say beside the underline.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// Whether the JSON Schema of playbooks cannot say it: it is of what names mean, not of the shape of values.
    pub beyond_schema: bool,
}

impl Diagnostic {
    /// Makes a diagnostic that points at these bytes.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::whole(message) }
    }

    /// Makes a diagnostic about the file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            label: None,
            help: None,
            related: Vec::new(),
            beyond_schema: false,
        }
    }

    /// Makes a diagnostic of something that the JSON Schema of playbooks cannot say.
    pub fn beyond_schema(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { beyond_schema: true, ..Self::new(span, message) }
    }

    /// Adds what to say beside the underline.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the known word that was probably meant, when there is one.
    #[must_use]
    pub fn nearest(mut self, nearest: Option<String>) -> Self {
        if let Some(word) = nearest {
            self.help = Some(format!("did you mean `{word}`?"));
        }
        self
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push(Related { span, label: label.into() });
        self
    }
}

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Text alone.
    Plain,
    /// With terminal colours.
    Coloured,
}

/// Where a diagnostic stands, for programs: lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, when the diagnostic points at one.
    pub line: Option<usize>,
    /// The column, when the diagnostic points at one.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            _ => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// Everything that is wrong in one file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    source: Arc<Source>,
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(super) fn new(source: Arc<Source>, mut items: Vec<Diagnostic>) -> Self {
        for item in &mut items {
            item.span = item.span.take().map(|span| visible(&source.text, span));
            for related in &mut item.related {
                related.span = visible(&source.text, related.span.clone());
            }
        }
        items.sort_by_key(|item| item.span.as_ref().map_or(0, |span| span.start));
        Self { source, items }
    }

    /// Gives each thing that is wrong.
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// Gives each thing that is wrong as line and column, for `--format json`.
    pub fn places(&self) -> Vec<Place> {
        let place = |item: &Diagnostic| {
            let position = item.span.as_ref().map(|span| position(&self.source.text, span.start));
            Place {
                file: self.source.file.clone(),
                line: position.map(|(line, _)| line),
                column: position.map(|(_, column)| column),
                message: item.message.clone(),
                help: item.help.clone(),
            }
        };
        self.items.iter().map(place).collect()
    }

    /// Draws them: place, line, underline, message, help.
    pub fn render(&self, look: Look) -> String {
        let renderer = match look {
            Look::Plain => Renderer::plain(),
            Look::Coloured => Renderer::styled(),
        };
        let mut drawn: Vec<String> =
            self.items.iter().take(MOST_DRAWN).map(|item| renderer.render(&[self.group(item)])).collect();
        if self.items.len() > MOST_DRAWN {
            drawn.push(format!("and {} more errors", self.items.len() - MOST_DRAWN));
        }
        drawn.join("\n\n")
    }

    fn group<'a>(&'a self, item: &'a Diagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(item.message.as_str());
        let mut group = Group::with_title(title);
        if let Some(span) = &item.span {
            let mut primary = AnnotationKind::Primary.span(span.clone());
            if let Some(label) = &item.label {
                primary = primary.label(label.as_str());
            }
            let related = item
                .related
                .iter()
                .map(|other| AnnotationKind::Context.span(other.span.clone()).label(other.label.as_str()));
            group = group.element(
                Snippet::source(self.source.text.as_str())
                    .path(self.source.file.as_str())
                    .annotation(primary)
                    .annotations(related),
            );
        } else {
            group = group.element(annotate_snippets::Origin::path(self.source.file.as_str()));
        }
        match &item.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Look::Plain))
    }
}

impl std::error::Error for Diagnostics {}

/// Cuts a span down to its first line and to whole characters: that is what an underline can show.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let covered = text.get(start..end).unwrap_or_default();
    let first = covered.lines().next().unwrap_or_default().trim_end();
    start..start + first.len()
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before.get(line_start..).unwrap_or_default().chars().count() + 1)
}
