//! SSH signatures over files (PROTOCOL.sshsig), as `ssh-keygen -Y sign` writes them: read, and checked against what was
//! signed. Whether the key is anybody's is another question: see `signers`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signature::Verifier as _;
use ssh_key::{HashAlg, Signature, SshSig, public::KeyData};

use super::certificate::{Certificate, is_certificate_kind};
use super::key::{KeyFault, check_key, is_on_security_key, key_from_bytes, named};
use super::wire::Wire;

/// The namespace of approvals: a signature that was made for mail or Git counts for nothing here.
pub const NAMESPACE: &str = "stanch-plan";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
/// Longest signature that is looked at: an RSA key of 16,384 bits in a certificate needs a third of it.
const LONGEST: usize = 64 * 1024;
/// The bit that a security key sets when somebody touched it.
const USER_PRESENT: u8 = 0x01;
/// Flags and counter, which a security key puts behind its signature.
const TRAILER: usize = 5;

/// Why a signature is not valid.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It is not of the form.
    #[error("its signature is no SSH signature: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// It was made for something else.
    #[error("its signature was made for the namespace `{found}`, not for `{NAMESPACE}`")]
    OtherNamespace {
        /// The namespace that it was made for.
        found: String,
    },
    /// RSA with SHA-1.
    #[error("it is signed with SHA-1 (`ssh-rsa`), which can be forged")]
    Sha1,
    /// A way of signing that is not taken.
    #[error("signatures of the kind `{kind}` are not taken")]
    Kind {
        /// Which.
        kind: String,
    },
    /// The key counts for nothing.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The security key was not touched.
    #[error("nobody touched the security key when it signed")]
    Untouched,
    /// Not by this key, or not over this text.
    #[error(
        "its signature does not fit: what it says was changed after it was signed, or another key signed it"
    )]
    Forged,
}

/// Who signed, as far as the signature itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// A key.
    Key(KeyData),
    /// A key with an authority's certificate.
    Certificate(Box<Certificate>),
}

impl SignedBy {
    /// The key itself.
    pub fn key(&self) -> &KeyData {
        match self {
            Self::Key(key) => key,
            Self::Certificate(certificate) => certificate.key(),
        }
    }

    /// Reads a public key or a certificate as a `.pub` file holds it, so that whoever is not listed is told before they
    /// sign.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_public(text: &str) -> Result<Self, SignatureError> {
        let mut words = text.split_ascii_whitespace();
        let (kind, coded) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let bytes = STANDARD.decode(coded).map_err(|_| KeyFault::Malformed)?;
        if Wire::new(&bytes).text() != Some(kind) {
            return Err(KeyFault::Malformed.into());
        }
        signed_by(&bytes)
    }

    /// Kind and fingerprint, for people.
    pub fn named(&self) -> String {
        named(self.key())
    }
}

/// Checks a signature over a message and tells which key made it.
///
/// # Errors
/// When it is not valid, or made in a way that is not taken.
pub fn verify(armor: &str, message: &[u8]) -> Result<SignedBy, SignatureError> {
    let blob = unarmor(armor)?;
    let malformed = || SignatureError::Malformed { what: "it is cut off" };
    let mut wire = Wire::new(&blob);
    if wire.take(MAGIC.len()).ok_or_else(malformed)? != MAGIC {
        return Err(SignatureError::Malformed { what: "it does not begin with SSHSIG" });
    }
    if wire.u32().ok_or_else(malformed)? != SshSig::VERSION {
        return Err(SignatureError::Malformed { what: "it has another version than 1" });
    }
    let by = wire.string().ok_or_else(malformed)?;
    let namespace = wire.text().ok_or_else(malformed)?;
    let _reserved = wire.string().ok_or_else(malformed)?;
    let hash = wire.text().ok_or_else(malformed)?;
    let signature = wire.string().ok_or_else(malformed)?;
    if !wire.is_at_end() {
        return Err(SignatureError::Malformed { what: "something stands behind it" });
    }
    if namespace != NAMESPACE {
        return Err(SignatureError::OtherNamespace { found: namespace.to_owned() });
    }
    let hash = match hash {
        "sha256" => HashAlg::Sha256,
        "sha512" => HashAlg::Sha512,
        _ => return Err(SignatureError::Malformed { what: "its hash is neither sha256 nor sha512" }),
    };
    let by = signed_by(by)?;
    check_key(by.key())?;
    let signature = read_signature(signature, by.key())?;
    let signed = SshSig::signed_data(NAMESPACE, hash, message).map_err(|_| SignatureError::Forged)?;
    by.key().verify(&signed, &signature).map_err(|_| SignatureError::Forged)?;
    if is_on_security_key(by.key()) && !was_touched(&signature) {
        return Err(SignatureError::Untouched);
    }
    Ok(by)
}

fn signed_by(bytes: &[u8]) -> Result<SignedBy, SignatureError> {
    let malformed = || SignatureError::Malformed { what: "its key cannot be read" };
    let kind = Wire::new(bytes).text().ok_or_else(malformed)?;
    if is_certificate_kind(kind) {
        let certificate = Certificate::from_bytes(bytes).ok_or_else(malformed)?;
        return Ok(SignedBy::Certificate(Box::new(certificate)));
    }
    Ok(SignedBy::Key(key_from_bytes(bytes)?))
}

/// Reads the innermost signature, and holds its kind against the key's: `ssh-rsa` is SHA-1, whatever the key.
pub(super) fn read_signature(bytes: &[u8], key: &KeyData) -> Result<Signature, SignatureError> {
    let malformed = || SignatureError::Malformed { what: "its innermost part cannot be read" };
    let mut wire = Wire::new(bytes);
    let kind = wire.text().ok_or_else(malformed)?;
    let _raw = wire.string().ok_or_else(malformed)?;
    let trailer = if is_on_security_key(key) { TRAILER } else { 0 };
    let own = key.algorithm();
    let fits = match (key, kind) {
        (KeyData::Rsa(_), "ssh-rsa") => return Err(SignatureError::Sha1),
        (KeyData::Rsa(_), kind) => matches!(kind, "rsa-sha2-256" | "rsa-sha2-512"),
        (_, kind) => kind == own.as_str(),
    };
    if !fits {
        return Err(SignatureError::Kind { kind: kind.to_owned() });
    }
    if wire.left() != trailer {
        return Err(malformed());
    }
    Signature::try_from(bytes).map_err(|_| malformed())
}

/// Whether somebody touched the security key: neither ssh-key nor `ssh-keygen -Y verify` minds.
fn was_touched(signature: &Signature) -> bool {
    let bytes = signature.as_bytes();
    let flags = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.get(at));
    flags.is_some_and(|flags| flags & USER_PRESENT != 0)
}

fn unarmor(armor: &str) -> Result<Vec<u8>, SignatureError> {
    if armor.len() > LONGEST {
        return Err(SignatureError::Malformed { what: "it is too long" });
    }
    let inner = armor
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or(SignatureError::Malformed { what: "it does not stand between its two marks" })?;
    let text: String = inner.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| SignatureError::Malformed { what: "it is not base64" })
}
