//! `confirm_compromised`: tells Identity Protection that the user is compromised. The risk becomes high, and what the
//! tenant's user-risk policies ask for then bites (identity.md 9). It evicts nobody by itself.
//!
//! ```yaml
//! - step: confirm_compromised
//!   required: false
//! ```

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::ByHand;
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope, cannot, user_object};
use crate::case::{Case, Hold, Look};
use crate::domain::{GroupId, UserId};
use crate::graph::{self, GraphError, Licence, Reader, Reading, RiskyUser, request};
use crate::plan::{Action, Undo};
use crate::policy::evaluate::{Account, includes_account};
use crate::policy::{ConditionalAccessPolicy, PolicyState};

const STATE: &str = "riskState";
const LEVEL: &str = "riskLevel";
const CONFIRMED: &str = "confirmedCompromised";
/// States that an administrator sets: whoever set one since the plan had a reason.
const SAID_OTHERWISE: [&str; 2] = ["dismissed", "confirmedSafe"];

/// It has no options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmCompromised {}

/// What it must know.
#[derive(Clone, Debug)]
pub struct RiskFacts {
    risk: Risk,
    policies: Look<Vec<ConditionalAccessPolicy>>,
    groups: Look<Vec<GroupId>>,
}

/// What Identity Protection says of the user.
#[derive(Clone, Debug)]
pub enum Risk {
    /// This; `None` for a user who never had any risk.
    Read(Option<RiskyUser>),
    /// Nothing: the tenant has no licence for it.
    Unlicensed,
    /// Nothing: it could not be read.
    Unread {
        /// Why not.
        why: String,
    },
}

impl Step for ConfirmCompromised {
    const NAME: &'static str = "confirm_compromised";
    const SUMMARY: &'static str = "tells Identity Protection that the user is compromised";
    const PERMISSIONS: &'static [&'static str] = &["IdentityRiskyUser.ReadWrite.All"];
    const READS: &'static [Reading] = &[Reading::Risk, Reading::Policies];
    const LICENCES: &'static [Licence] = &[Licence::EntraP2];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = false;
    // It works through what it is told in its own time (identity.md 9).
    const SHOWS_WITHIN: Option<Duration> = Some(Duration::from_mins(15));
    type Facts = RiskFacts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<RiskFacts, GraphError> {
        let id = &case.subject.id;
        let (risk, policies, groups) =
            tokio::join!(graph.risky_user(id), graph.policies(), graph.groups_of(id));
        let risk = match risk {
            Err(error) if error.is_unlicensed() => Risk::Unlicensed,
            other => match graph::look(other)? {
                Look::Read(risk) => Risk::Read(risk),
                Look::Unread { why } => Risk::Unread { why },
            },
        };
        Ok(RiskFacts { risk, policies: graph::look(policies)?, groups: graph::look(groups)? })
    }

    fn plan(&self, case: &Case, facts: &RiskFacts, scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let summary = format!("Confirm {} as compromised in Identity Protection", subject.upn);
        let mut planned = Planned::default();
        let before = match &facts.risk {
            Risk::Unlicensed => {
                let why = "the tenant is not licensed for Identity Protection (Entra ID P2)";
                if scope.required {
                    let instead = "Buy Entra ID P2, or leave the step out: it adds to the containment and is no part of it.";
                    planned.push(
                        cannot(scope, Self::NAME, subject, summary, why, vec![instead.to_owned()]),
                        scope,
                    );
                } else {
                    planned.unchanged = Some(why.to_owned());
                }
                return planned;
            }
            Risk::Read(Some(risk)) if risk.is_confirmed() => {
                return Planned::unchanged("the user is confirmed as compromised already");
            }
            Risk::Read(Some(risk)) => json!({ STATE: risk.state, LEVEL: risk.level }),
            Risk::Read(None) => json!({ STATE: "none", LEVEL: "none" }),
            Risk::Unread { why } => {
                planned.warnings.push(format!("the risk of {} could not be read: {why}", subject.upn));
                json!({})
            }
        };
        let draft = Draft {
            key: "",
            summary,
            object: user_object(subject),
            before,
            after: json!({ STATE: CONFIRMED, LEVEL: "high" }),
            undo: Undo::Impossible {
                why: "taken back by nobody: once the account is clean, dismiss the risk in Identity Protection"
                    .to_owned(),
            },
            reason: "what Identity Protection knows of the user then counts in every risk policy, and for the next alert"
                .to_owned(),
            evidence: triggered(case, facts),
            requests: vec![request::confirm_compromised(&subject.id)],
        };
        planned.push(draft.into_action(Self::NAME, scope), scope);
        planned.residual_risk.push(format!(
            "The user risk of {} stays high until somebody dismisses it in Identity Protection, or the user changes the password where self-service allows it: before that a user-risk policy may keep them out.",
            subject.upn
        ));
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[&format!(
                "Protection > Identity Protection > Risky users > {user}: `Confirm user compromised` (needs Entra ID P2)"
            )],
            &["Confirm-MgRiskyUserCompromised -UserIds @($id)"],
        )
    }
}

/// What a high risk sets off: the enabled policies on user risk that are for the user.
fn triggered(case: &Case, facts: &RiskFacts) -> Vec<String> {
    let policies = match &facts.policies {
        Look::Read(policies) => policies,
        Look::Unread { why } => {
            return vec![format!("which user-risk policies bite then is not known: {why}")];
        }
    };
    let roles = case.subject.active_roles();
    let account = Account {
        user: &case.subject.id,
        groups: facts.groups.read().map(Vec::as_slice).unwrap_or_default(),
        roles: roles.read().map(Vec::as_slice).unwrap_or_default(),
    };
    let bites = |policy: &&ConditionalAccessPolicy| {
        policy.state == PolicyState::Enabled
            && policy.conditions.user_risk_levels.iter().any(|level| level == "high")
            && includes_account(policy, &account)
    };
    let mut told: Vec<String> = policies
        .iter()
        .filter(bites)
        .map(|policy| {
            let controls = policy.grant_controls.as_ref().map(|own| own.built_in_controls.join(", "));
            match controls.filter(|controls| !controls.is_empty()) {
                Some(controls) => {
                    format!(
                        "the policy `{}` then asks for {controls} at every sign-in of the user",
                        policy.display_name
                    )
                }
                None => {
                    format!("the policy `{}` then applies to every sign-in of the user", policy.display_name)
                }
            }
        })
        .collect();
    let unread = [("groups", facts.groups.unread()), ("roles", roles.unread())];
    for (what, why) in unread.into_iter().filter_map(|(what, why)| Some((what, why?))) {
        told.push(format!(
            "the {what} of the user could not be read: which user-risk policies name or leave out one of them is not known: {why}"
        ));
    }
    if told.is_empty() {
        told.push("no enabled user-risk policy is for the user: nothing else is set off".to_owned());
    }
    told
}

/// Reads the risk.
pub(super) async fn see(
    action: &Action,
    is_sent: bool,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    let now = graph.risky_user(subject).await?;
    let Some(now) = now else { return Ok(Seen::AsBefore) };
    if now.is_confirmed() {
        return Ok(Seen::AsAfter);
    }
    let before = action.before.get(STATE).and_then(Value::as_str);
    // Risk comes and goes by itself; an administrator's word that came since the plan is another thing.
    if !is_sent && SAID_OTHERWISE.contains(&now.state.as_str()) && before != Some(now.state.as_str()) {
        return Ok(Seen::Differs { what: format!("an administrator has set the risk to `{}`", now.state) });
    }
    Ok(Seen::AsBefore)
}
