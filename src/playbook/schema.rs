//! The JSON Schema of a whole playbook, for editors: made from the catalog, so that it cannot know other steps than we.

use serde_json::{Value, json};

use super::catalog::{StepCatalog, StepInfo};
use super::input::InputType;
use super::model::{Aim, SCHEMA};

/// Gives the JSON Schema (draft 2020-12) of playbooks made of these steps.
pub fn json_schema(catalog: &StepCatalog) -> Value {
    let steps: Vec<Value> = catalog.steps().iter().map(step).collect();
    let word = json!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$" });
    let defaults: Vec<Value> = InputType::WORDS.iter().filter_map(|word| default_of(word)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stanch playbook",
        "description": "What names mean is beyond a schema, and checked by `stanch playbook check`: that `needs` and `${...}` name what is there, that no steps wait for each other, that a text is an address, a range or an object id.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "name", "title", "summary", "steps"],
        "properties": {
            "schema": { "const": SCHEMA },
            "name": { "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$" },
            "title": { "type": "string", "pattern": "\\S" },
            "summary": { "type": "string", "pattern": "\\S" },
            "aim": {
                "description": "what plans and runs are told by: to contain an account that somebody broke into, or to close one",
                "enum": Aim::WORDS,
                "default": "contain",
            },
            "inputs": { "type": "object", "propertyNames": word, "additionalProperties": { "$ref": "#/$defs/input" } },
            "steps": { "type": "array", "minItems": 1, "items": { "oneOf": steps } },
        },
        "$defs": {
            "word": word,
            "input": {
                "type": "object",
                "additionalProperties": false,
                "required": ["type"],
                "properties": {
                    "type": { "enum": InputType::WORDS },
                    "default": true,
                },
                "allOf": defaults,
            },
            "reference": {
                "description": "a text with the value of an input in it; the text alone takes the value's own type",
                "type": "string",
                "pattern": "\\$\\{[^}]*\\}",
            },
        },
    })
}

fn step(info: &StepInfo) -> Value {
    let mut required = vec!["step"];
    // Options that have to be there make `with` one of the keys that have to be there.
    if info.schema.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty()) {
        required.push("with");
    }
    json!({
        "type": "object",
        "description": info.summary,
        "additionalProperties": false,
        "required": required,
        "properties": {
            "step": { "const": info.name },
            "id": { "$ref": "#/$defs/word" },
            "with": options(&info.schema),
            "needs": { "type": "array", "uniqueItems": true, "items": { "$ref": "#/$defs/word" } },
            "required": { "type": "boolean", "default": true },
            "approval": { "enum": ["always", "auto"], "default": "always" },
            "summary": { "description": "why it stands there", "type": "string", "pattern": "\\S" },
        },
    })
}

/// What the default of an input of a type has to be.
fn default_of(word: &str) -> Option<Value> {
    let value = match InputType::parse(word)? {
        InputType::String => json!({ "type": "string" }),
        InputType::Integer => json!({ "type": "integer" }),
        InputType::Boolean => json!({ "type": "boolean" }),
        InputType::List | InputType::IpList => json!({ "type": "array", "items": { "type": "string" } }),
    };
    Some(json!({
        "if": { "properties": { "type": { "const": word } }, "required": ["type"] },
        "then": { "properties": { "default": value } },
    }))
}

/// Lets a text with `${input}` stand for the value of each option, and for each value within it.
fn options(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(entries) = schema.as_object_mut() else { return schema };
    let or_reference = |value: &Value| json!({ "anyOf": [options(value), { "$ref": "#/$defs/reference" }] });
    if let Some(Value::Object(properties)) = entries.get_mut("properties") {
        for value in properties.values_mut() {
            *value = or_reference(value);
        }
    }
    if let Some(items) = entries.get_mut("items") {
        *items = or_reference(items);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(branches)) = entries.get_mut(key) {
            for branch in branches {
                *branch = options(branch);
            }
        }
    }
    schema
}
