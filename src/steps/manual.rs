//! `manual`: an instruction for a person, which the run waits for. It sends nothing and takes nothing by itself. The run
//! stays `partial` until somebody says that it is done (`stanch runs confirm RUN ACTION --reason TEXT`): that is their
//! word, and is told as such. `{upn}` and `{id}` stand for the user, in PowerShell within quotes of their own. With
//! `when` it is planned only where such a thing was found, or could not be looked for.
//!
//! ```yaml
//! - step: manual
//!   with:
//!     title: Ask the bank to stop the payments
//!     instruction:
//!       - "Call the bank about payments that {upn} has asked for since the compromise, by the number that you know."
//!     powershell:
//!       - "Get-MessageTraceV2 -SenderAddress {upn} -StartDate (Get-Date).AddDays(-10) -EndDate (Get-Date)"
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Step;
use super::by_hand::{ByHand, quoted};
use super::found_kind::{FoundKind, Sighting};
use super::persons_line::{Command, Instruction, Line};
use super::planned::{Draft, Planned, Scope, user_object};
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading};
use crate::plan::{Cannot, Undo};

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// What is to be done, in one line.
    pub title: Line,
    /// How, line by line.
    pub instruction: Instruction,
    /// Commands for it in PowerShell, one line each.
    #[serde(default)]
    pub powershell: Vec<Command>,
    /// Only where one of these was found; left out: always.
    #[serde(default)]
    pub when: Vec<FoundKind>,
}

impl Step for Manual {
    const NAME: &'static str = "manual";
    const SUMMARY: &'static str = "gives a person something to do, and waits for their word that it is done";
    const PERMISSIONS: &'static [&'static str] = &[];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = false;
    type Facts = Vec<Sighting>;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Vec<Sighting>, GraphError> {
        let mut sightings = Vec::new();
        for kind in &self.when {
            sightings.push(kind.look(case, graph).await);
        }
        Ok(sightings)
    }

    fn reads(&self) -> Vec<Reading> {
        self.when.iter().flat_map(|kind| kind.reads()).copied().collect()
    }

    fn plan(&self, case: &Case, sightings: &Vec<Sighting>, scope: &Scope<'_>) -> Planned {
        let evidence: Vec<String> = sightings.iter().filter_map(Sighting::told).collect();
        if evidence.is_empty() && !sightings.is_empty() {
            let kinds: Vec<&str> = self.when.iter().map(|kind| kind.words()).collect();
            return Planned::unchanged(format!("none was found of these: {}", kinds.join(", ")));
        }
        let subject = &case.subject;
        let (upn, id) = (subject.upn.as_str(), subject.id.as_str());
        let mut planned = Planned::default();
        let draft = Draft {
            key: "",
            summary: self.title.filled(upn, id),
            object: user_object(subject),
            before: Value::Null,
            after: Value::Null,
            undo: Undo::Impossible { why: "nothing is done from here".to_owned() },
            reason: String::new(),
            evidence,
            requests: Vec::new(),
        };
        let action = draft.into_action(Self::NAME, scope).map(|mut action| {
            action.cannot = Some(Cannot {
                why: "the playbook leaves it to a person".to_owned(),
                instead: self.instruction.filled(upn, id),
                commands: self.commands(&quoted(upn), &quoted(id)),
                then_revoke: false,
            });
            action
        });
        planned.push(action, scope);
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let title = self.title.filled(user, "$id");
        ByHand {
            portal: std::iter::once(title).chain(self.instruction.filled(user, "$id")).collect(),
            powershell: self.commands(&quoted(user), "$id"),
        }
    }
}

impl Manual {
    fn commands(&self, upn: &str, id: &str) -> Vec<String> {
        self.powershell.iter().map(|command| command.filled(upn, id)).collect()
    }
}
