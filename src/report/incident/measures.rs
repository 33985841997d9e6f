//! Corrective measures, each with how far it is: done by this run, so already, proposed, or unread.

use serde_json::Value;

use super::compose::IncidentInputs;
use super::controls::{Control, ControlKind};
use super::document::{Measure, MeasureState};
use super::evidence::Stopped;
use super::findings::Findings;
use crate::case::Look;
use crate::plan::{Action, Plan};
use crate::policy::PolicyState;
use crate::run::{ActionState, Progress};

/// Every measure.
pub(super) fn measures(inputs: &IncidentInputs<'_>, findings: &Findings) -> Vec<Measure> {
    let by_policy = |what: &str, step: &'static str, kind, effect: Option<String>| {
        Rollout { inputs, findings, step, kind }.measure(what, effect)
    };
    let stopped = |pick: fn(&super::evidence::Access) -> Stopped| {
        findings.access.read().map(|access| {
            let own = pick(access);
            format!(
                "over the whole log that was read it would have stopped {} of {} sign-ins of the intruder's and {} of {} of \
                 the user's own",
                own.intruders, access.sign_ins, own.own, access.own_sign_ins
            )
        })
    };
    vec![
        by_policy(
            "access from a compliant or hybrid-joined device alone",
            "require_compliant_device",
            ControlKind::CompliantDevice,
            stopped(|access| access.device_policy),
        ),
        by_policy(
            "token protection: a token works only on the device that it was issued to",
            "require_token_protection",
            ControlKind::TokenProtection,
            stopped(|access| access.token_policy).map(|told| {
                format!(
                    "{told}: it holds native clients on Windows at Exchange, SharePoint and Teams alone, and no browser or \
                     program elsewhere"
                )
            }),
        ),
        by_policy(
            "security info is registered from a compliant device or a trusted place alone",
            "protect_security_info",
            ControlKind::SecurityInfo,
            None,
        ),
        blocklist(inputs, findings),
        alerting(inputs.plan),
    ]
}

/// A measure that is a policy.
struct Rollout<'a> {
    inputs: &'a IncidentInputs<'a>,
    findings: &'a Findings,
    step: &'static str,
    kind: ControlKind,
}

impl Rollout<'_> {
    fn measure(&self, what: &str, effect: Option<String>) -> Measure {
        let (state, mut facts) = self.state();
        let planned = self.actions().flat_map(|(action, _)| &action.evidence);
        facts.extend(planned.cloned());
        facts.extend(effect);
        Measure { what: what.to_owned(), state, facts }
    }

    fn actions(&self) -> impl Iterator<Item = (&Action, &Progress)> {
        let all = self.inputs.plan.actions.iter().zip(self.inputs.progress);
        all.filter(|(action, _)| action.step == self.step && is_policy(action))
    }

    fn state(&self) -> (MeasureState, Vec<String>) {
        // Of a rehearsal and the enforcing that follows it, the last one that was read back counts.
        if let Some((action, own)) = self.actions().filter(|(_, own)| is_reached(own.state)).last() {
            let state = if own.state == ActionState::AlreadySo {
                MeasureState::AlreadySo
            } else {
                MeasureState::Done
            };
            return (state, vec![rolled_out(action)]);
        }
        if let Some((action, own)) = self.actions().next() {
            let fact = format!("{}: {}, not read back; {}", action.summary, own.state.words(), own.told());
            return (MeasureState::Proposed, vec![fact]);
        }
        if let Some(standing) = standing(&self.findings.controls, self.kind, |_| true) {
            return standing;
        }
        let plan = self.inputs.plan;
        let refused = plan.guards.refused.iter().find(|own| own.step.as_deref() == Some(self.step));
        let proposed = match refused {
            Some(own) => format!("the guard `{}` refused it: {}; {}", own.guard, own.why, own.next),
            None => format!("by the step `{}`", self.step),
        };
        let said = plan.unchanged.iter().find(|own| own.is_of(self.step)).map(|own| own.why.clone());
        match (&self.findings.controls, said) {
            // The step found it in place: it reads the policies itself.
            (Look::Unread { why }, None) => (MeasureState::Unread, vec![why.clone(), proposed]),
            (Look::Unread { .. }, Some(said)) => (MeasureState::Unread, vec![said]),
            (Look::Read(_), said) => (MeasureState::Proposed, said.into_iter().chain([proposed]).collect()),
        }
    }
}

fn is_policy(action: &Action) -> bool {
    action.object.kind == "policy"
}

fn is_reached(state: ActionState) -> bool {
    matches!(state, ActionState::Verified | ActionState::AlreadySo)
}

/// What a policy of ours does by now.
fn rolled_out(action: &Action) -> String {
    let state = action.after.get("state").and_then(Value::as_str).map(PolicyState::from_graph);
    let does = match state {
        Some(PolicyState::Enabled) => "enforced",
        Some(PolicyState::ReportOnly) => "REPORT-ONLY: it is logged what it would do, and stops nobody yet",
        Some(PolicyState::Disabled) => "disabled: it does nothing yet",
        Some(PolicyState::Unknown(_)) | None => "in place",
    };
    format!("`{}` is {does}", action.object.name)
}

