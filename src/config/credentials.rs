//! Who stanch is to the tenant: two applications, the observer that reads and the responder that may write.

use std::fmt;

use secrecy::SecretString;

use super::endpoint::{AUTHORITY, BaseUrl, EndpointError};
use super::environment::Environment;

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
    /// Its secret.
    pub secret: SecretString,
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
    /// A way to sign in that this version does not have.
    #[error("the {role} cannot sign in with `{variable}`: not supported yet by this version")]
    Unsupported {
        /// Which application.
        role: Role,
        /// The variable.
        variable: String,
        /// The one to set instead.
        instead: String,
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
            Self::Missing { .. } => "credentials_missing",
            Self::Ambiguous { .. } => "credentials_ambiguous",
            Self::Unsupported { .. } => "credentials_unsupported",
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
            Self::Missing { variable, .. } => {
                Some(format!("set `{variable}`; `stanch setup` shows how to register the applications"))
            }
            Self::Ambiguous { first, second, .. } => Some(format!("unset `{first}` or `{second}`")),
            Self::Unsupported { instead, .. } => Some(format!("set `{instead}`")),
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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observer => "observer",
            Self::Responder => "responder",
        })
    }
}

const SECRET: &str = "CLIENT_SECRET";
const OTHER_WAYS: [&str; 2] = ["CLIENT_CERTIFICATE_PATH", "FEDERATED_TOKEN_FILE"];

impl Credentials {
    /// Reads the responder's credentials.
    ///
    /// # Errors
    /// When they are not there in full, or not to be used.
    pub fn responder(environment: &Environment) -> Result<Self, CredentialError> {
        Self::read(Role::Responder, environment)
    }

    /// Reads the observer's credentials; none, when no variable of its own names a way to sign in.
    ///
    /// # Errors
    /// When they are there in part, or not to be used.
    pub fn observer(environment: &Environment) -> Result<Option<Self>, CredentialError> {
        let own = ["CLIENT_ID", SECRET].into_iter().chain(OTHER_WAYS);
        let named = own.into_iter().any(|name| environment.get(&Role::Observer.variable(name)).is_some());
        if named { Self::read(Role::Observer, environment).map(Some) } else { Ok(None) }
    }

    /// Reads the credentials that planning uses: the observer's, or else the responder's.
    ///
    /// # Errors
    /// When neither can be used.
    pub fn for_planning(environment: &Environment) -> Result<(Role, Self), CredentialError> {
        match Self::observer(environment)? {
            Some(observer) => Ok((Role::Observer, observer)),
            None => Ok((Role::Responder, Self::responder(environment)?)),
        }
    }

    fn read(role: Role, environment: &Environment) -> Result<Self, CredentialError> {
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
        let others: Vec<String> =
            OTHER_WAYS.iter().filter_map(|name| get(name).ok()).map(|(name, _)| name).collect();
        let (secret_at, secret) = match (get(SECRET), others.as_slice()) {
            (Ok((first, _)), [second, ..]) => {
                return Err(CredentialError::Ambiguous { role, first, second: second.clone() });
            }
            (Err(_), [first, second, ..]) => {
                return Err(CredentialError::Ambiguous {
                    role,
                    first: first.clone(),
                    second: second.clone(),
                });
            }
            (Err(instead), [variable]) => {
                return Err(CredentialError::Unsupported { role, variable: variable.clone(), instead });
            }
            (Ok(found), []) => found,
            (Err(variable), []) => {
                // Name the first that is missing in the order in which people set them.
                shared("TENANT_ID").map_err(missing)?;
                get("CLIENT_ID").map_err(missing)?;
                return Err(missing(variable));
            }
        };
        let (tenant_at, tenant_id) = shared("TENANT_ID").map_err(missing)?;
        let (client_at, client_id) = get("CLIENT_ID").map_err(missing)?;
        check_word(&tenant_at, tenant_id.trim(), "is neither a tenant's id nor a domain")?;
        if ["common", "organizations", "consumers"].contains(&tenant_id.trim()) {
            let why = "names no single tenant";
            return Err(CredentialError::Malformed { variable: tenant_at, why });
        }
        check_word(&client_at, client_id.trim(), "is no application's id")?;
        if secret.trim() != secret {
            let why = "has white space around it";
            return Err(CredentialError::Malformed { variable: secret_at, why });
        }
        let authority = match shared("AUTHORITY_HOST") {
            Ok((variable, text)) => BaseUrl::parse(&variable, text)?,
            Err(variable) => BaseUrl::parse(&variable, AUTHORITY)?,
        };
        Ok(Self {
            authority,
            tenant_id: tenant_id.trim().to_owned(),
            client_id: client_id.trim().to_owned(),
            secret: SecretString::from(secret),
        })
    }
}

/// Both ids become parts of an address: nothing in them may change which one.
fn check_word(variable: &str, text: &str, why: &'static str) -> Result<(), CredentialError> {
    let fits = !text.is_empty()
        && text.len() <= 253
        && !text.starts_with('.')
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.'));
    if fits { Ok(()) } else { Err(CredentialError::Malformed { variable: variable.to_owned(), why }) }
}
