//! What came, or was changed, since a plan was made, among the things that its steps went through. The lists alone are
//! read where nothing is new; only what is new is judged by the logs. What the run itself changed is its actions' matter:
//! a list may still show it as it was.

use jiff::Timestamp;

use super::case_again::case_again;
use super::traces::{self, Trace, TraceKind, Traces};
use crate::case::{Look, MethodVerdict};
use crate::domain::{UserId, shell_word, with_causes};
use crate::graph::{Reader, settled};
use crate::investigate::{consents, devices, inbox_rules, roles};
use crate::plan::{KnownThing, Plan};
use crate::run::{OpenItem, Progress, ProofFact};

/// Kinds of things that a plan keeps the list of.
const LISTED: [TraceKind; 4] = [TraceKind::Rule, TraceKind::Consent, TraceKind::Device, TraceKind::Role];

/// What a plan knows of a kind of thing.
struct Known<'p> {
    kind: TraceKind,
    required: bool,
    things: Vec<&'p KnownThing>,
}

impl<'p> Known<'p> {
    fn of(plan: &'p Plan, kind: TraceKind) -> Option<Self> {
        let steps = || plan.steps.iter().filter(|step| step.kind == kind.step());
        let lists: Vec<&Vec<KnownThing>> = steps().filter_map(|step| step.known.as_ref()).collect();
        (!lists.is_empty()).then(|| Self {
            kind,
            required: steps().any(|step| step.required),
            things: lists.into_iter().flatten().collect(),
        })
    }

    fn all(plan: &'p Plan) -> Vec<Self> {
        LISTED.into_iter().filter_map(|kind| Self::of(plan, kind)).collect()
    }

    fn is_new(&self, thing: &KnownThing, plan: &Plan, progress: &[Progress]) -> bool {
        let is_an_actions =
            plan.actions.iter().any(|action| action.object.id.as_deref() == Some(thing.id.as_str()));
        let is_ours = progress.iter().any(|own| own.made_id.as_deref() == Some(thing.id.as_str()));
        !self.things.contains(&thing) && !is_an_actions && !is_ours
    }
}

/// Whether a thing came, or was changed, since the plan.
pub(super) fn is_newcomer(trace: &Trace, kind: TraceKind, plan: &Plan, progress: &[Progress]) -> bool {
    let Some(known) = Known::of(plan, kind) else { return false };
    trace.is_live && trace.known.as_ref().is_some_and(|thing| known.is_new(thing, plan, progress))
}

/// Whether what came is a matter: all but the user's own. A thing that was not there a moment ago is not too old for the
/// log to tell of.
fn is_matter(verdict: MethodVerdict) -> bool {
    verdict != MethodVerdict::Owner
}

/// What is to be told of it, where everything was read and judged already.
pub(super) fn facts_of(plan: &Plan, progress: &[Progress], all: &[Traces]) -> Vec<ProofFact> {
    let mut facts = Vec::new();
    for known in Known::all(plan).into_iter().filter(|known| known.required) {
        let found = all.iter().find(|traces| traces.kind == known.kind).map(|traces| &traces.found);
        match found {
            Some(Look::Read(list)) => {
                let new: Vec<New<'_>> = list
                    .iter()
                    .filter(|trace| is_newcomer(trace, known.kind, plan, progress))
                    .map(|trace| New { id: &trace.id, trace: Some(trace) })
                    .collect();
                facts.push(fact(known.kind, &new));
            }
            Some(Look::Unread { why }) => facts.push(unread_fact(known.kind, why)),
            None => {}
        }
    }
    facts
}

/// Lists what the plan's steps went through once more, and tells what is new. What is not required is told as open, and
/// holds nothing back.
pub(super) async fn prove(
    reader: &Reader,
    plan: &Plan,
    progress: &[Progress],
    now: Timestamp,
) -> (Vec<ProofFact>, Vec<OpenItem>) {
    let all = Known::all(plan);
    // On the heap: everything is read side by side, deep within a run.
    let lists = Box::pin(list(reader, &plan.case.subject.id, &all)).await;
    let new_of = |known: &Known<'_>, look: &Look<Vec<KnownThing>>| -> Vec<String> {
        let list = look.read().map(Vec::as_slice).unwrap_or_default();
        let new = list.iter().filter(|thing| known.is_new(thing, plan, progress));
        new.map(|thing| thing.id.clone()).collect()
    };
    let came: Vec<Vec<String>> = all.iter().zip(&lists).map(|(known, look)| new_of(known, look)).collect();
    let judged =
        if came.iter().all(Vec::is_empty) { Vec::new() } else { Box::pin(judge(reader, plan, now)).await };
    let (mut facts, mut open) = (Vec::new(), Vec::new());
    for ((known, look), ids) in all.iter().zip(&lists).zip(&came) {
        if let Look::Unread { why } = look {
            open.push(unread_item(known.kind, plan, why));
            facts.extend(known.required.then(|| unread_fact(known.kind, why)));
            continue;
        }
        let traces = judged.iter().find(|own| own.kind == known.kind).and_then(|own| own.found.read());
        let find = |id: &str| traces.into_iter().flatten().find(|trace| trace.id == id);
        let new: Vec<New<'_>> = ids.iter().map(|id| New { id, trace: find(id) }).collect();
        open.extend(new.iter().filter(|own| own.is_matter()).map(|own| own.open_item(known.kind, plan)));
        facts.extend(known.required.then(|| fact(known.kind, &new)));
    }
    (facts, open)
}

