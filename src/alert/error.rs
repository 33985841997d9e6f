//! Why a body is no alert.

use super::form::FormError;
use super::pointer::PointerError;

/// No alert was read.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// Nothing was sent.
    #[error("the body is empty")]
    Empty,
    /// Not JSON, or JSON that two programs could read differently.
    #[error("the body is no JSON that can be read in one way only")]
    NotJson {
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The form around the JSON cannot be read.
    #[error("the body is no form with one `payload` field")]
    NotForm {
        /// What is wrong with it.
        #[source]
        source: FormError,
    },
    /// JSON, and no object.
    #[error("the body is {found}, and an alert is an object")]
    NotObject {
        /// What it is.
        found: &'static str,
    },
    /// An object that is no alert of this sender.
    #[error("the body is no alert of `{source_name}`: {expected}")]
    OtherShape {
        /// Which sender it was read as.
        source_name: &'static str,
        /// What that sender's alerts have.
        expected: &'static str,
    },
    /// An object that is no alert of any sender that is known.
    #[error("nothing in the body tells which sender's alert it is")]
    Unguessed,
    /// A sender that is not known.
    #[error("no sender is called `{text}`")]
    UnknownSource {
        /// What was asked for.
        text: String,
    },
    /// A pointer of the settings.
    #[error("`{key}` cannot be followed")]
    Pointer {
        /// Which setting.
        key: String,
        /// What is wrong with it.
        #[source]
        source: PointerError,
    },
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertFault {
    /// The body cannot be read.
    Body,
    /// The body can be read and is no such alert.
    Shape,
    /// The settings are wrong.
    Settings,
}

impl AlertError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "alert_empty",
            Self::NotJson { .. } => "alert_not_json",
            Self::NotForm { .. } => "alert_not_form",
            Self::NotObject { .. } => "alert_not_object",
            Self::OtherShape { .. } => "alert_other_shape",
            Self::Unguessed => "alert_unguessed",
            Self::UnknownSource { .. } => "alert_unknown_source",
            Self::Pointer { .. } => "alert_pointer",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> AlertFault {
        match self {
            Self::Empty | Self::NotJson { .. } | Self::NotForm { .. } => AlertFault::Body,
            Self::NotObject { .. } | Self::OtherShape { .. } | Self::Unguessed => AlertFault::Shape,
            Self::UnknownSource { .. } | Self::Pointer { .. } => AlertFault::Settings,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Empty | Self::NotForm { .. } => Some("send the alert's JSON as the body".to_owned()),
            Self::NotJson { .. } => Some(
                "correct the sender's template: every key once, at most 64 levels, whole characters"
                    .to_owned(),
            ),
            Self::NotObject { .. } => Some("send one alert per request".to_owned()),
            Self::OtherShape { .. } => {
                Some("send `stanch/alert/v1`, or say with pointers where this sender has what".to_owned())
            }
            Self::Unguessed => {
                Some("say with `--source` which sender it is, or which webhook of the settings".to_owned())
            }
            Self::UnknownSource { .. } => Some(format!(
                "senders are {}; a webhook of the settings will do as well",
                super::Source::ALL.map(|known| format!("`{}`", known.name())).join(", ")
            )),
            Self::Pointer { .. } => Some(
                "a pointer is such as `/actor/upn`, `/src/*/addr` or `/keys/[key=account]/values/*`"
                    .to_owned(),
            ),
        }
    }
}
