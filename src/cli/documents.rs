//! The JSON documents that commands print, each with its schema, which is made from the type that is printed.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::approve::WrittenApproval;
use super::by_hand::PlaybookByHand;
use super::completions::Completions;
#[cfg(feature = "demo")]
use super::demo::DemoDocument;
use super::doctor::Examination;
use super::failure::ErrorDocument;
use super::manual::Pages;
use super::playbook::{CheckedPlaybook, PlaybookList};
use super::runs::RunList;
use super::serve::ServeDocument;
use super::setup::SetupDocument;
use crate::plan::{Plan, PlanDifference};
use crate::playbook::{Playbook, json_schema};
use crate::report::{IncidentReport, InvestigationReport};
use crate::run::{Run, Verification};
use crate::steps;

/// A document that commands print with `--format json`.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name: the schema lies in `docs/schema/NAME.json`.
    pub name: &'static str,
    /// The commands that print it; none: every command that fails.
    pub commands: &'static [&'static str],
    /// Its JSON Schema.
    pub schema: Value,
}

/// Every document there is.
pub fn documents() -> Vec<Document> {
    let of = |name, commands, schema| Document { name, commands, schema };
    vec![
        of("error", &[], schema_of::<ErrorDocument<'static>>()),
        of("plan", &["plan", "show"], schema_of::<Plan>()),
        of(
            "plan-or-run",
            &["run"],
            either(
                ("PlanOrRun", "With `--dry-run` the plan, else the run."),
                schema_of::<Plan>(),
                schema_of::<Run>(),
            ),
        ),
        of("investigation", &["investigate"], schema_of::<InvestigationReport>()),
        of("plan-difference", &["diff"], schema_of::<PlanDifference>()),
        of("approval", &["approve"], schema_of::<WrittenApproval>()),
        of("run", &["apply", "runs show", "runs confirm"], schema_of::<Run>()),
        of("run-list", &["runs list"], schema_of::<RunList>()),
        of("verification", &["runs verify"], schema_of::<Verification>()),
        of("incident-report", &["runs report"], schema_of::<IncidentReport>()),
        of("playbook-list", &["playbook list"], schema_of::<PlaybookList>()),
        of(
            "playbook-shown",
            &["playbook show"],
            either(
                ("PlaybookOrByHand", "With `--by-hand` the steps for a person, else the playbook."),
                schema_of::<Playbook>(),
                schema_of::<PlaybookByHand>(),
            ),
        ),
        of("playbook-checked", &["playbook check"], schema_of::<CheckedPlaybook>()),
        of("setup", &["setup"], schema_of::<SetupDocument>()),
        of("examination", &["doctor"], schema_of::<Examination>()),
        of("served", &["serve"], schema_of::<ServeDocument>()),
        of("completions", &["completions"], schema_of::<Completions>()),
        of("man-pages", &["man"], schema_of::<Pages>()),
        #[cfg(feature = "demo")]
        of("demo", &["demo"], schema_of::<DemoDocument>()),
        // What this command prints is a schema itself: that of the files that people write.
        of("playbook", &[], json_schema(&steps::catalog())),
    ]
}

fn schema_of<T: JsonSchema>() -> Value {
    // What is printed, not what would be read: a field with a default is always there.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of what is one or the other, under a title and a description.
fn either((title, description): (&str, &str), mut one: Value, mut other: Value) -> Value {
    let mut defs = serde_json::Map::new();
    for schema in [&mut one, &mut other] {
        if let Some(entries) = schema.as_object_mut() {
            entries.remove("$schema");
            if let Some(Value::Object(own)) = entries.remove("$defs") {
                defs.extend(own);
            }
        }
    }
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "anyOf": [one, other],
        "$defs": defs,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    /// Commands that print no document of their own, and why.
    const WITHOUT: [(&str, &str); 1] = [("playbook schema", "it prints the schema of playbooks")];

    fn leaves(command: &clap::Command, before: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            let name = format!("{before} {}", below.get_name()).trim().to_owned();
            if below.has_subcommands() {
                leaves(below, &name, found);
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_command_has_its_document_and_no_document_has_a_command_that_is_not_there() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "", &mut commands);
        commands.retain(|name| !WITHOUT.iter().any(|(without, _)| without == name));
        let mut told: Vec<String> =
            documents().iter().flat_map(|document| document.commands).map(|&name| name.to_owned()).collect();
        commands.sort();
        told.sort();
        assert_eq!(told, commands);
    }
}
