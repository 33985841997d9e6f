//! The process's environment, read once and in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Variables by name. Its debug form shows names only, as values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the environment of this process.
    pub fn from_process() -> Self {
        // A value that is not UTF-8 is kept, damaged, so that it fails where it is used and not unseen.
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// Gives a variable's value; one that is set to nothing counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Gives every variable.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Gives the operating system's name for who runs this; it is not an account of the tenant.
    pub fn system_user(&self) -> Option<&str> {
        ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| self.get(name))
    }

    /// Gives the user's directory for configuration.
    pub fn config_directory(&self) -> Option<PathBuf> {
        self.directory("XDG_CONFIG_HOME", ".config")
    }

    /// Gives the user's directory for what programs keep between runs.
    pub fn state_directory(&self) -> Option<PathBuf> {
        self.directory("XDG_STATE_HOME", ".local/state")
    }

    fn directory(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        // The XDG specification has relative paths ignored.
        let named = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| self.get("HOME").map(|home| PathBuf::from(home).join(below_home)))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
