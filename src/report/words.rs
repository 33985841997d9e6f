//! The words that both forms share.

use crate::approval::{ConsentKind, Given};
use crate::domain::{inert, shell_path, shown};
use crate::plan::Plan;
use crate::playbook::Aim;
use crate::run::{ActionState, HandedOver, Run, Verdict, rests_on_a_word};

/// How a run ended, in a sentence: what a person has said is not told as read back.
pub(super) fn headline_of(run: &Run, plan: &Plan) -> &'static str {
    if run.verdict != Verdict::Contained || !rests_on_a_word(run, plan) {
        return headline(run.verdict, plan);
    }
    match plan.playbook.aim {
        _ if !plan.ends_sessions() => {
            "Done, as far as a person's word goes: what they confirmed was not read back."
        }
        Aim::Contain => {
            "Contained, as far as a person's word goes: what they confirmed was not read back, all else that is required was."
        }
        Aim::Close => {
            "Closed, as far as a person's word goes: what they confirmed was not read back, all else that is required was."
        }
    }
}

/// The verdict of a run in a sentence. One that ended no session contained nobody, whatever else it did; nor did one that
/// closed an account which nobody had broken into.
pub(super) fn headline(verdict: Verdict, plan: &Plan) -> &'static str {
    match (verdict, plan.playbook.aim) {
        (Verdict::Contained, _) if !plan.ends_sessions() => "Done: every required change was read back.",
        (Verdict::Contained, Aim::Close) => {
            "Closed: every required change was read back, and the proof holds."
        }
        (Verdict::Partial, Aim::Close) => "NOT closed in full: some of it is done, some is open.",
        (Verdict::NotContained, Aim::Close) => "NOT closed: none of the required changes took effect.",
        (verdict, _) => sentence(verdict),
    }
}

/// The verdict in a sentence.
pub(super) fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Contained => "Contained: every required change was read back, and the proof holds.",
        Verdict::ContainedUnverified => {
            "Accepted, not proved: Graph took every required change, and some do not show yet."
        }
        Verdict::Partial => "NOT contained in full: some of it is done, some is open.",
        Verdict::NotContained => "NOT contained: none of the required changes took effect.",
        Verdict::Unknown => "UNKNOWN: what a request did could not be found out.",
        Verdict::Refused => "Refused by a guard: nothing was sent.",
        Verdict::Stale => "The tenant has changed since the plan: nothing was sent.",
    }
}

/// One yes that the run rests on: how, whose, when, why.
pub(super) fn consent(kind: ConsentKind, given: &Given) -> String {
    let how = match kind {
        ConsentKind::Terminal => "yes at the terminal",
        ConsentKind::Flag => "--yes on the command line",
        ConsentKind::Signed => "signed approval",
        ConsentKind::Auto => "setting of the webhook",
    };
    let mut told = format!("{how} by {}, {}", given.by, shown(given.at));
    if let Some(key) = &given.key {
        told.push_str(&format!(", with {key}"));
    }
    if let Some(alert) = &given.alert {
        told.push_str(&format!(", for the alert {alert}"));
    }
    if let Some(reason) = &given.reason {
        told.push_str(&format!(": {reason}"));
    }
    told
}

/// The mark of a state, in four columns.
pub(super) fn mark(state: ActionState) -> &'static str {
    match state {
        ActionState::Verified => "done",
        ActionState::AlreadySo => "was ",
        ActionState::Confirmed => "said",
        ActionState::WaitingForPerson => "WAIT",
        ActionState::AcceptedUnverified | ActionState::Ambiguous => "??? ",
        ActionState::NotStarted | ActionState::Failed | ActionState::Refused | ActionState::Stale => "OPEN",
    }
}

/// A line of what is told.
#[derive(Debug)]
pub(super) enum Line {
    /// A sentence, that may be broken.
    Words(String),
    /// A command, that stays whole: a break in it would be copied too.
    Command(String),
}

/// Where a secret went, and how it is opened.
pub(super) fn handed_over(to: &HandedOver) -> Vec<Line> {
    match to {
        HandedOver::Shown => vec![Line::Words("shown once on the terminal, and kept nowhere".to_owned())],
        HandedOver::Lost { why } => vec![Line::Words(format!("LOST, nobody knows it: {}", inert(why)))],
        HandedOver::Sealed { file, recipients } => vec![
            Line::Words(format!(
                "sealed for {} in {}",
                recipients.iter().map(|own| short(own)).collect::<Vec<_>>().join(", "),
                inert(file)
            )),
            Line::Words("open it with:".to_owned()),
            Line::Command(format!("age -d -i YOUR_PRIVATE_KEY {}", shell_path(file))),
            Line::Words(
                "a file that is not there any more was marked `.superseded`: a later secret has replaced it"
                    .to_owned(),
            ),
        ],
    }
}

/// A public key as people tell keys apart: its kind and its end.
fn short(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let end: String = letters.iter().rev().take(8).rev().collect();
    match key.split_once(' ') {
        Some((kind, _)) => format!("{} …{}", inert(kind), inert(&end)),
        None => format!("age1…{}", inert(&end)),
    }
}
