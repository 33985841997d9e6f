//! What is checked before the first request of a run: the tenant, the subject, the guards. Any difference stops it.

use super::apply_error::ApplyError;
use super::plan_error::PlanError;
use super::resolve;
use crate::case::Subject;
use crate::config::Guards;
use crate::graph::{Connection, Reader, dangerous};
use crate::guard::{GuardRules, judge_own_app, judge_requests, judge_subject};
use crate::plan::{GuardRefusal, Plan, PlanSession};
use crate::steps::AnyStep;

/// Looks at the credentials: those of the plan's tenant, without permissions that nobody should hold.
pub(super) async fn check_credentials(
    plan: &Plan,
    connection: &Connection,
    settings: &Guards,
) -> Result<(), ApplyError> {
    let actual = connection.token_tenant().await?;
    if actual != plan.tenant.id {
        return Err(ApplyError::OtherTenant {
            planned: plan.tenant.id.to_string(),
            actual: actual.to_string(),
        });
    }
    if plan.session == PlanSession::Person && connection.session() == PlanSession::App {
        return Err(ApplyError::OtherSession);
    }
    let dangerous = dangerous(&connection.roles().await?, &settings.accepted_permissions);
    if !dangerous.is_empty() {
        return Err(ApplyError::DangerousPermissions { names: dangerous });
    }
    Ok(())
}

/// Looks at the tenant again and at the plan through the guards.
pub(super) async fn check(
    plan: &Plan,
    reader: &Reader,
    settings: &Guards,
    operator: Option<&str>,
) -> Result<(), ApplyError> {
    let overrides: Vec<String> = plan.guards.overridden.iter().map(|own| own.guard.clone()).collect();
    let planned = &plan.case.subject;
    // The subject and the guards ask for the same lists.
    let reader = &reader.remembering();
    let subject_read = resolve::subject(reader, planned.id.as_str());
    let rules_read = resolve::guard_rules(reader, settings, &overrides);
    let (subject, rules) = tokio::join!(subject_read, rules_read);
    let rules = rules.map_err(as_apply_error)?;
    let subject = match subject {
        Err(PlanError::UnknownUser { .. } | PlanError::DeletedUser { .. }) => {
            return Err(ApplyError::SubjectChanged {
                upn: planned.upn.to_string(),
                what: "the account is gone".to_owned(),
            });
        }
        other => other.map_err(as_apply_error)?,
    };
    if rules.digest()? != plan.guards.digest {
        return Err(ApplyError::GuardsChanged);
    }
    if let Some(what) = difference(planned, &subject) {
        return Err(ApplyError::SubjectChanged { upn: planned.upn.to_string(), what });
    }
    let takes_away = plan.actions.iter().any(|action| AnyStep::is_door(&action.step));
    let facts = resolve::subject_facts(reader, &subject, operator, &rules, takes_away)
        .await
        .map_err(as_apply_error)?;
    let (refused, _) = crate::guard::apply_overrides(judge_subject(&subject, &rules, &facts), &rules);
    if let Some(refusal) = refused.into_iter().next() {
        return Err(ApplyError::SubjectRefused(refusal));
    }
    let (refused, _) = crate::guard::apply_overrides(judge_requests(plan, &rules), &rules);
    match refused.into_iter().chain(own_app(plan, reader, &rules).await?).next() {
        Some(refusal) => Err(ApplyError::RequestRefused(refusal)),
        None => Ok(()),
    }
}

/// Looks whether a plan disables an app that signs in here: whoever planned may have signed in as another.
async fn own_app(
    plan: &Plan,
    reader: &Reader,
    rules: &GuardRules,
) -> Result<Option<GuardRefusal>, ApplyError> {
    let requests = plan.actions.iter().flat_map(|action| &action.requests);
    for id in requests.filter_map(|request| request.path.strip_prefix("/v1.0/servicePrincipals/")) {
        let app = reader.app(id).await?;
        if let Some(refusal) = app.and_then(|app| judge_own_app(&app, &rules.own_apps)) {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

/// What tells that the account is no longer the one that was planned for.
fn difference(planned: &Subject, now: &Subject) -> Option<String> {
    if planned.upn.as_str() != now.upn.as_str() {
        return Some(format!("its name is now `{}`", now.upn));
    }
    if planned.created_at != now.created_at {
        return Some("it was made at another time".to_owned());
    }
    if planned.synced != now.synced {
        return Some("where it is mastered has changed".to_owned());
    }
    if planned.guest != now.guest {
        return Some("its user type has changed".to_owned());
    }
    None
}

fn as_apply_error(error: PlanError) -> ApplyError {
    match error {
        PlanError::Graph(error) => ApplyError::Graph(error),
        PlanError::SubjectRefused(refusal) => ApplyError::SubjectRefused(refusal),
        PlanError::Digest(error) => ApplyError::Digest(error),
        other => {
            ApplyError::Graph(crate::graph::GraphError::local("the tenant could not be checked", &other))
        }
    }
}
