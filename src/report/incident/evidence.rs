//! What is read of an incident and kept beside its plan: the investigation's document, and the facts of the sign-in log
//! that a report needs and a plan does not hold.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::controls::Control;
use crate::case::{Evidence, Look, SecondFactor, SignIn};
use crate::domain::shown;
use crate::policy::evaluate::{device_policy_stops, token_policy_stops};
use crate::report::InvestigationReport;
use crate::report::investigation::{MAIL_SENT, OTHERS_THERE};

/// What was read of an incident at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRead {
    /// When it was read (the tenant's time).
    #[schemars(with = "crate::domain::Moment")]
    pub read_at: Timestamp,
    /// The time that the alert gives, where the plan came from one.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub alert_at: Option<Timestamp>,
    /// What was found.
    pub found: InvestigationReport,
    /// What the log says of the intruder's sign-ins.
    pub access: Look<Access>,
    /// The tenant's policies, as far as they bear on such an intrusion.
    pub controls: Look<Vec<Control>>,
}

impl EvidenceRead {
    /// This look with what an earlier one had read and this one has not: logs expire, and what is deleted is gone.
    #[must_use]
    pub fn and_what_is_gone(mut self, earlier: &Self) -> Self {
        self.access = fuller(&self.access, &earlier.access);
        if self.controls.read().is_none() {
            self.controls = earlier.controls.clone();
        }
        self.alert_at = self.alert_at.or(earlier.alert_at);
        let (new, old) = (&mut self.found, &earlier.found);
        let was_read = |what: &str| !old.unread.iter().any(|own| own.what == what);
        new.unread.retain(|own| {
            let is_carried = [MAIL_SENT, OTHERS_THERE].contains(&own.what.as_str()) && was_read(&own.what);
            if is_carried {
                new.notes.push(format!(
                    "{}: as it was read {}; this time it could not be read ({})",
                    own.what,
                    shown(earlier.read_at),
                    own.why
                ));
            }
            !is_carried
        });
        carry(&mut new.indicators, &old.indicators, |one, other| {
            (one.kind, &one.value) == (other.kind, &other.value)
        });
        carry(&mut new.persistence, &old.persistence, |one, other| {
            (one.kind, &one.id) == (other.kind, &other.id)
        });
        carry(&mut new.addresses, &old.addresses, |one, other| one.address == other.address);
        carry(&mut new.recipients, &old.recipients, |one, other| one.address == other.address);
        carry(&mut new.others, &old.others, |one, other| one == other);
        carry(&mut new.timeline, &old.timeline, |one, other| {
            (one.at, one.kind, &one.address) == (other.at, other.kind, &other.address)
        });
        new.timeline
            .sort_by(|one, other| (one.at, one.who, &one.what).cmp(&(other.at, other.who, &other.what)));
        self
    }
}

/// Adds what is not there of the other list.
fn carry<T: Clone>(to: &mut Vec<T>, from: &[T], is_same: impl Fn(&T, &T) -> bool) {
    let gone: Vec<T> =
        from.iter().filter(|own| !to.iter().any(|known| is_same(known, own))).cloned().collect();
    to.extend(gone);
}

/// What the log says by the look that has more of it: one that reaches back further, else the later.
pub(super) fn fuller(later: &Look<Access>, earlier: &Look<Access>) -> Look<Access> {
    let first = |own: &Look<Access>| own.read()?.first.as_ref().map(|own| own.at);
    let is_earlier = match (later.read(), earlier.read()) {
        (None, Some(_)) => true,
        (Some(_), Some(_)) => match (first(later), first(earlier)) {
            (Some(later), Some(earlier)) => earlier < later,
            (None, Some(_)) => true,
            _ => false,
        },
        _ => false,
    };
    if !is_earlier {
        return later.clone();
    }
    let last = later.read().and_then(|own| own.last);
    earlier.as_ref().map(|own| Access { last: own.last.max(last), ..own.clone() })
}

/// The intruder's first sign-in, as logged: show its texts inert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstSignIn {
    /// When (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Address.
    pub address: String,
    /// City and country.
    pub place: String,
    /// The app, and what it was let at, each once.
    pub targets: Vec<String>,
    /// User agent.
    pub user_agent: String,
    /// How the second factor was satisfied, as the log words it.
    pub second_factor: String,
    /// Session id.
    pub session: Option<String>,
}

