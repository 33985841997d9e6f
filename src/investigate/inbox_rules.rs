//! Whose each inbox rule is. Rules carry no date and no author (identity.md 7.1), so they are judged by what they do, by
//! what they look for, and by whether they were meant not to be seen. One of these alone is what users do as well: it is
//! shown, and asked about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::case::{Case, InboxRule, Judged, Look, MethodVerdict};
use crate::domain::UserId;
use crate::graph::{Reader, settled};
use crate::plan::KnownThing;

/// What is read for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbox {
    /// The rules; `Read(None)` where there is no mailbox in the cloud.
    pub rules: Look<Option<Vec<InboxRule>>>,
    /// The tenant's own domains.
    pub own_domains: Look<Vec<String>>,
    /// The id of the mailbox's archive folder.
    pub archive: Look<Option<String>>,
    /// Whether the names of the folders that rules move mail to were read.
    pub folders: Look<()>,
}

/// Reads what the finder needs; what fails is unread, and nothing else waits for it.
pub async fn read(graph: &Reader, case: &Case) -> Inbox {
    let user = &case.subject.id;
    let rules = async {
        let mut rules = settled(graph.inbox_rules(user).await);
        let folders = match &mut rules {
            Look::Read(Some(rules)) => name_folders(graph, user, rules).await,
            Look::Read(None) | Look::Unread { .. } => Look::Read(()),
        };
        (rules, folders)
    };
    let ((rules, folders), own_domains, archive) =
        tokio::join!(rules, graph.own_domains(), graph.archive_folder(user));
    Inbox { rules, own_domains: settled(own_domains), archive: settled(archive), folders }
}

/// Reads what the folders are called that rules move mail to: rules name them by their ids.
async fn name_folders(graph: &Reader, user: &UserId, rules: &mut [InboxRule]) -> Look<()> {
    let ids: BTreeSet<String> = rules.iter().flat_map(InboxRule::folder_ids).map(str::to_owned).collect();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut read = Look::Read(());
    for id in &ids {
        if names.len() >= MOST_FOLDERS {
            let why = format!("rules move mail to {} folders: {MOST_FOLDERS} were asked about", ids.len());
            read = Look::Unread { why };
            break;
        }
        match settled(graph.mail_folder_name(user, id).await) {
            Look::Read(name) => {
                // One that is gone keeps its id.
                names.insert(id.clone(), name.unwrap_or_else(|| id.clone()));
            }
            // What is refused once is refused for every folder.
            Look::Unread { why } => {
                read = Look::Unread { why };
                break;
            }
        }
    }
    for rule in rules {
        let own = rule.folder_ids().into_iter().filter_map(|id| names.get_key_value(id));
        rule.folders = own.map(|(id, name)| (id.clone(), name.clone())).collect();
    }
    read
}

/// Folders whose names are read at most: each is a question of its own.
const MOST_FOLDERS: usize = 25;

/// A rule by what it does and whether it runs.
pub fn known(rule: &InboxRule) -> KnownThing {
    let state = json!({
        "enabled": rule.enabled, "conditions": rule.conditions, "actions": rule.actions, "exceptions": rule.exceptions,
    });
    KnownThing::new(&rule.id, &state)
}

/// From here on a rule is an intruder's, where what it is after or how it hides itself is among what counts.
const CERTAIN: u8 = 5;
/// From here on a rule is asked about.
const SUSPICIOUS: u8 = 3;

/// Folders that nobody looks into, by their letters alone.
const UNSEEN_FOLDERS: [&str; 9] = [
    "archive",
    "rssfeeds",
    "rsssubscriptions",
    "conversationhistory",
    "junkemail",
    "junk",
    "deleteditems",
    "syncissues",
    "recoverableitemsdeletions",
];

/// Words of payments, as intruders look for them.
const MONEY: [&str; 32] = [
    "invoice",
    "payment",
    "wire",
    "bank",
    "ach",
    "iban",
    "swift",
    "remit",
    "payroll",
    "1099",
    "w-2",
    "w2",
    "deposit",
    "purchase order",
    "vendor",
    "billing",
    "transfer",
    "account receivable",
    "accounts payable",
    "overdue",
    "docusign",
    "rechnung",
    "zahlung",
    "überweisung",
    "facture",
    "paiement",
    "virement",
    "factura",
    "pago",
    "fatura",
    "pagamento",
    "fattura",
];
/// Words of warnings, which the user is not to see.
const WARNINGS: [&str; 24] = [
    "phish",
    "hack",
    "spam",
    "scam",
    "fraud",
    "suspicious",
    "malware",
    "virus",
    "compromise",
    "password",
    "security alert",
    "security",
    "unusual sign",
    "new sign-in",
    "verification code",
    "mfa",
    "authenticator",
    "helpdesk",
    "help desk",
    "it support",
    "mailer-daemon",
    "undeliverable",
    "delivery has failed",
    "postmaster",
];

/// One thing that speaks against a rule.
struct Sign {
    weight: u8,
    reason: String,
}

