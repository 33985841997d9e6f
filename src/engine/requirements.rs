//! What chosen playbooks need of a tenant: which permissions for which app, which licences, each with what for. Pure:
//! `setup`, `doctor`, the preview and the documents all take it from here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::config::Guards;
use crate::graph::{Licence, Reading, is_covered};
use crate::playbook::{BoundPlaybook, BoundStep, Playbook, StepCall};
use crate::steps::AnyStep;

/// Opens the whole directory to reading.
const WHOLE_DIRECTORY: &str = "Directory.Read.All";

/// What something is needed for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Purpose {
    /// Which step; none: every plan, or every apply.
    pub step: Option<String>,
    /// What it does with it, such as `to read the sign-in log`.
    pub what: String,
}

/// A permission that is needed, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The permission's name.
    pub permission: &'static str,
    /// What for.
    pub purposes: Vec<Purpose>,
}

impl Need {
    /// The steps that need it; empty where everything does.
    pub fn steps(&self) -> Vec<String> {
        if self.purposes.iter().any(|own| own.step.is_none()) {
            return Vec::new();
        }
        let mut steps: Vec<String> = Vec::new();
        for step in self.purposes.iter().filter_map(|own| own.step.as_ref()) {
            if !steps.contains(step) {
                steps.push(step.clone());
            }
        }
        steps
    }

    /// What it is for, in words: `always: to read users; block_ips: to read named locations`.
    pub fn words(&self) -> String {
        let mut by_deed: Vec<(&str, Vec<&str>)> = Vec::new();
        for purpose in &self.purposes {
            let step = purpose.step.as_deref().unwrap_or("always");
            match by_deed.iter_mut().find(|(what, _)| *what == purpose.what) {
                Some((_, steps)) => steps.push(step),
                None => by_deed.push((&purpose.what, vec![step])),
            }
        }
        let mut by_steps: Vec<(String, Vec<&str>)> = Vec::new();
        for (what, mut steps) in by_deed {
            // What is always done is done for each step too.
            if steps.contains(&"always") {
                steps = vec!["always"];
            }
            let steps = steps.join(", ");
            match by_steps.iter_mut().find(|(own, _)| *own == steps) {
                Some((_, deeds)) => deeds.push(what),
                None => by_steps.push((steps, vec![what])),
            }
        }
        let groups: Vec<String> =
            by_steps.iter().map(|(steps, deeds)| format!("{steps}: {}", deeds.join(", "))).collect();
        groups.join("; ")
    }
}

/// A licence that is needed, and by which steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenceNeed {
    /// Which.
    pub licence: Licence,
    /// The steps that Graph refuses without it.
    pub steps: Vec<String>,
    /// Whether a run without it cannot end contained.
    pub required: bool,
}

/// One step of a playbook, as far as its needs go.
#[derive(Clone, Debug, PartialEq)]
pub struct StepNeeds {
    /// The step's name.
    pub step: String,
    /// Its options; an input that is still open stands in them as it was written.
    pub options: Value,
    /// Whether a run is contained only with it.
    pub required: bool,
}

impl From<&BoundStep> for StepNeeds {
    fn from(step: &BoundStep) -> Self {
        Self { step: step.step.clone(), options: step.with.clone(), required: step.required }
    }
}

impl From<&StepCall> for StepNeeds {
    fn from(step: &StepCall) -> Self {
        Self { step: step.step.clone(), options: step.with.clone(), required: step.required }
    }
}

/// What chosen playbooks need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// What planning needs: of the observer, or of the responder where there is no observer.
    pub observer: Vec<Need>,
    /// What applying needs, of the responder.
    pub responder: Vec<Need>,
    /// Licences.
    pub licences: Vec<LicenceNeed>,
}

