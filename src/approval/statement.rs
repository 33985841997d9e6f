//! What an approver signs, and the file that it is kept in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{DigestError, PlanDigest, Random, Upn, canonical_json};

/// The format of the statements that this version writes and reads.
pub const STATEMENT_FORMAT: &str = "stanch/approval/v1";

/// Longest approval file that is read.
pub const LONGEST_APPROVAL: u64 = 256 * 1024;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The plan may be carried out.
    Approve,
    /// It may not: no other approval makes up for it.
    Reject,
}

/// What makes a statement the only one of its kind: it is used once.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(String);

impl Nonce {
    /// Draws one: 128 bits.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 16];
        random.fill(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text is no nonce.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no nonce: expected 16 to 128 letters, digits, `-` or `_`")]
pub struct NonceError(String);

impl FromStr for Nonce {
    type Err = NonceError;

    fn from_str(text: &str) -> Result<Self, NonceError> {
        let is_sound = (16..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if is_sound { Ok(Self(text.to_owned())) } else { Err(NonceError(text.to_owned())) }
    }
}

impl TryFrom<String> for Nonce {
    type Error = NonceError;

    fn try_from(text: String) -> Result<Self, NonceError> {
        text.parse()
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        nonce.0
    }
}

/// What an approver says, word for word as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`STATEMENT_FORMAT`].
    pub format: String,
    /// The plan that it is about.
    pub digest: PlanDigest,
    /// What was decided.
    pub decision: Decision,
    /// Why: show it inert.
    pub reason: String,
    /// Who decided; a principal of the approvers' file.
    pub approver: Upn,
    /// When (the approver's clock).
    #[schemars(with = "crate::domain::Moment")]
    pub approved_at: Timestamp,
    /// From when on the plan may no longer be begun by it.
    #[schemars(with = "crate::domain::Moment")]
    pub execute_by: Timestamp,
    /// Used once.
    pub nonce: Nonce,
}

impl Statement {
    /// The bytes that are signed: canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// When it has no canonical JSON.
    pub fn message(&self) -> Result<Vec<u8>, DigestError> {
        canonical_json(self)
    }
}

/// A statement with its signature, as the file holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What was said.
    pub statement: Statement,
    /// The SSH signature over it, armored.
    pub signature: String,
}

/// Why a file is no approval.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalFileError {
    /// Not JSON, or not of an approval's shape.
    #[error("it is no approval")]
    Malformed {
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// Of another version.
    #[error("it has format `{found}`, this version reads `{STATEMENT_FORMAT}`")]
    Format {
        /// The format it names.
        found: String,
    },
}

impl Approval {
    /// Reads an approval file. Nothing in it is believed yet.
    ///
    /// # Errors
    /// When it is none, or of another version.
    pub fn from_json(text: &str) -> Result<Self, ApprovalFileError> {
        // The format first: another version may have another shape.
        let format = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|value| value.pointer("/statement/format")?.as_str().map(str::to_owned));
        if let Some(found) = format
            && found != STATEMENT_FORMAT
        {
            return Err(ApprovalFileError::Format { found });
        }
        serde_json::from_str(text).map_err(|source| ApprovalFileError::Malformed { source })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file() -> serde_json::Value {
        json!({
            "statement": {
                "format": STATEMENT_FORMAT, "digest": crate::domain::Sha256Digest::of_bytes(b"plan"),
                "decision": "approve", "reason": "seen", "approver": "dana.ito@contoso.com",
                "approved_at": "2026-01-01T00:00:00Z", "execute_by": "2026-01-01T01:00:00Z",
                "nonce": "0123456789abcdef"
            },
            "signature": "none yet"
        })
    }

    #[test]
    fn an_approval_is_read_as_it_was_written_and_nothing_else_is() {
        let text = file().to_string();
        let approval = Approval::from_json(&text).unwrap();
        assert_eq!(Approval::from_json(&serde_json::to_string(&approval).unwrap()).unwrap(), approval);
        let with = |pointer: &str, value: serde_json::Value| {
            let mut file = file();
            *file.pointer_mut(pointer).unwrap() = value;
            Approval::from_json(&file.to_string())
        };
        assert!(matches!(
            with("/statement/format", json!("stanch/approval/v2")),
            Err(ApprovalFileError::Format { found }) if found == "stanch/approval/v2"
        ));
        for (pointer, value) in [
            ("/statement/decision", json!("maybe")),
            ("/statement/approver", json!("dana")),
            ("/statement/nonce", json!("short")),
            ("/statement/digest", json!("sha256:00")),
            ("/statement", json!({})),
            ("/signature", json!(7)),
        ] {
            assert!(matches!(with(pointer, value), Err(ApprovalFileError::Malformed { .. })), "{pointer}");
        }
        let twice = text.replacen("\"decision\"", "\"decision\":\"reject\",\"decision\"", 1);
        assert!(matches!(Approval::from_json(&twice), Err(ApprovalFileError::Malformed { .. })));
        let more = text.replacen("\"decision\"", "\"also\":1,\"decision\"", 1);
        assert!(matches!(Approval::from_json(&more), Err(ApprovalFileError::Malformed { .. })));
    }

    #[test]
    fn what_is_signed_does_not_depend_on_how_the_file_is_spelt() {
        let spelt = Approval::from_json(&format!("{:#}", file())).unwrap();
        let other = Approval::from_json(&file().to_string().replace("00:00:00Z", "00:00:00+00:00")).unwrap();
        assert_eq!(spelt.statement.message().unwrap(), other.statement.message().unwrap());
    }
}
