//! A trigger: what an alert says, normalised. Nothing in it is an order, and every text in it may be the intruder's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::severity::Severity;
use crate::domain::CidrBlock;

/// A user as one alert names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedUser {
    /// Every account that the alert names for this one user, the surest first; empty where nothing can be looked up.
    pub accounts: Vec<Account>,
    /// What was written that cannot be looked up: show it inert.
    pub unusable: Vec<String>,
}

impl NamedUser {
    /// The text that tells this user from others before the tenant was asked; none where nothing can be looked up.
    pub fn key(&self) -> Option<String> {
        self.accounts.first().map(Account::key)
    }

    /// As a person reads it: show it inert.
    pub fn shown(&self) -> String {
        let first = self.accounts.iter().find(|account| matches!(account, Account::Upn(_)));
        match first.or(self.accounts.first()) {
            Some(account) => account.shown(),
            None => self.unusable.join(", "),
        }
    }
}

/// What an alert says ties to the intruder. It counts only where the sign-in log bears it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hints {
    /// Addresses and ranges.
    pub addresses: Vec<CidrBlock>,
    /// User agents, each taken to the letter: a `*` in one is a star.
    pub user_agents: Vec<String>,
    /// Sign-in sessions.
    pub sessions: Vec<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
}

impl Hints {
    /// Takes in what another alert about the same user says: the earliest time, and everything that is new.
    pub fn add(&mut self, other: &Hints) {
        add_new(&mut self.addresses, &other.addresses);
        add_new(&mut self.user_agents, &other.user_agents);
        add_new(&mut self.sessions, &other.sessions);
        self.time = [self.time, other.time].into_iter().flatten().min();
    }
}

fn add_new<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

/// What an alert says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Which sender's alert it was read as.
    pub source: String,
    /// The sender's own id of the alert.
    pub id: Option<String>,
    /// Title: show it inert.
    pub title: String,
    /// How bad the sender says it is.
    pub severity: Severity,
    /// Where to read more: show it inert.
    pub url: Option<String>,
    /// The tenant that it names.
    pub tenant: Option<String>,
    /// Who it is about, each once.
    pub users: Vec<NamedUser>,
    /// What it says about the intruder.
    pub hints: Hints,
    /// Whether the sender says that it is over: it is written down and starts nothing.
    pub is_resolved: bool,
    /// The playbook that it asks for: shown, never followed.
    pub playbook: Option<String>,
    /// What was left out, and why: show it inert.
    pub notes: Vec<String>,
}
