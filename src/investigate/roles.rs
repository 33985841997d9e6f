//! Whose each directory role is: the intruder's, where it was given since the compromise began, by the account itself in
//! the intruder's session, from the intruder's address, or by somebody as whom the intruder was signed in. A role that was
//! held before is never theirs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::methods::is_indicator;
use super::whose::{Deed, SignIns};
use crate::case::{Activity, AuditActor, Case, Judged, Look, MethodVerdict, RoleAssignment, RoleVia, SignIn};
use crate::domain::{CidrBlock, UserId, shown};
use crate::graph::{Reader, SignInQuery, settled};
use crate::guard::is_microsofts;
use crate::plan::KnownThing;

/// Two services write one record each of one change; they stand this near to each other.
const NEAR_RECORD: SignedDuration = SignedDuration::from_mins(5);
/// Sign-ins of whoever gave a role this near to it belong to it.
const NEAR_SIGN_IN: SignedDuration = SignedDuration::from_mins(15);
/// So many roles that others gave are followed to them; nobody gives more by hand.
const MOST_FOLLOWED: usize = 5;
/// Where roles are given: the portal, and Graph's and Azure AD's PowerShell.
const ADMIN_APPS: [&str; 3] = [
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    "1b730954-1685-4b74-9bfd-dac224a7b894",
];
/// By which roles can be given: Global Administrator and Privileged Role Administrator.
const GIVING_ROLES: [&str; 2] =
    ["62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"];
/// The names that Privileged Identity Management acts by in others' stead.
const PRIVILEGED_IDENTITY_MANAGEMENT: [&str; 2] = ["MS-PIM", "Azure AD PIM"];

/// What is read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// The roles that the user holds, in whatever way.
    pub held: Look<Vec<RoleAssignment>>,
    /// What was done to the user in the directory; not read where no role is held.
    pub activities: Look<Vec<Activity>>,
    /// The sign-ins, around it, of whoever else gave a role, by the id of the record.
    pub givers: BTreeMap<String, Look<Vec<SignIn>>>,
    /// What was done to the groups through which roles are held, by the id of the group.
    pub groups: BTreeMap<String, Look<Vec<Activity>>>,
}

/// Reads what the finder needs; what fails is unread, and nothing else waits for it.
pub async fn read(graph: &Reader, case: &Case) -> Roles {
    let user = &case.subject.id;
    let held = settled(graph.role_assignments_of(user).await);
    let activities = match &held {
        Look::Read(held) if held.is_empty() => Look::Read(Vec::new()),
        _ => settled(graph.activities_about(user.as_str(), case.evidence.window.from).await),
    };
    let mut givers = BTreeMap::new();
    let followed = held.read().into_iter().flatten().filter_map(|role| {
        let record = record_of(role, activities.read()?)?;
        let giver = other_giver(record, case)?;
        (!SignIns::of(case).is_before(record.at)).then_some((record, giver))
    });
    for (record, user) in followed.take(MOST_FOLLOWED) {
        let around = |span: SignedDuration| record.at.saturating_add(span).unwrap_or(record.at);
        let (from, to) = (around(-NEAR_SIGN_IN), around(NEAR_SIGN_IN));
        let query = SignInQuery { user: Some(user), ip: None, from, to: Some(to) };
        let log = settled(graph.sign_ins(&query).await);
        givers.insert(record.id.clone(), log.as_ref().map(|log| log.rows.clone()));
    }
    let mut groups = BTreeMap::new();
    for role in held.read().into_iter().flatten() {
        if let RoleVia::Group { id, .. } = &role.via
            && !groups.contains_key(id)
        {
            let about = settled(graph.activities_about(id, case.evidence.window.from).await);
            groups.insert(id.clone(), about);
        }
    }
    Roles { held, activities, givers, groups }
}

