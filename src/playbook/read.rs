//! The tree to a [`Playbook`]: every key known, every value of its type, all faults at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::StepCatalog;
use super::diagnostic::{Diagnostic, Diagnostics, Source};
use super::input::{Input, InputType};
use super::model::{Aim, Playbook, SCHEMA};
use super::needs;
use super::tree::{self, Entry, MAX_BYTES, Node, NodeKind};
use super::word;

const KEYS: [&str; 7] = ["schema", "name", "title", "summary", "aim", "inputs", "steps"];

impl Playbook {
    /// Reads a playbook; `file` is the name that messages show.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn parse(file: &str, bytes: &[u8], catalog: &StepCatalog) -> Result<Self, Diagnostics> {
        let mut found = Vec::new();
        let text = decode(bytes, &mut found);
        let source = Arc::new(Source { file: file.to_owned(), text });
        let root = if found.is_empty() { tree::parse(&source.text, &mut found) } else { None };
        let mut reader = Reader { catalog, text: &source.text, found };
        let playbook = root.and_then(|root| reader.playbook(&root, &source));
        match (playbook, reader.found) {
            (Some(playbook), found) if found.is_empty() => Ok(playbook),
            (_, found) => Err(Diagnostics::new(source, found)),
        }
    }
}

/// Takes the bytes as text; what cannot be is complained about.
fn decode(bytes: &[u8], found: &mut Vec<Diagnostic>) -> String {
    if bytes.len() > MAX_BYTES {
        found.push(
            Diagnostic::whole(format!("the file is larger than {} KiB", MAX_BYTES / 1024))
                .help("a playbook is a page of text"),
        );
        return String::new();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let at = error.valid_up_to();
            let diagnostic = Diagnostic::new(at..at + '\u{fffd}'.len_utf8(), "these bytes are not UTF-8");
            found.push(diagnostic.help("save the file as UTF-8"));
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            NodeKind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }
}

impl Input {
    pub(super) fn is_list(&self) -> bool {
        matches!(self.kind, InputType::List | InputType::IpList)
    }
}

pub(super) struct Reader<'c> {
    pub(super) catalog: &'c StepCatalog,
    pub(super) text: &'c str,
    pub(super) found: Vec<Diagnostic>,
}

/// The entries of a map whose keys were checked.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    /// Keys that a misspelt one was probably meant to be: they are not told to be missing as well.
    meant: Vec<String>,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Tells whether the key is not there, not even misspelt.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.get(key).is_none() && !self.meant.iter().any(|meant| meant == key)
    }
}

