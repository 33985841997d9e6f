//! OpenSSH certificates (PROTOCOL.certkeys): a key, and an authority's word for whose it is and for how long.
//!
//! Read by our own hand: ssh-key takes no certificate that is valid for ever, which is what `ssh-keygen -s` makes.

use jiff::Timestamp;
use signature::Verifier as _;
use ssh_key::public::KeyData;

use super::key::{KeyFault, check_key, key_from_bytes};
use super::signature::{SignatureError, read_signature};
use super::wire::{Wire, put_string};
use crate::domain::shown;

const SUFFIX: &str = "-cert-v01@openssh.com";
/// `SSH_CERT_TYPE_USER`.
const USER: u32 = 1;

/// Why a certificate does not speak for somebody.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CertificateFault {
    /// It is for a machine.
    #[error("it is a certificate for a host, not for a user")]
    NotForUsers,
    /// The authority did not sign it.
    #[error("the authority's signature on it is not valid")]
    Forged,
    /// It names others.
    #[error("it names {}, not `{wanted}`", names(.named))]
    OtherPrincipal {
        /// Whom it names.
        named: Vec<String>,
        /// Who signs.
        wanted: String,
    },
    /// Its time has not come.
    #[error("it is valid only from {}", shown(*.from))]
    NotYet {
        /// From when on.
        from: Timestamp,
    },
    /// Its time has passed.
    #[error("it was valid until {}", shown(*.until))]
    Expired {
        /// Until when.
        until: Timestamp,
    },
    /// It has conditions that a signature over a plan cannot meet.
    #[error("it has the critical option `{option}`, which no approval can meet")]
    CriticalOption {
        /// Which.
        option: String,
    },
    /// The authority's key counts for nothing.
    #[error("the authority's key is not taken")]
    Authority(#[source] KeyFault),
}

fn names(named: &[String]) -> String {
    if named.is_empty() { "nobody".to_owned() } else { format!("`{}`", named.join("`, `")) }
}

/// A certificate as it was read; nothing of it is believed before [`Certificate::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    key: KeyData,
    authority: KeyData,
    is_for_users: bool,
    principals: Vec<String>,
    valid_after: u64,
    valid_before: u64,
    critical_option: Option<String>,
    /// All that the authority has signed.
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Whether this names a kind of certificate.
pub(super) fn is_certificate_kind(kind: &str) -> bool {
    kind.ends_with(SUFFIX)
}

impl Certificate {
    /// Reads a certificate from its bytes on the wire.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut wire = Wire::new(bytes);
        let kind = wire.text()?;
        let plain_kind = kind.strip_suffix(SUFFIX)?;
        // FIDO kinds have their `@openssh.com` behind the name: `sk-ssh-ed25519-cert-v01@openssh.com`.
        let plain_kind = if plain_kind.starts_with("sk-") {
            format!("{plain_kind}@openssh.com")
        } else {
            plain_kind.to_owned()
        };
        let _nonce = wire.string()?;
        let fields = match plain_kind.as_str() {
            "ssh-ed25519" => 1,
            "ssh-rsa" | "sk-ssh-ed25519@openssh.com" => 2,
            "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
            kind if kind.starts_with("ecdsa-sha2-") => 2,
            _ => return None,
        };
        let mut key = Vec::new();
        put_string(&mut key, plain_kind.as_bytes());
        for _ in 0..fields {
            put_string(&mut key, wire.string()?);
        }
        let key = key_from_bytes(&key).ok()?;
        let _serial = wire.u64()?;
        let is_for_users = wire.u32()? == USER;
        let _key_id = wire.string()?;
        let mut packed = Wire::new(wire.string()?);
        let mut principals = Vec::new();
        while !packed.is_at_end() {
            principals.push(packed.text()?.to_owned());
        }
        let valid_after = wire.u64()?;
        let valid_before = wire.u64()?;
        let mut options = Wire::new(wire.string()?);
        let critical_option = if options.is_at_end() { None } else { Some(options.text()?.to_owned()) };
        let _extensions = wire.string()?;
        let _reserved = wire.string()?;
        let authority = key_from_bytes(wire.string()?).ok()?;
        let signed = bytes.get(..bytes.len().checked_sub(wire.left())?)?.to_vec();
        let signature = wire.string()?.to_vec();
        wire.is_at_end().then_some(Self {
            key,
            authority,
            is_for_users,
            principals,
            valid_after,
            valid_before,
            critical_option,
            signed,
            signature,
        })
    }

    /// The key that it is about.
    pub fn key(&self) -> &KeyData {
        &self.key
    }

    /// The authority that it says it is from.
    pub fn authority(&self) -> &KeyData {
        &self.authority
    }

    /// Checks that its authority says: this key is `principal`'s, now.
    ///
    /// # Errors
    /// What it says instead.
    pub fn check(&self, principal: &str, now: Timestamp) -> Result<(), CertificateFault> {
        check_key(&self.authority).map_err(CertificateFault::Authority)?;
        let signature = read_signature(&self.signature, &self.authority).map_err(|error| match error {
            SignatureError::Sha1 => {
                CertificateFault::Authority(KeyFault::Kind { kind: "ssh-rsa with SHA-1".to_owned() })
            }
            _ => CertificateFault::Forged,
        })?;
        self.authority.verify(&self.signed, &signature).map_err(|_| CertificateFault::Forged)?;
        if !self.is_for_users {
            return Err(CertificateFault::NotForUsers);
        }
        if let Some(option) = &self.critical_option {
            return Err(CertificateFault::CriticalOption { option: option.clone() });
        }
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        if seconds < self.valid_after {
            return Err(CertificateFault::NotYet { from: moment(self.valid_after) });
        }
        if seconds >= self.valid_before {
            return Err(CertificateFault::Expired { until: moment(self.valid_before) });
        }
        if !self.principals.iter().any(|own| own.to_lowercase() == principal.to_lowercase()) {
            return Err(CertificateFault::OtherPrincipal {
                named: self.principals.clone(),
                wanted: principal.to_owned(),
            });
        }
        Ok(())
    }
}

fn moment(seconds: u64) -> Timestamp {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}
