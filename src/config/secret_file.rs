//! Secrets that stand in files: read whole, or not at all.

use std::io::Read as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// The longest secret: a client secret has some 40 letters, and a file without end has to end somewhere.
const MOST: u64 = 4 * 1024;

/// Why a file gives no secret. Nothing of the file is part of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFileError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It holds something else.
    #[error("{0}")]
    Unfit(&'static str),
}

/// Reads a secret from a file; editors put an end of line behind it, and it is no part of it.
pub(super) fn read_secret(path: &Path) -> Result<SecretString, SecretFileError> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(MOST.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST) {
        return Err(SecretFileError::Unfit("holds more than 4 KiB, and no secret is as long as that"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretFileError::Unfit("holds no text"))?;
    let secret = SecretString::from(text.trim_end_matches(['\r', '\n']));
    match flaw(&secret) {
        None => Ok(secret),
        Some(why) => Err(SecretFileError::Unfit(why)),
    }
}

/// What makes a text no secret that anybody meant.
pub(super) fn flaw(secret: &SecretString) -> Option<&'static str> {
    let text = secret.expose_secret();
    if text.trim().is_empty() {
        return Some("is empty");
    }
    (text.trim() != text).then_some("has white space around it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(content: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        read_secret(&path).map(|secret| secret.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_read_whole_or_not_at_all() {
        assert_eq!(told(b"Hq7#mPz2\r\n"), Ok("Hq7#mPz2".to_owned()));
        let longest = "x".repeat(4 * 1024);
        assert_eq!(told(longest.as_bytes()), Ok(longest.clone()));
        assert!(told(format!("{longest}x").as_bytes()).unwrap_err().contains("4 KiB"));
        assert_eq!(told(b" \n"), Err("is empty".to_owned()));
        assert_eq!(told(b"Hq7#mPz2 \n"), Err("has white space around it".to_owned()));
        assert_eq!(told(&[0xff, 0xfe]), Err("holds no text".to_owned()));
        assert!(matches!(read_secret(Path::new("/nowhere")), Err(SecretFileError::Unreadable(_))));
    }
}
