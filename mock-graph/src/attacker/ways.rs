//! The ways in, one function each.

use serde_json::Value;

use super::holdings::{is_passwordless, is_phishing_resistant, is_second_factor, resets_passwords, text};
use super::scene::{Admission, Approach, BROWSER, Closed, GRAPH, NATIVE, Scene, blank_device};
use crate::conditional_access::{Strength, Target, evaluate};
use crate::odata::parse_time;
use crate::sign_in::{Place, SignIn};
use crate::tenant::SessionClass;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    RefreshToken,
    PasswordWithMethod,
    Passwordless,
    PasswordAlone,
    SelfServiceReset,
    RegisterMethod,
    AppConsent,
    RegisteredDevice,
    InboxRule,
}

/// What came of one way: closed by something, and the row it leaves, where something signed in.
pub(super) struct Attempted {
    pub(super) closed: Option<Closed>,
    pub(super) sign_in: Option<SignIn>,
}

const OFFICE: (&str, &str) = ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office");
const SIGN_INS: (&str, &str) = ("19db86c3-b2b9-44cc-b339-36da233a3be2", "My Signins");
const REGISTER: &str = "urn:user:registersecurityinfo";
const CLAIM: (&str, &str) = ("Previously satisfied", "MFA requirement satisfied by claim in the token");
const PASSWORD: (&str, &str) = ("Password", "Correct password");
const PUSH: (&str, &str) = ("Mobile app notification", "MFA completed in Azure AD");

impl Way {
    pub(super) const ALL: [Self; 9] = [
        Self::RefreshToken,
        Self::PasswordWithMethod,
        Self::Passwordless,
        Self::PasswordAlone,
        Self::SelfServiceReset,
        Self::RegisterMethod,
        Self::AppConsent,
        Self::RegisteredDevice,
        Self::InboxRule,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::PasswordWithMethod => "password_with_method",
            Self::Passwordless => "passwordless",
            Self::PasswordAlone => "password_alone",
            Self::SelfServiceReset => "self_service_reset",
            Self::RegisterMethod => "register_method",
            Self::AppConsent => "app_consent",
            Self::RegisteredDevice => "registered_device",
            Self::InboxRule => "inbox_rule",
        }
    }

    /// Whether the attacker holds what the way needs, or held it at the start.
    pub(super) fn is_held(self, scene: &Scene<'_>) -> bool {
        let attacker = scene.attacker;
        match self {
            Self::RefreshToken => attacker.refresh_token_issued_at.is_some(),
            Self::PasswordWithMethod => attacker.knows_password && !attacker.method_ids.is_empty(),
            Self::Passwordless => !scene.held.passwordless.is_empty(),
            Self::PasswordAlone => attacker.knows_password,
            Self::SelfServiceReset => !scene.held.self_service.is_empty(),
            Self::RegisterMethod => {
                [Self::RefreshToken, Self::PasswordAlone, Self::Passwordless, Self::RegisteredDevice]
                    .iter()
                    .any(|way| way.is_held(scene))
            }
            Self::AppConsent => !attacker.grant_ids.is_empty(),
            Self::RegisteredDevice => attacker.device_id.is_some(),
            Self::InboxRule => !attacker.rule_ids.is_empty(),
        }
    }

    pub(super) fn attempt(self, scene: &Scene<'_>, place: &Place) -> Attempted {
        match self {
            Self::RefreshToken => refresh(scene, place),
            Self::PasswordWithMethod => sign_in_with_method(scene, place),
            Self::Passwordless => sign_in_without_password(scene, place),
            Self::PasswordAlone => sign_in_with_password(scene, place),
            Self::SelfServiceReset => reset_password(scene, place),
            Self::RegisterMethod => register(scene, place),
            Self::AppConsent => use_consent(scene, place),
            Self::RegisteredDevice => use_device(scene, place),
            Self::InboxRule => leave_it_to_the_rule(scene),
        }
    }
}

/// A sign-in whose ending is told by what closed it, or by Conditional Access.
fn conclude(result: Result<Admission, Closed>, mut sign_in: SignIn) -> Attempted {
    let (closed, policies) = match result {
        Ok(admission) => {
            admission.client_app.clone_into(&mut sign_in.client_app);
            (admission.closed, Some(admission.policies))
        }
        Err(closed) => (Some(closed), None),
    };
    sign_in.error_code = closed.as_ref().map_or(0, |closed| closed.code.unwrap_or(0));
    sign_in.policies = policies;
    Attempted { closed, sign_in: Some(sign_in) }
}