/// The record of a role being given; of two that stand together the one that names a person.
fn record_of<'a>(role: &RoleAssignment, activities: &'a [Activity]) -> Option<&'a Activity> {
    let given = activities.iter().filter(|record| is_giving(record, role));
    let newest = given.clone().max_by_key(|record| record.at)?;
    // One of the records names the person where the other names the service that did it.
    let is_persons = |record: &&Activity| {
        matches!(record.actor, AuditActor::User { .. })
            && record.at.duration_since(newest.at).abs() <= NEAR_RECORD
    };
    Some(given.clone().find(is_persons).unwrap_or(newest))
}

/// Who gave it, where that is another user whose id is told.
fn other_giver(record: &Activity, case: &Case) -> Option<UserId> {
    let AuditActor::User { id: Some(id), .. } = &record.actor else { return None };
    id.parse().ok().filter(|own| *own != case.subject.id)
}

/// A role by which it is and how it is held.
pub fn known(role: &RoleAssignment) -> KnownThing {
    KnownThing::new(&role.id, &json!({ "role": role.role_id, "via": role.via.word() }))
}

/// Judges every role.
pub fn judge(held: &[RoleAssignment], found: &Roles, case: &Case) -> Vec<Judged<RoleAssignment>> {
    let sign_ins = SignIns::of(case);
    held.iter()
        .map(|role| {
            let mut reasons = Vec::new();
            let verdict = match &found.activities {
                Look::Unread { why } => {
                    reasons.push(format!("the audit log was not read: {why}"));
                    MethodVerdict::Unknown
                }
                Look::Read(activities) => {
                    let is_twin = |own: &&RoleAssignment| {
                        own.role_id == role.role_id && own.via.word() == role.via.word()
                    };
                    let is_alone = held.iter().filter(is_twin).count() < 2;
                    let about = About { held, found, activities, case, sign_ins: &sign_ins };
                    let verdict = about.by_records(role, is_alone, &mut reasons);
                    about.by_group(role, verdict, &mut reasons)
                }
            };
            Judged { object: role.clone(), verdict, reasons }
        })
        .collect()
}

/// When a role was given, where the log has it.
pub fn given_at(role: &RoleAssignment, found: &Roles) -> Option<Timestamp> {
    let activities = found.activities.read().into_iter().flatten();
    activities.filter(|record| is_giving(record, role)).map(|record| record.at).max()
}

/// What a judgement rests on.
struct About<'a> {
    held: &'a [RoleAssignment],
    found: &'a Roles,
    activities: &'a [Activity],
    case: &'a Case,
    sign_ins: &'a SignIns<'a>,
}

