//! The look at the tenant: logs and methods read side by side, then handed to the finders. Nothing is written.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::guesses::{Tried, read_tried};
use super::hints::{confirm, is_plausible, named};
use super::mail::read_mail;
use super::methods::{Grounds, judge};
use super::reach::{PREMIUM, reach};
use super::risk::bear;
use super::sign_ins::{Clues, find_intruder};
use crate::alert::Hints;
use crate::case::{
    AuditRecord, AuthMethod, Confidence, Evidence, Indicator, IndicatorKind, Look, RiskDetection, SignIn,
    Subject, Window,
};
use crate::domain::{CidrBlock, shown};
use crate::graph::{GraphError, Reader, SignInQuery, look, settled, unanswered};

/// How far back the logs are read where nothing else is said.
const DEFAULT_WINDOW: SignedDuration = PREMIUM;
/// Before a given `--since` the logs are read this much further, to know the user's own past.
const PAST: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Since when the account counts as compromised, where given.
    pub since: Option<Timestamp>,
    /// Until when the logs are looked at; left out: until now.
    pub until: Option<Timestamp>,
    /// Addresses and ranges that are known to be the intruder's.
    pub ips: Vec<CidrBlock>,
    /// Globs over the intruder's user agents.
    pub user_agents: Vec<String>,
    /// What an alert says: it counts where the log bears it out.
    pub hints: Hints,
    /// The tenant's present moment.
    pub now: Timestamp,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What ties to the intruder.
    pub indicators: Vec<Indicator>,
    /// Since when the account counts as compromised: given, or the intruder's first sign-in.
    pub since: Option<Timestamp>,
    /// The evidence.
    pub evidence: Evidence,
    /// What Identity Protection has detected.
    pub detections: Look<Vec<RiskDetection>>,
    /// What is to be said about the look.
    pub notes: Vec<String>,
}

/// Why there is no evidence at all.
#[derive(Debug, thiserror::Error)]
pub enum InvestigateError {
    /// Graph did not answer.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl InvestigateError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Graph(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Graph(error) => error.hint(),
        }
    }
}

/// Reads logs and methods, and lets the finders tell whose is what.
///
/// # Errors
/// When Graph does not answer.
pub async fn gather(reader: &Reader, subject: &Subject, ask: &Ask) -> Result<Found, InvestigateError> {
    let earliest = ask.now.saturating_sub(DEFAULT_WINDOW).unwrap_or(Timestamp::MIN);
    let hinted = ask.hints.time.filter(|time| is_plausible(*time, ask.now));
    let from = match ask.since.or(hinted) {
        Some(since) => since.saturating_sub(PAST).unwrap_or(earliest).min(earliest),
        None => earliest,
    };
    let query = SignInQuery { user: Some(subject.id.clone()), ip: None, from, to: ask.until };
    let (sign_ins, audits, methods, plans, detections) = tokio::join!(
        reader.sign_ins(&query),
        reader.directory_audits(&subject.id, from),
        reader.methods(&subject.id),
        reader.service_plans(),
        reader.risk_detections(&subject.id, from)
    );
    // Nothing waits for it: where it is not read, the log's own words on risk stand.
    let detections = settled(detections);
    let mut notes = Vec::new();
    let mut window = Window { from, to: ask.until.unwrap_or(ask.now) };
    let sign_ins = match look(sign_ins)? {
        Look::Read(log) => {
            notes.extend(log.notes);
            window.from = window.from.max(log.from);
            let mut rows = log.rows;
            // Whoever does not filter as asked gives the sign-ins of others, too.
            rows.retain(|row| row.user_id.as_ref().is_none_or(|user| *user == subject.id));
            rows.shrink_to_fit();
            bear(&mut rows, detections.read().map(Vec::as_slice).unwrap_or_default());
            Look::Read(rows)
        }
        Look::Unread { why } => {
            notes.push(format!("the sign-in log was not read: {why}"));
            Look::Unread { why }
        }
    };
    let audits = look(audits)?;
    window.from = window.from.max(reach(&look(plans)?, &sign_ins, &audits, ask.now));
    if let Some(asked) = ask.since.or(hinted).filter(|asked| *asked < window.from) {
        notes.push(format!(
            "the logs reach back to {} only, and not to {}: what was done before is not in them",
            shown(window.from),
            shown(asked)
        ));
    }
    let mut read = Read {
        sign_ins,
        audits,
        methods: look(methods)?,
        tried: Vec::new(),
        mail: Vec::new(),
        detections,
        window,
        notes,
    };
    let own = read.sign_ins.read().map(Vec::as_slice).unwrap_or_default();
    read.tried = read_tried(reader, own, &subject.id, &mut read.notes).await;
    // Where something is open, what was sent from there may settle it; elsewhere nobody asks.
    if let Some(from) = open_since(&read, ask) {
        read.mail = mail_addresses(reader, subject, from, ask.now, &mut read.notes).await;
    }
    Ok(examine(read, ask))
}

