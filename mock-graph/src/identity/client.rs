//! Which app asks, and whether it is the one: by secret, by certificate, by a federated statement, or as a public client.

use jiff::Timestamp;
use serde_json::Value;

use super::assertion::{Assertion, PublicKey, Registered};
use super::form::Asked;
use super::refusal::Refusal;
use crate::tenant::{Application, FederatedCredential, Tenant};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Clocks differ by this much at most, in seconds.
const LEEWAY: i64 = 300;

/// How the app proved itself, as `appidacr` of its tokens says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Not at all.
    Public,
    /// By a secret.
    Secret,
    /// By an assertion.
    Assertion,
}

/// The app that a request names.
pub(super) fn named<'a>(tenant: &'a Tenant, asked: &Asked<'_>) -> Result<&'a Application, Refusal> {
    let by_header = asked.basic();
    let client_id = by_header
        .as_ref()
        .map(|(id, _)| id.as_str())
        .or_else(|| asked.field("client_id"))
        .ok_or_else(|| Refusal::missing("client_id"))?;
    find(tenant, client_id)
}

/// An app by its client id, where it may sign in at all.
pub(super) fn find<'a>(tenant: &'a Tenant, client_id: &str) -> Result<&'a Application, Refusal> {
    let application =
        tenant.applications.iter().find(|own| own.app_id.eq_ignore_ascii_case(client_id)).ok_or_else(
            || {
                Refusal::new(
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
        return Err(Refusal::new(
            400,
            "unauthorized_client",
            7_000_112,
            format!("Application '{client_id}'({}) is disabled.", application.display_name),
        ));
    }
    Ok(application)
}

/// Checks the app's credential.
pub(super) fn prove(application: &Application, asked: &Asked<'_>, now: Timestamp) -> Result<Proof, Refusal> {
    if let Some(text) = asked.field("client_assertion") {
        if asked.field("client_assertion_type") != Some(JWT_BEARER) {
            return Err(Refusal::missing("client_assertion_type"));
        }
        let assertion = Assertion::parse(text)
            .ok_or_else(|| Refusal::invalid_client(50027, "JWT token is invalid or malformed."))?;
        if assertion.text("iss") == application.app_id {
            by_certificate(application, &assertion, asked, now)?;
        } else {
            by_federation(application, &assertion, now)?;
        }
        return Ok(Proof::Assertion);
    }
    let by_header = asked.basic().map(|(_, secret)| secret);
    let Some(secret) = by_header.as_deref().or_else(|| asked.field("client_secret")) else {
        if application.public_client {
            return Ok(Proof::Public);
        }
        return Err(Refusal::invalid_client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    if application.client_secret.as_deref() != Some(secret) {
        return Err(Refusal::invalid_client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                application.app_id
            ),
        ));
    }
    if application.client_secret_expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::invalid_client(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.",
                application.app_id
            ),
        ));
    }
    Ok(Proof::Secret)
}

fn by_certificate(
    application: &Application,
    assertion: &Assertion,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let unsigned = |reason: &str| {
        let print = assertion.thumbprint().unwrap_or("none");
        Refusal::invalid_client(
            700_027,
            format!(
                "Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client: '{print}']"
            ),
        )
    };
    let registered = application.certificate.as_deref().and_then(Registered::read);
    let Some(registered) = registered.filter(|own| assertion.names(own)) else {
        return Err(unsigned("The key was not found."));
    };
    let second = now.as_second();
    if second < registered.valid.0 || second > registered.valid.1 {
        return Err(unsigned("The key used is expired."));
    }
    if !assertion.is_signed_by(&registered.key) {
        return Err(unsigned("The provided signature value did not match the expected signature value."));
    }
    if assertion.audiences() != [asked.token_url()] {
        return Err(Refusal::invalid_client(
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        ));
    }
    if assertion.text("sub") != application.app_id {
        return Err(Refusal::invalid_client(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    if assertion.text("jti").is_empty() {
        return Err(Refusal::invalid_client(50027, "JWT token is invalid or malformed."));
    }
    in_time(assertion, now)
}

fn by_federation(application: &Application, assertion: &Assertion, now: Timestamp) -> Result<(), Refusal> {
    let mismatch = |code: u32, what: &str, value: &str| {
        Refusal::new(
            401,
            "unauthorized_client",
            code,
            format!("No matching federated identity record found for presented assertion {what} '{value}'."),
        )
    };
    let (issuer, subject) = (assertion.text("iss"), assertion.text("sub"));
    let own: Vec<&FederatedCredential> = application.federated_credentials.iter().collect();
    let of_issuer: Vec<_> = own.into_iter().filter(|own| own.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err(mismatch(700_211, "issuer", issuer));
    }
    let of_subject: Vec<_> = of_issuer.into_iter().filter(|own| own.subject == subject).collect();
    if of_subject.is_empty() {
        return Err(mismatch(700_213, "subject", subject));
    }
    let audiences = assertion.audiences();
    let fits = of_subject
        .into_iter()
        .find(|own| audiences.iter().any(|audience| own.audiences.iter().any(|wanted| wanted == audience)));
    let Some(credential) = fits else {
        return Err(mismatch(700_212, "audience", audiences.first().copied().unwrap_or_default()));
    };
    let is_signed = PublicKey::read(&credential.key).is_some_and(|key| assertion.is_signed_by(&key));
    if !is_signed {
        return Err(Refusal::invalid_client(
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key was not found.]",
        ));
    }
    in_time(assertion, now)
}

fn in_time(assertion: &Assertion, now: Timestamp) -> Result<(), Refusal> {
    let second = now.as_second();
    let (begins, ends) =
        (assertion.number("nbf").or_else(|| assertion.number("iat")), assertion.number("exp"));
    let is_good = ends.is_some_and(|ends| second < ends)
        && begins.is_none_or(|begins| begins <= second.saturating_add(LEEWAY));
    if is_good {
        return Ok(());
    }
    let told = |at: Option<i64>| {
        at.and_then(|at| Timestamp::from_second(at).ok())
            .map_or_else(|| "none".to_owned(), |at| at.to_string())
    };
    Err(Refusal::invalid_client(
        700_024,
        format!(
            "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {}, expiry time of assertion {}.",
            told(begins),
            told(ends)
        ),
    ))
}
