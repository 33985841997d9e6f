//! Expressions over JSON objects. A comparison of unlike types is an error, as it is for the service.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::error::QueryError;
use super::parser::{Comparison, Expression, Function, Literal, Path, parse};

/// A parsed `$filter`.
#[derive(Clone, Debug)]
pub struct Filter(Expression);

/// What a filter does with one property, for the rules to allow or not.
pub(super) struct Use<'a> {
    /// The path from the object's root.
    pub(super) path: &'a str,
    /// Operator or function, in lower case.
    pub(super) operator: &'static str,
}

impl Filter {
    /// Parses the text of a `$filter`.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse(text).map(Self)
    }

    /// Whether an object passes.
    pub fn accepts(&self, item: &Value) -> Result<bool, QueryError> {
        accepts(&self.0, item, &mut Vec::new())
    }

    /// Every use of a property, and whether the query is an advanced one of the directory.
    pub(super) fn uses(&self) -> (Vec<Use<'_>>, bool) {
        let mut uses = Vec::new();
        let mut advanced = false;
        collect(&self.0, &mut uses, &mut advanced);
        (uses, advanced)
    }
}

/// Reads a timestamp as Graph writes them, or a bare date.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| match text.len() {
        10 => format!("{text}T00:00:00Z").parse().ok(),
        _ => None,
    })
}

fn collect<'a>(expression: &'a Expression, uses: &mut Vec<Use<'a>>, advanced: &mut bool) {
    match expression {
        Expression::And(left, right) | Expression::Or(left, right) => {
            collect(left, uses, advanced);
            collect(right, uses, advanced);
        }
        Expression::Not(inner) | Expression::All(_, _, inner) => {
            *advanced = true;
            collect(inner, uses, advanced);
        }
        Expression::Compare(path, comparison, _) => {
            *advanced |=
                *comparison == Comparison::NotEqual || path.steps.iter().any(|step| step == "$count");
            uses.push(Use { path: &path.full, operator: comparison.name() });
        }
        Expression::In(path, _) => uses.push(Use { path: &path.full, operator: "in" }),
        Expression::Call(function, path, _) => {
            *advanced |= *function == Function::EndsWith;
            uses.push(Use { path: &path.full, operator: function.name() });
        }
        Expression::Any(path, None) => uses.push(Use { path: &path.full, operator: "any" }),
        Expression::Any(_, Some((_, inner))) => collect(inner, uses, advanced),
        Expression::IsOf(_) => {}
        Expression::Flag(path) => uses.push(Use { path: &path.full, operator: "eq" }),
    }
}

type Scope<'a> = Vec<(&'a str, &'a Value)>;

fn accepts<'a>(
    expression: &'a Expression,
    item: &'a Value,
    scope: &mut Scope<'a>,
) -> Result<bool, QueryError> {
    Ok(match expression {
        // Both sides are always looked at: an error on either side is an error of the query.
        Expression::And(left, right) => accepts(left, item, scope)? & accepts(right, item, scope)?,
        Expression::Or(left, right) => accepts(left, item, scope)? | accepts(right, item, scope)?,
        Expression::Not(inner) => !accepts(inner, item, scope)?,
        Expression::Compare(path, comparison, literal) => {
            compare(find(path, item, scope), path, *comparison, literal)?
        }
        Expression::In(path, literals) => {
            let value = find(path, item, scope);
            let mut found = false;
            for literal in literals {
                found |= compare(value, path, Comparison::Equal, literal)?;
            }
            found
        }
        Expression::Call(function, path, wanted) => match find(path, item, scope) {
            Found::Value(Value::String(text)) => {
                let text = text.to_lowercase();
                match function {
                    Function::StartsWith => text.starts_with(wanted),
                    Function::EndsWith => text.ends_with(wanted),
                    Function::Contains => text.contains(wanted),
                }
            }
            Found::Value(Value::Null) | Found::Nothing => false,
            other => {
                return Err(QueryError::Types {
                    property: other.type_name(),
                    literal: "Edm.String",
                    operator: function.name(),
                });
            }
        },
        Expression::Any(path, inner) => {
            let members = members(path, item, scope)?;
            match inner {
                None => !members.is_empty(),
                Some((variable, inner)) => {
                    let mut any = false;
                    for member in members {
                        any |= within(variable, member, inner, item, scope)?;
                    }
                    any
                }
            }
        }
        Expression::All(path, variable, inner) => {
            let mut all = true;
            for member in members(path, item, scope)? {
                all &= within(variable, member, inner, item, scope)?;
            }
            all
        }
        Expression::IsOf(name) => is_of(item, name),
        Expression::Flag(path) => match find(path, item, scope) {
            Found::Value(Value::Bool(flag)) => *flag,
            Found::Value(Value::Null) | Found::Nothing => false,
            _ => {
                return Err(QueryError::Syntax(
                    "The $filter expression must evaluate to a single boolean value.".to_owned(),
                ));
            }
        },
    })
}

