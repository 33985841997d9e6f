//! Whose each device is: the intruder's, where it was registered from the intruder's address or in the intruder's
//! session, or signs in there. Devices that the company has in hand stay.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::SignedDuration;
use serde_json::json;

use super::whose::{Deed, SignIns};
use crate::case::{Activity, AuditActor, Case, Device, Judged, Look, MethodVerdict, SignIn};
use crate::domain::{CidrBlock, shown};
use crate::graph::{Reader, settled};
use crate::guard::is_microsofts;
use crate::plan::KnownThing;

/// The app id of the service that devices register with.
const REGISTRATION_SERVICE: &str = "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9";
/// Records of a registration stand this near to the date on the device.
const NEAR_RECORD: SignedDuration = SignedDuration::from_mins(15);
/// Devices registered so long before the compromise are not looked up one by one.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// So many devices are looked up at most; nobody registers more by hand.
const MOST_LOOKED_UP: usize = 20;

/// What is read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// The devices that the user owns or has registered.
    pub devices: Look<Vec<Device>>,
    /// The records of each device that came lately, by object id.
    pub activities: BTreeMap<String, Look<Vec<Activity>>>,
    /// What the user did in the directory.
    pub by_user: Look<Vec<Activity>>,
}

/// Reads what the finder needs; what fails is unread, and nothing else waits for it.
pub async fn read(graph: &Reader, case: &Case) -> Devices {
    let from = case.evidence.window.from;
    let (devices, by_user) =
        tokio::join!(graph.devices_of(&case.subject.id), graph.activities_by(&case.subject.id, from));
    let (devices, by_user) = (settled(devices), settled(by_user));
    let mut activities = BTreeMap::new();
    let begin = case.since.unwrap_or(from).saturating_sub(BEFORE).unwrap_or(from);
    let mut late: Vec<&Device> = devices
        .read()
        .into_iter()
        .flatten()
        .filter(|own| own.registered_at.is_none_or(|at| at >= begin))
        .collect();
    late.sort_by_key(|own| std::cmp::Reverse(own.registered_at));
    for device in late.into_iter().take(MOST_LOOKED_UP) {
        activities.insert(device.id.clone(), settled(graph.activities_about(&device.id, from).await));
    }
    Devices { devices, activities, by_user }
}

/// A device by what it signs in as and whether it may.
pub fn known(device: &Device) -> KnownThing {
    let is_disabled = device.enabled == Some(false);
    KnownThing::new(&device.id, &json!({ "device": device.device_id, "disabled": is_disabled }))
}

/// Judges every device.
pub fn judge(devices: &[Device], found: &Devices, case: &Case) -> Vec<Judged<Device>> {
    let sign_ins = SignIns::of(case);
    devices.iter().map(|device| judge_one(device, found, &sign_ins)).collect()
}

fn judge_one(device: &Device, found: &Devices, sign_ins: &SignIns<'_>) -> Judged<Device> {
    let mut reasons = Vec::new();
    if let Some(at) = device.registered_at {
        reasons.push(format!("registered {}, by its own date", shown(at)));
    }
    let by_use = by_use(device, sign_ins, &mut reasons);
    let by_deed = by_registration(device, found, sign_ins, &mut reasons);
    let mut verdict = match (by_use, by_deed) {
        // Where it signs in and how it came must not tell against each other; and what is older than the compromise was
        // not registered by the intruder, whoever uses its id now.
        (Some(MethodVerdict::Attacker), MethodVerdict::Owner | MethodVerdict::UnknownOld)
        | (Some(MethodVerdict::Owner), MethodVerdict::Attacker) => MethodVerdict::Unknown,
        (_, MethodVerdict::Attacker) | (Some(MethodVerdict::Attacker), _) => MethodVerdict::Attacker,
        (Some(MethodVerdict::Owner), _) | (_, MethodVerdict::Owner) => MethodVerdict::Owner,
        (_, other) => other,
    };
    if device.is_companys() {
        reasons.push("the company has it in hand: it is compliant, managed or owned by it".to_owned());
        verdict = match verdict {
            // The intruder's all the same, it may be: a device that enrolled itself. A person looks.
            MethodVerdict::Attacker => MethodVerdict::Unknown,
            MethodVerdict::Unknown => MethodVerdict::Owner,
            other => other,
        };
    }
    Judged { object: device.clone(), verdict, reasons }
}

