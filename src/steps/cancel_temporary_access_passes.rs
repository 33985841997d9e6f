//! `cancel_temporary_access_passes`: deletes the Temporary Access Passes that work still and that the intruder has, and
//! those alone. An administrator's is asked about; one that a run of stanch issued is kept. A pass cannot be restored
//! (identity.md 5.6). `remove_auth_methods` with every kind takes an intruder's pass as well: this step is for playbooks
//! that leave the other methods alone.
//!
//! ```yaml
//! - step: cancel_temporary_access_passes
//!   with: { undecided: ask }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::ByHand;
use super::decision::{Decision, Found, Undecided, key_of, unread};
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope, time};
use crate::case::{Case, Hold, Judged, Look, MethodKind};
use crate::domain::{UserId, shown};
use crate::graph::{GraphError, Licence, Pass, Reader, Reading, look, request};
use crate::investigate::passes;
use crate::plan::{Action, Object, Undo};

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTemporaryAccessPasses {
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

impl Step for CancelTemporaryAccessPasses {
    const NAME: &'static str = "cancel_temporary_access_passes";
    const SUMMARY: &'static str = "deletes Temporary Access Passes that the intruder can still use";
    const PERMISSIONS: &'static [&'static str] = &["UserAuthenticationMethod.ReadWrite.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Pass];
    const IS_DOOR: bool = true;
    type Facts = Look<Vec<Pass>>;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Self::Facts, GraphError> {
        look(graph.passes(&case.subject.id).await)
    }

    fn plan(&self, case: &Case, facts: &Self::Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let all = match facts {
            Look::Unread { why } => {
                let look = format!(
                    "look at Users, {}, Authentication methods in the Entra admin center",
                    case.subject.upn
                );
                planned.left.push(unread("Temporary Access Pass", why, &look, scope));
                return planned;
            }
            Look::Read(all) => all,
        };
        planned.knows.extend(all.iter().map(|pass| pass.id.to_string()));
        for judged in passes::judge(all, scope.own_passes, case) {
            self.plan_one(&judged, case, scope, &mut planned);
        }
        if planned.actions.is_empty() {
            planned.unchanged = Some(match all.len() {
                0 => "the account has no Temporary Access Pass".to_owned(),
                _ => "no Temporary Access Pass that works is the intruder's by the evidence".to_owned(),
            });
        }
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[&format!(
                "Users > All users > {user} > Authentication methods: delete a Temporary Access Pass that none of you issued; of one that you did, ask for whom"
            )],
            &[
                "Get-MgUserAuthenticationTemporaryAccessPassMethod -UserId $id | Format-List Id, CreatedDateTime, IsUsable, MethodUsabilityReason",
                "# One of these for each that is not the user's; put its id in the place of ID:",
                "Remove-MgUserAuthenticationTemporaryAccessPassMethod -UserId $id -TemporaryAccessPassAuthenticationMethodId 'ID'",
            ],
        )
    }
}

impl CancelTemporaryAccessPasses {
    fn plan_one(self, judged: &Judged<Pass>, case: &Case, scope: &Scope<'_>, planned: &mut Planned) {
        let pass = &judged.object;
        if is_over(pass) {
            return;
        }
        let found = Found {
            id: pass.id.as_str(),
            named: named(pass),
            verdict: judged.verdict,
            reasons: &judged.reasons,
        };
        let is_asked = match found.decide(self.undecided, scope) {
            Decision::Spare => return,
            Decision::Leave(left) => return planned.left.push(left),
            Decision::Act { is_asked } => is_asked,
        };
        let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
            return planned.push(None, scope);
        };
        let request = request::delete_method(&case.subject.id, &MethodKind::TemporaryAccessPass, &pass.id);
        let draft = Draft {
            key: "",
            summary: format!("Delete the {} of {}", named(pass), case.subject.upn),
            object: Object {
                kind: "Temporary Access Pass".to_owned(),
                id: Some(pass.id.to_string()),
                name: case.subject.upn.to_string(),
            },
            before: json!({ "id": pass.id, "createdDateTime": time(pass.created_at) }),
            after: Value::Null,
            undo: Undo::Impossible {
                why: "a pass does not come back; another one can be issued (`restore`)".to_owned(),
            },
            reason: found
                .reason(is_asked, "whoever has it signs in, and registers a method, with nothing else"),
            evidence: judged.reasons.clone(),
            requests: request.into_iter().collect(),
        };
        planned.actions.push(draft.with_id(id, Self::NAME, scope));
    }
}

/// Whether a pass lets nobody in any more. One that is not valid yet, or that the policy keeps from working, may again.
fn is_over(pass: &Pass) -> bool {
    !pass.usable && ["Expired", "OneTimeUsed"].contains(&pass.reason.as_str())
}

fn named(pass: &Pass) -> String {
    let when = pass.created_at.map_or_else(|| "at a time that Graph does not tell".to_owned(), shown);
    format!("Temporary Access Pass issued {when} ({})", pass.id)
}

/// Reads the passes.
pub(super) async fn see(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let passes = graph.passes(subject).await?;
    let own = passes.iter().find(|pass| action.object.id.as_deref() == Some(pass.id.as_str()));
    Ok(match own {
        Some(pass) if !is_over(pass) => Seen::AsBefore,
        Some(_) | None => Seen::AsAfter,
    })
}
