//! What a person signs in to with `--as-me`: the tenant, and the app whose delegated permissions they use.

use super::credentials::{CredentialError, check_word};
use super::endpoint::{BaseUrl, authority_base};
use super::environment::Environment;
use super::model::Config;

/// What a person signs in to.
#[derive(Debug, Clone)]
pub struct PersonSignIn {
    /// Where tokens come from.
    pub authority: BaseUrl,
    /// The tenant: its id, or one of its domains.
    pub tenant_id: String,
    /// The app's id.
    pub client_id: String,
}

impl PersonSignIn {
    /// Reads it: the app that the settings name for people, or the responder's.
    ///
    /// # Errors
    /// When tenant or app are not named, or cannot be.
    pub fn read(
        environment: &Environment,
        config: &Config,
        tenant: Option<&str>,
    ) -> Result<Self, CredentialError> {
        let needed = |variable: &'static str| {
            environment.get(variable).ok_or(CredentialError::NothingToSignInTo { variable })
        };
        let tenant_id = match tenant {
            Some(tenant) => tenant,
            None => needed("AZURE_TENANT_ID")?,
        };
        let client_id = match &config.operator.client_id {
            Some(client_id) => client_id,
            None => needed("AZURE_CLIENT_ID")?,
        };
        check_word("AZURE_TENANT_ID", tenant_id.trim(), "is neither a tenant's id nor a domain")?;
        check_word("AZURE_CLIENT_ID", client_id.trim(), "is no application's id")?;
        Ok(Self {
            authority: authority_base(environment, config.cloud)?,
            tenant_id: tenant_id.trim().to_owned(),
            client_id: client_id.trim().to_owned(),
        })
    }
}
