//! What the doctor finds on this machine: settings, store, credentials, and the files and variables that settings name.

use super::approvers;
use super::failure::Failure;
use super::serve;
use super::session::Session;
use crate::config::{Role, Webhook};
use crate::engine::{Doctor, Finding};
use crate::seal::Recipient;

/// Looks at settings and store, without the network.
pub fn look(session: &Session) -> Vec<Finding> {
    let mut findings = vec![settings(session), store(session)];
    findings.extend(operator(session));
    findings.extend(recipients(session));
    for (name, webhook) in &session.config.webhooks {
        findings.push(served(session, name, webhook));
    }
    findings
}

fn settings(session: &Session) -> Finding {
    match &session.config.file {
        Some(file) => Finding::ok("settings", format!("settings from `{}`", file.display())),
        None => Finding::warning(
            "settings",
            "there is no stanch.toml here or in your configuration directory: every setting is the default",
            "`stanch setup` prints one to begin with",
        ),
    }
}

fn store(session: &Session) -> Finding {
    const STORE: &str = "store";
    let url = match session.config.store_or_default(&session.environment) {
        Ok(url) => url,
        Err(fault) => {
            let fix = fault.hint().unwrap_or_else(|| "set `store` in stanch.toml".to_owned());
            return Finding::missing(STORE, fault.to_string(), fix);
        }
    };
    match session.store() {
        Ok(_) => Finding::ok(STORE, format!("the store `{url}` can be written")),
        Err(failure) => {
            let fix = failure.hint.unwrap_or_else(|| "name another with `--store` or `store`".to_owned());
            Finding::missing(STORE, failure.message, fix)
        }
    }
}

/// Whom the settings name, the doctor looks up; this is where they name nobody.
fn operator(session: &Session) -> Option<Finding> {
    session.config.operator.user.is_none().then(|| {
        Finding::warning(
            "operator",
            format!("plans are asked for by `{}`, who is no user of the tenant", session.operator()),
            "set `operator.user` in stanch.toml to your own user name in the tenant",
        )
    })
}

/// Reads the approvers' file, and gives the names in it.
pub fn approvers(session: &Session) -> (Option<Finding>, Vec<String>) {
    const APPROVERS: &str = "approvers";
    let approval = &session.config.approval;
    let signers = match approvers::signers(session) {
        Ok(signers) => signers,
        Err(failure) => {
            let fix = "write one line per approver: user name, then public key".to_owned();
            return (
                Some(Finding::missing(APPROVERS, failure.message, failure.hint.unwrap_or(fix))),
                Vec::new(),
            );
        }
    };
    let names: Vec<String> =
        signers.listed().map(|own| own.plain_principals().map(str::to_owned).collect()).unwrap_or_default();
    let is_empty = signers.listed().is_none_or(crate::approval::AllowedSigners::is_empty);
    let finding = (is_empty && approval.required).then(|| {
        Finding::missing(
            APPROVERS,
            "`approval.required` is set, and nobody may approve",
            "name an OpenSSH allowed_signers file in `approval.approvers`, with a line per approver",
        )
    });
    (finding, names)
}

/// Reads the keys that secrets are sealed to.
fn recipients(session: &Session) -> Vec<Finding> {
    const RECIPIENTS: &str = "recipients";
    let keys = &session.config.secrets.recipients;
    let mut findings: Vec<Finding> = keys
        .iter()
        .filter_map(|key| key.parse::<Recipient>().err())
        .map(|error| Finding::missing(RECIPIENTS, error.to_string(), error.hint()))
        .collect();
    if findings.is_empty() && !keys.is_empty() {
        let count = if keys.len() == 1 { "1 key".to_owned() } else { format!("{} keys", keys.len()) };
        findings.push(Finding::ok(RECIPIENTS, format!("secrets can be sealed to {count}")));
    }
    findings
}

/// Asks the server whether it would take alerts of this sender in.
fn served(session: &Session, name: &str, webhook: &Webhook) -> Finding {
    const WEBHOOKS: &str = "webhooks";
    match serve::hook(session, name, webhook) {
        Ok(_) => Finding::ok(WEBHOOKS, format!("the webhook `{name}` can be served")),
        Err(failure) => {
            let fix = failure.hint.unwrap_or_else(|| format!("correct `webhooks.{name}`"));
            Finding::missing(WEBHOOKS, failure.message, fix)
        }
    }
}

/// Says which app has nothing to sign in with, and what comes of it.
pub fn credentials(doctor: &Doctor, faults: &[(Role, Failure)]) -> Vec<Finding> {
    const CREDENTIALS: &str = "credentials";
    let mut findings: Vec<Finding> = faults
        .iter()
        .map(|(role, failure)| {
            let fix =
                failure.hint.clone().unwrap_or_else(|| "`stanch setup` shows how to register it".to_owned());
            let effect = match role {
                Role::Observer => "plans cannot be made",
                Role::Responder if doctor.observer.is_some() => "plans can be made, and not applied",
                Role::Responder => "nothing can be planned or applied",
            };
            Finding::missing(CREDENTIALS, format!("{}: {effect}", failure.message), fix)
        })
        .collect();
    if doctor.observer.is_none() && !faults.iter().any(|(role, _)| *role == Role::Observer) {
        findings.push(Finding::warning(
            CREDENTIALS,
            "there is no observer: planning signs in as the responder, which may write, and `stanch serve` does not start",
            "register one (`stanch setup`), and set `STANCH_OBSERVER_CLIENT_ID` and its credential",
        ));
    }
    findings
}
