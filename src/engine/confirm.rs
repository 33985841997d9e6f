//! A person's word that an action of theirs is done, written into the run's journal. Invariant: it has no way to the
//! tenant. What rests on a word is told as resting on it; `runs verify` looks at what Graph shows of it.

use crate::domain::{ActionId, IdError, RunId, Timestamp, nearest};
use crate::plan::Plan;
use crate::run::{ActionState, Entry, Run};
use crate::store::{Store, StoreError, load_run};

/// Longest reason, in characters: it stands in every report.
const LONGEST_REASON: usize = 1_000;

/// Why a confirmation was not written down.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The run has no such action.
    #[error("run `{run}` has no action `{action}`")]
    NoSuchAction {
        /// The run.
        run: RunId,
        /// What was asked for.
        action: String,
        /// The actions of the run that wait for a person.
        waiting: Vec<String>,
        /// The action that was probably meant.
        near: Option<String>,
    },
    /// The action is ours: it was read back, or it was not.
    #[error(
        "action `{action}` of run `{run}` is no person's work: nobody's word takes the place of reading back"
    )]
    NotAPersons {
        /// The run.
        run: RunId,
        /// The action.
        action: ActionId,
    },
    /// The run ended before it came to the action.
    #[error("run `{run}` ended before it came to action `{action}`")]
    NotReached {
        /// The run.
        run: RunId,
        /// The action.
        action: ActionId,
        /// The command for a new plan.
        again: String,
    },
    /// The account that is to be contained cannot speak for its own containment.
    #[error("`{by}` is the account that run `{run}` contains: whoever holds it would confirm anything")]
    Subject {
        /// Who confirms.
        by: String,
        /// The run.
        run: RunId,
    },
    /// Nothing is said about it.
    #[error("the reason is empty")]
    EmptyReason,
    /// More is said than a record holds.
    #[error("the reason has {letters} letters, more than {LONGEST_REASON}")]
    LongReason {
        /// How many.
        letters: usize,
    },
    /// The run is not there, is under way, or holds a confirmation already; or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConfirmError {
    /// Exit status (INTERFACE.md).
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Subject { .. } => 3,
            Self::Store(error) => error.exit_status(),
            _ => 2,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchAction { .. } => "no_such_action",
            Self::NotAPersons { .. } => "not_a_persons_action",
            Self::NotReached { .. } => "action_not_reached",
            Self::Subject { .. } => "subject_confirms",
            Self::EmptyReason => "empty_reason",
            Self::LongReason { .. } => "long_reason",
            Self::Store(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchAction { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::NoSuchAction { run, waiting, .. } => Some(match waiting.as_slice() {
                [] => format!("nothing of it waits for a person; `stanch runs show {run}` tells what it did"),
                waiting => format!("of it there wait for a person: `{}`", waiting.join("`, `")),
            }),
            Self::NotAPersons { run, .. } => {
                Some(format!("`stanch runs verify {run}` looks in the tenant whether it is so"))
            }
            Self::NotReached { again, .. } => Some(format!("make a new plan: {again}")),
            Self::Subject { .. } => Some(
                "have somebody else confirm it; `operator.user` in stanch.toml says who you are".to_owned(),
            ),
            Self::EmptyReason | Self::LongReason { .. } => Some(
                "say in a few words what was done, and where: `--reason 'forwarding was off, looked 14:20'`"
                    .to_owned(),
            ),
            Self::Store(error) => error.hint(),
        }
    }
}

/// What a person says.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// Of which action.
    pub action: &'a str,
    /// Who says it: the configured UPN, or the operating system's user.
    pub by: &'a str,
    /// What was done.
    pub reason: &'a str,
}

/// Writes a person's word down, and tells the run as it stands with it.
///
/// # Errors
/// When the run is not there or is under way, the action is none of it, no person's, or confirmed already, or nothing is
/// said about it.
pub async fn confirm(
    store: &dyn Store,
    run: &RunId,
    word: Word<'_>,
    now: Timestamp,
) -> Result<(Plan, Run), ConfirmError> {
    let (plan, told) = load_run(store, run).await?;
    let action = find(&plan, &told, word.action)?;
    let reason = word.reason.trim();
    let letters = reason.chars().count();
    if letters == 0 {
        return Err(ConfirmError::EmptyReason);
    }
    if letters > LONGEST_REASON {
        return Err(ConfirmError::LongReason { letters });
    }
    if word.by.eq_ignore_ascii_case(plan.case.subject.upn.as_str()) {
        return Err(ConfirmError::Subject { by: word.by.to_owned(), run: run.clone() });
    }
    let entry = Entry::Confirmed { action, by: word.by.to_owned(), reason: reason.to_owned() };
    store.append(run, entry, now).await?;
    Ok(load_run(store, run).await?)
}

/// The action that is meant, where it is one that a person may confirm.
fn find(plan: &Plan, run: &Run, text: &str) -> Result<ActionId, ConfirmError> {
    let parsed: Result<ActionId, IdError> = text.parse();
    let mut both = plan.actions.iter().zip(&run.actions);
    let found = parsed.ok().and_then(|id| both.find(|(action, _)| action.id == id));
    let Some((action, record)) = found else {
        let of_persons = plan.actions.iter().zip(&run.actions);
        let waiting: Vec<String> = of_persons
            .filter(|(_, record)| record.state == ActionState::WaitingForPerson)
            .map(|(action, _)| action.id.to_string())
            .collect();
        let near = nearest(text, waiting.iter().map(String::as_str)).map(str::to_owned);
        return Err(ConfirmError::NoSuchAction {
            run: run.run.clone(),
            action: text.to_owned(),
            waiting,
            near,
        });
    };
    let (own, action_id) = (run.run.clone(), action.id.clone());
    match record.state {
        // The store knows better whether the run has ended, and who was first.
        ActionState::WaitingForPerson | ActionState::Confirmed => Ok(action_id),
        _ if action.cannot.is_none() => Err(ConfirmError::NotAPersons { run: own, action: action_id }),
        _ if run.ended_at.is_none() => Err(StoreError::StillUnderWay { run: own }.into()),
        _ => {
            Err(ConfirmError::NotReached { run: own, action: action_id, again: plan.command_to_plan_again() })
        }
    }
}
