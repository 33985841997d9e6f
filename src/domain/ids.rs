//! Identifiers: text that was checked once, at the edge, and is of one kind ever after.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no identifier of its kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// Not a GUID.
    #[error("`{text}` is no {kind}: expected a GUID such as 6ed5d1bf-e585-452f-ac95-4ab592c9357d")]
    NotGuid {
        /// What it should have been.
        kind: &'static str,
        /// The text.
        text: String,
    },
    /// Empty, or with characters that its kind never has.
    #[error("`{text}` is no {kind}: {expected}")]
    Malformed {
        /// What it should have been.
        kind: &'static str,
        /// The text.
        text: String,
        /// What would do.
        expected: &'static str,
    },
}

macro_rules! text_id {
    ($(#[$docs:meta])* $name:ident, $parse:expr) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it is sent and compared.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let parse: fn(&'static str, &str) -> Result<String, IdError> = $parse;
                parse(stringify!($name), text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

fn parse_guid(kind: &'static str, text: &str) -> Result<String, IdError> {
    let is_plain = text.len() == 36;
    match uuid::Uuid::try_parse(text) {
        Ok(guid) if is_plain => Ok(guid.hyphenated().to_string()),
        _ => Err(IdError::NotGuid { kind, text: text.to_owned() }),
    }
}

fn parse_opaque(kind: &'static str, text: &str) -> Result<String, IdError> {
    let is_sound = !text.is_empty() && text.len() <= 256 && text.chars().all(|c| c.is_ascii_graphic());
    if is_sound {
        Ok(text.to_owned())
    } else {
        Err(IdError::Malformed {
            kind,
            text: text.to_owned(),
            expected: "expected visible ASCII, at most 256",
        })
    }
}

fn parse_upn(kind: &'static str, text: &str) -> Result<String, IdError> {
    let malformed = || IdError::Malformed {
        kind,
        text: text.to_owned(),
        expected: "expected name@domain, such as you@contoso.com",
    };
    let (name, domain) = text.rsplit_once('@').ok_or_else(malformed)?;
    let is_sound = !name.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        && text.len() <= 256
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '?' | '<' | '>'));
    if is_sound { Ok(text.to_owned()) } else { Err(malformed()) }
}

fn parse_slug(kind: &'static str, text: &str) -> Result<String, IdError> {
    let is_sound = text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_sound {
        Ok(text.to_owned())
    } else {
        Err(IdError::Malformed {
            kind,
            text: text.to_owned(),
            expected: "expected letters, digits, `_`, `-`, `.`",
        })
    }
}

text_id!(
    /// The object id of a user. A user is held by it once resolved; a UPN is for screens.
    UserId, parse_guid
);
text_id!(
    /// The id of a tenant.
    TenantId, parse_guid
);
text_id!(
    /// The id of a named location.
    NamedLocationId, parse_guid
);
text_id!(
    /// The id of a Conditional Access policy.
    PolicyId, parse_guid
);
text_id!(
    /// The object id of a group.
    GroupId, parse_guid
);
text_id!(
    /// The id of an authentication method: opaque, unique within its user.
    MethodId, parse_opaque
);
text_id!(
    /// A user principal name. It can be renamed and reused: for people to read, never to write by.
    Upn, parse_upn
);
text_id!(
    /// The id of an action within its plan: the id of its step, and behind a dot what tells it from its siblings.
    ActionId, parse_slug
);
text_id!(
    /// The id of a plan.
    PlanId, parse_slug
);
text_id!(
    /// Our id of an alert.
    AlertId, parse_slug
);
text_id!(
    /// The id of a run.
    RunId, parse_slug
);

impl Upn {
    /// The part behind the `@`, in lower case.
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_held_in_lower_case_and_nothing_else_passes() {
        let id: UserId = "6ED5D1BF-E585-452F-AC95-4AB592C9357D".parse().unwrap();
        assert_eq!(id.as_str(), "6ed5d1bf-e585-452f-ac95-4ab592c9357d");
        for wrong in
            ["", "6ed5d1bf", "6ed5d1bfe585452fac954ab592c9357d", "../6ed5d1bf-e585-452f-ac95-4ab592c935"]
        {
            assert!(wrong.parse::<UserId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_upn_with_a_path_in_it_is_refused() {
        assert!("lynne.robbins@contoso.com".parse::<Upn>().is_ok());
        assert!("kim_fabrikam.com#EXT#@contoso.onmicrosoft.com".parse::<Upn>().is_ok());
        for wrong in
            ["lynne", "lynne@contoso", "a/b@contoso.com", "a b@contoso.com", "@contoso.com", "x@.com"]
        {
            assert!(wrong.parse::<Upn>().is_err(), "{wrong}");
        }
    }
}
