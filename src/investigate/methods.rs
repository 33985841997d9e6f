//! Whose each method is: when it came, from where, and who was signed in around it (policy-logs-auth.md 5.4).

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::passes;
use super::phone_app::{self, PROPERTY, Registration, Registrations};
use super::user_details;
use crate::case::{
    AuditActor, AuditRecord, AuthMethod, Indicator, IndicatorKind, JudgedMethod, Look, MethodKind,
    MethodVerdict, SignIn, Window,
};
use crate::domain::{CidrBlock, shown};

/// The person's own record stands this near to the service's (5.4, step 3).
const NEAR_RECORD: SignedDuration = SignedDuration::from_mins(5);
/// Sign-ins this near to a registration belong to it (5.4, step 4).
const NEAR_SIGN_IN: SignedDuration = SignedDuration::from_mins(15);
/// How far records and our reckoning of the compromise may be apart.
const SLACK: SignedDuration = SignedDuration::from_mins(15);

/// The property that lists phone numbers and mail addresses.
const DETAILS: &str = "StrongAuthenticationUserDetails";
/// Where security information is changed: My Signins, My Profile.
const SECURITY_PAGES: [&str; 2] =
    ["19db86c3-b2b9-44cc-b339-36da233a3be2", "8c59ead7-d703-4a27-9e55-c96a0054c8d2"];

/// What the judgement rests on.
pub struct Grounds<'a> {
    /// Audits about the subject.
    pub audits: &'a Look<Vec<AuditRecord>>,
    /// The subject's sign-ins.
    pub sign_ins: &'a [SignIn],
    /// What ties to the intruder.
    pub indicators: &'a [Indicator],
    /// Ids of the intruder's sign-ins.
    pub intruder: &'a [String],
    /// Since when the account counts as compromised.
    pub since: Option<Timestamp>,
    /// What the logs cover.
    pub window: Window,
}

/// Judges every method. The password is judged by nobody: it is reset.
pub fn judge(methods: Vec<AuthMethod>, grounds: &Grounds<'_>) -> Vec<JudgedMethod> {
    let history = History::read(grounds.audits);
    let all = methods.clone();
    methods.into_iter().map(|method| judge_one(method, &all, &history, grounds)).collect()
}

/// How registrations came and went, by the records.
struct History {
    /// One entry for each record that lists registrations, oldest first.
    records: Vec<(Timestamp, Registrations, Registrations)>,
    /// The person's own records, oldest first: when, from where, in what words.
    own: Vec<(Timestamp, Option<String>, String)>,
    /// Phone numbers and mail addresses before and after, as their letters and digits, oldest first.
    details: Vec<(Timestamp, Vec<String>, Vec<String>)>,
    /// The records of a removal, by whomever: when, in what words.
    removals: Vec<(Timestamp, String)>,
    unread: Option<String>,
}

impl History {
    fn read(audits: &Look<Vec<AuditRecord>>) -> Self {
        let mut history = Self {
            records: Vec::new(),
            own: Vec::new(),
            details: Vec::new(),
            removals: Vec::new(),
            unread: audits.unread().map(str::to_owned),
        };
        for audit in audits.read().into_iter().flatten() {
            for property in audit.modified.iter().filter(|property| property.name == PROPERTY) {
                history.records.push((
                    audit.at,
                    phone_app::read(property.old_value.as_deref()),
                    phone_app::read(property.new_value.as_deref()),
                ));
            }
            for property in audit.modified.iter().filter(|property| property.name == DETAILS) {
                let value = |text: &Option<String>| user_details::read(text.as_deref());
                if let (Some(old), Some(new)) = (value(&property.old_value), value(&property.new_value)) {
                    history.details.push((audit.at, old, new));
                }
            }
            if audit.activity.to_lowercase().contains("deleted security info") {
                history.removals.push((audit.at, audit.result_reason.clone()));
            }
            let is_registration = audit.activity.to_lowercase().contains("registered security info");
            if is_registration {
                let ip = match &audit.actor {
                    AuditActor::User { ip, .. } => ip.clone(),
                    AuditActor::App { .. } | AuditActor::Unknown => None,
                };
                history.own.push((audit.at, ip, audit.result_reason.clone()));
            }
        }
        history.records.sort_by_key(|(at, ..)| *at);
        history.details.sort_by_key(|(at, ..)| *at);
        history.own.sort_by_key(|(at, ..)| *at);
        history
    }

