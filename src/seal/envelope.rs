//! Sealing with age, and keeping what is sealed: one armored file for each secret, which only its recipients can open.
//! A secret that a later one has replaced is marked so (SAFETY.md 2.2).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use age::armor::{ArmoredWriter, Format};

use super::handover::Parcel;
use super::recipient::{Recipient, RecipientError};
use crate::domain::SecretString;
use crate::domain::secret::ExposeSecret as _;
use crate::run::HandedOver;

/// What the name of an envelope ends in once a later secret has replaced the one inside.
const SUPERSEDED: &str = "superseded";

/// Why a secret was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Nobody could open it.
    #[error("there is nobody to seal it to")]
    NoRecipients,
    /// A recipient of the plan is none.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
    /// Encryption failed.
    #[error("it could not be sealed")]
    Encrypt(#[source] age::EncryptError),
    /// The envelope could not be written.
    #[error("the envelope `{path}` could not be written")]
    Write {
        /// Where.
        path: String,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
}

/// Seals a secret to everybody who may open it, as armored text.
///
/// # Errors
/// When there is nobody, or encryption fails.
pub fn seal(secret: &SecretString, recipients: &[Recipient]) -> Result<String, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipients);
    }
    let encryptor =
        age::Encryptor::with_recipients(recipients.iter().map(Recipient::key)).map_err(SealError::Encrypt)?;
    let failed = |source| SealError::Encrypt(age::EncryptError::Io(source));
    let mut sealed = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor).map_err(failed)?;
    let mut writer = encryptor.wrap_output(armor).map_err(failed)?;
    writer.write_all(secret.expose_secret().as_bytes()).map_err(failed)?;
    // Both ends, or the envelope is cut off.
    writer.finish().and_then(ArmoredWriter::finish).map_err(failed)?;
    String::from_utf8(sealed).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))
}

/// The folder where sealed secrets are kept, beside the store.
#[derive(Clone, Debug)]
pub struct Envelopes {
    folder: PathBuf,
}

impl Envelopes {
    /// A folder; it is made when the first envelope comes.
    pub fn within(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes sure that an envelope for these could be sealed and kept.
    ///
    /// # Errors
    /// When one of them is no recipient, or the folder cannot be made or written to.
    pub fn check(&self, recipients: &[String]) -> Result<(), SealError> {
        if recipients.is_empty() {
            return Err(SealError::NoRecipients);
        }
        parse(recipients)?;
        let probe = self.folder.join(".writable");
        self.make_folder()?;
        write_durably(&probe, b"")?;
        fs::remove_file(&probe).map_err(|source| failed(&probe, source))
    }

    /// Seals a secret and keeps it, durable before this returns. Envelopes of earlier secrets of this kind for this
    /// account are marked: what is in them opens nothing any more.
    ///
    /// # Errors
    /// When it cannot be sealed or kept: then it is lost.
    pub fn keep(
        &self,
        parcel: &Parcel<'_>,
        recipients: &[String],
        secret: &SecretString,
    ) -> Result<HandedOver, SealError> {
        let armored = seal(secret, &parse(recipients)?)?;
        self.make_folder()?;
        let stem = stem_of(parcel);
        let path = self.folder.join(format!("{stem}.{}.age", parcel.run));
        write_durably(&path, armored.as_bytes())?;
        // A file's name is the folder's: without this a crash may leave the secret on the disk under no name.
        sync_folder(&self.folder).map_err(|source| failed(&self.folder, source))?;
        // The new one is safe by now: whatever fails here leaves one envelope too many, and none too few.
        self.supersede(&stem, &path);
        Ok(HandedOver::Sealed { file: path.display().to_string(), recipients: recipients.to_vec() })
    }

    fn make_folder(&self) -> Result<(), SealError> {
        fs::create_dir_all(&self.folder).map_err(|source| failed(&self.folder, source))?;
        restrict(&self.folder, 0o700).map_err(|source| failed(&self.folder, source))
    }

    fn supersede(&self, stem: &str, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_of(stem, name)
                && path != newest
                && let Err(error) = fs::rename(&path, path.with_extension(format!("age.{SUPERSEDED}")))
            {
                tracing::warn!(%error, path = %path.display(), "an envelope that opens nothing any more was not marked");
            }
        }
    }
}

fn parse(recipients: &[String]) -> Result<Vec<Recipient>, RecipientError> {
    recipients.iter().map(|text| text.parse()).collect()
}

