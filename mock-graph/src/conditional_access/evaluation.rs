//! Does a policy apply to a sign-in, and if not, why: exclusion wins, and what was not told cannot be evaluated.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::context::{Country, Identity, SignInContext};
use super::device_rule::DeviceRule;
use super::membership::{groups_of, guest_kind, roles_of, text};
use super::target::includes_target;
use crate::tenant::Tenant;

/// Why a policy does not apply, as `analysisReasons` names it. The order is that of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Something the policy asks for was not told.
    NotEnoughInformation,
    /// Not this user.
    Users,
    /// Not this kind of identity.
    WorkloadIdentities,
    /// Not this application.
    Application,
    /// Not this user action.
    UserActions,
    /// Not this authentication context.
    AuthenticationContext,
    /// Not this platform.
    DevicePlatform,
    /// Not this device.
    Devices,
    /// Not this kind of client.
    ClientApps,
    /// Not from here.
    Location,
    /// Not at this sign-in risk.
    SignInRisk,
    /// The policy demands nothing.
    EmptyPolicy,
    /// The policy is off.
    PolicyNotEnabled,
    /// Not at this user risk.
    UserRisk,
    /// Not at this insider risk.
    InsiderRisk,
    /// Not in this authentication flow.
    AuthenticationFlow,
}

impl Reason {
    /// The flag's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotEnoughInformation => "notEnoughInformation",
            Self::Users => "users",
            Self::WorkloadIdentities => "workloadIdentities",
            Self::Application => "application",
            Self::UserActions => "userActions",
            Self::AuthenticationContext => "authenticationContext",
            Self::DevicePlatform => "devicePlatform",
            Self::Devices => "devices",
            Self::ClientApps => "clientApps",
            Self::Location => "location",
            Self::SignInRisk => "signInRisk",
            Self::EmptyPolicy => "emptyPolicy",
            Self::PolicyNotEnabled => "policyNotEnabled",
            Self::UserRisk => "userRisk",
            Self::InsiderRisk => "insiderRisk",
            Self::AuthenticationFlow => "authenticationFlow",
        }
    }
}

/// What one policy says to one sign-in.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// The policy.
    pub policy: &'a Value,
    /// Why it does not apply; empty where it does.
    pub reasons: BTreeSet<Reason>,
}

impl Evaluation<'_> {
    /// Whether the policy applies. A report-only policy does: whether it is enforced is in its `state`.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The flags, comma-joined; `notSet` where the policy applies.
    #[must_use]
    pub fn analysis_reasons(&self) -> String {
        if self.reasons.is_empty() {
            return "notSet".to_owned();
        }
        self.reasons.iter().map(|reason| reason.name()).collect::<Vec<_>>().join(",")
    }
}

/// Evaluates every policy of the tenant, in its order.
#[must_use]
pub fn evaluate<'a>(tenant: &'a Tenant, context: &SignInContext) -> Vec<Evaluation<'a>> {
    let subject = Subject::of(tenant, &context.identity);
    tenant
        .conditional_access_policies
        .iter()
        .map(|policy| Evaluation { policy, reasons: reasons(tenant, policy, context, &subject) })
        .collect()
}

/// The user as policies see it, looked up once.
struct Subject<'a> {
    user: Option<&'a Value>,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl<'a> Subject<'a> {
    fn of(tenant: &'a Tenant, identity: &Identity) -> Self {
        let Identity::User(id) = identity else {
            return Self { user: None, groups: BTreeSet::new(), roles: BTreeSet::new() };
        };
        let groups = groups_of(tenant, id);
        let roles = roles_of(tenant, id, &groups);
        let user = tenant.user(id);
        Self { user, groups, roles }
    }
}

/// Yes, no, or not told.
pub(super) type Answer = Option<bool>;