    /// The registration that is this method: by id, or else by name, tag and version where just one fits on both sides.
    fn registration_of(&self, method: &AuthMethod, all: &[AuthMethod]) -> Option<&Registration> {
        // The newest record first: it knows best when the registration was last used.
        let every = || self.records.iter().rev().flat_map(|(_, old, new)| new.items.iter().chain(&old.items));
        if let Some(own) = every().find(|own| own.id == method.id.as_str()) {
            return Some(own);
        }
        if method.kind != MethodKind::Authenticator {
            return None;
        }
        let looks_like = |own: &&Registration| {
            own.device_name == method.name
                && Some(own.device_tag.as_str()) == method.device_tag.as_deref()
                && Some(own.app_version.as_str()) == method.app_version.as_deref()
        };
        let twins = all
            .iter()
            .filter(|other| {
                other.name == method.name
                    && other.device_tag == method.device_tag
                    && other.app_version == method.app_version
            })
            .count();
        let mut fitting: Vec<&Registration> = Vec::new();
        for own in every().filter(looks_like) {
            let taken = all.iter().any(|other| other.id.as_str() == own.id);
            if !taken && !fitting.iter().any(|other| other.id == own.id) {
                fitting.push(own);
            }
        }
        match (fitting.as_slice(), twins) {
            ([only], 1) => Some(only),
            _ => None,
        }
    }

    /// When a phone number or a mail address first showed.
    fn detail_appeared(&self, method: &AuthMethod) -> Appeared {
        if !matches!(method.kind, MethodKind::Phone | MethodKind::Email) {
            return Appeared::Never;
        }
        let own = user_details::bare(&method.name);
        for (at, old, new) in self.details.iter().filter(|_| !own.is_empty()) {
            if old.contains(&own) {
                return Appeared::Before(*at);
            }
            if new.contains(&own) {
                return Appeared::At { at: *at, is_certain: true };
            }
        }
        Appeared::Never
    }

    /// When a registration first showed, and what is to be said about that.
    fn appeared(&self, id: &str) -> Appeared {
        for (at, old, new) in &self.records {
            if old.has(id) {
                return Appeared::Before(*at);
            }
            if new.has(id) {
                // It may have stood in what was cut off, unless an earlier record shows the whole list without it.
                let seen_without = self.records.iter().any(|(when, _, known)| when < at && !known.is_cut_off);
                return Appeared::At { at: *at, is_certain: !old.is_cut_off || seen_without };
            }
        }
        Appeared::Never
    }
}

enum Appeared {
    /// It was there already when the first record that shows it was written.
    Before(Timestamp),
    /// It came with this record.
    At { at: Timestamp, is_certain: bool },
    /// No record shows it.
    Never,
}

