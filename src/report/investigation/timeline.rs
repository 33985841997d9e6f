//! What happened, in its order: the intruder's sign-ins and mails, what was changed about the account, what was left.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::technique::Technique;
use crate::case::{
    AuditActor, AuditRecord, IndicatorKind, Investigation, MethodVerdict, Persistence, PersistenceKind,
    SecondFactor, SentMail, SignIn,
};
use crate::domain::CidrBlock;

/// Sign-ins from one address that follow each other so closely are told as one.
const TOGETHER: SignedDuration = SignedDuration::from_mins(15);
/// So long before the compromise what was done to the account is told as well.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// Activities of the audit log that tell of a person's or an app's deed; the others are services' bookkeeping.
const TOLD: [&str; 16] = [
    "security info",
    "password",
    "consent to application",
    "delegated permission grant",
    "app role assignment",
    "register device",
    "add device",
    "registered owner",
    "registered users",
    "member to role",
    "eligible member",
    "disable account",
    "enable account",
    "temporary access pass",
    "device code",
    "risk",
];

/// Who did it, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The intruder.
    Intruder,
    /// The user, or somebody in the user's name from where the user is known.
    User,
    /// Somebody else: an administrator, mostly.
    Another,
    /// A service or an app.
    Service,
    /// It is not known.
    Unknown,
}

impl Who {
    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Intruder => "INTRUDER",
            Self::User => "user",
            Self::Another => "another",
            Self::Service => "service",
            Self::Unknown => "unknown",
        }
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody signed in.
    SignIn,
    /// A mail was sent.
    Mail,
    /// Something about the account, or about what belongs to it, was changed.
    Account,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What kind of thing.
    pub kind: EventKind,
    /// When (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Until when, where it went on.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub until: Option<Timestamp>,
    /// Who did it.
    pub who: Who,
    /// What happened, in plain words: show it inert.
    pub what: String,
    /// From which address.
    pub address: Option<String>,
    /// What it is in MITRE ATT&CK, where it is exactly that.
    pub techniques: Vec<Technique>,
}

/// Puts everything in its order.
pub(super) fn timeline(found: &Investigation, left: &[Persistence]) -> Vec<Event> {
    let addresses: BTreeSet<&str> = found
        .case
        .indicators
        .iter()
        .filter(|own| own.is_certain() && matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range))
        .map(|own| own.value.as_str())
        .collect();
    let mut events = sign_ins(found);
    events.extend(deeds(found, &addresses));
    events.extend(mails(found.mail.read().map(Vec::as_slice).unwrap_or_default()));
    events.extend(left.iter().filter_map(left_behind));
    events.sort_by(|one, other| (one.at, one.who, &one.what).cmp(&(other.at, other.who, &other.what)));
    events
}

/// The intruder's sign-ins, those that follow each other from one address as one.
fn sign_ins(found: &Investigation) -> Vec<Event> {
    let ids: BTreeSet<&str> = found.case.evidence.intruder_sign_ins.iter().map(String::as_str).collect();
    let mut rows: Vec<&SignIn> = found
        .case
        .evidence
        .sign_ins
        .read()
        .into_iter()
        .flatten()
        .filter(|row| ids.contains(row.id.as_str()))
        .collect();
    rows.sort_by(|one, other| (&one.ip, one.at, &one.id).cmp(&(&other.ip, other.at, &other.id)));
    rows.chunk_by(|one, other| one.ip == other.ip && other.at.duration_since(one.at) <= TOGETHER)
        .filter_map(visit)
        .collect()
}

fn visit(rows: &[&SignIn]) -> Option<Event> {
    let (first, last) = (rows.first()?, rows.last()?);
    let mut resources: Vec<&str> = Vec::new();
    for row in rows {
        let name = if row.resource.is_empty() { &row.app } else { &row.resource };
        if !name.is_empty() && !resources.contains(&name.as_ref()) {
            resources.push(name);
        }
    }
    let times = if rows.len() == 1 { "sign-in".to_owned() } else { format!("{} sign-ins", rows.len()) };
    let place = if first.place.is_empty() { String::new() } else { format!(", {}", first.place) };
    let to = if resources.is_empty() { String::new() } else { format!(" to {}", resources.join(", ")) };
    let is_by_claim = rows.iter().any(|row| row.second_factor == SecondFactor::ByClaim);
    let factor = if is_by_claim {
        "; the second factor was satisfied by a claim in the token"
    } else if rows.iter().any(|row| row.second_factor == SecondFactor::Fresh) {
        "; a second factor was given"
    } else {
        ""
    };
    let agent = if first.user_agent.is_empty() { String::new() } else { format!("; {}", first.user_agent) };
    let mut techniques = vec![Technique::CloudAccounts];
    if is_by_claim {
        techniques.push(Technique::WebSessionCookie);
    }
    Some(Event {
        kind: EventKind::SignIn,
        at: first.at,
        until: (last.at != first.at).then_some(last.at),
        who: Who::Intruder,
        what: format!("{times}{place}{to}{factor}{agent}"),
        address: Some(first.ip.to_string()).filter(|ip| !ip.is_empty()),
        techniques,
    })
}

