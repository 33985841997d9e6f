//! `$orderby`.

use std::cmp::Ordering;

use serde_json::Value;

use super::error::QueryError;
use super::evaluate::parse_time;

/// One key of an order.
pub(super) struct Key {
    path: String,
    descending: bool,
}

/// Parses `createdDateTime desc,displayName`.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, QueryError> {
    text.split(',')
        .map(|part| {
            let mut words = part.split_whitespace();
            let path = words
                .next()
                .ok_or_else(|| QueryError::Syntax(format!("Syntax error in $orderby '{text}'.")))?;
            let descending = match (words.next(), words.next()) {
                (None, _) | (Some("asc"), None) => false,
                (Some("desc"), None) => true,
                _ => return Err(QueryError::Syntax(format!("Syntax error in $orderby '{text}'."))),
            };
            Ok(Key { path: path.to_owned(), descending })
        })
        .collect()
}

impl Key {
    /// The property's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// What one object is sorted by, read once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Nothing,
    Flag(bool),
    Time(jiff::Timestamp),
    Number(i64),
    Text(String),
}

/// Sorts; equal objects stay in their order.
pub(super) fn sort(items: &mut [&Value], keys: &[Key]) {
    if keys.is_empty() {
        return;
    }
    items.sort_by_cached_key(|item| {
        Ranks(keys.iter().map(|key| (rank(item, &key.path), key.descending)).collect())
    });
}

#[derive(PartialEq, Eq)]
struct Ranks(Vec<(Rank, bool)>);

impl PartialOrd for Ranks {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranks {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(
                |((left, descending), (right, _))| {
                    if *descending { right.cmp(left) } else { left.cmp(right) }
                },
            )
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn rank(item: &Value, path: &str) -> Rank {
    let value = path.split('/').try_fold(item, |value, step| value.get(step));
    match value {
        Some(Value::String(text)) if path.ends_with("DateTime") => {
            parse_time(text).map_or_else(|| Rank::Text(text.to_lowercase()), Rank::Time)
        }
        Some(Value::String(text)) => Rank::Text(text.to_lowercase()),
        Some(Value::Bool(flag)) => Rank::Flag(*flag),
        Some(Value::Number(number)) => number.as_i64().map_or(Rank::Nothing, Rank::Number),
        _ => Rank::Nothing,
    }
}
