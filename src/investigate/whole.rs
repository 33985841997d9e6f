//! The whole look: what every plan reads, and beside it who else is at the intruder's addresses and what was sent from
//! them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::SignedDuration;

use super::gather::{Ask, InvestigateError, gather};
use super::mail::{Sent, judge_mail, read_mail};
use super::neighbourhood::{judge_addresses, judge_others, read_neighbourhood};
use super::ranges::{crowds, is_users_too};
use crate::case::{Case, Indicator, IndicatorKind, Investigation, Look, Subject, UserRisk};
use crate::domain::CidrBlock;
use crate::graph::{Reader, settled, unanswered};
use crate::guard::{GuardRules, RangeFacts, judge_range};

/// So long before the intruder's first sign-in others may have met the same intruder.
const BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Reads and judges everything about a user's sign-ins, methods, addresses, mail, and whom else it concerns. What is
/// refused is unread, and said to be.
///
/// # Errors
/// When Graph does not answer.
pub async fn investigate(
    reader: &Reader,
    subject: &Subject,
    ask: &Ask,
    rules: &GuardRules,
) -> Result<Investigation, InvestigateError> {
    let found = gather(reader, subject, ask).await?;
    let addresses = intruder_addresses(&found.indicators);
    let begin = found.since.map_or(found.evidence.window.from, |since| {
        since.saturating_sub(BEFORE).unwrap_or(since).max(found.evidence.window.from)
    });
    let sessions = intruder_sessions(&found.indicators);
    let blocks: Vec<CidrBlock> = addresses.iter().map(|address| CidrBlock::single(*address)).collect();
    let neighbourhood = async {
        if blocks.is_empty() {
            Look::Read(Vec::new())
        } else {
            read_neighbourhood(reader, &blocks, begin).await.unwrap_or_else(|error| unanswered(&error))
        }
    };
    let sent = async {
        if blocks.is_empty() {
            Look::Read(Sent::default())
        } else {
            read_mail(reader, subject, begin, ask.now).await.unwrap_or_else(|error| unanswered(&error))
        }
    };
    let (rows, sent, domains, locations, policies, risky) = tokio::join!(
        neighbourhood,
        sent,
        reader.own_domains(),
        reader.named_locations(),
        reader.policies(),
        reader.risky_user(&subject.id)
    );
    // What was found stands without any of these: what fails is unread.
    let (domains, locations, policies) = (settled(domains), settled(locations), settled(policies));
    let refusal = |block: &CidrBlock, others: &Look<usize>| {
        let facts = RangeFacts { locations: &locations, policies: &policies, others };
        judge_range(block, rules, &facts).into_iter().next().map(|refusal| refusal.why)
    };
    let crowds = crowds(&found.indicators);
    let is_users = |range: &CidrBlock| is_users_too(range, &found.evidence);
    let mut notes = found.notes;
    // The same was said, where it was asked to settle what is open.
    let more = sent.read().into_iter().flat_map(|sent| &sent.notes);
    let more: Vec<String> = more.filter(|note| !notes.contains(note)).cloned().collect();
    notes.extend(more);
    Ok(Investigation {
        addresses: judge_addresses(&addresses, &rows, &subject.id, &crowds, &is_users, &refusal),
        others: rows.as_ref().map(|rows| judge_others(&addresses, &sessions, rows, &subject.id)),
        mail: sent.as_ref().map(|sent| judge_mail(&sent.traces, &addresses, &domains)),
        case: Case {
            subject: subject.clone(),
            indicators: found.indicators,
            since: found.since,
            evidence: found.evidence,
        },
        user_risk: settled(risky)
            .map(|risky| risky.map(|own| UserRisk { level: own.level, state: own.state })),
        detections: found.detections,
        notes,
    })
}

/// The addresses that are certainly the intruder's.
pub fn intruder_addresses(indicators: &[Indicator]) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = indicators
        .iter()
        .filter(|own| own.is_certain() && own.kind == IndicatorKind::Address)
        .filter_map(|own| own.value.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The sessions that are the intruder's.
pub fn intruder_sessions(indicators: &[Indicator]) -> BTreeSet<&str> {
    let certain = indicators.iter().filter(|own| own.is_certain() && own.kind == IndicatorKind::Session);
    certain.map(|own| own.value.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_addresses_count() {
        let own = |value: &str, confidence| Indicator {
            kind: IndicatorKind::Address,
            value: value.to_owned(),
            first_seen: None,
            last_seen: None,
            confidence,
            reasons: Vec::new(),
        };
        let all = [
            own("45.83.1.2", crate::case::Confidence::High),
            own("45.83.1.1", crate::case::Confidence::Medium),
            own("45.83.1.XXX", crate::case::Confidence::High),
        ];
        assert_eq!(intruder_addresses(&all), ["45.83.1.2".parse::<IpAddr>().unwrap()]);
    }
}
