//! A body as it came: its form, and the object that it holds.

use serde_json::Value;

use super::error::AlertError;
use super::form;
use super::strict::read_json;

/// The largest body that is taken: four times the largest that a known sender sends.
pub const MOST_BYTES: usize = 1 << 20;

/// How an alert is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// JSON by itself.
    Json,
    /// A form whose `payload` field is JSON.
    Form,
}

/// A body that was read: an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Body(Value);

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no JSON that can be read in one way only, or no object.
    pub fn read(bytes: &[u8], form: BodyForm) -> Result<Self, AlertError> {
        let value = match form {
            BodyForm::Json => read_json(bytes)?,
            BodyForm::Form if bytes.is_empty() => return Err(AlertError::Empty),
            BodyForm::Form => {
                let text = form::payload(bytes).map_err(|source| AlertError::NotForm { source })?;
                read_json(text.as_bytes())?
            }
        };
        let found = match &value {
            Value::Object(_) => return Ok(Self(value)),
            Value::Array(_) => "a list",
            Value::String(_) => "a text",
            Value::Number(_) => "a number",
            Value::Bool(_) | Value::Null => "one word",
        };
        Err(AlertError::NotObject { found })
    }

    /// Tells the form of a body whose type nobody stated: a file's.
    pub fn guess_form(bytes: &[u8]) -> BodyForm {
        let is_json =
            bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first == b'{');
        let is_form = bytes.windows(b"payload=".len()).any(|part| part == b"payload=");
        if !is_json && is_form { BodyForm::Form } else { BodyForm::Json }
    }

    /// The object.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// What Standard Webhooks wraps: the `data` beside `type` and `timestamp`, where that is what this is.
    pub(super) fn unwrapped(&self) -> &Value {
        let is_wrapped =
            self.0.get("type").is_some_and(Value::is_string) && self.0.get("timestamp").is_some();
        match self.0.get("data") {
            Some(data @ Value::Object(_)) if is_wrapped => data,
            _ => &self.0,
        }
    }
}