/// Judges a device by who signs in on it.
fn by_use(device: &Device, sign_ins: &SignIns<'_>, reasons: &mut Vec<String>) -> Option<MethodVerdict> {
    let is_its = |row: &&SignIn| {
        !device.device_id.is_empty()
            && row.device_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&device.device_id))
    };
    let intruder = sign_ins.intruders().find(is_its);
    let own = sign_ins.others().filter(is_its).find_map(|row| {
        if row.has_compliant_device() {
            return Some(format!("the user signs in on it, and it is compliant ({})", shown(row.at)));
        }
        sign_ins
            .own_address(row.ip.parse().ok()?, row.at)
            .map(|why| format!("the user signs in on it: {why}"))
    });
    match (intruder, own) {
        (Some(row), None) => {
            reasons.push(format!("the intruder signs in on it ({} at {})", row.ip, shown(row.at)));
            Some(MethodVerdict::Attacker)
        }
        (Some(row), Some(why)) => {
            reasons.push(why);
            reasons.push(format!("and a sign-in on it is the intruder's ({} at {})", row.ip, shown(row.at)));
            Some(MethodVerdict::Unknown)
        }
        (None, Some(why)) => {
            reasons.push(why);
            Some(MethodVerdict::Owner)
        }
        (None, None) => None,
    }
}

/// Judges a device by how it was registered.
fn by_registration(
    device: &Device,
    found: &Devices,
    sign_ins: &SignIns<'_>,
    reasons: &mut Vec<String>,
) -> MethodVerdict {
    let about = found.activities.get(&device.id);
    if let Some(Look::Unread { why }) = about {
        reasons.push(format!("the audit log was not read: {why}"));
    }
    let own = about.and_then(Look::read).into_iter().flatten();
    let users = found.by_user.read().into_iter().flatten().filter(|record| record.is_about(&device.id));
    let mut records: Vec<&Activity> = own.chain(users).filter(|record| is_registration(record)).collect();
    records.sort_by_key(|record| record.at);
    let at = device.registered_at.or_else(|| records.first().map(|record| record.at));
    let is_unread = about.is_some_and(|look| look.unread().is_some()) || found.by_user.unread().is_some();
    let Some(at) = at else {
        // A log that was not read says nothing of what is older than it.
        return if is_unread { MethodVerdict::Unknown } else { sign_ins.without_record(reasons) };
    };
    let near = |record: &&&Activity| record.at.duration_since(at).abs() <= NEAR_RECORD;
    let ip = records.iter().filter(near).find_map(|record| address_of(record));
    if let Some(record) = records.iter().find(near) {
        reasons.push(format!("the audit log has `{}` of {}", record.name, shown(record.at)));
    }
    let fits = |row: &SignIn| {
        row.resource_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(REGISTRATION_SERVICE))
            || &*row.resource == "Device Registration Service"
    };
    if sign_ins.is_before(at) {
        reasons.push("it is older than the compromise".to_owned());
        return MethodVerdict::UnknownOld;
    }
    sign_ins.whose(&Deed { at, ip, fits: &fits }, reasons)
}

fn is_registration(record: &Activity) -> bool {
    let name = record.name.to_lowercase();
    record.succeeded
        && [
            "register device",
            "add device",
            "add registered owner to device",
            "add registered users to device",
        ]
        .iter()
        .any(|word| name.starts_with(word))
}

/// The person's address in a record: a service's own is none.
fn address_of(record: &Activity) -> Option<IpAddr> {
    // What Core Directory logs is the address of a service (policy-logs-auth.md 5.5).
    if record.logged_by == "Core Directory" {
        return None;
    }
    let AuditActor::User { ip: Some(ip), .. } = &record.actor else { return None };
    let address: IpAddr = ip.parse().ok()?;
    (!is_microsofts(&CidrBlock::single(address))).then_some(address)
}

#[cfg(test)]
mod tests;
