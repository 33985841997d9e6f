//! The tenant itself: its name, its service plans, its domains, the apps that it knows.

use serde_json::Value;

use super::fetch::{Reader, malformed, withheld};
use super::field::{flag, text, text_if_any};
use crate::graph::error::GraphError;
use crate::graph::path::{encode, quote, with_query};
use crate::plan::TenantRef;

impl Reader {
    /// Reads the tenant's id and name (v1.0,
    /// [organization](https://learn.microsoft.com/graph/api/organization-list)).
    ///
    /// # Errors
    /// When the call fails or names none.
    pub async fn organization(&self) -> Result<TenantRef, GraphError> {
        let target = with_query("/v1.0/organization", &[("$select", "id,displayName")]);
        let rows = self.list(&target, &[]).await?;
        let first = rows.first().ok_or_else(|| malformed(&target, "an empty list", None))?;
        Ok(TenantRef {
            id: text(first, "/id")
                .parse()
                .map_err(|_| malformed(&target, "an organization without an id", None))?,
            name: text(first, "/displayName"),
        })
    }

    /// Reads the names of the tenant's service plans that are in force, such as `AAD_PREMIUM` (v1.0,
    /// [subscribedSkus](https://learn.microsoft.com/graph/api/subscribedsku-list)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn service_plans(&self) -> Result<Vec<String>, GraphError> {
        let mut names = Vec::new();
        for sku in self.list("/v1.0/subscribedSkus", &[]).await? {
            // A subscription in its grace period ("Warning") still works.
            let is_in_force = matches!(text(&sku, "/capabilityStatus").as_str(), "Enabled" | "Warning" | "");
            if is_in_force {
                let plans = sku.get("servicePlans").and_then(Value::as_array).into_iter().flatten();
                names.extend(plans.filter_map(|plan| text_if_any(plan, "/servicePlanName")));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Reads the names of the domains that the tenant has proven to be its own, in small letters (v1.0,
    /// [domain: list](https://learn.microsoft.com/graph/api/domain-list)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn own_domains(&self) -> Result<Vec<String>, GraphError> {
        let target = with_query("/v1.0/domains", &[("$select", "id,isVerified")]);
        let rows = self.list(&target, &[]).await?;
        let verified = rows.iter().filter(|row| flag(row, "/isVerified") == Some(true));
        Ok(verified.filter_map(|row| text_if_any(row, "/id")).map(|name| name.to_lowercase()).collect())
    }

    /// Tells whether a domain signs in through a federated provider (v1.0,
    /// [domain: get](https://learn.microsoft.com/graph/api/domain-get)).
    ///
    /// # Errors
    /// When the call fails or does not say.
    pub async fn domain_is_federated(&self, domain: &str) -> Result<bool, GraphError> {
        let path = format!("/v1.0/domains/{}", encode(domain));
        let target = with_query(&path, &[("$select", "id,authenticationType")]);
        let found = self.object(&target).await?;
        match text(&found, "/authenticationType").to_ascii_lowercase().as_str() {
            "managed" => Ok(false),
            "federated" => Ok(true),
            _ => Err(withheld(&target, "authenticationType")),
        }
    }

    /// Tells whether the tenant has a service principal of an app; policies name only apps that have one (v1.0,
    /// [servicePrincipal: list](https://learn.microsoft.com/graph/api/serviceprincipal-list)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn service_principal_exists(&self, app_id: &str) -> Result<bool, GraphError> {
        let filter = format!("appId eq {}", quote(app_id));
        let target = with_query("/v1.0/servicePrincipals", &[("$filter", &filter), ("$select", "id,appId")]);
        self.list(&target, &[]).await.map(|rows| !rows.is_empty())
    }
}
