//! The hosts that stanch speaks to. Invariant: plain http goes to loopback only, and no address has a password in it.

use std::fmt;
use std::net::IpAddr;

use super::environment::Environment;

const GRAPH: &str = "https://graph.microsoft.com";

/// A cloud of Microsoft's: tokens of one are worth nothing in another
/// ([national clouds](https://learn.microsoft.com/graph/deployments)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The public one; GCC too.
    #[default]
    Global,
    /// US Government L4, "GCC High".
    UsGov,
    /// US Government L5, of the Department of Defense.
    UsGovDod,
    /// Of 21Vianet in China.
    China,
}

impl Cloud {
    /// The words of the setting `cloud`.
    pub const NAMES: [&str; 4] = ["global", "us-gov", "us-gov-dod", "china"];

    /// Reads the setting's word.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "global" => Some(Self::Global),
            "us-gov" => Some(Self::UsGov),
            "us-gov-dod" => Some(Self::UsGovDod),
            "china" => Some(Self::China),
            _ => None,
        }
    }

    /// The setting's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "us-gov",
            Self::UsGovDod => "us-gov-dod",
            Self::China => "china",
        }
    }

    /// Where its tokens come from.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Where its Graph is.
    pub fn graph(self) -> &'static str {
        match self {
            Self::Global => GRAPH,
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

/// The scheme, host and port of a service, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    is_loopback: bool,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not an address with a scheme and a host.
    #[error("`{variable}` is no address")]
    NotAnAddress {
        /// The variable it came from.
        variable: String,
    },
    /// It would send tokens in the clear.
    #[error("`{variable}` is plain http to `{host}`, and that is allowed for loopback only")]
    PlainHttp {
        /// The variable it came from.
        variable: String,
        /// The host.
        host: String,
    },
    /// It has more than scheme, host and port.
    #[error("`{variable}` has a {part}, and takes scheme, host and port only")]
    TooMuch {
        /// The variable it came from.
        variable: String,
        /// What is too much.
        part: &'static str,
    },
}

impl EndpointError {
    /// Gives the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnAddress { .. } => "endpoint_invalid",
            Self::PlainHttp { .. } => "endpoint_plain_http",
            Self::TooMuch { .. } => "endpoint_too_much",
        }
    }

    /// Gives the exit status: wrong usage or invalid input.
    pub fn exit_status(&self) -> u8 {
        2
    }

    /// Says what to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAnAddress { variable } => format!("set it like `{variable}={GRAPH}`"),
            Self::PlainHttp { .. } => "use https, or a mock on 127.0.0.1".to_owned(),
            Self::TooMuch { part: "path", .. } => {
                "leave the path out: stanch adds `/v1.0` and `/beta` itself".to_owned()
            }
            Self::TooMuch { part, .. } => format!("leave the {part} out"),
        })
    }
}

impl BaseUrl {
    /// Parses the value of a variable.
    ///
    /// # Errors
    /// When it is no address, is plain http off loopback, or has more than scheme, host and port.
    pub fn parse(variable: &str, text: &str) -> Result<Self, EndpointError> {
        let variable = || variable.to_owned();
        let invalid = || EndpointError::NotAnAddress { variable: variable() };
        let too_much = |part| EndpointError::TooMuch { variable: variable(), part };
        // A fragment never reaches the parsed form: it is cut off unseen.
        if text.contains('#') {
            return Err(too_much("fragment"));
        }
        let url: http::Uri = text.trim().parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err(invalid());
        };
        if authority.as_str().contains('@') {
            return Err(too_much("user name"));
        }
        if url.query().is_some() {
            return Err(too_much("query"));
        }
        if !matches!(url.path(), "" | "/") {
            return Err(too_much("path"));
        }
        let host = authority.host();
        let is_loopback = is_loopback(host);
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(EndpointError::PlainHttp { variable: variable(), host: host.to_owned() }),
            _ => return Err(invalid()),
        }
        if host.is_empty() {
            return Err(invalid());
        }
        Ok(Self { text: format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()), is_loopback })
    }

    /// Gives the address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether it is this machine, by the address itself.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Gives Graph's base: `STANCH_GRAPH_URL`, or the cloud's.
///
/// # Errors
/// When the variable is set to what cannot be used.
pub fn graph_base(environment: &Environment, cloud: Cloud) -> Result<BaseUrl, EndpointError> {
    BaseUrl::parse("STANCH_GRAPH_URL", environment.get("STANCH_GRAPH_URL").unwrap_or_else(|| cloud.graph()))
}

/// Gives the sign-in authority: `AZURE_AUTHORITY_HOST`, or the cloud's.
///
/// # Errors
/// When the variable is set to what cannot be used.
pub fn authority_base(environment: &Environment, cloud: Cloud) -> Result<BaseUrl, EndpointError> {
    const HOST: &str = "AZURE_AUTHORITY_HOST";
    BaseUrl::parse(HOST, environment.get(HOST).unwrap_or_else(|| cloud.authority()))
}
