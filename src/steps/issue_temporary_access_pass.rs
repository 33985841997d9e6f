//! `issue_temporary_access_pass`: a code that lets the user in once, to register a method of their own. It is a way in:
//! every door is shut and every session ended before. Issuing one ends the pass that was there.
//!
//! ```yaml
//! - step: issue_temporary_access_pass
//!   with: { deliver: terminal, lifetime: 1h, once: true }
//! ```

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Step;
use super::by_hand::ByHand;
use super::deliver::{Deliver, words};
use super::observe::{Attempt, Seen, WATERMARK_SLACK};
use super::planned::{Draft, Planned, Scope, cannot, delivering, not_contained, time};
use crate::case::{Case, Hold, JudgedMethod, Look, MethodVerdict};
use crate::config::parse_duration;
use crate::domain::{GroupId, MethodId, Timestamp, UserId, shell_word, shown};
use crate::graph::{self, GraphError, Licence, Pass, PassPolicy, Reader, Reading, RiskyUser, request};
use crate::guard::{apply_overrides, refusal};
use crate::plan::{Action, Object, Undo};

/// Who gets to know the pass. Nobody is no choice: a pass that nobody knows lets nobody in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliverPass {
    /// Whoever applies, once, on the terminal.
    #[default]
    Terminal,
    /// Whoever holds a key of `secrets.recipients`: it is sealed with age.
    Sealed,
}

/// How long the pass lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Lifetime(Duration);

impl Default for Lifetime {
    fn default() -> Self {
        Self(Duration::from_hours(1))
    }
}

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let lifetime = parse_duration(&text)?;
        // What Graph takes at all (identity.md 5.6).
        if (Duration::from_mins(10)..=Duration::from_hours(720)).contains(&lifetime) {
            Ok(Self(lifetime))
        } else {
            Err(format!("`{text}` is no lifetime of a pass: from `10m` to `30d`"))
        }
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        format!("{}m", lifetime.minutes())
    }
}

impl Lifetime {
    fn minutes(self) -> i64 {
        i64::try_from(self.0.as_secs() / 60).unwrap_or(i64::MAX)
    }
}

