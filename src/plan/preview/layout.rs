//! Lines of a given width out of pieces: wrapping by what a terminal shows, hanging indents, colours.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Color};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::document::{Piece, Tone};
use super::style::Colour;

/// A word as a row of letters, each in the tone of its piece: a word may begin in one piece and end in another.
type Word = Vec<(char, Tone)>;

/// The page that lines are written on.
pub(super) struct Page {
    width: usize,
    colour: Colour,
    text: String,
}

impl Page {
    pub(super) fn new(width: usize, colour: Colour) -> Self {
        Self { width, colour, text: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Leaves a line free.
    pub(super) fn skip(&mut self) {
        self.text.push('\n');
    }

    /// Writes a text as it stands, whatever its width: for what is to be copied.
    pub(super) fn put_uncut(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Writes pieces behind a mark, and what does not fit under their beginning.
    pub(super) fn put(&mut self, indent: usize, mark: &str, pieces: &[Piece]) {
        self.put_hanging(indent, mark, width_of(mark), pieces);
    }

    /// Writes pieces behind a mark, and what does not fit so many columns further in than the mark.
    pub(super) fn put_hanging(&mut self, indent: usize, mark: &str, hang: usize, pieces: &[Piece]) {
        let hang = indent.saturating_add(hang.max(width_of(mark)));
        let room = self.width.saturating_sub(hang).max(1);
        let mut lead = format!("{}{mark}", " ".repeat(indent));
        for row in rows(words(pieces), room) {
            self.text.push_str(&lead);
            self.put_row(&row);
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
            lead = " ".repeat(hang);
        }
    }

    fn put_row(&mut self, row: &[(char, Tone)]) {
        for stretch in row.chunk_by(|(_, one), (_, other)| one == other) {
            let tone = stretch.first().map_or(Tone::Plain, |(_, tone)| *tone);
            let look = look_of(tone);
            let is_coloured = self.colour == Colour::On && tone != Tone::Plain;
            if is_coloured && write!(self.text, "{}", look.render()).is_err() {
                return;
            }
            self.text.extend(stretch.iter().map(|(letter, _)| letter));
            if is_coloured && write!(self.text, "{}", look.render_reset()).is_err() {
                return;
            }
        }
    }
}

fn look_of(tone: Tone) -> anstyle::Style {
    let plain = anstyle::Style::new();
    let in_colour = |colour: AnsiColor| plain.fg_color(Some(Color::Ansi(colour)));
    match tone {
        Tone::Plain => plain,
        Tone::Strong => plain.bold(),
        Tone::Danger => in_colour(AnsiColor::Red).bold(),
        Tone::Caution => in_colour(AnsiColor::Yellow),
        Tone::Good => in_colour(AnsiColor::Green),
        Tone::Faint => plain.dimmed(),
    }
}

/// How many columns a text takes. Terminals differ over joined letters, so the wider of two readings counts.
pub(super) fn width_of(text: &str) -> usize {
    let apart: usize = text.chars().map(|letter| letter.width().unwrap_or(0)).sum();
    apart.max(text.width())
}

fn width_of_word(word: &[(char, Tone)]) -> usize {
    width_of(&word.iter().map(|(letter, _)| letter).collect::<String>())
}

fn words(pieces: &[Piece]) -> Vec<Word> {
    let mut words = vec![Word::new()];
    for piece in pieces {
        for letter in piece.text().chars() {
            match words.last_mut() {
                Some(word) if !letter.is_whitespace() => word.push((letter, piece.tone())),
                _ => words.push(Word::new()),
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Fills rows with words; a word that no row holds is broken where it must be.
fn rows(words: Vec<Word>, room: usize) -> Vec<Word> {
    let mut rows: Vec<Word> = Vec::new();
    let mut row = Word::new();
    let mut taken: usize = 0;
    for word in words {
        for part in parts(word, room) {
            let wide = width_of_word(&part);
            if row.is_empty() {
                taken = wide;
            } else if taken.saturating_add(1).saturating_add(wide) <= room {
                // A gap within one tone keeps that tone, so that a stretch is not cut into words.
                let tone = match (row.last(), part.first()) {
                    (Some((_, one)), Some((_, other))) if one == other => *one,
                    _ => Tone::Plain,
                };
                row.push((' ', tone));
                taken = taken.saturating_add(1).saturating_add(wide);
            } else {
                rows.push(std::mem::take(&mut row));
                taken = wide;
            }
            row.extend(part);
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

fn parts(word: Word, room: usize) -> Vec<Word> {
    if width_of_word(&word) <= room {
        return vec![word];
    }
    let mut parts = Vec::new();
    let mut part = Word::new();
    for letter in word {
        part.push(letter);
        if part.len() > 1 && width_of_word(&part) > room {
            let rest = part.split_off(best_break(&part));
            parts.push(std::mem::replace(&mut part, rest));
        }
    }
    parts.push(part);
    parts
}

/// Where a part that is one letter too long is broken: behind a slash if one stands in its second half.
fn best_break(part: &[(char, Tone)]) -> usize {
    let last = part.len().saturating_sub(1);
    let slash =
        part.iter().take(last).rposition(|(letter, _)| *letter == '/').map(|index| index.saturating_add(1));
    slash.filter(|index| *index > last / 2).unwrap_or(last)
}
