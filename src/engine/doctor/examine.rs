//! The examination: both apps, then the tenant through whichever of them may read.

use std::sync::Arc;

use super::finding::{Finding, fix_of};
use super::{access, accounts, licences, people, surroundings};
use crate::config::{Approval, Guards, Role};
use crate::domain::{Clock, inert, with_causes};
use crate::engine::requirements::Requirements;
use crate::graph::Connection;
use crate::graph::Credential;
use crate::playbook::Playbook;
use crate::steps::AnyStep;

const TENANT: &str = "tenant";
const POLICY_WRITE: &str = "Policy.ReadWrite.ConditionalAccess";

/// One of the two apps.
pub struct App {
    /// Which.
    pub role: Role,
    /// Its client id.
    pub client_id: String,
    /// What it signs in with.
    pub credential: Credential,
    /// Its connection.
    pub connection: Connection,
}

/// Examines a tenant. It cannot write: it takes nothing but readers from its connections.
pub struct Doctor {
    /// The app that plans: the observer, or the responder where there is none.
    pub observer: Option<App>,
    /// The app that applies.
    pub responder: Option<App>,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// The guards' settings.
    pub guards: Guards,
    /// Who asks for plans, where the settings say so.
    pub operator: Option<String>,
    /// The names that the approvers' file lists.
    pub approvers: Vec<String>,
    /// What an apply needs.
    pub approval: Approval,
    /// Whether a skewed clock stops planning or is only warned of: against loopback it is warned of.
    pub skew_stops: bool,
}

impl Doctor {
    /// Examines everything that these playbooks need.
    pub async fn examine(&self, playbooks: &[Playbook]) -> Vec<Finding> {
        let requirements = Requirements::of_playbooks(playbooks, &self.guards);
        let mut findings = Vec::new();
        let mut reading = None;
        for app in [&self.observer, &self.responder].into_iter().flatten() {
            findings.push(access::credential(app, self.clock.now()));
            let Some(held) = access::sign_in(app, &mut findings).await else { continue };
            let needs = match (app.role, &self.observer) {
                (Role::Observer, _) => requirements.observer.clone(),
                (Role::Responder, Some(_)) => requirements.responder.clone(),
                (Role::Responder, None) => requirements.of_one_app(),
            };
            access::judge(app, &needs, &held, &self.guards, &mut findings);
            reading = reading.or(Some(app));
        }
        let Some(app) = reading else { return findings };
        let reader = app.connection.reader().remembering();
        findings.push(self.tenant(app).await);
        findings.extend(licences::judge(&reader, &requirements.licences).await);
        let policy_steps = policy_steps(playbooks);
        findings.extend(accounts::judge_emergency(&reader, &self.guards, &policy_steps).await);
        findings.extend(accounts::judge_groups(&reader, &self.guards).await);
        let operator = self.operator.as_deref();
        findings.extend(people::judge(&reader, operator, &self.approvers, &self.approval).await);
        findings.push(surroundings::clock(&reader, self.clock.as_ref(), self.skew_stops));
        let apps: Vec<&App> = [&self.observer, &self.responder].into_iter().flatten().collect();
        findings.extend(surroundings::throttling(&apps));
        findings
    }

    /// Names the tenant, and tells whether both apps are of the same one.
    async fn tenant(&self, app: &App) -> Finding {
        let organization = match app.connection.reader().organization().await {
            Ok(organization) => organization,
            Err(error) => {
                let what = format!("the tenant cannot be read: {}", with_causes(&error));
                return Finding::missing(TENANT, what, fix_of(&error));
            }
        };
        if let (Some(_), Some(responder)) = (&self.observer, &self.responder)
            && let Ok(other) = responder.connection.token_tenant().await
            && other != organization.id
        {
            return Finding::missing(
                TENANT,
                format!("the observer is of tenant `{}`, the responder of `{other}`", organization.id),
                "register both in one tenant (`stanch setup`), and set `AZURE_TENANT_ID`",
            );
        }
        Finding::ok(TENANT, format!("tenant `{}` ({})", inert(&organization.name), organization.id))
    }
}

/// The steps that create policies.
fn policy_steps(playbooks: &[Playbook]) -> Vec<String> {
    let mut steps: Vec<String> = playbooks
        .iter()
        .flat_map(|book| &book.steps)
        .map(|call| call.step.clone())
        .filter(|step| AnyStep::permissions(step).contains(&POLICY_WRITE))
        .collect();
    steps.sort();
    steps.dedup();
    steps
}