/// What speaks against a rule, by its kind.
#[derive(Default)]
struct Signs {
    /// What it does to the mail.
    harm: Vec<Sign>,
    /// What it is after.
    aim: Vec<Sign>,
    /// How it keeps itself from being seen.
    disguise: Vec<Sign>,
}

impl Signs {
    fn weight(&self) -> u8 {
        let all = self.harm.iter().chain(&self.aim).chain(&self.disguise);
        all.fold(0, |sum, sign| sum.saturating_add(sign.weight))
    }
}

/// Judges every rule.
pub fn judge(rules: &[InboxRule], inbox: &Inbox, case: &Case) -> Vec<Judged<InboxRule>> {
    rules.iter().map(|rule| judge_one(rule, inbox, case)).collect()
}

fn judge_one(rule: &InboxRule, inbox: &Inbox, case: &Case) -> Judged<InboxRule> {
    let judged = |verdict, reasons| Judged { object: rule.clone(), verdict, reasons };
    if rule.is_opaque() {
        let why =
            "Graph cannot express it, so what it does is not known: that is no sign that it is harmless";
        return judged(MethodVerdict::Unknown, vec![why.to_owned()]);
    }
    let harm = harm(rule, inbox, case);
    let disguise = if harm.is_empty() { Vec::new() } else { disguise(rule) };
    let signs = Signs { aim: aim(rule), disguise, harm };
    let weight = signs.weight();
    let is_after_something = !signs.aim.is_empty() || !signs.disguise.is_empty();
    let does_harm = !signs.harm.is_empty();
    let mut reasons: Vec<String> = Vec::new();
    let sends_out = rule.sends_to().into_iter().any(|address| is_outside(address, inbox, case));
    let verdict = if does_harm && is_after_something && weight >= CERTAIN {
        match inbox.own_domains.unread() {
            Some(why) if sends_out => {
                reasons.push(format!("which domains are the company's was not read: {why}"));
                MethodVerdict::Unknown
            }
            _ => MethodVerdict::Attacker,
        }
    } else if sends_out || (does_harm && weight >= SUSPICIOUS) {
        reasons.push("rules carry no date: who made it is not known".to_owned());
        MethodVerdict::Unknown
    } else {
        reasons.push("it does what users' own rules do".to_owned());
        MethodVerdict::Owner
    };
    let all = signs.harm.into_iter().chain(signs.aim).chain(signs.disguise);
    reasons.splice(0..0, all.map(|sign| sign.reason));
    judged(verdict, reasons)
}

/// Whether an address is outside the company, as far as its domains are known.
fn is_outside(address: &str, inbox: &Inbox, case: &Case) -> bool {
    let domain = |text: &str| text.rsplit_once('@').map(|(_, domain)| domain.trim().to_lowercase());
    let Some(theirs) = domain(address) else { return true };
    let own = domain(&case.subject.upn.to_string());
    let known = inbox.own_domains.read().map(Vec::as_slice).unwrap_or_default();
    own.as_deref() != Some(theirs.as_str()) && !known.contains(&theirs)
}

fn harm(rule: &InboxRule, inbox: &Inbox, case: &Case) -> Vec<Sign> {
    let mut signs = Vec::new();
    let outside: Vec<&str> =
        rule.sends_to().into_iter().filter(|address| is_outside(address, inbox, case)).collect();
    if !outside.is_empty() {
        let reason = format!("it sends mail to {}, outside the company", outside.join(", "));
        signs.push(Sign { weight: 2, reason });
    }
    let marks = rule.does("markAsRead");
    if rule.does("delete") || rule.does("permanentDelete") {
        signs.push(Sign { weight: 2, reason: "it deletes mail".to_owned() });
    } else if let Some(folder) = rule.moves_to() {
        let is_archive = inbox.archive.read().is_some_and(|own| own.as_deref() == Some(folder));
        let name = rule.folder(folder);
        if is_archive || is_unseen(name) {
            let reason = if rule.folders.contains_key(folder) {
                format!("it moves mail where nobody looks: to the folder `{name}`")
            } else {
                "it moves mail where nobody looks".to_owned()
            };
            signs.push(Sign { weight: 2, reason });
        }
        if marks {
            let reason = "it moves mail away and marks it as read, so that it is not missed".to_owned();
            signs.push(Sign { weight: 1, reason });
        }
    }
    if !signs.is_empty() && rule.is_for_all_mail() {
        signs.push(Sign { weight: 1, reason: "it applies to all mail".to_owned() });
    }
    signs
}

/// Whether a folder is one that nobody looks into, or bears a name that is easily overlooked.
fn is_unseen(name: &str) -> bool {
    let letters: String = name.chars().filter(|letter| letter.is_alphanumeric()).collect();
    letters.is_empty() || UNSEEN_FOLDERS.contains(&letters.to_lowercase().as_str())
}