impl Requirements {
    /// What these steps need, under these guards.
    pub fn of(steps: &[StepNeeds], guards: &Guards) -> Self {
        let mut observer = Needs::default();
        let mut responder = Needs::default();
        for reading in Reading::OF_EVERY_PLAN {
            observer.add_reading(*reading, None);
        }
        for reading in Reading::OF_EVERY_APPLY {
            responder.add_reading(*reading, None);
        }
        if !guards.protected_groups.is_empty() {
            observer.add("GroupMember.Read.All", None, "to look up the protected groups".to_owned());
        }
        let mut licences: BTreeMap<Licence, LicenceNeed> = BTreeMap::new();
        for step in steps {
            let name = Some(step.step.as_str());
            for reading in AnyStep::reads(&step.step, &step.options) {
                observer.add_reading(reading, name);
            }
            for permission in AnyStep::permissions(&step.step) {
                responder.add(permission, name, format!("to {}", deed(permission)));
            }
            for licence in AnyStep::licences(&step.step) {
                let own = licences.entry(*licence).or_insert_with(|| LicenceNeed {
                    licence: *licence,
                    steps: Vec::new(),
                    required: false,
                });
                own.required |= step.required;
                if !own.steps.contains(&step.step) {
                    own.steps.push(step.step.clone());
                }
            }
        }
        Self {
            observer: observer.least(),
            responder: responder.least(),
            licences: licences.into_values().collect(),
        }
    }

    /// What a bound playbook needs.
    pub fn of_bound(playbook: &BoundPlaybook, guards: &Guards) -> Self {
        Self::of(&playbook.steps.iter().map(StepNeeds::from).collect::<Vec<_>>(), guards)
    }

    /// What several playbooks need together, their inputs open.
    pub fn of_playbooks(playbooks: &[Playbook], guards: &Guards) -> Self {
        let steps: Vec<StepNeeds> =
            playbooks.iter().flat_map(|book| &book.steps).map(StepNeeds::from).collect();
        Self::of(&steps, guards)
    }

    /// What one app needs that both plans and applies.
    pub fn of_one_app(&self) -> Vec<Need> {
        let mut needs = Needs::default();
        for need in self.observer.iter().chain(&self.responder) {
            for purpose in &need.purposes {
                needs.add(need.permission, purpose.step.as_deref(), purpose.what.clone());
            }
        }
        needs.least()
    }
}

/// Those of the needed permissions that nothing held opens.
pub fn lacking<'a>(needs: &'a [Need], held: &[String]) -> Vec<&'a Need> {
    needs.iter().filter(|need| !is_covered(need.permission, held)).collect()
}

/// What a permission lets an app do, in words.
fn deed(permission: &str) -> &'static str {
    crate::graph::app_role(permission).map_or("do its work", |role| role.what)
}

