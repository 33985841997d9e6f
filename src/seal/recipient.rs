//! Who may open a sealed secret: a public key of age or SSH. Invariant: a private key is refused, and never repeated.

use std::fmt;
use std::str::FromStr;

/// A public key that secrets are sealed to.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Age(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

/// Why a text is no recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// It is a private key.
    #[error("one of the recipients is a private key")]
    Private,
    /// It is of another kind.
    #[error("the recipient `{text}` is no key that can be sealed to")]
    Unknown {
        /// The text.
        text: String,
    },
    /// It is damaged.
    #[error("the recipient `{text}` is damaged: {why}")]
    Damaged {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl RecipientError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Private => {
                "take it out of the settings, make a new key, and put the public one there: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`"
            }
            Self::Unknown { .. } | Self::Damaged { .. } => {
                "put the whole public key there: a line of `age-keygen -y`, or of a `.pub` file that begins with `ssh-ed25519` or `ssh-rsa`"
            }
        }
        .to_owned()
    }
}

impl Recipient {
    /// The key as age's library takes it.
    pub(super) fn key(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::Age(key) => key,
            Key::Ssh(key) => key,
        }
    }

    /// The key as it was written, its comment left out.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Recipient").field(&self.text).finish()
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY") {
            return Err(RecipientError::Private);
        }
        let mut words = text.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        match (first, second) {
            (key, None) if key.starts_with("age1") => match key.parse() {
                Ok(own) => Ok(Self { text: key.to_owned(), key: Key::Age(own) }),
                Err(why) => Err(RecipientError::Damaged { text: key.to_owned(), why }),
            },
            ("ssh-ed25519" | "ssh-rsa", Some(body)) => {
                let text = format!("{first} {body}");
                match text.parse() {
                    Ok(own) => Ok(Self { text, key: Key::Ssh(own) }),
                    Err(_) => {
                        Err(RecipientError::Damaged { text, why: "the key after its kind does not read" })
                    }
                }
            }
            _ => Err(RecipientError::Unknown { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF9DteSy9D3Es4ERnMcSgOhj+yiX/jKPJ4ZjOocp9KP8 dana@contoso.com";

    #[test]
    fn a_comment_is_no_part_of_a_key() {
        let own: Recipient = ED25519.parse().unwrap();
        assert_eq!(own.as_str(), ED25519.rsplit_once(' ').unwrap().0);
        assert_eq!(own, own.as_str().parse().unwrap());
    }

    #[test]
    fn a_private_key_is_refused_and_not_repeated() {
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        for text in [secret, &secret.to_lowercase(), "-----BEGIN OPENSSH PRIVATE KEY-----"] {
            let error = text.parse::<Recipient>().unwrap_err();
            assert_eq!(error, RecipientError::Private);
            let told = format!("{error} {}", error.hint());
            assert!(!told.contains("1GQ9778"), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_sealed_to_is_named() {
        for text in
            ["", "age1", "age1notakey", "ssh-ed25519", "ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 AAAA", "dana"]
        {
            let error = text.parse::<Recipient>().unwrap_err();
            assert_ne!(error, RecipientError::Private, "{text}");
        }
    }
}
