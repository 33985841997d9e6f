//! Licences: which parts of the playbooks Graph would refuse for want of one.

use super::finding::{Finding, FindingState};
use crate::engine::requirements::LicenceNeed;
use crate::engine::shortfall::lacks_licence;
use crate::graph::{Licence, Reader};

const LICENCES: &str = "licences";

/// Compares the tenant's service plans with what the steps need.
pub(super) async fn judge(reader: &Reader, needs: &[LicenceNeed]) -> Vec<Finding> {
    let plans = match reader.service_plans().await {
        Ok(plans) => plans,
        Err(error) => return vec![Finding::unread(LICENCES, "which licences the tenant has", &error)],
    };
    let mut findings = Vec::new();
    if Licence::EntraP1.is_among(&plans) {
        findings.push(Finding::ok(LICENCES, "the tenant has Entra ID P1: the sign-in log can be read"));
    } else {
        findings.push(Finding::warning(
            LICENCES,
            "the tenant has no Entra ID P1: the sign-in log cannot be read, and plans rest on the audit log alone",
            "give what you know by `--since`, `--ip` and `--user-agent`, or have Entra ID P1 assigned",
        ));
    }
    for need in needs {
        if need.licence.is_among(&plans) {
            let what = format!("{} is there: {}", need.licence.name(), need.steps.join(", "));
            findings.push(Finding::ok(LICENCES, what).for_steps(need.steps.clone()));
            continue;
        }
        let told: Vec<String> =
            need.steps.iter().map(|step| lacks_licence(step, need.licence, need.required)).collect();
        let fix = format!("have {} assigned, or leave the step out of the playbook", need.licence.name());
        let mut finding = Finding::missing(LICENCES, told.join("; "), fix).for_steps(need.steps.clone());
        if !need.required {
            finding.state = FindingState::Warning;
        }
        findings.push(finding);
    }
    findings
}
