//! The preview as a document, before it is text or Markdown. Invariant: a piece is inert from the moment it is made.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::CidrBlock;
use crate::domain::inert::{inert, inert_whole, spell_stacked};

/// How a piece is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Danger,
    Caution,
    Good,
    Faint,
}

/// Some words in one tone.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    text: String,
    tone: Tone,
}

/// Words that follow one another.
pub(super) type Run = Vec<Piece>;

impl Piece {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn tone(&self) -> Tone {
        self.tone
    }

    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Makes a piece of a text that is shown whole.
pub(super) fn say(text: &str) -> Piece {
    Piece { text: inert_whole(text), tone: Tone::Plain }
}

/// Makes a piece of a name that others chose: in quotes, so that it is seen where it ends, and cut when long.
pub(super) fn name(text: &str) -> Piece {
    if text.trim().is_empty() {
        return say("(no name)");
    }
    if is_plain_token(text) {
        return say(text);
    }
    Piece { text: quoted(&spell_stacked(&inert(text))), tone: Tone::Plain }
}

/// Whether a text is an address, an id, a sign-in name or a moment: these show by themselves where they end.
fn is_plain_token(text: &str) -> bool {
    let is_short = text.len() <= 64;
    let is_sign_in_name = || {
        text.contains('@')
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "@.-_".contains(letter))
    };
    is_short
        && (is_sign_in_name()
            || text.parse::<CidrBlock>().is_ok()
            || uuid::Uuid::try_parse(text).is_ok()
            || text.parse::<Timestamp>().is_ok())
        && text.chars().all(|letter| letter.is_ascii_graphic())
}

/// Makes a run of one text that is shown whole.
pub(super) fn line(text: &str) -> Run {
    vec![say(text)]
}

/// Spells a JSON value in words, strings cut when long.
pub(super) fn value_cut(value: &Value) -> Piece {
    value_piece(value, &|text| spell_stacked(&inert(text)))
}

/// Spells a JSON value in words, whole.
pub(super) fn value_whole(value: &Value) -> Piece {
    value_piece(value, &inert_whole)
}

fn value_piece(value: &Value, spell: &dyn Fn(&str) -> String) -> Piece {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text == "${current.ipRanges}" => "(what is there at that moment)".to_owned(),
        Value::String(text) if is_plain_token(text) => text.clone(),
        Value::String(text) => quoted(&spell(text)),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(entries) => match lone_value(entries) {
            Some((word, only)) => format!("{}{}", spell(&word), value_piece(only, spell).text()),
            None => spell(&value.to_string()),
        },
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => spell(&value.to_string()),
    };
    Piece { text, tone: Tone::Plain }
}

/// The one value of an object that has no more, with its key as words: `{"later_than": …}` is "later than …".
/// A range of a named location is its address; the type beside it is what the address shows anyway.
fn lone_value(entries: &serde_json::Map<String, Value>) -> Option<(String, &Value)> {
    let mut told = entries.iter().filter(|(key, _)| key.as_str() != "@odata.type");
    let (key, value) = told.next()?;
    let is_lone = told.next().is_none() && !value.is_object() && !value.is_array();
    let words = if key == "cidrAddress" { String::new() } else { format!("{} ", key.replace('_', " ")) };
    is_lone.then_some((words, value))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// A label and what stands beside it, line by line.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) lines: Vec<Run>,
}

/// What becomes of one field.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// It is one value now and another afterwards.
    Value { field: String, before: Piece, after: Piece },
    /// It belongs to an object that is made.
    Set { field: String, value: Piece },
    /// Entries of a list come and go, the others stay.
    List { field: String, kept: usize, added: Vec<Piece>, removed: Vec<Piece> },
    /// Something to say about the object as a whole.
    Note(Run),
}

/// One request of an action.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Method, and what distinguishes it from the other requests shown there.
    pub(super) verb: String,
    pub(super) path: String,
    /// What the body says beyond the change as told, in short; absent where it says no more.
    pub(super) besides: Option<String>,
    /// The body as indented JSON, one element a line; empty where none is sent.
    pub(super) body: Vec<String>,
}

/// A part of a section.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Paragraph(Run),
    Facts(Vec<Fact>),
    /// A numbered entry, or one behind a dot, with what belongs to it.
    Entry {
        number: Option<usize>,
        head: Run,
        body: Vec<Block>,
    },
    Changes(Vec<Change>),
    Requests(Vec<Sent>),
    /// Commands, to be copied as they stand.
    Commands(Vec<String>),
    /// Commands that a short preview only counts.
    Script(Vec<String>),
}

/// Makes an entry behind a dot.
pub(super) fn bullet(head: Run, body: Vec<Block>) -> Block {
    Block::Entry { number: None, head, body }
}

/// A section with its title.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) tone: Tone,
    pub(super) blocks: Vec<Block>,
}

impl Section {
    pub(super) fn new(title: &'static str, tone: Tone, blocks: Vec<Block>) -> Self {
        Self { title, tone, blocks }
    }
}

/// The preview.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) title: Run,
    pub(super) identity: Vec<Run>,
    pub(super) summary: Run,
    pub(super) sections: Vec<Section>,
}

/// Spells a number with its noun: `1 change`, `2 changes`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Makes a fact of one line.
pub(super) fn fact(label: &'static str, run: Run) -> Fact {
    Fact { label, lines: vec![run] }
}

/// Makes an entry behind a dot of each text.
pub(super) fn bullets(texts: &[String]) -> Vec<Block> {
    texts.iter().map(|text| bullet(line(text), Vec::new())).collect()
}

/// Says that something was not read, and so is not known to be empty.
pub(super) fn unread(what: &str, why: &str) -> Run {
    vec![say("not read").toned(Tone::Caution), say(&format!(" ({what}): {why}"))]
}

/// Spells a moment to the minute: who decides does not need the second.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