fn yes() -> bool {
    true
}

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueTemporaryAccessPass {
    /// Who gets to know it.
    #[serde(default)]
    pub deliver: DeliverPass,
    /// How long it lasts: `1h`; the tenant's policy bounds it.
    #[serde(default)]
    pub lifetime: Lifetime,
    /// Whether it works once.
    #[serde(default = "yes")]
    pub once: bool,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct PassFacts {
    policy: Look<PassPolicy>,
    passes: Look<Vec<Pass>>,
    groups: Look<Vec<GroupId>>,
    risk: Look<Option<RiskyUser>>,
}

impl Step for IssueTemporaryAccessPass {
    const NAME: &'static str = "issue_temporary_access_pass";
    const SUMMARY: &'static str = "issues a Temporary Access Pass, with which the user comes back";
    const PERMISSIONS: &'static [&'static str] = &["UserAuthenticationMethod.ReadWrite.All"];
    const READS: &'static [Reading] =
        &[Reading::PassPolicy, Reading::Methods, Reading::Groups, Reading::Risk];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = false;
    const IS_WAY_IN: bool = true;
    type Facts = PassFacts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<PassFacts, GraphError> {
        let user = &case.subject.id;
        let (policy, passes, risk) =
            tokio::join!(graph.pass_policy(), graph.passes(user), graph.risky_user(user));
        let policy = graph::look(policy)?;
        let is_by_group = policy.read().is_some_and(|policy| policy.groups.is_some());
        let groups =
            if is_by_group { graph::look(graph.groups_of(user).await)? } else { Look::Read(Vec::new()) };
        Ok(PassFacts { policy, passes: graph::look(passes)?, groups, risk: graph::look(risk)? })
    }

    fn plan(&self, case: &Case, facts: &PassFacts, scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let mut planned = Planned::default();
        if subject.guest {
            let summary = format!("Issue a Temporary Access Pass for {}", subject.upn);
            let instead =
                format!("Ask the administrators of {}'s home tenant to let the user back in.", subject.upn);
            let why = "a guest signs in at the home tenant: a pass of this one lets nobody in";
            planned.push(cannot(scope, Self::NAME, subject, summary, why, vec![instead]), scope);
            return planned;
        }
        let what = format!("the Temporary Access Pass of {}", subject.upn);
        let mut refusals = Vec::new();
        refusals.extend(not_allowed(&what, facts, &mut planned.warnings));
        refusals.extend(intruders_methods(case, scope));
        let deliver = match self.deliver {
            DeliverPass::Terminal => Deliver::Terminal,
            DeliverPass::Sealed => Deliver::Sealed,
        };
        let delivery = deliver.delivery(&what, scope).map_err(|refusal| refusals.push(refusal)).ok();
        let (refused, overridden) = apply_overrides(refusals, scope.rules);
        planned.overridden.extend(overridden);
        let (Some(delivery), true) = (delivery, refused.is_empty()) else {
            planned.refused = refused;
            return planned;
        };
        planned.warnings.extend(not_contained(case, scope));
        planned.warnings.extend(kept_out_by_risk(case, facts));
        let mut evidence = residual_methods(case);
        let minutes = self.minutes(facts, &mut planned.warnings, &mut evidence);
        let earlier = match &facts.passes {
            Look::Read(passes) => passes.as_slice(),
            Look::Unread { why } => {
                planned.warnings.push(format!("whether there is a pass already is not known: {why}"));
                &[]
            }
        };
        for pass in earlier {
            planned.warnings.push(format!(
                "{} has a pass already, issued {} ({}): it ends with the new one. If nobody of yours issued it, the account is not contained",
                subject.upn,
                pass.created_at.map_or_else(|| "at a time that Graph does not tell".to_owned(), shown),
                if pass.usable { "it works now".to_owned() } else { pass.reason.clone() },
            ));
        }
        let lasts = minutes
            .map_or_else(|| "as long as the tenant lets one".to_owned(), |own| format!("{own} minutes"));
        let uses = if self.once { "usable once" } else { "usable more than once" };
        let draft = Draft {
            key: "",
            summary: format!("Issue a Temporary Access Pass for {}, {uses}, for {lasts}", subject.upn),
            object: Object { kind: "Temporary Access Pass".to_owned(), id: None, name: subject.upn.to_string() },
            before: before(earlier),
            after: json!({ "pass": format!("a new one, {}", words(&delivery)), "isUsableOnce": self.once, "lifetime": lasts }),
            undo: Undo::Impossible {
                why: "an issued pass is deleted like any method; the one before it does not come back".to_owned(),
            },
            reason: "with a password that nobody knows, the user gets in by a pass alone, and registers a method with it"
                .to_owned(),
            evidence,
            requests: vec![request::issue_pass(&subject.id, minutes, self.once)],
        };
        planned.push(delivering(draft.into_action(Self::NAME, scope), delivery), scope);
        planned.residual_risk.push(
            "Whoever has the pass is the user until it is used or ends: tell it in person or by telephone, never by mail or chat, and have a method registered within 10 minutes of its use."
                .to_owned(),
        );
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[
                "First of all look that every step before is done: a pass is a way in",
                &format!(
                    "Users > All users > {user} > Authentication methods: note and delete a pass that none of you issued"
                ),
                &format!(
                    "Add authentication method > Temporary Access Pass: {} minutes, one-time use {}; tell it to the user in person or by telephone",
                    self.lifetime.minutes(),
                    if self.once { "Yes" } else { "No" }
                ),
            ],
            &[
                "Get-MgUserAuthenticationTemporaryAccessPassMethod -UserId $id | Format-List Id, CreatedDateTime, IsUsable",
                &format!(
                    "(New-MgUserAuthenticationTemporaryAccessPassMethod -UserId $id -BodyParameter @{{ isUsableOnce = ${}; lifetimeInMinutes = {} }}).TemporaryAccessPass",
                    self.once,
                    self.lifetime.minutes()
                ),
            ],
        )
    }
}

impl IssueTemporaryAccessPass {
    /// The minutes that are asked for: what the playbook says, or the nearest that the tenant takes.
    fn minutes(
        &self,
        facts: &PassFacts,
        warnings: &mut Vec<String>,
        evidence: &mut Vec<String>,
    ) -> Option<i64> {
        let wanted = self.lifetime.minutes();
        match &facts.policy {
            Look::Read(policy) => {
                let taken = wanted.clamp(policy.shortest, policy.longest.max(policy.shortest));
                if taken != wanted {
                    evidence.push(format!(
                        "the tenant takes from {} to {} minutes: {taken} is the nearest to {wanted}",
                        policy.shortest, policy.longest
                    ));
                }
                Some(taken)
            }
            Look::Unread { why } => {
                warnings.push(format!(
                    "what the tenant lets a pass be could not be read, so it lasts as long as the tenant says: {why}"
                ));
                None
            }
        }
    }
}

