//! The command itself: what was asked for, as text or JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::cloud::Place;
use super::registration::{Registration, SetupLines};
use super::{az, powershell, starter};
use crate::cli::args::{Format, SetupArgs, SetupShell};
use crate::cli::failure::Failure;
use crate::cli::output::{print_json, print_text};
use crate::cli::plan::load_all;
use crate::cli::session::Session;
use crate::config::authority_base;
use crate::engine::{Purpose, Requirements};

/// Prints the registrations.
///
/// # Errors
/// When a playbook is wrong, or the cloud's addresses are.
pub fn setup(session: &Session, args: &SetupArgs) -> Result<u8, Failure> {
    let playbooks = load_all(&args.playbooks)?;
    let requirements = Requirements::of_playbooks(&playbooks, &session.config.guards);
    let authority = authority_base(&session.environment, session.config.cloud)?;
    let environment = &session.environment;
    let lines = SetupLines::new(
        Place { cloud: session.config.cloud, authority: authority.as_str().to_owned() },
        session.tenant(),
        playbooks.into_iter().map(|book| book.name).collect(),
        &args.playbooks,
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

/// Why an app needs a permission.
#[derive(Debug, Serialize, JsonSchema)]
struct SetupPermission {
    /// Its name.
    name: String,
    /// Its id, as Graph's service principal has it.
    id: String,
    /// What it is for.
    purposes: Vec<Purpose>,
}

/// An app to register.
#[derive(Debug, Serialize, JsonSchema)]
struct SetupApplication {
    /// `observer` or `responder`.
    role: String,
    /// The name to give it.
    display_name: String,
    /// Its client id, where it is known.
    client_id: Option<String>,
    /// The permissions that it needs.
    permissions: Vec<SetupPermission>,
    /// Where an administrator consents to them.
    admin_consent: String,
}

/// `stanch setup`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetupDocument {
    /// The tenant, where it is known.
    tenant: Option<String>,
    /// Which Microsoft cloud.
    cloud: String,
    /// The playbooks.
    playbooks: Vec<String>,
    /// The apps to register.
    applications: Vec<SetupApplication>,
    /// Settings to begin with, in TOML.
    settings: String,
    /// What to do about emergency accounts.
    emergency_accounts: String,
    /// The lines for Azure CLI, where they were asked for.
    az: Option<String>,
    /// The lines for Graph `PowerShell`, where they were asked for.
    powershell: Option<String>,
}

fn document(lines: &SetupLines, shell: SetupShell) -> SetupDocument {
    let wants = |own| shell == own || shell == SetupShell::Both;
    SetupDocument {
        tenant: lines.is_tenant_known.then(|| lines.tenant.clone()),
        cloud: lines.place.cloud.word().to_owned(),
        playbooks: lines.playbooks.clone(),
        applications: lines.registrations.iter().map(|app| application(lines, app)).collect(),
        settings: starter::settings(lines),
        emergency_accounts: starter::advice().replace("# ", "").trim().to_owned(),
        az: wants(SetupShell::Az).then(|| az::script(lines)),
        powershell: wants(SetupShell::Powershell).then(|| powershell::script(lines)),
    }
}

fn application(lines: &SetupLines, app: &Registration) -> SetupApplication {
    let client_id = app.client_id.as_deref().unwrap_or("CLIENT_ID");
    SetupApplication {
        role: app.role.to_string(),
        display_name: app.display_name(),
        client_id: app.client_id.clone(),
        permissions: app
            .permissions
            .iter()
            .map(|(role, need)| SetupPermission {
                name: role.name.to_owned(),
                id: role.id.to_owned(),
                purposes: need.purposes.clone(),
            })
            .collect(),
        admin_consent: lines.place.consent_address(&lines.tenant, client_id),
    }
}
