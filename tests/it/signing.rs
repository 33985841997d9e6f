//! Keys and signatures for tests: what an approver's key, a security key or an authority would make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signature::Signer as _;
use ssh_key::certificate::{Builder, CertType};
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{EcdsaPublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey, PublicKey, SshSig, sha2};

/// The application that OpenSSH registers its security keys under.
const APPLICATION: &str = "ssh:";

/// Who signs, and how.
pub enum Key {
    /// A key in a file.
    Plain(Box<PrivateKey>),
    /// A security key: a soft one, touched or not.
    Security { key: Box<PrivateKey>, is_touched: bool },
    /// A key with an authority's certificate.
    Certified { key: Box<PrivateKey>, certificate: Box<Certificate> },
}

/// The same key for the same seed.
pub fn ed25519(seed: u8) -> Key {
    Key::Plain(Box::new(PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))))
}

pub fn ecdsa(curve: EcdsaCurve) -> Key {
    Key::Plain(Box::new(PrivateKey::random(&mut OsRng, Algorithm::Ecdsa { curve }).unwrap()))
}

pub fn security_key(seed: u8, is_touched: bool) -> Key {
    Key::Security { key: Box::new(PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))), is_touched }
}

pub fn ecdsa_security_key(is_touched: bool) -> Key {
    let Key::Plain(key) = ecdsa(EcdsaCurve::NistP256) else { unreachable!() };
    Key::Security { key, is_touched }
}

/// A key with a certificate for a user; `change` sets what is out of the ordinary.
pub fn certified(
    authority: &Key,
    principal: &str,
    from: u64,
    until: u64,
    change: impl FnOnce(&mut Builder),
) -> Key {
    certify(CertType::User, authority, Some(principal), from, until, change)
}

/// The same, for a user or a host, for somebody or for all.
pub fn certify(
    kind: CertType,
    authority: &Key,
    principal: Option<&str>,
    from: u64,
    until: u64,
    change: impl FnOnce(&mut Builder),
) -> Key {
    let Key::Plain(authority) = authority else { panic!("an authority has a plain key") };
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[99; 32]));
    let mut builder = Builder::new_with_random_nonce(&mut OsRng, &key, from, until).unwrap();
    builder.cert_type(kind).unwrap();
    if let Some(principal) = principal {
        builder.valid_principal(principal).unwrap();
    }
    change(&mut builder);
    let certificate = builder.sign(authority.as_ref()).unwrap();
    Key::Certified { key: Box::new(key), certificate: Box::new(certificate) }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
}

/// An armored signature out of its parts.
pub fn armored(key: &[u8], namespace: &str, signature: &[u8]) -> String {
    let mut blob = b"SSHSIG".to_vec();
    blob.extend(1u32.to_be_bytes());
    for part in [key, namespace.as_bytes(), b"", b"sha512", signature] {
        put(&mut blob, part);
    }
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", STANDARD.encode(blob))
}

impl Key {
    fn public_data(&self) -> KeyData {
        match self {
            Self::Plain(key) | Self::Certified { key, .. } => key.public_key().key_data().clone(),
            Self::Security { key, .. } => match key.public_key().key_data() {
                KeyData::Ed25519(public) => SkEd25519::new(*public, APPLICATION).into(),
                KeyData::Ecdsa(EcdsaPublicKey::NistP256(point)) => {
                    SkEcdsaSha2NistP256::new(*point, APPLICATION).into()
                }
                other => panic!("no security key has a key of the kind {}", other.algorithm()),
            },
        }
    }

    /// The key as it stands in an `allowed_signers` file.
    pub fn public(&self) -> String {
        PublicKey::from(self.public_data()).to_openssh().unwrap()
    }

    /// The private key as it stands in a file.
    pub fn private(&self) -> String {
        let Self::Plain(key) = self else { panic!("only a plain key stands in a file") };
        key.to_openssh(ssh_key::LineEnding::LF).unwrap().to_string()
    }

    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        let signed = SshSig::signed_data(namespace, HashAlg::Sha512, message).unwrap();
        let public = PublicKey::from(self.public_data()).to_bytes().unwrap();
        match self {
            Self::Plain(key) => armored(&public, namespace, &raw(key, &signed)),
            Self::Certified { key, certificate } => {
                armored(&certificate.to_bytes().unwrap(), namespace, &raw(key, &signed))
            }
            Self::Security { key, is_touched } => {
                let digest = |bytes: &[u8]| <sha2::Sha256 as sha2::Digest>::digest(bytes).to_vec();
                let mut trailer = vec![u8::from(*is_touched)];
                trailer.extend(7u32.to_be_bytes());
                let mut whole = digest(APPLICATION.as_bytes());
                whole.extend(&trailer);
                whole.extend(digest(&signed));
                let mut blob = Vec::new();
                put(&mut blob, self.public_data().algorithm().as_str().as_bytes());
                put(&mut blob, key.try_sign(&whole).unwrap().as_bytes());
                blob.extend(&trailer);
                armored(&public, namespace, &blob)
            }
        }
    }
}

fn raw(key: &PrivateKey, signed: &[u8]) -> Vec<u8> {
    key.try_sign(signed).unwrap().try_into().unwrap()
}
