//! The playbooks that come with stanch, and finding one by name or by path.
//!
//! Invariant: a name is only ever looked up among the shipped ones; it never becomes part of a path.

use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;

use super::catalog::StepCatalog;
use super::error::PlaybookError;
use super::model::Playbook;
use super::tree::{self, MAX_BYTES};
use super::word;

const SHIPPED: [(&str, &str); 9] = [
    ("bec", include_str!("../../playbooks/bec.yaml")),
    ("evict", include_str!("../../playbooks/evict.yaml")),
    ("leaver", include_str!("../../playbooks/leaver.yaml")),
    ("malicious-consent", include_str!("../../playbooks/malicious-consent.yaml")),
    ("mass-compromise", include_str!("../../playbooks/mass-compromise.yaml")),
    ("mfa-fatigue", include_str!("../../playbooks/mfa-fatigue.yaml")),
    ("password-spray", include_str!("../../playbooks/password-spray.yaml")),
    ("restore", include_str!("../../playbooks/restore.yaml")),
    ("token-theft", include_str!("../../playbooks/token-theft.yaml")),
];

/// What `playbook list` tells of a shipped playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shipped {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub summary: String,
}

/// Lists the shipped playbooks by name.
pub fn list() -> Vec<Shipped> {
    let describe = |(name, text): &(&str, &str)| {
        let root = tree::parse(text, &mut Vec::new());
        let field = |key: &str| {
            let entry = root.as_ref().and_then(|root| root.entry(key));
            entry.and_then(|entry| entry.value.text()).unwrap_or_default().trim().to_owned()
        };
        Shipped { name: (*name).to_owned(), title: field("title"), summary: field("summary") }
    };
    SHIPPED.iter().map(describe).collect()
}

/// Gives the text of a shipped playbook.
pub fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Loads a playbook: with a `/` in it, or `.yaml` or `.yml` at its end, `which` is a path; else a shipped one's name.
///
/// # Errors
/// When there is none, when it cannot be read, and when it is wrong.
pub fn load(which: &str, catalog: &StepCatalog) -> Result<Playbook, PlaybookError> {
    let is_path = which.contains(['/', '\\'])
        || [".yaml", ".yml"].iter().any(|ending| which.to_ascii_lowercase().ends_with(ending));
    if is_path {
        let bytes =
            read(which).map_err(|source| PlaybookError::Unreadable { path: PathBuf::from(which), source })?;
        return Ok(Playbook::parse(which, &bytes, catalog)?);
    }
    match shipped_text(which) {
        Some(text) => Ok(Playbook::parse(&format!("playbooks/{which}.yaml"), text.as_bytes(), catalog)?),
        None => Err(PlaybookError::UnknownName {
            name: which.to_owned(),
            nearest: word::nearest(which, SHIPPED.iter().map(|(name, _)| *name)),
            known: SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }),
    }
}

/// Reads one byte more than is allowed at most: a file without end ends there.
fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
