//! The key that signs the mock's tokens. It stands in the repository and guards nothing: `--seed` wants the same
//! tokens every time, and ring makes no RSA keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{self, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// Id of the key in tokens and in the key set.
pub const KEY_ID: &str = "mock-graph-test-only";

const PEM: &str = include_str!("test-only-key.pem");

/// Why the key cannot be used: a fault of this crate.
#[derive(Debug, thiserror::Error)]
#[error("the token key cannot be used: {0}")]
pub struct KeyError(String);

/// Signs and checks tokens.
#[derive(Debug)]
pub struct Keys {
    pair: RsaKeyPair,
}

impl Keys {
    /// Loads the key.
    ///
    /// # Errors
    /// When the file in the repository is damaged.
    pub fn load() -> Result<Self, KeyError> {
        let body: String = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).map_err(|error| KeyError(error.to_string()))?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|error| KeyError(error.to_string()))?;
        Ok(Self { pair })
    }

    /// Makes a signed token of the claims (RS256).
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(&self, claims: &Value) -> Result<String, KeyError> {
        let header = json!({ "alg": "RS256", "kid": KEY_ID, "typ": "JWT", "x5t": KEY_ID });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let mut signed = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signed)
            .map_err(|error| KeyError(error.to_string()))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed)))
    }

    /// The claims of a token that this key signed; `None` for any other text.
    pub fn check(&self, token: &str) -> Option<Value> {
        let (message, signed) = token.rsplit_once('.')?;
        let (_, claims) = message.split_once('.')?;
        let signed = URL_SAFE_NO_PAD.decode(signed).ok()?;
        UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, self.pair.public().as_ref())
            .verify(message.as_bytes(), &signed)
            .ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// A token of the same claims but for these, as well signed; null takes a claim away. What is no token of this key
    /// stays as it is.
    pub fn altered(&self, token: &str, set: &serde_json::Map<String, Value>) -> String {
        let Some(Value::Object(mut claims)) = self.check(token) else { return token.to_owned() };
        for (name, value) in set {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        self.sign(&Value::Object(claims)).unwrap_or_else(|_| token.to_owned())
    }

    /// The public key as a key set shows it.
    pub fn key_set(&self) -> Value {
        let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "kid": KEY_ID, "x5t": KEY_ID, "alg": "RS256",
            "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e)
        }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_checked_and_a_changed_one_is_not() {
        let keys = Keys::load().unwrap();
        let token = keys.sign(&json!({ "appid": "x" })).unwrap();
        assert_eq!(keys.check(&token).unwrap()["appid"], "x");
        let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts[1] = URL_SAFE_NO_PAD.encode(json!({ "appid": "y" }).to_string());
        assert_eq!(keys.check(&parts.join(".")), None);
        assert_eq!(keys.check("nonsense"), None);
    }
}
