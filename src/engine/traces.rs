//! What an intruder may have left in the tenant, of every kind, as it stands now: judged by the same finders as a plan.

use jiff::Timestamp;

use crate::case::{
    AppGrant, Case, Device, InboxRule, Judged, JudgedMethod, Look, MethodVerdict, RoleAssignment,
};
use crate::graph::Reader;
use crate::investigate::roles::{self, Roles};
use crate::investigate::{consents, devices, inbox_rules};
use crate::plan::{KnownThing, Plan};
use crate::run::Progress;

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TraceKind {
    Method,
    Rule,
    Consent,
    Device,
    Role,
}

impl TraceKind {
    /// Every kind.
    pub(super) const ALL: [Self; 5] = [Self::Method, Self::Rule, Self::Consent, Self::Device, Self::Role];

    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Rule => "inbox rule",
            Self::Consent => "consent to an app",
            Self::Device => "device",
            Self::Role => "directory role",
        }
    }

    pub(super) fn many(self) -> &'static str {
        match self {
            Self::Method => "methods",
            Self::Rule => "inbox rules",
            Self::Consent => "consents to apps",
            Self::Device => "devices",
            Self::Role => "directory roles",
        }
    }

    /// The step whose matter it is.
    pub(super) fn step(self) -> &'static str {
        match self {
            Self::Method => "remove_auth_methods",
            Self::Rule => "disable_inbox_rules",
            Self::Consent => "revoke_app_consents",
            Self::Device => "disable_devices",
            Self::Role => "strip_roles",
        }
    }
}

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub id: String,
    pub name: String,
    pub verdict: MethodVerdict,
    pub reasons: Vec<String>,
    /// Whether it lets somebody in, or works for them: a rule that is off does not.
    pub is_live: bool,
    /// When it came, where the tenant tells.
    pub at: Option<Timestamp>,
    /// What makes it what it is, for those that a plan knows by it.
    pub known: Option<KnownThing>,
}

impl Trace {
    /// Whether it is live, and the intruder's or nobody's: what was decided to stay when the plan was made, and what the
    /// run itself has made, is explained.
    pub(super) fn is_unexplained(&self, plan: &Plan, then: &[Progress]) -> bool {
        let is_left_on_purpose = || plan.left.iter().any(|left| left.decided && left.is_thing(&self.id));
        let is_ours = || then.iter().any(|own| own.made_id.as_deref() == Some(self.id.as_str()));
        match self.verdict {
            MethodVerdict::Owner | MethodVerdict::UnknownOld => false,
            MethodVerdict::Attacker => self.is_live,
            MethodVerdict::Unknown => self.is_live && !is_left_on_purpose() && !is_ours(),
        }
    }
}

/// All things of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traces {
    pub kind: TraceKind,
    pub found: Look<Vec<Trace>>,
}

/// The same answer for every kind, where nothing could be read.
pub(super) fn unread(why: &str) -> Vec<Traces> {
    TraceKind::ALL.map(|kind| Traces { kind, found: Look::Unread { why: why.to_owned() } }).into()
}

/// Reads everything side by side, and judges it.
pub(super) async fn read(reader: &Reader, case: &Case) -> Vec<Traces> {
    let (inbox, consents, devices, given) = tokio::join!(
        inbox_rules::read(reader, case),
        consents::read(reader, case),
        devices::read(reader, case),
        roles::read(reader, case)
    );
    let methods = case.evidence.methods.as_ref().map(|all| all.iter().map(method).collect());
    let rules = inbox.rules.as_ref().map(|rules| {
        let all = rules.as_deref().unwrap_or_default();
        inbox_rules::judge(all, &inbox, case).into_iter().map(rule).collect()
    });
    let grants = consents
        .grants
        .as_ref()
        .map(|all| consents::judge(all, &consents, case).into_iter().map(grant).collect());
    let owned = devices
        .devices
        .as_ref()
        .map(|all| devices::judge(all, &devices, case).into_iter().map(device).collect());
    let held = given
        .held
        .as_ref()
        .map(|all| roles::judge(all, &given, case).into_iter().map(|own| role(own, &given)).collect());
    vec![
        Traces { kind: TraceKind::Method, found: methods },
        Traces { kind: TraceKind::Rule, found: rules },
        Traces { kind: TraceKind::Consent, found: grants },
        Traces { kind: TraceKind::Device, found: owned },
        Traces { kind: TraceKind::Role, found: held },
    ]
}

fn method(judged: &JudgedMethod) -> Trace {
    let method = &judged.method;
    Trace {
        id: method.id.to_string(),
        name: format!("{} `{}`", method.kind.label(), method.name),
        verdict: judged.verdict,
        reasons: judged.reasons.clone(),
        is_live: true,
        at: method.created_at,
        // The proof compares methods by themselves.
        known: None,
    }
}

fn rule(judged: Judged<InboxRule>) -> Trace {
    Trace {
        id: judged.object.id.clone(),
        name: format!("inbox rule `{}`, which {}", judged.object.name, inbox_rules::describe(&judged.object)),
        verdict: judged.verdict,
        reasons: judged.reasons,
        is_live: judged.object.enabled,
        at: None,
        known: Some(inbox_rules::known(&judged.object)),
    }
}

fn grant(judged: Judged<AppGrant>) -> Trace {
    let grant = judged.object;
    Trace {
        known: Some(consents::known(&grant)),
        name: format!("consent to the app `{}`", grant.app_name()),
        verdict: judged.verdict,
        reasons: judged.reasons,
        is_live: grant.app.read().is_none_or(|app| app.enabled != Some(false)),
        at: None,
        id: grant.id,
    }
}

fn device(judged: Judged<Device>) -> Trace {
    Trace {
        name: format!("device `{}`", judged.object.name),
        verdict: judged.verdict,
        reasons: judged.reasons,
        is_live: judged.object.enabled != Some(false),
        at: judged.object.registered_at,
        known: Some(devices::known(&judged.object)),
        id: judged.object.id,
    }
}

fn role(judged: Judged<RoleAssignment>, found: &Roles) -> Trace {
    Trace {
        name: format!("directory role `{}`, {}", judged.object.name, judged.object.words()),
        verdict: judged.verdict,
        reasons: judged.reasons,
        is_live: true,
        at: roles::given_at(&judged.object, found),
        known: Some(roles::known(&judged.object)),
        id: judged.object.id,
    }
}
