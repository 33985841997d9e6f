//! `stanch serve`: webhooks in, plans out. The process signs in as the observer alone, and holds nothing that writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::args::{Format, ServeArgs};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::plan::bind;
use super::session::Session;
use super::stop;
use crate::config::{Mode, Role, Webhook};
use crate::domain::SecretString;
use crate::engine::{Planner, StopSignal, new_plan_id};
use crate::playbook::BoundPlaybook;
use crate::server::{Hook, HookError, ListenError, Listening, Server, Tls, Worker, listen, router};
use crate::store::Store;

/// So many plans are made side by side: Graph's limits are for the whole tenant.
const WORKERS: usize = 2;

/// Serves until it is stopped.
///
/// # Errors
/// When the settings name no webhook, one of them cannot be used, or nothing can listen.
pub async fn serve(session: &Session, args: &ServeArgs) -> Result<u8, Failure> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate: certificate.clone(), key: key.clone() }),
        _ => None,
    };
    let (watch, signal) = stop::on_end();
    let served = Served::start(session, args.listen, tls.as_ref(), &signal).await?;
    tell(session, &served)?;
    served.ended().await?;
    drop(watch);
    Ok(0)
}

fn tell(session: &Session, served: &Served) -> Result<(), Failure> {
    let address = served.address();
    match session.format {
        Format::Json => {
            print_json(&ServeDocument { listening: address, webhooks: served.webhooks.clone(), curl: None })
        }
        Format::Text | Format::Markdown | Format::Html => {
            let mut text = format!("listening on {address}\n");
            for name in &served.webhooks {
                text.push_str(&format!("  POST {address}/webhooks/{name}\n"));
            }
            print_text(&text)
        }
    }
}

/// `stanch serve`, as JSON: printed once it listens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServeDocument {
    /// The address.
    pub listening: String,
    /// The webhooks that can be called, at `/webhooks/NAME`.
    pub webhooks: Vec<String>,
    /// With `--demo` a command that sends an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

/// A server that runs, and its workers.
pub struct Served {
    listening: Listening,
    workers: JoinSet<()>,
    webhooks: Vec<String>,
}

impl Served {
    /// Starts server and workers.
    ///
    /// # Errors
    /// As [`serve`].
    pub async fn start(
        session: &Session,
        address: SocketAddr,
        tls: Option<&Tls>,
        signal: &StopSignal,
    ) -> Result<Self, Failure> {
        let hooks = hooks(session)?;
        let webhooks: Vec<String> = hooks.iter().map(|hook| hook.name.clone()).collect();
        let playbooks: BTreeMap<String, BoundPlaybook> =
            hooks.iter().filter_map(|hook| Some((hook.name.clone(), hook.playbook.clone()?))).collect();
        let store = session.store()?;
        let wake = Arc::new(Notify::new());
        let mut workers = JoinSet::new();
        if !playbooks.is_empty() {
            let planner = planner(session)?;
            for _ in 0..WORKERS {
                let worker = Worker {
                    inbox: Arc::<dyn Store>::clone(&store),
                    planner: planner.clone(),
                    playbooks: playbooks.clone(),
                    clock: Arc::clone(&session.clock),
                    owner: new_plan_id(session.clock.now(), session.random.as_ref())?.to_string(),
                    wake: Arc::clone(&wake),
                };
                let signal = signal.clone();
                workers.spawn(async move { worker.run(signal).await });
            }
        }
        let server = Server::new(
            hooks,
            store,
            Arc::clone(&session.clock),
            Arc::clone(&session.random),
            &session.config.guards,
            wake,
        );
        let listening = listen(router(Arc::new(server)), address, tls, signal.clone()).await?;
        Ok(Self { listening, workers, webhooks })
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        let scheme = if self.listening.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.listening.address)
    }

    /// Waits until it was stopped, and the requests in flight have ended.
    ///
    /// # Errors
    /// When the socket failed.
    pub async fn ended(mut self) -> Result<(), Failure> {
        let ended = self.listening.ended().await;
        while self.workers.join_next().await.is_some() {}
        ended.map_err(|error| Failure::of(1, "server_ended", &error, None))
    }
}

/// A planner that signs in as the observer, and as nobody else.
fn planner(session: &Session) -> Result<Planner, Failure> {
    let planner = session.planner()?;
    if planner.signed_in_as != Role::Observer {
        return Err(Failure::new(
            2,
            "observer_missing",
            "the server signs in as the observer alone, and none is set: a process that others can reach should hold \
             no secret that may write",
            Some(
                "set `STANCH_OBSERVER_CLIENT_ID` and its secret, and unset `AZURE_CLIENT_SECRET` for this process; \
                 `stanch setup` shows how to register it"
                    .to_owned(),
            ),
        ));
    }
    Ok(planner)
}

/// Every webhook of the settings, ready to be called.
fn hooks(session: &Session) -> Result<Vec<Hook>, Failure> {
    if session.config.webhooks.is_empty() {
        return Err(Failure::new(
            2,
            "no_webhooks",
            "the settings name no webhook: there is nothing to serve",
            Some("add `[webhooks.NAME]` to stanch.toml; `stanch serve --demo` shows one at work".to_owned()),
        ));
    }
    session.config.webhooks.iter().map(|(name, webhook)| hook(session, name, webhook)).collect()
}

/// Makes a webhook of the settings ready to be called; the doctor asks here as well.
///
/// # Errors
/// When its secrets, its playbook or another of its settings cannot be used.
pub fn hook(session: &Session, name: &str, webhook: &Webhook) -> Result<Hook, Failure> {
    let hook = match (secrets(session, name, webhook), playbook(name, webhook)) {
        (Ok(secrets), Ok(playbook)) => {
            Hook::new(name, webhook, &secrets, playbook, session.clock.now()).map_err(Failure::from)
        }
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
    };
    hook.map_err(|fault| fault.about(&format!("the webhook `{name}` cannot be served")))
}

/// The secrets that senders are checked by, each with where it is.
fn secrets(session: &Session, name: &str, webhook: &Webhook) -> Result<Vec<(String, SecretString)>, Failure> {
    let beside = session.config.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let (mut secrets, mut faults) = (Vec::new(), Vec::new());
    for (place, read) in webhook.auth.read_secrets(beside, &session.environment) {
        match read {
            Ok(secret) => secrets.push((place, secret)),
            Err(why) => faults.push(format!("{place} {why}")),
        }
    }
    if faults.is_empty() {
        return Ok(secrets);
    }
    let hint = format!("correct `webhooks.{name}.auth.secrets`, or what it names");
    Err(Failure::new(2, "webhook_secret", faults.join("; "), Some(hint)))
}

/// The playbook that alerts are planned with; none where they are only written down.
fn playbook(name: &str, webhook: &Webhook) -> Result<Option<BoundPlaybook>, Failure> {
    let (Some(playbook), Mode::Plan | Mode::Auto) = (&webhook.playbook, webhook.mode) else {
        return Ok(None);
    };
    let mut bound = bind(playbook, &[]).map(Some);
    if let Err(fault) = &mut bound {
        fault.hint.get_or_insert_with(|| format!("correct `webhooks.{name}.playbook`"));
    }
    bound
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        Self::of(2, "webhook_settings", &error, error.hint())
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        let exit = if matches!(error, ListenError::Plain { .. }) { 2 } else { 1 };
        Self::of(exit, error.code(), &error, Some(error.hint()))
    }
}
