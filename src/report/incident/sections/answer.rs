//! The sections about the answer: what was changed by whose yes, the proof, what stays open, and the log of it all.

use crate::case::Look;
use crate::domain::shown;
use crate::playbook::Aim;
use crate::report::incident::document::{IncidentReport, MeasureState, WayState};
use crate::report::incident::page::{Block, Cell, Tone};
use crate::report::words::consent;
use crate::run::ActionState;

/// Who asked, who said yes, and what was changed.
pub(super) fn containment(report: &IncidentReport) -> Vec<Block> {
    let by = &report.requested_by;
    let made = report.times.planned_at.map_or_else(String::new, |at| format!(", planned {}", shown(at)));
    let mut who = vec![match &by.webhook {
        Some(name) => format!("asked for by the webhook {name}, by its alert{made}"),
        None => format!("asked for by {}{made}", by.name),
    }];
    who.extend(report.consent.given.iter().map(|given| consent(report.consent.kind, given)));
    who.push(match report.sources.ended_at {
        Some(at) => {
            let ended_as = report.sources.ended_as.unwrap_or(report.verdict);
            let since = if ended_as == report.verdict {
                String::new()
            } else {
                format!("; by what a person has confirmed since it is {}", report.verdict)
            };
            format!("the run ended {} (our clock) as {ended_as}{since}", shown(at))
        }
        None => "the run has NOT ended: it is still under way, or was cut off".to_owned(),
    });
    let rows = report.actions.iter().map(|own| {
        let tone = match own.state {
            ActionState::Verified | ActionState::AlreadySo => Tone::Good,
            ActionState::Confirmed => Tone::Plain,
            _ => Tone::Bad,
        };
        let detail = if own.told == "read back" || own.told == own.state.words() { "" } else { &own.told };
        let must = if own.required { "required" } else { "not required" };
        let undo = if own.reversible { "" } else { ", cannot be undone" };
        [
            Cell::of(own.summary.clone()),
            Cell::of(own.state.words()).toned(tone),
            Cell::of(own.at.map(shown).unwrap_or_default()),
            Cell::of(format!("{must}{undo}")),
            Cell::lines(
                std::iter::once(own.reason.clone()).chain((!detail.is_empty()).then(|| detail.to_owned())),
            ),
        ]
    });
    let head = ["Change", "State", "When (UTC)", "Kind", "Why, and what came of it"];
    let table = Block::table("The changes", head, rows.collect());
    vec![Block::List(who), table]
}

/// What was read back, and the ways in before and after.
pub(super) fn proof(report: &IncidentReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if report.proof.is_empty() {
        let why = if report.sources.ended_at.is_none() {
            "Nothing was proved: the run has not ended."
        } else {
            "This run asserts nothing about the account as a whole; each change was read back by itself."
        };
        blocks.push(Block::Text(why.to_owned()));
    } else {
        let rows = report.proof.iter().map(|fact| {
            let (holds, tone) = match fact.holds {
                Some(true) => ("holds", Tone::Good),
                Some(false) => ("DOES NOT HOLD", Tone::Bad),
                None => ("could not be read", Tone::Bad),
            };
            [Cell::of(fact.what.clone()), Cell::of(holds).toned(tone), Cell::of(fact.seen.clone())]
        });
        blocks.push(Block::table(
            "Read back after the last change",
            ["Checked", "State", "Seen"],
            rows.collect(),
        ));
    }
    match &report.ways_in {
        Look::Unread { why } => blocks.push(Block::Text(format!("The ways in were not reckoned: {why}."))),
        Look::Read(None) => {
            blocks.push(Block::Text(
                "The playbook takes nothing from an intruder: no way in is shut by it.".to_owned(),
            ));
        }
        Look::Read(Some(own)) => {
            let rows = own.ways.iter().map(|way| {
                let tone = match way.state {
                    WayState::Shut | WayState::NothingFound => Tone::Good,
                    WayState::Open | WayState::OnceEnabled => Tone::Bad,
                    WayState::Left | WayState::Expires | WayState::NotLookedAt => Tone::Plain,
                };
                [
                    Cell::of(way.hold.label()),
                    Cell::of(way.before.clone()),
                    Cell::of(way.after.clone()).toned(tone),
                ]
            });
            let head = ["The intruder's", "Before the run", "After it"];
            let caption =
                "The ways in, before and after: by what each step takes, the intruder at their best";
            blocks.push(Block::table(caption, head, rows.collect()));
            if !own.story.is_empty() {
                blocks.push(Block::Text("How the intruder still gets in:".to_owned()));
                blocks.push(Block::List(own.story.clone()));
            }
        }
    }
    if !report.attempts.is_empty() {
        let rows = report.attempts.iter().map(|own| {
            let cell = |text: &str| {
                let tone = if text.starts_with("OPEN") { Tone::Bad } else { Tone::Plain };
                Cell::of(text).toned(tone)
            };
            [Cell::of(own.way.clone()), cell(&own.before), cell(&own.after), cell(&own.after_enabled)]
        });
        let head = ["Way", "Before", "After", "After, were sign-in enabled again"];
        blocks.push(Block::table("The attacker's ways in, really tried", head, rows.collect()));
    }
    blocks
}

