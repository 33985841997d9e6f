//! Faults as data: which requests go wrong, and how. README.md lists the kinds.

pub mod answers;
pub mod bodies;
pub mod kinds;
pub mod refusals;

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde::Deserialize;

pub use kinds::Fault;

/// The rules of a PUT.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultFile {
    /// Seed of what is left to chance.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The rules, first match wins.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Method; left out: any.
    #[serde(default)]
    pub method: Option<String>,
    /// Glob over the path without query; `*` spans slashes. Left out: any.
    #[serde(default)]
    pub path: Option<String>,
    /// The first match that goes wrong, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many from there on; `null` for ever.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// How likely each of them goes wrong.
    #[serde(default = "certain")]
    pub probability: f64,
    /// What goes wrong.
    pub fault: Fault,
    /// Matches seen so far.
    #[serde(skip)]
    matched: u64,
}

fn one() -> u64 {
    1
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "serde's default has the field's type: null and left out differ"
)]
fn once() -> Option<u64> {
    Some(1)
}

fn certain() -> f64 {
    1.0
}

/// The rules in force, with what they have counted.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    /// Takes new rules; the counts begin anew.
    pub fn replace(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
    }

    /// What goes wrong with this request, if anything.
    pub fn hit(&mut self, method: &str, path: &str, random: &mut StdRng) -> Option<Fault> {
        let mut hit = None;
        for rule in &mut self.rules {
            let matches = rule.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
                && rule.path.as_ref().is_none_or(|glob| fits(glob, path));
            if !matches {
                continue;
            }
            rule.matched += 1;
            let last = rule.times.map_or(u64::MAX, |times| rule.nth.saturating_add(times).saturating_sub(1));
            let is_due = rule.matched >= rule.nth && rule.matched <= last;
            if hit.is_none()
                && is_due
                && (rule.probability >= 1.0 || random.random::<f64>() < rule.probability)
            {
                hit = Some(rule.fault.clone());
            }
        }
        hit
    }
}

/// Whether a glob fits the whole text; `*` stands for any text, slashes too.
fn fits(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn globs_span_slashes_and_fit_the_whole_path() {
        assert!(fits("/v1.0/identity/*", "/v1.0/identity/conditionalAccess/policies"));
        assert!(fits("/v1.0/users/*/revokeSignInSessions", "/v1.0/users/x/revokeSignInSessions"));
        assert!(!fits("/v1.0/users/*/revoke", "/v1.0/users/x/revokeSignInSessions"));
        assert!(!fits("/v1.0/users", "/v1.0/users/x"));
    }

    #[test]
    fn a_rule_counts_its_matches_and_ends() {
        let file: FaultFile = serde_json::from_value(json!({ "rules": [
            { "method": "PATCH", "nth": 2, "times": 2, "fault": { "kind": "throttle", "retryAfter": 1 } }
        ] }))
        .unwrap();
        let mut faults = Faults::default();
        faults.replace(file.rules);
        let mut random = StdRng::seed_from_u64(1);
        let hits: Vec<bool> = (0..5).map(|_| faults.hit("PATCH", "/v1.0/x", &mut random).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.hit("GET", "/v1.0/x", &mut random).is_none());
    }

    #[test]
    fn an_unknown_key_or_kind_names_itself() {
        for (rule, name) in [
            (json!({ "fault": { "kind": "throtle" } }), "throtle"),
            (json!({ "pth": "/x", "fault": { "kind": "expire_token" } }), "pth"),
            (json!({ "fault": { "kind": "throttle", "retry_after": 1 } }), "retry_after"),
            (json!({ "fault": { "kind": "delay", "ms": 1, "s": 2 } }), "s"),
            (json!({ "fault": { "kind": "reset_after_commit", "at": "tail" } }), "tail"),
            (json!({ "fault": { "kind": "foreign_edit", "list": "signIns", "id": "x" } }), "signIns"),
        ] {
            let error =
                serde_json::from_value::<FaultFile>(json!({ "rules": [rule] })).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
