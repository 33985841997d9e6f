//! What was found, as indicators: each address, session and program once, with when and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::past::{Past, Standing};
use super::sign_ins::{Finding, IntruderSignIns};
use super::signals;
use crate::case::{Confidence, Indicator, IndicatorKind, SignIn};
use crate::domain::glob::fits;
use crate::domain::{CidrBlock, inert};

/// From here on what is not certain is likely.
const LIKELY: u8 = 5;
/// So many addresses that are not certain are spoken of; the others are among the indicators.
const MOST_NOTES: usize = 5;

/// Sightings of one thing.
#[derive(Default)]
struct Seen {
    span: Option<(Timestamp, Timestamp)>,
    count: usize,
    place: String,
    reasons: BTreeSet<String>,
    most: u8,
}

impl Seen {
    fn add(&mut self, finding: &Finding<'_, '_>) {
        let (first, last) = (finding.strand.first, finding.strand.last);
        self.span = Some(self.span.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        self.count += finding.strand.rows.len();
        self.most = self.most.max(signals::total(&finding.signals));
        if self.place.is_empty() {
            finding.strand.place.clone_into(&mut self.place);
        }
        self.reasons.extend(finding.signals.iter().map(|signal| signal.reason.clone()));
    }

    fn indicator(
        self,
        kind: IndicatorKind,
        value: String,
        confidence: Confidence,
        reasons: Vec<String>,
    ) -> Indicator {
        Indicator {
            kind,
            value,
            first_seen: self.span.map(|(first, _)| first),
            last_seen: self.span.map(|(_, last)| last),
            confidence,
            reasons,
        }
    }

    fn address(self, block: CidrBlock, confidence: Confidence) -> Indicator {
        let mut reasons = vec![format!(
            "{} sign-in{} of the user from {}",
            self.count,
            if self.count == 1 { "" } else { "s" },
            if self.place.is_empty() { "an unknown place" } else { &self.place }
        )];
        reasons.extend(self.reasons.iter().map(|reason| format!("the sign-in {reason}")));
        self.indicator(IndicatorKind::Address, block.network().to_string(), confidence, reasons)
    }
}

/// Sets out what was found.
pub(super) fn describe(
    rows: &[SignIn],
    findings: &[Finding<'_, '_>],
    past: &Past<'_>,
    globs: &[String],
) -> IntruderSignIns {
    let mut found = IntruderSignIns::default();
    let mut certain: BTreeMap<CidrBlock, Seen> = BTreeMap::new();
    let mut doubtful: BTreeMap<CidrBlock, Seen> = BTreeMap::new();
    let mut sessions: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut programs: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut masked: BTreeSet<&str> = BTreeSet::new();
    let mut shared: BTreeSet<&str> = BTreeSet::new();
    let mut places: Vec<usize> = Vec::new();
    for finding in findings {
        let strand = finding.strand;
        if finding.is_suspicious() {
            if let Some(address) = strand.address {
                doubtful.entry(CidrBlock::single(address)).or_default().add(finding);
            }
            continue;
        }
        if !finding.is_certain {
            continue;
        }
        places.extend(&strand.rows);
        found.first = Some(found.first.map_or(strand.first, |first| first.min(strand.first)));
        match strand.address {
            Some(address) if past.is_own_address(address) => {
                shared.insert(strand.ip);
            }
            Some(address) => certain.entry(CidrBlock::single(address)).or_default().add(finding),
            None if !strand.ip.is_empty() => {
                masked.insert(strand.ip);
            }
            None => {}
        }
        if let Some(session) = strand.session {
            sessions.entry(session).or_default().add(finding);
        }
        if strand.program.is_some() && !globs.iter().any(|glob| fits(glob, strand.agent)) {
            programs.entry(strand.agent).or_default().add(finding);
        }
    }
    places.sort_unstable();
    found.rows = places.iter().filter_map(|place| rows.get(*place)).map(|row| row.id.clone()).collect();
    doubtful.retain(|block, _| !certain.contains_key(block));
    found.notes.extend(
        masked
            .iter()
            .map(|text| format!("the log masks the address `{}`: it cannot be blocked", inert(text))),
    );
    found.notes.extend(shared.iter().map(|ip| {
        format!("the intruder was at {ip}, where the user's own compliant device is, too: the address is not counted as the intruder's")
    }));
    found.notes.extend(shared_sessions(findings, &sessions, past));
    found.notes.extend(doubts(&doubtful));
    found.indicators.extend(certain.into_iter().map(|(block, seen)| seen.address(block, Confidence::High)));
    found.indicators.extend(doubtful.into_iter().map(|(block, seen)| {
        let confidence = if seen.most >= LIKELY { Confidence::Medium } else { Confidence::Low };
        seen.address(block, confidence)
    }));
    found.indicators.extend(sessions.into_iter().map(|(session, seen)| {
        let reasons = vec!["the intruder's sign-ins are in it".to_owned()];
        seen.indicator(IndicatorKind::Session, session.to_owned(), Confidence::High, reasons)
    }));
    found.indicators.extend(programs.into_iter().map(|(agent, seen)| {
        let reasons = vec!["a program with this name signed in for the intruder".to_owned()];
        seen.indicator(IndicatorKind::UserAgent, agent.to_owned(), Confidence::High, reasons)
    }));
    for glob in globs {
        let mut seen = Seen::default();
        for finding in findings.iter().filter(|own| own.is_certain && fits(glob, own.strand.agent)) {
            seen.add(finding);
        }
        let reasons = vec!["it was given".to_owned()];
        found.indicators.push(seen.indicator(
            IndicatorKind::UserAgent,
            glob.clone(),
            Confidence::High,
            reasons,
        ));
    }
    found
}

/// Says which of the intruder's sessions the user is in, too.
fn shared_sessions(
    findings: &[Finding<'_, '_>],
    sessions: &BTreeMap<&str, Seen>,
    past: &Past<'_>,
) -> Vec<String> {
    let mut with: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in findings.iter().filter(|own| !own.is_certain) {
        let Some(session) = finding.strand.session.filter(|session| sessions.contains_key(session)) else {
            continue;
        };
        if finding.strand.is_own_device {
            with.insert(session, "a compliant device of the user's");
        } else if past.standing(finding.strand) != Standing::New {
            with.entry(session).or_insert("the user, from where they are known");
        }
    }
    with.into_iter()
        .map(|(session, whom)| {
            format!(
                "the session {} is also used by {whom}, so other sign-ins in it are not counted as the intruder's",
                inert(session)
            )
        })
        .collect()
}

/// Says what is not certain, and how a person says that it is.
fn doubts(doubtful: &BTreeMap<CidrBlock, Seen>) -> Vec<String> {
    let mut order: Vec<(&CidrBlock, &Seen)> = doubtful.iter().collect();
    order.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.most));
    let mut notes: Vec<String> = order
        .iter()
        .take(MOST_NOTES)
        .map(|(block, seen)| {
            let address = block.network();
            let reasons: Vec<&str> = seen.reasons.iter().map(String::as_str).collect();
            format!(
                "sign-ins from {address} may be the intruder's, and are not acted on: each {}; if they are, plan with `--ip {address}`",
                reasons.join(", and ")
            )
        })
        .collect();
    let rest = order.len().saturating_sub(MOST_NOTES);
    if rest > 0 {
        notes.push(format!("{rest} more addresses are unusual for the user; they are among the indicators"));
    }
    notes
}
