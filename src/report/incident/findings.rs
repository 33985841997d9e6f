//! What is known of the intruder, put together from the plan and from what was read beside it. What a run has taken away
//! is gone from the tenant: methods, consents, devices and rules that it dealt with come from the plan.

use jiff::Timestamp;

use super::compose::IncidentInputs;
use super::controls::Control;
use super::evidence::{Access, EvidenceRead, fuller};
use crate::case::{
    Indicator, IndicatorKind, JudgedMethod, Look, MethodVerdict, OtherUser, Persistence, PersistenceKind,
};
use crate::domain::shown;
use crate::plan::{Action, Plan};
use crate::playbook::Aim;
use crate::report::investigation::{MAIL_SENT, OTHERS_THERE};
use crate::report::{AddressFound, Event, EventKind, InvestigationReport, Recipient, Who};
use crate::run::Progress;

/// Steps that act on what an intruder left, with the kind of it.
pub(super) const LEFT_BEHIND: [(&str, PersistenceKind); 6] = [
    ("disable_inbox_rules", PersistenceKind::InboxRule),
    ("revoke_app_consents", PersistenceKind::Consent),
    ("disable_service_principal", PersistenceKind::Consent),
    ("disable_devices", PersistenceKind::Device),
    ("strip_roles", PersistenceKind::Role),
    ("cancel_temporary_access_passes", PersistenceKind::TemporaryAccessPass),
];

/// Why nothing is known where nothing is kept.
const NOTHING_KEPT: &str = "no investigation is kept beside the plan";

/// What is known of the intruder.
#[derive(Clone, Debug)]
pub(super) struct Findings {
    pub has_intruder: bool,
    pub indicators: Vec<Indicator>,
    pub addresses: Vec<AddressFound>,
    /// The methods that are the intruder's.
    pub rogue_methods: Vec<JudgedMethod>,
    pub persistence: Vec<Persistence>,
    pub recipients: Look<Vec<Recipient>>,
    pub others: Look<Vec<OtherUser>>,
    pub access: Look<Access>,
    /// The policies before the run, as far as that is known.
    pub controls: Look<Vec<Control>>,
    pub events: Vec<Event>,
}

impl Findings {
    /// Puts it together.
    pub fn of(inputs: &IncidentInputs<'_>) -> Self {
        let plan = inputs.plan;
        let newest = inputs.afterwards.or(inputs.planning);
        let found = newest.map(|own| &own.found);
        let rogue_methods: Vec<JudgedMethod> = plan
            .case
            .methods
            .read()
            .into_iter()
            .flatten()
            .filter(|own| own.verdict == MethodVerdict::Attacker)
            .cloned()
            .collect();
        let persistence = persistence(plan, found);
        let indicators = indicators(plan, found);
        let is_theirs = |own: &Persistence| own.verdict == MethodVerdict::Attacker;
        Self {
            has_intruder: indicators.iter().any(|own| own.is_certain() && own.first_seen.is_some())
                || !rogue_methods.is_empty()
                || persistence.iter().any(is_theirs),
            addresses: found.map(|own| own.addresses.clone()).unwrap_or_default(),
            recipients: part(found, MAIL_SENT, |own| own.recipients.clone()),
            others: part(found, OTHERS_THERE, |own| own.others.clone()),
            access: access(inputs.planning, inputs.afterwards),
            controls: controls(inputs),
            events: events(inputs),
            indicators,
            rogue_methods,
            persistence,
        }
    }

    /// Why it is not known whether there was an intruder: nothing shows one, and the log was not read.
    pub fn not_known(&self) -> Option<&str> {
        match &self.access {
            Look::Unread { why } if !self.has_intruder => Some(why),
            _ => None,
        }
    }

    /// The intruder's first access.
    pub fn first_access(&self) -> Option<Timestamp> {
        if !self.has_intruder {
            return None;
        }
        let logged = self.access.read().and_then(|own| own.first.as_ref()).map(|own| own.at);
        let seen = self.indicators.iter().filter(|own| own.is_certain()).filter_map(|own| own.first_seen);
        logged.into_iter().chain(seen).min()
    }

