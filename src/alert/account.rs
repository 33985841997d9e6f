//! Who an alert is about, as senders write it. A name on screens is never one: two people may have it.

use serde::{Deserialize, Serialize};

use crate::domain::{Upn, UserId};

/// An account as an alert names it, to be looked up in the tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// By object id, or by an Entra SID, which holds one.
    Id(UserId),
    /// By user principal name, or by an address of a mailbox: both are spelt alike.
    Upn(Upn),
    /// By the name in the company's own directory.
    Sam {
        /// The domain, as it was written.
        domain: String,
        /// The account's name.
        name: String,
    },
}

/// What a text says about who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// An account.
    Account(Account),
    /// Nothing: a placeholder, or an account of a machine's own.
    Nothing,
    /// Something that may be meant for several people, or for none: the text.
    Ambiguous(String),
    /// Something that is not to be looked up.
    Refused {
        /// Why.
        why: &'static str,
    },
}

/// What senders write where they know no user.
const PLACEHOLDERS: [&str; 10] =
    ["", "-", "--", "n/a", "na", "none", "null", "unknown", "not available", "(null)"];
/// Domains that are a machine's own.
const OF_A_MACHINE: [&str; 6] =
    ["nt authority", "nt service", "builtin", "window manager", "font driver host", "iis apppool"];
/// The longest text that may be a user.
const LONGEST: usize = 256;

impl Account {
    /// Reads a text.
    pub fn read(text: &str) -> Reading {
        let text = text.trim();
        if PLACEHOLDERS.contains(&text.to_lowercase().as_str()) {
            return Reading::Nothing;
        }
        if text.len() > LONGEST {
            return Reading::Refused { why: "it is too long for a user's name" };
        }
        let plain = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        if let Ok(id) = plain.parse::<UserId>() {
            return Reading::Account(Self::Id(id));
        }
        if let Some(parts) = text.strip_prefix("S-1-12-1-") {
            return match id_of_sid(parts) {
                Some(id) => Reading::Account(Self::Id(id)),
                None => Reading::Refused { why: "it is no SID of Entra's that holds an object id" },
            };
        }
        if let Some((domain, name)) = text.split_once('\\') {
            return sam(domain, name);
        }
        if !text.contains('@') {
            return Reading::Ambiguous(text.to_owned());
        }
        if !text.is_ascii() {
            return Reading::Refused { why: "it has letters that may be made to look like another name" };
        }
        // UPNs compare without case; the mark of a guest is written in capitals everywhere.
        match text.to_ascii_lowercase().replace("#ext#", "#EXT#").parse() {
            Ok(upn) => Reading::Account(Self::Upn(upn)),
            Err(_) => Reading::Refused { why: "it is no user principal name" },
        }
    }

    /// The text that tells it from others before the tenant was asked.
    pub fn key(&self) -> String {
        match self {
            Self::Id(id) => format!("id:{id}"),
            Self::Upn(upn) => format!("upn:{upn}"),
            Self::Sam { domain, name } => format!("sam:{}\\{}", domain.to_lowercase(), name.to_lowercase()),
        }
    }

    /// As a person reads it: show it inert.
    pub fn shown(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Upn(upn) => upn.to_string(),
            Self::Sam { domain, name } => format!("{domain}\\{name}"),
        }
    }
}

/// Four numbers of 32 bits, each with its lowest byte first, are the object id.
fn id_of_sid(parts: &str) -> Option<UserId> {
    let numbers: Vec<u32> = parts
        .split('-')
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?)
        .collect::<Option<_>>()?;
    let numbers: [u32; 4] = numbers.try_into().ok()?;
    let mut bytes = [0u8; 16];
    for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string().parse().ok()
}

fn sam(domain: &str, name: &str) -> Reading {
    if OF_A_MACHINE.contains(&domain.to_lowercase().as_str()) || name.ends_with('$') {
        return Reading::Nothing;
    }
    let is_word = |text: &str| {
        !text.is_empty()
            && text.chars().all(|letter| {
                letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | '\'' | ' ' | '&' | '#' | '!')
            })
    };
    if is_word(domain) && is_word(name) {
        Reading::Account(Account::Sam { domain: domain.to_owned(), name: name.to_owned() })
    } else {
        Reading::Refused { why: "it is no account of a directory" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_in_a_sid_is_the_id_and_a_sid_of_another_authority_is_not_guessed_at() {
        let read = Account::read("S-1-12-1-1859506623-1160766853-3041564076-2100677010");
        let id = "6ed5d1bf-e585-452f-ac95-4ab592c9357d".parse().unwrap();
        assert_eq!(read, Reading::Account(Account::Id(id)));
        for text in ["S-1-12-1-1-2-3", "S-1-12-1-1-2-3-4-5", "S-1-12-1-1-2-3-4294967296", "S-1-12-1-+1-2-3-4"]
        {
            assert!(matches!(Account::read(text), Reading::Refused { .. }), "{text}");
        }
        assert!(matches!(Account::read("S-1-5-21-1-2-3-500"), Reading::Ambiguous(_)));
    }

    proptest! {
        #[test]
        fn any_text_has_one_reading_and_an_account_reads_as_itself(text in any::<String>()) {
            if let Reading::Account(account) = Account::read(&text) {
                prop_assert_eq!(Account::read(&account.shown()), Reading::Account(account));
            }
        }
    }
}
