//! How the intruder came in and why nothing stopped it, as far as the evidence carries. What is not known is said to be.

use jiff::SignedDuration;

use super::compose::IncidentInputs;
use super::controls::{Control, ControlKind};
use super::document::{Basis, Statement};
use super::evidence::{Access, FirstSignIn};
use super::findings::Findings;
use crate::case::{IndicatorKind, Look, PersistenceKind};
use crate::domain::shown;

/// Where nothing speaks of an intruder because the log was not read.
const NOT_KNOWN: &str = "Not known: the sign-in log was not read.";

fn say(basis: Basis, says: impl Into<String>, facts: Vec<String>) -> Statement {
    Statement { says: says.into(), basis, facts }
}

/// How the intruder came in.
pub(super) fn initial_access(findings: &Findings) -> Vec<Statement> {
    if let Some(why) = findings.not_known() {
        return vec![say(Basis::Unknown, NOT_KNOWN, vec![why.to_owned()])];
    }
    if !findings.has_intruder {
        let says = "No access of an intruder's is certain by what was read.";
        return vec![say(Basis::Unknown, says, Vec::new())];
    }
    let access = match &findings.access {
        Look::Read(access) => access,
        Look::Unread { why } => {
            let says = "How the intruder came in is not known: the sign-in log is not part of what is kept.";
            let mut all = vec![say(Basis::Unknown, says, vec![why.clone()])];
            all.extend(findings.first_access().map(|at| {
                say(Basis::Shown, format!("The first access that is known of was {}.", shown(at)), Vec::new())
            }));
            return all;
        }
    };
    let mut all = Vec::new();
    if let Some(first) = &access.first {
        all.push(say(Basis::Shown, "The first sign-in of the intruder's in the log.", first_facts(first)));
    }
    all.extend(by_what(access));
    all.extend(by_app(findings));
    all.push(say(
        Basis::Unknown,
        "How the intruder came by it is in none of these logs.",
        vec![
            "ask the user about mails, links, QR codes and device codes before the first access".to_owned(),
            "look at the user's devices for programs that take tokens".to_owned(),
        ],
    ));
    all
}

fn first_facts(first: &FirstSignIn) -> Vec<String> {
    let mut facts = vec![format!("{}, from {}, {}", shown(first.at), first.address, first.place)];
    let mut add = |label: &str, text: &str| {
        if !text.is_empty() {
            facts.push(format!("{label}: {text}"));
        }
    };
    add("let in at", &first.targets.join(", "));
    add("user agent", &first.user_agent);
    add("second factor, in the log's words", &first.second_factor);
    add("session", first.session.as_deref().unwrap_or_default());
    facts
}

/// An app that was let in acts in the user's name without signing in.
fn by_app(findings: &Findings) -> Option<Statement> {
    let facts: Vec<String> = findings
        .theirs(PersistenceKind::Consent)
        .into_iter()
        .map(|own| format!("\"{}\": {}", own.name, own.reasons.join("; ")))
        .collect();
    let says =
        "An app of the intruder's was let in: it acts in the user's name without signing in as the user.";
    (!facts.is_empty()).then(|| say(Basis::Shown, says, facts))
}

/// By what the intruder came in, judged by all their sign-ins.
fn by_what(access: &Access) -> Option<Statement> {
    let count = format!("{} sign-ins of the intruder's went through", access.sign_ins);
    if access.sign_ins == 0 {
        return None;
    }
    if !access.handed_on.is_empty() {
        let says = "The sign-in was handed on to the intruder's device: the user completed it for them.";
        let facts = vec![format!("the log names the way: {}", access.handed_on.join(", ")), count];
        return Some(say(Basis::Shown, says, facts));
    }
    if access.by_claim > 0 && access.fresh == 0 {
        let says = "The intruder held a stolen session: the second factor was satisfied by a claim in the token that was \
                    brought along, and nobody was asked for one.";
        let mut facts =
            vec![count, format!("at {} of them the claim stood for the second factor", access.by_claim)];
        facts.extend(begins_late(access));
        return Some(say(by_log(access), says, facts));
    }
    if access.fresh > 0 {
        let says = "A second factor was given for the intruder: through a page that passes it on, by the user's own hand, or \
                    by a method of the intruder's.";
        let facts =
            vec![count, format!("at {} of them a second factor was given then and there", access.fresh)];
        return Some(say(Basis::Inferred, says, facts));
    }
    if access.not_asked > 0 {
        let says = "The password was enough: no second factor was asked for.";
        let facts = vec![count, format!("at {} of them none was asked for", access.not_asked)];
        return Some(say(Basis::Inferred, says, facts));
    }
    Some(say(Basis::Unknown, "The log does not say how the second factor was satisfied.", vec![count]))
}

