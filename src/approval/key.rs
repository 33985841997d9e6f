//! Public keys: which kinds are taken, and how a key is named to people.

use ssh_key::{Algorithm, HashAlg, PublicKey, public::KeyData};

/// The least length of an RSA key, in bits.
const LEAST_RSA_BITS: usize = 2048;

/// Why a key counts for nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyFault {
    /// Its bytes are no key.
    #[error("it is no public key")]
    Malformed,
    /// Of a kind that is not taken: DSA, or one that this program does not know.
    #[error("keys of the kind `{kind}` are not taken")]
    Kind {
        /// Its kind.
        kind: String,
    },
    /// An RSA key that is too short.
    #[error("the RSA key has {bits} bits, and needs {LEAST_RSA_BITS}")]
    ShortRsa {
        /// How many it has.
        bits: usize,
    },
}

/// Reads a key from its bytes on the wire.
pub(super) fn key_from_bytes(bytes: &[u8]) -> Result<KeyData, KeyFault> {
    PublicKey::from_bytes(bytes).map(|key| key.key_data().clone()).map_err(|_| KeyFault::Malformed)
}

/// Whether a signature by this key can count.
pub(super) fn check_key(key: &KeyData) -> Result<(), KeyFault> {
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => {
            Ok(())
        }
        KeyData::Rsa(rsa) => {
            let modulus = rsa.n.as_positive_bytes().unwrap_or_default();
            let lead = modulus.first().map_or(0, |byte| usize::try_from(byte.leading_zeros()).unwrap_or(0));
            let bits = (modulus.len() * 8).saturating_sub(lead);
            if bits < LEAST_RSA_BITS { Err(KeyFault::ShortRsa { bits }) } else { Ok(()) }
        }
        other => Err(KeyFault::Kind { kind: other.algorithm().to_string() }),
    }
}

/// Whether a key lives on a security key, which has to be touched.
pub(super) fn is_on_security_key(key: &KeyData) -> bool {
    matches!(key.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
}

/// The key's kind and fingerprint, as `ssh-keygen -l` shows it.
pub(super) fn named(key: &KeyData) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}
