//! `stanch serve --demo`: the server's own code over the embedded mock tenant, with a webhook and an alert to send it.

use std::path::Path;

use serde_json::json;

use super::args::{Format, Global, ServeArgs};
use super::demo::{clear, open, settings_file};
use super::embedded::{Embedded, REFERENCE_USER, TenantFile};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::serve::{ServeDocument, Served};
use super::stop;
use crate::domain::Random as _;
use crate::transport::OsRandom;

/// Where the demo keeps its settings and its store.
const FOLDER: &str = "stanch-demo";
/// The user agent of the reference case's intruder, as an alert has it.
const USER_AGENT: &str = "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)";

/// Serves the demo until it is stopped.
///
/// # Errors
/// When the folder cannot be written, or nothing can listen.
pub async fn serve_demo(global: &Global, args: &ServeArgs) -> Result<u8, Failure> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    let tenant = TenantFile::reference()?;
    let token = token();
    let config = settings_file(folder, &tenant).map_err(|(path, error)| unwritten(&path, &error))?;
    add_webhook(folder, &config, &token)?;
    let mock = Embedded::start(&tenant).await?;
    clear(folder).map_err(|(path, error)| unwritten(&path, &error))?;
    let session = open(global, folder, &config, &tenant, &mock)?;
    let environment = environment_file(folder, &tenant, &mock)?;
    let (watch, signal) = stop::on_end();
    let served = Served::start(&session, args.listen, None, &signal).await?;
    let alert = json!({
        "schema": "stanch/alert/v1", "id": "demo-1", "title": "Scripted user agent sign-in", "severity": "high",
        "user": { "upn": REFERENCE_USER }, "indicators": { "user_agents": [USER_AGENT] },
    });
    let curl = format!(
        "curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{alert}' {}/webhooks/demo",
        served.address()
    );
    if session.format == Format::Json {
        print_json(&ServeDocument {
            listening: served.address(),
            webhooks: vec!["demo".to_owned()],
            curl: Some(curl),
        })?;
    } else {
        print_text(&format!(
            "listening on {}\nA mock tenant stands behind it. Nothing here is real.\n\nSend it an alert:\n\n  {curl}\n\n\
             Then, in another terminal, here:\n\n  . {}\n  stanch --config {} runs list\n  stanch --config {} apply PLAN_ID\n",
            served.address(),
            environment.display(),
            config.display(),
            config.display(),
        ))?;
    }
    served.ended().await?;
    drop(watch);
    Ok(0)
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::cannot_write(path, error, "run it in a folder that you may write to")
}

fn token() -> String {
    let mut bytes = [0u8; 32];
    OsRandom.fill(&mut bytes);
    hex::encode(bytes)
}

/// Adds the webhook to the demo's settings, and the store, so that other commands find it.
fn add_webhook(folder: &Path, config: &Path, token: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| unwritten(folder, &error);
    std::fs::write(folder.join("demo.token"), token).map_err(failed)?;
    let settings = std::fs::read_to_string(config).map_err(failed)?;
    let whole = format!(
        "store = \"sqlite://stanch.db\"\n{settings}\n[webhooks.demo]\nsource = \"generic\"\n\
         auth = {{ kind = \"bearer\", secrets = [\"file:demo.token\"] }}\nplaybook = \"bec\"\nmode = \"plan\"\n"
    );
    std::fs::write(config, whole).map_err(failed)
}

/// Writes what a shell needs so that other commands find the mock tenant.
fn environment_file(
    folder: &Path,
    tenant: &TenantFile,
    mock: &Embedded,
) -> Result<std::path::PathBuf, Failure> {
    let path = folder.join("env.sh");
    let lines: String = super::demo::variables(tenant, mock)
        .into_iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect();
    std::fs::write(&path, format!("# A mock tenant's: nothing here is real.\n{lines}"))
        .map_err(|error| unwritten(&path, &error))?;
    Ok(path)
}
