//! Lines that a playbook's author writes for a person, with the user's name and id filled in. Invariant: in a command a
//! filled-in name stands within quotes of its own, so that nothing in it is read as code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be filled in.
const PLACES: [&str; 2] = ["upn", "id"];
/// Longest line, in characters.
const LONGEST: usize = 1_000;

/// One line for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Line(String);

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        check(&text)?;
        Ok(Self(text))
    }
}

impl From<Line> for String {
    fn from(Line(text): Line) -> Self {
        text
    }
}

impl Line {
    /// The line with the user filled in.
    pub(super) fn filled(&self, upn: &str, id: &str) -> String {
        filled(&self.0, upn, id)
    }
}

/// What a person is to do: one line at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Line>", into = "Vec<Line>")]
#[schemars(with = "Vec<String>")]
pub struct Instruction(Vec<Line>);

impl TryFrom<Vec<Line>> for Instruction {
    type Error = String;

    fn try_from(lines: Vec<Line>) -> Result<Self, String> {
        if lines.is_empty() {
            return Err("there is nothing in it: say in a line at least what the person does".to_owned());
        }
        Ok(Self(lines))
    }
}

impl From<Instruction> for Vec<Line> {
    fn from(Instruction(lines): Instruction) -> Self {
        lines
    }
}

impl Instruction {
    /// The lines with the user filled in.
    pub(super) fn filled(&self, upn: &str, id: &str) -> Vec<String> {
        self.0.iter().map(|line| line.filled(upn, id)).collect()
    }
}

/// One line of PowerShell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Command(String);

impl TryFrom<String> for Command {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        check(&text)?;
        // A text that goes on in the next line would take that line's names in.
        if is_within_quotes(&text, text.len()) {
            return Err("its quotes are not closed: a command is one line".to_owned());
        }
        if let Some(place) = places(&text).find(|place| is_within_quotes(&text, place.at)) {
            return Err(format!(
                "`{{{}}}` stands within quotes, and brings its own: write it without",
                place.name
            ));
        }
        Ok(Self(text))
    }
}

impl From<Command> for String {
    fn from(Command(text): Command) -> Self {
        text
    }
}

impl Command {
    /// The line with the user filled in, by texts that are PowerShell already.
    pub(super) fn filled(&self, upn: &str, id: &str) -> String {
        filled(&self.0, upn, id)
    }
}

fn check(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the line is empty".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("it is one line: give further ones as entries of their own".to_owned());
    }
    if text.chars().count() > LONGEST {
        return Err(format!("the line is longer than {LONGEST} letters"));
    }
    match places(text).find(|place| !PLACES.contains(&place.name)) {
        Some(place) => {
            Err(format!("`{{{}}}` is nothing that is filled in: there are `{{upn}}`, `{{id}}`", place.name))
        }
        None => Ok(()),
    }
}

/// A word in braces, and where its opening brace stands.
struct Place<'t> {
    name: &'t str,
    at: usize,
}

/// The words in braces. A script block of PowerShell has a space, a `$` or a capital in it.
fn places(text: &str) -> impl Iterator<Item = Place<'_>> {
    text.match_indices('{').filter_map(|(at, _)| {
        let (name, _) = text.get(at.saturating_add(1)..)?.split_once('}')?;
        let is_word =
            !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_');
        is_word.then_some(Place { name, at })
    })
}

/// Whether a place of a line of PowerShell is within single or double quotes.
fn is_within_quotes(text: &str, at: usize) -> bool {
    let mut open: Option<char> = None;
    let mut is_escaped = false;
    for letter in text.get(..at).unwrap_or_default().chars() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        let kind = match letter {
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => '\'',
            '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' => '"',
            // Within single quotes it is a letter like any other.
            '`' => {
                is_escaped = open != Some('\'');
                continue;
            }
            _ => continue,
        };
        // A doubled quote closes and opens again, which comes to the same.
        open = match open {
            None => Some(kind),
            Some(own) if own == kind => None,
            other => other,
        };
    }
    open.is_some()
}

/// Fills in, in one pass: what was filled in is not read again.
fn filled(text: &str, upn: &str, id: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for place in places(text) {
        let value = if place.name == "upn" { upn } else { id };
        out.push_str(text.get(from..place.at).unwrap_or_default());
        out.push_str(value);
        from = place.at.saturating_add(place.name.len()).saturating_add(2);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::quoted;

    fn command(text: &str) -> Result<Command, String> {
        Command::try_from(text.to_owned())
    }

    #[test]
    fn a_name_is_filled_in_within_quotes_of_its_own() {
        let line = command("Get-Mailbox {upn} | Where-Object { $_.Id -eq {id} }").unwrap();
        assert_eq!(
            line.filled(&quoted("o'neil{id}@contoso.com"), "'x'"),
            "Get-Mailbox 'o''neil{id}@contoso.com' | Where-Object { $_.Id -eq 'x' }"
        );
    }

    #[test]
    fn a_name_never_stands_within_the_authors_quotes() {
        for wrong in [
            "Get-Mailbox '{upn}'",
            "\"of {upn}\"",
            "'it''s {upn}'",
            "\"a`\" {upn}\"",
            "\u{201c}{upn}\u{201d}",
        ] {
            assert!(command(wrong).unwrap_err().contains("within quotes"), "{wrong}");
        }
        for open in ["$text = @'", "Write-Host \"of", "it's"] {
            assert!(command(open).unwrap_err().contains("not closed"), "{open}");
        }
        for right in ["'a' + {upn} + \"b\"", "`\" {upn}", "'`' + {upn}", "\"it's\" {upn}"] {
            assert!(command(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn what_is_nothing_to_fill_in_is_told() {
        assert!(command("Get-Mailbox {user}").unwrap_err().contains("`{user}` is nothing"));
        assert!(command("ForEach-Object { $_ } {Name} {}").is_ok());
        assert!(Line::try_from("a\nb".to_owned()).is_err());
        assert!(Line::try_from("  ".to_owned()).is_err());
        assert!(Instruction::try_from(Vec::new()).is_err());
    }
}
