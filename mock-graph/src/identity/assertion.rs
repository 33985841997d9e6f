//! Signed statements in place of a secret: their parts, and the keys that they are checked with. RSA only, PS256 or RS256.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use serde_json::Value;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem as _, Encode as _};

/// A JWT, taken apart and not checked.
#[derive(Debug)]
pub(super) struct Assertion {
    header: Value,
    pub(super) claims: Value,
    message: String,
    signature: Vec<u8>,
}

/// A public key that somebody registered.
#[derive(Debug)]
pub(super) enum PublicKey {
    /// As it stands in a certificate.
    Der(Vec<u8>),
    /// As it stands in a key set.
    Parts { n: Vec<u8>, e: Vec<u8> },
}

/// A registered certificate.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) key: PublicKey,
    /// From when to when it is good, in seconds.
    pub(super) valid: (i64, i64),
    sha1: String,
    sha256: String,
}

impl Assertion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            message: message.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(super) fn text(&self, claim: &str) -> &str {
        self.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim).and_then(Value::as_f64).and_then(|number| format!("{number:.0}").parse().ok())
    }

    /// The audiences; the claim may hold one or a list.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// The thumbprint that the header names its key by.
    pub(super) fn thumbprint(&self) -> Option<&str> {
        self.header("x5t#S256").or_else(|| self.header("x5t")).map(|text| text.trim_end_matches('='))
    }

    /// Whether the header names this certificate.
    pub(super) fn names(&self, certificate: &Registered) -> bool {
        let plain = |text: &str| text.trim_end_matches('=').to_owned();
        match (self.header("x5t#S256"), self.header("x5t")) {
            (Some(sha256), _) => plain(sha256) == certificate.sha256,
            // The old form goes with RS256 alone.
            (None, Some(sha1)) => self.header("alg") == Some("RS256") && plain(sha1) == certificate.sha1,
            (None, None) => false,
        }
    }

    /// Whether this key signed it.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let how: &'static RsaParameters = match self.header("alg") {
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        let message = self.message.as_bytes();
        match key {
            PublicKey::Der(der) => UnparsedPublicKey::new(how, der).verify(message, &self.signature).is_ok(),
            PublicKey::Parts { n, e } => {
                PublicKeyComponents { n, e }.verify(how, message, &self.signature).is_ok()
            }
        }
    }
}

impl Registered {
    /// Reads a certificate in PEM.
    pub(super) fn read(pem: &str) -> Option<Self> {
        let certificate = Certificate::from_pem(pem.as_bytes()).ok()?;
        let der = certificate.to_der().ok()?;
        let tbs = &certificate.tbs_certificate;
        let second = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        Some(Self {
            key: PublicKey::Der(tbs.subject_public_key_info.subject_public_key.as_bytes()?.to_vec()),
            valid: (second(tbs.validity.not_before)?, second(tbs.validity.not_after)?),
            sha1: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)),
            sha256: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
        })
    }
}

impl PublicKey {
    /// Reads an issuer's key: a certificate in PEM, or a JWK.
    pub(super) fn read(text: &Value) -> Option<Self> {
        if let Some(pem) = text.as_str() {
            return Registered::read(pem).map(|certificate| certificate.key);
        }
        let part = |name: &str| {
            let text = text.get(name)?.as_str()?.trim_end_matches('=').to_owned();
            URL_SAFE_NO_PAD.decode(&text).or_else(|_| STANDARD.decode(&text)).ok()
        };
        Some(Self::Parts { n: part("n")?, e: part("e")? })
    }
}
