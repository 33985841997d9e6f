//! `stanch.toml` to settings, each with its line and column; all faults at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigFault, Origin};
use super::layers::{Item, Layer};
use super::settings::{self, At, Kind};
use super::text::Value;

/// Reads a file's text; what is wrong is added to `faults`.
pub(super) fn read(file: &Path, text: &str, layer: &mut Layer, faults: &mut Vec<ConfigFault>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, text, layer, faults };
    if errors.is_empty() {
        reader.table(table.get_ref(), &mut Vec::new());
        return;
    }
    for error in errors {
        let origin = reader.origin(&error.span().unwrap_or(0..0));
        reader.faults.push(ConfigFault::Syntax { origin, message: error.message().to_owned() });
    }
}

struct Reader<'r> {
    file: &'r Path,
    text: &'r str,
    layer: &'r mut Layer,
    faults: &'r mut Vec<ConfigFault>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &mut Vec<String>) {
        for (key, value) in table {
            path.push(key.get_ref().to_string());
            match settings::find(path) {
                At::Setting(kind) => self.setting(kind, value, path),
                At::Section => match value.get_ref() {
                    DeValue::Table(inner) => self.table(inner, path),
                    other => {
                        let fault = self.wrong(&value.span(), path, "a section", found(other, None));
                        self.faults.push(fault);
                    }
                },
                At::Nothing => self.faults.push(ConfigFault::UnknownKey {
                    origin: self.origin(&key.span()),
                    key: path.join("."),
                    nearest: settings::meant(path),
                    known: settings::beside(path),
                }),
            }
            path.pop();
        }
    }

    fn setting(&mut self, kind: Kind, value: &Spanned<DeValue<'_>>, path: &[String]) {
        match self.value(kind, value, path) {
            Ok(read) => {
                let item = Item { value: read, origin: self.origin(&value.span()) };
                self.layer.insert(path.to_vec(), item);
            }
            Err(fault) => self.faults.push(fault),
        }
    }

    fn value(&self, kind: Kind, value: &Spanned<DeValue<'_>>, path: &[String]) -> Result<Value, ConfigFault> {
        let wrong = || self.wrong(&value.span(), path, &kind.expected(), found(value.get_ref(), Some(kind)));
        match (kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) if !text.trim().is_empty() => {
                Ok(Value::Text(text.to_string()))
            }
            (Kind::Choice(words), DeValue::String(text)) if words.contains(&text.as_ref()) => {
                Ok(Value::Text(text.to_string()))
            }
            (Kind::Boolean, DeValue::Boolean(value)) => Ok(Value::Boolean(*value)),
            (Kind::Integer { least, most }, DeValue::Integer(number)) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) if (least..=most).contains(&number) => Ok(Value::Integer(number)),
                    _ => Err(wrong()),
                }
            }
            (Kind::List, DeValue::Array(_)) => Ok(Value::List(self.list(value, path, kind)?)),
            (Kind::Lists, DeValue::Table(table)) => {
                let mut lists = BTreeMap::new();
                for (key, list) in table {
                    let inner: Vec<String> =
                        path.iter().cloned().chain([key.get_ref().to_string()]).collect();
                    lists.insert(key.get_ref().to_string(), self.list(list, &inner, Kind::List)?);
                }
                Ok(Value::Lists(lists))
            }
            _ => Err(wrong()),
        }
    }

    fn list(
        &self,
        value: &Spanned<DeValue<'_>>,
        path: &[String],
        kind: Kind,
    ) -> Result<Vec<String>, ConfigFault> {
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong(
                &value.span(),
                path,
                &kind.expected(),
                found(value.get_ref(), Some(kind)),
            ));
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(text.to_string()),
                other => {
                    return Err(self.wrong(&item.span(), path, &kind.expected(), found(other, Some(kind))));
                }
            }
        }
        Ok(texts)
    }

    fn wrong(&self, at: &Range<usize>, path: &[String], expected: &str, found: String) -> ConfigFault {
        let (origin, key) = (self.origin(at), path.join("."));
        ConfigFault::WrongType { origin, key, expected: expected.to_owned(), found }
    }

    fn origin(&self, at: &Range<usize>) -> Origin {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        Origin::File { file: self.file.to_path_buf(), line, column: last.chars().count() + 1 }
    }
}

/// Says what stands there. A value is shown where a short word or number was expected; elsewhere it may be a secret
/// that was written in the wrong form.
fn found(value: &DeValue<'_>, kind: Option<Kind>) -> String {
    let is_shown = matches!(kind, Some(Kind::Boolean | Kind::Integer { .. } | Kind::Choice(_)));
    match value {
        DeValue::String(text) if is_shown => format!("the text `{text}`"),
        DeValue::Integer(number) if is_shown => format!("`{number}`"),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::String(text) if text.trim().is_empty() => "empty text".to_owned(),
        DeValue::String(_) => "text".to_owned(),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}
