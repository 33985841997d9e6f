//! The plan as a whole, and its digest: what consent is bound to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::Action;
use super::effect::{EffectClass, effect_of};
use super::placeholder::{PlaceholderError, placeholders_of};
use super::planned_step::PlannedStep;
use super::session::PlanSession;
use crate::case::{Indicator, JudgedMethod, Look, Subject};
use crate::domain::{DigestError, PlanDigest, PlanId, Sha256Digest, TenantId, json_of, shell_word};
use crate::playbook::{Aim, shipped_text};

/// The format of plans that this version writes and reads.
pub const PLAN_FORMAT: &str = "stanch/plan/v1";

/// The tenant that a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantRef {
    /// Tenant id.
    pub id: TenantId,
    /// Name: show it inert.
    pub name: String,
}

/// The playbook that a plan came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaybookRef {
    /// Name.
    pub name: String,
    /// Digest of the playbook as bound to its inputs.
    pub digest: Sha256Digest,
    /// What it is for; left out: to contain.
    #[serde(default, skip_serializing_if = "Aim::is_contain")]
    pub aim: Aim,
}

/// Something that a guard refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardRefusal {
    /// The guard's name: `company_range`.
    pub guard: String,
    /// What it refused: a range, a policy, a user.
    pub object: String,
    /// Why.
    pub why: String,
    /// What to do about it.
    pub next: String,
    /// The step that wanted it; absent where the subject itself is refused.
    pub step: Option<String>,
    /// Whether the account does not count as contained without it: the step is required.
    #[serde(default)]
    pub holds_back: bool,
}

/// A guard that a person set aside, on the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardOverride {
    /// The guard's name.
    pub guard: String,
    /// What it would have refused.
    pub object: String,
    /// Why it would have.
    pub why: String,
}

/// What the guards said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardRecord {
    /// Digest of the guards' settings: another setting makes the plan stale.
    pub digest: Sha256Digest,
    /// What they refused.
    pub refused: Vec<GuardRefusal>,
    /// What was set aside.
    pub overridden: Vec<GuardOverride>,
}

/// The case as a plan carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedCase {
    /// Who.
    pub subject: Subject,
    /// What ties to the intruder.
    pub indicators: Vec<Indicator>,
    /// Since when.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub since: Option<Timestamp>,
    /// The methods that were registered when the plan was made, each judged: one that comes later is told by them.
    pub methods: Look<Vec<JudgedMethod>>,
}

/// A step with nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnchangedStep {
    /// Id of the step.
    pub step: String,
    /// Name of the step's kind; absent where it is the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why there is nothing to do.
    pub why: String,
}

impl UnchangedStep {
    /// Whether the step is of this kind.
    pub fn is_of(&self, kind: &str) -> bool {
        self.kind.as_ref().unwrap_or(&self.step) == kind
    }
}

/// An object that was found and is not touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftObject {
    /// Id of the step that found it.
    pub step: String,
    /// Name of that step's kind; absent where it is the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is: show it inert.
    pub object: String,
    /// Why it is left, one fact each.
    pub why: Vec<String>,
    /// Whether the account does not count as contained while it stands.
    pub holds_back: bool,
    /// Whether it was decided that it stays: by a person, or by what the playbook says of the undecided. What merely
    /// holds nothing back is not decided.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// What to do about it, where that is something else than asking the user whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl LeftObject {
    /// Whether the step that found it is of this kind.
    pub fn is_of(&self, kind: &str) -> bool {
        self.kind.as_ref().unwrap_or(&self.step) == kind
    }

    /// Whether it is the thing with this id: every step writes it behind the name, which is anybody's to choose.
    pub fn is_thing(&self, id: &str) -> bool {
        !id.is_empty() && self.object.strip_suffix(')').is_some_and(|text| text.ends_with(&format!("({id}")))
    }
}

/// Who asked for the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// Name: the configured UPN, or the operating system's user.
    pub name: String,
    /// Whether the tenant knows a user of this name.
    pub resolved: bool,
    /// The webhook whose alert asked; absent where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