/// The lists, side by side: what is live of each.
async fn list(reader: &Reader, user: &UserId, all: &[Known<'_>]) -> Vec<Look<Vec<KnownThing>>> {
    let wants = |kind: TraceKind| all.iter().any(|known| known.kind == kind);
    let rules = async {
        if !wants(TraceKind::Rule) {
            return Look::Read(Vec::new());
        }
        settled(reader.inbox_rules(user).await).map(|rules| {
            let rules = rules.unwrap_or_default();
            rules.iter().filter(|rule| rule.enabled).map(inbox_rules::known).collect()
        })
    };
    let grants = async {
        if !wants(TraceKind::Consent) {
            return Look::Read(Vec::new());
        }
        settled(reader.grants_by(user).await).map(|all| all.iter().map(consents::known).collect())
    };
    let owned = async {
        if !wants(TraceKind::Device) {
            return Look::Read(Vec::new());
        }
        settled(reader.devices_of(user).await)
            .map(|all| all.iter().filter(|own| own.enabled != Some(false)).map(devices::known).collect())
    };
    let held = async {
        if !wants(TraceKind::Role) {
            return Look::Read(Vec::new());
        }
        settled(reader.role_assignments_of(user).await).map(|all| all.iter().map(roles::known).collect())
    };
    let (rules, grants, owned, held) = tokio::join!(rules, grants, owned, held);
    all.iter()
        .map(|known| match known.kind {
            TraceKind::Rule => rules.clone(),
            TraceKind::Consent => grants.clone(),
            TraceKind::Device => owned.clone(),
            TraceKind::Role => held.clone(),
            TraceKind::Method => Look::Read(Vec::new()),
        })
        .collect()
}

async fn judge(reader: &Reader, plan: &Plan, now: Timestamp) -> Vec<Traces> {
    let reader = reader.remembering();
    match Box::pin(case_again(&reader, plan, now)).await {
        Ok(case) => Box::pin(traces::read(&reader, &case)).await,
        Err(error) => traces::unread(&with_causes(&error)),
    }
}

/// Something that came since, with what the finders say of it, where they were heard.
struct New<'a> {
    id: &'a str,
    trace: Option<&'a Trace>,
}

impl New<'_> {
    fn is_matter(&self) -> bool {
        self.trace.is_none_or(|trace| is_matter(trace.verdict))
    }

    fn name(&self, kind: TraceKind) -> String {
        self.trace.map_or_else(|| format!("{} {}", kind.one(), self.id), |trace| trace.name.clone())
    }

    fn open_item(&self, kind: TraceKind, plan: &Plan) -> OpenItem {
        let is_intruders = self.trace.is_some_and(|trace| trace.verdict == MethodVerdict::Attacker);
        let whose = match self.trace {
            None => "whose it is could not be read".to_owned(),
            Some(trace) if is_intruders => format!("it is the intruder's: {}", trace.reasons.join("; ")),
            Some(trace) => format!("nobody knows whose it is: {}", trace.reasons.join("; ")),
        };
        let next = if is_intruders {
            format!("make a new plan at once: {}", plan.command_to_plan_again())
        } else {
            let id = shell_word(self.id);
            format!(
                "ask the user whether it is theirs; then plan again, with `--keep {id}` or `--remove {id}`: {}",
                plan.command_to_plan_again()
            )
        };
        OpenItem {
            what: format!("{} ({})", self.name(kind), self.id),
            why: format!("it came, or was changed, after the plan was made; {whose}"),
            next,
        }
    }
}

fn what(kind: TraceKind) -> String {
    format!("no {} came since the plan", kind.one())
}

fn fact(kind: TraceKind, new: &[New<'_>]) -> ProofFact {
    let names = |is_wanted: fn(&&New<'_>) -> bool| -> Vec<String> {
        new.iter().filter(is_wanted).map(|own| own.name(kind)).collect()
    };
    let matter = names(|own| own.is_matter());
    let seen = if new.is_empty() {
        "every one that is there was known when the plan was made".to_owned()
    } else if matter.is_empty() {
        format!("what came is the user's own: {}", names(|_| true).join(", "))
    } else {
        format!("new or changed since the plan: {}", matter.join(", "))
    };
    ProofFact { what: what(kind), holds: Some(matter.is_empty()), seen }
}

fn unread_fact(kind: TraceKind, why: &str) -> ProofFact {
    ProofFact { what: what(kind), holds: None, seen: why.to_owned() }
}

fn unread_item(kind: TraceKind, plan: &Plan, why: &str) -> OpenItem {
    OpenItem {
        what: format!("whether {} came meanwhile", kind.many()),
        why: why.to_owned(),
        next: format!(
            "mend what keeps them from being read, then plan again: {}",
            plan.command_to_plan_again()
        ),
    }
}
