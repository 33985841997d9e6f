//! What clients read before they sign in: where everything is, and the keys.

use serde_json::{Value, json};

use super::form::serves_people;
use crate::tenant::Tenant;

/// The `OpenID` configuration of a tenant, or of whatever tenant a person is of.
pub(super) fn openid_configuration(tenant: &Tenant, name: &str, base: &str) -> Option<Value> {
    if !serves_people(tenant, name) {
        return None;
    }
    let is_any = matches!(name.to_lowercase().as_str(), "common" | "organizations");
    let segment = if is_any { name } else { tenant.tenant.id.as_str() };
    let authority = format!("{base}/{segment}");
    // The issuer of a shared authority is a pattern.
    let issuer = if is_any { format!("{base}/{{tenantid}}/v2.0") } else { format!("{authority}/v2.0") };
    Some(json!({
        "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{authority}/discovery/v2.0/keys"),
        "response_modes_supported": ["query"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{authority}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver", "oid"
        ],
        "tenant_region_scope": "NA", "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net", "msgraph_host": host(base),
    }))
}

/// What instance discovery answers: this host is an authority of its own, under no other name.
pub(super) fn instance(tenant: &Tenant, base: &str) -> Value {
    json!({
        "tenant_discovery_endpoint": format!("{base}/{}/v2.0/.well-known/openid-configuration", tenant.tenant.id),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host(base), "preferred_cache": host(base), "aliases": [host(base)]
        }]
    })
}

fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}
