//! One entry of `steps`: its keys, its name, its options against the step's own type.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use super::catalog::StepInfo;
use super::diagnostic::Diagnostic;
use super::input::Input;
use super::model::{Approval, PathSegment, StepCall};
use super::needs::Waiting;
use super::options;
use super::read::Reader;
use super::reference::{self, ReferenceFault};
use super::tree::{Node, NodeKind};
use super::word;

const KEYS: [&str; 7] = ["step", "id", "with", "needs", "required", "approval", "summary"];

impl<'c> Reader<'c> {
    /// Reads the list of steps.
    pub(super) fn steps(&mut self, node: &Node, inputs: &BTreeMap<String, Input>) -> Vec<Waiting> {
        let NodeKind::List(items) = &node.kind else {
            self.wrong_kind(node, "a list of steps");
            return Vec::new();
        };
        if items.is_empty() {
            self.found.push(Diagnostic::new(node.span.clone(), "a playbook has at least one step"));
        }
        let steps: Vec<Waiting> = items.iter().filter_map(|item| self.step(item, inputs)).collect();
        self.check_ids(&steps, items);
        steps
    }

    fn step(&mut self, node: &Node, inputs: &BTreeMap<String, Input>) -> Option<Waiting> {
        let fields = self.fields(node, "a step", &KEYS)?;
        let info = fields.get("step").and_then(|entry| self.known_step(&entry.value));
        if fields.lacks("step") {
            let diagnostic = Diagnostic::new(node.span.clone(), "`step` is missing");
            self.found.push(diagnostic.help("say which: `- step: revoke_sessions`"));
        }
        let id = fields.get("id").and_then(|entry| self.id(&entry.value));
        let required = fields.get("required").and_then(|entry| self.boolean(&entry.value)).unwrap_or(true);
        let approval =
            fields.get("approval").and_then(|entry| self.approval(&entry.value)).unwrap_or_default();
        let summary = fields.get("summary").and_then(|_| self.required_text(&fields, "summary"));
        let (needs, needs_at) = match fields.get("needs") {
            Some(entry) => self.needs(&entry.value),
            None => (None, Vec::new()),
        };
        let with = fields.get("with").map(|entry| &entry.value);
        let references_hold = with.is_none_or(|with| self.check_references(with, inputs));
        let step_at = fields.get("step").map_or_else(|| node.span.clone(), |entry| entry.value.span.clone());
        if let Some(info) = info
            && references_hold
        {
            self.check_with(info, with, &step_at, inputs);
        }
        // An unknown step still has a name and an id that others may wait for: it is complained about once.
        let step = fields.get("step").and_then(|entry| entry.value.text())?.to_owned();
        let named_at = fields.get("id").map_or(step_at, |entry| entry.value.span.clone());
        let with = with.map_or_else(|| Value::Object(serde_json::Map::new()), Node::to_json);
        let id = id.unwrap_or_else(|| step.clone());
        let call = StepCall { step, id, with, needs, waits_for: Vec::new(), required, approval, summary };
        Some(Waiting { call, named_at, needs_at })
    }