#[derive(Default)]
struct Needs(BTreeMap<&'static str, Vec<Purpose>>);

impl Needs {
    fn add(&mut self, permission: &'static str, step: Option<&str>, what: String) {
        let purposes = self.0.entry(permission).or_default();
        let purpose = Purpose { step: step.map(str::to_owned), what };
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }

    fn add_reading(&mut self, reading: Reading, step: Option<&str>) {
        for permission in reading.permissions() {
            self.add(permission, step, format!("to read {}", reading.what()));
        }
    }

    /// Leaves out what a broader one that is needed anyway opens too; but not for the sake of one that opens the whole
    /// directory: whoever does not grant that one keeps all the rest.
    fn least(self) -> Vec<Need> {
        let names: Vec<&'static str> = self.0.keys().copied().collect();
        self.0
            .into_iter()
            .filter(|(permission, _)| {
                let others: Vec<&str> = names
                    .iter()
                    .copied()
                    .filter(|name| name != permission && *name != WHOLE_DIRECTORY)
                    .collect();
                !is_covered(permission, &others)
            })
            .map(|(permission, mut purposes)| {
                // What is always needed stands first.
                purposes.sort_by_key(|own| own.step.is_some());
                Need { permission, purposes }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(steps: &[(&str, Value)]) -> Requirements {
        let steps: Vec<StepNeeds> = steps
            .iter()
            .map(|(step, options)| StepNeeds {
                step: (*step).to_owned(),
                options: options.clone(),
                required: true,
            })
            .collect();
        Requirements::of(&steps, &Guards::default())
    }

    fn names(needs: &[Need]) -> Vec<&str> {
        needs.iter().map(|need| need.permission).collect()
    }

    #[test]
    fn a_step_that_only_revokes_needs_no_policy_permission() {
        let needs = of(&[("revoke_sessions", json!({}))]);
        assert_eq!(
            names(&needs.observer),
            [
                "AuditLog.Read.All",
                "Domain.Read.All",
                "LicenseAssignment.Read.All",
                "RoleManagement.Read.Directory",
                "User.Read.All",
                "UserAuthenticationMethod.Read.All"
            ]
        );
        assert_eq!(
            names(&needs.responder),
            ["RoleManagement.Read.Directory", "User.Read.All", "User.RevokeSessions.All"]
        );
        assert!(needs.licences.is_empty());
    }

    #[test]
    fn the_observer_is_never_asked_to_write() {
        for step in crate::steps::catalog().steps() {
            let needs = of(&[(step.name, json!({}))]);
            assert!(
                needs
                    .observer
                    .iter()
                    .all(|need| need.permission.contains(".Read") && !need.permission.contains("Write")),
                "{}: {:?}",
                step.name,
                names(&needs.observer)
            );
        }
    }

    #[test]
    fn one_app_for_both_needs_no_reading_permission_beside_the_writing_one() {
        let needs = of(&[("remove_auth_methods", json!({}))]);
        let both = needs.of_one_app();
        assert!(names(&both).contains(&"UserAuthenticationMethod.ReadWrite.All"));
        assert!(!names(&both).contains(&"UserAuthenticationMethod.Read.All"));
    }

    #[test]
    fn what_is_lacking_is_told_with_its_steps() {
        let needs = of(&[("reset_password", json!({})), ("revoke_sessions", json!({}))]);
        let held = ["User.ReadWrite.All".to_owned(), "RoleManagement.Read.Directory".to_owned()];
        let lacking = lacking(&needs.responder, &held);
        assert_eq!(lacking.len(), 1);
        assert_eq!(lacking[0].permission, "User-PasswordProfile.ReadWrite.All");
        assert_eq!(lacking[0].steps(), ["reset_password"]);
        assert_eq!(lacking[0].words(), "reset_password: to set passwords");
    }

    #[test]
    fn what_a_permission_is_for_is_told_once() {
        let needs = of(&[("block_ips", json!({})), ("require_token_protection", json!({}))]);
        let words = |name: &str| needs.observer.iter().find(|own| own.permission == name).unwrap().words();
        assert_eq!(words("AuditLog.Read.All"), "always: to read the sign-in log, to read the audit log");
        assert_eq!(
            words("Policy.Read.All"),
            "block_ips: to read named locations; block_ips, require_token_protection: to read Conditional Access policies"
        );
    }

    #[test]
    fn a_step_that_needs_a_permission_twice_is_named_once() {
        let purpose = |step: &str, what: &str| Purpose { step: Some(step.to_owned()), what: what.to_owned() };
        let need = Need {
            permission: "Policy.Read.All",
            purposes: vec![
                purpose("block_ips", "to read named locations"),
                purpose("require_token_protection", "to read Conditional Access policies"),
                purpose("block_ips", "to read Conditional Access policies"),
            ],
        };
        assert_eq!(need.steps(), ["block_ips", "require_token_protection"]);
    }

    #[test]
    fn protected_groups_are_looked_up_only_where_there_are_some() {
        let steps = [StepNeeds { step: "revoke_sessions".to_owned(), options: json!({}), required: true }];
        let guards = Guards { protected_groups: vec!["x".to_owned()], ..Guards::default() };
        let needs = Requirements::of(&steps, &guards);
        assert!(names(&needs.observer).contains(&"GroupMember.Read.All"));
        assert!(!names(&of(&[("revoke_sessions", json!({}))]).observer).contains(&"GroupMember.Read.All"));
    }
}
