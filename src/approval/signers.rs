//! What an approval is judged by: the settings, those who may approve, and who is who in the tenant.

use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;

use super::allowed_signers::AllowedSigners;
use super::statement::Approval;
use crate::config;
use crate::domain::{Upn, UserId};
use crate::plan::Plan;

/// Who a name is in the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// A member with sign-in enabled.
    Member(UserId),
    /// A guest.
    Guest(UserId),
    /// An account whose sign-in is disabled.
    Disabled(UserId),
    /// The tenant has nobody of this name.
    Unknown,
    /// The tenant did not say.
    Unread {
        /// Why.
        why: String,
    },
}

impl Person {
    fn id(&self) -> Option<&UserId> {
        match self {
            Self::Member(id) | Self::Guest(id) | Self::Disabled(id) => Some(id),
            Self::Unknown | Self::Unread { .. } => None,
        }
    }
}

/// Names and who they are, whatever the case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People(BTreeMap<String, Person>);

impl FromIterator<(String, Person)> for People {
    fn from_iter<I: IntoIterator<Item = (String, Person)>>(people: I) -> Self {
        Self(people.into_iter().map(|(name, person)| (name.to_lowercase(), person)).collect())
    }
}

impl People {
    fn find(&self, name: &str) -> Option<&Person> {
        self.0.get(&name.to_lowercase())
    }
}

/// What an approval is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// Those who may approve; none: nobody was named.
    pub(super) listed: Option<AllowedSigners>,
    /// Whether only a signed approval will do.
    pub(super) is_required: bool,
    /// Whether requester, subject and approver have to be three people.
    pub(super) four_eyes: bool,
    /// How long an approval holds at most.
    pub(super) lasts: SignedDuration,
    pub(super) people: People,
    pub(super) rejections: Vec<Approval>,
}

impl Signers {
    /// What the settings say.
    pub fn new(settings: &config::Approval, listed: Option<AllowedSigners>) -> Self {
        Self {
            listed,
            is_required: settings.required,
            four_eyes: settings.four_eyes,
            lasts: SignedDuration::try_from(settings.approve_within).unwrap_or(SignedDuration::MAX),
            people: People::default(),
            rejections: Vec::new(),
        }
    }

    /// The same, with who is who.
    #[must_use]
    pub fn knowing(self, people: People) -> Self {
        Self { people, ..self }
    }

    /// The same, with what lies beside the plan: a rejection among it counts, whichever way the yes was said.
    #[must_use]
    pub fn heeding(self, rejections: Vec<Approval>) -> Self {
        Self { rejections, ..self }
    }

    /// Those who may approve, where they are named.
    pub fn listed(&self) -> Option<&AllowedSigners> {
        self.listed.as_ref()
    }

    /// Whether only a signed approval will do.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// Tells who an approver is, or why their signature does not count (invariant: someone who cannot be told from the
    /// requester and the subject is not counted).
    pub(super) fn count(&self, plan: &Plan, approver: &Upn) -> Result<Option<UserId>, WhyUncounted> {
        let person = self.people.find(approver.as_str());
        if !self.four_eyes {
            return Ok(person.and_then(Person::id).cloned());
        }
        let id = match person {
            Some(Person::Member(id)) => id,
            Some(Person::Guest(_)) => return Err(WhyUncounted::Guest),
            Some(Person::Disabled(_)) => return Err(WhyUncounted::Disabled),
            Some(Person::Unread { why }) => return Err(WhyUncounted::Unread { why: why.clone() }),
            Some(Person::Unknown) | None => return Err(WhyUncounted::Unknown),
        };
        if *id == plan.case.subject.id {
            return Err(WhyUncounted::Subject);
        }
        // A webhook is nobody: it cannot be the approver.
        if plan.requested_by.webhook.is_none() {
            let name = &plan.requested_by.name;
            match self.people.find(name).and_then(Person::id) {
                Some(requester) if requester == id => return Err(WhyUncounted::Requester),
                Some(_) => {}
                None => return Err(WhyUncounted::RequesterUnknown { name: name.clone() }),
            }
        }
        Ok(Some(id.clone()))
    }
}

/// Why a valid signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyUncounted {
    /// The approver asked for the plan.
    Requester,
    /// The plan is about the approver.
    Subject,
    /// The approver is a guest.
    Guest,
    /// The approver's sign-in is disabled.
    Disabled,
    /// The tenant has no such user.
    Unknown,
    /// The tenant did not say who the approver is.
    Unread {
        /// Why.
        why: String,
    },
    /// Who asked for the plan is not known, so that nobody can be told from them.
    RequesterUnknown {
        /// The name in the plan.
        name: String,
    },
}

impl fmt::Display for WhyUncounted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requester => formatter.write_str("asked for the plan"),
            Self::Subject => formatter.write_str("is the user whom the plan is about"),
            Self::Guest => formatter.write_str("is a guest in this tenant"),
            Self::Disabled => formatter.write_str("has sign-in disabled"),
            Self::Unknown => formatter.write_str("is no user of this tenant"),
            Self::Unread { why } => write!(formatter, "could not be looked up: {why}"),
            Self::RequesterUnknown { name } => write!(
                formatter,
                "cannot be told from who asked for the plan: `{name}` is no user of this tenant"
            ),
        }
    }
}

/// A valid signature that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    /// Who signed.
    pub approver: Upn,
    /// Why it does not count.
    pub why: WhyUncounted,
}

impl fmt::Display for Uncounted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.approver, self.why)
    }
}
