//! As much of Kusto's language as a hunting query of a responder needs: a table, then `where`, `project`, `order by`,
//! `take`, `count`. What it does not know is an error that says so, never an empty answer.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lookup::text;
use crate::odata::parse_time;

/// A parsed query.
pub(super) struct Query {
    /// The table that it reads.
    pub(super) table: String,
    stages: Vec<Stage>,
}

enum Stage {
    Where(Vec<Condition>),
    Project(Vec<String>),
    Order(String, bool),
    Take(usize),
    Count,
}

struct Condition {
    column: String,
    operator: Operator,
    values: Vec<Literal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    EqualIgnoringCase,
    NotEqual,
    In,
    Has,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

enum Literal {
    Text(String),
    Number(f64),
    Flag(bool),
    Time(Timestamp),
    Ago(SignedDuration),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let letters: Vec<char> = query.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        if letter.is_whitespace() {
            at += 1;
        } else if letter == '\'' || letter == '"' {
            let mut value = String::new();
            at += 1;
            loop {
                match letters.get(at) {
                    None => return Err("a string does not end".to_owned()),
                    Some('\\') => {
                        value.extend(letters.get(at + 1));
                        at += 2;
                    }
                    Some(own) if *own == letter => break,
                    Some(own) => {
                        value.push(*own);
                        at += 1;
                    }
                }
            }
            at += 1;
            found.push(Token::Text(value));
        } else if letter.is_alphanumeric() || letter == '_' {
            let start = at;
            while letters
                .get(at)
                .is_some_and(|own| own.is_alphanumeric() || matches!(own, '_' | '.' | '-' | ':'))
            {
                at += 1;
            }
            found.push(Token::Word(letters.get(start..at).unwrap_or_default().iter().collect()));
        } else {
            let pair: String =
                letters.get(at..(at + 2).min(letters.len())).unwrap_or_default().iter().collect();
            let sign = if ["==", "=~", "!=", ">=", "<="].contains(&pair.as_str()) {
                pair
            } else {
                letter.to_string()
            };
            at += sign.chars().count();
            found.push(Token::Sign(sign));
        }
    }
    Ok(found)
}

/// Parses a query.
pub(super) fn parse(query: &str) -> Result<Query, String> {
    let tokens = tokens(query)?;
    let mut parts = tokens.split(|token| *token == Token::Sign("|".to_owned()));
    let table = match parts.next() {
        Some([Token::Word(table)]) => table.clone(),
        _ => return Err("it must begin with a table".to_owned()),
    };
    let stages = parts.map(stage).collect::<Result<_, _>>()?;
    Ok(Query { table, stages })
}