fn judge_one(
    method: AuthMethod,
    all: &[AuthMethod],
    history: &History,
    grounds: &Grounds<'_>,
) -> JudgedMethod {
    let mut reasons = Vec::new();
    let verdict = if method.kind == MethodKind::Password {
        reasons.push("the password is reset, not removed".to_owned());
        MethodVerdict::Owner
    } else if method.kind == MethodKind::TemporaryAccessPass
        && let Some(verdict) = passes::issued_by_another(&method, grounds, &mut reasons)
    {
        verdict
    } else if let Some(why) = &history.unread {
        reasons.push(format!("the audit log was not read: {why}"));
        by_kind(&method, all, history, grounds, &mut reasons)
    } else {
        let registration = history.registration_of(&method, all).cloned();
        let appeared = match &registration {
            Some(own) => history.appeared(&own.id),
            None => history.detail_appeared(&method),
        };
        match appeared {
            Appeared::At { at, is_certain } => {
                reasons.push(format!("first listed in the audit record of {}", shown(at)));
                if !is_certain {
                    reasons.push(
                        "the record's earlier list is cut off, so it may have been there before".to_owned(),
                    );
                }
                let own = history.own_record(at, &method);
                let verdict = by_registration(at, own, grounds, &mut reasons);
                // Without its own record, who was near tells nothing of what may have been there before.
                if is_certain || !matches!(own, Own::None) { verdict } else { MethodVerdict::Unknown }
            }
            Appeared::Before(at) => {
                reasons.push(format!("listed already before the audit record of {}", shown(at)));
                if let Some(used) = registration.and_then(|own| own.last_used) {
                    reasons.push(format!("last used {}", shown(used)));
                }
                if is_older(at, grounds) {
                    MethodVerdict::UnknownOld
                } else {
                    reasons.push("the log does not show who registered it".to_owned());
                    older_by_window(grounds, &mut reasons)
                }
            }
            Appeared::Never => by_kind(&method, all, history, grounds, &mut reasons),
        }
    };
    JudgedMethod { method, verdict, reasons }
}

type OwnRecord<'a> = &'a (Timestamp, Option<String>, String);

/// The person's own record of a registration, as far as it can be told which one it is.
#[derive(Clone, Copy)]
enum Own<'a> {
    None,
    One(OwnRecord<'a>),
    /// Several from different addresses: none of them tells.
    Several,
}

impl History {
    /// The person's own record next to a moment, in words that fit the kind.
    fn own_record(&self, at: Timestamp, method: &AuthMethod) -> Own<'_> {
        let near: Vec<OwnRecord<'_>> = self
            .own
            .iter()
            .filter(|(when, _, words)| {
                when.duration_since(at).abs() <= NEAR_RECORD && words_fit(words, &method.kind).unwrap_or(true)
            })
            .collect();
        match near.iter().min_by_key(|(when, ..)| when.duration_since(at).abs()) {
            None => Own::None,
            Some((_, ip, _)) if near.iter().any(|(_, other, _)| other != ip) => Own::Several,
            Some(nearest) => Own::One(nearest),
        }
    }
}

/// Judges a method that no list shows: by its own date, or by the only record in words of its kind.
fn by_kind(
    method: &AuthMethod,
    all: &[AuthMethod],
    history: &History,
    grounds: &Grounds<'_>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    if let Some(created) = method.created_at {
        reasons.push(format!("registered {}, by its own date", shown(created)));
        if is_older(created, grounds) {
            return MethodVerdict::UnknownOld;
        }
        return by_registration(created, history.own_record(created, method), grounds, reasons);
    }
    let in_question = |when: Timestamp| !is_older(when, grounds);
    if method.kind == MethodKind::Authenticator {
        // The list may be cut off before it, or its record may be late (policy-logs-auth.md 5.3).
        if let Some((at, ..)) = history.records.iter().find(|(at, _, new)| new.is_cut_off && in_question(*at))
        {
            reasons.push(format!(
                "the list in the audit record of {} is cut off, and it may stand there",
                shown(*at)
            ));
            return MethodVerdict::Unknown;
        }
        let unmatched = history.own.iter().find(|(when, _, words)| {
            in_question(*when)
                && words_fit(words, &method.kind) == Some(true)
                && !history.records.iter().any(|(at, ..)| at.duration_since(*when).abs() <= NEAR_RECORD)
        });
        if let Some((when, ip, words)) = unmatched {
            reasons.push(format!(
                "the user's own record of {} says `{words}`{}, and no list shows yet which one that was",
                shown(*when),
                ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default()
            ));
            return MethodVerdict::Unknown;
        }
        return without_record(grounds, reasons);
    }
    let fits = |words: &str| words_fit(words, &method.kind) == Some(true);
    let fitting: Vec<_> = history.own.iter().filter(|(_, _, words)| fits(words)).collect();
    let recent = fitting.iter().filter(|(when, ..)| in_question(*when)).count();
    let alike = all.iter().filter(|other| other.kind == method.kind).count();
    match fitting.as_slice() {
        [] => without_record(grounds, reasons),
        [only]
            if alike == 1 && !history.removals.iter().any(|(when, words)| *when >= only.0 && fits(words)) =>
        {
            reasons.push(format!("the user's own record of {} says `{}`", shown(only.0), only.2));
            by_registration(only.0, Own::One(only), grounds, reasons)
        }
        _ if recent == 0 => without_record(grounds, reasons),
        _ => {
            reasons.push(
                "there are records of registrations of its kind, and which one is this cannot be told"
                    .to_owned(),
            );
            MethodVerdict::Unknown
        }
    }
}