impl About<'_> {
    fn by_records(&self, role: &RoleAssignment, is_alone: bool, reasons: &mut Vec<String>) -> MethodVerdict {
        let Some(record) = record_of(role, self.activities) else {
            return self.sign_ins.without_record(reasons);
        };
        reasons.push(format!("the audit log has `{}` of {}", record.name, shown(record.at)));
        if self.sign_ins.is_before(record.at) {
            reasons.push("it is older than the compromise".to_owned());
            return MethodVerdict::UnknownOld;
        }
        let taken = self.activities.iter().find(|own| own.at < record.at && is_taking(own, role));
        if let Some(taken) = taken {
            reasons.push(format!("it was taken away {}: the account had held it before", shown(taken.at)));
            return MethodVerdict::Unknown;
        }
        if !is_alone {
            reasons
                .push("the account holds the role twice, and which one was given cannot be told".to_owned());
            return MethodVerdict::Unknown;
        }
        self.by_giver(role, record, reasons)
    }

    /// Judges anew where the group through which a role is held came by it since the compromise: when the account came
    /// into the group says nothing then.
    fn by_group(
        &self,
        role: &RoleAssignment,
        verdict: MethodVerdict,
        reasons: &mut Vec<String>,
    ) -> MethodVerdict {
        let RoleVia::Group { id, name } = &role.via else { return verdict };
        if verdict == MethodVerdict::Attacker {
            return verdict;
        }
        let records = match self.found.groups.get(id) {
            Some(Look::Read(records)) => records.as_slice(),
            Some(Look::Unread { why }) => {
                reasons.push(format!("when the group `{name}` was given the role was not read: {why}"));
                return MethodVerdict::Unknown;
            }
            None => &[],
        };
        let ways =
            [RoleVia::Assignment, RoleVia::Eligibility].map(|via| RoleAssignment { via, ..role.clone() });
        let given = records.iter().find(|record| {
            ways.iter().any(|way| is_giving(record, way)) && !self.sign_ins.is_before(record.at)
        });
        let Some(record) = given else { return verdict };
        reasons.push(format!(
            "the group `{name}` was given the role {}, since the compromise: ask who did it",
            shown(record.at)
        ));
        MethodVerdict::Unknown
    }

    /// Whether the account could give the role: it holds another by which roles can be given, or may activate this one.
    fn could_give(&self, role: &RoleAssignment, at: Timestamp) -> bool {
        self.held.iter().filter(|own| own.id != role.id).any(|own| {
            let is_enough = GIVING_ROLES.iter().any(|id| id.eq_ignore_ascii_case(&own.template_id))
                || (role.via == RoleVia::Activation
                    && own.via == RoleVia::Eligibility
                    && own.role_id == role.role_id);
            is_enough && given_at(own, self.found).is_none_or(|given| given < at)
        })
    }

    /// Judges by who gave it.
    fn by_giver(&self, role: &RoleAssignment, record: &Activity, reasons: &mut Vec<String>) -> MethodVerdict {
        let subject = &self.case.subject;
        let deed = |ip: Option<IpAddr>| Deed { at: record.at, ip, fits: &is_admins_page };
        match &record.actor {
            AuditActor::User { id, upn, ip } => {
                let address: Option<IpAddr> = ip.as_deref().and_then(|text| text.parse().ok());
                let intruders = address.filter(|own| is_indicator(*own, &self.case.indicators));
                let is_subject = match (id, upn) {
                    (Some(id), _) => id.eq_ignore_ascii_case(subject.id.as_str()),
                    (None, Some(upn)) => upn.eq_ignore_ascii_case(subject.upn.as_str()),
                    (None, None) => false,
                };
                if is_subject {
                    reasons.push("the account gave it to itself".to_owned());
                    let usable = intruders.or(address.filter(|own| is_persons_own(*own, record)));
                    return self.sign_ins.whose(&deed(usable), reasons);
                }
                let by = upn.clone().or_else(|| id.clone()).unwrap_or_else(|| "somebody".to_owned());
                let Some(address) = intruders else { return self.by_company(record, &by, reasons) };
                let doubt =
                    self.sign_ins.doubt(address, record.at).or_else(|| self.givers_own(record, &by, address));
                if let Some(why) = doubt {
                    reasons.push(format!(
                        "given by {by} from {address}, which counts as the intruder's, and yet {why}: ask them"
                    ));
                    return MethodVerdict::Unknown;
                }
                reasons.push(format!("given by {by} from {address}, which is the intruder's"));
                MethodVerdict::Attacker
            }
            AuditActor::App { name } if !PRIVILEGED_IDENTITY_MANAGEMENT.contains(&name.as_str()) => {
                reasons.push(format!("given by the app `{name}` since the compromise"));
                MethodVerdict::Unknown
            }
            AuditActor::App { .. } | AuditActor::Unknown => {
                reasons.push("the record does not say by whom".to_owned());
                if !self.could_give(role, record.at) {
                    reasons.push(
                        "the account holds no other role by which it could have given it to itself: ask who did it"
                            .to_owned(),
                    );
                    return MethodVerdict::Unknown;
                }
                self.sign_ins.whose(&deed(None), reasons)
            }
        }
    }

    /// Why an address is the giver's own: a compliant device of theirs signed in from there around it.
    fn givers_own(&self, record: &Activity, by: &str, address: IpAddr) -> Option<String> {
        let rows = self.found.givers.get(&record.id)?.read()?;
        let is_theirs = rows.iter().any(|row| {
            row.error_code == 0 && row.has_compliant_device() && row.ip.trim().parse() == Ok(address)
        });
        is_theirs.then(|| format!("{by} signed in from there on a compliant device"))
    }

    /// Judges by who was signed in as the giver around it: an administrator's account may be the intruder's as well.
    fn by_company(&self, record: &Activity, by: &str, reasons: &mut Vec<String>) -> MethodVerdict {
        let rows = match self.found.givers.get(&record.id) {
            Some(Look::Read(rows)) => rows.as_slice(),
            Some(Look::Unread { why }) => {
                reasons.push(format!("given by {by}, whose sign-ins were not read: {why}"));
                return MethodVerdict::Unknown;
            }
            None => &[],
        };
        let near: Vec<&SignIn> = rows
            .iter()
            .filter(|row| row.error_code == 0 && row.at.duration_since(record.at).abs() <= NEAR_SIGN_IN)
            .collect();
        let at_page: Vec<&SignIn> = near.iter().copied().filter(|row| is_admins_page(row)).collect();
        // Where roles are given they were given; sign-ins beside that are beside it.
        let (intruders, others): (Vec<&SignIn>, Vec<&SignIn>) =
            if at_page.is_empty() { near } else { at_page }.into_iter().partition(|row| {
                row.ip.parse().is_ok_and(|address| is_indicator(address, &self.case.indicators))
            });
        match (intruders.first(), others.first()) {
            (Some(row), None) => {
                reasons.push(format!(
                    "given by {by}, as whom only the intruder was signed in then ({} at {})",
                    row.ip,
                    shown(row.at)
                ));
                MethodVerdict::Attacker
            }
            (Some(row), Some(_)) => {
                reasons.push(format!(
                    "given by {by}, as whom both the intruder ({}) and somebody else were signed in then",
                    row.ip
                ));
                MethodVerdict::Unknown
            }
            (None, _) => {
                reasons.push(format!("given by {by} since the compromise: ask them"));
                MethodVerdict::Unknown
            }
        }
    }
}

