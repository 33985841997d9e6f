//! Who sent a request: Standard Webhooks (`webhook-*` and `svix-*` headers) and bearer tokens, checked in constant time
//! over the raw bytes, before anything of them is parsed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use jiff::Timestamp;
use secrecy::SecretSlice;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::domain::SecretString;
use crate::domain::secret::ExposeSecret as _;

/// A timestamp may be off by this much, either way.
const TOLERANCE_SECONDS: i64 = 300;
/// A key of Standard Webhooks has so many bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// A bearer token has at least so many bytes.
const LEAST_TOKEN_BYTES: usize = 32;
/// More signatures than this no rotation needs.
const MOST_SIGNATURES: usize = 16;
/// The longest id of a delivery.
const LONGEST_ID: usize = 256;

/// How a sender proves itself, with the secrets to check it by.
#[derive(Debug)]
pub enum Auth {
    /// An HMAC over id, timestamp and body.
    StandardWebhooks(Vec<SecretSlice<u8>>),
    /// A token in the `Authorization` header: held as its digest.
    Bearer(Vec<SecretSlice<u8>>),
}

/// Why a secret cannot be used. It is never part of this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No such scheme.
    #[error("`{kind}` is no way to prove a sender that this version knows")]
    UnknownKind {
        /// What was asked for.
        kind: String,
    },
    /// Not the text of a key.
    #[error("{place} holds no key: a key is `whsec_` and the base64 of 24 to 64 bytes")]
    NoKey {
        /// Where the secret is.
        place: String,
    },
    /// Too short to be safe.
    #[error("{place} holds a token of fewer than {LEAST_TOKEN_BYTES} bytes")]
    ShortToken {
        /// Where the secret is.
        place: String,
    },
}

/// Why a request is turned away: for the log, never for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A header is missing.
    Missing,
    /// A header stands twice.
    Twice,
    /// A header is none of its kind.
    Malformed,
    /// The timestamp is too far from our clock.
    NotFresh,
    /// No secret fits.
    NoMatch,
}

impl Refusal {
    /// The word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "a header is missing",
            Self::Twice => "a header stands twice",
            Self::Malformed => "a header is malformed",
            Self::NotFresh => "the timestamp is more than 300 s off",
            Self::NoMatch => "no secret fits",
        }
    }
}

/// A body whose sender was checked. Only [`Auth::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedWebhook<'b> {
    delivery: Option<String>,
    body: &'b [u8],
}

impl VerifiedWebhook<'_> {
    /// The sender's id of the delivery, the same at each try, where the scheme has one.
    pub fn delivery(&self) -> Option<&str> {
        self.delivery.as_deref()
    }

    /// The bytes as they came.
    pub fn body(&self) -> &[u8] {
        self.body
    }
}

impl Auth {
    /// Takes secrets in, each with where it is, for messages.
    ///
    /// # Errors
    /// When the scheme is unknown, or a secret is none of its kind.
    pub fn new(kind: &str, secrets: &[(String, SecretString)]) -> Result<Self, AuthError> {
        match kind {
            "standard-webhooks" => secrets
                .iter()
                .map(|(place, secret)| key(place, secret))
                .collect::<Result<_, _>>()
                .map(Self::StandardWebhooks),
            "bearer" => secrets
                .iter()
                .map(|(place, secret)| token(place, secret))
                .collect::<Result<_, _>>()
                .map(Self::Bearer),
            other => Err(AuthError::UnknownKind { kind: other.to_owned() }),
        }
    }

    /// Whether a request may prove its sender once its body is read: what its headers alone tell.
    pub fn may_verify(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        match self {
            Self::StandardWebhooks(_) => {
                verify_standard(&[], headers, b"", now).is_err_and(|refusal| refusal == Refusal::NoMatch)
            }
            Self::Bearer(_) => self.verify(headers, b"", now).is_ok(),
        }
    }

