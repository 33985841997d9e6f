//! What a report shows, whatever its form: sections of paragraphs, lists and tables. Everything in it may be somebody
//! else's text: each form makes it inert and escapes it, all of it.

use super::drawing::Drawing;

/// How something is to be taken; the words say it as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// It is well.
    Good,
    /// It is open.
    Bad,
}

impl Tone {
    /// The class of a page's style.
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// A cell of a table: its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub lines: Vec<String>,
    pub tone: Tone,
}

impl Cell {
    /// A cell of one line.
    pub fn of(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], tone: Tone::Plain }
    }

    /// A cell of several lines.
    pub fn lines(lines: impl IntoIterator<Item = String>) -> Self {
        Self { lines: lines.into_iter().collect(), tone: Tone::Plain }
    }

    /// The same cell with a tone.
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table. Its first column names each row.
    Table { caption: &'static str, head: Vec<&'static str>, rows: Vec<Vec<Cell>> },
    /// The drawing of the timeline; a form without drawings leaves it out.
    Drawing(Drawing),
}

impl Block {
    /// A table.
    pub fn table<const N: usize>(
        caption: &'static str,
        head: [&'static str; N],
        rows: Vec<[Cell; N]>,
    ) -> Self {
        Self::Table { caption, head: head.to_vec(), rows: rows.into_iter().map(Vec::from).collect() }
    }
}

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// What links lead to.
    pub id: &'static str,
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub title: String,
    pub verdict: String,
    pub tone: Tone,
    pub sections: Vec<Section>,
}
