//! Signing with a private key in memory: Ed25519 and ECDSA. RSA, security keys and agents sign by `ssh-keygen`.

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use super::signature::NAMESPACE;

/// Whether [`sign`] can sign with such a key.
pub fn can_sign(kind: &Algorithm) -> bool {
    matches!(kind, Algorithm::Ed25519 | Algorithm::Ecdsa { .. })
}

/// Signs a statement's message.
///
/// # Errors
/// When the key is locked, or of a kind that [`can_sign`] says no to.
pub fn sign(key: &PrivateKey, message: &[u8]) -> Result<String, ssh_key::Error> {
    key.sign(NAMESPACE, HashAlg::Sha512, message)?.to_pem(LineEnding::LF)
}
