//! What users let apps do, and the apps themselves (identity.md 8.1).

use std::collections::BTreeMap;

use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{flag, moment, text, text_if_any};
use crate::case::{AppBrief, AppGrant, AppUse, Look};
use crate::domain::UserId;
use crate::graph::error::GraphError;
use crate::graph::look::look;
use crate::graph::path::{encode, quote, with_query};

const APP: &str = "id,appId,displayName,publisherName,verifiedPublisher,appOwnerOrganizationId,accountEnabled,createdDateTime";

impl Reader {
    /// Reads the grants that a user gave, each with its app and with who else lets it do things. Grants for everyone are
    /// not among a user's own: those of the same apps, and of the apps that are named, come with them (v1.0,
    /// [user](https://learn.microsoft.com/graph/api/user-list-oauth2permissiongrants),
    /// [all](https://learn.microsoft.com/graph/api/oauth2permissiongrant-list)).
    ///
    /// # Errors
    /// When the user's own grants cannot be read; an app that cannot be read is so in its grants.
    pub async fn grants_of(&self, user: &UserId, apps: &[String]) -> Result<Vec<AppGrant>, GraphError> {
        let mut grants = self.grants_by(user).await?;
        let mut clients: BTreeMap<String, (Look<AppBrief>, Look<AppUse>)> = BTreeMap::new();
        let named: Vec<String> =
            grants.iter().map(|own| own.client_id.clone()).chain(apps.iter().cloned()).collect();
        for client in named {
            if clients.contains_key(&client) {
                continue;
            }
            let (app, all) = tokio::join!(self.app(&client), self.grants_to(&client));
            let app = match look(app)? {
                Look::Read(Some(app)) => Look::Read(app),
                Look::Read(None) => Look::Unread { why: "the tenant has no such app".to_owned() },
                Look::Unread { why } => Look::Unread { why },
            };
            let used_by = look(all)?.map(|all| {
                let used_by = AppUse {
                    tenant_wide: all.iter().any(|own| own.0.tenant_wide),
                    others: others(&all, user),
                };
                grants.extend(all.into_iter().map(|own| own.0).filter(|own| own.tenant_wide));
                used_by
            });
            clients.insert(client, (app, used_by));
        }
        for grant in &mut grants {
            if let Some((app, used_by)) = clients.get(&grant.client_id) {
                grant.app.clone_from(app);
                grant.used_by.clone_from(used_by);
            }
        }
        Ok(grants)
    }

    /// Reads the grants that a user gave, without their apps: one request.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn grants_by(&self, user: &UserId) -> Result<Vec<AppGrant>, GraphError> {
        let target = format!("/v1.0/users/{user}/oauth2PermissionGrants");
        parse_all(&target, &self.list(&target, &[]).await?)
    }

    /// Reads a grant that a user gave; `None` where it is gone. The list is read: it is what shows a removal.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn grant_of(&self, user: &UserId, id: &str) -> Result<Option<AppGrant>, GraphError> {
        Ok(self.grants_by(user).await?.into_iter().find(|own| own.id == id))
    }

    /// Reads an app by the object id of its service principal (v1.0,
    /// [servicePrincipal: get](https://learn.microsoft.com/graph/api/serviceprincipal-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn app(&self, id: &str) -> Result<Option<AppBrief>, GraphError> {
        let target = with_query(&format!("/v1.0/servicePrincipals/{}", encode(id)), &[("$select", APP)]);
        Ok(self.object_if_any(&target).await?.map(|row| parse_app(&row)))
    }

    /// Finds an app by its app id (v1.0,
    /// [servicePrincipal: list](https://learn.microsoft.com/graph/api/serviceprincipal-list)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn app_by_app_id(&self, app_id: &str) -> Result<Option<AppBrief>, GraphError> {
        let filter = format!("appId eq {}", quote(app_id));
        let target = with_query("/v1.0/servicePrincipals", &[("$filter", &filter), ("$select", APP)]);
        Ok(self.list(&target, &[]).await?.first().map(parse_app))
    }

    /// Reads who lets an app do things.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn app_use(&self, client: &str, but: &UserId) -> Result<AppUse, GraphError> {
        let all = self.grants_to(client).await?;
        Ok(AppUse { tenant_wide: all.iter().any(|own| own.0.tenant_wide), others: others(&all, but) })
    }

    async fn grants_to(&self, client: &str) -> Result<Vec<(AppGrant, Option<String>)>, GraphError> {
        let filter = format!("clientId eq {}", quote(client));
        let target = with_query("/v1.0/oauth2PermissionGrants", &[("$filter", &filter)]);
        let rows = self.list(&target, &[]).await?;
        let principals = rows.iter().map(|row| text_if_any(row, "/principalId"));
        Ok(parse_all(&target, &rows)?.into_iter().zip(principals).collect())
    }
}

fn others(all: &[(AppGrant, Option<String>)], but: &UserId) -> Vec<String> {
    let mut others: Vec<String> = all
        .iter()
        .filter_map(|own| own.1.clone())
        .filter(|principal| !principal.eq_ignore_ascii_case(but.as_str()))
        .collect();
    others.sort();
    others.dedup();
    others
}

fn parse_all(target: &str, rows: &[Value]) -> Result<Vec<AppGrant>, GraphError> {
    rows.iter()
        .map(|row| parse_grant(row).ok_or_else(|| malformed(target, "a grant without its ids", None)))
        .collect()
}

fn parse_grant(row: &Value) -> Option<AppGrant> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text(row, "/scope").split_whitespace() {
        if scopes.iter().all(|known| known != scope) {
            scopes.push(scope.to_owned());
        }
    }
    let not_asked = "it was not asked for";
    Some(AppGrant {
        id: text_if_any(row, "/id")?,
        client_id: text_if_any(row, "/clientId")?,
        resource_id: text_if_any(row, "/resourceId")?,
        tenant_wide: text(row, "/consentType") == "AllPrincipals",
        scopes,
        app: Look::Unread { why: not_asked.to_owned() },
        used_by: Look::Unread { why: not_asked.to_owned() },
    })
}

fn parse_app(row: &Value) -> AppBrief {
    AppBrief {
        id: text(row, "/id"),
        app_id: text(row, "/appId"),
        name: text(row, "/displayName"),
        publisher: text(row, "/publisherName"),
        verified_publisher: text_if_any(row, "/verifiedPublisher/displayName"),
        owner_tenant: text_if_any(row, "/appOwnerOrganizationId"),
        enabled: flag(row, "/accountEnabled"),
        created_at: moment(row, "/createdDateTime"),
    }
}
