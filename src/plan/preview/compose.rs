//! From a plan to the document that an approver decides on: the decision first, then what it rests on.

use super::super::{GuardRefusal, Plan, PlanSession};
use super::actions;
use super::document::{Block, Document, Run, Section, Tone, bullet, bullets, count, line, moment, name, say};
use super::estimate::estimate;
use super::style::Detail;
use super::who::who;
use super::why::why;
use crate::playbook::Aim;

/// Sets out a plan.
pub(super) fn compose(plan: &Plan, detail: Detail) -> Document {
    let sections = [
        Section::new("Who", Tone::Strong, vec![Block::Facts(who(&plan.case.subject))]),
        Section::new("Why", Tone::Strong, why(plan, detail)),
        Section::new("What will change", Tone::Strong, actions::entries(plan, detail)),
        Section::new("Left alone", Tone::Strong, left(plan)),
        Section::new("Nothing to do", Tone::Strong, unchanged(plan)),
        Section::new("Refused by a guard", Tone::Caution, refused(plan)),
        Section::new("Guards set aside", Tone::Danger, overridden(plan)),
        Section::new("Warnings", Tone::Caution, bullets(&each_once(&plan.warnings))),
        Section::new("What stays open", Tone::Caution, bullets(&plan.residual_risk)),
        Section::new("How long", Tone::Strong, how_long(plan)),
        Section::new("Permissions", Tone::Strong, permissions(plan)),
        Section::new("Who asked", Tone::Strong, who_asked(plan)),
    ];
    Document {
        title: line(&title(plan)),
        identity: identity(plan),
        summary: summary(plan),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// A plan that ends no session contains nobody, whatever else it does.
fn title(plan: &Plan) -> String {
    let aim = match plan.playbook.aim {
        _ if !plan.ends_sessions() => "for",
        Aim::Contain => "to contain",
        Aim::Close => "to close the account of",
    };
    format!("Plan {aim} {} (playbook {})", plan.case.subject.upn, plan.playbook.name)
}

/// The texts without those that stand there already: several steps may warn of the same.
fn each_once(texts: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(text) {
            once.push(text.clone());
        }
    }
    once
}

/// Whether a guard refuses the subject itself, so that nothing of the plan can be applied.
pub(super) fn is_subject_refused(plan: &Plan) -> bool {
    plan.guards.refused.iter().any(|refusal| refusal.step.is_none())
}

/// Whether there is anything to carry out, if only to wait for a person.
pub(super) fn can_be_applied(plan: &Plan) -> bool {
    !plan.actions.is_empty()
}

fn identity(plan: &Plan) -> Vec<Run> {
    vec![
        vec![
            say("Tenant "),
            name(&plan.tenant.name),
            say(&format!(" {}", plan.tenant.id)).toned(Tone::Faint),
        ],
        line(&format!("Plan {}, digest {}", plan.id, plan.digest.short())),
        line(&format!("Made {}, expires {}", moment(plan.created_at), moment(plan.expires_at))),
    ]
}

fn summary(plan: &Plan) -> Run {
    let mut run: Run = Vec::new();
    if is_subject_refused(plan) {
        run.push(say("A guard refuses this account itself: the plan cannot be applied.").toned(Tone::Danger));
        run.push(say(" "));
    }
    let sent: Vec<_> = plan.actions.iter().filter(|action| action.is_change()).collect();
    let by_hand = |is_required: bool| {
        let all = plan.actions.iter().filter(|action| action.cannot.is_some());
        all.filter(|action| action.required == is_required).count()
    };
    let (waited_for, besides) = (by_hand(true), by_hand(false));
    let watching = plan.actions.iter().filter(|action| action.watch.is_some()).count();
    if sent.is_empty() {
        run.push(say("Nothing will be changed. ").toned(Tone::Strong));
    } else {
        let requests: usize = sent.iter().map(|action| action.requests.len()).sum();
        run.push(
            say(&format!(
                "{} in {}, {}.",
                count(sent.len(), "change", "changes"),
                count(requests, "request", "requests"),
                format_args!("about {}", estimate(plan)),
            ))
            .toned(Tone::Strong),
        );
        run.push(say(" "));
        match sent.iter().filter(|action| actions::is_final(action)).count() {
            0 => run.push(say("Every change can be undone. ")),
            number => {
                run.push(say(&format!("{number} cannot be undone.")).toned(Tone::Caution));
                run.push(say(" "));
            }
        }
    }
    if watching > 0 {
        run.push(say(&format!("{}. ", count(watching, "action only watches", "actions only watch"))));
    }
    if waited_for > 0 {
        let (one, many) = (
            "more thing cannot be done from here and waits for a person",
            "more things cannot be done from here and wait for a person",
        );
        run.push(say(&count(waited_for, one, many)).toned(Tone::Danger));
        let reached = plan.playbook.aim.reached();
        run.push(say(&format!(": until then the account does not count as {reached}. ")));
    }
    if besides > 0 {
        let (one, many) = ("thing is left to a person", "things are left to a person");
        run.push(say(&format!("{}, and not required. ", count(besides, one, many))));
    }
    run.push(match plan.guards.refused.len() {
        0 => say("No guard refused anything. "),
        number => {
            let (one, many) = ("thing was refused by a guard. ", "things were refused by a guard. ");
            say(&count(number, one, many)).toned(Tone::Danger)
        }
    });
    if !plan.guards.overridden.is_empty() {
        let (one, many) = ("guard was set aside. ", "guards were set aside. ");
        run.push(say(&count(plan.guards.overridden.len(), one, many)).toned(Tone::Danger));
    }
    let holding = plan.left.iter().filter(|left| left.holds_back).count();
    if holding > 0 {
        let (one, many) = ("object that is left keeps", "objects that are left keep");
        run.push(
            say(&format!(
                "{} the account from counting as {}. ",
                count(holding, one, many),
                plan.playbook.aim.reached()
            ))
            .toned(Tone::Caution),
        );
    }
    run.push(say("So far nothing has been changed."));
    run
}

fn left(plan: &Plan) -> Vec<Block> {
    plan.left
        .iter()
        .map(|left| {
            let mut body = bullets(&left.why);
            if left.holds_back {
                let told =
                    format!("While it stands the account does not count as {}.", plan.playbook.aim.reached());
                body.push(Block::Paragraph(vec![say(&told).toned(Tone::Caution)]));
            }
            bullet(
                vec![name(&left.object), say(&format!(", found by {}", left.step)).toned(Tone::Faint)],
                body,
            )
        })
        .collect()
}

fn unchanged(plan: &Plan) -> Vec<Block> {
    plan.unchanged
        .iter()
        .map(|step| bullet(line(&format!("{}: {}", step.step, step.why)), Vec::new()))
        .collect()
}

fn refused(plan: &Plan) -> Vec<Block> {
    plan.guards.refused.iter().map(refusal).collect()
}

fn refusal(refusal: &GuardRefusal) -> Block {
    let wanted = refusal
        .step
        .as_ref()
        .map_or_else(|| ", the account itself".to_owned(), |step| format!(", wanted by {step}"));
    bullet(
        vec![name(&refusal.object), say(&format!(" refused by {}{wanted}", refusal.guard))],
        vec![
            Block::Paragraph(line(&format!("Why: {}", refusal.why))),
            Block::Paragraph(line(&format!("Next: {}", refusal.next))),
        ],
    )
}

fn overridden(plan: &Plan) -> Vec<Block> {
    plan.guards
        .overridden
        .iter()
        .map(|set_aside| {
            bullet(
                vec![say(&format!("{} for ", set_aside.guard)), name(&set_aside.object)],
                vec![Block::Paragraph(line(&format!("It would refuse: {}", set_aside.why)))],
            )
        })
        .collect()
}

fn how_long(plan: &Plan) -> Vec<Block> {
    if plan.actions.iter().all(|action| action.cannot.is_some()) {
        return Vec::new();
    }
    let estimate = estimate(plan);
    let mut blocks = vec![Block::Paragraph(line(&format!(
        "About {estimate}. Longer when Graph throttles or fails; each request is written down before it leaves."
    )))];
    blocks.extend(bullets(&estimate.reasons));
    blocks
}

fn permissions(plan: &Plan) -> Vec<Block> {
    if plan.permissions.is_empty() {
        return Vec::new();
    }
    let whose = match plan.session {
        PlanSession::App => "",
        PlanSession::Person => {
            "For a person's session (`--as-me`), with the roles that the person holds. Delegated: "
        }
    };
    vec![Block::Paragraph(line(&format!("{whose}{}", plan.permissions.join(", "))))]
}

fn who_asked(plan: &Plan) -> Vec<Block> {
    let asked = &plan.requested_by;
    let known = if asked.webhook.is_some() {
        ", a webhook"
    } else if asked.resolved {
        ", known to the tenant"
    } else {
        ", whom the tenant does not know"
    };
    vec![
        Block::Paragraph(vec![name(&asked.name), say(known)]),
        Block::Paragraph(line(&format!(
            "Made with stanch {}. Whole digest:",
            plan.engine.strip_prefix("stanch/").unwrap_or(&plan.engine)
        ))),
        Block::Paragraph(line(&plan.digest.to_string())),
    ]
}
