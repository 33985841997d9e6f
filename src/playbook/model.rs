//! What a playbook is once it has been read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diagnostic::{Diagnostic, Diagnostics, Source};
use super::input::Input;

/// The value of `schema` that this version reads.
pub(super) const SCHEMA: &str = "stanch/playbook/v1";

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathSegment {
    /// A key of a map.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// Who has to say yes before a step runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// A person says yes.
    #[default]
    Always,
    /// It may run unattended, from a webhook.
    Auto,
}

/// What a playbook is for: what its plans and runs are told by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// To put an intruder out of an account.
    #[default]
    Contain,
    /// To close an account that nobody broke into.
    Close,
}

impl Aim {
    /// Its words in a playbook.
    pub(super) const WORDS: [&str; 2] = ["contain", "close"];

    /// Reads a word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "contain" => Some(Self::Contain),
            "close" => Some(Self::Close),
            _ => None,
        }
    }

    /// Whether it is to contain: what goes without saying.
    pub fn is_contain(&self) -> bool {
        *self == Self::Contain
    }

    /// What stands behind something that is not needed for it.
    pub fn spare(self) -> &'static str {
        match self {
            Self::Contain => " (not required for containment)",
            Self::Close => " (not required)",
        }
    }

    /// What an account is called for which everything is done.
    pub fn reached(self) -> &'static str {
        match self {
            Self::Contain => "contained",
            Self::Close => "closed",
        }
    }
}

/// A playbook as it was written, checked. Its serialized form leaves out where things stood, so that a digest over it
/// ignores comments and layout.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// Its title, for screens and reports.
    pub title: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// What it is for, as plans and runs are told by it; left out: to contain.
    #[serde(default, skip_serializing_if = "Aim::is_contain")]
    pub aim: Aim,
    /// What the caller may set, or has to.
    pub inputs: BTreeMap<String, Input>,
    /// Its steps, in the order of the file.
    pub steps: Vec<StepCall>,
    #[serde(skip)]
    pub(super) spans: BTreeMap<Vec<PathSegment>, Range<usize>>,
    #[serde(skip)]
    pub(super) source: Arc<Source>,
}

/// One step as a playbook asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StepCall {
    /// The step's name.
    pub step: String,
    /// What others call it by: its `id`, or else the step's name.
    pub id: String,
    /// Its options as written, `${input}` and all; `{}` when there are none.
    pub with: Value,
    /// The ids it waits for as written; none: the step before it.
    pub needs: Option<Vec<String>>,
    /// The ids it waits for.
    pub waits_for: Vec<String>,
    /// Whether its failure keeps the run from being contained.
    pub required: bool,
    /// Who has to say yes.
    pub approval: Approval,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl Playbook {
    /// Gives the bytes of the value at this path, such as `steps`, 2, `with`, `ips`.
    pub fn span(&self, path: &[PathSegment]) -> Option<Range<usize>> {
        self.spans.get(path).cloned()
    }

    /// Points at the value at this path, or at the nearest one around it, for a complaint that only a caller can make.
    pub fn point_at(
        &self,
        path: &[PathSegment],
        message: impl Into<String>,
        help: Option<String>,
    ) -> Diagnostics {
        let around = (0..=path.len()).rev().find_map(|length| self.span(path.get(..length)?));
        let mut diagnostic = Diagnostic::new(around.unwrap_or(0..0), message);
        diagnostic.help = help;
        Diagnostics::new(Arc::clone(&self.source), vec![diagnostic])
    }

    /// Gives the file it was read from, as messages name it.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// Gives its text.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Finds a step by its id.
    pub fn step(&self, id: &str) -> Option<&StepCall> {
        self.steps.iter().find(|call| call.id == id)
    }
}
