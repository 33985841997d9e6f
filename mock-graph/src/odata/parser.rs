//! Tokens of `$filter` to an expression.

use jiff::Timestamp;

use super::error::QueryError;
use super::evaluate::parse_time;
use super::lexer::{Token, split};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Comparison {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// The operator as it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

/// A function over text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
    /// `contains`
    Contains,
}

impl Function {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    /// The function's name in lower case.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
            Self::Contains => "contains",
        }
    }
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// Text in quotes, with its lower-case form for comparison.
    Text(String, String),
    /// A date and time, unquoted.
    Time(Timestamp),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A GUID, unquoted.
    Guid(String),
    /// `null`.
    Null,
}

/// A property path; `lambda` counts how many lambdas out its root lies, where it is a lambda's variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The steps, without the lambda's variable.
    pub(super) steps: Vec<String>,
    /// The variable that it starts from.
    pub(super) variable: Option<String>,
    /// The path from the object's root, lambdas resolved: what rules speak of.
    pub(super) full: String,
}

/// A parsed `$filter`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// Both.
    And(Box<Expression>, Box<Expression>),
    /// Either.
    Or(Box<Expression>, Box<Expression>),
    /// The opposite.
    Not(Box<Expression>),
    /// A comparison with a literal.
    Compare(Path, Comparison, Literal),
    /// Any of several literals.
    In(Path, Vec<Literal>),
    /// A function over text.
    Call(Function, Path, String),
    /// Some member of a collection.
    Any(Path, Option<(String, Box<Expression>)>),
    /// Every member of a collection.
    All(Path, String, Box<Expression>),
    /// A property that is true.
    Flag(Path),
    /// An object of a type.
    IsOf(String),
}

/// Parses an expression.
pub(super) fn parse(text: &str) -> Result<Expression, QueryError> {
    let mut parser = Parser { tokens: split(text)?, next: 0, scopes: Vec::new(), text, depth: 0 };
    let expression = parser.either()?;
    if parser.next < parser.tokens.len() {
        return Err(parser.unexpected());
    }
    Ok(expression)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    /// Variables in scope, with the full path of the collection that each runs over.
    scopes: Vec<(String, String)>,
    text: &'a str,
    depth: usize,
}

