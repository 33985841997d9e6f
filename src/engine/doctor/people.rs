//! The people whom settings name: whoever asks for plans, and those who may approve them. Told apart by object id, as
//! four eyes are.

use super::finding::{Finding, FindingState};
use crate::approval::Person;
use crate::config::Approval;
use crate::domain::{UserId, inert};
use crate::engine::resolve;
use crate::graph::{GraphError, Reader};

const OPERATOR: &str = "operator";
const APPROVERS: &str = "approvers";

/// Looks the operator and the approvers up.
pub(super) async fn judge(
    reader: &Reader,
    operator: Option<&str>,
    approvers: &[String],
    settings: &Approval,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut who_asks = None;
    if let Some(name) = operator {
        match resolve::person(reader, name).await {
            Ok(Person::Member(id)) => {
                findings.push(Finding::ok(OPERATOR, format!("plans are asked for by `{}`", inert(name))));
                who_asks = Some(id);
            }
            Ok(other) => findings.push(Finding::warning(
                OPERATOR,
                format!("plans are asked for by `{}`, {}", inert(name), why_not(&other)),
                "set `operator.user` in stanch.toml to your own user name in the tenant",
            )),
            Err(error) => findings.push(unread(OPERATOR, name, &error)),
        }
    }
    if approvers.is_empty() {
        return findings;
    }
    let counted = count(reader, approvers, who_asks.as_ref(), settings, &mut findings).await;
    if counted == 0 {
        let mut finding = Finding::missing(
            APPROVERS,
            "nobody whom the approvers' file names could approve a plan of yours",
            "add a second person of the tenant to the file of `approval.approvers`: user name, then public key",
        );
        if !settings.required {
            finding.state = FindingState::Warning;
        }
        findings.push(finding);
    }
    findings
}

/// Tells of each approver, and counts those who could approve what the operator asks for.
async fn count(
    reader: &Reader,
    approvers: &[String],
    who_asks: Option<&UserId>,
    settings: &Approval,
    findings: &mut Vec<Finding>,
) -> usize {
    let mut counted = 0;
    for name in approvers {
        let shown = inert(name);
        let person = match resolve::person(reader, name).await {
            Ok(person) => person,
            Err(error) => {
                findings.push(unread(APPROVERS, name, &error));
                continue;
            }
        };
        match person {
            Person::Member(id) if settings.four_eyes && who_asks == Some(&id) => {
                findings.push(Finding::ok(
                    APPROVERS,
                    format!("`{shown}` may approve what others ask for, and asks for plans here"),
                ));
            }
            Person::Member(_) => {
                counted += 1;
                findings.push(Finding::ok(APPROVERS, format!("`{shown}` may approve")));
            }
            other => findings.push(Finding::warning(
                APPROVERS,
                format!(
                    "`{shown}` is in the approvers' file, {}: an approval by them does not count",
                    why_not(&other)
                ),
                "name people by their user names in the tenant",
            )),
        }
    }
    counted
}

/// Why somebody is nobody who counts.
fn why_not(person: &Person) -> String {
    match person {
        Person::Member(_) => "and counts".to_owned(),
        Person::Guest(_) => "who is a guest of the tenant".to_owned(),
        Person::Disabled(_) => "whose account is disabled".to_owned(),
        Person::Unknown => "who is no user of the tenant".to_owned(),
        Person::Unread { why } => format!("who could not be looked up: {why}"),
    }
}

fn unread(check: &'static str, name: &str, error: &GraphError) -> Finding {
    Finding::unread(check, &format!("who `{}` is,", inert(name)), error)
}