/// A plan: all that apply will do, and all that an approver needs to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always [`PLAN_FORMAT`].
    pub format: String,
    /// Id.
    pub id: PlanId,
    /// Digest over the canonical JSON of all else.
    pub digest: PlanDigest,
    /// When it was made (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub created_at: Timestamp,
    /// From when on it can no longer be applied (our clock).
    #[schemars(with = "crate::domain::Moment")]
    pub expires_at: Timestamp,
    /// Version of stanch that made it.
    pub engine: String,
    /// For which tenant.
    pub tenant: TenantRef,
    /// From which playbook.
    pub playbook: PlaybookRef,
    /// What the guards said.
    pub guards: GuardRecord,
    /// The case.
    pub case: PlannedCase,
    /// The steps of the playbook, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<PlannedStep>,
    /// What will be done.
    pub actions: Vec<Action>,
    /// Steps with nothing to do.
    pub unchanged: Vec<UnchangedStep>,
    /// What was found and is left.
    pub left: Vec<LeftObject>,
    /// What the approver should know.
    pub warnings: Vec<String>,
    /// What stays open even when all goes well.
    pub residual_risk: Vec<String>,
    /// Permissions that apply needs: of the app, or delegated, by whose session the plan is for.
    pub permissions: Vec<String>,
    /// Whose session the plan was made in and is for; left out: an app's own.
    #[serde(default, skip_serializing_if = "PlanSession::is_app")]
    pub session: PlanSession,
    /// Who asked.
    pub requested_by: Requester,
}

/// Why a file is no plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not JSON, or not of a plan's shape.
    #[error("the plan cannot be read")]
    Malformed {
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// Of another version.
    #[error("the plan has format `{found}`, this version reads `{PLAN_FORMAT}`")]
    Format {
        /// The format it names.
        found: String,
    },
    /// Its digest is not that of its content.
    #[error(
        "the plan was changed after it was made: its digest says `{stated}`, its content gives `{actual}`"
    )]
    Edited {
        /// Digest in the file.
        stated: PlanDigest,
        /// Digest of the content.
        actual: PlanDigest,
    },
    /// Its content has no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It holds a placeholder that no plan may hold.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
}

impl PlanFileError {
    /// Whether a newer version wrote the plan.
    pub fn is_newer(&self) -> bool {
        let Self::Format { found } = self else { return false };
        let version =
            |format: &str| format.strip_prefix("stanch/plan/v").and_then(|text| text.parse::<u32>().ok());
        version(found) > version(PLAN_FORMAT)
    }
}

impl Plan {
    /// Whether it ends the subject's sessions: what does not, contains nobody.
    pub fn ends_sessions(&self) -> bool {
        let mut requests = self.actions.iter().flat_map(|action| &action.requests);
        requests.any(|request| effect_of(request) == EffectClass::Repeatable)
    }

    /// Computes the digest over everything but the digest itself.
    ///
    /// # Errors
    /// When the content has no canonical JSON.
    pub fn compute_digest(&self) -> Result<PlanDigest, DigestError> {
        let mut value = json_of(self)?;
        if let Some(entries) = value.as_object_mut() {
            entries.remove("digest");
        }
        Sha256Digest::of_json(&value)
    }

    /// Returns the plan with the digest of its content.
    ///
    /// # Errors
    /// When the content has no canonical JSON.
    pub fn sealed(mut self) -> Result<Self, DigestError> {
        self.digest = self.compute_digest()?;
        Ok(self)
    }

    /// The command for a new plan of the same playbook for the same user.
    pub fn command_to_plan_again(&self) -> String {
        let (name, upn) = (&self.playbook.name, shell_word(self.case.subject.upn.as_str()));
        if shipped_text(name).is_some() {
            format!("stanch plan {name} --user {upn} -o plan.json")
        } else {
            format!("stanch plan FILE --user {upn} -o plan.json, with the file of the playbook `{name}`")
        }
    }

    /// Reads a plan and checks format, placeholders and digest.
    ///
    /// # Errors
    /// When it is no plan of this version, or was changed since it was made.
    pub fn from_json(text: &str) -> Result<Self, PlanFileError> {
        let value: Value =
            serde_json::from_str(text).map_err(|source| PlanFileError::Malformed { source })?;
        let found = value.get("format").and_then(Value::as_str).unwrap_or("none");
        if found != PLAN_FORMAT {
            return Err(PlanFileError::Format { found: found.to_owned() });
        }
        let plan: Self =
            serde_json::from_value(value).map_err(|source| PlanFileError::Malformed { source })?;
        let actual = plan.compute_digest()?;
        if actual != plan.digest {
            return Err(PlanFileError::Edited { stated: plan.digest, actual });
        }
        for request in plan.actions.iter().flat_map(|action| &action.requests) {
            placeholders_of(request)?;
        }
        Ok(plan)
    }
}
