//! The steps there are, as the steps themselves tell it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options::{OptionFault, check_options};

/// What a playbook has to know about one step.
#[derive(Debug, Clone)]
pub struct StepInfo {
    /// The step's name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The JSON Schema of its options.
    pub schema: Value,
    /// Checks options that have no `${...}` left.
    pub check: fn(&Value) -> Result<(), Vec<OptionFault>>,
}

impl StepInfo {
    /// Describes the step whose options are a `T`.
    pub fn of<T: DeserializeOwned + JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        let mut settings = schemars::generate::SchemaSettings::draft2020_12();
        // A schema without references can stand inside the playbook's as it is.
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        Self { name, summary, schema, check: check_options::<T> }
    }
}

/// All steps that a playbook may name.
#[derive(Debug, Clone)]
pub struct StepCatalog {
    steps: Vec<StepInfo>,
}

impl StepCatalog {
    /// Makes a catalog of these steps.
    pub fn new(steps: Vec<StepInfo>) -> Self {
        Self { steps }
    }

    /// Finds a step by name.
    pub fn step(&self, name: &str) -> Option<&StepInfo> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Gives every step.
    pub fn steps(&self) -> &[StepInfo] {
        &self.steps
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.name)
    }
}
