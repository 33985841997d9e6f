//! Who stanch is to the tenant: two applications, the observer that reads and the responder that may write.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::endpoint::{BaseUrl, Cloud, EndpointError};
use super::environment::Environment;
use super::managed_identity::ManagedIdentity;
use super::secret_file::{SecretFileError, flaw, read_secret};

/// Which of the two applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May only read.
    Observer,
    /// May write what steps need.
    Responder,
}

/// What an application signs in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Where tokens come from.
    pub authority: BaseUrl,
    /// The tenant: its id, or one of its domains.
    pub tenant_id: String,
    /// The application's id.
    pub client_id: String,
    /// How it proves itself.
    pub way: SignInWay,
}

/// How an application proves itself.
#[derive(Debug, Clone)]
pub enum SignInWay {
    /// By a client secret.
    Secret(SecretString),
    /// By a certificate and its private key, both in this PEM file.
    Certificate(PathBuf),
    /// By a token of another identity provider, which is put into this file, and renewed there.
    FederatedToken(PathBuf),
    /// By where it runs.
    ManagedIdentity(ManagedIdentity),
}

/// Why an application cannot sign in. The secret is never part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A variable is not set.
    #[error("the {role} cannot sign in: `{variable}` is not set")]
    Missing {
        /// Which application.
        role: Role,
        /// The variable.
        variable: String,
    },
    /// There is nothing that a person could sign in to.
    #[error("nobody can sign in as themselves: `{variable}` is not set")]
    NothingToSignInTo {
        /// The variable.
        variable: &'static str,
    },
    /// Two ways to sign in are set at once.
    #[error("the {role} has two ways to sign in: both `{first}` and `{second}` are set")]
    Ambiguous {
        /// Which application.
        role: Role,
        /// One variable.
        first: String,
        /// The other.
        second: String,
    },
    /// A file that a variable names cannot be read.
    #[error("`{variable}` names `{}`, which cannot be read", path.display())]
    Unreadable {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// What failed.
        why: std::io::ErrorKind,
    },
    /// A value cannot be what its variable is for.
    #[error("`{variable}` {why}")]
    Malformed {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The authority cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

impl CredentialError {
    /// Gives the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NothingToSignInTo { .. } => "credentials_missing",
            Self::Ambiguous { .. } => "credentials_ambiguous",
            Self::Unreadable { .. } => "credentials_unreadable",
            Self::Malformed { .. } => "credentials_malformed",
            Self::Endpoint(error) => error.code(),
        }
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }

    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { role, variable } if *variable == role.variable(SECRET) => Some(format!(
                "set one of {}; `stanch setup` shows how to register the applications",
                WAYS.map(|way| format!("`{}`", role.variable(way))).join(", ")
            )),
            Self::Missing { variable, .. } => {
                Some(format!("set `{variable}`; `stanch setup` shows how to register the applications"))
            }
            Self::NothingToSignInTo { variable } => Some(format!(
                "set `{variable}`; the app may also be named by `operator.client_id` in stanch.toml"
            )),
            Self::Ambiguous { first, second, .. } => Some(format!("unset `{first}` or `{second}`")),
            Self::Unreadable { path, why, .. } => Some(match why {
                std::io::ErrorKind::NotFound => {
                    format!("there is no file `{}`: check the path", path.display())
                }
                std::io::ErrorKind::PermissionDenied => {
                    format!("let this user, and nobody else, read it: `chmod 600 {}`", path.display())
                }
                other => format!("reading it ends with: {other}"),
            }),
            Self::Malformed { variable, .. } => {
                Some(format!("copy `{variable}` again from the app registration"))
            }
            Self::Endpoint(error) => error.hint(),
        }
    }
}

impl Role {
    fn prefix(self) -> &'static str {
        match self {
            Self::Observer => "STANCH_OBSERVER_",
            Self::Responder => "AZURE_",
        }
    }

    fn variable(self, name: &str) -> String {
        format!("{}{name}", self.prefix())
    }
}

/// The app ids of both applications, as far as they are set, whether or not they can sign in from here.
pub(super) fn own_apps(environment: &Environment) -> Vec<String> {
    let named = |role: Role| environment.get(&role.variable("CLIENT_ID")).map(|id| id.trim().to_owned());
    [Role::Observer, Role::Responder].into_iter().filter_map(named).collect()
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observer => "observer",
            Self::Responder => "responder",
        })
    }
}

const SECRET: &str = "CLIENT_SECRET";
const SECRET_FILE: &str = "CLIENT_SECRET_FILE";
const CERTIFICATE: &str = "CLIENT_CERTIFICATE_PATH";
const FEDERATED_TOKEN: &str = "FEDERATED_TOKEN_FILE";
const MANAGED_IDENTITY: &str = "MANAGED_IDENTITY";
/// The ways to sign in, each by its variable.
const WAYS: [&str; 5] = [CERTIFICATE, FEDERATED_TOKEN, MANAGED_IDENTITY, SECRET_FILE, SECRET];
/// What a managed identity that is not named is called in messages.
const UNNAMED_IDENTITY: &str = "managed-identity";

