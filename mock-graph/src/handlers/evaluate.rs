//! What-If: which policies would apply to a sign-in. It says nothing of whether they are enforced.
//!
//! | route (v1.0 and beta) | handler | permissions of an application (any one) | refusal |
//! | --- | --- | --- | --- |
//! | POST `/identity/conditionalAccess/evaluate` (a read) | [`evaluate`] | `Policy.Read.ConditionalAccess`, `Policy.Read.All` or `Policy.ReadWrite.ConditionalAccess` | 403 `AccessDenied` |

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{Call, Fail, Reply, Version};
use crate::conditional_access::validation::strip_preview_features;
use crate::conditional_access::{Country, Identity, SignInContext, Target};
use crate::tenant::Tenant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    sign_in_identity: Map<String, Value>,
    sign_in_context: Map<String, Value>,
    #[serde(default)]
    sign_in_conditions: Option<Conditions>,
    #[serde(default)]
    applied_policies_only: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Conditions {
    #[serde(default, rename = "@odata.type")]
    _kind: Option<String>,
    client_app_type: Option<ClientAppType>,
    device_platform: Option<DevicePlatform>,
    country: Option<String>,
    ip_address: Option<String>,
    sign_in_risk_level: Option<RiskLevel>,
    user_risk_level: Option<RiskLevel>,
    service_principal_risk_level: Option<RiskLevel>,
    insider_risk_level: Option<InsiderRiskLevel>,
    authentication_flow: Option<Flow>,
    device_info: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Flow {
    #[serde(default, rename = "@odata.type")]
    _kind: Option<String>,
    transfer_method: Option<TransferMethod>,
}

/// An enumeration of the wire: unknown members are refused, known ones keep their text.
macro_rules! members {
    ($name:ident: $($member:literal),+) => {
        #[derive(Deserialize)]
        #[serde(try_from = "String")]
        struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                if [$($member),+].contains(&text.as_str()) {
                    Ok(Self(text))
                } else {
                    Err(format!("The value '{text}' is not valid for type '{}'.", stringify!($name)))
                }
            }
        }
    };
}

members!(ClientAppType: "all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other");
members!(DevicePlatform: "android", "iOS", "windows", "windowsPhone", "macOS", "linux", "all");
members!(RiskLevel: "low", "medium", "high", "hidden", "none");
members!(InsiderRiskLevel: "none", "minor", "moderate", "elevated");
members!(TransferMethod: "none", "deviceCodeFlow", "authenticationTransfer");

/// Answers a What-If.
///
/// # Errors
/// 400 for a body that cannot be read.
pub fn evaluate(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let question: Question =
        serde_json::from_value(call.body.clone()).map_err(|error| malformed(&error.to_string()))?;
    let identity = identity(tenant, &question.sign_in_identity)?;
    let target = target(&question.sign_in_context)?;
    let mut context = SignInContext::new(identity, target, call.now);
    fill(&mut context, question.sign_in_conditions.unwrap_or_default())?;
    let only_applied = question.applied_policies_only.unwrap_or(false);
    let results: Vec<Value> = crate::conditional_access::evaluate(tenant, &context)
        .into_iter()
        .filter(|evaluation| !only_applied || evaluation.applies())
        .map(|evaluation| {
            let mut result = match call.version {
                Version::V1 => strip_preview_features(evaluation.policy),
                Version::Beta => evaluation.policy.clone(),
            };
            if let Value::Object(result) = &mut result {
                result.insert("policyApplies".to_owned(), evaluation.applies().into());
                result.insert("analysisReasons".to_owned(), evaluation.analysis_reasons().into());
            }
            result
        })
        .collect();
    let version = call.version.as_str();
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/{version}/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)", call.base),
        "value": results,
    })))
}

fn malformed(inner: &str) -> Fail {
    let message = "The server could not process the request because it is malformed or incorrect.";
    Fail::new(400, "BadRequest", message).with_inner(inner)
}