/// What the log says of the beginning holds only where it reaches back before it.
fn by_log(access: &Access) -> Basis {
    if access.reaches_back { Basis::Shown } else { Basis::Inferred }
}

fn begins_late(access: &Access) -> Option<String> {
    (!access.reaches_back).then(|| {
        "the log holds nothing from before the first of them: a second factor may have been given earlier"
            .to_owned()
    })
}

/// Why nothing stopped it.
pub(super) fn root_cause(inputs: &IncidentInputs<'_>, findings: &Findings) -> Vec<Statement> {
    if let Some(why) = findings.not_known() {
        return vec![say(Basis::Unknown, NOT_KNOWN, vec![why.to_owned()])];
    }
    if !findings.has_intruder {
        let says = "There is no incident to explain: no intruder is certain by what was read.";
        return vec![say(Basis::Unknown, says, Vec::new())];
    }
    let mut all = Vec::new();
    all.extend(findings.access.read().and_then(|access| second_factor(access, &findings.controls)));
    all.extend(never_asked_again(findings));
    all.extend(lasting(findings));
    all.extend(device(findings));
    all.extend(blocklist(inputs, findings));
    if let Look::Unread { why } = &findings.controls {
        let says = "Which policies stood in the way was not read.";
        all.push(say(Basis::Unknown, says, vec![why.clone()]));
    }
    let says = "How the session or the credential was stolen cannot be told from what Graph shows.";
    all.push(say(Basis::Unknown, says, Vec::new()));
    all
}

/// Enabled policies of a kind: those that are for the user, and those that may be.
struct Enforced<'a> {
    certain: Vec<&'a Control>,
    possible: Vec<&'a Control>,
}

impl Enforced<'_> {
    /// Whether it is certain that there is none.
    fn is_none(&self) -> bool {
        self.certain.is_empty() && self.possible.is_empty()
    }

    /// Whether there may be one, and none is certain.
    fn is_open(&self) -> bool {
        self.certain.is_empty() && !self.possible.is_empty()
    }

    /// In words.
    fn facts(&self, none: &str, some: impl FnOnce(String) -> String) -> Vec<String> {
        if self.is_none() {
            return vec![none.to_owned()];
        }
        let certain = (!self.certain.is_empty()).then(|| some(names(&self.certain)));
        let possible = (!self.possible.is_empty()).then(|| {
            format!(
                "may apply, by a group, a role or a condition that was not looked at: {}",
                names(&self.possible)
            )
        });
        certain.into_iter().chain(possible).collect()
    }
}

fn enforced(controls: &Look<Vec<Control>>, kind: ControlKind) -> Option<Enforced<'_>> {
    let of_kind = || controls.read().map(|all| all.iter().filter(move |own| own.kind == kind));
    Some(Enforced {
        certain: of_kind()?.filter(|own| own.is_enforced()).collect(),
        possible: of_kind()?.filter(|own| own.may_be_enforced()).collect(),
    })
}

fn names(controls: &[&Control]) -> String {
    controls.iter().map(|own| format!("`{}`", own.policy)).collect::<Vec<_>>().join(", ")
}

fn second_factor(access: &Access, controls: &Look<Vec<Control>>) -> Option<Statement> {
    // Where one was given then and there, the claim comes from that.
    if access.by_claim == 0 || access.fresh > 0 {
        return None;
    }
    let mut facts = vec![format!(
        "{} of {} sign-ins of the intruder's: \"MFA requirement satisfied by claim in the token\"",
        access.by_claim, access.sign_ins
    )];
    facts.extend(begins_late(access));
    let asking = enforced(controls, ControlKind::SecondFactor);
    if let Some(asking) = &asking {
        let none = "no enabled policy asks this user for a second factor";
        facts.extend(asking.facts(none, |names| format!("enabled policies that ask for it: {names}")));
    }
    let says = if asking.as_ref().is_some_and(|own| !own.certain.is_empty()) {
        "A policy that asks for a second factor was satisfied: the stolen token already carried the claim (\"previously \
         satisfied\")."
    } else {
        "Nobody was asked for a second factor: the stolen token already carried the claim (\"previously satisfied\")."
    };
    let basis = if asking.is_some_and(|own| own.is_open()) { Basis::Inferred } else { by_log(access) };
    Some(say(basis, says, facts))
}

