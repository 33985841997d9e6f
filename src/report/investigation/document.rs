//! What an investigation found, as one document: what `stanch investigate --format json` prints, and what is kept with a
//! plan.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timeline::{Event, timeline};
use crate::case::{
    Indicator, Investigation, Look, MethodVerdict, OtherUser, Persistence, RiskDetection, SentMail, Subject,
    UserRisk, Window,
};
use crate::domain::CidrBlock;

/// What the sign-in log is called where it was not read.
pub(super) const SIGN_IN_LOG: &str = "the sign-in log";

/// What the mail that was sent is called where it was not read.
pub(in crate::report) const MAIL_SENT: &str = "mail that was sent";
/// What the other users at the intruder's addresses are called where they were not read.
pub(in crate::report) const OTHERS_THERE: &str = "who else signed in from the intruder's addresses";

/// One registered method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodFound {
    /// Id.
    pub id: String,
    /// What it is, in words.
    pub kind: String,
    /// The name that its owner, or the intruder, gave it.
    pub name: String,
    /// Whose it is.
    pub verdict: MethodVerdict,
    /// Why, one fact each.
    pub reasons: Vec<String>,
}

/// An address of the intruder's, and who else uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressFound {
    /// The address.
    pub address: CidrBlock,
    /// How many other users signed in from it; absent where that was not read.
    pub others: Option<usize>,
    /// How many other users signed in from its neighbours; absent where that was not read.
    pub neighbours: Option<usize>,
    /// What would be blocked; absent where it must not be.
    pub block: Option<CidrBlock>,
    /// Why it is the whole range, or why it must not be blocked.
    pub reasons: Vec<String>,
}

/// One mail that somebody got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailGot {
    /// When it was sent (UTC).
    #[schemars(with = "crate::domain::Moment")]
    pub at: Timestamp,
    /// Its subject.
    pub subject: String,
    /// From which address it was sent.
    pub from_ip: String,
    /// What became of it, in Exchange's word.
    pub status: String,
}

/// Somebody who got mail that the intruder sent in the user's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Address.
    pub address: String,
    /// Whether it is of the tenant's own domains; absent where these were not read.
    pub inside: Option<bool>,
    /// What was sent, oldest first.
    pub mails: Vec<MailGot>,
}

/// What was not read, and why: nothing may be concluded from that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl Unread {
    /// Something that was not read, and why.
    pub fn new(what: &str, why: &str) -> Self {
        Self { what: what.to_owned(), why: why.to_owned() }
    }
}

/// What an investigation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvestigationReport {
    /// The user.
    pub subject: Subject,
    /// What of the logs was read.
    pub window: Window,
    /// Since when the account counts as compromised; absent where nothing was found.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub since: Option<Timestamp>,
    /// What ties to the intruder; what is not certain is of low or medium confidence.
    pub indicators: Vec<Indicator>,
    /// The user's methods, each judged.
    pub methods: Vec<MethodFound>,
    /// What else may have been left behind, each judged.
    pub persistence: Vec<Persistence>,
    /// The intruder's addresses with their use.
    pub addresses: Vec<AddressFound>,
    /// Who got mail that the intruder sent, in the order of the first.
    pub recipients: Vec<Recipient>,
    /// Other users with sign-ins from the intruder's addresses: to be looked at next.
    pub others: Vec<OtherUser>,
    /// For what Identity Protection holds the user; absent where it never had a doubt, or was not read.
    #[serde(default)]
    pub user_risk: Option<UserRisk>,
    /// What Identity Protection has detected, oldest first.
    #[serde(default)]
    pub detections: Vec<RiskDetection>,
    /// What happened, oldest first.
    pub timeline: Vec<Event>,
    /// What is to be said about the look.
    pub notes: Vec<String>,
    /// What was not read.
    pub unread: Vec<Unread>,
}

/// What else was looked for, beside the investigation itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// What was found, each judged.
    pub found: Vec<Persistence>,
    /// What was not read.
    pub unread: Vec<Unread>,
}