fn is_of(item: &Value, name: &str) -> bool {
    let kind = item.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    kind.trim_start_matches('#').eq_ignore_ascii_case(name)
}

fn within<'a>(
    variable: &'a str,
    member: &'a Value,
    inner: &'a Expression,
    item: &'a Value,
    scope: &mut Scope<'a>,
) -> Result<bool, QueryError> {
    scope.push((variable, member));
    let result = accepts(inner, item, scope);
    scope.pop();
    result
}

fn members<'a>(path: &'a Path, item: &'a Value, scope: &Scope<'a>) -> Result<&'a [Value], QueryError> {
    match find(path, item, scope) {
        Found::Value(Value::Array(members)) => Ok(members),
        Found::Nothing | Found::Value(Value::Null) => Ok(&[]),
        _ => Err(QueryError::Syntax(format!(
            "Any/All may only be used following a collection; '{}' is none.",
            path.full
        ))),
    }
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Value(&'a Value),
    Count(usize),
    Nothing,
}

impl Found<'_> {
    fn type_name(self) -> &'static str {
        match self {
            Self::Value(Value::String(_)) => "Edm.String",
            Self::Value(Value::Bool(_)) => "Edm.Boolean",
            Self::Value(Value::Number(_)) => "Edm.Int32",
            Self::Count(_) => "Edm.Int64",
            Self::Value(Value::Array(_)) => "Collection",
            Self::Value(Value::Object(_)) => "Edm.ComplexType",
            Self::Value(Value::Null) | Self::Nothing => "Edm.Null",
        }
    }
}

fn find<'a>(path: &'a Path, item: &'a Value, scope: &Scope<'a>) -> Found<'a> {
    let root = match &path.variable {
        Some(variable) => scope.iter().rev().find(|(name, _)| name == variable).map(|(_, value)| *value),
        None => Some(item),
    };
    let mut found = match root {
        Some(root) => Found::Value(root),
        None => return Found::Nothing,
    };
    for step in &path.steps {
        found = match found {
            Found::Value(Value::Array(members)) if step == "$count" => Found::Count(members.len()),
            // A cast leaves objects of other types without the property.
            Found::Value(value @ Value::Object(_)) if step.starts_with("microsoft.graph.") => {
                if is_of(value, step) { Found::Value(value) } else { Found::Nothing }
            }
            Found::Value(Value::Object(object)) => object.get(step).map_or(Found::Nothing, Found::Value),
            _ => Found::Nothing,
        };
    }
    found
}

fn compare(
    value: Found<'_>,
    path: &Path,
    comparison: Comparison,
    literal: &Literal,
) -> Result<bool, QueryError> {
    let name = path.full.rsplit('/').next().unwrap_or_default();
    let is_time = name.ends_with("DateTime");
    let mismatch =
        |property, literal| Err(QueryError::Types { property, literal, operator: comparison.name() });
    // A quoted date is a string to the service, and its columns are not.
    match literal {
        Literal::Text(..) if is_time => return mismatch("Edm.DateTimeOffset", "Edm.String"),
        Literal::Time(_) if !is_time => return mismatch(value.type_name(), "Edm.DateTimeOffset"),
        _ => {}
    }
    let ordering = match (value, literal) {
        (Found::Value(Value::Null) | Found::Nothing, Literal::Null) => Some(Ordering::Equal),
        (_, Literal::Null) | (Found::Value(Value::Null) | Found::Nothing, _) => None,
        (Found::Value(Value::String(text)), Literal::Time(time)) => {
            parse_time(text).map(|text| text.cmp(time))
        }
        (Found::Value(Value::String(text)), Literal::Text(_, wanted)) => Some(compare_text(text, wanted)),
        (Found::Value(Value::String(text)), Literal::Guid(wanted)) if uuid::Uuid::try_parse(text).is_ok() => {
            Some(compare_text(text, wanted))
        }
        (Found::Value(Value::Bool(flag)), Literal::Boolean(wanted)) => Some(flag.cmp(wanted)),
        (Found::Value(Value::Number(number)), Literal::Number(wanted)) => {
            number.as_f64().and_then(|number| number.partial_cmp(wanted))
        }
        (Found::Count(count), Literal::Number(wanted)) => {
            u32::try_from(count).ok().and_then(|count| f64::from(count).partial_cmp(wanted))
        }
        (other, literal) => {
            return mismatch(
                other.type_name(),
                match literal {
                    Literal::Text(..) => "Edm.String",
                    Literal::Time(_) => "Edm.DateTimeOffset",
                    Literal::Number(_) => "Edm.Int32",
                    Literal::Boolean(_) => "Edm.Boolean",
                    Literal::Guid(_) => "Edm.Guid",
                    Literal::Null => "Edm.Null",
                },
            );
        }
    };
    Ok(match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
    })
}

fn compare_text(text: &str, wanted_in_lower_case: &str) -> Ordering {
    if text.is_ascii() {
        return text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(wanted_in_lower_case.bytes());
    }
    text.to_lowercase().as_str().cmp(wanted_in_lower_case)
}