/// Yes where any answer is; not told where none is and some was not.
pub(super) fn any_of(answers: impl Iterator<Item = Answer>) -> Answer {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

/// In scope where included and not excluded.
pub(super) fn within(included: Answer, excluded: Answer) -> Answer {
    match (included, excluded) {
        (_, Some(true)) | (Some(false), _) => Some(false),
        (Some(true), Some(false)) => Some(true),
        _ => None,
    }
}

fn reasons(
    tenant: &Tenant,
    policy: &Value,
    context: &SignInContext,
    subject: &Subject<'_>,
) -> BTreeSet<Reason> {
    let nothing = Value::Null;
    let conditions = policy.get("conditions").unwrap_or(&nothing);
    let mut reasons = BTreeSet::new();
    let mut note = |answer: Answer, reason: Reason| match answer {
        Some(true) => {}
        Some(false) => {
            reasons.insert(reason);
        }
        None => {
            reasons.insert(Reason::NotEnoughInformation);
        }
    };
    match &context.identity {
        Identity::User(id) => note(includes_user(conditions, id, subject), Reason::Users),
        Identity::ServicePrincipal(id) => {
            note(Some(includes_service_principal(conditions, id)), Reason::WorkloadIdentities);
            let levels: Vec<String> =
                list(conditions, "servicePrincipalRiskLevels").map(str::to_owned).collect();
            note(
                includes_level(&levels, context.service_principal_risk.as_deref()),
                Reason::WorkloadIdentities,
            );
        }
    }
    let (answer, reason) = includes_target(conditions, &context.target);
    note(answer, reason);
    note(includes_platform(conditions, context.platform.as_deref()), Reason::DevicePlatform);
    note(includes_device(conditions, context), Reason::Devices);
    note(includes_client(conditions, context.client_app.as_deref()), Reason::ClientApps);
    note(includes_location(tenant, conditions, context), Reason::Location);
    let levels = |name: &str| list(conditions, name).map(str::to_owned).collect::<Vec<_>>();
    note(includes_level(&levels("signInRiskLevels"), context.sign_in_risk.as_deref()), Reason::SignInRisk);
    note(includes_level(&levels("userRiskLevels"), context.user_risk.as_deref()), Reason::UserRisk);
    note(
        includes_level(&flags(conditions.get("insiderRiskLevels")), context.insider_risk.as_deref()),
        Reason::InsiderRisk,
    );
    let methods = flags(conditions.get("authenticationFlows").and_then(|flows| flows.get("transferMethods")));
    note(includes_level(&methods, context.authentication_flow.as_deref()), Reason::AuthenticationFlow);
    note(Some(text(policy, "state") != Some("disabled")), Reason::PolicyNotEnabled);
    note(Some(!is_empty(policy)), Reason::EmptyPolicy);
    // A condition that fails settles it, whatever else was left out.
    if reasons.len() > 1 {
        reasons.remove(&Reason::NotEnoughInformation);
    }
    reasons
}

fn is_empty(policy: &Value) -> bool {
    ["grantControls", "sessionControls"].iter().all(|name| policy.get(*name).is_none_or(Value::is_null))
}

/// Members of a collection of strings; none where it is null or missing.
pub(super) fn list<'a>(value: &'a Value, property: &str) -> impl Iterator<Item = &'a str> {
    value.get(property).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Members of a comma-joined flags string; `none` is no member.
fn flags(value: Option<&Value>) -> Vec<String> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|flag| !flag.is_empty() && *flag != "none")
        .map(str::to_owned)
        .collect()
}

fn includes_level(wanted: &[String], given: Option<&str>) -> Answer {
    if wanted.is_empty() {
        return Some(true);
    }
    given.map(|given| wanted.iter().any(|level| level.eq_ignore_ascii_case(given)))
}

fn includes_user(conditions: &Value, id: &str, subject: &Subject<'_>) -> Answer {
    let nothing = Value::Null;
    let users = conditions.get("users").unwrap_or(&nothing);
    let kind = subject.user.and_then(guest_kind);
    let named = |property: &str| {
        list(users, property).any(|entry| match entry {
            "All" => true,
            "GuestsOrExternalUsers" => kind.is_some(),
            other => other.eq_ignore_ascii_case(id),
        })
    };
    let grouped = |property: &str| list(users, property).any(|group| subject.groups.contains(group));
    let ranked = |property: &str| list(users, property).any(|role| subject.roles.contains(role));
    let side = |prefix: &str, guests: &str| {
        any_of(
            [
                Some(named(&format!("{prefix}Users"))),
                Some(grouped(&format!("{prefix}Groups"))),
                Some(ranked(&format!("{prefix}Roles"))),
                is_guest(users.get(guests), kind),
            ]
            .into_iter(),
        )
    };
    within(side("include", "includeGuestsOrExternalUsers"), side("exclude", "excludeGuestsOrExternalUsers"))
}

fn is_guest(condition: Option<&Value>, kind: Option<&str>) -> Answer {
    let (Some(condition), Some(kind)) = (condition.filter(|value| !value.is_null()), kind) else {
        return Some(false);
    };
    if !flags(condition.get("guestOrExternalUserTypes")).iter().any(|entry| entry == kind) {
        return Some(false);
    }
    // Which tenant a guest comes from is not in its user object.
    match condition.get("externalTenants").and_then(|tenants| text(tenants, "membershipKind")) {
        Some("enumerated") if kind != "internalGuest" => None,
        _ => Some(true),
    }
}