impl Reader<'_> {
    fn playbook(&mut self, root: &Node, source: &Arc<Source>) -> Option<Playbook> {
        if let Some(newer) = root.entry("schema").and_then(|entry| newer_schema(&entry.value)) {
            // What a newer version means by the rest is not ours to complain about.
            self.found = vec![newer];
            return None;
        }
        let fields = self.fields(root, "a playbook", &KEYS)?;
        self.schema(&fields);
        let name = self.required_text(&fields, "name").unwrap_or_default();
        if let Some(entry) = fields.get("name")
            && !name.is_empty()
            && !word::is_name(&name)
        {
            self.found.push(
                Diagnostic::new(entry.value.span.clone(), format!("`{name}` cannot be a playbook's name"))
                    .help(
                        "a name is up to 64 small letters, digits and `-`, and begins with a letter or digit",
                    ),
            );
        }
        let title = self.required_text(&fields, "title").unwrap_or_default();
        let summary = self.required_text(&fields, "summary").unwrap_or_default();
        let aim = fields.get("aim").and_then(|entry| self.aim(&entry.value)).unwrap_or_default();
        let inputs = fields.get("inputs").map(|entry| self.inputs(&entry.value)).unwrap_or_default();
        let mut waiting = Vec::new();
        if let Some(entry) = fields.get("steps") {
            waiting = self.steps(&entry.value, &inputs);
        } else if fields.lacks("steps") {
            self.found.push(missing("steps"));
        }
        needs::resolve(&mut waiting, &mut self.found);
        let mut spans = BTreeMap::new();
        root.walk(&mut Vec::new(), &mut |path, node| {
            spans.insert(path.to_vec(), node.span.clone());
        });
        let steps = waiting.into_iter().map(|step| step.call).collect();
        Some(Playbook { name, title, summary, aim, inputs, steps, spans, source: Arc::clone(source) })
    }

    fn schema(&mut self, fields: &Fields<'_>) {
        let Some(entry) = fields.get("schema") else {
            if fields.lacks("schema") {
                self.found.push(missing("schema").help(format!("begin with `schema: {SCHEMA}`")));
            }
            return;
        };
        if let Some(schema) = self.text(&entry.value)
            && schema != SCHEMA
        {
            let diagnostic = Diagnostic::new(entry.value.span.clone(), format!("unknown schema `{schema}`"));
            self.found.push(diagnostic.help(format!("write `schema: {SCHEMA}`")));
        }
    }

    fn inputs(&mut self, node: &Node) -> BTreeMap<String, Input> {
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong_kind(node, "a map of inputs");
            return BTreeMap::new();
        };
        let mut inputs = BTreeMap::new();
        for entry in entries {
            if !word::is_word(&entry.key) {
                self.found.push(
                    Diagnostic::new(
                        entry.key_span.clone(),
                        format!("`{}` cannot be an input's name", entry.key),
                    )
                    .help("a name is up to 64 small letters, digits, `_` and `-`, and begins with a letter"),
                );
            }
            // An input that is wrong is still declared: what names it needs no complaint of its own.
            let input = self.input(entry).unwrap_or(Input { kind: InputType::String, default: None });
            inputs.insert(entry.key.clone(), input);
        }
        inputs
    }

    fn input(&mut self, entry: &Entry) -> Option<Input> {
        let fields = self.fields(&entry.value, "an input", &["type", "default"])?;
        let Some(kind) = fields.get("type") else {
            if fields.lacks("type") {
                self.found.push(
                    Diagnostic::new(entry.key_span.clone(), format!("input `{}` has no `type`", entry.key))
                        .help(format!("there are {}", word::listed(InputType::WORDS))),
                );
            }
            return None;
        };
        let written = self.text(&kind.value)?;
        let Some(read) = InputType::parse(written) else {
            let nearest = word::nearest(written, InputType::WORDS);
            let message = format!("unknown type `{written}`");
            let diagnostic = Diagnostic::new(kind.value.span.clone(), message)
                .help(format!("there are {}", word::listed(InputType::WORDS)));
            self.found.push(diagnostic.nearest(nearest));
            return None;
        };
        let default = fields.get("default").filter(|default| !default.value.has_refused());
        let value = default.map(|default| default.value.to_json());
        if let (Some(default), Some(value)) = (default, &value)
            && let Err(why) = read.check(value)
        {
            let found = if why.starts_with("expected") {
                format!("{why}, found {}", default.value.kind_name())
            } else {
                why.clone()
            };
            let message = format!("default of input `{}`: {found}", entry.key);
            let mut diagnostic = Diagnostic::new(default.value.span.clone(), message);
            // That a text is no range is what no schema says; that it is no text, one does.
            diagnostic.beyond_schema = !why.starts_with("expected");
            self.found.push(diagnostic);
            return Some(Input { kind: read, default: None });
        }
        Some(Input { kind: read, default: value })
    }

    fn aim(&mut self, node: &Node) -> Option<Aim> {
        let word = self.text(node)?;
        let aim = Aim::parse(word);
        if aim.is_none() {
            let message = format!("`{word}` is not one of `contain`, `close`");
            let nearest = word::nearest(word, Aim::WORDS);
            self.found.push(Diagnostic::new(node.span.clone(), message).nearest(nearest));
        }
        aim
    }

    pub(super) fn required_text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let Some(entry) = fields.get(key) else {
            if fields.lacks(key) {
                self.found.push(missing(key));
            }
            return None;
        };
        let text = self.text(&entry.value)?;
        if text.trim().is_empty() {
            self.found.push(Diagnostic::new(entry.value.span.clone(), format!("`{key}` is empty")));
        }
        Some(text.to_owned())
    }

    /// Takes a map apart; keys that are not known are complained about.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong_kind(node, &format!("{what}, which is a map"));
            return None;
        };
        let mut meant = Vec::new();
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let nearest = word::nearest(&entry.key, known.iter().copied());
            meant.extend(nearest.clone());
            let diagnostic = Diagnostic::new(entry.key_span.clone(), format!("unknown key `{}`", entry.key));
            self.found.push(match nearest {
                Some(_) => diagnostic.nearest(nearest),
                None => diagnostic.help(format!("{what} has {}", word::listed(known.iter().copied()))),
            });
        }
        Some(Fields { entries, meant })
    }

    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.wrong_kind(node, "text");
        }
        text
    }

    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        if let NodeKind::Boolean(value) = node.kind {
            return Some(value);
        }
        self.wrong_kind(node, "`true` or `false`");
        None
    }

    pub(super) fn wrong_kind(&mut self, node: &Node, expected: &str) {
        if node.kind != NodeKind::Refused {
            let message = format!("expected {expected}, found {}", node.kind_name());
            self.found.push(Diagnostic::new(node.span.clone(), message));
        }
    }
}

fn missing(key: &str) -> Diagnostic {
    Diagnostic::new(0..0, format!("`{key}` is missing"))
}

fn newer_schema(node: &Node) -> Option<Diagnostic> {
    let version: u32 = node.text()?.strip_prefix("stanch/playbook/v")?.parse().ok()?;
    (version > 1).then(|| {
        Diagnostic::new(node.span.clone(), "this playbook was made for a newer stanch")
            .help(format!("this version reads `{SCHEMA}`: upgrade stanch, or use an older playbook"))
    })
}
