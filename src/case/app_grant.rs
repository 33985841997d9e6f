//! What a user lets an app do in their name (identity.md 8.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::look::Look;

/// The app that a grant is for. Texts are its maker's: show them inert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppBrief {
    /// Object id of its service principal in this tenant.
    pub id: String,
    /// App id, the same in every tenant.
    pub app_id: String,
    /// Name.
    pub name: String,
    /// Name of the publisher, as the app says it.
    pub publisher: String,
    /// Name of the publisher, where Microsoft has verified it.
    pub verified_publisher: Option<String>,
    /// The tenant that it is registered in.
    pub owner_tenant: Option<String>,
    /// Whether it may sign in.
    pub enabled: Option<bool>,
    /// When it came to this tenant.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub created_at: Option<Timestamp>,
}

/// The tenants that Microsoft's own apps are registered in.
const MICROSOFT: [&str; 2] = ["f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"];

/// Whether a tenant is one that Microsoft keeps its own apps in.
pub fn is_microsofts_tenant(tenant: &str) -> bool {
    MICROSOFT.iter().any(|own| own.eq_ignore_ascii_case(tenant))
}

impl AppBrief {
    /// Whether it is one of Microsoft's own.
    pub fn is_microsofts(&self) -> bool {
        self.owner_tenant.as_deref().is_some_and(is_microsofts_tenant)
    }
}

/// Who else lets the same app do things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppUse {
    /// Whether it was consented to for everyone.
    pub tenant_wide: bool,
    /// Object ids of the other users who consented.
    pub others: Vec<String>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppGrant {
    /// Id.
    pub id: String,
    /// Object id of the service principal of the app that was let.
    pub client_id: String,
    /// Object id of the service principal of what it was let at: Microsoft Graph, mostly.
    pub resource_id: String,
    /// Whether it is for everyone in the tenant, not for the subject alone.
    pub tenant_wide: bool,
    /// What it may do, each once.
    pub scopes: Vec<String>,
    /// The app.
    pub app: Look<AppBrief>,
    /// Who else uses it.
    pub used_by: Look<AppUse>,
}

impl AppGrant {
    /// The app's name, or its object id where the app could not be read.
    pub fn app_name(&self) -> &str {
        self.app
            .read()
            .map(|app| app.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.client_id)
    }
}