fn owned(pair: (&str, &str)) -> (String, String) {
    (pair.0.to_owned(), pair.1.to_owned())
}

fn interactive(steps: &[(&'static str, &'static str)]) -> SignIn {
    SignIn {
        client: owned(OFFICE),
        resource: owned(GRAPH),
        client_app: NATIVE.to_owned(),
        is_interactive: true,
        incoming_token: "none",
        session_id: None,
        steps: steps.to_vec(),
        error_code: 0,
        policies: None,
    }
}

fn silent(scene: &Scene<'_>, token: &'static str) -> SignIn {
    let session_id = scene.attacker.session_id.clone();
    SignIn { is_interactive: false, incoming_token: token, session_id, ..interactive(&[CLAIM]) }
}

/// The kind of client that the stolen session belongs to, which a refresh cannot change: as its latest row says.
fn session_client(scene: &Scene<'_>) -> &'static str {
    let Some(session) = scene.attacker.session_id.as_deref() else { return NATIVE };
    let rows = scene.tenant.sign_ins.iter().filter(|row| text(row, "sessionId") == session);
    match rows.max_by_key(|row| parse_time(text(row, "createdDateTime"))) {
        Some(row) if text(row, "clientAppUsed") == "Browser" => BROWSER,
        _ => NATIVE,
    }
}

/// A stolen token is bound to nothing, and carries the claim that MFA was done.
fn stolen_session(scene: &Scene<'_>) -> Result<Approach, Closed> {
    let issued =
        scene.attacker.refresh_token_issued_at.ok_or_else(|| Closed::new("no session held", 50173))?;
    scene.account()?;
    scene.token(issued, scene.attacker.session == SessionClass::Password)?;
    Ok(Approach {
        client_app: session_client(scene),
        strength: Strength::Multifactor,
        authenticated_at: Some(issued),
        device: scene.device(),
        token_bound: false,
    })
}

fn refresh(scene: &Scene<'_>, place: &Place) -> Attempted {
    let result = stolen_session(scene).map(|approach| scene.admit(place, &approach));
    conclude(result, silent(scene, "refreshToken"))
}

fn sign_in_with_method(scene: &Scene<'_>, place: &Place) -> Attempted {
    let mut steps = vec![PASSWORD];
    let result = scene.account().and_then(|_| scene.password()).and_then(|()| {
        let method = scene.second_factor()?;
        steps.push(PUSH);
        let strength =
            if is_phishing_resistant(method) { Strength::PhishingResistant } else { Strength::Multifactor };
        Ok(scene.admit_by_any_client(place, &scene.fresh(strength)))
    });
    conclude(result, interactive(&steps))
}

fn passwordless(scene: &Scene<'_>) -> Result<Approach, Closed> {
    scene.account()?;
    let own = scene.own(is_passwordless);
    let method = own.first().ok_or_else(|| Closed::new("method removed", 50126))?;
    let strength =
        if is_phishing_resistant(method) { Strength::PhishingResistant } else { Strength::Passwordless };
    Ok(scene.fresh(strength))
}

fn sign_in_without_password(scene: &Scene<'_>, place: &Place) -> Attempted {
    let result = passwordless(scene).map(|approach| scene.admit_by_any_client(place, &approach));
    conclude(result, interactive(&[("Passwordless phone sign-in", "MFA completed in Azure AD"), PUSH]))
}

fn sign_in_with_password(scene: &Scene<'_>, place: &Place) -> Attempted {
    let result = scene.account().and_then(|_| scene.password()).map(|()| {
        let mut admission = scene.admit_by_any_client(place, &scene.fresh(Strength::SingleFactor));
        if let Some(closed) = &mut admission.closed
            && closed.code == Some(50076)
            && !scene.registered().iter().any(is_second_factor)
        {
            closed.code = Some(50079);
        }
        admission
    });
    conclude(result, interactive(&[PASSWORD]))
}

/// Self-service reset by the attacker's own methods, then a sign-in with the new password. The reset page asks no
/// Conditional Access; the sign-in does.
fn reset_password(scene: &Scene<'_>, place: &Place) -> Attempted {
    let allowed = || -> Result<(), Closed> {
        scene.account()?;
        if !scene.tenant.tenant.self_service_password_reset {
            return Err(Closed::silent("self-service reset off"));
        }
        // Administrators are always asked for two methods.
        let wanted = if is_administrator(scene) { 2 } else { 1 };
        let own = scene.own(resets_passwords).len();
        match own {
            0 => Err(Closed::silent("method removed")),
            some if some < wanted => Err(Closed::silent("administrators need two methods to reset")),
            _ => Ok(()),
        }
    };
    if let Err(closed) = allowed() {
        return Attempted { closed: Some(closed), sign_in: None };
    }
    let has_factor = scene.second_factor().is_ok();
    let strength = if has_factor { Strength::Multifactor } else { Strength::SingleFactor };
    let steps: &[_] = if has_factor { &[PASSWORD, PUSH] } else { &[PASSWORD] };
    conclude(Ok(scene.admit_by_any_client(place, &scene.fresh(strength))), interactive(steps))
}

fn is_administrator(scene: &Scene<'_>) -> bool {
    scene.tenant.role_assignments.iter().any(|role| text(role, "principalId") == scene.attacker.user_id)
}

/// Something that may sign in, short of Conditional Access.
type Entry = fn(&Scene<'_>) -> Result<Approach, Closed>;

/// Registers one more method, by whatever still signs in: the session, the device, a method, or the password alone
/// where the account has no second factor yet (the next sign-in then offers to register one).
fn register(scene: &Scene<'_>, place: &Place) -> Attempted {
    let mut first_refusal: Option<Closed> = None;
    let mut refuse = |closed: Closed| {
        first_refusal.get_or_insert(closed);
    };
    let entries: [(Entry, Way); 5] = [
        (stolen_session, Way::RefreshToken),
        (device_session, Way::RegisteredDevice),
        (with_method, Way::PasswordWithMethod),
        (passwordless, Way::Passwordless),
        (without_factor, Way::PasswordAlone),
    ];
    for (enter, _) in entries.into_iter().filter(|(_, way)| way.is_held(scene)) {
        let approach = match enter(scene) {
            Ok(approach) => Approach { client_app: BROWSER, ..approach },
            Err(closed) => {
                refuse(closed);
                continue;
            }
        };
        let target = Target::UserAction(REGISTER.to_owned());
        let first = approach.strength == Strength::SingleFactor;
        // Whoever has no second factor is let through to register one, unless registering itself asks for one.
        let asked = Approach { strength: approach.strength.max(Strength::Multifactor), ..approach.clone() };
        let mut admission = scene.ask(place, &asked, target.clone());
        if first && admission.closed.is_none() {
            admission.closed = factor_for_registration(scene, place, &approach, target);
        }
        if let Some(closed) = admission.closed {
            refuse(closed);
            continue;
        }
        let sign_in = SignIn { client: owned(SIGN_INS), ..interactive(&[CLAIM]) };
        return conclude(Ok(admission), sign_in);
    }
    let closed = first_refusal.unwrap_or_else(|| Closed::silent("nothing signs in"));
    Attempted { closed: Some(closed), sign_in: None }
}

fn with_method(scene: &Scene<'_>) -> Result<Approach, Closed> {
    scene.account()?;
    scene.password()?;
    scene.second_factor()?;
    Ok(scene.fresh(Strength::Multifactor))
}

fn without_factor(scene: &Scene<'_>) -> Result<Approach, Closed> {
    scene.account()?;
    scene.password()?;
    if scene.registered().iter().any(is_second_factor) {
        // The user's own factor is asked for, and the attacker has not got it.
        return Err(Closed::new("second factor of the user", 50074));
    }
    Ok(scene.fresh(Strength::SingleFactor))
}

fn factor_for_registration(
    scene: &Scene<'_>,
    place: &Place,
    approach: &Approach,
    target: Target,
) -> Option<Closed> {
    let context = scene.context(place, approach, target);
    let asks = evaluate(scene.tenant, &context).into_iter().find(|evaluation| {
        let named = evaluation.policy.pointer("/conditions/applications/includeUserActions");
        let controls = evaluation.policy.pointer("/grantControls/builtInControls").and_then(Value::as_array);
        let strength = evaluation.policy.pointer("/grantControls/authenticationStrength");
        evaluation.applies()
            && text(evaluation.policy, "state") == "enabled"
            && named.and_then(Value::as_array).is_some_and(|actions| !actions.is_empty())
            && (controls.is_some_and(|controls| controls.contains(&"mfa".into()))
                || strength.is_some_and(|strength| !strength.is_null()))
    });
    asks.map(|evaluation| Closed::new(format!("policy {}", text(evaluation.policy, "displayName")), 50076))
}

/// A consented app goes on by its own refresh token, and gets a new one wherever a live sign-in is left to ask with.
/// Graph does not tell when a grant was made: its `startTime` counts, else the stolen token's issue.
fn use_consent(scene: &Scene<'_>, place: &Place) -> Attempted {
    let grant = scene
        .tenant
        .oauth2_permission_grants
        .iter()
        .find(|grant| scene.attacker.grant_ids.iter().any(|id| id == text(grant, "id")));
    let app = grant.and_then(|grant| {
        let id = text(grant, "clientId");
        scene.tenant.service_principals.iter().find(|app| text(app, "id") == id)
    });
    let check = || -> Result<Admission, Closed> {
        scene.account()?;
        let grant = grant.ok_or_else(|| Closed::new("grant removed", 65001))?;
        let app = app.ok_or_else(|| Closed::new("application deleted", 700_016))?;
        if app.get("accountEnabled") == Some(&Value::Bool(false)) {
            return Err(Closed::new("application disabled", 7_000_112));
        }
        let issued = parse_time(text(grant, "startTime"))
            .filter(|start| start.as_second() > 0)
            .or(scene.attacker.refresh_token_issued_at)
            .or_else(|| parse_time(text(app, "createdDateTime")));
        let alive = issued.map_or(Ok(()), |issued| scene.token(issued, false));
        let approach = Approach {
            client_app: BROWSER,
            strength: Strength::Multifactor,
            authenticated_at: issued,
            device: blank_device(),
            token_bound: false,
        };
        match alive {
            Ok(()) => Ok(scene.admit(place, &approach)),
            Err(closed) => [refresh, sign_in_with_method, sign_in_without_password, sign_in_with_password]
                .into_iter()
                .zip([Way::RefreshToken, Way::PasswordWithMethod, Way::Passwordless, Way::PasswordAlone])
                .filter(|(_, way)| way.is_held(scene))
                .find(|(sign_in, _)| sign_in(scene, place).closed.is_none())
                .map(|_| scene.admit(place, &Approach { authenticated_at: Some(scene.now), ..approach }))
                .ok_or(closed),
        }
    };
    let mut sign_in = silent(scene, "refreshToken");
    sign_in.session_id = None;
    if let Some(app) = app {
        sign_in.client = (text(app, "appId").to_owned(), text(app, "displayName").to_owned());
    }
    conclude(check(), sign_in)
}

/// The device's primary refresh token: a session that is bound to the device and carries its state.
fn device_session(scene: &Scene<'_>) -> Result<Approach, Closed> {
    scene.account()?;
    let id = scene.attacker.device_id.as_deref().unwrap_or_default();
    let device = scene.tenant.devices.iter().find(|device| text(device, "id") == id);
    let device = device.ok_or_else(|| Closed::new("device removed", 50097))?;
    if device.get("accountEnabled") == Some(&Value::Bool(false)) {
        return Err(Closed::new("device disabled", 50097));
    }
    let registered = parse_time(text(device, "registrationDateTime"));
    let issued = registered.max(scene.attacker.refresh_token_issued_at);
    if let Some(issued) = issued {
        scene.token(issued, scene.attacker.session == SessionClass::Password)?;
    }
    let mut seen = blank_device();
    for (name, value) in &mut seen {
        *value = device.get(name).cloned().unwrap_or_default();
    }
    Ok(Approach {
        client_app: NATIVE,
        strength: Strength::Multifactor,
        authenticated_at: issued,
        device: seen,
        token_bound: true,
    })
}

fn use_device(scene: &Scene<'_>, place: &Place) -> Attempted {
    let result = device_session(scene).map(|approach| scene.admit(place, &approach));
    let sign_in = SignIn { session_id: None, ..silent(scene, "primaryRefreshToken") };
    conclude(result, sign_in)
}

/// Nothing signs in: the mailbox itself sends mail on, for a disabled account as well.
fn leave_it_to_the_rule(scene: &Scene<'_>) -> Attempted {
    let rules = scene.tenant.message_rules.get(&scene.attacker.user_id).map_or(&[][..], Vec::as_slice);
    let own: Vec<&Value> =
        rules.iter().filter(|rule| scene.attacker.rule_ids.iter().any(|id| id == text(rule, "id"))).collect();
    let enabled = own.iter().any(|rule| rule.get("isEnabled") != Some(&Value::Bool(false)));
    let closed = match (scene.user, own.is_empty(), enabled) {
        (None, ..) => Some(Closed::silent("account deleted")),
        (_, true, _) => Some(Closed::silent("rule removed")),
        (_, _, false) => Some(Closed::silent("rule disabled")),
        _ => None,
    };
    Attempted { closed, sign_in: None }
}
