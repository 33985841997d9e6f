//! What the enabled policies together say to a sign-in: a block wins over everything, then every demand must be met.

use serde_json::{Value, json};

use super::context::{SignInContext, Strength, Target};
use super::evaluation::{Evaluation, evaluate, list};
use crate::tenant::Tenant;

/// What a policy asks for and the sign-in has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing helps.
    Blocked,
    /// A second factor.
    Multifactor,
    /// A compliant device.
    CompliantDevice,
    /// A hybrid joined device.
    JoinedDevice,
    /// A new password.
    PasswordChange,
    /// Tokens bound to the device.
    BoundToken,
    /// To sign in again.
    FreshSignIn,
    /// Something that this sign-in cannot give: an approved app, terms of use, a custom control.
    Other,
}

impl Need {
    /// `status.errorCode` of the sign-in that lacks it.
    #[must_use]
    pub fn error_code(self) -> u32 {
        match self {
            // The code of a token protection block is not published: it is told as a block.
            Self::Blocked | Self::BoundToken | Self::Other => 53003,
            Self::Multifactor => 50076,
            Self::CompliantDevice => 53000,
            Self::JoinedDevice => 53001,
            Self::PasswordChange => 50055,
            Self::FreshSignIn => 70043,
        }
    }
}

/// What comes of the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes through.
    Granted,
    /// A policy stops it.
    Refused {
        /// The policy's display name; `None` for security defaults.
        policy: Option<String>,
        /// What it wants.
        need: Need,
    },
}

/// The outcome, and what each policy had to do with it.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What comes of the sign-in.
    pub outcome: Outcome,
    /// `appliedConditionalAccessPolicies` of the sign-in's row.
    pub applied: Vec<Value>,
}

/// Decides over a sign-in.
#[must_use]
pub fn decide(tenant: &Tenant, context: &SignInContext) -> Verdict {
    let mut refusals: Vec<(Option<String>, Need)> = Vec::new();
    let mut applied = Vec::new();
    for evaluation in evaluate(tenant, context) {
        let needs = if evaluation.applies() { unmet(evaluation.policy, context) } else { Vec::new() };
        let name = text(evaluation.policy, "displayName");
        if text(evaluation.policy, "state") == "enabled" {
            refusals.extend(needs.iter().map(|need| (Some(name.to_owned()), *need)));
        }
        applied.push(describe(&evaluation, &needs, context));
    }
    if tenant.tenant.security_defaults && context.strength < Strength::Multifactor {
        refusals.push((None, Need::Multifactor));
    }
    let blocked = refusals.iter().position(|(_, need)| *need == Need::Blocked).unwrap_or(0);
    let outcome = match refusals.into_iter().nth(blocked) {
        Some((policy, need)) => Outcome::Refused { policy, need },
        None => Outcome::Granted,
    };
    Verdict { outcome, applied }
}

fn text<'a>(value: &'a Value, property: &str) -> &'a str {
    value.get(property).and_then(Value::as_str).unwrap_or_default()
}

/// What an applying policy asks for that the sign-in has not.
fn unmet(policy: &Value, context: &SignInContext) -> Vec<Need> {
    let mut needs = Vec::new();
    if let Some(grant) = policy.get("grantControls").filter(|value| !value.is_null()) {
        needs.extend(unmet_grant(grant, context));
    }
    if let Some(session) = policy.get("sessionControls").filter(|value| !value.is_null()) {
        needs.extend(unmet_session(session, context));
    }
    needs
}

fn unmet_grant(grant: &Value, context: &SignInContext) -> Option<Need> {
    let mut checks: Vec<(Need, bool)> = Vec::new();
    for control in list(grant, "builtInControls") {
        checks.push(match control {
            "block" => return Some(Need::Blocked),
            "mfa" => (Need::Multifactor, context.strength >= Strength::Multifactor),
            "compliantDevice" => (Need::CompliantDevice, context.device_says("isCompliant")),
            "domainJoinedDevice" => (Need::JoinedDevice, is_hybrid_joined(context)),
            "passwordChange" => (Need::PasswordChange, false),
            _ => (Need::Other, false),
        });
    }
    if let Some(strength) = grant.get("authenticationStrength").filter(|value| !value.is_null()) {
        let wanted = match text(strength, "id") {
            "00000000-0000-0000-0000-000000000002" => Strength::Multifactor,
            "00000000-0000-0000-0000-000000000003" => Strength::Passwordless,
            _ => Strength::PhishingResistant,
        };
        checks.push((Need::Multifactor, context.strength >= wanted));
    }
    let demands = |property: &str| list(grant, property).next().is_some();
    if demands("termsOfUse") || demands("customAuthenticationFactors") {
        checks.push((Need::Other, false));
    }
    let enough = if text(grant, "operator") == "AND" {
        checks.iter().all(|(_, met)| *met)
    } else {
        checks.is_empty() || checks.iter().any(|(_, met)| *met)
    };
    if enough { None } else { checks.into_iter().find(|(_, met)| !met).map(|(need, _)| need) }
}

