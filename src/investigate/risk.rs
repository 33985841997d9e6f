//! What Identity Protection has detected, borne by the sign-ins that it is about: the log itself shows risk late, and
//! nothing of what was found offline.

use std::collections::HashMap;
use std::sync::Arc;

use super::signals::level_weight;
use crate::case::{RiskDetection, SignIn};

/// Adds what was detected about each row to it. What somebody has said to be nothing adds nothing.
pub(super) fn bear(rows: &mut [SignIn], detections: &[RiskDetection]) {
    let mut about: HashMap<&str, Vec<&RiskDetection>> = HashMap::new();
    for own in detections.iter().filter(|own| !own.is_excused()) {
        if let Some(id) = own.sign_in.as_deref() {
            about.entry(id).or_default().push(own);
        }
    }
    if about.is_empty() {
        return;
    }
    for row in rows {
        for own in about.get(row.id.as_str()).into_iter().flatten() {
            if !own.kind.is_empty() && row.risk.events.iter().all(|event| **event != *own.kind) {
                row.risk.events.push(Arc::from(own.kind.as_str()));
            }
            if level_weight(&own.level) > level_weight(&row.risk.level) {
                row.risk.level = Arc::from(own.level.as_str());
            }
            if own.state.eq_ignore_ascii_case("confirmedCompromised") {
                row.risk.state = Arc::from(own.state.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(kind: &str, level: &str, state: &str, row: Option<&str>) -> RiskDetection {
        RiskDetection {
            id: format!("{kind} {row:?}"),
            at: "2026-03-02T10:00:00Z".parse().unwrap(),
            kind: kind.to_owned(),
            level: level.to_owned(),
            state: state.to_owned(),
            address: None,
            sign_in: row.map(str::to_owned),
        }
    }

    #[test]
    fn a_sign_in_bears_what_was_detected_about_it_and_nothing_that_was_excused() {
        let row = |id: &str| SignIn::bare(id, "2026-03-02T10:00:00Z".parse().unwrap());
        let mut rows = [row("a"), row("b"), row("c")];
        let found = [
            detection("anomalousToken", "high", "atRisk", Some("a")),
            detection("unfamiliarFeatures", "low", "atRisk", Some("a")),
            detection("maliciousIPAddress", "high", "dismissed", Some("b")),
            detection("leakedCredentials", "high", "atRisk", None),
        ];
        bear(&mut rows, &found);
        bear(&mut rows, &found);
        let told: Vec<(usize, &str)> =
            rows.iter().map(|row| (row.risk.events.len(), &*row.risk.level)).collect();
        assert_eq!(told, [(2, "high"), (0, ""), (0, "")]);
    }
}
