//! The token endpoint and what belongs to it: client credentials by secret, real expiry, AADSTS errors
//! (policy-logs-auth.md 8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::Caller;
use crate::keys::Keys;
use crate::tenant::{Application, Tenant};

/// Seconds that an app-only token lives.
pub const LIFETIME: i64 = 3599;
const GRAPH: &str = "https://graph.microsoft.com";

/// Built-in directory roles that an app may hold here, by name: what `wids` lists are template ids.
const ROLE_TEMPLATES: &[(&str, &str)] = &[
    ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10"),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("Privileged Authentication Administrator", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
    ("Authentication Administrator", "c4e39bd9-1100-46d3-8c65-fb160da0071f"),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    ("Password Administrator", "966707d0-3269-4727-9be2-8c3a10f19b9d"),
    ("Security Administrator", "194ae4cb-b126-40b2-bd5b-6091b380977d"),
    ("Conditional Access Administrator", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"),
];

/// The default role of a service principal without any (`wids` is never empty in real tokens).
const NO_ROLE: &str = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";

/// An answer of the endpoint.
#[derive(Debug)]
pub struct TokenAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
}

struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

fn refuse(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Refusal {
    Refusal { status, error, code, text: text.into() }
}

/// What a token request brings, beside its path.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    /// The tenant segment of the path.
    pub tenant: &'a str,
    /// The form, decoded.
    pub form: &'a [(String, String)],
    /// The `Authorization` header, for Basic.
    pub authorization: Option<&'a str>,
    /// The address that the request came to, for `iss`.
    pub base: &'a str,
}

/// Answers a token request. Time is real time: tokens are issued and checked by it.
pub fn answer(
    tenant: &Tenant,
    keys: &Keys,
    request: &TokenRequest<'_>,
    now: Timestamp,
    trace: &str,
) -> TokenAnswer {
    match issue(tenant, keys, request, now) {
        Ok(body) => TokenAnswer { status: 200, body },
        Err(refusal) => {
            let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
            let description = format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}",
                refusal.code, refusal.text
            );
            TokenAnswer {
                status: refusal.status,
                body: json!({
                    "error": refusal.error, "error_description": description, "error_codes": [refusal.code],
                    "timestamp": stamp, "trace_id": trace, "correlation_id": trace,
                    "error_uri": format!("https://login.microsoftonline.com/error?code={}", refusal.code)
                }),
            }
        }
    }
}