fn is_hybrid_joined(context: &SignInContext) -> bool {
    let trust = context.device.as_ref().and_then(|device| device.get("trustType")).and_then(Value::as_str);
    trust.is_some_and(|trust| trust.eq_ignore_ascii_case("ServerAd"))
}

fn is_on(session: &Value, control: &str) -> bool {
    session.get(control).and_then(|control| control.get("isEnabled")) == Some(&Value::Bool(true))
}

fn unmet_session(session: &Value, context: &SignInContext) -> Vec<Need> {
    let mut needs = Vec::new();
    let native = context.client_app.as_deref() == Some("mobileAppsAndDesktopClients");
    // Browsers do not know bound tokens, and the control leaves them alone.
    if is_on(session, "secureSignInSession") && native && !context.token_bound {
        needs.push(Need::BoundToken);
    }
    if is_on(session, "signInFrequency")
        && let Some(frequency) = session.get("signInFrequency")
        && !is_fresh(frequency, context)
    {
        needs.push(Need::FreshSignIn);
    }
    needs
}

fn is_fresh(frequency: &Value, context: &SignInContext) -> bool {
    // Microsoft asks at most once in five minutes, so that a user is not asked by every window.
    const GRACE: i64 = 5 * 60;
    let age = context.authenticated_at.map_or(i64::MAX, |at| context.now.as_second() - at.as_second());
    if text(frequency, "frequencyInterval") == "everyTime" {
        return age <= GRACE;
    }
    let unit = if text(frequency, "type") == "days" { 24 * 3600 } else { 3600 };
    let value = frequency.get("value").and_then(Value::as_i64).unwrap_or(i64::MAX);
    age <= value.saturating_mul(unit)
}

/// A policy's entry in the sign-in's row.
fn describe(evaluation: &Evaluation<'_>, needs: &[Need], context: &SignInContext) -> Value {
    let policy = evaluation.policy;
    let report_only = text(policy, "state") == "enabledForReportingButNotEnforced";
    // Report-only does not evaluate policies on user actions.
    let unrehearsed = report_only && matches!(context.target, Target::UserAction(_));
    let interrupts = !needs.is_empty()
        && needs
            .iter()
            .all(|need| matches!(need, Need::Multifactor | Need::PasswordChange | Need::FreshSignIn));
    let result = match (text(policy, "state"), evaluation.applies() && !unrehearsed) {
        ("disabled", _) => "notEnabled",
        (_, false) if report_only => "reportOnlyNotApplied",
        (_, false) => "notApplied",
        (_, true) if !report_only && needs.is_empty() => "success",
        (_, true) if !report_only => "failure",
        (_, true) if needs.is_empty() => "reportOnlySuccess",
        (_, true) if interrupts => "reportOnlyInterrupted",
        (_, true) => "reportOnlyFailure",
    };
    let nothing = Value::Null;
    let grant = policy.get("grantControls").unwrap_or(&nothing);
    let session = policy.get("sessionControls").unwrap_or(&nothing);
    let session_controls: Vec<&str> = [
        ("secureSignInSession", "SignInTokenProtection"),
        ("signInFrequency", "SignInFrequency"),
        ("persistentBrowser", "PersistentBrowserSession"),
        ("cloudAppSecurity", "CloudAppSecurity"),
        ("applicationEnforcedRestrictions", "AppEnforcedRestrictions"),
    ]
    .into_iter()
    .filter(|(control, _)| is_on(session, control))
    .map(|(_, name)| name)
    .collect();
    let unsatisfied: Vec<&str> = needs
        .iter()
        .filter_map(|need| match need {
            Need::BoundToken => Some("SignInTokenProtection"),
            Need::FreshSignIn => Some("SignInFrequency"),
            _ => None,
        })
        .collect();
    let applies = evaluation.applies();
    json!({
        "id": policy.get("id"),
        "displayName": policy.get("displayName"),
        "enforcedGrantControls": if applies { list(grant, "builtInControls").map(capitalize).collect() } else { Vec::new() },
        "enforcedSessionControls": if applies { session_controls } else { Vec::new() },
        "sessionControlsNotSatisfied": unsatisfied,
        "result": result,
        "conditionsSatisfied": if applies { "application,users" } else { "none" },
        "conditionsNotSatisfied": if applies { "none".to_owned() } else { evaluation.analysis_reasons() },
    })
}

fn capitalize(control: &str) -> String {
    if control == "compliantDevice" {
        return "RequireCompliantDevice".to_owned();
    }
    if control == "domainJoinedDevice" {
        return "RequireDomainJoinedDevice".to_owned();
    }
    let mut letters = control.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