fn aim(rule: &InboxRule) -> Vec<Sign> {
    let texts: Vec<String> = rule.looks_for().into_iter().map(str::to_lowercase).collect();
    let hits = |words: &[&str]| -> Vec<String> {
        texts.iter().filter(|text| words.iter().any(|word| holds(text, word))).cloned().collect()
    };
    let mut signs = Vec::new();
    for (words, about) in [(&MONEY[..], "payments"), (&WARNINGS[..], "warnings about the account")] {
        let found = hits(words);
        if !found.is_empty() {
            let listed: Vec<String> = found.iter().map(|text| format!("`{text}`")).collect();
            signs.push(Sign { weight: 2, reason: format!("it looks for {about}: {}", listed.join(", ")) });
        }
    }
    signs
}

/// Whether a text holds a word that begins a word of it: `wire` is in `wire transfer`, and not in `hardwire`.
fn holds(text: &str, word: &str) -> bool {
    let is_short = word.chars().count() <= 4;
    text.match_indices(word).any(|(place, _)| {
        let before = text.get(..place).and_then(|part| part.chars().next_back());
        let after = text.get(place.saturating_add(word.len())..).and_then(|part| part.chars().next());
        let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        // Short words stand alone; longer ones may go on: `payments`, `hacked`.
        let goes_on = is_letter(after) && is_short && word != "hack";
        !is_letter(before) && !goes_on
    })
}

fn disguise(rule: &InboxRule) -> Vec<Sign> {
    let mut signs = hidden_name(rule);
    // Whoever only wants to be rid of mail has no use for it: it keeps the count of unread mail from telling.
    if rule.does("delete") && rule.does("markAsRead") {
        signs.push(Sign { weight: 1, reason: "it marks as read what it deletes".to_owned() });
    }
    signs
}

fn hidden_name(rule: &InboxRule) -> Vec<Sign> {
    let name = rule.name.trim();
    let is_short = name.chars().count() <= 2;
    let is_marks = name.chars().all(|letter| !letter.is_alphanumeric());
    if !is_short && !is_marks {
        return Vec::new();
    }
    let reason = if name.is_empty() {
        "it has no name".to_owned()
    } else {
        format!("its name is `{name}`, which is easily overlooked")
    };
    vec![Sign { weight: 2, reason }]
}

/// What a rule does and to which mail, in one line.
pub fn describe(rule: &InboxRule) -> String {
    if rule.is_opaque() {
        return "does what Graph cannot tell".to_owned();
    }
    let does: Vec<String> =
        rule.actions.iter().filter_map(|(action, value)| told(rule, action, value)).collect();
    let to = if rule.is_for_all_mail() {
        "all mail".to_owned()
    } else {
        let looked: Vec<String> =
            rule.conditions.iter().filter_map(|(key, value)| condition(key, value)).collect();
        format!("mail with {}", looked.join(" and "))
    };
    format!("{}; for {to}", does.join(", "))
}

fn told(rule: &InboxRule, action: &str, value: &Value) -> Option<String> {
    let addresses = || {
        let all = value.as_array().into_iter().flatten();
        let all = all.filter_map(|own| own.pointer("/emailAddress/address").and_then(Value::as_str));
        all.collect::<Vec<_>>().join(", ")
    };
    Some(match (action, value) {
        (_, Value::Bool(false) | Value::Null) => return None,
        ("forwardTo" | "forwardAsAttachmentTo", _) => format!("forwards to {}", addresses()),
        ("redirectTo", _) => format!("redirects to {}", addresses()),
        ("delete", _) => "deletes".to_owned(),
        ("permanentDelete", _) => "deletes for good".to_owned(),
        ("markAsRead", _) => "marks as read".to_owned(),
        ("moveToFolder", Value::String(id)) => format!("moves to the folder {}", folder(rule, id)),
        ("copyToFolder", Value::String(id)) => format!("copies to the folder {}", folder(rule, id)),
        ("stopProcessingRules", _) => "keeps later rules from running".to_owned(),
        ("assignCategories", _) => "assigns categories".to_owned(),
        ("markImportance", Value::String(word)) => format!("marks as of {word} importance"),
        (other, _) => other.to_owned(),
    })
}

/// A folder by its name, or by its id where the name was not read.
fn folder(rule: &InboxRule, id: &str) -> String {
    match rule.folders.get(id) {
        Some(name) => format!("`{name}`"),
        None => format!("{id} (an id: its name was not read)"),
    }
}

fn condition(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::Bool(false) | Value::Null => None,
        Value::Bool(true) => Some(key.to_owned()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let text = |item: &Value| match item.pointer("/emailAddress/address").and_then(Value::as_str) {
                Some(address) => address.to_owned(),
                None => item.as_str().map_or_else(|| item.to_string(), str::to_owned),
            };
            let listed: Vec<String> = items.iter().map(|item| format!("`{}`", text(item))).collect();
            Some(format!("{key} {}", listed.join(", ")))
        }
        other => Some(format!("{key} {other}")),
    }
}

#[cfg(test)]
mod tests;
