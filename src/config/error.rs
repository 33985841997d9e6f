//! What can be wrong with a configuration, and where it was set.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Where a setting was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In a file; line and column count from 1.
    File {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// In a variable of the environment.
    Variable(String),
    /// By a flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFault {
    /// The file cannot be read.
    #[error("cannot read configuration `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{origin}: {message}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the reader says.
        message: String,
    },
    /// There is no such setting.
    #[error("{origin}: unknown key `{key}`")]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key, its sections before it.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
        /// The keys that there are in that place.
        known: Vec<String>,
    },
    /// The setting is not of its type.
    #[error("{origin}: `{key}` takes {expected}, found {found}")]
    WrongType {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// What it takes.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The setting is of its type, and cannot be.
    #[error("{origin}: `{key}`: {why}")]
    Invalid {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// There is no place to keep the store.
    #[error("no place for the store: neither `XDG_STATE_HOME` nor `HOME` is set")]
    NoStateDirectory,
}

impl ConfigFault {
    /// Gives where it was set, if it was set anywhere.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Syntax { origin, .. }
            | Self::UnknownKey { origin, .. }
            | Self::WrongType { origin, .. }
            | Self::Invalid { origin, .. } => Some(origin),
            Self::Unreadable { .. } | Self::NoStateDirectory => None,
        }
    }

    /// Gives the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Syntax { .. } => "config_syntax",
            Self::UnknownKey { .. } => "config_unknown_key",
            Self::WrongType { .. } => "config_wrong_type",
            Self::Invalid { .. } => "config_invalid",
            Self::NoStateDirectory => "config_no_state_directory",
        }
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }

    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest: Some(word), .. } => Some(format!("did you mean `{word}`?")),
            Self::UnknownKey { known, .. } => Some(format!("there are `{}`", known.join("`, `"))),
            Self::Invalid { hint, .. } => hint.clone(),
            // The message says what the key takes.
            Self::WrongType { .. } => None,
            Self::Syntax { .. } => {
                Some("the file is TOML: `key = \"text\"` under `[section]`, one a line".to_owned())
            }
            Self::Unreadable { .. } => Some("check the path and who may read it".to_owned()),
            Self::NoStateDirectory => Some("set `STANCH_STORE` to `sqlite:///absolute/path.db`".to_owned()),
        }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigFault>);

impl ConfigErrors {
    /// Puts the faults into the order in which a person mends them: file by line, then variables, then flags.
    pub(super) fn new(mut faults: Vec<ConfigFault>) -> Self {
        faults.sort_by(|one, other| one.origin().cmp(&other.origin()));
        Self(faults)
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }
}

impl ConfigErrors {
    /// Says what to do next, fault by fault.
    pub fn hint(&self) -> String {
        let hints: Vec<String> = self.0.iter().filter_map(ConfigFault::hint).collect();
        if hints.is_empty() { "correct it there".to_owned() } else { hints.join("; ") }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
            if let Some(hint) = fault.hint() {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
