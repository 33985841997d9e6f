//! The apps: whether each signs in, what its token carries, and what it carries too much of.

use jiff::{SignedDuration, Timestamp};

use super::examine::App;
use super::finding::{Finding, FindingState, grant_line};
use crate::config::{Guards, Role};
use crate::domain::with_causes;
use crate::engine::requirements::{Need, Requirements, StepNeeds, lacking};
use crate::graph::Credential;
use crate::graph::{DANGEROUS, dangerous, is_covered};
use crate::steps;

const CREDENTIALS: &str = "credentials";
const SIGN_IN: &str = "sign_in";
const PERMISSIONS: &str = "permissions";

/// So long before its end a certificate is to be replaced.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Says what an app signs in with, and until when.
pub(super) fn credential(app: &App, now: Timestamp) -> Finding {
    let role = app.role;
    let prefix = if role == Role::Observer { "STANCH_OBSERVER_" } else { "AZURE_" };
    match &app.credential {
        Credential::Secret(_) => Finding::warning(
            CREDENTIALS,
            format!("the {role} signs in with a client secret, which can be copied without a trace"),
            format!("use a certificate (`stanch setup`), and set `{prefix}CLIENT_CERTIFICATE_PATH` instead"),
        ),
        Credential::Certificate(certificate) => {
            let ends = certificate.expires_at();
            let left = ends.duration_since(now);
            let what = format!(
                "the {role} signs in with a certificate, which expires on {}, in {} days",
                ends.strftime("%Y-%m-%d"),
                left.as_hours() / 24
            );
            if left > RENEW_BEFORE {
                return Finding::ok(CREDENTIALS, what);
            }
            let fix = format!(
                "make a new one and register it beside the old (`stanch setup` shows how: `az ad app credential reset --id {} --cert @FILE --append`)",
                app.client_id
            );
            Finding::warning(CREDENTIALS, what, fix)
        }
        Credential::FederatedToken(path) => Finding::ok(
            CREDENTIALS,
            format!("the {role} signs in with another provider's token, from `{}`", path.display()),
        ),
        Credential::ManagedIdentity(_) => Finding::ok(
            CREDENTIALS,
            format!("the {role} signs in by its managed identity, for which there is no credential to lose"),
        ),
        Credential::Person => {
            Finding::ok(CREDENTIALS, format!("a person signs in as themselves in place of the {role}"))
        }
    }
}

/// Signs an app in and tells what its token carries; `None` where there is no token.
pub(super) async fn sign_in(app: &App, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
    match app.connection.roles().await {
        Ok(held) => {
            findings.push(Finding::ok(SIGN_IN, format!("the {} `{}` signs in", app.role, app.client_id)));
            Some(held)
        }
        Err(error) => {
            let fix = error.hint().unwrap_or_else(|| "check its credentials".to_owned());
            let what =
                format!("the {} `{}` cannot sign in: {}", app.role, app.client_id, with_causes(&error));
            findings.push(Finding::missing(SIGN_IN, what, fix));
            None
        }
    }
}

/// Compares what the token carries with what is needed.
pub(super) fn judge(
    app: &App,
    needs: &[Need],
    held: &[String],
    guards: &Guards,
    findings: &mut Vec<Finding>,
) {
    let lacks = lacking(needs, held);
    if lacks.is_empty() {
        let count = needs.len();
        findings.push(Finding::ok(
            PERMISSIONS,
            format!("the {} holds all {count} permissions that it needs", app.role),
        ));
    }
    for need in lacks {
        let what = format!("the {} lacks `{}`: {}", app.role, need.permission, need.words());
        let fix = grant_line(&app.client_id, need.permission)
            .unwrap_or_else(|| format!("grant `{}` with an administrator's consent", need.permission));
        findings.push(Finding::missing(PERMISSIONS, what, fix).for_steps(need.steps()));
    }
    too_much(app, held, guards, findings);
}

/// Says what the token carries beyond what any step needs: first what endangers the tenant.
fn too_much(app: &App, held: &[String], guards: &Guards, findings: &mut Vec<Finding>) {
    let revoke = |names: &str| {
        format!(
            "revoke {names}: Entra admin centre, Enterprise applications, the app `{}`, Permissions; and under App registrations, API permissions",
            app.client_id
        )
    };
    for name in dangerous(held, &guards.accepted_permissions) {
        let what = format!(
            "the {} holds `{name}`: whoever takes its credential takes the tenant{}",
            app.role,
            if app.role == Role::Responder { ", so apply refuses to write" } else { "" }
        );
        let mut finding = Finding::missing(PERMISSIONS, what, revoke(&format!("`{name}`")));
        if app.role == Role::Observer {
            finding.state = FindingState::Warning;
        }
        findings.push(finding);
    }
    for name in held.iter().filter(|name| guards.accepted_permissions.contains(name)) {
        findings.push(Finding::warning(
            PERMISSIONS,
            format!("the {} holds `{name}`, which the settings accept", app.role),
            "take it away as soon as nothing else needs it",
        ));
    }
    let of_any_step = of_any_step(app.role);
    let surplus: Vec<String> = held
        .iter()
        .filter(|name| !of_any_step.iter().any(|need| need.permission == name.as_str()))
        .filter(|name| !DANGEROUS.contains(&name.as_str()))
        .map(|name| match stands_for(name, held, &of_any_step) {
            Some(narrower) => format!("`{name}` (`{narrower}` would do)"),
            None => format!("`{name}`"),
        })
        .collect();
    if !surplus.is_empty() {
        let names = surplus.join(", ");
        findings.push(Finding::warning(
            PERMISSIONS,
            format!("the {} holds more than any step needs: {names}", app.role),
            revoke(if surplus.len() == 1 { "it" } else { "them" }),
        ));
    }
}

/// The narrower permission in whose place a broad one stands, where nothing else held does.
fn stands_for(broad: &str, held: &[String], needs: &[Need]) -> Option<&'static str> {
    let rest: Vec<&str> = held.iter().map(String::as_str).filter(|name| *name != broad).collect();
    needs
        .iter()
        .map(|need| need.permission)
        .find(|permission| is_covered(permission, &[broad]) && !is_covered(permission, &rest))
}

/// What the app would need for every step there is.
fn of_any_step(role: Role) -> Vec<Need> {
    let steps: Vec<StepNeeds> = steps::catalog()
        .steps()
        .iter()
        .map(|step| StepNeeds { step: step.name.to_owned(), options: serde_json::json!({}), required: true })
        .collect();
    let guards = Guards { protected_groups: vec!["any".to_owned()], ..Guards::default() };
    let all = Requirements::of(&steps, &guards);
    match role {
        Role::Observer => all.observer,
        // Without an observer the responder plans as well, so what planning needs is never too much.
        Role::Responder => all.observer.into_iter().chain(all.responder).collect(),
    }
}