/// A session that is used for longer than this is one that nothing ends.
const LONG: SignedDuration = SignedDuration::from_hours(24);

fn never_asked_again(findings: &Findings) -> Option<Statement> {
    let asking = enforced(&findings.controls, ControlKind::SignInFrequency)?;
    let mut facts: Vec<String> = findings
        .certain(IndicatorKind::Session)
        .filter_map(|own| {
            let (first, last) = (own.first_seen?, own.last_seen?);
            (last.duration_since(first) > LONG)
                .then(|| format!("session {} was used from {} to {}", own.value, shown(first), shown(last)))
        })
        .collect();
    if facts.is_empty() {
        return None;
    }
    let none = "no enabled policy sets a sign-in frequency for this user";
    facts.extend(asking.facts(none, |names| format!("policies that set a sign-in frequency: {names}")));
    if asking.is_none() {
        let says = "Nothing asked again: the session is persistent, and no policy ends it after a while.";
        return Some(say(Basis::Shown, says, facts));
    }
    if asking.is_open() {
        let says =
            "The session lived on: whether a policy sets a sign-in frequency for this user is not certain.";
        return Some(say(Basis::Inferred, says, facts));
    }
    Some(say(Basis::Inferred, "The session lived on within the sign-in frequency that is set.", facts))
}

fn lasting(findings: &Findings) -> Option<Statement> {
    let mut facts = Vec::new();
    for own in &findings.rogue_methods {
        let method = &own.method;
        facts.push(format!("{} \"{}\": {}", method.kind.label(), method.name, own.reasons.join("; ")));
    }
    if facts.is_empty() {
        return None;
    }
    if let Some(protected) = enforced(&findings.controls, ControlKind::SecurityInfo) {
        let none = "no enabled policy protects the registration of security info";
        let some = |names| format!("registration is protected by {names}, and it went through");
        facts.extend(protected.facts(none, some));
    }
    let is_by_session = findings.access.read().is_some_and(|own| own.by_claim > 0 && own.fresh == 0);
    let how = if is_by_session { "in the stolen session" } else { "by the intruder" };
    let says = format!(
        "A short compromise became a lasting one: a method was registered {how}, and it outlives the session and the password."
    );
    Some(say(Basis::Shown, says, facts))
}

fn device(findings: &Findings) -> Option<Statement> {
    let access = findings.access.read().filter(|own| own.sign_ins > 0)?;
    let asking = enforced(&findings.controls, ControlKind::CompliantDevice);
    let mut facts = vec![format!(
        "{} of {} sign-ins of the intruder's came from a compliant device",
        access.compliant, access.sign_ins
    )];
    if access.unbound > 0 {
        facts.push(format!("{} of them brought a token that is bound to no device", access.unbound));
    }
    if let Some(asking) = &asking {
        let none = "no enabled policy asks this user for a compliant device";
        facts.extend(asking.facts(none, |names| format!("policies that ask for one: {names}")));
    }
    let says = "The token worked without a compliant device.";
    (access.compliant == 0).then(|| say(Basis::Shown, says, facts))
}

fn blocklist(inputs: &IncidentInputs<'_>, findings: &Findings) -> Option<Statement> {
    let by_step = |kind: &'static str| {
        inputs.plan.actions.iter().find(move |own| own.step == "block_ips" && own.object.kind == kind)
    };
    let list = by_step("named location").filter(|own| own.object.id.is_some())?;
    let id = list.object.id.as_deref()?;
    let blocking = enforced(&findings.controls, ControlKind::BlockedPlaces)
        .map(|own| own.certain.into_iter().chain(own.possible).any(|own| own.may_block(id)));
    let is_unused = by_step("policy").is_some_and(|own| own.before.is_null());
    let fact = match blocking {
        Some(false) => "no enabled policy blocked it for this user".to_owned(),
        _ if is_unused => "the plan found no enabled policy that uses it, and makes one".to_owned(),
        _ => return None,
    };
    let says = format!(
        "The list `{}` was there and blocked nothing: a named location blocks nobody by itself, only an enabled policy that \
         uses it does.",
        list.object.name
    );
    Some(say(Basis::Shown, says, vec![fact]))
}