/// Whether the prose of a record speaks of a kind; `None` where it speaks of none.
fn words_fit(words: &str, kind: &MethodKind) -> Option<bool> {
    let words = words.to_lowercase();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let spoken = [
        (MethodKind::Authenticator, has(&["authenticator", "notification"])),
        (MethodKind::Phone, has(&["phone", "text message", "sms", "mobile"])),
        (MethodKind::Passkey, has(&["fido", "passkey", "security key"])),
        (MethodKind::Email, has(&["email", "e-mail"])),
        (MethodKind::TemporaryAccessPass, has(&["temporary access pass"])),
        (MethodKind::WindowsHello, has(&["windows hello"])),
        (MethodKind::CodeApp, has(&["software oath", "with code", "oath"])),
    ];
    if !spoken.iter().any(|(_, is_spoken)| *is_spoken) {
        return None;
    }
    Some(spoken.iter().any(|(own, is_spoken)| *is_spoken && own == kind))
}

/// Judges a registration whose moment is known: by the person's own record, and by the sign-ins around it.
fn by_registration(
    at: Timestamp,
    own: Own<'_>,
    grounds: &Grounds<'_>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    let around: Vec<&SignIn> = grounds
        .sign_ins
        .iter()
        .filter(|row| row.error_code == 0 && row.at.duration_since(at).abs() <= NEAR_SIGN_IN)
        .collect();
    let is_intruders = |row: &SignIn| grounds.intruder.contains(&row.id);
    let own = match own {
        Own::None => None,
        Own::One(record) => Some(record),
        Own::Several => {
            reasons.push("several registrations from different addresses stand next to it".to_owned());
            return MethodVerdict::Unknown;
        }
    };
    let address = own.and_then(|(_, ip, _)| ip.as_deref()).and_then(|text| text.parse::<IpAddr>().ok());
    if let Some((when, Some(ip), _)) = own {
        reasons.push(format!("registered {} from {ip}, says the user's own record", shown(*when)));
    }
    if let Some(address) = address {
        if is_indicator(address, grounds.indicators) {
            let Some(why) = doubt(address, at, grounds) else {
                reasons.push(format!("{address} is the intruder's"));
                return MethodVerdict::Attacker;
            };
            reasons.push(format!("{address} counts as the intruder's, and yet {why}"));
            return MethodVerdict::Unknown;
        }
        if let Some(why) = is_users_own(address, at, grounds) {
            reasons.push(why);
            return MethodVerdict::Owner;
        }
        // An address that is nobody's yet: the session in which it was registered may tell.
        if around.iter().any(|row| is_intruders(row) && row.ip.parse() == Ok(address)) {
            reasons.push("the intruder was signed in from that address".to_owned());
            return MethodVerdict::Attacker;
        }
    }
    // Whoever was at the page for security information did it; sign-ins beside it are beside it.
    let at_page: Vec<&SignIn> = around.iter().copied().filter(|row| is_security_page(row)).collect();
    let near = if at_page.is_empty() { around } else { at_page };
    let (intruders, others): (Vec<&SignIn>, Vec<&SignIn>) =
        near.into_iter().partition(|row| is_intruders(row));
    match (intruders.first(), others.first()) {
        (Some(row), None) => {
            reasons.push(format!(
                "only the intruder was signed in around it ({} at {})",
                row.ip,
                shown(row.at)
            ));
            MethodVerdict::Attacker
        }
        (Some(_), Some(_)) => {
            reasons.push("both the intruder and the user were signed in around it".to_owned());
            MethodVerdict::Unknown
        }
        (None, Some(row)) if row.compliant => {
            reasons.push(format!(
                "the user was signed in around it on a compliant device ({} at {})",
                row.ip,
                shown(row.at)
            ));
            MethodVerdict::Owner
        }
        (None, _) if is_older(at, grounds) => {
            reasons.push("it is older than the compromise".to_owned());
            MethodVerdict::UnknownOld
        }
        (None, _) => {
            reasons.push("nothing tells who registered it".to_owned());
            MethodVerdict::Unknown
        }
    }
}