    /// The certain indicators of a kind.
    pub fn certain(&self, kind: IndicatorKind) -> impl Iterator<Item = &Indicator> {
        self.indicators.iter().filter(move |own| own.kind == kind && own.is_certain())
    }

    /// What was left behind of a kind that is the intruder's.
    pub fn theirs(&self, kind: PersistenceKind) -> Vec<&Persistence> {
        let all = self.persistence.iter();
        all.filter(|own| own.kind == kind && own.verdict == MethodVerdict::Attacker).collect()
    }

    /// What there is of the intruder's that is later than a moment, one line each: an attempt that failed is none.
    pub fn signs_since(
        &self,
        since: Timestamp,
        plan: &Plan,
        afterwards: Option<&EvidenceRead>,
    ) -> Vec<String> {
        // What an older version has kept does not say which sign-in was the last that went through.
        let went_through = match self.access.read() {
            Some(Access { last: Some(last), .. }) => *last > since,
            _ => true,
        };
        let mut signs: Vec<String> = self
            .events
            .iter()
            .filter(|own| own.who == Who::Intruder && own.until.unwrap_or(own.at) > since)
            .filter(|own| own.kind != EventKind::SignIn || went_through)
            .map(|own| format!("{} {}", shown(own.until.unwrap_or(own.at)), own.what))
            .collect();
        let known = plan.case.methods.read();
        let is_known = |id: &str| known.is_none_or(|all| all.iter().any(|own| own.method.id.as_str() == id));
        let methods = afterwards.into_iter().flat_map(|own| &own.found.methods);
        signs.extend(
            methods
                .filter(|own| own.verdict == MethodVerdict::Attacker && !is_known(&own.id))
                .map(|own| format!("the {} \"{}\", which the plan did not know", own.kind, own.name)),
        );
        signs
    }

    /// The mails that were sent as the user, one to many counted once.
    pub fn mails(&self) -> usize {
        let mut sent: Vec<(Timestamp, &str)> = self
            .recipients
            .read()
            .into_iter()
            .flatten()
            .flat_map(|own| &own.mails)
            .map(|own| (own.at, own.subject.as_str()))
            .collect();
        sent.sort_unstable();
        sent.dedup();
        sent.len()
    }
}

/// A part of an investigation, unless that says that it was not read.
fn part<T>(
    found: Option<&InvestigationReport>,
    name: &str,
    take: impl FnOnce(&InvestigationReport) -> T,
) -> Look<T> {
    let Some(found) = found else { return Look::Unread { why: NOTHING_KEPT.to_owned() } };
    match found.unread.iter().find(|own| own.what == name) {
        Some(unread) => Look::Unread { why: unread.why.clone() },
        None => Look::Read(take(found)),
    }
}

/// What the log says, by the look that has more of it.
fn access(planning: Option<&EvidenceRead>, afterwards: Option<&EvidenceRead>) -> Look<Access> {
    match (planning, afterwards) {
        (Some(planning), Some(afterwards)) => fuller(&afterwards.access, &planning.access),
        (one, other) => one
            .or(other)
            .map_or_else(|| Look::Unread { why: NOTHING_KEPT.to_owned() }, |own| own.access.clone()),
    }
}

/// The policies as they were before the run: what was read before it, or what was read after it less what it made.
fn controls(inputs: &IncidentInputs<'_>) -> Look<Vec<Control>> {
    if let Some(read) = inputs.planning.filter(|own| own.controls.read().is_some()) {
        return read.controls.clone();
    }
    let Some(after) = inputs.afterwards else {
        return inputs
            .planning
            .map_or_else(|| Look::Unread { why: NOTHING_KEPT.to_owned() }, |own| own.controls.clone());
    };
    let is_ours = |control: &Control| {
        let made = inputs.progress.iter().any(|own| own.made_id.as_deref() == Some(control.id.as_str()));
        let changed = |own: &Progress| {
            let action = inputs.plan.actions.iter().find(|action| action.id == own.id);
            own.was_sent && action.is_some_and(|own| own.object.id.as_deref() == Some(control.id.as_str()))
        };
        made || inputs.progress.iter().any(changed)
    };
    after.controls.as_ref().map(|all| all.iter().filter(|own| !is_ours(own)).cloned().collect())
}

