//! The ways in, before the run and after it: what the case says was held, and what the order model makes of the steps as
//! they went.

use jiff::Timestamp;

use super::compose::IncidentInputs;
use super::document::{WayIn, WayState, WaysIn};
use super::findings::{Findings, LEFT_BEHIND};
use crate::case::{Hold, IndicatorKind, JudgedMethod, Look, MethodKind, MethodVerdict, PersistenceKind};
use crate::domain::shown;
use crate::order::{End, OrderedStep, TooWide, outlook};
use crate::plan::{LeftObject, Plan};

/// What is looked at, in the order of the table.
const HOLDS: [Hold; 9] = [
    Hold::Session,
    Hold::AccessToken,
    Hold::Password,
    Hold::Method,
    Hold::Pass,
    Hold::Consent,
    Hold::Device,
    Hold::Rule,
    Hold::Role,
];

/// Reckons the ways in. `Read(None)` for a playbook that takes nothing from an intruder.
pub(super) fn ways_in(
    inputs: &IncidentInputs<'_>,
    findings: &Findings,
    tokens_until: Option<Timestamp>,
) -> Look<Option<WaysIn>> {
    if inputs.steps.is_empty() && !inputs.plan.actions.is_empty() {
        let why = "the plan is of a version that kept no order of its steps".to_owned();
        return Look::Unread { why };
    }
    let reckoned = match outlook(inputs.steps) {
        Ok(Some(reckoned)) => reckoned,
        Ok(None) => return Look::Read(None),
        Err(TooWide) => {
            let why = "the steps may run in more orders than are walked".to_owned();
            return Look::Unread { why };
        }
    };
    let ways = HOLDS.into_iter().map(|hold| {
        let held = held(hold, inputs.plan, findings);
        let end = reckoned.rows.iter().find(|row| row.hold == hold).map_or(End::Left, |row| row.end);
        let (state, after) = match (&held, end) {
            (_, End::Expires) => (WayState::Expires, expires(tokens_until)),
            (Held::NotRead(_), End::Gone | End::GoneIfAll | End::Left) => {
                (WayState::NotLookedAt, "not known: it was not read".to_owned())
            }
            (Held::Undecided(_), End::Gone | End::GoneIfAll | End::Left) => {
                (WayState::Left, "LEFT: not all of it was taken".to_owned())
            }
            (Held::Unread(_), End::Left) => {
                (WayState::NotLookedAt, "not looked at by this playbook".to_owned())
            }
            (Held::Nothing, End::Gone | End::GoneIfAll | End::Left | End::OnceEnabled) => {
                (WayState::NothingFound, "none was there when the plan was made".to_owned())
            }
            (_, End::Gone | End::GoneIfAll) => (WayState::Shut, shut_by(hold, inputs.steps)),
            (_, End::WayIn) => (WayState::Open, "OPEN: the intruder gets in by it".to_owned()),
            (_, End::OnceEnabled) => (
                WayState::OnceEnabled,
                "OPEN AGAIN once sign-in is enabled: not all of it was taken".to_owned(),
            ),
            (_, End::Left) => {
                (WayState::Left, "LEFT: not all of it was taken; it signs nobody in by itself".to_owned())
            }
        };
        WayIn { hold, before: held.words(), state, after }
    });
    let story = reckoned.way_in.map(|story| story.lines).unwrap_or_default();
    Look::Read(Some(WaysIn { ways: ways.collect(), story }))
}

fn expires(until: Option<Timestamp>) -> String {
    match until {
        Some(at) => format!("ends by itself, at the latest {}", shown(at)),
        None => "ends by itself, some 90 minutes after it was issued".to_owned(),
    }
}

fn shut_by(hold: Hold, steps: &[OrderedStep]) -> String {
    let by: Vec<String> =
        steps.iter().filter(|step| step.takes.contains(&hold)).map(|step| format!("`{}`", step.id)).collect();
    if by.is_empty() { "shut".to_owned() } else { format!("shut by {}", by.join(", ")) }
}