    /// Checks the sender of a request.
    ///
    /// # Errors
    /// Why it is turned away.
    pub fn verify<'b>(
        &self,
        headers: &HeaderMap,
        body: &'b [u8],
        now: Timestamp,
    ) -> Result<VerifiedWebhook<'b>, Refusal> {
        match self {
            Self::StandardWebhooks(keys) => verify_standard(keys, headers, body, now),
            Self::Bearer(digests) => {
                let given = one(headers, "authorization")?.ok_or(Refusal::Missing)?;
                let (scheme, token) = given.split_once(' ').ok_or(Refusal::Malformed)?;
                if !scheme.eq_ignore_ascii_case("bearer") {
                    return Err(Refusal::Malformed);
                }
                let given = Sha256::digest(token.trim().as_bytes());
                // Every digest is looked at: how long it takes tells nothing of which one fits.
                let fits = digests.iter().fold(Choice::from(0), |fits, digest| {
                    fits | digest.expose_secret().ct_eq(given.as_slice())
                });
                if bool::from(fits) {
                    Ok(VerifiedWebhook { delivery: None, body })
                } else {
                    Err(Refusal::NoMatch)
                }
            }
        }
    }
}

fn key(place: &str, secret: &SecretString) -> Result<SecretSlice<u8>, AuthError> {
    let text = secret.expose_secret();
    let text = text.strip_prefix("whsec_").unwrap_or(text);
    match STANDARD.decode(text) {
        Ok(key) if KEY_BYTES.contains(&key.len()) => Ok(key.into()),
        _ => Err(AuthError::NoKey { place: place.to_owned() }),
    }
}

fn token(place: &str, secret: &SecretString) -> Result<SecretSlice<u8>, AuthError> {
    let text = secret.expose_secret();
    if text.len() < LEAST_TOKEN_BYTES || text.chars().any(|letter| !letter.is_ascii_graphic()) {
        return Err(AuthError::ShortToken { place: place.to_owned() });
    }
    Ok(Sha256::digest(text.as_bytes()).to_vec().into())
}

/// The text of a header that stands once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Twice);
    }
    first.to_str().map(Some).map_err(|_| Refusal::Malformed)
}

fn verify_standard<'b>(
    keys: &[SecretSlice<u8>],
    headers: &HeaderMap,
    body: &'b [u8],
    now: Timestamp,
) -> Result<VerifiedWebhook<'b>, Refusal> {
    // Svix, which the scheme comes from, has its own names for the three.
    let family = if headers.contains_key("webhook-signature") { "webhook" } else { "svix" };
    let header = |name: &str| one(headers, &format!("{family}-{name}"))?.ok_or(Refusal::Missing);
    let (id, timestamp, signatures) = (header("id")?, header("timestamp")?, header("signature")?);
    // A dot in the id could shift the boundary between the signed parts.
    let is_id = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let is_seconds = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let at: i64 = timestamp.parse().map_err(|_| Refusal::Malformed)?;
    if !is_id || !is_seconds {
        return Err(Refusal::Malformed);
    }
    let mut fits = Choice::from(0);
    for key in keys {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret()) else {
            return Err(Refusal::NoMatch);
        };
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        let wanted = mac.finalize().into_bytes();
        // Versions that we do not know are skipped; every other signature is compared with every key.
        for signature in signatures.split(' ').filter_map(|one| one.strip_prefix("v1,")).take(MOST_SIGNATURES)
        {
            let given = STANDARD.decode(signature).unwrap_or_default();
            fits |= given.as_slice().ct_eq(wanted.as_slice());
        }
    }
    if !bool::from(fits) {
        return Err(Refusal::NoMatch);
    }
    // After the signature: who cannot sign does not learn how our clock stands.
    if (now.as_second() - at).abs() > TOLERANCE_SECONDS {
        return Err(Refusal::NotFresh);
    }
    Ok(VerifiedWebhook { delivery: Some(id.to_owned()), body })
}