fn includes_service_principal(conditions: &Value, id: &str) -> bool {
    let nothing = Value::Null;
    let clients = conditions.get("clientApplications").unwrap_or(&nothing);
    let has = |property: &str| {
        list(clients, property)
            .any(|entry| entry == "ServicePrincipalsInMyTenant" || entry.eq_ignore_ascii_case(id))
    };
    has("includeServicePrincipals") && !has("excludeServicePrincipals")
}

fn includes_client(conditions: &Value, given: Option<&str>) -> Answer {
    let mut wanted = list(conditions, "clientAppTypes").peekable();
    if wanted.peek().is_none() {
        return Some(true);
    }
    let wanted: Vec<&str> = wanted.collect();
    if wanted.contains(&"all") || given == Some("all") {
        return Some(true);
    }
    let same = |entry: &str, given: &str| {
        entry == given || (entry == "easSupported" && given == "exchangeActiveSync")
    };
    given.map(|given| wanted.iter().any(|entry| same(entry, given)))
}

fn includes_platform(conditions: &Value, given: Option<&str>) -> Answer {
    let Some(platforms) = conditions.get("platforms").filter(|value| !value.is_null()) else {
        return Some(true);
    };
    let has = |property: &str| {
        any_of(list(platforms, property).map(|entry| match given {
            _ if entry.eq_ignore_ascii_case("all") => Some(true),
            Some(given) => Some(entry.eq_ignore_ascii_case(given)),
            None => None,
        }))
    };
    within(has("includePlatforms"), has("excludePlatforms"))
}

fn includes_device(conditions: &Value, context: &SignInContext) -> Answer {
    let Some(devices) = conditions.get("devices").filter(|value| !value.is_null()) else { return Some(true) };
    let Some(filter) = devices.get("deviceFilter").filter(|value| !value.is_null()) else {
        // What the deprecated device states ask is not modelled.
        let states = ["includeDeviceStates", "excludeDeviceStates", "includeDevices", "excludeDevices"];
        let asks = states.iter().any(|property| list(devices, property).any(|entry| entry != "All"));
        return if asks { None } else { Some(true) };
    };
    let rule = DeviceRule::parse(text(filter, "rule").unwrap_or_default()).ok()?;
    let matches = rule.matches(context.device.as_ref()?)?;
    Some(matches == (text(filter, "mode") != Some("exclude")))
}

fn includes_location(tenant: &Tenant, conditions: &Value, context: &SignInContext) -> Answer {
    let Some(locations) = conditions.get("locations").filter(|value| !value.is_null()) else {
        return Some(true);
    };
    let has = |property: &str| any_of(list(locations, property).map(|entry| is_at(tenant, entry, context)));
    within(has("includeLocations"), has("excludeLocations"))
}

fn is_at(tenant: &Tenant, entry: &str, context: &SignInContext) -> Answer {
    match entry {
        "All" => Some(true),
        "AllTrusted" => {
            let trusted = |location: &&Value| location.get("isTrusted") == Some(&Value::Bool(true));
            any_of(tenant.named_locations.iter().filter(trusted).map(|location| contains(location, context)))
        }
        id => match tenant.named_locations.iter().find(|location| text(location, "id") == Some(id)) {
            Some(location) => contains(location, context),
            // The legacy MFA trusted addresses, or an id that was deleted: nothing is there.
            None => Some(false),
        },
    }
}

fn contains(location: &Value, context: &SignInContext) -> Answer {
    if location.get("ipRanges").is_some() {
        return context.ip.map(|ip| ranges_contain(location, ip));
    }
    let unknown = location.get("includeUnknownCountriesAndRegions") == Some(&Value::Bool(true));
    match &context.country {
        Country::Known(code) => {
            Some(list(location, "countriesAndRegions").any(|entry| entry.eq_ignore_ascii_case(code)))
        }
        Country::Unlocated => Some(unknown),
        Country::NotGiven => None,
    }
}

/// Whether an IP named location holds an address, whatever host bits its ranges carry.
#[must_use]
pub fn ranges_contain(location: &Value, ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let ranges = location.get("ipRanges").and_then(Value::as_array).into_iter().flatten();
    let mut networks = ranges.filter_map(|range| text(range, "cidrAddress")?.parse::<IpNet>().ok());
    networks.any(|network| network.contains(&ip))
}
