//! The command itself: what was asked for, as text or JSON.

use serde_json::{Value, json};

use super::cloud::Cloud;
use super::registration::{Registration, SetupLines};
use super::{az, powershell, starter};
use crate::cli::args::{Format, SetupArgs, SetupShell};
use crate::cli::failure::Failure;
use crate::cli::output::{print_json, print_text};
use crate::cli::plan::load_all;
use crate::cli::session::Session;
use crate::config::{authority_base, graph_base};
use crate::engine::Requirements;

/// Prints the registrations.
///
/// # Errors
/// When a playbook is wrong, or the cloud's addresses are.
pub fn setup(session: &Session, args: &SetupArgs) -> Result<u8, Failure> {
    let playbooks = load_all(&args.playbooks)?;
    let requirements = Requirements::of_playbooks(&playbooks, &session.config.guards);
    let authority = authority_base(&session.environment)?;
    let graph = graph_base(&session.environment)?;
    let environment = &session.environment;
    let lines = SetupLines::new(
        Cloud::of(authority.as_str(), graph.as_str()),
        session.tenant(),
        playbooks.into_iter().map(|book| book.name).collect(),
        &requirements,
        [environment.get("STANCH_OBSERVER_CLIENT_ID"), environment.get("AZURE_CLIENT_ID")],
        args.credential,
    );
    if session.format == Format::Json {
        print_json(&document(&lines, args.shell))?;
        return Ok(0);
    }
    let text = match args.shell {
        SetupShell::Az => az::script(&lines),
        SetupShell::Powershell => powershell::script(&lines),
        SetupShell::Both => format!(
            "### Azure CLI: `stanch setup --shell az` prints these lines alone\n\n{}\n\n### Graph PowerShell: `stanch setup --shell powershell`\n\n{}",
            az::script(&lines),
            powershell::script(&lines)
        ),
    };
    print_text(&text)?;
    Ok(0)
}

fn document(lines: &SetupLines, shell: SetupShell) -> Value {
    let applications: Vec<Value> = lines.registrations.iter().map(|app| application(lines, app)).collect();
    let wants = |own| shell == own || shell == SetupShell::Both;
    json!({
        "tenant": lines.is_tenant_known.then_some(&lines.tenant),
        "cloud": lines.cloud.name,
        "playbooks": lines.playbooks,
        "applications": applications,
        "settings": starter::settings(&lines.tenant),
        "emergency_accounts": starter::advice().replace("# ", "").trim(),
        "az": wants(SetupShell::Az).then(|| az::script(lines)),
        "powershell": wants(SetupShell::Powershell).then(|| powershell::script(lines)),
    })
}

fn application(lines: &SetupLines, app: &Registration) -> Value {
    let permissions: Vec<Value> = app
        .permissions
        .iter()
        .map(|(role, need)| json!({ "name": role.name, "id": role.id, "purposes": need.purposes }))
        .collect();
    let client_id = app.client_id.as_deref().unwrap_or("CLIENT_ID");
    json!({
        "role": app.role.to_string(),
        "display_name": app.display_name(),
        "client_id": app.client_id,
        "permissions": permissions,
        "admin_consent": lines.cloud.consent_address(&lines.tenant, client_id),
    })
}