impl Credentials {
    /// Reads the responder's credentials.
    ///
    /// # Errors
    /// When they are not there in full, or not to be used.
    pub fn responder(environment: &Environment, cloud: Cloud) -> Result<Self, CredentialError> {
        Self::read(Role::Responder, environment, cloud)
    }

    /// Reads the observer's credentials; none, when no variable of its own names a way to sign in.
    ///
    /// # Errors
    /// When they are there in part, or not to be used.
    pub fn observer(environment: &Environment, cloud: Cloud) -> Result<Option<Self>, CredentialError> {
        let mut own = ["CLIENT_ID"].into_iter().chain(WAYS);
        let named = own.any(|name| environment.get(&Role::Observer.variable(name)).is_some());
        if named { Self::read(Role::Observer, environment, cloud).map(Some) } else { Ok(None) }
    }

    /// Reads the credentials that planning uses: the observer's, or else the responder's.
    ///
    /// # Errors
    /// When neither can be used.
    pub fn for_planning(environment: &Environment, cloud: Cloud) -> Result<(Role, Self), CredentialError> {
        match Self::observer(environment, cloud)? {
            Some(observer) => Ok((Role::Observer, observer)),
            None => Ok((Role::Responder, Self::responder(environment, cloud)?)),
        }
    }

    fn read(role: Role, environment: &Environment, cloud: Cloud) -> Result<Self, CredentialError> {
        let get = |name: &str| {
            let variable = role.variable(name);
            environment.get(&variable).map(|value| (variable.clone(), value)).ok_or(variable)
        };
        // The observer lives in the same tenant, behind the same authority, unless it says otherwise.
        let shared = |name: &str| {
            get(name).or_else(|variable| {
                let responders = Role::Responder.variable(name);
                environment.get(&responders).map(|value| (responders.clone(), value)).ok_or(variable)
            })
        };
        let missing = |variable| CredentialError::Missing { role, variable };
        let set: Vec<(&str, String, &str)> = WAYS
            .iter()
            .filter_map(|name| get(name).ok().map(|(variable, value)| (*name, variable, value)))
            .collect();
        if let [(_, first, _), (_, second, _), ..] = set.as_slice() {
            let (first, second) = (first.clone(), second.clone());
            return Err(CredentialError::Ambiguous { role, first, second });
        }
        let (tenant_at, tenant_id) = shared("TENANT_ID").map_err(missing)?;
        let is_identity = set.first().is_some_and(|(name, _, _)| *name == MANAGED_IDENTITY);
        let named = match get("CLIENT_ID") {
            Ok((variable, text)) => {
                check_word(&variable, text.trim(), "is no application's id")?;
                Some(text.trim())
            }
            Err(_) if is_identity => None,
            Err(variable) => return Err(missing(variable)),
        };
        check_word(&tenant_at, tenant_id.trim(), "is neither a tenant's id nor a domain")?;
        if ["common", "organizations", "consumers"].contains(&tenant_id.trim()) {
            let why = "names no single tenant";
            return Err(CredentialError::Malformed { variable: tenant_at, why });
        }
        let way = match set.into_iter().next() {
            None => return Err(missing(role.variable(SECRET))),
            Some((CERTIFICATE, _, path)) => SignInWay::Certificate(PathBuf::from(path)),
            Some((FEDERATED_TOKEN, _, path)) => SignInWay::FederatedToken(PathBuf::from(path)),
            Some((MANAGED_IDENTITY, variable, text)) => {
                SignInWay::ManagedIdentity(ManagedIdentity::read(&variable, text, named, environment)?)
            }
            Some((SECRET_FILE, variable, path)) => SignInWay::Secret(secret_in(variable, path)?),
            Some((_, variable, text)) => SignInWay::Secret(check_secret(variable, SecretString::from(text))?),
        };
        let authority = match shared("AUTHORITY_HOST") {
            Ok((variable, text)) => BaseUrl::parse(&variable, text)?,
            Err(variable) => BaseUrl::parse(&variable, cloud.authority())?,
        };
        let client_id = named.unwrap_or(UNNAMED_IDENTITY).to_owned();
        Ok(Self { authority, tenant_id: tenant_id.trim().to_owned(), client_id, way })
    }
}

/// Reads a secret from the file that a variable names.
fn secret_in(variable: String, path: &str) -> Result<SecretString, CredentialError> {
    let path = Path::new(path);
    read_secret(path).map_err(|error| match error {
        SecretFileError::Unreadable(error) => {
            CredentialError::Unreadable { variable, path: path.to_owned(), why: error.kind() }
        }
        SecretFileError::Unfit(why) => CredentialError::Malformed { variable, why },
    })
}

fn check_secret(variable: String, secret: SecretString) -> Result<SecretString, CredentialError> {
    match flaw(&secret) {
        None => Ok(secret),
        Some(why) => Err(CredentialError::Malformed { variable, why }),
    }
}

/// Both ids become parts of an address: nothing in them may change which one.
pub(super) fn check_word(variable: &str, text: &str, why: &'static str) -> Result<(), CredentialError> {
    let fits = !text.is_empty()
        && text.len() <= 253
        && !text.starts_with('.')
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.'));
    if fits { Ok(()) } else { Err(CredentialError::Malformed { variable: variable.to_owned(), why }) }
}
