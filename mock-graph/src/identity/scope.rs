//! What is asked for: an app's permissions of Graph, or a person's consented ones.

use super::refusal::Refusal;
use crate::tenant::Application;

/// The audience of Graph's tokens.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";
const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
/// Scopes of the sign-in itself.
const OF_SIGN_IN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Whether a resource is Graph. The mock's own address stands for Graph's, for clients that derive the scope from the
/// base address.
pub(super) fn is_graph(resource: &str, base: &str) -> bool {
    let resource = resource.trim_end_matches('/');
    [GRAPH, GRAPH_APP, base].iter().any(|own| resource.eq_ignore_ascii_case(own))
}

fn no_resource(resource: &str) -> Refusal {
    Refusal::new(
        400,
        "invalid_resource",
        500_011,
        format!("The resource principal named {resource} was not found in the tenant."),
    )
}

/// Checks the scope of an app that asks for itself: Graph's default, and nothing else.
pub(super) fn of_app(scope: Option<&str>, base: &str) -> Result<(), Refusal> {
    let scope = scope.ok_or_else(|| Refusal::missing("scope"))?;
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(Refusal::new(
            400,
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    };
    if is_graph(resource, base) { Ok(()) } else { Err(no_resource(resource)) }
}

/// What a person's token may do: the permissions granted, and the scopes of the sign-in that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) permissions: Vec<String>,
    pub(super) of_sign_in: Vec<String>,
}

impl Granted {
    pub(super) fn has(&self, scope: &str) -> bool {
        self.of_sign_in.iter().any(|own| own == scope)
    }

    /// The `scope` of the answer.
    pub(super) fn told(&self) -> String {
        let permissions = self.permissions.iter().map(|permission| format!("{GRAPH}/{permission}"));
        self.of_sign_in.iter().cloned().chain(permissions).collect::<Vec<_>>().join(" ")
    }
}

/// Reads the scopes that are asked for on a person's behalf; each must be consented to for everyone.
pub(super) fn of_person(application: &Application, scope: &str, base: &str) -> Result<Granted, Refusal> {
    let mut granted = Granted { permissions: Vec::new(), of_sign_in: Vec::new() };
    for asked in scope.split_whitespace() {
        if OF_SIGN_IN.contains(&asked) {
            granted.of_sign_in.push(asked.to_owned());
            continue;
        }
        let (resource, name) = asked.rsplit_once('/').unwrap_or((GRAPH, asked));
        if !is_graph(resource, base) {
            return Err(no_resource(resource));
        }
        if name == ".default" {
            granted.permissions.extend(application.delegated_scopes.iter().cloned());
            continue;
        }
        let Some(own) = application.delegated_scopes.iter().find(|own| own.eq_ignore_ascii_case(name)) else {
            let mut refusal = Refusal::invalid_grant(
                65001,
                format!(
                    "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an interactive authorization request for this user and resource.",
                    application.app_id, application.display_name
                ),
            );
            refusal.suberror = Some("consent_required");
            return Err(refusal);
        };
        granted.permissions.push(own.clone());
    }
    granted.permissions.dedup();
    if granted.permissions.is_empty() && granted.of_sign_in.is_empty() {
        return Err(Refusal::new(
            400,
            "invalid_scope",
            70011,
            "The provided value for the input parameter 'scope' is not valid.",
        ));
    }
    Ok(granted)
}