/// Whether a sign-in is to where security information is changed (policy-logs-auth.md 5.4, step 4).
fn is_security_page(row: &SignIn) -> bool {
    row.app_id.as_deref().is_some_and(|id| SECURITY_PAGES.iter().any(|page| page.eq_ignore_ascii_case(id)))
}

/// Judges a method that has no date, and that no record speaks of.
fn without_record(grounds: &Grounds<'_>, reasons: &mut Vec<String>) -> MethodVerdict {
    if grounds.audits.read().is_none() {
        return MethodVerdict::Unknown;
    }
    reasons.push(format!("no record of its registration since {}", shown(grounds.window.from)));
    older_by_window(grounds, reasons)
}

/// No record within a window that begins before the compromise: it is older than the window.
fn older_by_window(grounds: &Grounds<'_>, reasons: &mut Vec<String>) -> MethodVerdict {
    match grounds.since {
        Some(since) if grounds.window.from < since => MethodVerdict::UnknownOld,
        Some(_) => {
            reasons.push("the log does not reach back to the compromise".to_owned());
            MethodVerdict::Unknown
        }
        None if grounds.sign_ins.is_empty() => {
            reasons.push("no sign-in was read, so it is not known since when".to_owned());
            MethodVerdict::Unknown
        }
        None => MethodVerdict::UnknownOld,
    }
}

fn is_older(at: Timestamp, grounds: &Grounds<'_>) -> bool {
    grounds.since.is_some_and(|since| at.saturating_add(SLACK).is_ok_and(|later| later < since))
}

/// What speaks against a deed from the intruder's address being the intruder's.
pub(super) fn doubt(address: IpAddr, at: Timestamp, grounds: &Grounds<'_>) -> Option<String> {
    is_users_own(address, at, grounds)
        .or_else(|| is_older(at, grounds).then(|| "it is older than the compromise".to_owned()))
}

/// Whether an address is the intruder's for certain.
pub(super) fn is_indicator(address: IpAddr, indicators: &[Indicator]) -> bool {
    indicators.iter().filter(|own| own.is_certain()).any(|own| {
        matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range)
            && own.value.parse::<CidrBlock>().is_ok_and(|block| block.contains(address))
    })
}

/// Why an address is the user's own: their compliant device was there, or they were on several days before.
fn is_users_own(address: IpAddr, at: Timestamp, grounds: &Grounds<'_>) -> Option<String> {
    let from_there: Vec<&SignIn> =
        grounds.sign_ins.iter().filter(|row| row.error_code == 0 && row.ip.parse() == Ok(address)).collect();
    if from_there.iter().any(|row| row.has_compliant_device()) {
        return Some(format!("{address} is where the user's own compliant device signs in"));
    }
    let mut days: Vec<i64> = from_there
        .iter()
        .filter(|row| row.at <= at && !grounds.intruder.contains(&row.id))
        .map(|row| row.at.as_second() / 86_400)
        .collect();
    days.sort_unstable();
    days.dedup();
    (days.len() >= 3).then(|| format!("the user signed in from {address} on {} days before", days.len()))
}

#[cfg(test)]
mod stories;
