//! The JSON Schema of a whole playbook, for editors: made from the catalog, so that it cannot know other steps than we.

use serde_json::{Map, Value, json};

use super::catalog::{StepCatalog, StepInfo};
use super::input::InputType;
use super::model::SCHEMA;

/// Gives the JSON Schema (draft 2020-12) of playbooks made of these steps.
pub fn json_schema(catalog: &StepCatalog) -> Value {
    let steps: Vec<Value> = catalog.steps().iter().map(step).collect();
    let word = json!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stanch playbook",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "name", "title", "summary", "steps"],
        "properties": {
            "schema": { "const": SCHEMA },
            "name": { "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$" },
            "title": { "type": "string", "minLength": 1 },
            "summary": { "type": "string", "minLength": 1 },
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
                    "default": {
                        "anyOf": [
                            { "type": ["string", "integer", "boolean"] },
                            { "type": "array", "items": { "type": "string" } },
                        ],
                    },
                },
            },
            "reference": {
                "description": "the value of an input",
                "type": "string",
                "pattern": "^\\$\\{[a-z][a-z0-9_-]{0,63}\\}$",
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
        },
    })
}

/// Lets `"${input}"` stand for the value of each option.
fn options(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let with_references: Map<String, Value> = std::mem::take(properties)
            .into_iter()
            .map(|(name, value)| (name, json!({ "anyOf": [value, { "$ref": "#/$defs/reference" }] })))
            .collect();
        *properties = with_references;
    }
    schema
}