/// Why no pass would let the user in, as far as the tenant's policy tells.
fn not_allowed(
    what: &str,
    facts: &PassFacts,
    warnings: &mut Vec<String>,
) -> Option<crate::plan::GuardRefusal> {
    let policy = facts.policy.read()?;
    let next = "turn Temporary Access Pass on for the user (Entra admin center: Protection > Authentication methods > Policies), then plan again";
    if !policy.enabled {
        return Some(refusal("pass_not_allowed", what, "the tenant has passes turned off", next));
    }
    let allowed = policy.groups.as_ref()?;
    match &facts.groups {
        Look::Read(groups) if groups.iter().any(|own| allowed.contains(own)) => None,
        Look::Read(_) => Some(refusal(
            "pass_not_allowed",
            what,
            "the user is in no group that the tenant lets use a pass",
            next,
        )),
        Look::Unread { why } => {
            warnings.push(format!("whether the user may use a pass is not known: {why}"));
            None
        }
    }
}

/// Refuses to let anybody in while a method of the intruder's stands.
fn intruders_methods(case: &Case, scope: &Scope<'_>) -> Option<crate::plan::GuardRefusal> {
    let methods = case.evidence.methods.read()?;
    let rogue = methods
        .iter()
        .find(|own| own.verdict == MethodVerdict::Attacker && !scope.keep.contains(&own.method.id))?;
    Some(refusal(
        "pass_not_contained",
        &rogue.method.name,
        format!("the intruder still holds a {}: whoever is let in is not alone", rogue.method.kind.label()),
        format!(
            "contain the account first: `stanch run evict --user {}`",
            shell_word(case.subject.upn.as_str())
        ),
    ))
}

/// What the approver should know of a risk that keeps the user out.
fn kept_out_by_risk(case: &Case, facts: &PassFacts) -> Option<String> {
    let risk = facts.risk.read()?.as_ref()?;
    (risk.level == "high").then(|| {
        format!(
            "the user risk of {} is high: a user-risk policy may keep the user out until somebody dismisses it in Identity Protection",
            case.subject.upn
        )
    })
}

/// The methods that are there: whoever is let in finds them, and so does whoever owns them.
fn residual_methods(case: &Case) -> Vec<String> {
    match &case.evidence.methods {
        Look::Read(methods) => methods.iter().map(stands).collect(),
        Look::Unread { why } => vec![format!("which methods are registered is not known: {why}")],
    }
}

fn stands(own: &JudgedMethod) -> String {
    let name = if own.method.name.is_empty() { String::new() } else { format!(" `{}`", own.method.name) };
    format!("{}{name} stands: {}", own.method.kind.label(), own.verdict.label())
}

/// The passes that are there, by id and time: another one is drift.
fn before(passes: &[Pass]) -> Value {
    let rows: Vec<Value> = passes
        .iter()
        .map(|pass| json!({ "id": pass.id, "createdDateTime": time(pass.created_at) }))
        .collect();
    json!({ "passes": rows })
}

fn planned_ids(action: &Action) -> Vec<MethodId> {
    let rows = action.before.get("passes").and_then(Value::as_array);
    rows.into_iter().flatten().filter_map(|row| row.get("id")?.as_str()?.parse().ok()).collect()
}

/// Why a pass does not work that did.
const ENDED: [&str; 2] = ["OneTimeUsed", "Expired"];

/// Reads the passes.
pub(super) async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    let passes = graph.passes(subject).await?;
    let known = planned_ids(action);
    let new = passes.iter().find(|pass| !known.contains(&pass.id));
    let Some(sent) = sent else {
        return Ok(match new {
            None => Seen::AsBefore,
            Some(pass) => Seen::Differs { what: format!("another pass was issued{}", at(pass.created_at)) },
        });
    };
    let left = sent.intent_at.saturating_sub(WATERMARK_SLACK).unwrap_or(Timestamp::MIN);
    let ours = passes.iter().find(|pass| match &sent.made_id {
        Some(made) => pass.id.as_str() == made,
        None => !known.contains(&pass.id) && pass.created_at.is_some_and(|created| created >= left),
    });
    Ok(match ours {
        None => Seen::AsBefore,
        // A pass that was used, or has run out, was issued: that is how passes end.
        Some(pass) if pass.usable || ENDED.contains(&pass.reason.as_str()) => Seen::AsAfter,
        Some(pass) => Seen::Differs { what: format!("the pass cannot be used: {}", pass.reason) },
    })
}

fn at(created: Option<Timestamp>) -> String {
    created.map(|created| format!(" at {}", shown(created))).unwrap_or_default()
}