/// What was held before the run.
enum Held {
    /// This.
    Found(String),
    /// Nothing shows it, and it has to be taken for held.
    Assumed(&'static str),
    /// It was looked for, and there was none of the intruder's.
    Nothing,
    /// It was not looked for.
    Unread(String),
    /// It was looked for, and could not be read.
    NotRead(String),
    /// Something was left of which it was not decided whose it is, or that was decided to stay.
    Undecided(String),
}

impl Held {
    fn words(&self) -> String {
        match self {
            Self::Found(what) => what.clone(),
            Self::Assumed(what) => (*what).to_owned(),
            Self::Nothing => "none of an intruder's was found".to_owned(),
            Self::Unread(why) | Self::NotRead(why) => format!("not read: {why}"),
            Self::Undecided(what) => format!("undecided: {what}"),
        }
    }
}

fn held(hold: Hold, plan: &Plan, findings: &Findings) -> Held {
    match hold {
        Hold::Session => {
            let sessions: Vec<&str> =
                findings.certain(IndicatorKind::Session).map(|own| own.value.as_str()).collect();
            match sessions.as_slice() {
                [] => Held::Assumed("taken for held: nothing shows that no session was stolen"),
                [only] => Held::Found(format!("held: session {only}")),
                many => Held::Found(format!("held: {} sessions, listed among the indicators", many.len())),
            }
        }
        Hold::AccessToken => Held::Assumed("taken for held: whoever holds a session has them"),
        Hold::Password => Held::Assumed("taken for held: nothing shows that it is not known"),
        Hold::Method => methods(plan, findings, |kind| *kind != MethodKind::TemporaryAccessPass),
        Hold::Pass => {
            let registered = methods(plan, findings, |kind| *kind == MethodKind::TemporaryAccessPass);
            match left(PersistenceKind::TemporaryAccessPass, plan, findings) {
                found @ (Held::Found(_) | Held::NotRead(_) | Held::Undecided(_)) => found,
                _ => registered,
            }
        }
        Hold::Consent => left(PersistenceKind::Consent, plan, findings),
        Hold::Device => left(PersistenceKind::Device, plan, findings),
        Hold::Rule => left(PersistenceKind::InboxRule, plan, findings),
        Hold::Role => left(PersistenceKind::Role, plan, findings),
        Hold::Account | Hold::Admission | Hold::Registration | Hold::Network | Hold::AnyDevice => {
            Held::Nothing
        }
    }
}

fn methods(plan: &Plan, findings: &Findings, is_meant: impl Fn(&MethodKind) -> bool) -> Held {
    if let Look::Unread { why } = &plan.case.methods {
        return Held::NotRead(why.clone());
    }
    let names: Vec<String> = findings
        .rogue_methods
        .iter()
        .filter(|own| is_meant(&own.method.kind))
        .map(|own| format!("{} \"{}\"", own.method.kind.label(), own.method.name))
        .collect();
    if !names.is_empty() {
        return Held::Found(format!("held: {}", names.join(", ")));
    }
    let is_acted_on = |id: &str| {
        plan.actions.iter().any(|own| own.object.id.as_deref() == Some(id) && own.cannot.is_none())
    };
    let (taken, stay): (Vec<&JudgedMethod>, Vec<&JudgedMethod>) = plan
        .case
        .methods
        .read()
        .into_iter()
        .flatten()
        .filter(|own| own.verdict == MethodVerdict::Unknown && is_meant(&own.method.kind))
        .partition(|own| is_acted_on(own.method.id.as_str()));
    let told = |all: &[&JudgedMethod]| {
        let names = all.iter().map(|own| format!("{} \"{}\"", own.method.kind.label(), own.method.name));
        names.collect::<Vec<_>>().join(", ")
    };
    match (stay.as_slice(), taken.as_slice()) {
        ([], []) => Held::Nothing,
        ([], taken) => Held::Found(format!("not known whose: {}", told(taken))),
        (stay, _) => Held::Undecided(told(stay)),
    }
}

/// Whether it stands for what could not be read at all.
fn is_unread(left: &LeftObject) -> bool {
    left.why.first().is_some_and(|why| why.starts_with("they could not be read"))
}

fn left(kind: PersistenceKind, plan: &Plan, findings: &Findings) -> Held {
    let names: Vec<String> = findings.theirs(kind).iter().map(|own| format!("\"{}\"", own.name)).collect();
    let held = format!("held: {}", names.join(", "));
    let is_step = |step: &str| LEFT_BEHIND.iter().any(|(name, own)| *name == step && *own == kind);
    let mut stays = plan.left.iter().filter(|own| is_step(own.kind.as_ref().unwrap_or(&own.step))).peekable();
    if !names.is_empty() && stays.peek().is_none() {
        return Held::Found(held);
    }
    if let Some(unread) = stays.clone().find(|own| is_unread(own)) {
        return Held::NotRead(format!("{}: {}", unread.object, unread.why.join("; ")));
    }
    if stays.peek().is_some() {
        let undecided = stays.map(|own| own.object.as_str()).collect::<Vec<_>>().join(", ");
        return Held::Undecided(if names.is_empty() { undecided } else { format!("{undecided}; {held}") });
    }
    let was_planned = plan.actions.iter().any(|own| is_step(&own.step))
        || plan.unchanged.iter().any(|own| is_step(own.kind.as_ref().unwrap_or(&own.step)));
    if was_planned || findings.persistence.iter().any(|own| own.kind == kind) {
        Held::Nothing
    } else {
        Held::Unread("the plan did not look for it".to_owned())
    }
}
