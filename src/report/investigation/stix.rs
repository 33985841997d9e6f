//! Indicators as a STIX 2.1 bundle, for threat intelligence platforms
//! ([STIX 2.1](https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html), 4.7 and 9).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::InvestigationReport;
use crate::case::{Confidence, Indicator, IndicatorKind};
use crate::domain::{CidrBlock, inert_whole};

/// The namespace of our own ids: the same indicator has the same id in every bundle.
const NAMESPACE: Uuid = Uuid::from_u128(0x9c0a_6a44_3f0e_4c1d_8b55_6a1f_0d5c_77e2);

/// Makes the bundle. What STIX has no pattern for (a session, a method, a device of the tenant's) is left out.
pub fn stix_bundle(report: &InvestigationReport) -> Value {
    let made_at = stamp(report.window.to);
    let identity = format!("identity--{}", id_of("identity", "stanch"));
    let mut objects = vec![json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": identity,
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": "stanch",
        "identity_class": "system",
    })];
    for own in &report.indicators {
        let Some(pattern) = pattern(own) else { continue };
        let first = own.first_seen.or(report.since).unwrap_or(report.window.to);
        objects.push(json!({
            "type": "indicator",
            "spec_version": "2.1",
            "id": format!("indicator--{}", id_of("indicator", &format!("{} {pattern}", report.subject.id))),
            "created_by_ref": identity,
            "created": made_at,
            "modified": made_at,
            "name": inert_whole(&format!("{} {}", own.kind.label(), own.value)),
            "description": inert_whole(&own.reasons.join("; ")),
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "stix",
            "valid_from": stamp(first),
            "confidence": confidence(own.confidence),
        }));
    }
    let names: Vec<&str> = objects.iter().filter_map(|own| own.get("id")?.as_str()).collect();
    let bundle = id_of("bundle", &format!("{made_at} {}", names.join(" ")));
    json!({ "type": "bundle", "id": format!("bundle--{bundle}"), "objects": objects })
}

fn id_of(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind} {name}").as_bytes())
}

/// A moment as STIX spells it: UTC, milliseconds.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// How sure it is, on STIX's scale (appendix A): high, medium, low.
fn confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::High => 85,
        Confidence::Medium => 50,
        Confidence::Low => 15,
    }
}

fn pattern(own: &Indicator) -> Option<String> {
    match own.kind {
        IndicatorKind::Address | IndicatorKind::Range => {
            let block: CidrBlock = own.value.parse().ok()?;
            let kind = if block.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
            let value = if block.is_single() { block.network().to_string() } else { block.to_string() };
            let relation = if block.is_single() { "=" } else { "ISSUBSET" };
            Some(format!("[{kind}:value {relation} '{value}']"))
        }
        IndicatorKind::UserAgent => {
            let (relation, value) = if own.value.contains(['*', '?']) {
                ("LIKE", like(&own.value))
            } else {
                ("=", quoted(&own.value))
            };
            Some(format!(
                "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' {relation} '{value}']"
            ))
        }
        IndicatorKind::Session | IndicatorKind::Device | IndicatorKind::Method => None,
    }
}

/// A text within quotes of a pattern.
fn quoted(text: &str) -> String {
    inert_whole(text).replace('\\', "\\\\").replace('\'', "\\'")
}

/// A glob as a `LIKE` pattern.
fn like(glob: &str) -> String {
    let own = quoted(glob).replace('%', "\\\\%").replace('_', "\\\\_");
    own.replace('*', "%").replace('?', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indicator(kind: IndicatorKind, value: &str) -> Indicator {
        Indicator {
            kind,
            value: value.to_owned(),
            first_seen: None,
            last_seen: None,
            confidence: Confidence::High,
            reasons: Vec::new(),
        }
    }

    #[test]
    fn each_kind_that_stix_knows_has_its_pattern_and_no_value_breaks_out_of_it() {
        for (kind, value, wanted) in [
            (IndicatorKind::Address, "89.187.164.82", Some("[ipv4-addr:value = '89.187.164.82']")),
            (IndicatorKind::Address, "2a0b:f4c2:1::1a", Some("[ipv6-addr:value = '2a0b:f4c2:1::1a']")),
            (IndicatorKind::Range, "89.187.164.0/24", Some("[ipv4-addr:value ISSUBSET '89.187.164.0/24']")),
            (
                IndicatorKind::UserAgent,
                "x'] OR [y",
                Some(
                    "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'x\\'] OR [y']",
                ),
            ),
            (
                IndicatorKind::UserAgent,
                "node-fetch*",
                Some(
                    "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' LIKE 'node-fetch%']",
                ),
            ),
            (IndicatorKind::Session, "1f9b", None),
        ] {
            assert_eq!(pattern(&indicator(kind, value)).as_deref(), wanted, "{value}");
        }
    }

    #[test]
    fn the_same_indicator_has_the_same_id() {
        assert_eq!(id_of("indicator", "a"), id_of("indicator", "a"));
        assert_ne!(id_of("indicator", "a"), id_of("indicator", "b"));
        assert_eq!(id_of("indicator", "a").get_version_num(), 5);
    }
}
