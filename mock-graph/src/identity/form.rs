//! What a request to the identity platform brings: tenant segment, form, and the credential in the header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::refusal::Refusal;
use crate::tenant::Tenant;

/// A request.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The tenant segment of the path.
    pub(super) tenant: &'a str,
    /// The form, decoded.
    pub(super) form: &'a [(String, String)],
    /// The `Authorization` header, for Basic.
    pub(super) authorization: Option<&'a str>,
    /// The address that the request came to.
    pub(super) base: &'a str,
}

impl Asked<'_> {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.field(name).ok_or_else(|| Refusal::missing(name))
    }

    /// Id and secret of a Basic header.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let text = STANDARD.decode(self.authorization?.strip_prefix("Basic ")?).ok()?;
        let text = String::from_utf8(text).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((crate::uri::decode(id), crate::uri::decode(secret)))
    }

    /// The address of the token endpoint as the client spelt it: the audience of its assertions.
    pub(super) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.base, self.tenant)
    }
}

/// Whether a path segment names this tenant: its id, its default domain, or a domain of one of its users.
pub(super) fn serves(tenant: &Tenant, segment: &str) -> bool {
    let domain = |upn: &str| upn.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
    let segment = segment.to_lowercase();
    segment == tenant.tenant.id.to_lowercase()
        || segment == tenant.tenant.default_domain.to_lowercase()
        || tenant
            .users
            .iter()
            .filter_map(|user| user.get("userPrincipalName").and_then(Value::as_str))
            .any(|upn| domain(upn).as_deref() == Some(segment.as_str()))
}

/// The same where people sign in, who are found by their names: no tenant need be named.
pub(super) fn serves_people(tenant: &Tenant, segment: &str) -> bool {
    matches!(segment.to_lowercase().as_str(), "common" | "organizations") || serves(tenant, segment)
}
