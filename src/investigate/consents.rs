//! Whose each consent to an app is: the intruder's, where it was given in the intruder's session, or where the app acts
//! in the user's name from the intruder's places. What an app may do, who made it and since when it is known makes a
//! consent suspicious, and no more: users consent to new and unverified apps as well.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::whose::{Deed, SignIns};
use crate::case::{
    Activity, AppBrief, AppGrant, Case, Confidence, IndicatorKind, Judged, Look, MethodVerdict, SignIn,
};
use crate::domain::{CidrBlock, shown};
use crate::graph::{Reader, settled};
use crate::plan::KnownThing;

/// Sign-ins to an app this near to the consent are part of consenting.
const CONSENTING: SignedDuration = SignedDuration::from_mins(60);

/// What is read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consents {
    /// The grants: the user's own, and those for everyone of the same apps.
    pub grants: Look<Vec<AppGrant>>,
    /// What the user did in the directory.
    pub activities: Look<Vec<Activity>>,
}

/// Reads what the finder needs; what fails is unread, and nothing else waits for it.
pub async fn read(graph: &Reader, case: &Case) -> Consents {
    let user = &case.subject.id;
    let activities = settled(graph.activities_by(user, case.evidence.window.from).await);
    let mut apps: Vec<String> = Vec::new();
    for record in activities.read().into_iter().flatten().filter(|record| is_consent(record)) {
        let named = record.targets.iter().filter(|own| own.kind == "ServicePrincipal");
        // A grant is recorded on what it opens, a consent on the app: only the latter names the app first.
        if record.name.starts_with("Consent to application") {
            apps.extend(named.filter_map(|own| own.id.clone()));
        }
    }
    let grants = settled(graph.grants_of(user, &apps).await);
    Consents { grants, activities }
}

/// A grant by who may do what.
pub fn known(grant: &AppGrant) -> KnownThing {
    let mut scopes = grant.scopes.clone();
    scopes.sort();
    let state = json!({ "client": grant.client_id, "at": grant.resource_id, "scopes": scopes });
    KnownThing::new(&grant.id, &state)
}

/// Whether a record is of a consent. The same consent writes several, whose names do not always fit what they show
/// (policy-logs-auth.md 5.5).
fn is_consent(record: &Activity) -> bool {
    let name = record.name.to_lowercase();
    record.succeeded
        && ["consent to application", "delegated permission grant", "oauth2permissiongrant"]
            .iter()
            .any(|word| name.contains(word))
        && !name.starts_with("remove")
}

/// Whether a permission lets an app read or send mail, read files, or act as the user for long.
pub fn is_risky(scope: &str) -> bool {
    let scope = scope.to_ascii_lowercase();
    [
        "mail.",
        "mailboxsettings.",
        "files.",
        "sites.",
        "contacts.",
        "notes.",
        "chat.",
        "ews.",
        "imap.",
        "smtp.",
        "pop.",
    ]
    .iter()
    .any(|kind| scope.starts_with(kind))
        || scope.contains("accessasuser.all")
        || scope.contains("full_access_as_user")
        || (scope.split('.').any(|part| part == "readwrite") && scope.split('.').next_back() == Some("all"))
}

/// Judges every grant.
pub fn judge(grants: &[AppGrant], consents: &Consents, case: &Case) -> Vec<Judged<AppGrant>> {
    let sign_ins = SignIns::of(case);
    grants.iter().map(|grant| judge_one(grant, &consents.activities, &sign_ins, case)).collect()
}

