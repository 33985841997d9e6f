//! What a perfect responder finds, for each victim and over all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::moment::Moment;
use super::twist::Twist;

/// What is one victim's.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) attacker_ips: BTreeSet<String>,
    pub(super) session_ids: BTreeSet<String>,
    pub(super) user_agents: BTreeSet<String>,
    pub(super) rogue_methods: BTreeSet<String>,
    pub(super) keep_methods: BTreeSet<String>,
    pub(super) rogue_rules: BTreeSet<String>,
    pub(super) keep_rules: BTreeSet<String>,
    pub(super) rogue_grants: BTreeSet<String>,
    pub(super) keep_grants: BTreeSet<String>,
    /// Service principals of the grants.
    pub(super) rogue_apps: BTreeSet<String>,
    pub(super) rogue_devices: BTreeSet<String>,
    pub(super) keep_devices: BTreeSet<String>,
    pub(super) rogue_roles: BTreeSet<String>,
    pub(super) recipients: BTreeSet<String>,
    pub(super) since: Option<Moment>,
}

impl Findings {
    /// Notes that the intruder was seen.
    pub(super) fn saw(&mut self, at: Moment) {
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
    }

    fn lists(&self) -> [(&'static str, &BTreeSet<String>); 14] {
        [
            ("attackerIps", &self.attacker_ips),
            ("sessionIds", &self.session_ids),
            ("userAgents", &self.user_agents),
            ("rogueMethods", &self.rogue_methods),
            ("keepMethods", &self.keep_methods),
            ("rogueRules", &self.rogue_rules),
            ("keepRules", &self.keep_rules),
            ("rogueGrants", &self.rogue_grants),
            ("keepGrants", &self.keep_grants),
            ("rogueApps", &self.rogue_apps),
            ("rogueDevices", &self.rogue_devices),
            ("keepDevices", &self.keep_devices),
            ("rogueRoles", &self.rogue_roles),
            ("recipients", &self.recipients),
        ]
    }

    fn value(&self) -> Map<String, Value> {
        let mut entries: Map<String, Value> =
            self.lists().into_iter().map(|(key, list)| (key.to_owned(), json!(list))).collect();
        entries.insert("since".to_owned(), json!(self.since.map(Moment::text)));
        entries
    }
}

/// The truth of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    /// The one that is reported first.
    pub(super) victims: Vec<String>,
    pub(super) by_victim: BTreeMap<String, Findings>,
    /// Addresses that must never be acted on.
    pub(super) benign_ips: BTreeSet<String>,
    /// Addresses that tried, and did not get in.
    pub(super) tried_ips: BTreeSet<String>,
    /// What the records do not decide.
    pub(super) askable: BTreeSet<String>,
    pub(super) twists: BTreeSet<Twist>,
}

impl Truth {
    /// The findings of a user, who counts as a victim from here on.
    pub(super) fn of(&mut self, upn: &str) -> &mut Findings {
        self.by_victim.entry(upn.to_owned()).or_default()
    }

    pub(super) fn value(&self, kind: &str, seed: u64) -> Value {
        let mut all = Findings::default();
        for findings in self.by_victim.values() {
            let union = |mine: &mut BTreeSet<String>, theirs: &BTreeSet<String>| {
                mine.extend(theirs.iter().cloned());
            };
            union(&mut all.attacker_ips, &findings.attacker_ips);
            union(&mut all.session_ids, &findings.session_ids);
            union(&mut all.user_agents, &findings.user_agents);
            union(&mut all.rogue_methods, &findings.rogue_methods);
            union(&mut all.keep_methods, &findings.keep_methods);
            union(&mut all.rogue_rules, &findings.rogue_rules);
            union(&mut all.keep_rules, &findings.keep_rules);
            union(&mut all.rogue_grants, &findings.rogue_grants);
            union(&mut all.keep_grants, &findings.keep_grants);
            union(&mut all.rogue_apps, &findings.rogue_apps);
            union(&mut all.rogue_devices, &findings.rogue_devices);
            union(&mut all.keep_devices, &findings.keep_devices);
            union(&mut all.rogue_roles, &findings.rogue_roles);
            union(&mut all.recipients, &findings.recipients);
            if let Some(since) = findings.since {
                all.saw(since);
            }
        }
        let by_victim: Map<String, Value> = self
            .by_victim
            .iter()
            .map(|(upn, findings)| (upn.clone(), Value::Object(findings.value())))
            .collect();
        let mut entries = all.value();
        let rest = json!({
            "kind": kind, "seed": seed, "victims": self.victims, "byVictim": by_victim,
            "benignIps": self.benign_ips, "triedIps": self.tried_ips, "askable": self.askable,
            "twists": self.twists.iter().map(|twist| twist.name()).collect::<Vec<_>>()
        });
        if let Value::Object(rest) = rest {
            entries.extend(rest);
        }
        Value::Object(entries)
    }
}