/// What ties to the intruder: the plan's, and what was found since.
fn indicators(plan: &Plan, found: Option<&InvestigationReport>) -> Vec<Indicator> {
    let mut all = plan.case.indicators.clone();
    let more = found.into_iter().flat_map(|own| &own.indicators);
    for own in more {
        if !all.iter().any(|known| (known.kind, &known.value) == (own.kind, &own.value)) {
            all.push(own.clone());
        }
    }
    all
}

/// What was left behind: what the plan acts on, and what was found beside it.
fn persistence(plan: &Plan, found: Option<&InvestigationReport>) -> Vec<Persistence> {
    let (apps, others): (Vec<&Action>, Vec<&Action>) =
        plan.actions.iter().partition(|own| own.step == "disable_service_principal");
    let of = |action: &&Action| acted_on(action, plan);
    let mut all: Vec<Persistence> = others.iter().filter_map(of).collect();
    all.dedup_by(|one, other| (one.kind, &one.id) == (other.kind, &other.id));
    for own in found.into_iter().flat_map(|own| &own.persistence) {
        match all.iter_mut().find(|known| known.kind == own.kind && known.id == own.id) {
            // What was read of it says more than the plan; whose it is, the plan knows from before the run.
            Some(known) => {
                known.does.clone_from(&own.does);
                known.at = own.at.or(known.at);
                if known.verdict == MethodVerdict::Unknown || own.verdict == MethodVerdict::Owner {
                    known.verdict = own.verdict;
                    known.reasons.clone_from(&own.reasons);
                }
            }
            None => all.push(own.clone()),
        }
    }
    // An app whose consent is known is not counted a second time.
    for app in apps.iter().filter_map(of) {
        if !all.iter().any(|own| (own.kind, &own.name) == (app.kind, &app.name)) {
            all.push(app);
        }
    }
    all
}

/// How a step words it that a person wanted something gone against the evidence.
const ASKED_FOR: &str = "asked for with --remove";

/// What an action is about. What a person is to do may be to look whose it is; what a person asked for, and what goes
/// because an account is closed, need not be an intruder's.
fn acted_on(action: &Action, plan: &Plan) -> Option<Persistence> {
    let is_judged =
        action.cannot.is_none() && plan.playbook.aim == Aim::Contain && !action.reason.starts_with(ASKED_FOR);
    let (_, kind) = LEFT_BEHIND.iter().find(|(step, _)| *step == action.step)?;
    Some(Persistence {
        kind: *kind,
        id: action.object.id.clone()?,
        name: action.object.name.clone(),
        verdict: if is_judged { MethodVerdict::Attacker } else { MethodVerdict::Unknown },
        does: action.summary.clone(),
        at: None,
        reasons: action.evidence.clone(),
    })
}

/// What happened, by every look. The logs tell the same twice; what has expired since the first look is in that alone.
fn events(inputs: &IncidentInputs<'_>) -> Vec<Event> {
    let of = |look: Option<&EvidenceRead>| look.map(|own| own.found.timeline.clone()).unwrap_or_default();
    let (mut all, earlier) = (of(inputs.afterwards), of(inputs.planning));
    let is_known = |event: &Event| {
        all.iter().any(|own| (own.at, own.kind, &own.address) == (event.at, event.kind, &event.address))
    };
    let gone: Vec<Event> = earlier.into_iter().filter(|event| !is_known(event)).collect();
    all.extend(gone);
    all.sort_by(|one, other| (one.at, one.who, &one.what).cmp(&(other.at, other.who, &other.what)));
    all
}