/// The beginning of an envelope's name: whose it is and what is in it, in characters that every file system takes. Two
/// accounts never share one; an account is the same in capitals, as it is to Entra.
fn stem_of(parcel: &Parcel<'_>) -> String {
    let mut stem = String::new();
    for byte in parcel.subject.as_str().to_lowercase().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'-' | b'_' | b'.') {
            stem.push(char::from(byte));
        } else {
            stem.push_str(&format!("%{byte:02x}"));
        }
    }
    format!("{stem}.{}", parcel.kind.word())
}

/// Whether a file is an envelope with this stem: behind it stands the id of a run, and nothing else.
fn is_of(stem: &str, name: &str) -> bool {
    name.strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".age"))
        .is_some_and(|run| !run.is_empty() && !run.contains('.'))
}

fn failed(path: &Path, source: std::io::Error) -> SealError {
    SealError::Write { path: path.display().to_string(), source }
}

/// Writes a file that only its owner reads, and has it on the disk.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), SealError> {
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        restrict(path, 0o600)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| failed(path, source))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::seal::SecretKind;

    const SECRET: &str = "Hq7#mPz2";

    fn opened(armored: &str, identity: &age::x25519::Identity) -> String {
        let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(armored.as_bytes())).unwrap();
        let mut text = String::new();
        let identity: &dyn age::Identity = identity;
        decryptor.decrypt(std::iter::once(identity)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn only_a_recipient_opens_what_is_sealed() {
        let (own, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let recipient: Recipient = own.to_public().to_string().parse().unwrap();
        let armored = seal(&SecretString::from(SECRET), &[recipient]).unwrap();
        assert!(armored.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !armored.contains(SECRET));
        assert_eq!(opened(&armored, &own), SECRET);
        let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(armored.as_bytes())).unwrap();
        let stranger: &dyn age::Identity = &other;
        assert!(decryptor.decrypt(std::iter::once(stranger)).is_err());
        assert!(matches!(seal(&SecretString::from(SECRET), &[]), Err(SealError::NoRecipients)));
    }

    #[test]
    fn an_envelope_is_its_owners_alone_and_the_ones_before_are_marked() {
        let folder = tempfile::tempdir().unwrap();
        let envelopes = Envelopes::within(folder.path().join("sealed"));
        let own = age::x25519::Identity::generate();
        let subject = "lynne.robbins@contoso.com".parse().unwrap();
        let keep = |run: &str, kind, secret: &str| {
            let run = run.parse().unwrap();
            let parcel = Parcel { kind, subject: &subject, run: &run };
            let kept = envelopes.keep(&parcel, &[own.to_public().to_string()], &SecretString::from(secret));
            let HandedOver::Sealed { file, .. } = kept.unwrap() else { panic!("it was not sealed") };
            PathBuf::from(file)
        };
        envelopes.check(&[own.to_public().to_string()]).unwrap();
        assert!(matches!(envelopes.check(&["age1damaged".to_owned()]), Err(SealError::Recipient(_))));
        assert!(matches!(envelopes.check(&[]), Err(SealError::NoRecipients)));
        let first = keep("01920000-0000-7000-8000-000000000001", SecretKind::Pass, "one");
        let password = keep("01920000-0000-7000-8000-000000000001", SecretKind::Password, "two");
        let second = keep("01920000-0000-7000-8000-000000000002", SecretKind::Pass, "three");
        assert!(!first.exists() && password.exists() && second.exists());
        assert!(first.with_extension("age.superseded").exists());
        assert_eq!(opened(&fs::read_to_string(&second).unwrap(), &own), "three");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&second), mode(second.parent().unwrap())), (0o600, 0o700));
        }
        let names: Vec<_> = fs::read_dir(second.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }

    #[test]
    fn the_envelopes_of_another_account_are_never_marked() {
        let folder = tempfile::tempdir().unwrap();
        let envelopes = Envelopes::within(folder.path().join("sealed"));
        let recipient = [age::x25519::Identity::generate().to_public().to_string()];
        let keep = |subject: &str, run: &str| {
            let (subject, run) = (subject.parse().unwrap(), run.parse().unwrap());
            let parcel = Parcel { kind: SecretKind::Pass, subject: &subject, run: &run };
            match envelopes.keep(&parcel, &recipient, &SecretString::from("x")).unwrap() {
                HandedOver::Sealed { file, .. } => PathBuf::from(file),
                other => panic!("{other:?}"),
            }
        };
        let others = [
            "john_doe@contoso.com",
            "john%2edoe@contoso.com",
            "john'doe@contoso.com",
            "john.doe@contoso.com.pass.fabrikam.com",
        ]
        .map(|subject| keep(subject, "r1"));
        let own = keep("John.Doe@contoso.com", "r1");
        let newest = keep("john.doe@contoso.com", "r2");
        assert!(!own.exists() && newest.exists());
        assert!(others.iter().all(|other| other.exists()), "{others:?}");
    }
}