/// Deeper than any query that makes sense; Graph has such a limit as well.
const DEEPEST: usize = 50;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn unexpected(&self) -> QueryError {
        QueryError::Syntax(format!("Syntax error at position {} in '{}'.", self.next, self.text))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), QueryError> {
        if self.peek() == Some(token) {
            self.next += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn either(&mut self) -> Result<Expression, QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(QueryError::Syntax("The query is too deep.".to_owned()));
        }
        let mut left = self.both()?;
        while self.keyword("or") {
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, QueryError> {
        let mut left = self.single()?;
        while self.keyword("and") {
            left = Expression::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Expression, QueryError> {
        match self.take() {
            Some(Token::Open) => {
                let inner = self.either()?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "not" => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(QueryError::Syntax("The query is too deep.".to_owned()));
                }
                let inner = self.single()?;
                self.depth -= 1;
                Ok(Expression::Not(Box::new(inner)))
            }
            Some(Token::Word(word)) => {
                if self.peek() == Some(&Token::Open) {
                    self.call(&word)
                } else {
                    let path = self.path(&word)?;
                    self.comparison(path)
                }
            }
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, word: &str) -> Result<Expression, QueryError> {
        self.expect(&Token::Open)?;
        if let Some(function) = Function::parse(word) {
            let Some(Token::Word(name)) = self.take() else { return Err(self.unexpected()) };
            let path = self.path(&name)?;
            self.expect(&Token::Comma)?;
            let Some(Token::Text(value)) = self.take() else { return Err(self.unexpected()) };
            self.expect(&Token::Close)?;
            let call = Expression::Call(function, path, value.to_lowercase());
            return if self.keyword("eq") {
                match self.take() {
                    Some(Token::Word(word)) if word == "true" => Ok(call),
                    Some(Token::Word(word)) if word == "false" => Ok(Expression::Not(Box::new(call))),
                    _ => Err(self.unexpected()),
                }
            } else {
                Ok(call)
            };
        }
        if word == "isof" {
            let Some(Token::Text(name)) = self.take() else { return Err(self.unexpected()) };
            self.expect(&Token::Close)?;
            return Ok(Expression::IsOf(name));
        }
        let (collection, every) = match (word.strip_suffix("/any"), word.strip_suffix("/all")) {
            (Some(collection), _) => (collection, false),
            (_, Some(collection)) => (collection, true),
            _ => {
                return Err(QueryError::Syntax(format!("An unknown function with name '{word}' was found.")));
            }
        };
        let path = self.path(collection)?;
        if !every && self.peek() == Some(&Token::Close) {
            self.next += 1;
            return Ok(Expression::Any(path, None));
        }
        let Some(Token::Word(variable)) = self.take() else { return Err(self.unexpected()) };
        self.expect(&Token::Colon)?;
        self.scopes.push((variable.clone(), path.full.clone()));
        let inner = self.either();
        self.scopes.pop();
        let inner = Box::new(inner?);
        self.expect(&Token::Close)?;
        Ok(if every {
            Expression::All(path, variable, inner)
        } else {
            Expression::Any(path, Some((variable, inner)))
        })
    }

    fn path(&self, word: &str) -> Result<Path, QueryError> {
        let steps: Vec<String> = word.split('/').map(str::to_owned).collect();
        let starts_well =
            |step: &String| step.starts_with(|first: char| first.is_alphabetic() || "_$@".contains(first));
        if !steps.iter().all(starts_well) {
            return Err(self.unexpected());
        }
        let scope =
            steps.first().and_then(|first| self.scopes.iter().rev().find(|(variable, _)| variable == first));
        Ok(match scope {
            Some((variable, collection)) => {
                let steps = steps.get(1..).unwrap_or_default().to_vec();
                let full = std::iter::once(collection.as_str())
                    .chain(steps.iter().map(String::as_str))
                    .collect::<Vec<_>>()
                    .join("/");
                Path { steps, variable: Some(variable.clone()), full }
            }
            None => Path { steps, variable: None, full: word.to_owned() },
        })
    }

    fn comparison(&mut self, path: Path) -> Result<Expression, QueryError> {
        let operator = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => return Ok(Expression::Flag(path)),
        };
        if operator == "and" || operator == "or" {
            return Ok(Expression::Flag(path));
        }
        self.next += 1;
        if operator == "in" {
            self.expect(&Token::Open)?;
            let mut values = Vec::new();
            loop {
                values.push(self.literal()?);
                match self.take() {
                    Some(Token::Comma) => {}
                    Some(Token::Close) => return Ok(Expression::In(path, values)),
                    _ => return Err(self.unexpected()),
                }
            }
        }
        let Some(comparison) = Comparison::parse(&operator) else { return Err(self.unexpected()) };
        Ok(Expression::Compare(path, comparison, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, QueryError> {
        let word = match self.take() {
            Some(Token::Text(text)) => {
                let lower = text.to_lowercase();
                return Ok(Literal::Text(text, lower));
            }
            Some(Token::Word(word)) => word,
            _ => return Err(self.unexpected()),
        };
        Ok(match word.as_str() {
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            "null" => Literal::Null,
            other => {
                if let Ok(guid) = uuid::Uuid::try_parse(other)
                    && other.len() == 36
                {
                    Literal::Guid(guid.to_string())
                } else if let Some(time) = parse_time(other) {
                    Literal::Time(time)
                } else if let Ok(number) = other.parse::<f64>()
                    && other.starts_with(|first: char| first.is_ascii_digit() || first == '-')
                {
                    Literal::Number(number)
                } else {
                    return Err(self.unexpected());
                }
            }
        })
    }
}
