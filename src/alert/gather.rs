//! Collects what a sender's alert has, value by value, and normalises it on the way in. What is of the wrong kind is
//! left out with a word about it: one odd field does not lose an alert.

use serde_json::Value;

use super::account::{Account, Reading};
use super::address::read_addresses;
use super::moment::read_time;
use super::pointer::Pointer;
use super::severity::Severity;
use super::trigger::{Hints, NamedUser, Trigger};
use crate::config::WidestBlock;

/// The longest text that is kept of an alert, in characters.
const LONGEST: usize = 512;
/// As many of each kind are kept: an alert about one intrusion does not need more.
const MOST: usize = 100;

/// An alert on its way into a trigger.
pub(super) struct Gathering {
    trigger: Trigger,
    widest: WidestBlock,
}

impl Gathering {
    pub(super) fn new(source: &str, widest: WidestBlock) -> Self {
        Self {
            trigger: Trigger {
                source: source.to_owned(),
                id: None,
                title: String::new(),
                severity: Severity::Unknown,
                url: None,
                tenant: None,
                users: Vec::new(),
                hints: Hints::default(),
                is_resolved: false,
                playbook: None,
                notes: Vec::new(),
            },
            widest,
        }
    }

    pub(super) fn finish(self) -> Trigger {
        self.trigger
    }

    pub(super) fn note(&mut self, note: &str) {
        if self.trigger.notes.len() < MOST {
            self.trigger.notes.push(cut(note));
        }
    }

    /// Takes an id in. One that was cut would be that of other alerts, too.
    pub(super) fn id(&mut self, text: Option<String>) {
        let whole = text.filter(|text| text.chars().count() <= LONGEST);
        self.trigger.id = self.trigger.id.take().or(whole);
    }

    pub(super) fn title(&mut self, text: Option<String>) {
        if let Some(text) = text.filter(|_| self.trigger.title.is_empty()) {
            self.trigger.title = text;
        }
    }

    pub(super) fn severity(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.trigger.severity = self.trigger.severity.max(Severity::read(text));
        }
    }

    pub(super) fn url(&mut self, text: Option<String>) {
        self.trigger.url = self.trigger.url.take().or(text);
    }

    pub(super) fn tenant(&mut self, text: Option<String>) {
        self.trigger.tenant = self.trigger.tenant.take().or(text);
    }

    pub(super) fn playbook(&mut self, text: Option<String>) {
        self.trigger.playbook = self.trigger.playbook.take().or(text);
    }

    /// Takes a state in: alerts that are over start nothing.
    pub(super) fn state(&mut self, text: Option<&str>) {
        if text.is_some_and(|text| {
            ["resolved", "closed", "recovered"].contains(&text.trim().to_lowercase().as_str())
        }) {
            self.trigger.is_resolved = true;
        }
    }

    /// Takes a time in; of several the earliest counts.
    pub(super) fn time(&mut self, value: &Value) {
        if value.is_null() {
            return;
        }
        match read_time(value) {
            Some(at) => {
                self.trigger.hints.time = Some(self.trigger.hints.time.map_or(at, |own| own.min(at)));
            }
            None => self.note(&format!("the alert's time `{}` is no time", written(value))),
        }
    }

    pub(super) fn address(&mut self, value: &Value) {
        let text = match value {
            Value::Null => return,
            Value::String(text) => text,
            other => {
                return self
                    .note(&format!("the alert's address `{}` is left out: it is no text", written(other)));
            }
        };
        let (blocks, notes) = read_addresses(text, self.widest);
        for note in notes {
            self.note(&note);
        }
        for block in blocks {
            let own = &mut self.trigger.hints.addresses;
            if !own.contains(&block) && own.len() < MOST {
                own.push(block);
            }
        }
    }

    pub(super) fn user_agent(&mut self, value: &Value) {
        let Some(text) = self.hint_text("user agent", value) else { return };
        add(&mut self.trigger.hints.user_agents, text);
    }

    pub(super) fn session(&mut self, value: &Value) {
        let Some(text) = self.hint_text("session", value) else { return };
        add(&mut self.trigger.hints.sessions, text);
    }

    /// A hint is compared with the log to the letter: a text that was cut would never fit, so a long one is left out.
    fn hint_text(&mut self, what: &str, value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() || text.trim() == "-" => None,
            Value::String(text) if text.chars().count() <= LONGEST => Some(text.trim().to_owned()),
            Value::String(_) => {
                self.note(&format!(
                    "a {what} of the alert is left out: it is longer than {LONGEST} characters"
                ));
                None
            }
            other => {
                self.note(&format!("the alert's {what} `{}` is left out: it is no text", written(other)));
                None
            }
        }
    }

    /// Takes one user in, with every text that the alert has for that user, the surest first.
    pub(super) fn user(&mut self, texts: &[&Value]) {
        let mut user = NamedUser { accounts: Vec::new(), unusable: Vec::new() };
        for value in texts {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                other => {
                    self.note(&format!("the alert's user `{}` is left out: it is no text", written(other)));
                    continue;
                }
            };
            match Account::read(text) {
                Reading::Account(account) if !user.accounts.contains(&account) => user.accounts.push(account),
                Reading::Account(_) | Reading::Nothing => {}
                Reading::Ambiguous(text) => user.unusable.push(cut(&text)),
                Reading::Refused { why } => {
                    self.note(&format!("the alert's user `{}` is left out: {why}", cut(text)));
                    user.unusable.push(cut(text));
                }
            }
        }
        if user.accounts.is_empty() && user.unusable.is_empty() {
            return;
        }
        // Two pieces of evidence about one user are one user: they share an account.
        let shares = |own: &&mut NamedUser| {
            own.accounts.iter().any(|account| user.accounts.contains(account))
                || own.accounts.is_empty() && user.accounts.is_empty() && own.unusable == user.unusable
        };
        if let Some(own) = self.trigger.users.iter_mut().find(shares) {
            for account in user.accounts {
                if !own.accounts.contains(&account) {
                    own.accounts.push(account);
                }
            }
            own.accounts.sort();
            return;
        }
        // An object id tells more than a name, and a name than one of another directory.
        user.accounts.sort();
        self.trigger.users.push(user);
    }

    /// Takes in a user of whom only the name on screens is known: it names nobody, whatever it looks like.
    pub(super) fn name_on_screens(&mut self, value: Option<&Value>) {
        if let Some(text) = value.and_then(Value::as_str).filter(|text| !text.trim().is_empty()) {
            self.trigger.users.push(NamedUser { accounts: Vec::new(), unusable: vec![cut(text.trim())] });
        }
    }
}

fn add(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) && list.len() < MOST {
        list.push(text);
    }
}

/// A text, not longer than is kept.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// A value as it was written, cut.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

/// The text at a plain JSON pointer, cut; none where there is none or it is empty.
pub(super) fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(cut)
}

/// The text or number at a pointer of the settings, as text.
pub(super) fn word_at(value: &Value, pointer: &Pointer) -> Option<String> {
    pointer.values(value).into_iter().find_map(|found| match found.as_ref() {
        Value::String(text) if !text.trim().is_empty() => Some(cut(text.trim())),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The members of a list; a value that is no list is its own only member, and null has none.
pub(super) fn members(value: Option<&Value>) -> &[Value] {
    match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(other) => std::slice::from_ref(other),
    }
}
