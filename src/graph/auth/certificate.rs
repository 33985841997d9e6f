//! Signing in by certificate: one PEM file with a certificate and its private key, and the assertion that proves we hold
//! it ([certificate credentials](https://learn.microsoft.com/entra/identity-platform/certificate-credentials)).
//!
//! Deliberately absent: checking the certificate's chain. Entra compares it with the one that was uploaded.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use x509_cert::der::Decode as _;

use crate::domain::secret::ExposeSecret as _;
use crate::domain::{Random, SecretString};

/// How long an assertion holds: Entra asks for five to ten minutes.
const LIFE: Duration = Duration::from_mins(8);
/// How far its beginning lies back: the clocks differ by some seconds.
const BEGAN: Duration = Duration::from_mins(1);
/// A chain of a few certificates and a key; a file without end has to end somewhere.
const MOST_BYTES: u64 = 256 * 1024;

/// Why a certificate cannot be signed in with. The key is never part of it.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read.
    #[error("the certificate file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// It is a PKCS #12 container, not PEM.
    #[error("the certificate file `{}` is no PEM file", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate in it.
    #[error("the file `{}` holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no private key in it.
    #[error("the file `{}` holds no private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is locked by a passphrase.
    #[error("the private key in `{}` is locked by a passphrase", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The key is none that Entra takes.
    #[error("the private key in `{}` is no RSA key of 2048 to 8192 bits", path.display())]
    NotRsa {
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the private key in `{}` is not that of the certificate in it", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
    },
    /// The certificate has expired.
    #[error("the certificate in `{}` expired at {at}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("the certificate in `{}` is valid only from {at} on", path.display())]
    TooEarly {
        /// The file.
        path: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// It could not be signed with.
    #[error("the private key in `{}` could not sign", path.display())]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
}

impl CertificateError {
    /// A word for it that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "certificate_unreadable",
            Self::NotPem { .. } => "certificate_not_pem",
            Self::NoCertificate { .. } => "certificate_missing",
            Self::NoKey { .. } => "certificate_no_key",
            Self::Locked { .. } => "certificate_locked",
            Self::NotRsa { .. } => "certificate_not_rsa",
            Self::Mismatch { .. } => "certificate_key_mismatch",
            Self::Expired { .. } => "certificate_expired",
            Self::TooEarly { .. } => "certificate_too_early",
            Self::Unsigned { .. } => "certificate_unsigned",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { path, .. } => {
                format!("check the path, and that this user may read it: `ls -l {}`", path.display())
            }
            Self::NotPem { path } => format!(
                "turn a PFX file into PEM: `openssl pkcs12 -in {} -nodes -out stanch.pem`, and name `stanch.pem`",
                path.display()
            ),
            Self::NoCertificate { .. } | Self::NoKey { .. } => {
                "put certificate and key into one file: `cat certificate.pem key.pem > stanch.pem`".to_owned()
            }
            Self::Locked { path } => format!(
                "unlock it into a file that only this user may read: `openssl pkey -in {} -out key.pem`",
                path.display()
            ),
            Self::NotRsa { .. } => "Entra takes RSA only: `stanch setup` shows how to make one".to_owned(),
            Self::Mismatch { .. } => {
                "put the certificate that was uploaded and the key that it was made with into one file"
                    .to_owned()
            }
            Self::Expired { .. } => {
                "make a new certificate and upload it to the app registration: `stanch setup` shows how"
                    .to_owned()
            }
            Self::TooEarly { .. } => "check the clock of this machine".to_owned(),
            Self::Unsigned { .. } => return None,
        })
    }
}

