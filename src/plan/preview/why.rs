//! What ties the account to an intruder: the indicators, by kind, with what they rest on.

use super::super::Plan;
use super::document::{Block, Fact, Run, Tone, bullet, bullets, count, fact, line, moment, name, say};
use super::style::Detail;
use crate::case::{Confidence, Indicator, IndicatorKind};

/// How many different reasons are told for one kind of indicator before the rest is counted.
const MOST_REASONS: usize = 6;

/// Sets out the indicators and their reasons.
pub(super) fn why(plan: &Plan, detail: Detail) -> Vec<Block> {
    let since = plan.case.since.map_or_else(|| line("not known"), |at| line(&moment(at)));
    let mut facts = vec![fact("Since", since)];
    let mut blocks = Vec::new();
    let mut kinds: Vec<IndicatorKind> = Vec::new();
    for indicator in &plan.case.indicators {
        if !kinds.contains(&indicator.kind) {
            kinds.push(indicator.kind);
        }
    }
    kinds.sort_unstable();
    for kind in kinds {
        let all: Vec<&Indicator> =
            plan.case.indicators.iter().filter(|indicator| indicator.kind == kind).collect();
        facts.push(indicators(kind, &all));
        blocks.extend(match detail {
            Detail::Usual => reasons(kind, &all),
            Detail::Full => all.iter().map(|indicator| one_indicator(indicator)).collect(),
        });
    }
    if plan.case.indicators.is_empty() {
        facts.push(fact(
            "Indicators",
            line("none: nothing ties an address, an app or a session to an intruder"),
        ));
    }
    blocks.insert(0, Block::Facts(facts));
    blocks
}

fn kind_label(kind: IndicatorKind) -> &'static str {
    match kind {
        IndicatorKind::Address => "Addresses",
        IndicatorKind::Range => "Ranges",
        IndicatorKind::UserAgent => "User agents",
        IndicatorKind::Session => "Sessions",
        IndicatorKind::Device => "Devices",
        IndicatorKind::Method => "Methods",
    }
}

fn indicators(kind: IndicatorKind, all: &[&Indicator]) -> Fact {
    let spelt = |indicator: &Indicator| match kind {
        IndicatorKind::Address | IndicatorKind::Range => say(&indicator.value),
        _ => name(&indicator.value),
    };
    let lines = [Confidence::High, Confidence::Medium, Confidence::Low]
        .into_iter()
        .filter_map(|confidence| {
            let mut run: Run = Vec::new();
            for indicator in all.iter().filter(|indicator| indicator.confidence == confidence) {
                if !run.is_empty() {
                    run.push(say(", "));
                }
                run.push(spelt(indicator));
            }
            if run.is_empty() {
                return None;
            }
            if confidence != Confidence::High {
                run.insert(0, say(&format!("{}: ", sureness(confidence))).toned(Tone::Caution));
            }
            Some(run)
        })
        .collect();
    Fact { label: kind_label(kind), lines }
}

fn sureness(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "certain",
        Confidence::Medium => "likely",
        Confidence::Low => "possible",
    }
}

/// The reasons of one kind of indicator, each once, with how many it holds for.
fn reasons(kind: IndicatorKind, all: &[&Indicator]) -> Vec<Block> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for reason in all.iter().flat_map(|indicator| &indicator.reasons) {
        match counted.iter_mut().find(|(known, _)| known == reason) {
            Some((_, number)) => *number = number.saturating_add(1),
            None => counted.push((reason, 1)),
        }
    }
    let label = kind_label(kind);
    let mut blocks: Vec<Block> = counted
        .iter()
        .take(MOST_REASONS)
        .map(|(reason, number)| {
            let of = if all.len() == 1 { String::new() } else { format!(" ({number} of {})", all.len()) };
            bullet(line(&format!("{label}: {reason}{of}")), Vec::new())
        })
        .collect();
    let rest = counted.len().saturating_sub(MOST_REASONS);
    if rest > 0 {
        let more = count(rest, "more reason", "more reasons");
        blocks.push(bullet(line(&format!("{label}: {more}, shown with -v")), Vec::new()));
    }
    blocks
}

fn one_indicator(indicator: &Indicator) -> Block {
    let mut head = vec![name(&indicator.value), say(&format!(", {}", sureness(indicator.confidence)))];
    if let (Some(first), Some(last)) = (indicator.first_seen, indicator.last_seen) {
        head.push(say(&format!(", seen {} to {}", moment(first), moment(last))));
    }
    bullet(head, bullets(&indicator.reasons))
}