fn judge_one(
    grant: &AppGrant,
    activities: &Look<Vec<Activity>>,
    sign_ins: &SignIns<'_>,
    case: &Case,
) -> Judged<AppGrant> {
    let mut reasons = Vec::new();
    let app = grant.app.read();
    let verdict = match activities {
        Look::Unread { why } => {
            reasons.push(format!("the audit log was not read: {why}"));
            MethodVerdict::Unknown
        }
        Look::Read(records) => {
            let first = records
                .iter()
                .filter(|record| is_consent(record) && is_of(record, grant))
                .map(|record| record.at)
                .min();
            by_consent(first, app, sign_ins, &mut reasons)
        }
    };
    let stranger = stranger(app, activities, grant);
    let without_suspicion: Vec<&SignIn> = sign_ins
        .others()
        .filter(|row| row.has_compliant_device() || suspicion(row, case).is_none())
        .collect();
    let by_use = by_use(app, activities, grant, sign_ins)
        .or_else(|| stranger.and_then(|app| by_suspect_use(app, activities, grant, case)));
    let verdict = match (by_use, verdict) {
        (Some(why), _) => {
            reasons.push(why);
            MethodVerdict::Attacker
        }
        // Whoever is led to consent does so at the own computer: that it was the user tells nothing of such an app.
        (None, MethodVerdict::Owner)
            if stranger.is_some_and(|app| !is_in_use(app, activities, grant, &without_suspicion)) =>
        {
            reasons.push(
                "the user let it in, as whoever is led to it does: nobody knows the app, and it may read or send mail or files"
                    .to_owned(),
            );
            MethodVerdict::Unknown
        }
        // An app of Microsoft's is asked about where the intruder consented to it, and never taken for one of theirs by
        // what it may do.
        (None, MethodVerdict::Unknown)
            if activities.read().is_some() && app.is_some_and(AppBrief::is_microsofts) =>
        {
            reasons.push("the app is Microsoft's own".to_owned());
            MethodVerdict::UnknownOld
        }
        (None, verdict) => verdict,
    };
    reasons.extend(signs(grant, app));
    Judged { object: grant.clone(), verdict, reasons }
}

/// Whether a record is of just this grant.
fn is_of(record: &Activity, grant: &AppGrant) -> bool {
    record.is_about(&grant.client_id)
        || record
            .new_value("ServicePrincipal.ObjectID")
            .is_some_and(|id| id.eq_ignore_ascii_case(&grant.client_id))
}

fn by_consent(
    at: Option<Timestamp>,
    app: Option<&AppBrief>,
    sign_ins: &SignIns<'_>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    let Some(at) = at else { return sign_ins.without_record(reasons) };
    reasons.push(format!("consented to {}", shown(at)));
    let fits = |row: &SignIn| app.is_some_and(|app| is_to(row, app));
    // The address in the record of a consent is Microsoft's, not the person's (policy-logs-auth.md 5.5).
    sign_ins.whose(&Deed { at, ip: None, fits: &fits }, reasons)
}

/// Whether a sign-in is to an app: by its id, which nobody chooses; by its name only where the log has no id.
fn is_to(row: &SignIn, app: &AppBrief) -> bool {
    match &row.app_id {
        Some(id) => id.eq_ignore_ascii_case(&app.app_id),
        None => !app.name.is_empty() && *row.app == *app.name,
    }
}

/// Why an app is the intruder's by where it acts from: in the user's name from the intruder's places, and never from the
/// user's, save for the moment in which the user was led to consent.
fn by_use(
    app: Option<&AppBrief>,
    activities: &Look<Vec<Activity>>,
    grant: &AppGrant,
    sign_ins: &SignIns<'_>,
) -> Option<String> {
    let app = app.filter(|app| !app.is_microsofts())?;
    let row = sign_ins.intruders().find(|row| is_to(row, app))?;
    let moments = moments(activities, grant);
    // Without its record it may have been there, and used, for years.
    if moments.is_empty() {
        return None;
    }
    let others: Vec<&SignIn> = sign_ins.others().collect();
    (!is_in_use(app, activities, grant, &others)).then(|| {
        format!(
            "it signs in as the user from {}, which is the intruder's, and the user does not use it",
            row.ip
        )
    })
}

/// Whether the user goes on using an app after consenting to it, by the user's sign-ins.
fn is_in_use(app: &AppBrief, activities: &Look<Vec<Activity>>, grant: &AppGrant, own: &[&SignIn]) -> bool {
    let moments = moments(activities, grant);
    own.iter().any(|row| is_to(row, app) && !is_consenting(&moments, row.at))
}

