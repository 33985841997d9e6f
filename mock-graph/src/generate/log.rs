//! What logs do to rows: late, twice, in any order, masked, with values that nobody knows.

use serde_json::{Value, json};

use super::moment::HOUR;
use super::network::Line;
use super::story::{Entry, Hand, Story};
use super::twist::Twist;

/// Spoils the logs as far as the case says.
pub(super) fn spoil(story: &mut Story) {
    if story.has(Twist::UnknownValues) {
        invent_values(story);
    }
    if story.has(Twist::Masked) {
        mask(story);
    }
    story.sign_ins.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    story.audits.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    if story.has(Twist::LateDetails) {
        for entry in story.sign_ins.iter_mut().take(3) {
            entry.value = unripe(&entry.value);
        }
    }
    if story.has(Twist::OutOfOrder) {
        let Story { chance, sign_ins, audits, .. } = story;
        chance.shuffle(sign_ins);
        chance.shuffle(audits);
    }
    if story.has(Twist::Doubled) {
        double(story);
    }
}

fn set(value: &mut Value, pointer: &str, to: Value) {
    if let Some(found) = value.pointer_mut(pointer) {
        *found = to;
    }
}

/// The row as it first arrives: what came of the second factor and of the policies is not aggregated yet.
fn unripe(row: &Value) -> Value {
    let mut row = row.clone();
    set(&mut row, "/authenticationDetails", json!([]));
    set(&mut row, "/status/additionalDetails", json!(null));
    set(&mut row, "/appliedConditionalAccessPolicies", json!([]));
    if row.get("riskState") == Some(&json!("atRisk")) {
        set(&mut row, "/riskState", json!("none"));
        set(&mut row, "/riskLevelDuringSignIn", json!("none"));
        set(&mut row, "/riskLevelAggregated", json!("none"));
        set(&mut row, "/riskEventTypes_v2", json!([]));
    }
    row
}

/// Each copy comes before the riper one, which the file holds later.
fn double(story: &mut Story) {
    let mut left = 6;
    let mut rows: Vec<Entry> = Vec::new();
    for entry in story.sign_ins.drain(..) {
        let twice = left > 0 && (matches!(entry.hand, Hand::Intruder(_)) || story.chance.percent(8));
        if twice {
            left -= 1;
            rows.push(Entry { value: unripe(&entry.value), ..entry.clone() });
        }
        rows.push(entry);
    }
    story.sign_ins = rows;
}

/// Masks a few of many rows, never all of an address.
fn mask(story: &mut Story) {
    let mut left = (2, 1);
    let seen: Vec<(String, Hand)> =
        story.sign_ins.iter().map(|entry| (entry.ip.clone(), entry.hand.clone())).collect();
    for entry in &mut story.sign_ins {
        let often = seen.iter().filter(|(ip, hand)| *ip == entry.ip && *hand == entry.hand).count() > 2;
        let turn = match entry.hand {
            Hand::Intruder(_) => &mut left.1,
            _ => &mut left.0,
        };
        let Some(masked) = Line::masked(&entry.ip).filter(|_| often && *turn > 0) else { continue };
        if !story.chance.percent(25) {
            continue;
        }
        *turn -= 1;
        set(&mut entry.value, "/ipAddress", json!(masked));
        if entry.value.pointer("/deviceDetail/deviceId") != Some(&json!("")) {
            set(&mut entry.value, "/deviceDetail/displayName", json!("PII Removed"));
        }
    }
}

fn invent_values(story: &mut Story) {
    const NEW: [(&str, &str); 6] = [
        ("/incomingTokenType", "unknownFutureValue"),
        ("/riskState", "unknownFutureValue"),
        ("/conditionalAccessStatus", "partiallyApplied"),
        ("/authenticationProtocol", "nativeAuth2"),
        ("/clientAppUsed", "Ambient Client"),
        ("/userType", "agentUser"),
    ];
    for entry in &mut story.sign_ins {
        if story.chance.percent(12) {
            let (pointer, value) = story.chance.pick(&NEW);
            set(&mut entry.value, pointer, json!(value));
        }
    }
    let Some(victim) = story.person(0) else { return };
    let id = story.chance.opaque(22);
    let made = story.now.day(200).plus(9 * HOUR);
    story.truth.of(&victim.upn).keep_methods.insert(id.clone());
    story.more_methods.entry(victim.id).or_default().push(json!({
        "@odata.type": "#microsoft.graph.palmVeinAuthenticationMethod", "id": id, "displayName": "Reception desk",
        "createdDateTime": made.text()
    }));
}
