//! A webhook, ready to be called: the settings checked, its secrets and its playbook at hand.

use jiff::Timestamp;

use super::condition::{Condition, ConditionError};
use super::limit::Rate;
use super::signature::{Auth, AuthError};
use crate::alert::{AlertError, Mapping, Source};
use crate::config::{Mode, Webhook};
use crate::domain::SecretString;
use crate::playbook::BoundPlaybook;

/// Why a webhook cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Its sender or its pointers.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// Its secrets.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Its conditions.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// Pointers beside a sender that has its own form.
    #[error("it has pointers, which only the source `generic` follows")]
    Pointers,
    /// A mode that this version does not have.
    #[error("`mode = \"auto\"` is not carried out by this version: nothing runs unattended")]
    Auto,
}

impl HookError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Alert(error) => error.hint(),
            Self::Auth(AuthError::UnknownKind { .. }) => {
                Some("set `auth.kind` to `standard-webhooks` or `bearer`".to_owned())
            }
            Self::Auth(AuthError::NoKey { .. }) => {
                Some("make one: `printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"`".to_owned())
            }
            Self::Auth(AuthError::ShortToken { .. }) => Some("make one: `openssl rand -hex 32`".to_owned()),
            Self::Condition(_) => Some("see `when` and `ignore_when` of the webhook".to_owned()),
            Self::Pointers => Some("set `source = \"generic\"`, or take the pointers out".to_owned()),
            Self::Auto => Some("set `mode = \"plan\"`: the plan waits for a person".to_owned()),
        }
    }
}

/// A webhook, ready to be called.
#[derive(Debug)]
pub struct Hook {
    /// Its name.
    pub name: String,
    pub(super) auth: Auth,
    pub(super) source: Source,
    pub(super) mapping: Option<Mapping>,
    pub(super) condition: Condition,
    pub(super) rate: Rate,
    /// The playbook to plan with; none where alerts are only written down.
    pub playbook: Option<BoundPlaybook>,
}

impl Hook {
    /// Checks a webhook's settings. `secrets` are what `auth.secrets` names, each with where it is.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn new(
        name: &str,
        webhook: &Webhook,
        secrets: &[(String, SecretString)],
        playbook: Option<BoundPlaybook>,
        now: Timestamp,
    ) -> Result<Self, HookError> {
        let source = Source::parse(&webhook.source)?;
        let mapping = Mapping::new(&webhook.pointers)?;
        if mapping.is_some() && source != Source::Generic {
            return Err(HookError::Pointers);
        }
        let playbook = match webhook.mode {
            Mode::Plan => playbook,
            Mode::Record => None,
            Mode::Auto => return Err(HookError::Auto),
        };
        Ok(Self {
            name: name.to_owned(),
            auth: Auth::new(&webhook.auth.kind, secrets)?,
            source,
            mapping,
            condition: Condition::new(&webhook.when, &webhook.ignore_when)?,
            rate: Rate::usual(now),
            playbook,
        })
    }

    /// The same with another bucket: a benchmark sends more than a sender should.
    #[must_use]
    pub fn with_rate(self, rate: Rate) -> Self {
        Self { rate, ..self }
    }
}