/// What nobody can read through Graph, and how to look for it all the same (identity.md 7.4, policy-logs-auth.md 9.4).
const NOT_IN_GRAPH: [(&str, &str); 2] = [
    (
        "app passwords",
        "Graph does not show them: an administrator sees them under the user's per-user multifactor settings",
    ),
    (
        "forwarding, delegates and hidden rules of the mailbox",
        "Graph does not show them: look with Exchange Online PowerShell (Get-Mailbox, Get-MailboxPermission, Get-InboxRule -IncludeHidden)",
    ),
];

impl InvestigationReport {
    /// Sets out what was found.
    pub fn new(found: &Investigation, left: LeftBehind) -> Self {
        let mut unread = Vec::new();
        let (case, evidence) = (&found.case, &found.case.evidence);
        note_unread(&mut unread, SIGN_IN_LOG, &evidence.sign_ins);
        note_unread(&mut unread, "the audit log", &evidence.audits);
        note_unread(&mut unread, "authentication methods", &evidence.methods);
        note_unread(&mut unread, OTHERS_THERE, &found.others);
        note_unread(&mut unread, MAIL_SENT, &found.mail);
        note_unread(&mut unread, "for what Identity Protection holds the user", &found.user_risk);
        note_unread(&mut unread, "what Identity Protection has detected", &found.detections);
        for address in &found.addresses {
            let what = format!("who else uses {}", address.address);
            note_unread(&mut unread, &what, &address.others);
        }
        unread.extend(left.unread);
        for (what, why) in NOT_IN_GRAPH {
            unread.push(Unread::new(what, why));
        }
        Self {
            subject: case.subject.clone(),
            window: evidence.window,
            since: case.since,
            indicators: case.indicators.clone(),
            methods: methods(found),
            addresses: addresses(found),
            recipients: recipients(found.mail.read().map(Vec::as_slice).unwrap_or_default()),
            others: found.others.read().cloned().unwrap_or_default(),
            user_risk: found.user_risk.read().cloned().flatten(),
            detections: found.detections.read().cloned().unwrap_or_default(),
            timeline: timeline(found, &left.found),
            persistence: left.found,
            notes: found.notes.clone(),
            unread,
        }
    }

    /// Whether anything certain ties to an intruder.
    pub fn has_intruder(&self) -> bool {
        // What a person gave and the log has not is no finding.
        self.certain().any(|own| own.first_seen.is_some())
            || self.methods.iter().any(|own| own.verdict == MethodVerdict::Attacker)
            || self.persistence.iter().any(|own| own.verdict == MethodVerdict::Attacker)
    }

    /// The indicators that are certain.
    pub fn certain(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.iter().filter(|own| own.is_certain())
    }
}

fn note_unread<T>(unread: &mut Vec<Unread>, what: &str, look: &Look<T>) {
    if let Some(why) = look.unread() {
        unread.push(Unread::new(what, why));
    }
}

fn methods(found: &Investigation) -> Vec<MethodFound> {
    let judged = found.case.evidence.methods.read().into_iter().flatten();
    judged
        .map(|own| MethodFound {
            id: own.method.id.to_string(),
            kind: own.method.kind.label().to_owned(),
            name: own.method.name.clone(),
            verdict: own.verdict,
            reasons: own.reasons.clone(),
        })
        .collect()
}

fn addresses(found: &Investigation) -> Vec<AddressFound> {
    let uses = found.addresses.iter();
    uses.map(|own| AddressFound {
        address: own.address,
        others: own.others.read().copied(),
        neighbours: own.neighbours.read().copied(),
        block: own.block,
        reasons: own.reasons.clone(),
    })
    .collect()
}

fn recipients(mail: &[SentMail]) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = Vec::new();
    for sent in mail {
        let got = MailGot {
            at: sent.at,
            subject: sent.subject.clone(),
            from_ip: sent.from_ip.clone(),
            status: sent.status.clone(),
        };
        let known = recipients.iter_mut().find(|own| own.address.eq_ignore_ascii_case(&sent.recipient));
        match known {
            Some(own) => own.mails.push(got),
            None => recipients.push(Recipient {
                address: sent.recipient.clone(),
                inside: sent.inside.read().copied(),
                mails: vec![got],
            }),
        }
    }
    recipients
}
