//! YAML text to a tree in which every value knows its bytes.
//!
//! Invariant: nothing here resolves, expands or merges. What could make the file mean something else than it shows is
//! refused by name, and what could make it large is bounded before a node is kept.

use std::ops::Range;

use granit_parser::{Event, Parser, Span, Tag};
use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::model::PathSegment;
use super::scalar;

/// The most bytes a playbook may have: a long one has five thousand.
pub const MAX_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 5_000;
/// Enough to mend a file by; a hostile one does not get to fill the screen, or the memory.
const MAX_DIAGNOSTICS: usize = 100;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A value that was complained about already: nobody needs to hear of it twice.
    Refused,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    /// Names the kind of value, for "found a list".
    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Boolean(_) => "a boolean",
            NodeKind::Integer(_) => "an integer",
            NodeKind::Float(_) => "a number with a point",
            NodeKind::Text(_) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
            NodeKind::Refused => "nothing usable",
        }
    }

    /// Tells whether this value or one within it was refused.
    pub(super) fn has_refused(&self) -> bool {
        match &self.kind {
            NodeKind::Refused => true,
            NodeKind::List(items) => items.iter().any(Self::has_refused),
            NodeKind::Map(entries) => entries.iter().any(|entry| entry.value.has_refused()),
            _ => false,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            NodeKind::Refused => Value::Null,
            NodeKind::Boolean(value) => Value::from(*value),
            NodeKind::Integer(value) => Value::from(*value),
            NodeKind::Float(value) => Value::from(*value),
            NodeKind::Text(text) => Value::from(text.as_str()),
            NodeKind::List(items) => items.iter().map(Self::to_json).collect(),
            NodeKind::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    /// Calls back for this value and each within it, with the way to it.
    pub(super) fn walk(&self, path: &mut Vec<PathSegment>, visit: &mut impl FnMut(&[PathSegment], &Node)) {
        visit(path, self);
        match &self.kind {
            NodeKind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(PathSegment::Index(index));
                    item.walk(path, visit);
                    path.pop();
                }
            }
            NodeKind::Map(entries) => {
                for entry in entries {
                    path.push(PathSegment::Key(entry.key.clone()));
                    entry.value.walk(path, visit);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Gives the bytes to underline for a fault at this path: an unknown key is underlined itself, not its value.
    pub(super) fn span_at(&self, path: &[PathSegment], key: bool) -> Range<usize> {
        let Some((first, rest)) = path.split_first() else { return self.span.clone() };
        match (first, &self.kind) {
            (PathSegment::Index(index), NodeKind::List(items)) => {
                items.get(*index).map_or_else(|| self.span.clone(), |item| item.span_at(rest, key))
            }
            (PathSegment::Key(name), NodeKind::Map(entries)) => {
                match entries.iter().find(|entry| entry.key == *name) {
                    Some(entry) if rest.is_empty() && key => entry.key_span.clone(),
                    Some(entry) => entry.value.span_at(rest, key),
                    None => self.span.clone(),
                }
            }
            _ => self.span.clone(),
        }
    }
}

/// Reads the text as one YAML document; what is wrong is added to `found`.
pub(super) fn parse(text: &str, found: &mut Vec<Diagnostic>) -> Option<Node> {
    refuse_characters(text, found);
    if !found.is_empty() {
        return None;
    }
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        disallow_directives: true,
    };
    let mut builder =
        Builder { found, open: Vec::new(), root: None, documents: 0, nodes: 0, has_references: false };
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                let end =
                    text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
                Err(Diagnostic::new(at..end, format!("this is not YAML: {}", error.info())))
            }
        };
        if let Err(last) = step {
            builder.found.push(last);
            return None;
        }
        if builder.found.len() >= MAX_DIAGNOSTICS {
            return None;
        }
    }
    let root = builder.root.take();
    if root.is_none() && found.is_empty() {
        found.push(Diagnostic::whole("the file is empty").help("begin with `schema: stanch/playbook/v1`"));
    }
    root
}

fn refuse_characters(text: &str, found: &mut Vec<Diagnostic>) {
    for (at, letter) in text.char_indices() {
        let span = at..at + letter.len_utf8();
        let diagnostic = match letter {
            '\t' => Diagnostic::beyond_schema(span, "a tab stands here").help("indent with spaces"),
            // Text that a screen shows in another order than it is read would hide what a step does.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                Diagnostic::beyond_schema(
                    span,
                    format!("U+{:04X} turns the direction of text around", u32::from(letter)),
                )
                .help("remove this invisible character")
            }
            '\n' | '\r' => continue,
            '\u{feff}' if at == 0 => continue,
            letter
                if letter.is_control()
                    || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}') =>
            {
                Diagnostic::beyond_schema(
                    span,
                    format!("the invisible character U+{:04X} stands here", u32::from(letter)),
                )
                .help("remove it")
            }
            _ => continue,
        };
        found.push(diagnostic);
        if found.len() >= MAX_DIAGNOSTICS {
            return;
        }
    }
}

enum Open {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, key: Option<Key> },
}

struct Key {
    name: String,
    span: Range<usize>,
    /// A key that was refused still has a value to read past.
    keep: bool,
}

