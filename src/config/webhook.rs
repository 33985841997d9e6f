//! `[webhooks.NAME]`: which alerts are listened to, and what they may start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use secrecy::SecretString;
use serde::Serialize;

use super::environment::Environment;
use super::error::Origin;
use super::model::Settings;
use super::secret_file::read_secret;

/// What an alert may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It makes a plan, which waits for a person.
    #[default]
    Plan,
    /// It also runs the steps that are `approval: auto`.
    Auto,
    /// It is written down, and nothing else.
    Record,
}

/// One sender of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// Which sender's form its alerts have, or `generic`.
    pub source: String,
    /// How the sender proves itself.
    pub auth: WebhookAuth,
    /// The playbook to plan with; none when alerts are only written down.
    pub playbook: Option<String>,
    /// What an alert may do.
    pub mode: Mode,
    /// What an alert has to have, by indicator; empty: every alert of this source.
    pub when: BTreeMap<String, Vec<String>>,
    /// Which alerts are left alone, by pointer.
    pub ignore_when: BTreeMap<String, Vec<String>>,
    /// Where a generic alert has what.
    pub pointers: Pointers,
}

/// How a sender proves itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookAuth {
    /// The scheme.
    pub kind: String,
    /// Where the secrets are, `file:` or `env:`; any one of them matches.
    pub secrets: Vec<String>,
}

/// A secret that was read: where it is, for messages, and what it is or why it could not be read.
pub type ReadSecret = (String, Result<SecretString, String>);

impl WebhookAuth {
    /// Reads the secrets. Paths are meant from the folder of the settings file.
    pub fn read_secrets(&self, beside: &Path, environment: &Environment) -> Vec<ReadSecret> {
        let read = |place: &String| match place.split_once(':') {
            Some(("file", path)) => {
                let secret = read_secret(&beside.join(path)).map_err(|error| error.to_string());
                (format!("the file `{path}`"), secret)
            }
            Some(("env", variable)) => {
                let secret = environment.get(variable).map(SecretString::from);
                (format!("the variable `{variable}`"), secret.ok_or_else(|| "is not set".to_owned()))
            }
            // The text may be the secret itself, and is not shown.
            _ => ("a secret".to_owned(), Err("is neither `file:` nor `env:`".to_owned())),
        };
        self.secrets.iter().map(read).collect()
    }
}

/// Where a generic alert has what, as JSON pointers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pointers {
    /// What makes two alerts the same one.
    pub id: Option<String>,
    /// When it happened.
    pub time: Option<String>,
    /// Who it is about, the surest first.
    pub user: Vec<String>,
    /// Addresses.
    pub ips: Vec<String>,
    /// User agents.
    pub user_agents: Vec<String>,
}

/// Builds every webhook that the settings name.
pub(super) fn build(settings: &mut Settings) -> BTreeMap<String, Webhook> {
    let named: BTreeSet<String> = settings
        .layer
        .keys()
        .filter(|path| path.first().is_some_and(|section| section == "webhooks"))
        .filter_map(|path| path.get(1).cloned())
        .collect();
    let mut webhooks = BTreeMap::new();
    for name in named {
        if let Some(webhook) = settings.webhook(&name) {
            webhooks.insert(name, webhook);
        }
    }
    webhooks
}

impl Settings {
    fn webhook(&mut self, name: &str) -> Option<Webhook> {
        let at = |key: &'static str| ["webhooks", name, key];
        let inside = format!("webhooks.{name}");
        let origin = self.first_origin(name)?;
        // The name is a part of the address that senders post to.
        let fits = name.len() <= 64
            && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        if !fits {
            let hint = Some("a name is up to 64 small letters, digits, `-` and `_`".to_owned());
            self.invalid(origin.clone(), &inside, "the name cannot be part of an address", hint);
        }
        let source = self.text(&at("source"));
        let kind = self.text(&["webhooks", name, "auth", "kind"]);
        let secrets = self.list(&["webhooks", name, "auth", "secrets"]);
        let mode = match self.text(&at("mode")).as_ref().map(|(mode, _)| mode.as_str()) {
            Some("auto") => Mode::Auto,
            Some("record") => Mode::Record,
            _ => Mode::Plan,
        };
        let playbook = self.text(&at("playbook")).map(|(playbook, _)| playbook);
        let mut lacks = Vec::new();
        lacks.extend(source.is_none().then_some("source"));
        lacks.extend(kind.is_none().then_some("auth.kind"));
        lacks.extend(secrets.is_none().then_some("auth.secrets"));
        lacks.extend((playbook.is_none() && mode != Mode::Record).then_some("playbook"));
        for key in lacks {
            self.invalid(origin.clone(), &inside, format!("`{key}` is missing"), None);
        }
        if let Some((secrets, origin)) = &secrets {
            self.check_secrets(secrets, origin, &inside);
        }
        let when = self.lists(&at("when")).unwrap_or_default();
        let ignore_when = self.lists(&at("ignore_when")).unwrap_or_default();
        let pointers = Pointers {
            id: self.text(&at("id")).map(|(pointer, _)| pointer),
            time: self.text(&at("time")).map(|(pointer, _)| pointer),
            user: self.list(&at("user")).map(|(pointers, _)| pointers).unwrap_or_default(),
            ips: self.list(&at("ips")).map(|(pointers, _)| pointers).unwrap_or_default(),
            user_agents: self.list(&at("user_agents")).map(|(pointers, _)| pointers).unwrap_or_default(),
        };
        let auth = WebhookAuth { kind: kind?.0, secrets: secrets?.0 };
        Some(Webhook { source: source?.0, auth, playbook, mode, when, ignore_when, pointers })
    }

    fn first_origin(&self, name: &str) -> Option<Origin> {
        let of_this = |path: &Vec<String>| {
            path.first().is_some_and(|s| s == "webhooks") && path.get(1).is_some_and(|n| n == name)
        };
        self.layer.iter().filter(|(path, _)| of_this(path)).map(|(_, item)| item.origin.clone()).min()
    }

    fn check_secrets(&mut self, secrets: &[String], origin: &Origin, inside: &str) {
        let key = format!("{inside}.auth.secrets");
        if secrets.is_empty() {
            self.invalid(origin.clone(), &key, "there is none, so that nothing would match", None);
        }
        if secrets.iter().any(|secret| !["file:", "env:"].iter().any(|start| secret.starts_with(start))) {
            // The text may be the secret itself, and is not shown.
            let hint = Some("name where it is: `file:PATH` or `env:VARIABLE`".to_owned());
            self.invalid(origin.clone(), &key, "one of these says not where the secret is", hint);
        }
    }
}