fn field<'a>(request: &'a TokenRequest<'_>, name: &str) -> Option<&'a str> {
    request
        .form
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

fn basic(authorization: Option<&str>) -> Option<(String, String)> {
    let text = STANDARD.decode(authorization?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((crate::uri::decode(id), crate::uri::decode(secret)))
}

fn issue(tenant: &Tenant, keys: &Keys, request: &TokenRequest<'_>, now: Timestamp) -> Result<Value, Refusal> {
    if !serves(tenant, request.tenant) {
        return Err(refuse(
            400,
            "invalid_request",
            90002,
            format!(
                "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
                request.tenant
            ),
        ));
    }
    let grant = field(request, "grant_type").ok_or_else(|| {
        refuse(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'grant_type'.",
        )
    })?;
    if grant != "client_credentials" {
        return Err(refuse(
            400,
            "unsupported_grant_type",
            70003,
            format!("The app requested an unsupported grant type '{grant}'."),
        ));
    }
    let by_header = basic(request.authorization);
    let client_id =
        by_header.as_ref().map(|(id, _)| id.as_str()).or_else(|| field(request, "client_id")).ok_or_else(
            || {
                refuse(
                    400,
                    "invalid_request",
                    900_144,
                    "The request body must contain the following parameter: 'client_id'.",
                )
            },
        )?;
    let application =
        tenant.applications.iter().find(|own| own.app_id.eq_ignore_ascii_case(client_id)).ok_or_else(
            || {
                refuse(
                    400,
                    "unauthorized_client",
                    700_016,
                    format!(
                        "Application with identifier '{client_id}' was not found in the directory '{}'.",
                        tenant.tenant.display_name
                    ),
                )
            },
        )?;
    let is_disabled = tenant.service_principals.iter().any(|own| {
        own.get("appId").and_then(Value::as_str) == Some(application.app_id.as_str())
            && own.get("accountEnabled") == Some(&Value::Bool(false))
    });
    if is_disabled {
        return Err(refuse(
            400,
            "unauthorized_client",
            7_000_112,
            format!("Application '{client_id}'({}) is disabled.", application.display_name),
        ));
    }
    let secret =
        by_header.as_ref().map(|(_, secret)| secret.as_str()).or_else(|| field(request, "client_secret"));
    let Some(secret) = secret else {
        return Err(refuse(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    if application.client_secret.as_deref() != Some(secret) {
        return Err(refuse(
            401,
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
            ),
        ));
    }
    check_scope(field(request, "scope"), request.base)?;
    let claims = claims(tenant, application, request.base, now);
    let token = keys.sign(&claims).map_err(|error| refuse(500, "server_error", 90_033, error.to_string()))?;
    Ok(
        json!({ "token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token }),
    )
}

/// Whether a path segment names this tenant: its id, its default domain, or a domain of one of its users.
pub fn serves(tenant: &Tenant, segment: &str) -> bool {
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

fn check_scope(scope: Option<&str>, base: &str) -> Result<(), Refusal> {
    let scope = scope.ok_or_else(|| {
        refuse(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'scope'.",
        )
    })?;
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(refuse(
            400,
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    };
    // The mock's own address stands for Graph's, for clients that derive the scope from the base address.
    let is_graph = resource.eq_ignore_ascii_case(GRAPH)
        || resource.eq_ignore_ascii_case("00000003-0000-0000-c000-000000000000")
        || resource.eq_ignore_ascii_case(base);
    if is_graph {
        Ok(())
    } else {
        Err(refuse(
            400,
            "invalid_resource",
            500_011,
            format!("The resource principal named {resource} was not found in the tenant."),
        ))
    }
}

fn claims(tenant: &Tenant, application: &Application, base: &str, now: Timestamp) -> Value {
    let issued = now.as_second();
    let wids: Vec<&str> = application
        .directory_roles
        .iter()
        .filter_map(|name| ROLE_TEMPLATES.iter().find(|(own, _)| own == name).map(|(_, id)| *id))
        .chain([NO_ROLE])
        .collect();
    json!({
        "aud": GRAPH, "iss": format!("{base}/{}/v2.0", tenant.tenant.id), "iat": issued, "nbf": issued,
        "exp": issued + LIFETIME + 1, "appid": application.app_id, "app_displayname": application.display_name,
        "idtyp": "app", "tid": tenant.tenant.id, "roles": application.roles, "wids": wids, "ver": "1.0",
        "uti": uuid::Uuid::new_v4().simple().to_string(),
    })
}

/// Who a bearer token speaks for, or the text of the 401.
pub fn caller_of(
    tenant: &Tenant,
    keys: &Keys,
    header: Option<&str>,
    now: Timestamp,
) -> Result<Caller, &'static str> {
    let token = header.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
    if token.is_empty() {
        return Err("Access token is empty.");
    }
    let claims = keys.check(token).ok_or("Access token validation failure. Invalid signature.")?;
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    // Five minutes of leeway, as Entra's libraries have.
    if now.as_second() >= number("exp") || now.as_second() < number("nbf") - 300 {
        return Err("Lifetime validation failed, the token is expired.");
    }
    if claims.get("aud").and_then(Value::as_str) != Some(GRAPH) {
        return Err("Access token validation failure. Invalid audience.");
    }
    if claims.get("tid").and_then(Value::as_str) != Some(tenant.tenant.id.as_str()) {
        return Err("Access token validation failure. Invalid tenant.");
    }
    let app_id = claims.get("appid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let roles = claims
        .get("roles")
        .and_then(Value::as_array)
        .map(|roles| roles.iter().filter_map(|role| role.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let directory_roles = tenant
        .applications
        .iter()
        .find(|own| own.app_id == app_id)
        .map(|own| own.directory_roles.clone())
        .unwrap_or_default();
    Ok(Caller { app_id, roles, directory_roles })
}

/// The `OpenID` configuration of a tenant.
pub fn openid_configuration(tenant: &Tenant, base: &str) -> Value {
    let authority = format!("{base}/{}", tenant.tenant.id);
    json!({
        "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": format!("{authority}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{authority}/v2.0"),
        "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
        "tenant_region_scope": "NA", "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": base.trim_start_matches("http://"),
    })
}