    fn known_step(&mut self, node: &Node) -> Option<&'c StepInfo> {
        let name = self.text(node)?;
        let catalog = self.catalog;
        let info = catalog.step(name);
        if info.is_none() {
            let nearest = word::nearest(name, catalog.names());
            let diagnostic = Diagnostic::new(node.span.clone(), format!("unknown step `{name}`"));
            self.found.push(match nearest {
                Some(_) => diagnostic.nearest(nearest),
                None => diagnostic.help(format!("there are {}", word::listed(catalog.names()))),
            });
        }
        info
    }

    fn id(&mut self, node: &Node) -> Option<String> {
        let id = self.text(node)?;
        if !word::is_word(id) {
            self.found.push(
                Diagnostic::new(node.span.clone(), format!("`{id}` cannot be an id"))
                    .help("an id is up to 64 small letters, digits, `_` and `-`, and begins with a letter"),
            );
            return None;
        }
        Some(id.to_owned())
    }

    fn approval(&mut self, node: &Node) -> Option<Approval> {
        match self.text(node)? {
            "always" => Some(Approval::Always),
            "auto" => Some(Approval::Auto),
            other => {
                let nearest = word::nearest(other, ["always", "auto"]);
                let message = format!("`{other}` is not one of `always`, `auto`");
                self.found.push(Diagnostic::new(node.span.clone(), message).nearest(nearest));
                None
            }
        }
    }

    /// Reads the words of `needs`, and the bytes of each.
    fn needs(&mut self, node: &Node) -> (Option<Vec<String>>, Vec<Range<usize>>) {
        let NodeKind::List(items) = &node.kind else {
            self.wrong_kind(node, "a list of ids");
            return (None, Vec::new());
        };
        let mut words = Vec::new();
        let mut at = Vec::new();
        for item in items {
            if let Some(word) = self.text(item) {
                words.push(word.to_owned());
                at.push(item.span.clone());
            }
        }
        (Some(words), at)
    }

    /// Complains of each `${...}` that names no input; false when there is one.
    fn check_references(&mut self, with: &Node, inputs: &BTreeMap<String, Input>) -> bool {
        let before = self.found.len();
        let source = self.text;
        let mut found = Vec::new();
        with.walk(&mut Vec::new(), &mut |_, node| {
            let NodeKind::Text(text) = &node.kind else { return };
            // Plain and quoted texts without escapes stand in the file as they are: then the name itself is underlined.
            let begin = source.get(node.span.clone()).and_then(|raw| raw.find(text.as_str()));
            let place = |at: Range<usize>| match begin {
                Some(begin) => node.span.start + begin + at.start..node.span.start + begin + at.end,
                None => node.span.clone(),
            };
            match reference::find(text) {
                Err(ReferenceFault::Unclosed { at }) => {
                    found.push(Diagnostic::beyond_schema(place(at), "`${` without its `}`"));
                }
                Ok(references) => {
                    let whole =
                        references.len() == 1 && references.iter().all(|one| one.at == (0..text.len()));
                    for reference in references {
                        let at = place(reference.at.clone());
                        match inputs.get(reference.name) {
                            None => found.push(unknown_input(reference.name, at, inputs)),
                            Some(input) if !whole && input.is_list() => found.push(
                                Diagnostic::beyond_schema(
                                    at,
                                    format!("`{}` is a list, and this is a text", reference.name),
                                )
                                .help(format!("a list is the whole value: `\"${{{}}}\"`", reference.name)),
                            ),
                            Some(_) => {}
                        }
                    }
                }
            }
        });
        self.found.extend(found);
        self.found.len() == before
    }

    fn check_with(
        &mut self,
        info: &StepInfo,
        with: Option<&Node>,
        step_at: &Range<usize>,
        inputs: &BTreeMap<String, Input>,
    ) {
        if let Some(with) = with {
            if !matches!(with.kind, NodeKind::Map(_)) {
                self.wrong_kind(with, "a map of options");
                return;
            }
            if with.has_refused() {
                return;
            }
        }
        let raw = with.map_or_else(|| Value::Object(serde_json::Map::new()), Node::to_json);
        let known: BTreeMap<&str, Value> = inputs
            .iter()
            .map(|(name, input)| {
                (name.as_str(), input.default.clone().unwrap_or_else(|| input.kind.sample()))
            })
            .collect();
        let filled = reference::substitute(&raw, &|name| known.get(name));
        // A value that is set at the command line only is checked then; until then a sample stands in for it.
        let open = |name: &str| inputs.get(name).is_some_and(|input| input.default.is_none());
        let unset = reference::paths_naming(&raw, &open);
        let filled_in = reference::paths_naming(&raw, &|_| true);
        let faults = (info.check)(&filled).err().unwrap_or_default();
        let meant: Vec<String> = faults.iter().filter_map(|fault| fault.nearest.clone()).collect();
        for fault in faults {
            let misspelt = meant.iter().any(|word| fault.message == options::missing(word));
            let on_key = fault.message.starts_with("unknown option");
            if misspelt || (!on_key && unset.iter().any(|path| fault.path.starts_with(path))) {
                continue;
            }
            let missing = fault.path.is_empty() || with.is_none();
            let at = match with {
                Some(with) if !missing => with.span_at(&fault.path, on_key),
                _ => step_at.clone(),
            };
            let message = match shown(&fault.path).filter(|_| !on_key) {
                Some(option) => format!("option `{option}` of `{}`: {}", info.name, fault.message),
                None => format!("`{}`: {}", info.name, fault.message),
            };
            let comes_of_an_input = !on_key
                && filled_in
                    .iter()
                    .any(|path| path.starts_with(&fault.path) || fault.path.starts_with(path.as_slice()));
            let mut diagnostic = Diagnostic::new(at, message).nearest(fault.nearest);
            diagnostic.beyond_schema = fault.beyond_schema || comes_of_an_input;
            self.found.push(diagnostic);
        }
    }

    fn check_ids(&mut self, steps: &[Waiting], items: &[Node]) {
        for (index, step) in steps.iter().enumerate() {
            let Waiting { call, named_at, .. } = step;
            let has_id = |item: &Node| item.entry("id").is_some();
            let written = items.iter().any(|item| has_id(item) && item.span.contains(&named_at.start));
            let earlier = steps.iter().take(index);
            if written {
                if let Some(first) = earlier.clone().find(|other| other.call.id == call.id) {
                    self.found.push(
                        Diagnostic::beyond_schema(
                            named_at.clone(),
                            format!("the id `{}` stands twice", call.id),
                        )
                        .label("again here")
                        .related(first.named_at.clone(), "first here"),
                    );
                } else if call.id != call.step && self.catalog.step(&call.id).is_some() {
                    let message = format!("the id `{}` is the name of another step", call.id);
                    self.found
                        .push(Diagnostic::beyond_schema(named_at.clone(), message).help("choose another id"));
                }
            } else if let Some(other) = steps
                .iter()
                .enumerate()
                .find(|(place, other)| *place != index && other.call.step == call.step)
                .map(|(_, other)| other)
            {
                self.found.push(
                    Diagnostic::beyond_schema(
                        named_at.clone(),
                        format!("`{}` stands twice and has no id here", call.step),
                    )
                    .related(other.named_at.clone(), "it stands here too")
                    .help("give it an `id`, so that `needs` can tell them apart"),
                );
            }
        }
    }
}

fn unknown_input(name: &str, at: Range<usize>, inputs: &BTreeMap<String, Input>) -> Diagnostic {
    let nearest = word::nearest(name, inputs.keys().map(String::as_str));
    let diagnostic = Diagnostic::beyond_schema(at, format!("no input is called `{name}`"));
    match nearest {
        Some(_) => diagnostic.nearest(nearest),
        None if inputs.is_empty() => diagnostic.help("this playbook declares no `inputs`"),
        None => diagnostic.help(format!("there are {}", word::listed(inputs.keys().map(String::as_str)))),
    }
}

/// Spells the way to an option: `users.group`, `ips[2]`.
pub(super) fn shown(path: &[PathSegment]) -> Option<String> {
    let mut text = String::new();
    for segment in path {
        match segment {
            PathSegment::Key(name) if text.is_empty() => text.push_str(name),
            PathSegment::Key(name) => {
                text.push('.');
                text.push_str(name);
            }
            PathSegment::Index(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    (!text.is_empty()).then_some(text)
}
