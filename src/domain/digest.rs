//! Digests over canonical JSON (RFC 8785), so that two spellings of the same plan have one digest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The largest integer that RFC 8785's numbers (doubles) tell from its neighbours: 2^53 - 1.
const LARGEST_EXACT: u64 = 9_007_199_254_740_991;

/// Why there is no digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DigestError {
    /// Canonical JSON would give two different integers one spelling.
    #[error("the number `{number}` is beyond what canonical JSON can tell from its neighbours")]
    InexactNumber {
        /// The number as it stood.
        number: String,
    },
    /// The value has no JSON form.
    #[error("the value has no canonical JSON form: {reason}")]
    NotJson {
        /// What the serializer said.
        reason: String,
    },
    /// The text is not `sha256:` and 64 hexadecimal digits.
    #[error("`{text}` is no digest: expected `sha256:` and 64 hexadecimal digits")]
    Malformed {
        /// The text.
        text: String,
    },
}

/// Turns a value into JSON.
///
/// # Errors
/// When it cannot be JSON.
pub fn json_of<T: Serialize>(value: &T) -> Result<Value, DigestError> {
    serde_json::to_value(value).map_err(|error| DigestError::NotJson { reason: error.to_string() })
}

/// Spells a value as canonical JSON (RFC 8785).
///
/// # Errors
/// When an integer lies beyond 2^53-1, or the value cannot be JSON.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<Vec<u8>, DigestError> {
    let value = json_of(value)?;
    refuse_inexact(&value)?;
    serde_json_canonicalizer::to_vec(&value)
        .map_err(|error| DigestError::NotJson { reason: error.to_string() })
}

fn refuse_inexact(value: &Value) -> Result<(), DigestError> {
    match value {
        Value::Number(number) => {
            let too_large = number.as_u64().is_some_and(|n| n > LARGEST_EXACT)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() > LARGEST_EXACT);
            if too_large { Err(DigestError::InexactNumber { number: number.to_string() }) } else { Ok(()) }
        }
        Value::Array(items) => items.iter().try_for_each(refuse_inexact),
        Value::Object(entries) => entries.values().try_for_each(refuse_inexact),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// A SHA-256 digest, spelt `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Digests bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Digests a value's canonical JSON.
    ///
    /// # Errors
    /// As [`canonical_json`].
    pub fn of_json<T: Serialize>(value: &T) -> Result<Self, DigestError> {
        canonical_json(value).map(|bytes| Self::of_bytes(&bytes))
    }

    /// The first eight hexadecimal digits, for screens only: never compare by it.
    pub fn short(&self) -> String {
        hex::encode(self.0).chars().take(8).collect()
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Sha256Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let malformed = || DigestError::Malformed { text: text.to_owned() };
        let digits = text.strip_prefix("sha256:").ok_or_else(malformed)?;
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(malformed());
        }
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| malformed())?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        digest.to_string()
    }
}

/// The digest of a plan: what consent is bound to.
pub type PlanDigest = Sha256Digest;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integer_beyond_two_to_the_53_is_refused_rather_than_rounded() {
        let error = Sha256Digest::of_json(&json!({"n": [9_007_199_254_740_993_u64]})).unwrap_err();
        assert_eq!(error, DigestError::InexactNumber { number: "9007199254740993".to_owned() });
        assert!(Sha256Digest::of_json(&json!({"n": 9_007_199_254_740_991_u64})).is_ok());
    }

    proptest! {
        #[test]
        fn the_digest_ignores_key_order_and_sees_every_value(keys in proptest::collection::btree_map("[a-z]{1,8}", 0i64..1000, 1..12)) {
            let forward: Value = keys.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<serde_json::Map<_, _>>().into();
            let backward: Value = keys.iter().rev().map(|(k, v)| (k.clone(), json!(v))).collect::<serde_json::Map<_, _>>().into();
            let digest = Sha256Digest::of_json(&forward).unwrap();
            prop_assert_eq!(digest, Sha256Digest::of_json(&backward).unwrap());
            for key in keys.keys() {
                let mut changed = forward.clone();
                changed[key] = json!(1001);
                prop_assert_ne!(digest, Sha256Digest::of_json(&changed).unwrap());
            }
            prop_assert_eq!(digest, digest.to_string().parse::<Sha256Digest>().unwrap());
        }
    }
}
