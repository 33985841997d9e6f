//! What a plan would fail for at apply, said in its preview already: permissions that the token does not carry, and
//! licences that the tenant does not have.

use super::requirements::{Need, Requirements, lacking};
use crate::case::Look;
use crate::config::{Guards, Role};
use crate::domain::with_causes;
use crate::graph::{GraphError, Licence, Reader};
use crate::playbook::BoundPlaybook;
use crate::steps::AnyStep;

/// What is known of what a plan may do.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    /// The permissions in the token; unread where it tells none.
    pub permissions: Look<Vec<String>>,
    /// The tenant's service plans.
    pub service_plans: Look<Vec<String>>,
}

/// Reads both; what cannot be read keeps no plan from being made.
pub(super) async fn read(reader: &Reader) -> Grants {
    let (permissions, service_plans) = tokio::join!(reader.permissions(), reader.service_plans());
    let read = |answer: Result<Vec<String>, GraphError>| {
        answer.map_or_else(|error| Look::Unread { why: with_causes(&error) }, Look::Read)
    };
    Grants { permissions: read(permissions), service_plans: read(service_plans) }
}

impl Grants {
    /// What the preview says of permissions: of those that planning needs and, where the responder itself plans, of
    /// those that applying needs. What an observer cannot know, `stanch doctor` tells.
    pub fn permission_warnings(&self, playbook: &BoundPlaybook, guards: &Guards, role: Role) -> Vec<String> {
        let Look::Read(held) = &self.permissions else { return Vec::new() };
        let requirements = Requirements::of_bound(playbook, guards);
        let needs: Vec<Need> = match role {
            Role::Observer => requirements.observer,
            Role::Responder => requirements.of_one_app(),
        };
        lacking(&needs, held)
            .into_iter()
            .map(|need| {
                format!(
                    "the {role} lacks the permission `{}` ({}): `stanch doctor {}` shows how to grant it",
                    need.permission,
                    need.words(),
                    playbook.name
                )
            })
            .collect()
    }

    /// What the preview says of the licences that a step with something to do needs.
    pub fn licence_warnings(&self, step: &str, required: bool) -> Vec<String> {
        let licences = AnyStep::licences(step);
        match &self.service_plans {
            _ if licences.is_empty() => Vec::new(),
            Look::Read(plans) => licences
                .iter()
                .filter(|licence| !licence.is_among(plans))
                .map(|licence| lacks_licence(step, *licence, required))
                .collect(),
            // The missing permission itself stands among the warnings already.
            Look::Unread { .. } => {
                vec![format!("whether the tenant has the licences that `{step}` needs is not known")]
            }
        }
    }
}

/// Says which licence a step lacks, and what comes of it.
pub(super) fn lacks_licence(step: &str, licence: Licence, required: bool) -> String {
    let what = match licence {
        Licence::Intune => "no device can be compliant, so the policy lets nobody in",
        Licence::EntraP1 | Licence::EntraP2 => "Graph will refuse it",
    };
    let end = if required { "; the run cannot end contained" } else { "" };
    format!("`{step}`: the tenant has no {} (`{}`): {what}{end}", licence.name(), plan_names(licence))
}

fn plan_names(licence: Licence) -> String {
    licence.service_plans().join("` or `")
}
