//! Who may approve: an `allowed_signers` file. A key that signed, a name that it signed under, and the line that says
//! the one is the other's.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::certificate::CertificateFault;
use super::pattern::Case;
use super::signature::{NAMESPACE, SignedBy};
use super::signer_line::{LineFault, SignerLine, parse_line};
use crate::domain::shown;

/// Those who may approve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    lines: Vec<SignerLine>,
}

/// What is wrong with a file, all of it: one bad line and nobody is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedSignersError(Vec<(usize, LineFault)>);

impl fmt::Display for AllowedSignersError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, fault)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}line {line}: {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for AllowedSignersError {}

/// Why a key does not speak for a name.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unlisted {
    /// Neither the name nor the key is there.
    #[error("the approvers' file lists neither `{name}` nor the key {key}")]
    Nobody {
        /// The name.
        name: String,
        /// The key.
        key: String,
    },
    /// The name is there, with other keys.
    #[error("the approvers' file lists `{name}` with another key than {key}")]
    OtherKey {
        /// The name.
        name: String,
        /// The key.
        key: String,
    },
    /// The key is there, for others.
    #[error("line {line} of the approvers' file lists this key for `{principals}`, not for `{name}`")]
    OtherName {
        /// Which line.
        line: usize,
        /// Whom it lists.
        principals: String,
        /// The name.
        name: String,
    },
    /// The line is for other purposes.
    #[error(
        "line {line} of the approvers' file lists this key for the namespaces `{namespaces}`, not for `{NAMESPACE}`"
    )]
    OtherNamespace {
        /// Which line.
        line: usize,
        /// What it is for.
        namespaces: String,
    },
    /// The line's time has not come.
    #[error("line {line} of the approvers' file lists this key from {} on", shown(*.from))]
    NotYet {
        /// Which line.
        line: usize,
        /// From when on.
        from: Timestamp,
    },
    /// The line's time has passed.
    #[error("line {line} of the approvers' file lists this key until {}", shown(*.until))]
    NoLonger {
        /// Which line.
        line: usize,
        /// Until when.
        until: Timestamp,
    },
    /// The authority is there; its certificate does not say so.
    #[error("the certificate by the authority on line {line} of the approvers' file does not count")]
    Certificate {
        /// Which line.
        line: usize,
        /// Why.
        #[source]
        fault: CertificateFault,
    },
}

impl Unlisted {
    /// How near the line came: the nearest one is told.
    fn rank(&self) -> u8 {
        match self {
            Self::Nobody { .. } => 0,
            Self::OtherKey { .. } => 1,
            Self::OtherName { .. } => 2,
            Self::OtherNamespace { .. } => 3,
            Self::NotYet { .. } | Self::NoLonger { .. } => 4,
            Self::Certificate { .. } => 5,
        }
    }
}

impl AllowedSigners {
    /// Reads a file's text. Times without a `Z` are in `zone`, as OpenSSH has them in the machine's.
    ///
    /// # Errors
    /// Every line that is wrong.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, AllowedSignersError> {
        let (mut lines, mut faults) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            match parse_line(number, line, zone) {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => {}
                Err(fault) => faults.push((number, fault)),
            }
        }
        if faults.is_empty() { Ok(Self { lines }) } else { Err(AllowedSignersError(faults)) }
    }

    /// Whether it lists nobody.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The names that it lists as they are, patterns left out.
    pub fn plain_principals(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().flat_map(|line| line.principals.plain())
    }

    /// Whether this key may sign plans under this name now. Names have no case, as user principal names have none.
    ///
    /// # Errors
    /// Why not, by the line that comes nearest.
    pub fn admit(&self, by: &SignedBy, name: &str, now: Timestamp) -> Result<(), Unlisted> {
        let mut nearest = Unlisted::Nobody { name: name.to_owned(), key: by.named() };
        for line in &self.lines {
            match line.admit(by, name, now) {
                Ok(()) => return Ok(()),
                Err(unlisted) if unlisted.rank() > nearest.rank() => nearest = unlisted,
                Err(_) => {}
            }
        }
        Err(nearest)
    }
}

impl SignerLine {
    fn admit(&self, by: &SignedBy, name: &str, now: Timestamp) -> Result<(), Unlisted> {
        let line = self.number;
        let has_key = match by {
            SignedBy::Key(key) => !self.is_authority && *key == self.key,
            SignedBy::Certificate(certificate) => self.is_authority && *certificate.authority() == self.key,
        };
        let has_name = self.principals.holds(name, Case::Ignored);
        if !has_key {
            let (name, key) = (name.to_owned(), by.named());
            return Err(if has_name {
                Unlisted::OtherKey { name, key }
            } else {
                Unlisted::Nobody { name, key }
            });
        }
        if !has_name {
            let principals = self.principals.as_str().to_owned();
            return Err(Unlisted::OtherName { line, principals, name: name.to_owned() });
        }
        if let Some(namespaces) = &self.namespaces
            && !namespaces.holds(NAMESPACE, Case::Kept)
        {
            return Err(Unlisted::OtherNamespace { line, namespaces: namespaces.as_str().to_owned() });
        }
        // Both ends count, as in OpenSSH.
        match (self.valid_after, self.valid_before) {
            (Some(from), _) if now < from => return Err(Unlisted::NotYet { line, from }),
            (_, Some(until)) if now > until => return Err(Unlisted::NoLonger { line, until }),
            _ => {}
        }
        match by {
            SignedBy::Key(_) => Ok(()),
            SignedBy::Certificate(certificate) => {
                certificate.check(name, now).map_err(|fault| Unlisted::Certificate { line, fault })
            }
        }
    }
}