fn text<'a>(object: &'a Map<String, Value>, property: &str) -> &'a str {
    object.get(property).and_then(Value::as_str).unwrap_or_default()
}

fn kind(object: &Map<String, Value>) -> &str {
    text(object, "@odata.type").trim_start_matches('#').trim_start_matches("microsoft.graph.")
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), Fail> {
    let unknown = object.keys().find(|name| !name.contains('@') && !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(malformed(&format!("The property '{name}' does not exist."))))
}

fn identity(tenant: &Tenant, identity: &Map<String, Value>) -> Result<Identity, Fail> {
    let exists = |objects: &[Value], id: &str| {
        objects.iter().any(|object| {
            object.get("id").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(id))
        })
    };
    match kind(identity) {
        "userSignIn" => {
            only(identity, &["userId", "externalTenantId", "externalUserType"])?;
            let id = text(identity, "userId");
            if !exists(&tenant.users, id) {
                return Err(malformed(&format!("User with id '{id}' does not exist in the directory.")));
            }
            Ok(Identity::User(id.to_lowercase()))
        }
        "servicePrincipalSignIn" => {
            only(identity, &["servicePrincipalId"])?;
            let id = text(identity, "servicePrincipalId");
            if !exists(&tenant.service_principals, id) {
                return Err(malformed(&format!(
                    "ServicePrincipal with id '{id}' does not exist in the directory."
                )));
            }
            Ok(Identity::ServicePrincipal(id.to_lowercase()))
        }
        other => Err(malformed(&format!("The type '{other}' of signInIdentity is not known."))),
    }
}

fn target(context: &Map<String, Value>) -> Result<Target, Fail> {
    match kind(context) {
        "applicationContext" => {
            only(context, &["includeApplications"])?;
            let apps =
                context.get("includeApplications").and_then(Value::as_array).filter(|apps| !apps.is_empty());
            let apps =
                apps.ok_or_else(|| malformed("includeApplications needs at least one application."))?;
            let ids: Option<Vec<String>> = apps.iter().map(|app| app.as_str().map(str::to_owned)).collect();
            ids.map(Target::Applications).ok_or_else(|| malformed("includeApplications holds app ids."))
        }
        "userActionContext" => {
            only(context, &["userAction"])?;
            match text(context, "userAction") {
                "registerSecurityInformation" => {
                    Ok(Target::UserAction("urn:user:registersecurityinfo".to_owned()))
                }
                "registerOrJoinDevices" => Ok(Target::UserAction("urn:user:registerdevice".to_owned())),
                other => Err(malformed(&format!("The user action '{other}' is not known."))),
            }
        }
        "authContext" => {
            only(context, &["authenticationContextValue"])?;
            Ok(Target::AuthenticationContext(text(context, "authenticationContextValue").to_owned()))
        }
        other => Err(malformed(&format!("The type '{other}' of signInContext is not known."))),
    }
}

fn fill(context: &mut SignInContext, conditions: Conditions) -> Result<(), Fail> {
    context.ip = conditions
        .ip_address
        .map(|text| text.parse::<IpAddr>().map_err(|_| malformed(&format!("'{text}' is not an IP address."))))
        .transpose()?;
    context.country = conditions.country.map_or(Country::NotGiven, Country::Known);
    context.client_app = conditions.client_app_type.map(|member| member.0);
    context.platform = conditions.device_platform.map(|member| member.0);
    context.sign_in_risk = conditions.sign_in_risk_level.map(|member| member.0);
    context.user_risk = conditions.user_risk_level.map(|member| member.0);
    context.insider_risk = conditions.insider_risk_level.map(|member| member.0);
    context.service_principal_risk = conditions.service_principal_risk_level.map(|member| member.0);
    context.authentication_flow =
        conditions.authentication_flow.and_then(|flow| flow.transfer_method).map(|member| member.0);
    context.device = conditions.device_info;
    Ok(())
}
