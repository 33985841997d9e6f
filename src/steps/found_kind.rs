//! What may have been found, for a step that is planned only then. What could not be looked for may be there: it counts
//! as found, and is told; so does what is there while the log was not read that says whose it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::{Case, IndicatorKind, Judged, Look, MethodVerdict};
use crate::graph::{Reader, Reading};
use crate::investigate::{consents, devices, inbox_rules, roles};

/// A kind of thing of the intruder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// An address that the intruder came from.
    Addresses,
    /// A method that the intruder registered.
    Methods,
    /// An inbox rule of the intruder's.
    InboxRules,
    /// An inbox rule that Graph cannot express.
    OpaqueRules,
    /// A consent that the intruder gave.
    Consents,
    /// A device that the intruder registered.
    Devices,
    /// A directory role that the intruder gave the account.
    Roles,
}

/// What a look for a kind came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    kind: FoundKind,
    /// Whether there is one.
    found: Look<bool>,
}

impl Sighting {
    /// What it says for the step; nothing where none was found.
    pub(super) fn told(&self) -> Option<String> {
        match &self.found {
            Look::Read(true) => Some(format!("found: {}", self.kind.words())),
            Look::Read(false) => None,
            Look::Unread { why } => {
                Some(format!("whether there is one could not be read: {} ({why})", self.kind.words()))
            }
        }
    }
}

impl FoundKind {
    /// It in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Addresses => "an address that the intruder came from",
            Self::Methods => "a method that the intruder registered",
            Self::InboxRules => "an inbox rule of the intruder's",
            Self::OpaqueRules => "an inbox rule that Graph cannot express",
            Self::Consents => "a consent that the intruder gave",
            Self::Devices => "a device that the intruder registered",
            Self::Roles => "a directory role that the intruder gave the account",
        }
    }

    /// What is read for it, beside what every plan reads.
    pub(super) fn reads(self) -> &'static [Reading] {
        match self {
            Self::Addresses | Self::Methods | Self::Roles => &[],
            Self::InboxRules | Self::OpaqueRules => &[Reading::InboxRules],
            Self::Consents => &[Reading::Grants, Reading::Apps],
            Self::Devices => &[Reading::Devices],
        }
    }

    /// Looks whether there is one.
    pub(super) async fn look(self, case: &Case, graph: &Reader) -> Sighting {
        let found = match self {
            Self::Addresses => {
                let is_one = |kind| matches!(kind, IndicatorKind::Address | IndicatorKind::Range);
                match unread(&case.evidence.sign_ins) {
                    Some(why) if !case.indicators.iter().any(|own| is_one(own.kind)) => Look::Unread { why },
                    _ => Look::Read(case.indicators.iter().any(|own| is_one(own.kind))),
                }
            }
            Self::Methods => {
                let verdicts =
                    case.evidence.methods.as_ref().map(|all| all.iter().map(|own| own.verdict).collect());
                is_there(verdicts, [unread(&case.evidence.audits), unread(&case.evidence.sign_ins)])
            }
            Self::InboxRules => {
                let inbox = inbox_rules::read(graph, case).await;
                inbox.rules.as_ref().map(|rules| {
                    let rules = rules.as_deref().unwrap_or_default();
                    is_any_the_intruders(&inbox_rules::judge(rules, &inbox, case))
                })
            }
            Self::OpaqueRules => {
                let inbox = inbox_rules::read(graph, case).await;
                let is_one = |rule: &crate::case::InboxRule| rule.enabled && rule.is_opaque();
                inbox.rules.as_ref().map(|rules| rules.iter().flatten().any(is_one))
            }
            Self::Consents => {
                let consents = consents::read(graph, case).await;
                let verdicts =
                    consents.grants.as_ref().map(|all| verdicts(&consents::judge(all, &consents, case)));
                is_there(verdicts, [unread(&consents.activities), unread(&case.evidence.sign_ins)])
            }
            Self::Devices => {
                let devices = devices::read(graph, case).await;
                let verdicts =
                    devices.devices.as_ref().map(|all| verdicts(&devices::judge(all, &devices, case)));
                let logs = devices.activities.values().chain([&devices.by_user]);
                is_there(verdicts, logs.map(unread).chain([unread(&case.evidence.sign_ins)]))
            }
            Self::Roles => {
                let roles = roles::read(graph, case).await;
                let verdicts = roles.held.as_ref().map(|all| verdicts(&roles::judge(all, &roles, case)));
                is_there(verdicts, [unread(&roles.activities), unread(&case.evidence.sign_ins)])
            }
        };
        Sighting { kind: self, found }
    }
}

fn verdicts<T>(all: &[Judged<T>]) -> Vec<MethodVerdict> {
    all.iter().map(|own| own.verdict).collect()
}

fn unread<T>(look: &Look<T>) -> Option<String> {
    match look {
        Look::Read(_) => None,
        Look::Unread { why } => Some(why.clone()),
    }
}

/// Whether one is the intruder's. Where none is, and a log was not read that says whose they are, one that nothing is
/// known of may be.
fn is_there(
    verdicts: Look<Vec<MethodVerdict>>,
    logs: impl IntoIterator<Item = Option<String>>,
) -> Look<bool> {
    let Look::Read(all) = &verdicts else { return verdicts.map(|_| false) };
    let is_open = !all.contains(&MethodVerdict::Attacker) && all.contains(&MethodVerdict::Unknown);
    match logs.into_iter().flatten().next() {
        Some(why) if is_open => Look::Unread { why },
        _ => Look::Read(all.contains(&MethodVerdict::Attacker)),
    }
}

fn is_any_the_intruders<T>(all: &[Judged<T>]) -> bool {
    all.iter().any(|own| own.verdict == MethodVerdict::Attacker)
}
