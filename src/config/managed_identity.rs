//! Where a managed identity's tokens come from: the endpoint of App Service and its kin, or of the virtual machine
//! (policy-logs-auth.md 8.4 follows Microsoft's "How to use managed identities to get an access token").

use http::Uri;
use secrecy::SecretString;

use super::credentials::CredentialError;
use super::environment::Environment;
use crate::domain::net::is_nearby;

/// The instance metadata service of a virtual machine.
const METADATA_SERVICE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// A managed identity.
#[derive(Debug, Clone)]
pub struct ManagedIdentity {
    /// Where its tokens are asked for: an address with its path.
    pub endpoint: String,
    /// What App Service wants to see; none: it is a virtual machine's metadata service.
    pub header: Option<SecretString>,
    /// The client id of a user-assigned identity; none: the system-assigned one.
    pub client_id: Option<String>,
}

impl ManagedIdentity {
    /// Finds out where this program runs. `text` is what the variable holds: `true`, and nothing else.
    pub(super) fn read(
        variable: &str,
        text: &str,
        client_id: Option<&str>,
        environment: &Environment,
    ) -> Result<Self, CredentialError> {
        if text != "true" {
            let why = "says neither `true` nor nothing";
            return Err(CredentialError::Malformed { variable: variable.to_owned(), why });
        }
        let client_id = client_id.map(str::to_owned);
        let (Some(endpoint), Some(header)) =
            (environment.get("IDENTITY_ENDPOINT"), environment.get("IDENTITY_HEADER"))
        else {
            return Ok(Self { endpoint: METADATA_SERVICE.to_owned(), header: None, client_id });
        };
        // Whoever could name another machine here would be sent the header and believed a token.
        let is_near = endpoint.parse::<Uri>().is_ok_and(|address| {
            address.scheme_str() == Some("http") && address.host().is_some_and(is_nearby)
        });
        if !is_near {
            let why = "is no address of this machine";
            return Err(CredentialError::Malformed { variable: "IDENTITY_ENDPOINT".to_owned(), why });
        }
        Ok(Self { endpoint: endpoint.to_owned(), header: Some(SecretString::from(header)), client_id })
    }
}