fn stage(tokens: &[Token]) -> Result<Stage, String> {
    let unknown = || format!("this stage is not understood: {tokens:?}");
    let Some((Token::Word(name), rest)) = tokens.split_first() else { return Err(unknown()) };
    match (name.as_str(), rest) {
        ("where", rest) => {
            let is_and = |token: &Token| matches!(token, Token::Word(word) if word == "and");
            rest.split(is_and).map(condition).collect::<Result<_, _>>().map(Stage::Where)
        }
        ("project", rest) => rest
            .split(|token| *token == Token::Sign(",".to_owned()))
            .map(|own| match own {
                [Token::Word(column)] => Ok(column.clone()),
                _ => Err(unknown()),
            })
            .collect::<Result<_, _>>()
            .map(Stage::Project),
        ("take" | "limit", [Token::Word(count)]) => count.parse().map(Stage::Take).map_err(|_| unknown()),
        ("count", []) => Ok(Stage::Count),
        ("order" | "sort", [Token::Word(by), Token::Word(column), direction @ ..]) if by == "by" => {
            match direction {
                [] => Ok(Stage::Order(column.clone(), false)),
                [Token::Word(word)] if word == "asc" || word == "desc" => {
                    Ok(Stage::Order(column.clone(), word == "asc"))
                }
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

fn condition(tokens: &[Token]) -> Result<Condition, String> {
    let unknown = || format!("this condition is not understood: {tokens:?}");
    let [Token::Word(column), sign, rest @ ..] = tokens else { return Err(unknown()) };
    let operator = match sign {
        Token::Sign(sign) => match sign.as_str() {
            "==" => Operator::Equal,
            "=~" => Operator::EqualIgnoringCase,
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            _ => return Err(unknown()),
        },
        Token::Word(word) => match word.as_str() {
            "in" => Operator::In,
            "has" | "contains" => Operator::Has,
            _ => return Err(unknown()),
        },
        Token::Text(_) => return Err(unknown()),
    };
    let values = match (operator, rest) {
        (Operator::In, [Token::Sign(open), values @ .., Token::Sign(close)])
            if open == "(" && close == ")" =>
        {
            values
                .split(|token| *token == Token::Sign(",".to_owned()))
                .map(|own| literal(own).ok_or_else(unknown))
                .collect::<Result<_, _>>()?
        }
        (_, rest) => vec![literal(rest).ok_or_else(unknown)?],
    };
    Ok(Condition { column: column.clone(), operator, values })
}

fn literal(tokens: &[Token]) -> Option<Literal> {
    match tokens {
        [Token::Text(text)] => Some(Literal::Text(text.clone())),
        [Token::Word(word)] if word == "true" || word == "false" => Some(Literal::Flag(word == "true")),
        [Token::Word(word)] => word.parse().ok().map(Literal::Number),
        [Token::Word(name), Token::Sign(open), value, Token::Sign(close)] if open == "(" && close == ")" => {
            let (Token::Word(value) | Token::Text(value)) = value else { return None };
            match name.as_str() {
                "datetime" => parse_time(value).map(Literal::Time),
                "ago" => crate::clock::parse_span(value)
                    .and_then(|span| SignedDuration::try_from(span).ok())
                    .map(Literal::Ago),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Condition {
    fn holds(&self, row: &Value, now: Timestamp) -> Result<bool, String> {
        let Some(value) = row.get(&self.column) else {
            return Err(format!(
                "'where' operator: Failed to resolve table or column expression named '{}'",
                self.column
            ));
        };
        Ok(match self.operator {
            Operator::In | Operator::Equal => {
                self.values.iter().any(|own| compare(value, own, now) == Some(0))
            }
            Operator::NotEqual => self.values.iter().all(|own| compare(value, own, now) != Some(0)),
            Operator::EqualIgnoringCase | Operator::Has => self.values.iter().any(|own| match own {
                Literal::Text(wanted) => {
                    let shown = shown(value).to_lowercase();
                    let wanted = wanted.to_lowercase();
                    if self.operator == Operator::Has { shown.contains(&wanted) } else { shown == wanted }
                }
                other => compare(value, other, now) == Some(0),
            }),
            Operator::Greater => self.orders(value, now, |order| order > 0),
            Operator::GreaterOrEqual => self.orders(value, now, |order| order >= 0),
            Operator::Less => self.orders(value, now, |order| order < 0),
            Operator::LessOrEqual => self.orders(value, now, |order| order <= 0),
        })
    }

    fn orders(&self, value: &Value, now: Timestamp, fits: impl Fn(i8) -> bool) -> bool {
        self.values.iter().any(|own| compare(value, own, now).is_some_and(&fits))
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How a value stands to a literal: before it, at it, behind it; nothing where they cannot be compared.
fn compare(value: &Value, literal: &Literal, now: Timestamp) -> Option<i8> {
    let ordering = match literal {
        Literal::Text(wanted) => value.as_str()?.cmp(wanted),
        Literal::Number(wanted) => value.as_f64()?.partial_cmp(wanted)?,
        Literal::Flag(wanted) => value.as_bool()?.cmp(wanted),
        Literal::Time(wanted) => parse_time(value.as_str()?)?.cmp(wanted),
        Literal::Ago(back) => parse_time(value.as_str()?)?.cmp(&now.checked_sub(*back).ok()?),
    };
    Some(match ordering {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    })
}

impl Query {
    /// Runs the stages over the rows of the table.
    pub(super) fn run(&self, mut rows: Vec<Value>, now: Timestamp) -> Result<Vec<Value>, String> {
        for stage in &self.stages {
            match stage {
                Stage::Where(conditions) => {
                    let mut kept = Vec::new();
                    for row in rows {
                        let mut fits = true;
                        for condition in conditions {
                            fits = fits && condition.holds(&row, now)?;
                        }
                        if fits {
                            kept.push(row);
                        }
                    }
                    rows = kept;
                }
                Stage::Project(columns) => {
                    for row in &mut rows {
                        if let Some(entries) = row.as_object_mut() {
                            entries.retain(|name, _| columns.contains(name));
                        }
                    }
                }
                Stage::Order(column, ascending) => {
                    rows.sort_by(|one, other| {
                        let order = text(one, column).cmp(text(other, column));
                        if *ascending { order } else { order.reverse() }
                    });
                }
                Stage::Take(count) => rows.truncate(*count),
                Stage::Count => rows = vec![json!({ "Count": rows.len() })],
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(query: &str) -> Result<Vec<Value>, String> {
        let rows = vec![
            json!({ "Timestamp": "2024-10-01T00:00:00Z", "ActionType": "New-InboxRule", "Count": 2 }),
            json!({ "Timestamp": "2024-09-01T00:00:00Z", "ActionType": "Set-InboxRule", "Count": 5 }),
        ];
        parse(query)?.run(rows, "2024-10-04T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_stages_do_what_they_say() {
        let query = "CloudAppEvents | where Timestamp > ago(7d) and ActionType in ('New-InboxRule', 'x') | project ActionType | take 5";
        assert_eq!(run(query).unwrap(), [json!({ "ActionType": "New-InboxRule" })]);
        assert_eq!(run("T | where Count >= 2 | count").unwrap(), [json!({ "Count": 2 })]);
        assert_eq!(run("T | where ActionType =~ 'set-inboxrule'").unwrap().len(), 1);
        assert_eq!(
            run("T | where ActionType has 'inboxrule' | order by Timestamp asc").unwrap()[0]["Count"],
            5
        );
        assert_eq!(run("T | where ActionType == 'it\\'s'").unwrap().len(), 0);
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_never_an_empty_answer() {
        for query in [
            "| where",
            "T | summarize count()",
            "T | where A = 'x'",
            "T | where ActionType == 'x",
            "T | where Nothing == 'x'",
        ] {
            assert!(run(query).is_err(), "{query}");
        }
    }
}
