//! Text of `$filter` to tokens.

use super::error::QueryError;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// A quoted string, its doubled quotes undone.
    Text(String),
    /// A name, path, keyword or unquoted literal.
    Word(String),
}

/// Splits an expression into tokens.
pub(super) fn split(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Some(Token::Open), skip(rest, 1)),
            ')' => (Some(Token::Close), skip(rest, 1)),
            ',' => (Some(Token::Comma), skip(rest, 1)),
            ':' => (Some(Token::Colon), skip(rest, 1)),
            '\'' => {
                let (value, after) = quoted(skip(rest, 1), text)?;
                (Some(Token::Text(value)), after)
            }
            white if white.is_whitespace() => (None, rest.trim_start()),
            _ => {
                let length = word_length(rest, first);
                if length == 0 {
                    return Err(QueryError::Syntax(format!(
                        "Syntax error: character '{first}' is not valid in '{text}'."
                    )));
                }
                (Some(Token::Word(rest.get(..length).unwrap_or_default().to_owned())), skip(rest, length))
            }
        };
        tokens.extend(token);
        rest = after;
    }
    Ok(tokens)
}

fn skip(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// Dates hold colons, lambdas too (`t:t/id`): only what begins like a number or date may hold one.
fn word_length(rest: &str, first: char) -> usize {
    let literal = first.is_ascii_digit() || first == '-';
    rest.char_indices()
        .find(|(_, character)| {
            !(character.is_alphanumeric()
                || "_-./@$#".contains(*character)
                || (literal && ":+".contains(*character)))
        })
        .map_or(rest.len(), |(index, _)| index)
}

fn quoted<'a>(rest: &'a str, whole: &str) -> Result<(String, &'a str), QueryError> {
    let mut value = String::new();
    let mut rest = rest;
    loop {
        let Some(end) = rest.find('\'') else {
            return Err(QueryError::Syntax(format!(
                "There is an unterminated string literal at position {} in '{whole}'.",
                whole.len()
            )));
        };
        value.push_str(rest.get(..end).unwrap_or_default());
        rest = skip(rest, end + 1);
        match rest.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Ok((value, rest)),
        }
    }
}
