//! Where runs are kept, as an address.

use std::fmt;
use std::path::{Path, PathBuf};

use super::environment::Environment;

/// A store's address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// An `SQLite` file.
    Sqlite(PathBuf),
}

/// Why a text is no store's address. It may have a password in it, and so is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreUrlError {
    /// `PostgreSQL`, which this version does not have.
    #[error("PostgreSQL is not supported in this version")]
    Postgres,
    /// Something else.
    #[error("this is no address of a store")]
    UnknownScheme,
    /// There is no path in it.
    #[error("the address has no path")]
    NoPath,
}

impl StoreUrlError {
    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        Some("write `sqlite://relative.db` or `sqlite:///absolute.db`".to_owned())
    }
}

impl StoreUrl {
    /// Parses an address; a relative path is meant from `base`.
    ///
    /// # Errors
    /// When it is of no store that this version has.
    pub fn parse(text: &str, base: &Path) -> Result<Self, StoreUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Err(StoreUrlError::Postgres);
        }
        let path = text.strip_prefix("sqlite://").ok_or(StoreUrlError::UnknownScheme)?;
        if path.is_empty() || path.ends_with('/') {
            return Err(StoreUrlError::NoPath);
        }
        Ok(Self::Sqlite(base.join(path)))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
        }
    }
}

/// Gives the store in the user's state directory.
pub fn default_store(environment: &Environment) -> Option<StoreUrl> {
    environment
        .state_directory()
        .map(|directory| StoreUrl::Sqlite(directory.join("stanch").join("stanch.db")))
}
