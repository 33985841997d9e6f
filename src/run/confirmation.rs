//! The part of a run that is a person's: what waits for them, how they say that it is done, and what rests on their word
//! alone from then on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::proof::OpenItem;
use super::state::{ActionState, Progress, Run};
use crate::domain::{ActionId, RunId, shell_word};
use crate::plan::{Action, Plan};

/// A person's word that an action is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Who says so.
    pub by: String,
    /// When they said it (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// What they say about it: show it inert.
    pub reason: String,
}

/// The command by which a person says that an action is done.
pub fn confirm_command(run: &RunId, action: &ActionId) -> String {
    format!("stanch runs confirm {run} {action} --reason TEXT")
}

/// Whether a required action of a run rests on a person's word.
pub fn rests_on_a_word(run: &Run, plan: &Plan) -> bool {
    let mut all = plan.actions.iter().zip(&run.actions);
    all.any(|(action, record)| action.required && record.state == ActionState::Confirmed)
}

/// What stays open, with the work of persons: what the run waits for first, what it does not wait for last.
pub(super) fn with_persons_work(
    run: &RunId,
    plan: &Plan,
    progress: &[Progress],
    open: &[OpenItem],
) -> Vec<OpenItem> {
    let own = |is_required: bool| {
        plan.actions
            .iter()
            .zip(progress)
            .filter(move |(action, _)| action.required == is_required)
            .filter_map(|(action, own)| item(run, plan, action, own))
    };
    own(true).chain(open.iter().cloned()).chain(own(false)).collect()
}

fn item(run: &RunId, plan: &Plan, action: &Action, own: &Progress) -> Option<OpenItem> {
    let cannot = action.cannot.as_ref()?;
    let upn = shell_word(plan.case.subject.upn.as_str());
    match own.state {
        ActionState::WaitingForPerson => {
            let confirm = confirm_command(run, &action.id);
            let lines: Vec<&str> = cannot.lines().chain([confirm.as_str()]).collect();
            let spare = if action.required { "" } else { plan.playbook.aim.spare() };
            Some(OpenItem {
                what: action.summary.clone(),
                why: format!("{}{spare}", own.told()),
                next: lines.join("\n"),
            })
        }
        ActionState::Confirmed if cannot.then_revoke => Some(OpenItem {
            what: action.summary.clone(),
            why: format!("{}; sessions that began before it may still be alive", own.told()),
            next: format!("revoke them once more: stanch run evict --user {upn}"),
        }),
        _ => None,
    }
}