/// A certificate with its private key.
pub struct ClientCertificate {
    path: PathBuf,
    key: RsaKeyPair,
    /// SHA-256 over the certificate's DER, base64url: `x5t#S256`.
    thumbprint: String,
    expires_at: Timestamp,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCertificate")
            .field("path", &self.path)
            .field("thumbprint", &self.thumbprint)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// Reads the file.
    ///
    /// # Errors
    /// When it holds no certificate with its key, or not one that is valid now (our clock).
    pub fn load(path: &Path, now: Timestamp) -> Result<Self, CertificateError> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
            .map_err(|source| CertificateError::Unreadable { path: path.to_owned(), source })?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(CertificateError::NotPem { path: path.to_owned() });
        };
        Self::parse(path, &SecretString::from(text), now)
    }

    fn parse(path: &Path, text: &SecretString, now: Timestamp) -> Result<Self, CertificateError> {
        let path = || path.to_owned();
        let pem = text.expose_secret();
        if !pem.contains("-----BEGIN ") {
            return Err(CertificateError::NotPem { path: path() });
        }
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::NoCertificate { path: path() })?;
        if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(CertificateError::Locked { path: path() });
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::NoKey { path: path() })?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
            _ => None,
        }
        .ok_or_else(|| CertificateError::NotRsa { path: path() })?;
        let certificate = x509_cert::Certificate::from_der(&der)
            .map_err(|_| CertificateError::NoCertificate { path: path() })?;
        let own = &certificate.tbs_certificate;
        if own.subject_public_key_info.subject_public_key.raw_bytes() != key.public_key().as_ref() {
            return Err(CertificateError::Mismatch { path: path() });
        }
        let moment = |time: &x509_cert::time::Time| {
            Timestamp::try_from(time.to_system_time()).unwrap_or(Timestamp::MAX)
        };
        let (starts_at, expires_at) = (moment(&own.validity.not_before), moment(&own.validity.not_after));
        if now >= expires_at {
            return Err(CertificateError::Expired { path: path(), at: expires_at });
        }
        if now < starts_at {
            return Err(CertificateError::TooEarly { path: path(), at: starts_at });
        }
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
        Ok(Self { path: path(), key, thumbprint, expires_at })
    }

    /// When it expires.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Makes an assertion for a token endpoint (our clock: it is issued by us).
    ///
    /// # Errors
    /// When the key cannot sign.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        token_url: &str,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<SecretString, CertificateError> {
        let unsigned = || CertificateError::Unsigned { path: self.path.clone() };
        let second = |at: Result<Timestamp, jiff::Error>| at.unwrap_or(now).as_second();
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint }));
        let began = second(now.checked_sub(BEGAN));
        let claims = encode(json!({
            "aud": token_url,
            "iss": client_id,
            "sub": client_id,
            "jti": crate::graph::settings::ClientRequestId::generate(random).as_str(),
            "nbf": began,
            "iat": began,
            "exp": second(now.checked_add(LIFE)),
        }));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| unsigned())?;
        Ok(SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const PEM: &str = include_str!("test-only-client.pem");
    const OTHER_KEY: &str = include_str!("test-only-other-key.pem");

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    fn parse(text: &str, at: Timestamp) -> Result<ClientCertificate, CertificateError> {
        ClientCertificate::parse(Path::new("client.pem"), &SecretString::from(text), at)
    }

    fn certificate_only() -> String {
        PEM.split_inclusive("-----END CERTIFICATE-----\n")
            .find(|part| part.contains("CERTIFICATE"))
            .unwrap()
            .to_owned()
    }

    #[test]
    fn an_assertion_is_signed_by_the_key_and_says_who_for_whom_and_until_when() {
        let certificate = parse(PEM, now()).unwrap();
        let url = "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token";
        let assertion = certificate.assertion("app", url, now(), &Fixed).unwrap();
        let parts: Vec<&str> = assertion.expose_secret().split('.').collect();
        let read = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (header, claims) = (read(parts[0]), read(parts[1]));
        assert_eq!(header["alg"], "PS256");
        assert_eq!(header["x5t#S256"], certificate.thumbprint.as_str());
        assert_eq!(
            (&claims["aud"], &claims["iss"], &claims["sub"]),
            (&json!(url), &json!("app"), &json!("app"))
        );
        let span = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
        assert!((300..=600).contains(&span), "{span}");
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.key.public_key().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        public.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).unwrap();
    }

    #[test]
    fn what_cannot_be_signed_in_with_is_told_before_anything_is_sent() {
        let code = |text: &str, at: &str| parse(text, at.parse().unwrap()).unwrap_err().code();
        let today = "2026-03-02T10:00:00Z";
        assert_eq!(code("hello", today), "certificate_not_pem");
        assert_eq!(code(OTHER_KEY, today), "certificate_missing");
        assert_eq!(code(&certificate_only(), today), "certificate_no_key");
        assert_eq!(code(&format!("{}{OTHER_KEY}", certificate_only()), today), "certificate_key_mismatch");
        let locked = format!(
            "{}-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            certificate_only()
        );
        assert_eq!(code(&locked, today), "certificate_locked");
        assert_eq!(code(PEM, "2080-01-01T00:00:00Z"), "certificate_expired");
        assert_eq!(code(PEM, "2001-01-01T00:00:00Z"), "certificate_too_early");
        let gone = ClientCertificate::load(Path::new("/nowhere/client.pem"), now()).unwrap_err();
        assert_eq!(gone.code(), "certificate_unreadable");
    }

    #[test]
    fn the_key_shows_nowhere() {
        let certificate = parse(PEM, now()).unwrap();
        let key_line = PEM.lines().skip_while(|line| !line.contains("PRIVATE KEY")).nth(2).unwrap();
        assert!(!format!("{certificate:?}").contains(key_line));
    }
}