struct Builder<'f> {
    found: &'f mut Vec<Diagnostic>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    has_references: bool,
}

impl Builder<'_> {
    /// Takes one event; an error is one after which reading on makes no sense.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Diagnostic> {
        let bytes = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Diagnostic::new(bytes, "a second document begins here")
                        .help("a playbook is one document: put the other into its own file"));
                }
                Ok(())
            }
            Event::Anchor(_, name) => {
                self.refuse_reference(
                    bytes,
                    &format!("`&{name}` is an anchor, and anchors and aliases are not read"),
                    "write the value out where it is used, or make it an input and name it with `${...}`",
                );
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse_reference(
                    bytes.clone(),
                    "this is an alias, and anchors and aliases are not read",
                    "write the value out; text that begins with `*` needs quotes",
                );
                self.count(&bytes)?;
                self.place(Node { span: bytes, kind: NodeKind::Refused });
                Ok(())
            }
            Event::Scalar(text, style, _, tag) => {
                let tagged = self.refuse_tag(tag.as_deref(), span);
                self.count(&bytes)?;
                if self.awaits_key() {
                    self.set_key(text.into_owned(), bytes);
                    return Ok(());
                }
                let (kind, complaint) = scalar::read(&text, style);
                if let Some(complaint) = complaint.filter(|_| !tagged) {
                    let at = if bytes.is_empty() {
                        self.key_span().unwrap_or(bytes.clone())
                    } else {
                        bytes.clone()
                    };
                    self.found.push(Diagnostic::new(at, complaint.message).help(complaint.help));
                }
                self.place(Node { span: bytes, kind: if tagged { NodeKind::Refused } else { kind } });
                Ok(())
            }
            Event::SequenceStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.begin(bytes, |start| Open::List { start, items: Vec::new() })
            }
            Event::MappingStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.begin(bytes, |start| Open::Map { start, entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(&bytes);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, bytes: &Range<usize>) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::new(bytes.clone(), format!("more than {MAX_NODES} values")));
        }
        Ok(())
    }

    fn begin(&mut self, bytes: Range<usize>, open: impl FnOnce(usize) -> Open) -> Result<(), Diagnostic> {
        self.count(&bytes)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Diagnostic::new(bytes, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if self.awaits_key() {
            return Err(Diagnostic::new(bytes, "a key has to be a word, and this is a list or a map"));
        }
        self.open.push(open(bytes.start));
        Ok(())
    }

    fn end(&mut self, bytes: &Range<usize>) {
        let (start, kind, last) = match self.open.pop() {
            Some(Open::List { start, items }) => {
                let last = items.last().map(|item| item.span.end);
                (start, NodeKind::List(items), last)
            }
            Some(Open::Map { start, entries, .. }) => {
                let last = entries.last().map(|entry| entry.value.span.end);
                (start, NodeKind::Map(entries), last)
            }
            None => return,
        };
        // A block ends where its last value does; only brackets have bytes of their own.
        let end = if bytes.is_empty() { last.unwrap_or(bytes.end) } else { bytes.end };
        self.place(Node { span: start..end.max(start), kind });
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn key_span(&self) -> Option<Range<usize>> {
        match self.open.last() {
            Some(Open::Map { key: Some(key), .. }) => Some(key.span.clone()),
            _ => None,
        }
    }

    fn set_key(&mut self, name: String, span: Range<usize>) {
        let Some(Open::Map { entries, key, .. }) = self.open.last_mut() else { return };
        let mut letters = name.chars();
        let is_word = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|next| next.is_ascii_alphanumeric() || matches!(next, '_' | '-'));
        let mut keep = true;
        if name == "<<" {
            keep = false;
            let diagnostic =
                Diagnostic::new(span.clone(), "`<<` merges another map in, and that is not read");
            self.found.push(diagnostic.help("write the keys out"));
        } else if !is_word {
            keep = false;
            self.found.push(
                Diagnostic::new(span.clone(), "this key is no word")
                    .help("keys are letters, digits, `_` and `-`, and begin with a letter"),
            );
        } else if let Some(first) = entries.iter().find(|entry| entry.key == name) {
            keep = false;
            self.found.push(
                Diagnostic::new(span.clone(), format!("`{name}` stands twice"))
                    .label("again here")
                    .related(first.key_span.clone(), "first here")
                    .help("keep one of the two"),
            );
        }
        *key = Some(Key { name, span, keep });
    }

    /// Complains of the first anchor or alias only: where there is one there are many, and all are mended alike.
    fn refuse_reference(&mut self, at: Range<usize>, message: &str, help: &str) {
        if !self.has_references {
            self.has_references = true;
            self.found.push(Diagnostic::new(at, message).help(help));
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: &Span) -> bool {
        let Some(tag) = tag else { return false };
        let at =
            span.tag_span().and_then(|span| span.byte_range()).or_else(|| span.byte_range()).unwrap_or(0..0);
        self.found.push(
            Diagnostic::new(at, format!("`{}` is a tag, and those are not read", tag.original()))
                .help("leave it out; put text into quotes"),
        );
        true
    }

    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                if let Some(key) = key.take().filter(|key| key.keep) {
                    entries.push(Entry { key: key.name, key_span: key.span, value: node });
                }
            }
        }
    }
}
