//! The configuration as the rest of stanch uses it, with the default of each setting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;

use super::duration::parse_duration;
use super::endpoint::Cloud;
use super::environment::Environment;
use super::error::{ConfigFault, Origin};
use super::layers::{Item, Layer};
use super::store_url::{StoreUrl, default_store};
use super::text::Value;
use super::webhook::{self, Webhook};

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The file it was read from, if there was one.
    pub file: Option<PathBuf>,
    /// Where runs are kept; none: see [`Config::store_or_default`].
    pub store: Option<StoreUrl>,
    /// In which of Microsoft's clouds the tenant is.
    pub cloud: Cloud,
    /// Whether a clock that is off stops planning against this very machine too, where a mock runs; against anything
    /// else it always does.
    pub stop_on_skew: bool,
    /// Who asks.
    pub operator: Operator,
    /// What an apply needs.
    pub approval: Approval,
    /// What is refused.
    pub guards: Guards,
    /// Who may open secrets.
    pub secrets: Secrets,
    /// Which alerts are listened to, by name.
    pub webhooks: BTreeMap<String, Webhook>,
}

/// Who asks, for four eyes and the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// The UPN; none: the operating system's user, unresolved.
    pub user: Option<String>,
    /// The app that a person signs in to with `--as-me`; none: the responder's.
    pub client_id: Option<String>,
}

/// What an apply needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Whether it needs a signed approval; else a person's yes will do.
    pub required: bool,
    /// The file of those who may approve, in OpenSSH's `allowed_signers` form.
    pub approvers: Option<PathBuf>,
    /// Whether requester, subject and approver have to be three people.
    pub four_eyes: bool,
    /// How long an approval holds.
    pub approve_within: Duration,
}

/// What is refused. Its serialized form is the same for the same guards, in whatever order they were written: the
/// guards' digest is taken over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guards {
    /// Accounts that are never touched, and stay outside every policy: object ids or UPNs.
    pub emergency_accounts: Vec<String>,
    /// Whether it was said aloud that there are none.
    pub no_emergency_accounts: bool,
    /// Groups whose members are not touched.
    pub protected_groups: Vec<String>,
    /// The company's own addresses, which are never blocked.
    pub company_ranges: Vec<IpNet>,
    /// Dangerous permissions that the responder may hold all the same: otherwise apply refuses.
    pub accepted_permissions: Vec<String>,
    /// The widest ranges that may be blocked.
    pub widest_block: WidestBlock,
    /// How many subjects an hour may have.
    pub max_subjects_per_hour: u32,
    /// App ids that stanch is set up to sign in as, whichever of them signs in now. They are no setting of the guards.
    #[serde(skip)]
    pub own_apps: Vec<String>,
}

/// The widest ranges that may be blocked, as lengths of prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WidestBlock {
    /// For IPv4.
    pub ipv4: u8,
    /// For IPv6.
    pub ipv6: u8,
}

/// Who may open secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Secrets {
    /// Public keys, of SSH or age, that may open a new password or Temporary Access Pass.
    pub recipients: Vec<String>,
}

impl Default for Approval {
    fn default() -> Self {
        Self { required: false, approvers: None, four_eyes: true, approve_within: Duration::from_hours(1) }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            emergency_accounts: Vec::new(),
            no_emergency_accounts: false,
            protected_groups: Vec::new(),
            company_ranges: Vec::new(),
            accepted_permissions: Vec::new(),
            widest_block: WidestBlock { ipv4: 24, ipv6: 48 },
            max_subjects_per_hour: 20,
            own_apps: Vec::new(),
        }
    }
}

impl Config {
    /// Gives the store that was set, or else the one in the user's state directory.
    ///
    /// # Errors
    /// When none was set and the user has no such directory.
    pub fn store_or_default(&self, environment: &Environment) -> Result<StoreUrl, ConfigFault> {
        match &self.store {
            Some(store) => Ok(store.clone()),
            None => default_store(environment).ok_or(ConfigFault::NoStateDirectory),
        }
    }

    pub(super) fn build(layer: Layer, file: Option<PathBuf>, here: &Path) -> Result<Self, Vec<ConfigFault>> {
        let mut settings = Settings { layer, faults: Vec::new() };
        let mut config = Self { file, ..Self::default() };
        if let Some((text, origin)) = settings.text(&["store"]) {
            match StoreUrl::parse(&text, base(&origin, here)) {
                Ok(store) => config.store = Some(store),
                Err(error) => settings.invalid(origin, "store", error.to_string(), error.hint()),
            }
        }
        if let Some((name, _)) = settings.text(&["cloud"]) {
            config.cloud = Cloud::of(&name).unwrap_or_default();
        }
        config.stop_on_skew = settings.boolean(&["stop_on_skew"]).is_some_and(|(stops, _)| stops);
        config.operator.user = settings.text(&["operator", "user"]).map(|(user, _)| user);
        config.operator.client_id = settings.text(&["operator", "client_id"]).map(|(id, _)| id);
        settings.approval(&mut config.approval, here);
        settings.guards(&mut config.guards);
        settings.secrets(&mut config.secrets);
        config.webhooks = webhook::build(&mut settings);
        if settings.faults.is_empty() { Ok(config) } else { Err(settings.faults) }
    }
}

/// A relative path in a file is meant from that file, not from wherever stanch was started: two stores would be two
/// ledgers.
fn base<'p>(origin: &'p Origin, here: &'p Path) -> &'p Path {
    match origin {
        Origin::File { file, .. } => file.parent().unwrap_or(here),
        Origin::Variable(_) | Origin::Flag(_) => here,
    }
}