/// What the tenant's own policies had of it before the run.
fn standing(
    controls: &Look<Vec<Control>>,
    kind: ControlKind,
    counts: impl Fn(&Control) -> bool,
) -> Option<(MeasureState, Vec<String>)> {
    let of_kind = || controls.read().into_iter().flatten().filter(|own| own.kind == kind && counts(own));
    if let Some(own) = of_kind().find(|own| own.is_enforced()) {
        let apps = if own.all_apps || kind == ControlKind::SecurityInfo { "" } else { ", not for every app" };
        return Some((MeasureState::AlreadySo, vec![format!("`{}` is enforced{apps}", own.policy)]));
    }
    if let Some(own) = of_kind().find(|own| own.is_rehearsed()) {
        let fact =
            format!("`{}` is report-only: enforce it once what it would stop is looked at", own.policy);
        return Some((MeasureState::Proposed, vec![fact]));
    }
    let elsewhere: Vec<String> = of_kind()
        .map(|own| {
            format!(
                "`{}` is there ({}), and not, or not for certain, enforced for this user",
                own.policy, own.state
            )
        })
        .collect();
    (!elsewhere.is_empty()).then_some((MeasureState::Proposed, elsewhere))
}

/// What `block_ips` says where nothing is left for it to do.
const BLOCKED_ALREADY: &str = "holds every address already, and an enabled policy blocks it";

/// The list of the intruder's addresses, and whether anything enforces it.
fn blocklist(inputs: &IncidentInputs<'_>, findings: &Findings) -> Measure {
    const STEP: &str = "block_ips";
    let plan = inputs.plan;
    let all = || plan.actions.iter().zip(inputs.progress).filter(|(action, _)| action.step == STEP);
    let mut facts = Vec::new();
    // Of a rehearsal and the enforcing that follows it, the last one counts.
    let last_policy = all().rfind(|(action, own)| is_policy(action) && is_reached(own.state));
    for (action, own) in all() {
        if !is_policy(action) || !is_reached(own.state) {
            facts.push(format!("{}: {}", action.summary, own.state.words()));
        } else if last_policy.is_some_and(|(last, _)| last.id == action.id) {
            facts.push(rolled_out(action));
        }
        let held = action.after.get("contains").and_then(Value::as_array);
        let ranges: Vec<&str> = held.into_iter().flatten().filter_map(Value::as_str).collect();
        if !ranges.is_empty() {
            facts.push(format!("in the list now: {}", ranges.join(", ")));
        }
    }
    let is_enforced = all().any(|(action, own)| {
        let state = action.after.get("state").and_then(Value::as_str);
        is_policy(action) && is_reached(own.state) && state == Some(PolicyState::Enabled.as_graph())
    });
    // A policy that blocks another list enforces nothing of this one.
    let list = all().find(|(action, _)| action.object.kind == "named location");
    let list = list.and_then(|(action, _)| action.object.id.as_deref());
    let was_enforced = list
        .and_then(|id| standing(&findings.controls, ControlKind::BlockedPlaces, |own| own.may_block(id)))
        .filter(|(state, _)| *state == MeasureState::AlreadySo);
    let said = plan.unchanged.iter().find(|own| own.is_of(STEP)).map(|own| own.why.clone());
    for refusal in plan.guards.refused.iter().filter(|own| own.step.as_deref() == Some(STEP)) {
        facts.push(format!("`{}` is not blocked: {}", refusal.object, refusal.why));
    }
    let is_whole = all().all(|(_, own)| is_reached(own.state));
    let state = if is_enforced && is_whole {
        MeasureState::Done
    } else if let Some((state, said)) = was_enforced {
        facts.extend(said);
        if is_whole { MeasureState::Done } else { state }
    } else if let Some(said) = said.as_ref().filter(|own| own.ends_with(BLOCKED_ALREADY)) {
        facts.push(said.clone());
        MeasureState::AlreadySo
    } else {
        let not =
            if all().next().is_some() { "it is NOT enforced: the list by itself blocks nobody" } else { "" };
        facts.extend(said.into_iter().chain((!not.is_empty()).then(|| not.to_owned())));
        if findings.controls.read().is_none() && all().next().is_none() {
            MeasureState::Unread
        } else {
            MeasureState::Proposed
        }
    };
    Measure {
        what: "the intruder's addresses in a blocklist that an enabled policy enforces".to_owned(),
        state,
        facts,
    }
}

/// Whether an alert may start the containment.
fn alerting(plan: &Plan) -> Measure {
    let (state, fact) = match &plan.requested_by.webhook {
        Some(name) => (MeasureState::AlreadySo, format!("this plan was made from an alert, by the webhook `{name}`")),
        None => (
            MeasureState::Proposed,
            "send the alert on suspicious sign-ins to a webhook of `stanch serve`: it makes the plan, and waits for a person"
                .to_owned(),
        ),
    };
    Measure { what: "an alert starts the containment".to_owned(), state, facts: vec![fact] }
}