/// What stays open.
pub(super) fn open(report: &IncidentReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !report.signs_since.is_empty() {
        let rows = report.signs_since.iter().map(|own| [Cell::of(own.clone()).toned(Tone::Bad)]);
        let caption = "The intruder's, later than the containment";
        blocks.push(Block::table(caption, ["What"], rows.collect()));
    }
    match report.times.tokens_until {
        Some(at) => blocks.push(Block::Text(format!(
            "Access tokens that were issued before the last revocation may live until {}: nothing takes them back, and they \
             are what may still be used until then.",
            shown(at)
        ))),
        None if report.sources.ends_sessions => blocks.push(Block::Text(
            "No revocation was accepted: sessions and their tokens live on, with no end in sight.".to_owned(),
        )),
        None => {}
    }
    if report.open.is_empty() {
        blocks.push(Block::Text("The run left nothing open that it set out to do.".to_owned()));
    } else {
        let rows = report.open.iter().map(|own| {
            let next = Cell::lines(own.next.lines().map(str::to_owned));
            [Cell::of(own.what.clone()).toned(Tone::Bad), Cell::of(own.why.clone()), next]
        });
        blocks.push(Block::table("Open, until somebody does it", ["What", "Why", "Next"], rows.collect()));
    }
    if !report.left.is_empty() {
        let rows = report
            .left
            .iter()
            .map(|own| [Cell::of(own.object.clone()), Cell::lines(own.why.iter().cloned())]);
        blocks.push(Block::table("Found and left alone", ["What", "Why"], rows.collect()));
    }
    if !report.residual_risk.is_empty() {
        blocks.push(Block::Text("What stays open even when all goes well:".to_owned()));
        blocks.push(Block::List(report.residual_risk.clone()));
    }
    if report.sources.ends_sessions {
        blocks.push(Block::Text(format!(
            "Whether {} is told by `stanch runs verify {}`.",
            match report.sources.aim {
                Aim::Contain => "the intruder counts as evicted",
                Aim::Close => "the account is still shut",
            },
            report.sources.run
        )));
    }
    blocks
}

/// The corrective measures.
pub(super) fn measures(report: &IncidentReport) -> Vec<Block> {
    let rows = report.measures.iter().map(|own| {
        let tone = match own.state {
            MeasureState::Done | MeasureState::AlreadySo => Tone::Good,
            MeasureState::Proposed | MeasureState::Unread => Tone::Plain,
        };
        [
            Cell::of(own.what.clone()),
            Cell::of(own.state.label()).toned(tone),
            Cell::lines(own.facts.iter().cloned()),
        ]
    });
    vec![Block::table("Against the next one", ["Measure", "State", "What is known of it"], rows.collect())]
}

/// The run's journal.
pub(super) fn change_log(report: &IncidentReport) -> Vec<Block> {
    let rows = report.change_log.iter().map(|own| {
        let text = |own: Option<String>| Cell::of(own.unwrap_or_default());
        [
            Cell::of(own.seq.to_string()),
            Cell::of(own.at.to_string()),
            text(own.action.as_ref().map(ToString::to_string)),
            text(own.request.clone()),
            text(own.request_id.clone()),
            Cell::of(own.outcome.clone()),
            Cell::of(own.hash.to_string()),
        ]
    });
    let head = ["No.", "Written (our clock)", "Action", "Request", "Request id", "What", "Chain hash"];
    vec![
        Block::Text(format!(
            "The run's journal, whose chain was checked: each hash is over its line and the hash before it, the first over \
             the run's id. The plan's digest is {}.",
            report.sources.digest
        )),
        Block::table("Every line of the journal", head, rows.collect()),
    ]
}
