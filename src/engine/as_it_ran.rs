//! A run held against the order model by what was really done, and when. The plan's order is sound for what it set out to
//! do; less of it may have been done, or at another time. A way back in that the plan told of was approved with it: that
//! is residual risk, and no surprise.

use std::collections::BTreeMap;

use super::order::ordered_again;
use super::proof::mend_and_plan_again;
use crate::order::{self, OrderedStep, Part, Story};
use crate::plan::Plan;
use crate::playbook::Aim;
use crate::run::{ActionState, OpenItem, Progress, ProofFact, Span};

/// What is to be said of a way back in that is left and that the plan did not tell of; `None` where there is none.
pub(super) fn judge(plan: &Plan, progress: &[Progress]) -> Option<(ProofFact, OpenItem)> {
    let planned: Vec<OrderedStep> = plan.steps.iter().map(ordered_again).collect();
    let contains = planned.iter().any(|step| matches!(step.part, Part::Door | Part::Revocation));
    // Where nothing was done there is no order to speak of.
    if !contains || !progress.iter().any(|own| own.was_sent) {
        return None;
    }
    // What cannot be walked the plan says as well.
    let Ok(None) = order::way_in_if_required_succeed(&planned) else { return None };
    let is_reached = |state: ActionState| matches!(state, ActionState::Verified | ActionState::AlreadySo);
    let is_accepted = |state: ActionState| is_reached(state) || state == ActionState::AcceptedUnverified;
    let (holds, story) = match way_in(plan, progress, is_accepted) {
        Some(story) => (Some(false), story),
        None => (None, way_in(plan, progress, is_reached)?),
    };
    let why = match holds {
        Some(_) => format!("by what was done, and when: {story}"),
        None => format!("unless what Graph accepted takes effect: {story}"),
    };
    let fact = ProofFact {
        what: "what was done, in its order, leaves no way back in".to_owned(),
        holds,
        seen: why.clone(),
    };
    let open = OpenItem {
        what: match plan.playbook.aim {
            Aim::Contain => "the intruder has a way back in".to_owned(),
            Aim::Close => "a way back in is left to the former user, whom this calls the intruder".to_owned(),
        },
        why,
        next: mend_and_plan_again(plan),
    };
    Some((fact, open))
}

fn way_in(plan: &Plan, progress: &[Progress], is_done: impl Fn(ActionState) -> bool) -> Option<Story> {
    order::way_in_if_all_succeed(&as_done(plan, progress, is_done)).ok().flatten()
}

/// The steps by what they did: one of which not all is done takes nothing. Each waits for those that had ended when it
/// began; one that sent nothing stands where the playbook has it.
pub(super) fn as_done(
    plan: &Plan,
    progress: &[Progress],
    is_done: impl Fn(ActionState) -> bool,
) -> Vec<OrderedStep> {
    let of_step = |id: &str| -> Vec<&Progress> {
        let own = plan.actions.iter().filter(|action| action.step_id() == id);
        own.filter_map(|action| progress.iter().find(|own| own.id == action.id)).collect()
    };
    let spans: BTreeMap<&str, Span> = plan
        .steps
        .iter()
        .filter_map(|step| {
            let all = of_step(&step.id).into_iter().filter_map(|own| own.span);
            Some((step.id.as_str(), all.reduce(Span::and)?))
        })
        .collect();
    plan.steps
        .iter()
        .map(|step| {
            let own = of_step(&step.id);
            let mut ordered = ordered_again(step);
            if !own.iter().all(|own| is_done(own.state)) {
                ordered.takes.clear();
            }
            if !own.is_empty() && own.iter().all(|own| own.span.is_none()) {
                ordered.gives.clear();
            }
            if let Some(span) = spans.get(step.id.as_str()) {
                ordered.needs.retain(|need| !spans.contains_key(need.as_str()));
                let before = spans.iter().filter(|(_, other)| other.is_before(*span));
                ordered.needs.extend(before.map(|(id, _)| (*id).to_owned()));
            }
            ordered
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Hold;
    use crate::plan::PlannedStep;
    use crate::run::tests_support::{action, plan};
    use crate::run::{Proof, Verdict, begin, verdict_of};

    const STEPS: [(&str, &str, Hold); 4] = [
        ("protect", "protect_security_info", Hold::Registration),
        ("methods", "remove_auth_methods", Hold::Method),
        ("reset", "reset_password", Hold::Password),
        ("revoke", "revoke_sessions", Hold::Session),
    ];

    /// One after the other, in the order that leaves no way in while the account is open; some take nothing.
    fn book(without: &[&str]) -> Plan {
        let mut plan = plan(STEPS.map(|(id, ..)| action(id, true)).into());
        let mut before: Option<String> = None;
        for (id, kind, takes) in STEPS {
            plan.steps.push(PlannedStep {
                id: id.to_owned(),
                kind: kind.to_owned(),
                needs: before.replace(id.to_owned()).into_iter().collect(),
                required: true,
                takes: if without.contains(&id) { Vec::new() } else { vec![takes, Hold::Pass] },
                gives: Vec::new(),
                known: None,
            });
        }
        plan
    }

    /// Everything verified, in an order of places.
    fn done(plan: &Plan, places: [usize; 4]) -> Vec<Progress> {
        let mut progress = begin(plan);
        for (own, place) in progress.iter_mut().zip(places) {
            own.state = ActionState::Verified;
            own.was_sent = true;
            own.span = Some(Span { begun: 2 * place, ended: 2 * place + 1 });
        }
        progress
    }

    #[test]
    fn what_was_done_as_it_was_planned_leaves_no_way_in() {
        let plan = book(&[]);
        assert_eq!(judge(&plan, &done(&plan, [0, 1, 2, 3])), None);
    }

    #[test]
    fn a_revocation_that_came_before_the_doors_is_a_way_back_in_though_all_was_read_back() {
        let plan = book(&[]);
        let progress = done(&plan, [1, 2, 3, 0]);
        let (fact, open) = judge(&plan, &progress).unwrap();
        assert_eq!(fact.holds, Some(false));
        assert!(open.why.contains("nothing ends the session"), "{open:?}");
        let proof = Proof { facts: vec![fact], open: vec![open] };
        assert_eq!(verdict_of(&plan, &progress, &proof), Verdict::Partial);
    }

    #[test]
    fn what_failed_took_nothing_and_what_is_not_read_back_may_not_have() {
        let plan = book(&[]);
        let mut progress = done(&plan, [0, 1, 2, 3]);
        progress[3].state = ActionState::AcceptedUnverified;
        let (fact, open) = judge(&plan, &progress).unwrap();
        assert_eq!(fact.holds, None);
        assert!(open.why.starts_with("unless what Graph accepted takes effect"), "{open:?}");
        progress[0].state = ActionState::Failed;
        progress[3].state = ActionState::Failed;
        assert_eq!(judge(&plan, &progress).unwrap().0.holds, Some(false));
    }

    #[test]
    fn a_hole_that_the_plan_told_of_is_no_surprise() {
        let plan = book(&["protect"]);
        assert_eq!(judge(&plan, &done(&plan, [0, 1, 2, 3])), None);
    }
}