/// What the audit log tells of the account, from a day before the compromise on.
fn deeds(found: &Investigation, addresses: &BTreeSet<&str>) -> Vec<Event> {
    let from = found.case.since.map(|since| since.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN));
    let audits = found.case.evidence.audits.read().into_iter().flatten();
    audits
        .filter(|audit| from.is_some_and(|from| audit.at >= from))
        .filter(|audit| {
            let activity = audit.activity.to_lowercase();
            TOLD.iter().any(|told| activity.contains(told))
        })
        .map(|audit| deed(audit, found, addresses))
        .collect()
}

fn deed(audit: &AuditRecord, found: &Investigation, addresses: &BTreeSet<&str>) -> Event {
    let (who, address, by) = match &audit.actor {
        AuditActor::User { id, upn, ip } => {
            let is_subject =
                id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(found.case.subject.id.as_str()));
            let who = match ip.as_deref() {
                Some(ip) if addresses.iter().any(|own| holds(own, ip)) => Who::Intruder,
                _ if !is_subject && id.is_some() => Who::Another,
                Some(ip) if is_known(found, ip) => Who::User,
                _ => Who::Unknown,
            };
            let by = upn.as_ref().filter(|_| !is_subject).map(|upn| format!(" by {upn}"));
            (who, ip.clone(), by.unwrap_or_default())
        }
        AuditActor::App { name } => (Who::Service, None, format!(" by {name}")),
        AuditActor::Unknown => (Who::Unknown, None, String::new()),
    };
    let reason = &audit.result_reason;
    let detail = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let activity = audit.activity.to_lowercase();
    let techniques = if who != Who::Intruder {
        Vec::new()
    } else if activity.contains("registered security info") || activity.contains("register device") {
        vec![Technique::DeviceRegistration]
    } else if activity.contains("consent to application") {
        vec![Technique::ApplicationAccessToken]
    } else if activity.contains("member to role") {
        vec![Technique::AdditionalCloudRoles]
    } else {
        Vec::new()
    };
    Event {
        kind: EventKind::Account,
        at: audit.at,
        until: None,
        who,
        what: format!("{}{by}{detail}", audit.activity),
        address,
        techniques,
    }
}

/// Whether an address lies in an indicator.
fn holds(indicator: &str, ip: &str) -> bool {
    let block = indicator.parse::<CidrBlock>();
    ip.trim().parse().is_ok_and(|address| block.is_ok_and(|block| block.contains(address)))
}

/// Whether a device of the company's signed in from an address: the user is known there.
fn is_known(found: &Investigation, ip: &str) -> bool {
    let mut rows = found.case.evidence.sign_ins.read().into_iter().flatten();
    rows.any(|row| *row.ip == *ip && row.has_compliant_device())
}

/// What was sent; one mail to many is told once.
fn mails(mail: &[SentMail]) -> Vec<Event> {
    let is_same = |one: &SentMail, other: &SentMail| {
        (one.at, &one.subject, &one.from_ip) == (other.at, &other.subject, &other.from_ip)
    };
    let told = |sent: &[SentMail]| {
        let first = sent.first()?;
        let to: Vec<&str> = sent.iter().map(|own| own.recipient.as_str()).collect();
        let is_inside = sent.iter().any(|own| own.inside.read() == Some(&true));
        Some(Event {
            kind: EventKind::Mail,
            at: first.at,
            until: None,
            who: Who::Intruder,
            what: format!("mail \"{}\" sent as the user to {}", first.subject, to.join(", ")),
            address: Some(first.from_ip.clone()).filter(|ip| !ip.is_empty()),
            techniques: if is_inside { vec![Technique::InternalSpearphishing] } else { Vec::new() },
        })
    };
    mail.chunk_by(is_same).filter_map(told).collect()
}

/// What the intruder left, where it has a date.
fn left_behind(left: &Persistence) -> Option<Event> {
    if left.verdict != MethodVerdict::Attacker {
        return None;
    }
    Some(Event {
        kind: EventKind::Account,
        at: left.at?,
        until: None,
        who: Who::Intruder,
        what: format!("{} \"{}\": {}", left.kind.label(), left.name, left.does),
        address: None,
        techniques: match left.kind {
            PersistenceKind::Device => vec![Technique::DeviceRegistration],
            PersistenceKind::Consent => vec![Technique::ApplicationAccessToken],
            PersistenceKind::Role => vec![Technique::AdditionalCloudRoles],
            PersistenceKind::InboxRule | PersistenceKind::TemporaryAccessPass => Vec::new(),
        },
    })
}