/// Whether a record is of the role being given, in the way in which it is held.
fn is_giving(record: &Activity, role: &RoleAssignment) -> bool {
    let name = record.name.to_lowercase();
    if !record.succeeded || !name.starts_with("add ") {
        return false;
    }
    match &role.via {
        RoleVia::Group { id, name: group } => {
            name.starts_with("add member to group") && names(record, "Group", &[id], group)
        }
        via => {
            // `Add member to role`, `Add scoped member to role`, `Add eligible member to role in PIM completed (permanent)`
            name.contains("member to role")
                && name.contains("eligible") == (*via == RoleVia::Eligibility)
                && names(record, "Role", &[&role.role_id, &role.template_id], &role.name)
        }
    }
}

fn is_taking(record: &Activity, role: &RoleAssignment) -> bool {
    let name = record.name.to_lowercase();
    if !record.succeeded || !name.starts_with("remove ") {
        return false;
    }
    match &role.via {
        RoleVia::Group { id, name: group } => {
            name.starts_with("remove member from group") && names(record, "Group", &[id], group)
        }
        _ => {
            name.contains("member from role")
                && names(record, "Role", &[&role.role_id, &role.template_id], &role.name)
        }
    }
}

/// Whether a record names an object: as what it is about, or by what it has changed.
fn names(record: &Activity, kind: &str, ids: &[&String], name: &str) -> bool {
    let is_id = |text: &str| ids.iter().any(|id| id.eq_ignore_ascii_case(text));
    let property = |key: &str| record.new_value(&format!("{kind}.{key}"));
    let has_id = ["TemplateId", "ObjectID"].into_iter().filter_map(property).any(is_id);
    has_id
        || record.targets.iter().any(|own| {
            own.id.as_deref().is_some_and(is_id) || (own.kind == kind && !name.is_empty() && own.name == name)
        })
        || (!name.is_empty() && property("DisplayName") == Some(name))
}

/// Whether the address of a record is the person's: a service's own is none (policy-logs-auth.md 5.5).
fn is_persons_own(address: IpAddr, record: &Activity) -> bool {
    record.logged_by != "Core Directory" && !is_microsofts(&CidrBlock::single(address))
}

fn is_admins_page(row: &SignIn) -> bool {
    row.app_id.as_deref().is_some_and(|id| ADMIN_APPS.iter().any(|own| own.eq_ignore_ascii_case(id)))
}

#[cfg(test)]
mod tests;
