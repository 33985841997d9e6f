//! What becomes of a thing that was found: by whose it is, by a person's word, and by what the playbook says of the
//! undecided. The same for every kind of thing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::planned::Scope;
use crate::case::MethodVerdict;
use crate::plan::LeftObject;

/// What becomes of a thing that the evidence gives to nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undecided {
    /// It is left, listed, and holds back `contained` where it may have come since the compromise.
    #[default]
    Ask,
    /// It is kept: the playbook decides so.
    Keep,
}

/// Which things of a kind a step acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those that the evidence gives to the intruder.
    #[default]
    Unrecognized,
    /// Every one, whosever it is: for an account that is closed.
    All,
}

/// A thing with whose it is.
pub(super) struct Found<'a> {
    /// Its id, as a person says it to keep or to remove it.
    pub id: &'a str,
    /// What it is, with its name: show it inert.
    pub named: String,
    /// Whose it is.
    pub verdict: MethodVerdict,
    /// Why.
    pub reasons: &'a [String],
}

/// What becomes of it.
pub(super) enum Decision {
    /// It is acted on.
    Act {
        /// Whether a person asked for it against the evidence.
        is_asked: bool,
    },
    /// It stays, and is told.
    Leave(LeftObject),
    /// It stays, and is no matter.
    Spare,
}

impl Found<'_> {
    /// Decides by which things the step acts on.
    pub fn decide_by(&self, which: Which, undecided: Undecided, scope: &Scope<'_>) -> Decision {
        match which {
            Which::All if !scope.keep.iter().any(|own| own.as_str() == self.id) => {
                Decision::Act { is_asked: false }
            }
            Which::All | Which::Unrecognized => self.decide(undecided, scope),
        }
    }

    /// Decides by whose it is.
    pub fn decide(&self, undecided: Undecided, scope: &Scope<'_>) -> Decision {
        let is_named = |ids: &[crate::domain::MethodId]| ids.iter().any(|own| own.as_str() == self.id);
        if is_named(scope.keep) {
            return Decision::Leave(self.kept("kept by --keep", scope));
        }
        if is_named(scope.remove) {
            return Decision::Act { is_asked: self.verdict != MethodVerdict::Attacker };
        }
        match self.verdict {
            MethodVerdict::Attacker => Decision::Act { is_asked: false },
            MethodVerdict::Owner | MethodVerdict::UnknownOld => Decision::Spare,
            MethodVerdict::Unknown => Decision::Leave(match undecided {
                Undecided::Ask => {
                    let next = format!("say `--keep {id}` or `--remove {id}`", id = self.id);
                    self.left(Some(next), true, scope)
                }
                Undecided::Keep => self.kept("kept, as the playbook says of the undecided", scope),
            }),
        }
    }

    /// It as something that was decided to stay.
    fn kept(&self, why: &str, scope: &Scope<'_>) -> LeftObject {
        LeftObject { decided: true, ..self.left(Some(why.to_owned()), false, scope) }
    }

    /// It as something that stays, with why.
    pub fn left(&self, why: Option<String>, holds_back: bool, scope: &Scope<'_>) -> LeftObject {
        let verdict = format!("{}: {}", self.verdict.label(), self.reasons.join("; "));
        LeftObject {
            step: scope.step_id.to_owned(),
            kind: None,
            object: self.named.clone(),
            why: std::iter::once(verdict).chain(why).collect(),
            holds_back: holds_back && scope.required,
            decided: false,
            next: None,
        }
    }

    /// Why it is acted on, in one line.
    pub fn reason(&self, is_asked: bool, usual: &str) -> String {
        if is_asked {
            format!("asked for with --remove; the evidence says {}", self.verdict.label())
        } else {
            usual.to_owned()
        }
    }
}

/// Things that could not be read at all.
pub(super) fn unread(what: &str, why: &str, look: &str, scope: &Scope<'_>) -> LeftObject {
    LeftObject {
        step: scope.step_id.to_owned(),
        kind: None,
        object: format!("every {what}"),
        why: vec![format!("they could not be read: {why}")],
        holds_back: scope.required,
        decided: false,
        next: Some(format!("mend what keeps them from being read, then plan again; until then {look}")),
    }
}

/// The key of the nth action of a step: the first has the step's own id.
pub(super) fn key_of(index: usize) -> String {
    if index == 0 { String::new() } else { index.saturating_add(1).to_string() }
}
