//! Device filter rules: `device.isCompliant -eq True -and device.trustType -in ["AzureAD", "ServerAD"]`.

use serde_json::{Map, Value};

/// Why a rule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("device filter rule `{rule}` cannot be read at `{at}`")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// The word that does not fit.
    pub at: String,
}

/// A parsed rule.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRule(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Test { property: String, operator: String, values: Vec<String> },
}

const OPERATORS: [&str; 10] = [
    "-eq",
    "-ne",
    "-startswith",
    "-notstartswith",
    "-endswith",
    "-notendswith",
    "-contains",
    "-notcontains",
    "-in",
    "-notin",
];

/// Deeper than any rule that makes sense.
const DEEPEST: usize = 50;

impl DeviceRule {
    /// Parses a rule.
    ///
    /// # Errors
    /// [`RuleError`] names the word that does not fit.
    pub fn parse(rule: &str) -> Result<Self, RuleError> {
        let words = split(rule);
        let mut parser = Parser { words: &words, next: 0, rule, depth: 0 };
        let node = parser.either()?;
        if parser.next == words.len() { Ok(Self(node)) } else { Err(parser.unexpected()) }
    }

    /// Whether a device matches; `None` where the rule asks for something that was not told.
    #[must_use]
    pub fn matches(&self, device: &Map<String, Value>) -> Option<bool> {
        matches(&self.0, device)
    }
}

fn matches(node: &Node, device: &Map<String, Value>) -> Option<bool> {
    match node {
        Node::And(left, right) => match (matches(left, device), matches(right, device)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Node::Or(left, right) => match (matches(left, device), matches(right, device)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Node::Test { property, operator, values } => {
            let (_, found) = device.iter().find(|(name, _)| name.eq_ignore_ascii_case(property))?;
            // An unregistered device has no values: positive operators never match it, negative ones always do.
            let found = match found {
                Value::Null => None,
                Value::String(text) => Some(text.to_lowercase()),
                other => Some(other.to_string().to_lowercase()),
            };
            let any = |test: &dyn Fn(&str, &str) -> bool| {
                found.as_deref().is_some_and(|found| values.iter().any(|value| test(found, value)))
            };
            let (negative, name) =
                operator.strip_prefix("-not").map_or((false, operator.as_str()), |name| (true, name));
            let positive = match name.trim_start_matches('-') {
                "eq" | "in" => any(&|found, value| found == value),
                "ne" => return Some(!any(&|found, value| found == value)),
                "startswith" => any(&|found, value| found.starts_with(value)),
                "endswith" => any(&|found, value| found.ends_with(value)),
                _ => any(&|found, value| found.contains(value)),
            };
            Some(positive != negative)
        }
    }
}

fn split(rule: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in rule.chars() {
        match character {
            '"' if quoted => {
                words.push(format!("\"{word}"));
                word.clear();
                quoted = false;
            }
            '"' => quoted = true,
            other if quoted => word.push(other),
            '(' | ')' | '[' | ']' | ',' => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                words.push(character.to_string());
            }
            white if white.is_whitespace() => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            other => word.push(other),
        }
    }
    // An open quote leaves its text as a bare word, which no rule ends in.
    words.extend((!word.is_empty()).then_some(word));
    words
}

struct Parser<'a> {
    words: &'a [String],
    next: usize,
    rule: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<String> {
        let word = self.words.get(self.next).cloned();
        self.next += 1;
        word
    }

    fn next_is(&mut self, wanted: &str) -> bool {
        let found = self.words.get(self.next).is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self) -> RuleError {
        let at = self.words.get(self.next.saturating_sub(1)).cloned().unwrap_or_default();
        RuleError { rule: self.rule.to_owned(), at }
    }

    fn either(&mut self) -> Result<Node, RuleError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unexpected());
        }
        let mut left = self.both()?;
        while self.next_is("-or") {
            left = Node::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Node, RuleError> {
        let mut left = self.single()?;
        while self.next_is("-and") {
            left = Node::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Node, RuleError> {
        if self.next_is("(") {
            let inner = self.either()?;
            return if self.next_is(")") { Ok(inner) } else { Err(self.unexpected()) };
        }
        let name = self.take().unwrap_or_default();
        let property =
            name.strip_prefix("device.").filter(|name| !name.is_empty()).ok_or_else(|| self.unexpected())?;
        let operator = self.take().unwrap_or_default().to_lowercase();
        if !OPERATORS.contains(&operator.as_str()) {
            return Err(self.unexpected());
        }
        let mut values = Vec::new();
        if self.next_is("[") {
            while !self.next_is("]") {
                values.push(self.value()?);
                if !self.next_is(",") && self.words.get(self.next).is_none_or(|word| word != "]") {
                    return Err(self.unexpected());
                }
            }
        } else {
            values.push(self.value()?);
        }
        Ok(Node::Test { property: property.to_owned(), operator, values })
    }

    fn value(&mut self) -> Result<String, RuleError> {
        let word = self.take().unwrap_or_default();
        match word.strip_prefix('"') {
            Some(text) => Ok(text.to_lowercase()),
            None if ["true", "false"].contains(&word.to_lowercase().as_str()) => Ok(word.to_lowercase()),
            None => Err(self.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::DeviceRule;

    fn test(rule: &str, device: &Value) -> Option<bool> {
        DeviceRule::parse(rule).unwrap().matches(device.as_object().unwrap())
    }

    #[test]
    fn a_rule_matches_what_it_names() {
        let registered = json!({"isCompliant": true, "trustType": "AzureAD", "model": "21HM"});
        let unregistered = json!({"isCompliant": null, "trustType": null, "model": null});
        for (rule, of_registered, of_unregistered) in [
            ("device.isCompliant -eq True", true, false),
            ("device.isCompliant -ne True", false, true),
            ("device.trustType -in [\"AzureAD\", \"ServerAD\"]", true, false),
            ("device.trustType -notIn [\"ServerAD\"] -and device.isCompliant -eq True", true, false),
            ("(device.model -startsWith \"21\") -or device.isCompliant -ne True", true, true),
            ("device.model -notContains \"hm\"", false, true),
        ] {
            assert_eq!(test(rule, &registered), Some(of_registered), "{rule}");
            assert_eq!(test(rule, &unregistered), Some(of_unregistered), "{rule}");
        }
        assert_eq!(test("device.ownership -eq \"Company\"", &registered), None);
        assert_eq!(
            test("device.ownership -eq \"Company\" -and device.isCompliant -eq False", &registered),
            Some(false)
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for rule in [
            "",
            "device.isCompliant",
            "device.x -like \"a\"",
            "user.x -eq \"a\"",
            "(device.x -eq \"a\"",
            "device.x -eq a",
            "device.x -in [\"a\" \"b\"]",
            "device.x -eq \"a",
        ] {
            assert!(DeviceRule::parse(rule).is_err(), "{rule}");
        }
        assert!(DeviceRule::parse(&"(".repeat(5000)).is_err());
    }
}
