//! Pointers into an alert: JSON Pointers (RFC 6901) with three additions. `*` is every member of a list, `[k=v]` the
//! members whose `k` is `v`, and `|json` behind a token reads the text there as JSON again.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::strict::read_json;

/// More tokens than this no alert's shape needs.
const MOST_TOKENS: usize = 32;
/// More values than this are no alert about a few people.
const MOST_VALUES: usize = 1_000;

/// Why a text is no pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin with a slash.
    #[error("`{text}` does not begin with `/`")]
    NoSlash {
        /// The text.
        text: String,
    },
    /// A `~` that is neither `~0` nor `~1`.
    #[error("`{text}` has a `~` that is neither `~0` nor `~1`")]
    Escape {
        /// The text.
        text: String,
    },
    /// A bracket that is not `[key=value]`.
    #[error("`{text}` has a bracket that is not `[key=value]`")]
    Bracket {
        /// The text.
        text: String,
    },
    /// Too long.
    #[error("`{text}` has more than {MOST_TOKENS} tokens")]
    TooLong {
        /// The text.
        text: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Key(String),
    Every,
    Where { key: String, value: String },
    Json,
}

/// A pointer into an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    tokens: Vec<Token>,
}

impl Pointer {
    /// Parses a pointer.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let owned = || text.to_owned();
        let rest = text.strip_prefix('/').ok_or_else(|| PointerError::NoSlash { text: owned() })?;
        let mut tokens = Vec::new();
        for part in rest.split('/') {
            let (part, is_json) = part.strip_suffix("|json").map_or((part, false), |part| (part, true));
            tokens.push(match part {
                "*" => Token::Every,
                part if part.starts_with('[') => {
                    let inside = part
                        .strip_prefix('[')
                        .and_then(|part| part.strip_suffix(']'))
                        .and_then(|part| part.split_once('='))
                        .filter(|(key, _)| !key.is_empty())
                        .ok_or_else(|| PointerError::Bracket { text: owned() })?;
                    Token::Where { key: unescape(inside.0, text)?, value: unescape(inside.1, text)? }
                }
                part => Token::Key(unescape(part, text)?),
            });
            if is_json {
                tokens.push(Token::Json);
            }
        }
        if tokens.len() > MOST_TOKENS {
            return Err(PointerError::TooLong { text: owned() });
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// What stands there, in the document's order; nothing where the way ends.
    pub fn values<'v>(&self, body: &'v Value) -> Vec<Cow<'v, Value>> {
        let mut found = vec![Cow::Borrowed(body)];
        for token in &self.tokens {
            found = found.into_iter().flat_map(|value| step(value, token)).take(MOST_VALUES).collect();
        }
        found
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn unescape(part: &str, whole: &str) -> Result<String, PointerError> {
    let mut read = String::with_capacity(part.len());
    let mut letters = part.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '~' => match letters.next() {
                Some('0') => read.push('~'),
                Some('1') => read.push('/'),
                _ => return Err(PointerError::Escape { text: whole.to_owned() }),
            },
            other => read.push(other),
        }
    }
    Ok(read)
}

fn step<'v>(value: Cow<'v, Value>, token: &Token) -> Vec<Cow<'v, Value>> {
    match token {
        Token::Json => {
            let read = value.as_str().and_then(|text| read_json(text.as_bytes()).ok());
            read.map(Cow::Owned).into_iter().collect()
        }
        Token::Key(key) => match value {
            Cow::Borrowed(value) => member(value, key).map(Cow::Borrowed).into_iter().collect(),
            Cow::Owned(value) => member(&value, key).cloned().map(Cow::Owned).into_iter().collect(),
        },
        Token::Every | Token::Where { .. } => {
            let fits = |item: &Value| match token {
                Token::Where { key, value } => item.get(key).is_some_and(|own| is_spelt(own, value)),
                _ => true,
            };
            match value {
                Cow::Borrowed(Value::Array(items)) => {
                    items.iter().filter(|item| fits(item)).map(Cow::Borrowed).collect()
                }
                Cow::Owned(Value::Array(items)) => items.into_iter().filter(fits).map(Cow::Owned).collect(),
                _ => Vec::new(),
            }
        }
    }
}

fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(entries) => entries.get(key),
        Value::Array(items) => {
            let is_place =
                key == "0" || !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
            items.get(key.parse::<usize>().ok().filter(|_| is_place)?)
        }
        _ => None,
    }
}

fn is_spelt(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Number(number) => number.to_string().as_str() == text,
        Value::Bool(own) => text == if *own { "true" } else { "false" },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_additions_go_on_in_the_middle_of_a_way() {
        let body = json!({
            "a/b": { "~": [10, 11] },
            "keys": [{ "key": "account", "values": ["x", "y"] }, { "key": "ip", "values": ["z"] }, 3],
            "text": "{\"deep\": [\"{\\\"er\\\": 1}\"]}",
            "level": [{ "n": 3, "v": true }, { "n": 4, "v": false }],
        });
        for (pointer, found) in [
            ("/a~1b/~0/1", vec![json!(11)]),
            ("/a~1b/~0/01", vec![]),
            ("/keys/[key=account]/values/*", vec![json!("x"), json!("y")]),
            ("/keys/*/values/0", vec![json!("x"), json!("z")]),
            ("/text|json/deep/*|json/er", vec![json!(1)]),
            ("/keys|json/0", vec![]),
            ("/level/[n=3]/v", vec![json!(true)]),
            ("/nothing/*/here", vec![]),
            ("/keys/key", vec![]),
        ] {
            let values: Vec<Value> =
                Pointer::parse(pointer).unwrap().values(&body).into_iter().map(Cow::into_owned).collect();
            assert_eq!(values, found, "{pointer}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "a/b", "/a~2", "/a~", "/[key]", "/[=x]", "/[key=x", &"/a".repeat(33)] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pointer_or_refused_and_following_it_ends(text in "[/a*~\\[\\]=|json0-9]{0,80}") {
            if let Ok(pointer) = Pointer::parse(&text) {
                prop_assert_eq!(pointer.to_string(), text);
                let body = json!({ "a": [{ "a": "[[1],{\"a\":2}]" }, [1, 2]], "json": "{}" });
                prop_assert!(pointer.values(&body).len() <= MOST_VALUES);
            }
        }
    }
}
