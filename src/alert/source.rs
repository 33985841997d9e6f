//! The senders, and from a body of theirs to a trigger.

use super::body::Body;
use super::error::AlertError;
use super::pointer::Pointer;
use super::trigger::Trigger;
use super::{generic, insightidr};
use crate::config::{Pointers, WidestBlock};

/// A sender whose alerts can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Our own format, or any by pointers.
    Generic,
    /// Rapid7: `InsightIDR` and `InsightConnect`.
    InsightIdr,
}

/// The pointers of the settings, ready to be followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub(super) id: Option<Pointer>,
    pub(super) time: Option<Pointer>,
    pub(super) user: Vec<Pointer>,
    pub(super) ips: Vec<Pointer>,
    pub(super) user_agents: Vec<Pointer>,
}

impl Mapping {
    /// Parses the pointers of a webhook; none where it has no pointers at all.
    ///
    /// # Errors
    /// When one of them is no pointer.
    pub fn new(pointers: &Pointers) -> Result<Option<Self>, AlertError> {
        if *pointers == Pointers::default() {
            return Ok(None);
        }
        let one = |key: &str, text: &Option<String>| text.as_deref().map(|text| parse(key, text)).transpose();
        let several = |key: &str, texts: &[String]| {
            texts.iter().map(|text| parse(key, text)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Some(Self {
            id: one("id", &pointers.id)?,
            time: one("time", &pointers.time)?,
            user: several("user", &pointers.user)?,
            ips: several("ips", &pointers.ips)?,
            user_agents: several("user_agents", &pointers.user_agents)?,
        }))
    }
}

fn parse(key: &str, text: &str) -> Result<Pointer, AlertError> {
    Pointer::parse(text).map_err(|source| AlertError::Pointer { key: key.to_owned(), source })
}

impl Source {
    /// Every sender.
    pub const ALL: [Self; 2] = [Self::Generic, Self::InsightIdr];

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => generic::NAME,
            Self::InsightIdr => insightidr::NAME,
        }
    }

    /// Finds a sender by its name.
    ///
    /// # Errors
    /// When none is called that.
    pub fn parse(text: &str) -> Result<Self, AlertError> {
        Self::ALL
            .into_iter()
            .find(|source| source.name() == text)
            .ok_or_else(|| AlertError::UnknownSource { text: text.to_owned() })
    }

    /// Tells whose alert a body is by its shape.
    ///
    /// # Errors
    /// When its shape is nobody's.
    pub fn guess(body: &Body) -> Result<Self, AlertError> {
        if generic::fits(body) {
            Ok(Self::Generic)
        } else if insightidr::fits(body) {
            Ok(Self::InsightIdr)
        } else {
            Err(AlertError::Unguessed)
        }
    }

    /// Reads a body as an alert of this sender, by the pointers of the settings where there are any.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(
        self,
        body: &Body,
        mapping: Option<&Mapping>,
        widest: WidestBlock,
    ) -> Result<Trigger, AlertError> {
        match (self, mapping) {
            (Self::Generic, Some(mapping)) => Ok(generic::read_by(body, mapping, widest)),
            (Self::Generic, None) => generic::read(body, widest),
            (Self::InsightIdr, _) => insightidr::read(body, widest),
        }
    }
}