/// How sure it is that a sign-in's address is the intruder's, where anything speaks for it.
fn suspicion(row: &SignIn, case: &Case) -> Option<Confidence> {
    let address: IpAddr = row.ip.parse().ok()?;
    let named = case.indicators.iter().filter(|own| own.kind == IndicatorKind::Address);
    named
        .filter(|own| own.value.parse::<CidrBlock>().is_ok_and(|block| block.contains(address)))
        .map(|own| own.confidence)
        .max()
}

/// When the user consented, by every record of it.
fn moments(activities: &Look<Vec<Activity>>, grant: &AppGrant) -> Vec<Timestamp> {
    let records = activities.read().into_iter().flatten();
    records.filter(|record| is_consent(record) && is_of(record, grant)).map(|record| record.at).collect()
}

fn is_consenting(moments: &[Timestamp], at: Timestamp) -> bool {
    moments.iter().any(|own| at.duration_since(*own).abs() <= CONSENTING)
}

/// The app, where it is one that nobody knows: it came to the tenant with this very consent, its publisher is not
/// verified, nobody else has it, and it may do harm.
fn stranger<'a>(
    app: Option<&'a AppBrief>,
    activities: &Look<Vec<Activity>>,
    grant: &AppGrant,
) -> Option<&'a AppBrief> {
    let app = app.filter(|app| !app.is_microsofts() && app.verified_publisher.is_none())?;
    let came = app.created_at?;
    let is_alone = grant.used_by.read().is_some_and(|own| !own.tenant_wide && own.others.is_empty());
    let is_new = is_consenting(&moments(activities, grant), came);
    let may_harm = grant.scopes.iter().any(|scope| is_risky(scope));
    (is_alone && is_new && may_harm && !grant.tenant_wide).then_some(app)
}

/// Why an app that nobody knows is the intruder's by sign-ins most of which are not certain by themselves: all that it does in
/// the user's name comes from places that are suspicious for reasons of their own, and one of them is the intruder's.
fn by_suspect_use(
    app: &AppBrief,
    activities: &Look<Vec<Activity>>,
    grant: &AppGrant,
    case: &Case,
) -> Option<String> {
    let moments = moments(activities, grant);
    let rows = case.evidence.sign_ins.read().map(Vec::as_slice).unwrap_or_default();
    let uses: Vec<&SignIn> = rows
        .iter()
        .filter(|row| row.error_code == 0 && is_to(row, app))
        .filter(|row| !(row.has_compliant_device() && is_consenting(&moments, row.at)))
        .collect();
    let is_suspicious = |row: &SignIn| !row.has_compliant_device() && suspicion(row, case).is_some();
    let worst = uses.iter().find(|row| suspicion(row, case) == Some(Confidence::High))?;
    uses.iter().all(|row| is_suspicious(row)).then(|| {
        format!(
            "nobody knows the app, and all that it does as the user comes from places that are suspicious, and one of them, {}, is the intruder's",
            worst.ip
        )
    })
}

/// What is to be known of an app and of what it may do.
fn signs(grant: &AppGrant, app: Option<&AppBrief>) -> Vec<String> {
    let mut signs = Vec::new();
    let risky: Vec<&str> = grant.scopes.iter().map(String::as_str).filter(|scope| is_risky(scope)).collect();
    if !risky.is_empty() {
        signs.push(format!("it may {}", risky.join(", ")));
    }
    if grant.scopes.iter().any(|scope| scope == "offline_access") {
        signs.push("it may go on without the user (offline_access)".to_owned());
    }
    match (app, grant.app.unread()) {
        (Some(app), _) => {
            if app.verified_publisher.is_none() && !app.is_microsofts() {
                signs.push("its publisher is not verified".to_owned());
            }
            if let Some(created) = app.created_at {
                signs.push(format!("the app came to the tenant {}", shown(created)));
            }
        }
        (None, Some(why)) => signs.push(format!("the app could not be read: {why}")),
        (None, None) => {}
    }
    if let Some(used_by) = grant.used_by.read() {
        match used_by.others.len() {
            0 if used_by.tenant_wide => signs.push("it was consented to for everyone".to_owned()),
            0 => signs.push("nobody else has consented to it".to_owned()),
            1 => signs.push("one other user has consented to it".to_owned()),
            count => signs.push(format!("{count} other users have consented to it")),
        }
    }
    signs
}

#[cfg(test)]
mod tests;