/// How many of the sign-ins in the log a policy would have stopped, enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// Of the intruder's.
    pub intruders: usize,
    /// Of the user's own.
    pub own: usize,
}

/// What the log says of the intruder's sign-ins, those that went through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The first.
    pub first: Option<FirstSignIn>,
    /// When the last was (UTC).
    #[serde(default)]
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub last: Option<Timestamp>,
    /// How many went through.
    pub sign_ins: usize,
    /// How many of the user's own went through in the same log.
    pub own_sign_ins: usize,
    /// At how many of the intruder's a claim in the token stood for the second factor.
    pub by_claim: usize,
    /// At how many a second factor was given then and there.
    pub fresh: usize,
    /// At how many none was asked for.
    pub not_asked: usize,
    /// Whether the log holds a sign-in, anybody's at this account, from before the first of the intruder's.
    #[serde(default)]
    pub reaches_back: bool,
    /// How many came from a compliant device.
    pub compliant: usize,
    /// How many brought a token that is not bound to a device, of those whose row says so.
    pub unbound: usize,
    /// Ways in which a sign-in was handed on to another device, as the log names them: `deviceCodeFlow`.
    pub handed_on: Vec<String>,
    /// The places that they came from, each once.
    pub places: Vec<String>,
    /// What a policy that requires a compliant device would have stopped.
    pub device_policy: Stopped,
    /// What a policy that requires token protection would have stopped.
    pub token_policy: Stopped,
}

impl Access {
    /// Counts what the evidence has.
    pub fn of(evidence: &Evidence) -> Look<Self> {
        evidence.sign_ins.as_ref().map(|rows| {
            let theirs: BTreeSet<&str> = evidence.intruder_sign_ins.iter().map(String::as_str).collect();
            let went_through = rows.iter().filter(|row| row.error_code == 0);
            let (mut intruders, own): (Vec<&SignIn>, Vec<&SignIn>) =
                went_through.partition(|row| theirs.contains(row.id.as_str()));
            intruders.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
            let begin = intruders.first().map(|row| row.at);
            let count = |holds: &dyn Fn(&SignIn) -> bool| intruders.iter().filter(|row| holds(row)).count();
            let stopped = |stops: fn(&SignIn) -> bool| Stopped {
                intruders: count(&stops),
                own: own.iter().filter(|row| stops(row)).count(),
            };
            let mut places = Vec::new();
            let mut handed_on = Vec::new();
            for row in &intruders {
                add(&mut places, &row.place);
                if !["", "none", "unknownFutureValue"].contains(&row.transfer_method.as_ref()) {
                    add(&mut handed_on, &row.transfer_method);
                }
            }
            Self {
                first: first(&intruders),
                last: intruders.last().map(|row| row.at),
                sign_ins: intruders.len(),
                own_sign_ins: own.len(),
                by_claim: count(&|row| row.second_factor == SecondFactor::ByClaim),
                fresh: count(&|row| row.second_factor == SecondFactor::Fresh),
                not_asked: count(&|row| row.second_factor == SecondFactor::NotAsked),
                reaches_back: begin.is_some_and(|begin| rows.iter().any(|row| row.at < begin)),
                compliant: count(&SignIn::has_compliant_device),
                unbound: count(&|row| row.token_protection.as_deref() == Some("unbound")),
                handed_on,
                places,
                device_policy: stopped(device_policy_stops),
                token_policy: stopped(token_policy_stops),
            }
        })
    }
}

/// The first sign-in, with everything that was let in at the same moment from the same address.
fn first(rows: &[&SignIn]) -> Option<FirstSignIn> {
    let own = rows.first()?;
    let mut targets = Vec::new();
    for row in rows.iter().filter(|row| row.at == own.at && row.ip == own.ip) {
        add(&mut targets, if row.resource.is_empty() { &row.app } else { &row.resource });
    }
    Some(FirstSignIn {
        at: own.at,
        address: own.ip.to_string(),
        place: own.place.to_string(),
        targets,
        user_agent: own.user_agent.to_string(),
        second_factor: own.mfa_detail.to_string(),
        session: own.session_id.as_deref().map(str::to_owned),
    })
}

fn add(list: &mut Vec<String>, text: &str) {
    if !text.is_empty() && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}
