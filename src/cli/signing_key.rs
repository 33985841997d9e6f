//! The approver's key: unlocked and used here where that can be done, by `ssh-keygen` where the key lives in an agent,
//! on a security key, or is RSA. Invariant: no key and no passphrase leaves this file, on a command line least of all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ssh_key::PrivateKey;

use super::failure::{Failure, NO_CONSENT};
use super::terminal;
use crate::approval::{NAMESPACE, SignedBy, can_sign, sign};
use crate::domain::SecretString;
use crate::domain::secret::ExposeSecret as _;

/// How often a passphrase may be mistyped, as with ssh.
const ATTEMPTS: usize = 3;

/// A key to sign with.
pub struct SigningKey {
    path: PathBuf,
    place: Place,
    public: Option<SignedBy>,
}

enum Place {
    /// In memory, locked or not.
    Here(Box<PrivateKey>),
    /// `ssh-keygen` finds it by its path: a public key or certificate whose private half an agent holds, or a private
    /// key of a kind that we do not sign with.
    Elsewhere,
}

impl SigningKey {
    /// Opens a key by its path: the private key, or the `.pub` of one that an agent holds. It is not unlocked yet.
    ///
    /// # Errors
    /// When it cannot be read, or is no key.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map(SecretString::from).map_err(|error| {
            let hint = "give your private key, or the `.pub` of one that your agent holds";
            Failure::of(2, "cannot_read", &error, Some(hint.to_owned()))
                .about(&format!("cannot read the key `{}`", path.display()))
        })?;
        let text = text.expose_secret().trim_start();
        let of = |place, public| Self { path: path.to_owned(), place, public };
        if !text.starts_with("-----BEGIN ") {
            let public = SignedBy::from_public(text).map_err(|_| no_key(path))?;
            return Ok(of(Place::Elsewhere, Some(public)));
        }
        if !text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
            // PEM of other programs: ssh-keygen reads most of them.
            return Ok(of(Place::Elsewhere, None));
        }
        // ssh-key takes no ECDSA key whose number is short, which is every second one of 521 bits: ssh-keygen does.
        let Ok(key) = PrivateKey::from_openssh(text) else { return Ok(of(Place::Elsewhere, None)) };
        let public = SignedBy::Key(key.public_key().key_data().clone());
        let place = if can_sign(&key.algorithm()) { Place::Here(Box::new(key)) } else { Place::Elsewhere };
        Ok(of(place, Some(public)))
    }

    /// The public half, where it is known before anything is signed.
    pub fn public(&self) -> Option<&SignedBy> {
        self.public.as_ref()
    }

    /// Signs a statement's message; asks for the passphrase of a locked key.
    ///
    /// # Errors
    /// When the key, the agent or `ssh-keygen` does not.
    pub fn sign(&self, message: &[u8]) -> Result<String, Failure> {
        let cannot = |error: ssh_key::Error| Failure::of(1, "cannot_sign", &error, None);
        match &self.place {
            Place::Here(key) if key.is_encrypted() => {
                sign(&unlock(key, &self.path)?, message).map_err(cannot)
            }
            Place::Here(key) => sign(key, message).map_err(cannot),
            Place::Elsewhere => sign_elsewhere(&self.path, message),
        }
    }
}

fn no_key(path: &Path) -> Failure {
    Failure::new(
        2,
        "no_key",
        format!("`{}` is no SSH key", path.display()),
        Some(
            "make one with `ssh-keygen -t ed25519`, or give the `.pub` of one that your agent holds"
                .to_owned(),
        ),
    )
}

fn unlock(key: &PrivateKey, path: &Path) -> Result<PrivateKey, Failure> {
    if !terminal::is_interactive() {
        return Err(Failure::new(
            NO_CONSENT,
            "key_locked",
            format!(
                "the key `{}` is locked, and there is no terminal to ask for its passphrase",
                path.display()
            ),
            Some(format!("run it at a terminal, or `ssh-add` the key and give `{}.pub`", path.display())),
        ));
    }
    for _ in 0..ATTEMPTS {
        let question = format!("Passphrase of {}: ", path.display());
        let passphrase = rpassword::prompt_password(question).map(SecretString::from).map_err(|error| {
            Failure::of(NO_CONSENT, "cannot_ask", &error, Some("run it at a terminal".to_owned()))
        })?;
        match key.decrypt(passphrase.expose_secret()) {
            Ok(unlocked) => return Ok(unlocked),
            Err(_) => anstream::eprintln!("that is not its passphrase"),
        }
    }
    Err(Failure::new(
        NO_CONSENT,
        "wrong_passphrase",
        format!("the key `{}` was not unlocked: nothing was signed", path.display()),
        Some("try again, or sign with another key of yours that is listed".to_owned()),
    ))
}

/// Has `ssh-keygen` sign: it asks for passphrases and touches itself, on the terminal.
fn sign_elsewhere(path: &Path, message: &[u8]) -> Result<String, Failure> {
    let failed = |error: std::io::Error, hint: &str| {
        Failure::of(1, "ssh_keygen", &error, Some(hint.to_owned())).about("`ssh-keygen` cannot be run")
    };
    let install = "install OpenSSH 8.1 or newer: such a key signs by its `ssh-keygen`";
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", NAMESPACE, "-f"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| failed(error, install))?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(message) {
            // It ended before it read: its status tells.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            other => other.map_err(|error| failed(error, install))?,
        }
    }
    let output = child.wait_with_output().map_err(|error| failed(error, install))?;
    if !output.status.success() {
        return Err(Failure::new(
            1,
            "not_signed",
            format!("`ssh-keygen` did not sign with `{}`", path.display()),
            Some(
                "its own message stands above; for an agent: `ssh-add -L` has to list the key, and SSH_AUTH_SOCK to be set"
                    .to_owned(),
            ),
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| Failure::of(1, "ssh_keygen", &error, None))
}