/// What was read: of a tenant, or of what stands in for it.
#[derive(Clone, Debug)]
pub struct Read {
    /// The subject's sign-ins.
    pub sign_ins: Look<Vec<SignIn>>,
    /// Audits about the subject.
    pub audits: Look<Vec<AuditRecord>>,
    /// The subject's methods.
    pub methods: Look<Vec<AuthMethod>>,
    /// How many other accounts were tried in vain from where the subject's password was wrong.
    pub tried: Vec<Tried>,
    /// When and from where mail was sent in the subject's name; empty where nobody had to ask.
    pub mail: Vec<(Timestamp, IpAddr)>,
    /// What Identity Protection has detected.
    pub detections: Look<Vec<RiskDetection>>,
    /// What of the logs was read.
    pub window: Window,
    /// What is to be said about the reading.
    pub notes: Vec<String>,
}

/// Lets the finders tell whose is what.
pub fn examine(read: Read, ask: &Ask) -> Found {
    let Read { sign_ins, audits, methods, tried, mail, detections, window, mut notes } = read;
    let rows = sign_ins.read().map(Vec::as_slice).unwrap_or_default();
    let confirmed = confirm(rows, &ask.hints, ask.now);
    let intruder = find_intruder(
        rows,
        &Clues {
            ips: &ask.ips,
            user_agents: &ask.user_agents,
            known: confirmed.rows,
            audits: audits.read().map(Vec::as_slice).unwrap_or_default(),
            mail: &mail,
            tried: &tried,
        },
    );
    notes.extend(intruder.notes);
    notes.extend(confirmed.notes);
    if rows.iter().all(|row| !intruder.rows.contains(&row.id))
        && !(ask.ips.is_empty() && ask.user_agents.is_empty())
    {
        notes.push("no sign-in of the user matches the addresses and user agents that were given".to_owned());
    }
    let mut indicators = intruder.indicators;
    indicators.extend(confirmed.indicators);
    for block in &ask.ips {
        let is_there = indicators.iter().any(|own| own.value.parse() == Ok(*block));
        if !is_there {
            let (kind, value) = named(block);
            indicators.push(Indicator {
                kind,
                value,
                first_seen: None,
                last_seen: None,
                confidence: Confidence::High,
                reasons: vec!["it was given".to_owned()],
            });
        }
    }
    // An alert comes after the fact: a sign-in of the intruder's that is older than it counts for the beginning.
    let since = ask.since.or_else(|| [intruder.first, confirmed.time].into_iter().flatten().min());
    let grounds = Grounds {
        audits: &audits,
        sign_ins: rows,
        indicators: &indicators,
        intruder: &intruder.rows,
        since,
        window,
    };
    let methods = methods.map(|methods| judge(methods, &grounds));
    let evidence = Evidence { window, sign_ins, audits, methods, intruder_sign_ins: intruder.rows };
    Found { indicators, since, evidence, detections, notes }
}

/// Since when there are addresses that may be the intruder's and are not certain.
fn open_since(read: &Read, ask: &Ask) -> Option<Timestamp> {
    let rows = read.sign_ins.read()?;
    let clues = Clues {
        ips: &ask.ips,
        user_agents: &ask.user_agents,
        known: confirm(rows, &ask.hints, ask.now).rows,
        audits: read.audits.read().map(Vec::as_slice).unwrap_or_default(),
        mail: &[],
        tried: &read.tried,
    };
    let found = find_intruder(rows, &clues);
    let open = found.indicators.iter().filter(|own| own.kind == IndicatorKind::Address && !own.is_certain());
    open.filter_map(|own| own.first_seen).min()
}

/// When and from where mail was sent in the subject's name.
async fn mail_addresses(
    reader: &Reader,
    subject: &Subject,
    from: Timestamp,
    to: Timestamp,
    notes: &mut Vec<String>,
) -> Vec<(Timestamp, IpAddr)> {
    let from = from.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(from);
    match read_mail(reader, subject, from, to).await.unwrap_or_else(|error| unanswered(&error)) {
        Look::Read(sent) => {
            notes.extend(sent.notes);
            sent.traces
                .iter()
                .filter_map(|trace| Some((trace.at, trace.from_ip.trim().parse::<IpAddr>().ok()?)))
                .map(|(at, address)| (at, address.to_canonical()))
                .collect()
        }
        Look::Unread { why } => {
            notes.push(format!("whether mail was sent from addresses that are in doubt was not read: {why}"));
            Vec::new()
        }
    }
}