/// Settings on their way into types.
pub(super) struct Settings {
    pub(super) layer: Layer,
    pub(super) faults: Vec<ConfigFault>,
}

impl Settings {
    fn take(&mut self, path: &[&str]) -> Option<Item> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.layer.remove(&path)
    }

    pub(super) fn text(&mut self, path: &[&str]) -> Option<(String, Origin)> {
        match self.take(path)? {
            Item { value: Value::Text(text), origin } => Some((text, origin)),
            _ => None,
        }
    }

    pub(super) fn list(&mut self, path: &[&str]) -> Option<(Vec<String>, Origin)> {
        match self.take(path)? {
            Item { value: Value::List(items), origin } => Some((items, origin)),
            _ => None,
        }
    }

    pub(super) fn lists(&mut self, path: &[&str]) -> Option<BTreeMap<String, Vec<String>>> {
        match self.take(path)? {
            Item { value: Value::Lists(lists), .. } => Some(lists),
            _ => None,
        }
    }

    fn boolean(&mut self, path: &[&str]) -> Option<(bool, Origin)> {
        match self.take(path)? {
            Item { value: Value::Boolean(value), origin } => Some((value, origin)),
            _ => None,
        }
    }

    fn integer<N: TryFrom<i64>>(&mut self, path: &[&str]) -> Option<N> {
        match self.take(path)? {
            Item { value: Value::Integer(number), .. } => N::try_from(number).ok(),
            _ => None,
        }
    }

    pub(super) fn invalid(
        &mut self,
        origin: Origin,
        key: &str,
        why: impl Into<String>,
        hint: Option<String>,
    ) {
        self.faults.push(ConfigFault::Invalid { origin, key: key.to_owned(), why: why.into(), hint });
    }

    fn approval(&mut self, approval: &mut Approval, here: &Path) {
        if let Some((required, _)) = self.boolean(&["approval", "required"]) {
            approval.required = required;
        }
        if let Some((four_eyes, _)) = self.boolean(&["approval", "four_eyes"]) {
            approval.four_eyes = four_eyes;
        }
        if let Some((file, origin)) = self.text(&["approval", "approvers"]) {
            approval.approvers = Some(base(&origin, here).join(file));
        }
        if let Some((text, origin)) = self.text(&["approval", "approve_within"]) {
            match parse_duration(&text) {
                Ok(within) => approval.approve_within = within,
                Err(why) => self.invalid(origin, "approval.approve_within", why, None),
            }
        }
    }

    fn guards(&mut self, guards: &mut Guards) {
        if let Some((accounts, _)) = self.list(&["guards", "emergency_accounts"]) {
            guards.emergency_accounts = sorted(accounts);
        }
        if let Some((none, origin)) = self.boolean(&["guards", "no_emergency_accounts"]) {
            guards.no_emergency_accounts = none;
            if none && !guards.emergency_accounts.is_empty() {
                let why = "it says that there are none, and `guards.emergency_accounts` names some";
                let hint = Some("keep one of the two".to_owned());
                self.invalid(origin, "guards.no_emergency_accounts", why, hint);
            }
        }
        if let Some((groups, _)) = self.list(&["guards", "protected_groups"]) {
            guards.protected_groups = sorted(groups);
        }
        if let Some((permissions, _)) = self.list(&["guards", "accepted_permissions"]) {
            guards.accepted_permissions = sorted(permissions);
        }
        if let Some((ranges, origin)) = self.list(&["guards", "company_ranges"]) {
            for text in ranges {
                match parse_range(&text) {
                    Ok(range) => guards.company_ranges.push(range),
                    Err((why, hint)) => self.invalid(origin.clone(), "guards.company_ranges", why, hint),
                }
            }
            guards.company_ranges.sort_unstable();
            guards.company_ranges.dedup();
        }
        if let Some(length) = self.integer(&["guards", "widest_block", "ipv4"]) {
            guards.widest_block.ipv4 = length;
        }
        if let Some(length) = self.integer(&["guards", "widest_block", "ipv6"]) {
            guards.widest_block.ipv6 = length;
        }
        if let Some(most) = self.integer(&["guards", "max_subjects_per_hour"]) {
            guards.max_subjects_per_hour = most;
        }
    }

    fn secrets(&mut self, secrets: &mut Secrets) {
        let Some((recipients, origin)) = self.list(&["secrets", "recipients"]) else { return };
        for recipient in &recipients {
            let known = ["age1", "ssh-ed25519 ", "ssh-rsa "];
            if !known.iter().any(|start| recipient.starts_with(start)) {
                // Somebody who pastes a private key here should not see it again in a log.
                let why = "one of these is no public key of age or SSH";
                let hint = Some("a recipient begins with `age1`, `ssh-ed25519` or `ssh-rsa`".to_owned());
                self.invalid(origin.clone(), "secrets.recipients", why, hint);
            }
        }
        secrets.recipients = recipients;
    }
}

fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort_unstable();
    items.dedup();
    items
}

fn parse_range(text: &str) -> Result<IpNet, (String, Option<String>)> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(IpNet::from(address));
    }
    match text.parse::<IpNet>() {
        Ok(range) if range.trunc() == range => Ok(range),
        Ok(range) => {
            Err((format!("`{text}` has host bits set"), Some(format!("the range is `{}`", range.trunc()))))
        }
        Err(_) => {
            Err((format!("`{text}` is no range of addresses"), Some("write `198.51.100.0/24`".to_owned())))
        }
    }
}
