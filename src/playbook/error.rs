//! What can go wrong on the way from a playbook's name to one that can be planned with.

use std::fmt;
use std::path::PathBuf;

use super::diagnostic::Diagnostics;
use super::input::InputType;
use super::word;

/// Why there is no playbook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaybookError {
    /// No shipped playbook has this name.
    #[error("no playbook is called `{name}`")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The shipped one that was probably meant.
        nearest: Option<String>,
        /// All shipped ones.
        known: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read playbook `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file was read, and is no playbook.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

impl PlaybookError {
    /// Gives the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownName { .. } => "playbook_unknown",
            Self::Unreadable { .. } => "playbook_unreadable",
            Self::Invalid(_) => "playbook_invalid",
        }
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }

    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownName { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownName { known, .. } => Some(format!(
                "there are {}; a file of your own is named by its path, such as `./mine.yaml`",
                word::listed(known.iter().map(String::as_str))
            )),
            Self::Unreadable { .. } => Some("check the path and who may read it".to_owned()),
            Self::Invalid(_) => None,
        }
    }
}

/// One thing that keeps a playbook's inputs from being filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The playbook has no such input.
    #[error("no input is called `{name}`")]
    UnknownInput {
        /// What was set.
        name: String,
        /// The input that was probably meant.
        nearest: Option<String>,
        /// All inputs.
        known: Vec<String>,
    },
    /// One input was set twice.
    #[error("input `{name}` is set twice")]
    Repeated {
        /// The input.
        name: String,
    },
    /// The text is no value of the input's type.
    #[error("input `{name}`: {why}")]
    Value {
        /// The input.
        name: String,
        /// What is wrong with the text.
        why: String,
    },
    /// The input has no default and was not set.
    #[error("input `{name}` has no value")]
    Missing {
        /// The input.
        name: String,
        /// What it takes.
        kind: InputType,
    },
    /// An option is wrong with the values that were set.
    #[error("step `{id}`{}: {message}", option.as_ref().map(|option| format!(", option `{option}`")).unwrap_or_default())]
    Option {
        /// The step's id.
        id: String,
        /// The way to the option; none: the options as a whole.
        option: Option<String>,
        /// What is wrong with it.
        message: String,
        /// The word that was probably meant.
        nearest: Option<String>,
    },
    /// The catalog has no such step: it is not the one that the playbook was read with.
    #[error("unknown step `{step}`")]
    UnknownStep {
        /// The step.
        step: String,
    },
}

impl BindError {
    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownInput { nearest: Some(word), .. } | Self::Option { nearest: Some(word), .. } => {
                Some(format!("did you mean `{word}`?"))
            }
            Self::UnknownInput { known, .. } if known.is_empty() => {
                Some("this playbook has no inputs".to_owned())
            }
            Self::UnknownInput { known, .. } => {
                Some(format!("there are {}", word::listed(known.iter().map(String::as_str))))
            }
            Self::Missing { name, kind } => {
                Some(format!("set it with `--set {name}=...` to {}", kind.expected()))
            }
            Self::Repeated { .. } | Self::Value { .. } | Self::Option { .. } | Self::UnknownStep { .. } => {
                None
            }
        }
    }
}

/// Everything that keeps a playbook's inputs from being filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindErrors(pub Vec<BindError>);

impl BindErrors {
    /// Gives the stable code of this error.
    pub fn code(&self) -> &'static str {
        "playbook_inputs"
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }
}

impl fmt::Display for BindErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
            if let Some(hint) = error.hint() {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for BindErrors {}
