//! A playbook with its inputs filled in: what planning starts from.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::catalog::StepCatalog;
use super::error::{BindError, BindErrors};
use super::model::{Aim, Approval, Playbook};
use super::reference;
use super::step;
use super::word;

/// A playbook in which nothing is open any more. Its serialized form is what a digest is taken over.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BoundPlaybook {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub summary: String,
    /// What plans and runs are told by; left out: to contain.
    #[serde(default, skip_serializing_if = "Aim::is_contain")]
    pub aim: Aim,
    /// The value of every input.
    pub inputs: BTreeMap<String, Value>,
    /// Its steps, in the order of the file.
    pub steps: Vec<BoundStep>,
}

/// One step with its options filled in and checked.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BoundStep {
    /// The step's name.
    pub step: String,
    /// What others call it by.
    pub id: String,
    /// Its options.
    pub with: Value,
    /// The ids it waits for.
    pub needs: Vec<String>,
    /// Whether its failure keeps the run from being contained.
    pub required: bool,
    /// Who has to say yes.
    pub approval: Approval,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl Playbook {
    /// Fills in the inputs: `settings` are the names and texts of `--set`, the rest takes its default.
    ///
    /// # Errors
    /// Every setting that fits no input, every input that has no value, and every option that a setting made wrong.
    pub fn bind(
        &self,
        settings: &[(String, String)],
        catalog: &StepCatalog,
    ) -> Result<BoundPlaybook, BindErrors> {
        let mut errors = Vec::new();
        let inputs = self.values(settings, &mut errors);
        if !errors.is_empty() {
            return Err(BindErrors(errors));
        }
        let mut steps = Vec::new();
        for call in &self.steps {
            let with = reference::substitute(&call.with, &|name| inputs.get(name));
            let faults = if let Some(info) = catalog.step(&call.step) {
                (info.check)(&with).err().unwrap_or_default()
            } else {
                errors.push(BindError::UnknownStep { step: call.step.clone() });
                Vec::new()
            };
            errors.extend(faults.into_iter().map(|fault| BindError::Option {
                id: call.id.clone(),
                option: step::shown(&fault.path),
                message: fault.message,
                nearest: fault.nearest,
            }));
            steps.push(BoundStep {
                step: call.step.clone(),
                id: call.id.clone(),
                with,
                needs: call.waits_for.clone(),
                required: call.required,
                approval: call.approval,
                summary: call.summary.clone(),
            });
        }
        if !errors.is_empty() {
            return Err(BindErrors(errors));
        }
        let (name, title, summary) = (self.name.clone(), self.title.clone(), self.summary.clone());
        Ok(BoundPlaybook { name, title, summary, aim: self.aim, inputs, steps })
    }

    fn values(&self, settings: &[(String, String)], errors: &mut Vec<BindError>) -> BTreeMap<String, Value> {
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        let mut named: Vec<&str> = Vec::new();
        for (name, text) in settings {
            let Some(input) = self.inputs.get(name) else {
                let known: Vec<String> = self.inputs.keys().cloned().collect();
                let nearest = word::nearest(name, known.iter().map(String::as_str));
                errors.push(BindError::UnknownInput { name: name.clone(), nearest, known });
                continue;
            };
            if named.contains(&name.as_str()) {
                errors.push(BindError::Repeated { name: name.clone() });
                continue;
            }
            named.push(name);
            match input.kind.read(text) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(why) => errors.push(BindError::Value { name: name.clone(), why }),
            }
        }
        for (name, input) in &self.inputs {
            if named.contains(&name.as_str()) {
                continue;
            }
            match &input.default {
                Some(default) => {
                    values.insert(name.clone(), default.clone());
                }
                None => errors.push(BindError::Missing { name: name.clone(), kind: input.kind }),
            }
        }
        values
    }
}
